"""Which tags are stable releases: by evidence, newest first, revoked and broken ones never."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rollback_guard.errors import RefusedError, UndeterminedError, UsageError
from rollback_guard.git import tags
from rollback_guard.git.repository import open_repository
from rollback_guard.git.tags import parse_tag, read_tag, verify_ssh_tag
from rollback_guard.policy.model import Person, Policy, Production, Release
from rollback_guard.policy.tags import name_pattern
from rollback_guard.release.model import Recorded
from rollback_guard.release.stable import (
    Revocations,
    find_last_stable,
    read_releases,
    read_revoked,
    stable_named,
)
from tests.release.stories import TAG, begun, git_as, opened
from tests.support.builder import RepositoryBuilder


def a_policy(
    *keys: str, signed: bool = False, tag: str = "stable/{date}.{number}", by: tuple[str, ...] = ("jane",)
) -> Policy:
    people = (
        Person(id="jane", name="Jane", emails=("jane@acme.example",), keys=keys),
        Person(id="omar", name="Omar", emails=("omar@acme.example",)),
    )
    return Policy(
        version=1,
        production=Production(branches=("main", "support/*")),
        people=people,
        release=Release(tag=tag, by=by, signed=signed),
    )


def make_key(folder: Path, name: str) -> tuple[str, str]:
    """(path of the private key, text of the public one)."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a comment", "-f", str(path)], check=True)
    return str(path), path.with_suffix(".pub").read_text().strip()


def states(repo: RepositoryBuilder, policy: Policy | None = None, tip: str = "main") -> dict[str, str]:
    return {one.tag: one.state for one in read_releases(opened(repo), policy, repo.head(tip))}


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("stable/{date}.{number}", "stable/2026.11.22.1", True),
        ("stable/{date}.{number}", "stable/2026.11.1", True),
        ("stable/{date}.{number}", "stable/2026", False),
        ("stable/{date}.{number}", "stable/2026.11.x", False),
        ("stable/{date}.{number}", "xstable/2026.11.1", False),
        ("stable/{date}.{number}", "stable/2026.11.1-rc", False),
        ("stable/{date}.{number}", "stable/٢٠٢٦.1", False),
        ("v{number}", "v12", True),
        ("v{number}", "v" + "9" * 5000, False),
        ("v+{number}", "v+1", True),
        ("{number}/{number}", "1/1", True),
        ("{number}/{number}", "1/2", False),
    ],
)
def test_names(pattern: str, name: str, matches: bool) -> None:
    assert (name_pattern(pattern).fullmatch(name) is not None) is matches


def test_the_newest_by_date_then_number_is_the_last(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.stable_tag("stable/2020.1.1.1")  # an old name, but tagged later
    repo.commit("More", x_dot_py="x")
    env = repo.as_person("jane")
    for number in (10, 9):
        repo.git("tag", "-a", "-m", "m", f"stable/2026.11.24.{number}", stdin=None, check=True, **env)
    found = find_last_stable(opened(repo), None, repo.head())
    assert (found.tag, found.number, found.state, found.commit) == ("stable/2026.11.24.10", 10, "stable", repo.head())
    order = [one.tag for one in read_releases(opened(repo), None, None)]
    assert order == ["stable/2026.11.24.10", "stable/2026.11.24.9", "stable/2020.1.1.1", TAG]


def test_what_is_no_stable_release_is_listed_with_the_reason_and_never_taken(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("tag", "stable/2026.11.23.1")
    git_as(repo, "tag", "-a", "-m", "tree", "stable/2026.11.23.2", "HEAD^{tree}")
    git_as(repo, "tag", "-a", "-m", "tag of a tag", "stable/2026.11.23.3", TAG)
    repo.git("update-ref", "refs/tags/stable/2026.11.23.4", f"refs/tags/{TAG}")
    raw = f"object {repo.head()}\ntype commit\ntag stable/2026.11.23.5\n\nno tagger\n".encode()
    repo.git(
        "update-ref",
        "refs/tags/stable/2026.11.23.5",
        repo.git("hash-object", "--literally", "-t", "tag", "-w", "--stdin", stdin=raw),
    )
    big = f"object {repo.head()}\ntype commit\ntag stable/2026.11.23.6\ntagger J <j@x> 1 +0000\n\n".encode()
    repo.git(
        "update-ref",
        "refs/tags/stable/2026.11.23.6",
        repo.git("hash-object", "--literally", "-t", "tag", "-w", "--stdin", stdin=big + b"x" * (1 << 20)),
    )
    lost = repo.git("hash-object", "--literally", "-t", "tag", "-w", "--stdin", stdin=big)
    (repo.path / ".git/refs/tags/stable/2026.11.23.7").write_text(lost + "\n")
    (repo.path / ".git/objects" / lost[:2] / lost[2:]).unlink()
    reasons = {one.tag[-2:]: one.reason for one in read_releases(opened(repo), None, None) if one.state == "broken"}
    assert reasons == {
        ".1": "it is a lightweight tag: nobody says who made it, and when",
        ".2": "it is the tag of a tree, not of a commit",
        ".3": "it is the tag of a tag, not of a commit",
        ".4": f"it was moved or copied: inside, it is called {TAG}",
        ".5": "it does not say who made it, and when",
        ".6": "its object is too large",
        ".7": "its object is missing",
    }
    assert states(repo)[TAG] == "stable"
    assert find_last_stable(opened(repo), None, repo.head()).tag == TAG
    for number in range(1, 8):
        with pytest.raises(RefusedError, match="no stable release"):
            stable_named(opened(repo), None, f"stable/2026.11.23.{number}")


def test_a_revoked_one_is_never_taken(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.commit("Next", x="x")
    repo.stable_tag("stable/2026.11.23.1")
    repo.git("tag", "-a", "-m", "orders\nwere lost", "revoked/stable/2026.11.23.1", "stable/2026.11.23.1")
    repo.git("tag", "revoked/stable/2026.11.23.2")
    assert read_revoked(opened(repo)) == {
        "stable/2026.11.23.1": "orders were lost",
        "stable/2026.11.23.2": "no reason was recorded",
    }
    assert states(repo) == {"stable/2026.11.23.1": "revoked", TAG: "stable"}
    assert find_last_stable(opened(repo), None, repo.head()).tag == TAG
    with pytest.raises(RefusedError, match="was revoked: orders were lost"):
        stable_named(opened(repo), None, "stable/2026.11.23.1")


def test_a_commit_that_was_taken_back_is_not_stable_under_another_number(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.commit("Broken", x="x")
    for number in (1, 2):
        repo.stable_tag(f"stable/2026.11.23.{number}")
    repo.git("tag", "-a", "-m", "bad", "revoked/stable/2026.11.23.2", "stable/2026.11.23.2", **repo.as_person("jane"))
    assert find_last_stable(opened(repo), None, repo.head()).tag == TAG
    listed = {one.tag: (one.state, one.reason) for one in read_releases(opened(repo), None, None)}
    assert listed["stable/2026.11.23.1"] == ("revoked", "stable/2026.11.23.2 was revoked: bad")
    assert Revocations(opened(repo), None).of_commit(repo.head()) == "stable/2026.11.23.2 was revoked: bad"
    assert Revocations(opened(repo), None).of_commit(repo.head("main~1")) == ""
    repo.stable_tag("stable/2026.11.23.3")  # somebody who saw that tagged it all the same
    assert find_last_stable(opened(repo), None, repo.head()).tag == "stable/2026.11.23.3"


def test_a_signed_record_revokes_without_the_tag(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    oid = repo.git("rev-parse", f"refs/tags/{TAG}")
    record = Recorded(tag=TAG, object=oid, commit=repo.head(TAG), signer="Jane", date=repo.clock)
    taken = record._replace(revoked="orders were lost", date=repo.clock + 60)
    assert find_last_stable(opened(repo), None, repo.head(), recorded=[record]).tag == TAG
    with pytest.raises(UsageError, match="no stable release"):
        find_last_stable(opened(repo), None, repo.head(), recorded=[record, taken])
    with pytest.raises(RefusedError, match="was revoked: orders were lost"):
        stable_named(opened(repo), None, TAG, [taken])


def test_a_revocation_by_who_may_not_is_in_doubt(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("tag", "-a", "-m", "never mind", f"revoked/{TAG}", TAG, **repo.as_person("omar"))
    policy = a_policy()
    (one,) = read_releases(opened(repo), policy, None)
    assert (one.state, "who is none of those that [release] by names" in one.reason) == ("unknown", True)
    with pytest.raises(UndeterminedError, match="is still a stable release cannot be told"):
        find_last_stable(opened(repo), policy, repo.head())
    with pytest.raises(UndeterminedError, match="is still a stable release cannot be told"):
        stable_named(opened(repo), policy, TAG)
    repo.git("tag", "-d", f"revoked/{TAG}")
    repo.git("tag", f"revoked/{TAG}", TAG)
    (lightweight,) = read_releases(opened(repo), policy, None)
    assert lightweight.state == "unknown"
    repo.git("tag", "-d", f"revoked/{TAG}")
    repo.git("tag", "-a", "-m", "mind", f"revoked/{TAG}", TAG, **repo.as_person("jane"))
    assert [one.state for one in read_releases(opened(repo), policy, None)] == ["revoked"]


def test_one_of_the_future_is_not_taken_without_a_word(path_of_repo: Path) -> None:
    """Else it would be the last one until then, whatever is released in between."""
    repo = begun(path_of_repo)
    repo.commit("Later", a_dot_txt="2\n")
    repo.git("tag", "-a", "-m", "x", "stable/2026.01.01.1", GIT_COMMITTER_DATE="2099-01-01T00:00:00Z")
    assert states(repo) == {"stable/2026.01.01.1": "unknown", TAG: "stable"}
    with pytest.raises(UndeterminedError, match="but it is dated in the future") as raised:
        find_last_stable(opened(repo), None, repo.head("main"))
    assert raised.value.remedy.startswith("guard revert --to stable/2026.01.01.1 ")
    assert stable_named(opened(repo), None, "stable/2026.01.01.1").commit == repo.head("main")
    repo.git("tag", "-a", "-m", "x", "revoked/stable/2026.01.01.1", "stable/2026.01.01.1")
    assert find_last_stable(opened(repo), None, repo.head("main")).tag == TAG


def test_none_at_all(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin")
    with pytest.raises(UsageError, match="no stable release"):
        find_last_stable(opened(repo), None, repo.head())


def test_a_tag_that_is_not_there(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    for name in ("nothing", "", "main", "stable", "-x", "refs/heads/main", "stable/*"):
        with pytest.raises(UsageError, match="there is no tag"):
            stable_named(opened(repo), None, name)
    assert stable_named(opened(repo), None, f"refs/tags/{TAG}").tag == TAG


def test_a_release_beside_the_branch_counts_unless_another_production_branch_has_it(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.branch("support/1")
    repo.commit("Support", s_dot_py="s")
    repo.stable_tag("stable/2026.11.23.1")
    repo.checkout("main")
    tip = repo.head()
    assert states(repo) == {"stable/2026.11.23.1": "off-branch", TAG: "stable"}
    assert find_last_stable(opened(repo), a_policy(), tip, branch="main").tag == TAG
    assert find_last_stable(opened(repo), None, tip, branch="main").state == "off-branch"
    repo.git("branch", "-m", "support/1", "topic")
    assert find_last_stable(opened(repo), a_policy(), tip, branch="main").tag == "stable/2026.11.23.1"


def test_another_pattern_of_the_policy(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.stable_tag("v7")
    assert states(repo, a_policy(tag="v{number}")) == {"v7": "stable"}


def test_signatures(path_of_repo: Path, tmp_path: Path) -> None:
    repo = begun(path_of_repo)
    good, public = make_key(tmp_path, "good")
    bad, other = make_key(tmp_path, "bad")
    for number, key in ((1, good), (2, bad)):
        sign = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}", "tag", "-s", "-m", "m")
        git_as(repo, *sign, f"stable/2026.11.23.{number}")
    raw = repo.git("cat-file", "tag", "stable/2026.11.23.1").replace("\n\nm\n", "\n\nforged\n").replace("23.1", "23.3")
    forged = repo.git("hash-object", "--literally", "-t", "tag", "-w", "--stdin", stdin=raw.encode() + b"\n")
    repo.git("update-ref", "refs/tags/stable/2026.11.23.3", forged)
    wanted = {
        "stable/2026.11.23.1": "stable",
        "stable/2026.11.23.2": "broken",
        "stable/2026.11.23.3": "broken",
        TAG: "broken",
    }
    assert states(repo, a_policy(public, "not a key", "", signed=True)) == wanted
    assert find_last_stable(opened(repo), a_policy(public, signed=True), repo.head()).tag == "stable/2026.11.23.1"
    assert set(states(repo, a_policy(signed=True)).values()) == {"broken"}
    assert set(states(repo, a_policy(public, other)).values()) == {"stable"}
    # Only keys of release.by count; with nobody listed, keys of everybody in people.
    assert set(states(repo, a_policy(public, signed=True, by=("omar",))).values()) == {"broken"}
    assert states(repo, a_policy(public, signed=True, by=())) == wanted
    message = read_tag(opened(repo), "stable/2026.11.23.1")
    assert message is not None
    assert message.message == "m"


def test_a_key_counts_between_its_dates_only(
    path_of_repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What decides is when the tag was made, in UTC wherever the machine is."""
    repo = begun(path_of_repo)
    key, public = make_key(tmp_path, "key")
    sign = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}", "tag", "-s", "-m", "m")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-03-01T12:00:00Z")
    repo.git(*sign, "stable/2026.3.1.1")
    for zone in ("UTC0", "TST-14", "TST12"):
        monkeypatch.setenv("TZ", zone)
        for dates, state in (
            ('valid-after="202603011200",valid-before="20260301120001" ', "stable"),
            ('valid-before="20260301115959" ', "broken"),
            ('valid-after="20260301120001Z" ', "broken"),
        ):
            assert states(repo, a_policy(dates + public, signed=True))["stable/2026.3.1.1"] == state, (zone, dates)
    monkeypatch.setattr(tags, "DATED_KEY_GIT", (99,))
    dated = a_policy('valid-after="20260301" ' + public, signed=True)
    release = next(one for one in read_releases(opened(repo), dated, None) if one.tag == "stable/2026.3.1.1")
    assert release.state == "unknown"
    assert "too old to verify SSH signatures by keys with dates" in release.reason
    with pytest.raises(UndeterminedError, match="too old to verify SSH signatures by keys with dates"):
        find_last_stable(opened(repo), dated, repo.head())
    assert states(repo, a_policy(public, signed=True))["stable/2026.3.1.1"] == "stable"


def test_a_git_that_cannot_verify(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = begun(path_of_repo)
    monkeypatch.setattr(tags, "SSH_TAG_GIT", (99,))
    with pytest.raises(UndeterminedError, match="too old to verify"):
        verify_ssh_tag(opened(repo), repo.head(), ())


def test_a_pgp_signature_is_cut_off_the_message() -> None:
    text = (
        f"object {'1' * 40}\ntype commit\ntag t\ntagger J <j@x> {'9' * 30} +0000\n\nm\n-----BEGIN PGP SIGNATURE-----\n"
    )
    record = parse_tag("t", "2" * 40, text)
    assert (record.message, record.pgp_signed, record.date, record.tagger) == ("m", True, 0, "J <j@x>")
    both = parse_tag("t", "2" * 40, text + "-----BEGIN SSH SIGNATURE-----\n")
    assert (record.signed, both.signed) == (True, False)


def test_a_git_that_cannot_say_what_is_merged_is_asked_one_by_one(path_of_repo: Path, tmp_path: Path) -> None:
    repo = begun(path_of_repo)
    repo.stable_tag("stable/2026.11.21.1", "main~1")
    program = tmp_path / "git"
    program.write_text('#!/bin/sh\ncase "$*" in *--merged=*) exit 128;; *) exec git "$@";; esac\n')
    program.chmod(0o755)
    found = open_repository(str(repo.path), os.environ, program=str(program))
    listed = {one.tag: one.state for one in read_releases(found, None, repo.head("main~1"))}
    assert listed == {TAG: "off-branch", "stable/2026.11.21.1": "stable"}
