"""`guard release`: who may tag what, under which name, and what the list says. The gate's verdict is stood in for."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from rollback_guard.entry import releasing as cli
from rollback_guard.errors import RefusedError
from rollback_guard.gate.verdict import Decision, Verdict
from rollback_guard.git.tags import read_tag, write_tag
from rollback_guard.release import tagging
from rollback_guard.release.stable import read_revoked
from rollback_guard.release.tagging import next_name, tag_release
from tests.cli.test_revert import Guard, guard
from tests.release.stories import land, opened
from tests.support.builder import PEOPLE, POLICY, RepositoryBuilder
from tests.support.pgp import path_without_gpg, pgp_block, pgp_env

__all__ = ["guard"]
DAY = "{0.tm_year}.{0.tm_mon}.{0.tm_mday}"


@pytest.fixture(autouse=True)
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[Decision]:
    """The decision that the gate will give, last one first; and allow when none is left."""
    waiting: list[Decision] = []

    def judge(repository: object, commit: str, branch: str, *, as_of: int) -> Verdict:
        assert branch.startswith("refs/")
        return Verdict(decision=waiting.pop() if waiting else "allow", as_of=as_of, changes=())

    monkeypatch.setattr(cli, "judge", judge)
    return waiting


@pytest.fixture
def repo(path_of_repo: Path) -> RepositoryBuilder:
    built = RepositoryBuilder(path_of_repo)
    built.write_file("rollback-guard.toml", POLICY)
    built.commit("Begin the shop", app_dot_py="price = 1\n")
    land(built, "release/1", version_dot_txt="1")
    return built


def today() -> str:
    return DAY.format(time.gmtime())


def be(monkeypatch: pytest.MonkeyPatch, person: str) -> None:
    monkeypatch.setenv("GIT_COMMITTER_NAME", PEOPLE[person][0])
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", PEOPLE[person][1])


def test_productions_tip_under_the_next_name(guard: Guard, repo: RepositoryBuilder) -> None:
    repo.branch("topic")
    first = guard(repo.path, "release", "--format", "json")
    assert first.code == 0, first.err
    name = first.json["tag"]
    assert name == f"stable/{today()}.1"
    assert first.json == {
        "format": "rollback-guard/release/1",
        "tag": name,
        "object": repo.git("rev-parse", f"refs/tags/{name}"),
        "commit": repo.head("main"),
        "tree": repo.tree("main"),
        "branch": "main",
        "tagger": "Jane Doe <jane@acme.example>",
        "signed": False,
        "verdict": "allow",
        "smoke": [],
        "evidence": [],
        "record": None,
        "pushed": None,
    }
    assert repo.git("cat-file", "-t", name) == "tag"
    again = guard(repo.path, "release", "--message", "Good since Monday", "--format", "json")
    assert (again.code, again.json) == (0, {**first.json, "verdict": None})
    assert "nothing was made" in again.err
    assert repo.git("tag") == name
    assert guard(repo.path, "release", "revoke", name, "--reason", "x").code == 0
    refused = guard(repo.path, "release")
    assert (refused.code, "was taken back as a stable release" in refused.err) == (1, True)
    second = guard(repo.path, "release", "--message", "Good since Monday", "--tag", f"stable/{today()}.2")
    assert second.out.startswith(f"stable/{today()}.2 is a stable release of main")
    assert f"git push origin refs/tags/stable/{today()}.2" in second.out
    assert repo.git("tag", "-l", "--format=%(contents)", f"stable/{today()}.2").startswith(
        "Good since Monday\n\nReleased-By: Jane "
    )


def test_a_name_and_a_revision(guard: Guard, repo: RepositoryBuilder) -> None:
    said = guard(repo.path, "release", "main~1", "--tag", "stable/2026.1.2.3")
    assert said.code == 0, said.err
    assert repo.head("stable/2026.1.2.3") == repo.head("main~1")
    odd = guard(repo.path, "release", "tag", "main", "--tag", "v1", "--format", "json")
    assert odd.json["tag"] == "v1"
    assert "only `guard revert --to v1` will find it" in odd.err
    assert "note:" in guard(repo.path, "release", "--tag", "v2").out


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["nothing"], 2, "no commit 'nothing'"),
        (["release/1"], 1, "came into main by a merge"),
        (["other"], 1, "is not on main"),
        (["--tag", "taken"], 1, "exists already"),
        (["--tag", "taken/x"], 1, "could not make the tag"),
        (["--tag=-x"], 2, "no name for a tag"),
        (["--tag", "a..b"], 2, "no name for a tag"),
        (["--tag", ""], 2, "no name for a tag"),
        (["--tag", "a\nb"], 2, "no name for a tag"),
        (["--tag", "main"], 1, "RG108 confusable-ref: the tag main bears the name of the production branch main"),
        (["--tag", "Main"], 1, "RG108 confusable-ref: the tag Main is taken for the production branch main"),
        (["--tag", "other"], 1, "bears the name of the branch refs/heads/other"),
        (["--tag", "elsewhere"], 1, "bears the name of the branch refs/remotes/origin/elsewhere"),
        (["--tag", "release/9"], 1, "a name that the policy keeps for branches: release/*"),
        (["--tag", "HEAD"], 1, "HEAD is a name of git's own"),
        (["--tag", "revoked/stable/2026.1.2.3"], 1, "guard release revoke TAG"),
        (["--tag", "Revoked"], 1, "guard release revoke TAG"),
        (["--message", " "], 2, "--message is empty"),
        (["--branch", "nothing"], 2, "no branch nothing"),
        (["--key", "/nonexistent/key"], 1, "could not make the tag"),
        (["revoke", "nothing", "--reason", "x"], 2, "there is no tag"),
        (["revoke", "taken"], 2, "--reason"),
        (["revoke", "light", "--reason", "x"], 1, "lightweight"),
        (["revoke", "taken", "--reason", "\x1b"], 2, "control characters"),
    ],
)
def test_refusals(guard: Guard, repo: RepositoryBuilder, args: list[str], code: int, says: str) -> None:
    repo.branch("other")
    repo.commit("Other", other_dot_py="x")
    repo.checkout("main")
    repo.stable_tag("taken", "main~1")
    repo.git("tag", "light")
    repo.git("update-ref", "refs/remotes/origin/elsewhere", "HEAD")
    before = repo.git("for-each-ref")
    said = guard(repo.path, "release", *args)
    assert (said.code, says in said.err) == (code, True), said.err
    assert repo.git("for-each-ref") == before


@pytest.mark.parametrize(("decision", "code"), [("deny", 1), ("undetermined", 4)])
def test_a_verdict_that_is_not_allow(
    guard: Guard, repo: RepositoryBuilder, verdicts: list[Decision], decision: Decision, code: int
) -> None:
    verdicts.append(decision)
    said = guard(repo.path, "release")
    assert (said.code, said.out) == (code, "")
    assert "was not tagged" in said.err
    assert repo.git("tag") == ""


def test_only_people_of_release_by(guard: Guard, repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    for person in ("omar", "eve"):
        be(monkeypatch, person)
        said = guard(repo.path, "release")
        assert said.code == 1
        assert "people of release.by: jane" in said.err
        assert guard(repo.path, "release", "revoke", "x", "--reason", "y").code == 1


def test_with_nobody_listed_everybody_in_people(
    guard: Guard, repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write_file("rollback-guard.toml", POLICY.partition("[release]")[0])
    repo.commit("Nobody listed")
    be(monkeypatch, "omar")
    assert guard(repo.path, "release").code == 0
    be(monkeypatch, "eve")
    assert "people of the policy" in guard(repo.path, "release").err


def test_git_must_know_who_tags(guard: Guard, repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_NAME", "")
    assert guard(repo.path, "release").code == 2


def test_without_a_policy_the_default_pattern(guard: Guard, path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin")
    assert guard(repo.path, "release").code == 0
    assert repo.git("tag", "-l", f"stable/{today()}.*") == f"stable/{today()}.1"


def test_names_count_up_from_the_highest() -> None:
    now = 1_795_392_000  # 2026-11-23 00:00 UTC
    taken = ("stable/2026.11.23.2", "stable/2026.11.23.10", "stable/2026.11.22.99", "stable/2026.11.23.x")
    assert next_name("stable/{date}.{number}", taken, now) == "stable/2026.11.23.11"
    assert next_name("stable/{date}.{number}", (), now - 1) == "stable/2026.11.22.1"
    assert next_name("v{number}", ("v8",), now) == "v9"
    assert next_name("day-{date}", ("day-2026.11.23",), now) == "day-2026.11.23"


def test_two_leads_at_once(repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    real, rivals = write_tag, [1, 2]

    def late(repository: object, name: str, *args: object, **options: object) -> str:
        if rivals:
            rivals.pop()
            repo.stable_tag(name, by="omar")
        return real(repository, name, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tagging, "write_tag", late)
    options = {"commit": repo.head(), "branch": "main", "message": None, "key": None, "now": 1_795_392_000}
    released = tag_release(opened(repo), None, name=None, **options)  # type: ignore[arg-type]
    assert released.tag == "stable/2026.11.23.3"
    rivals.append(1)
    with pytest.raises(RefusedError, match="somebody else"):
        tag_release(opened(repo), None, name="stable/2026.11.23.9", **options)  # type: ignore[arg-type]
    rivals.extend(range(200))
    monkeypatch.setattr(tagging, "ATTEMPTS", 2)
    with pytest.raises(RefusedError, match="kept taking"):
        tag_release(opened(repo), None, name=None, **options)  # type: ignore[arg-type]


def with_keys(folder: Path) -> str:
    """The policy with jane's key `good` and omar's key `omar`, made in a folder beside one of nobody, `bad`."""
    policy = POLICY
    for name, emails in (("good", '["jane@acme.example"]'), ("omar", '["omar@acme.example", '), ("bad", "")):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        public = (folder / f"{name}.pub").read_text().strip()
        policy = policy.replace(f"emails = {emails}", f'keys = ["{public}"]\nemails = {emails}') if emails else policy
    return policy


def test_a_key_that_is_named_must_be_listed(guard: Guard, repo: RepositoryBuilder, tmp_path: Path) -> None:
    """Also where no signature is asked for: who signs is whoever the policy lists the key for."""
    repo.write_file("rollback-guard.toml", with_keys(tmp_path))
    repo.commit("List keys")
    for name in ("bad", "omar"):  # omar may not tag
        said = guard(repo.path, "release", "--key", str(tmp_path / name))
        assert (said.code, said.out, repo.git("tag")) == (1, "", "")
        assert "lists for nobody who may release" in said.err
        assert "without --key" in said.err
    assert "not signed" in guard(repo.path, "release").out
    assert ", signed, " in guard(repo.path, "release", "--key", str(tmp_path / "good")).out
    repo.git("switch", "-q", "--orphan", "bare")
    repo.commit("No policy here")
    assert guard(repo.path, "release", "--branch", "bare", "--key", str(tmp_path / "bad")).code == 0


def test_signed_when_the_policy_asks(guard: Guard, repo: RepositoryBuilder, tmp_path: Path) -> None:
    repo.write_file("rollback-guard.toml", with_keys(tmp_path) + "signed = true\n")
    repo.commit("Ask for signatures")
    assert "there is no key" in guard(repo.path, "release").err
    bad = guard(repo.path, "release", "--key", str(tmp_path / "bad"))
    assert (bad.code, repo.git("tag")) == (1, "")
    assert "removed again" in bad.err
    assert "without --key" not in bad.err
    good = guard(repo.path, "release", "--key", str(tmp_path / "good"), "--format", "json")
    assert (good.code, good.json["signed"]) == (0, True)
    repo.git("config", "user.signingKey", str(tmp_path / "good"))
    assert "signed" in guard(repo.path, "release", "main~1").out
    listed = guard(repo.path, "release", "list", "--format", "json").json["releases"]
    assert [one["state"] for one in listed] == ["stable", "stable"]
    assert guard(repo.path, "release", "revoke", listed[0]["tag"], "--reason", "x").code == 0


def test_signed_with_openpgp_where_git_is_set_so_and_the_policy_lists_such_keys(
    guard: Guard, repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = f"openpgp = ['''\n{pgp_block('jane@acme.example')}''']\n"
    text = POLICY.replace("[people.jane]\n", "[people.jane]\n" + own) + "signed = true\n"
    repo.write_file("rollback-guard.toml", text)
    repo.commit("Ask for signatures")
    for name, value in pgp_env().items():
        monkeypatch.setenv(name, value)
    repo.git("config", "user.signingKey", "omar@acme.example")
    others = guard(repo.path, "release")
    assert (others.code, repo.git("tag")) == (1, "")
    assert "lists for nobody who may release" in others.err
    repo.git("config", "user.signingKey", "jane@acme.example")
    good = guard(repo.path, "release", "--format", "json")
    assert (good.code, good.json["signed"]) == (0, True)
    record = read_tag(opened(repo), good.json["tag"])
    assert record is not None
    assert (record.pgp_signed, record.ssh_signed) == (True, False)
    listed = guard(repo.path, "release", "list", "--format", "json").json["releases"]
    assert [one["state"] for one in listed] == ["stable"]
    with monkeypatch.context() as lean:
        lean.setenv("PATH", path_without_gpg(tmp_path / "bin"))
        said = guard(repo.path, "release", "list")
        assert (said.code, "unknown" in said.out) == (0, True)
        assert "which is the last stable release cannot be told: git could not have gpg check" in said.err
        assert guard(repo.path, "revert", "--plan").code == 4  # an older one would be another than the last
    tag = repo.git("cat-file", "tag", good.json["tag"]).replace("Stable", "Staple").encode() + b"\n"
    evil = repo.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=tag)
    repo.git("update-ref", f"refs/tags/{good.json['tag']}", evil)
    listed = guard(repo.path, "release", "list", "--format", "json").json["releases"]
    assert (listed[0]["state"], "does not verify" in listed[0]["reason"]) == ("broken", True)


def test_list_and_revoke(guard: Guard, repo: RepositoryBuilder) -> None:
    assert guard(repo.path, "release", "list").out == "No stable release on main\n→ guard release\n"
    repo.stable_tag("stable/2026.11.1.1", "main~1")
    repo.stable_tag("stable/2026.11.2.1")
    repo.git("tag", "stable/2026.11.3.1")
    said = guard(repo.path, "release", "revoke", "stable/2026.11.2.1", "--reason", "orders\nwere lost")
    assert said.code == 0, said.err
    assert said.out == (
        "stable/2026.11.2.1 is no longer a stable release\n→ git push origin refs/tags/revoked/stable/2026.11.2.1\n"
    )
    assert read_revoked(opened(repo)) == {"stable/2026.11.2.1": "orders were lost"}
    assert repo.git("rev-parse", "revoked/stable/2026.11.2.1^{tag}") != ""
    listed = guard(repo.path, "release", "list", "--format", "json").json
    assert listed["format"] == "rollback-guard/releases/1"
    assert [(one["tag"], one["state"], one["reason"]) for one in listed["releases"]] == [
        ("stable/2026.11.2.1", "revoked", "orders were lost"),
        ("stable/2026.11.1.1", "stable", None),
        ("stable/2026.11.3.1", "broken", "it is a lightweight tag: nobody says who made it, and when"),
    ]
    assert listed["releases"][1]["commit"] == repo.head("main~1")
    assert listed["releases"][2] == {
        "tag": "stable/2026.11.3.1",
        "commit": repo.head(),
        "tagger": None,
        "date": None,
        "state": "broken",
        "reason": listed["releases"][2]["reason"],
    }
    text = guard(repo.path, "release", "list").out
    assert text.startswith("Last stable release on main: stable/2026.11.1.1\n")
    assert "\n* stable/2026.11.1.1  stable" in text
    assert guard(repo.path, "release", "revoke", "stable/2026.11.2.1", "--reason", "x").code == 1
    assert guard(repo.path, "release", "revoke", "revoked/stable/2026.11.2.1", "--reason", "x").code == 1
    revoked = guard(repo.path, "release", "revoke", "stable/2026.11.1.1", "--reason", "x  y", "--format", "json")
    assert (revoked.code, revoked.json) == (
        0,
        {
            "format": "rollback-guard/revocation/1",
            "tag": "stable/2026.11.1.1",
            "revocation": "revoked/stable/2026.11.1.1",
            "reason": "x y",
            "record": None,
            "pushed": None,
        },
    )
    assert guard(repo.path, "release", "list").out.startswith("Last stable release on main: none, of 3")


def test_what_origin_has_serves_where_there_is_no_local_branch(
    guard: Guard, repo: RepositoryBuilder, tmp_path: Path
) -> None:
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))
    subprocess.run(["git", "checkout", "-q", "--detach"], cwd=tmp_path / "clone", check=True)
    subprocess.run(["git", "branch", "-qD", "main"], cwd=tmp_path / "clone", check=True)
    assert json.loads(guard(tmp_path / "clone", "release", "--format", "json").out)["commit"] == repo.head()


def test_a_policy_that_cannot_be_read(guard: Guard, repo: RepositoryBuilder) -> None:
    repo.write_file("rollback-guard.toml", "version = ")
    repo.commit("Break it")
    assert guard(repo.path, "release").code == 2


def test_several_production_branches(guard: Guard, repo: RepositoryBuilder) -> None:
    repo.write_file("rollback-guard.toml", POLICY.replace('branches = ["main"]', 'branches = ["main", "support/*"]'))
    repo.commit("Two lines")
    repo.branch("support/1")
    assert guard(repo.path, "release", "--format", "json").json["branch"] == "support/1"
    repo.branch("topic")
    assert guard(repo.path, "release", "--format", "json").json["branch"] == "main"


def test_help_has_examples(guard: Guard, repo: RepositoryBuilder) -> None:
    assert "guard release list" in guard(repo.path, "release", "--help").out
    assert "--key" in guard(repo.path, "release", "tag", "--help").out


def test_a_git_that_is_too_old_to_sign(guard: Guard, repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollback_guard.git.tags.SSH_TAG_GIT", (99,))
    assert guard(repo.path, "release", "--key", "x").code == 4
