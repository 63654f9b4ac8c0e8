"""`guard release --push` and `release revoke --push`, killed in between: the command again ends it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_release_record import jane, landed, states
from tests.support.builder import RepositoryBuilder
from tests.support.commands import Said, guard
from tests.support.killing import Step, kill
from tests.support.servers import Server
from tests.support.signing import key_of

__all__ = ["jane"]
KEY = ("--key", key_of("jane"), "--push")
MADE = (Step("release.tagging", "write_tag", "before"), Step("release.tagging", "write_tag"))
STORED = (Step("evidence.store_moves", "update_refs", "before"), Step("evidence.store_moves", "update_refs"))
TAGGING = (
    *MADE,
    Step("release.tagging", "_require_listed_key"),
    Step("entry.releasing", "push_watched", "before"),
    Step("entry.releasing", "push_watched"),
    Step("entry.releasing", "record_release", "before"),
    *STORED,
    Step("entry.releasing", "record_release"),
)
REVOKING = (
    *MADE,
    Step("entry.releasing_revoke", "record_revocation", "before"),
    *STORED,
    Step("entry.releasing_revoke", "record_revocation"),
    Step("entry.releasing_revoke", "push_watched", "before"),
)


@pytest.fixture
def served(path_of_repo: Path, tmp_path: Path) -> tuple[RepositoryBuilder, Server]:
    repo = landed(path_of_repo)
    server = Server(tmp_path / "server.git")
    server.takes(repo, "main")
    repo.git("remote", "add", "origin", server.url)
    return repo, server


def done(said: Said) -> Said:
    assert said.code == 0, said.err
    return said


@pytest.mark.parametrize("named", [(), ("--tag", "stable/2026.1.1.1"), ("--tag", "live")], ids=["next", "fit", "odd"])
@pytest.mark.parametrize("step", TAGGING, ids=str)
def test_tagging(step: Step, named: tuple[str, ...], served: tuple[RepositoryBuilder, Server]) -> None:
    repo, server = served
    command = ("release", *named, *KEY)
    kill(repo.path, step, *command)
    again = done(guard(repo.path, *command, "--format", "json"))
    (tag,) = repo.git("tag").split("\n")
    oid = repo.git("rev-parse", f"refs/tags/{tag}")
    assert (again.json["tag"], again.json["object"], again.json["pushed"]) == (tag, oid, "origin")
    assert server.tip(f"refs/tags/{tag}") == oid
    assert server.builder.git("tag") == tag
    listed = json.loads(guard(repo.path, "evidence", "list", "--all", "--format", "json").out)["evidence"]
    (record,) = [one["id"] for one in listed if one["kind"] == "release"]
    said = guard(repo.path, "evidence", "show", record).out
    assert f"release {tag}" in said
    assert all(one["id"] in said for one in listed if one["kind"] == "sign-off")
    assert tag == "live" or states(repo)[tag][0] == "stable"
    third = done(guard(repo.path, *command))
    assert "nothing was made" in third.out
    assert "signed for" not in third.out


@pytest.mark.parametrize("step", REVOKING, ids=str)
def test_revoking(step: Step, served: tuple[RepositoryBuilder, Server]) -> None:
    repo, server = served
    tag = done(guard(repo.path, "release", *KEY, "--format", "json")).json["tag"]
    command = ("release", "revoke", tag, *KEY, "--reason", "orders were lost")
    kill(repo.path, step, *command)
    again = done(guard(repo.path, *command[:-1], "as I said", "--format", "json"))
    revocation = f"revoked/{tag}"
    made = step != MADE[0]
    assert again.json["reason"] == ("orders were lost" if made else "as I said")
    assert ("note: it was revoked already: orders were lost" in again.err) is made
    oid = repo.git("rev-parse", f"refs/tags/{revocation}")
    assert server.tip(f"refs/tags/{revocation}") == oid
    assert states(repo)[tag] == ("revoked", again.json["reason"])
    listed = json.loads(guard(repo.path, "evidence", "list", "--all", "--format", "json").out)["evidence"]
    said = [guard(repo.path, "evidence", "show", one["id"]).out for one in listed if one["kind"] == "release"]
    assert len([one for one in said if f"revoke {tag}" in one]) == 1
    third = guard(repo.path, *command)
    assert (third.code, third.out) == (1, "")
    assert f"{tag} was revoked already: nothing was made" in third.err


def test_killed_after_the_push_a_revocation_is_whole(served: tuple[RepositoryBuilder, Server]) -> None:
    repo, server = served
    tag = done(guard(repo.path, "release", *KEY, "--format", "json")).json["tag"]
    command = ("release", "revoke", tag, *KEY, "--reason", "orders were lost")
    kill(repo.path, Step("entry.releasing_revoke", "push_watched"), *command)
    assert server.tip(f"refs/tags/revoked/{tag}") == repo.git("rev-parse", f"refs/tags/revoked/{tag}")
    assert f"{tag} was revoked already" in guard(repo.path, *command).err
    # A store that was lost is made up for.
    repo.git("update-ref", "-d", "refs/rollback-guard/evidence")
    again = done(guard(repo.path, *command))
    assert "signed for, as evidence" in again.out
    assert "pushed to origin" in again.out


def test_a_revocation_by_a_tag_of_another_kind_is_not_completed(served: tuple[RepositoryBuilder, Server]) -> None:
    repo, server = served
    tag = done(guard(repo.path, "release", *KEY, "--format", "json")).json["tag"]
    command = ("release", "revoke", tag, *KEY, "--reason", "orders were lost")
    for how in (["-a", "-m", "x"], []):
        repo.git("tag", "-f", *how, f"revoked/{tag}", "main")
        said = guard(repo.path, *command)
        assert (said.code, f"{tag} was revoked already" in said.err) == (1, True)
    assert server.tip(f"refs/tags/revoked/{tag}") == ""


def test_a_name_that_was_revoked_is_not_taken_again(served: tuple[RepositoryBuilder, Server]) -> None:
    repo, _ = served
    named = ("--tag", "stable/2026.1.1.1")
    done(guard(repo.path, "release", *named, *KEY))
    done(guard(repo.path, "release", "revoke", named[1], *KEY, "--reason", "orders were lost"))
    said = guard(repo.path, "release", *named, *KEY)
    assert (said.code, "exists already" in said.err) == (1, True)
