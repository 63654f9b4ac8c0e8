"""`guard release` with proof: smoke tests, what the tag says, the signed record, and two leads who tag at once."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from rollback_guard.entry import releasing
from rollback_guard.entry.revert_push import push_watched
from rollback_guard.release import tagging
from rollback_guard.release.model import Released
from tests.support.builder import RepositoryBuilder, told_once
from tests.support.commands import Said, guard
from tests.support.servers import Server
from tests.support.signing import key_of, policy, signed_for_shop

SMOKE = '\n[[smoke]]\nname = "login"\nrun = ["sh", "-c", "exit $CODE"]\n[[smoke]]\nname = "books"\nrun = ["true"]\n'


@pytest.fixture(autouse=True)
def jane(monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{part}_NAME", "Jane Doe")
        monkeypatch.setenv(f"GIT_{part}_EMAIL", "jane@acme.example")
    monkeypatch.setenv("CODE", "0")


@told_once
def landed(path: Path, more: str = "") -> RepositoryBuilder:
    """A shop in which release/1.4 was signed for by omar and quinn, and landed."""
    repo = signed_for_shop(path, text=policy(more=more))
    repo.checkout("main")
    repo.clock = int(time.time())  # what is signed later than it landed does not count
    repo.merge("release/1.4", by="jane")
    repo.clock -= 86_400
    return repo


def tagged(repo: RepositoryBuilder, *args: str, code: int = 0) -> Said:
    said = guard(repo.path, "release", "--key", key_of("jane"), *args)
    assert said.code == code, said.err
    return said


def states(repo: RepositoryBuilder) -> dict[str, tuple[str, str]]:
    rows = json.loads(guard(repo.path, "release", "list", "--format", "json").out)["releases"]
    return {one["tag"]: (one["state"], one["reason"]) for one in rows}


def test_the_tag_says_what_was_proven(path_of_repo: Path) -> None:
    repo = landed(path_of_repo, SMOKE)
    document = json.loads(tagged(repo, "--format", "json").out)
    assert [(one["name"], one["passed"]) for one in document["smoke"]] == [("login", True), ("books", True)]
    assert len(document["evidence"]) == 2
    listed = json.loads(guard(repo.path, "evidence", "list", "--all", "--format", "json").out)["evidence"]
    assert {one["id"] for one in listed if one["kind"] == "sign-off"} == set(document["evidence"])
    trailers = repo.git("tag", "-l", "--format=%(contents:body)", document["tag"]).strip().splitlines()
    said = dict(line.split(": ", 1) for line in trailers if not line.startswith(("Smoke", "Evidence")))
    assert (said["Released-By"], said["Branch"], said["Verdict"]) == (
        "Jane Doe <jane@acme.example>", "main", "allow",
    )  # fmt: skip
    assert said["Policy"].startswith("rollback-guard.toml sha256:")
    assert [line for line in trailers if line.startswith("Smoke: login passed in ")]
    assert {line.removeprefix("Evidence: ") for line in trailers if line.startswith("Evidence")} == set(
        document["evidence"]
    )
    record = guard(repo.path, "evidence", "show", document["record"])
    for words in ("release " + document["tag"], "login passed", document["evidence"][0], "the signature verifies"):
        assert words in record.out


def test_smoke_tests_that_passed_are_named(path_of_repo: Path) -> None:
    assert "smoke tests passed: login, books (" in tagged(landed(path_of_repo, SMOKE)).out


def test_a_smoke_test_that_fails_is_no_release(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = landed(path_of_repo, SMOKE)
    monkeypatch.setenv("CODE", "3")
    said = tagged(repo, code=1)
    assert "1 of 2 smoke tests failed; login: it ended with 3" in said.err
    assert repo.git("tag") == ""
    left_out = tagged(repo, "--no-smoke")
    assert "smoke tests were not run: left out by --no-smoke" in left_out.out
    assert "Smoke: none, left out by --no-smoke" in repo.git("tag", "-l", "--format=%(contents)")


def test_what_runs_says_nothing_of_an_older_commit(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = landed(path_of_repo, SMOKE)
    monkeypatch.setenv("CODE", "3")
    monkeypatch.setattr(releasing, "_require_allowed", lambda *_: None)  # nobody signed for the first commit
    said = tagged(repo, "main~1")
    assert f"smoke tests were not run: main is at {repo.head('main')[:12]}" in said.out


def test_the_command_again_makes_up_for_what_is_missing(path_of_repo: Path, tmp_path: Path) -> None:
    repo = landed(path_of_repo)
    server = Server(tmp_path / "server.git")
    server.takes(repo, "main")
    repo.git("remote", "add", "origin", server.url)
    first = guard(repo.path, "release")
    assert "note: no signed record of it was made: no key is named" in first.out
    assert "→ git push origin refs/tags/stable/" in first.out
    again = tagged(repo, "--push")
    assert "signed for, as evidence " in again.out
    assert "pushed to origin" in again.out
    assert again.out.endswith("→ guard evidence push\n")
    name = repo.git("tag").split("\n")[-1]  # --key asked for a signature, which the first does not bear
    assert server.tip(f"refs/tags/{name}") == repo.git("rev-parse", f"refs/tags/{name}")
    third = tagged(repo, "--push")
    assert "this commit bore that tag already" in third.out
    assert "signed for" not in third.out


def test_a_record_is_not_made_by_whoever_may_not(path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    for person, words in (
        ("quinn", "the key is that of Quinn Lee <quinn@acme.example>, who may not release"),
        ("eve", "is nobody's"),
    ):
        repo.git("config", "gpg.format", "ssh")
        repo.git("config", "user.signingKey", key_of(person))
        said = guard(repo.path, "release")
        assert said.code == 0
        assert words in said.out


def test_without_a_name_for_the_repository_there_is_no_record(
    path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = landed(path_of_repo)
    repo.git("config", "--unset", "rollback-guard.repository")
    monkeypatch.setattr(releasing, "_require_allowed", lambda *_: None)
    said = tagged(repo).out
    assert "no signed record of it was made: this clone has no remote that says which repository it is" in said


def test_a_tag_that_was_moved_or_deleted_is_never_passed_over_silently(path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    repo.git("tag", "-a", "-m", "x", "stable/2026.1.1.1", "main~1", **repo.as_person("jane"))
    name = json.loads(tagged(repo, "--format", "json").out)["tag"]
    old = repo.git("rev-parse", f"refs/tags/{name}")
    repo.commit("Later", x="x")
    assert states(repo)[name][0] == "stable"

    repo.git("tag", "-d", name)
    state, reason = states(repo)[name]
    assert (state, reason.endswith("there is no such tag here")) == ("missing", True)
    assert "Jane Doe <jane@acme.example> signed on " in reason
    text = guard(repo.path, "release", "list")
    assert f"the last stable release may be {name}" in text.err
    plan = guard(repo.path, "revert", "--plan")
    assert (plan.code, plan.out) == (4, "")
    assert "git fetch --tags   # or say which one is meant: guard revert --to TAG" in plan.err
    assert guard(repo.path, "revert", "--plan", "--to", "stable/2026.1.1.1").code == 0

    repo.git("tag", "-a", "-m", "x", name, "main", **repo.as_person("jane"))
    state, reason = states(repo)[name]
    assert (state, reason.endswith("it is another object now")) == ("moved", True)
    moved = guard(repo.path, "revert", "--plan")
    assert (moved.code, "it is another object now" in moved.err) == (4, True)

    repo.git("update-ref", f"refs/tags/{name}", old)
    assert states(repo)[name][0] == "stable"
    assert guard(repo.path, "revert", "--plan").code == 0


def test_one_that_was_taken_back_is_missed_by_nobody(path_of_repo: Path, tmp_path: Path) -> None:
    repo = landed(path_of_repo)
    server = Server(tmp_path / "server.git")
    server.takes(repo, "main")
    repo.git("remote", "add", "origin", server.url)
    repo.git("tag", "-a", "-m", "x", "stable/2026.1.1.1", "main~1", **repo.as_person("jane"))
    name = json.loads(tagged(repo, "--format", "json").out)["tag"]
    said = guard(
        repo.path, "release", "revoke", name, "--reason", "orders were lost", "--key", key_of("jane"), "--push"
    )
    assert said.code == 0, said.err
    assert "signed for, as evidence" in said.out
    assert server.tip(f"refs/tags/revoked/{name}") != ""
    assert f"revoke {name}" in guard(repo.path, "evidence", "list", "--all").out
    repo.git("tag", "-d", name, f"revoked/{name}")
    assert name not in states(repo)
    assert guard(repo.path, "revert", "--plan").code == 0
    again = guard(repo.path, "release", "revoke", "stable/2026.1.1.1", "--reason", "x", "--format", "json")
    assert json.loads(again.out)["record"] is None
    assert "note: no signed record of it was made" in again.err


def test_a_server_that_does_not_take_the_revocation(path_of_repo: Path, tmp_path: Path) -> None:
    repo = landed(path_of_repo)
    name = json.loads(tagged(repo, "--format", "json").out)["tag"]
    repo.git("remote", "add", "origin", str(tmp_path / "nowhere"))
    said = guard(repo.path, "release", "revoke", name, "--reason", "x", "--key", key_of("jane"), "--push")
    assert said.code == 1
    assert f"{name} is revoked here, but origin did not take that" in said.err


def test_records_of_others_and_of_other_branches_say_nothing(path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    assert json.loads(tagged(repo, "--format", "json").out)["record"]
    name = repo.git("tag")
    repo.git("tag", "-d", name)
    assert states(repo)[name][0] == "missing"
    repo.write_file("rollback-guard.toml", policy().replace('[release]\nby = ["jane"]', '[release]\nby = ["omar"]'))
    repo.commit("Somebody else releases")
    # What jane signed was signed while she might, by the policy of that day.
    assert states(repo)[name][0] == "missing"
    repo.git("branch", "live", "main")
    rows = guard(repo.path, "release", "list", "--branch", "live", "--format", "json")
    assert json.loads(rows.out)["releases"] == []


def test_two_leads_in_two_clones(path_of_repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one pushes between the look at the server's tags and the push; the next number is taken."""
    repo = landed(path_of_repo)
    server = Server(tmp_path / "server.git")
    server.takes(repo, "main")
    repo.git("remote", "add", "origin", server.url)
    other = tmp_path / "other"
    shutil.copytree(repo.path, other)
    real, rivals = tagging.tag_release, [1, 2]

    def late(*args: object, **options: object) -> Released:
        made = real(*args, **options)  # type: ignore[arg-type]
        if rivals:
            rivals.pop()
            theirs = RepositoryBuilder(other)
            theirs.git("tag", "-f", "-a", "-m", "theirs", made.tag, "main", **repo.as_person("jane"))
            theirs.git("push", "-q", "--no-verify", server.url, f"refs/tags/{made.tag}")
        return made

    monkeypatch.setattr(releasing, "tag_release", late)
    document = json.loads(tagged(repo, "--push", "--format", "json").out)
    assert document["tag"].endswith(".3")
    assert document["pushed"] == "origin"
    assert repo.git("tag") == document["tag"]  # ours alone; nothing half-made stays
    assert len(server.builder.git("tag").split("\n")) == 3
    rivals.append(1)
    named = tagged(repo, "--push", "--tag", "stable/2026.1.1.1", code=1)
    assert "is tagged here, but origin did not take it" in named.err
    monkeypatch.setattr(releasing, "ATTEMPTS", 1)
    repo.commit("Later", x="x")
    monkeypatch.setattr(releasing, "_require_allowed", lambda *_: None)
    rivals.append(1)
    assert "kept taking the next number" in tagged(repo, "--push", code=1).err
    assert tagging.ATTEMPTS > 1


def test_a_server_that_cannot_be_reached(path_of_repo: Path, tmp_path: Path) -> None:
    repo = landed(path_of_repo)
    repo.git("remote", "add", "origin", str(tmp_path / "nowhere"))
    said = tagged(repo, "--push", code=1)
    assert "origin cannot be asked for its tags" in said.err
    assert repo.git("tag") == ""


def test_a_server_that_refuses_leaves_the_tag_here_and_one_that_has_it_is_content(
    path_of_repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = landed(path_of_repo)
    server = Server(tmp_path / "server.git")
    server.takes(repo, "main")
    repo.git("remote", "add", "origin", server.url)
    refusing = server.path / "hooks" / "pre-receive"
    refusing.parent.mkdir(exist_ok=True)
    refusing.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setattr(releasing, "PAUSE", 0)
    said = tagged(repo, "--push", code=1)
    name = repo.git("tag")
    assert f"{name} is tagged here, but origin did not take it" in said.err
    assert f"guard release --push   # again; or take it back here: git tag -d {name}" in said.err
    refusing.unlink()
    real = push_watched

    def late(*args: object) -> str:
        """The same by the same person at the same moment: theirs arrives, ours is told that it is there."""
        assert real(*args) == ""  # type: ignore[arg-type]
        return "! [remote rejected] (reference already exists)"

    monkeypatch.setattr(releasing, "push_watched", late)
    assert "pushed to origin" in tagged(repo, "--push").out
    assert server.tip(f"refs/tags/{name}") == repo.git("rev-parse", f"refs/tags/{name}")
