"""A fast-forward of several commits: the gate judged it as one change, and so do audit, explain and release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry import fast_forward
from rollback_guard.evidence import store
from rollback_guard.facts import fast_forward as facts
from rollback_guard.facts.fast_forward import plain_chain, stood_before
from tests.support.builder import RepositoryBuilder, shop
from tests.support.commands import guard
from tests.support.servers import Server
from tests.support.signing import SHOP, Desk, key_of, make_keys, sign, signed, signed_for_shop, signed_shop


def audited(repo: RepositoryBuilder, *args: str) -> dict[str, tuple[str, list[str]]]:
    """The decision and the violated rules of each commit on main."""
    said = guard(repo.path, "audit", "main", "--format", "json", *args)
    return {
        one["commit"]: (one["decision"], [o["rule"] for o in one["outcomes"] if o["outcome"] == "violated"])
        for one in json.loads(said.out)["commits"]
    }


@pytest.fixture
def landed(path_of_repo: Path) -> RepositoryBuilder:
    """release/1.4, two commits, signed as a whole and fast-forwarded."""
    repo = signed_for_shop(path_of_repo)
    repo.checkout("main")
    repo.git("merge", "-q", "--ff-only", "release/1.4")
    return repo


def test_what_was_signed_as_a_whole_is_audited_as_a_whole(landed: RepositoryBuilder) -> None:
    """A fast-forward leaves no trace of its branch, but who signed named it."""
    landed.git("branch", "-D", "release/1.4")
    found = audited(landed)
    for rev in ("main", "main~1"):
        assert found[landed.head(rev)] == ("allow", [])
    assert found[landed.head("main~2")][0] == "deny"
    for rev in ("main", "main~1"):
        said = guard(landed.path, "explain", rev, "--format", "json")
        (change,) = said.json["changes"]
        assert (said.code, change["base"], change["source"]) == (
            0,
            landed.head("main~2"),
            "refs/heads/release/1.4",
        )


def test_a_signature_that_does_not_verify_groups_nothing(tmp_path: Path) -> None:
    """Else anybody could have what landed step by step judged as one, by a base of their choice."""
    desk = Desk(tmp_path / "repo", make_keys())
    desk.repo.git("config", "rollback-guard.repository", SHOP)
    desk.repo.commit("Raise it again", by="jane", app_dot_py="price = 3\n")
    desk.signs("omar", "review", key="eve")
    desk.repo.checkout("main")
    desk.repo.git("merge", "-q", "--ff-only", "release/1.4")
    for rev in ("main", "main~1"):
        (change,) = guard(desk.repo.path, "explain", rev, "--format", "json").json["changes"]
        assert change["base"] == desk.repo.head(f"{rev}~1")


def test_where_the_branch_stood_between_they_did_not_land_together(tmp_path: Path) -> None:
    """First one commit that nobody signed, then another; later the two are signed as if they were one change."""
    desk = Desk(tmp_path / "repo", make_keys())
    repo = desk.repo
    repo.git("config", "rollback-guard.repository", SHOP)
    before = repo.head("main")
    repo.commit("Raise it again", by="jane", app_dot_py="price = 3\n")
    whole = desk.change()
    repo.git("branch", "-f", "main", "release/1.4~1")
    desk.signs("uma", "uat")  # of the second one alone: so production stood between
    repo.git("branch", "-f", "main", "release/1.4")
    for person, role in (("omar", "review"), ("quinn", "qa"), ("uma", "uat")):
        desk.signs(person, role, change=whole)
    (change,) = guard(repo.path, "explain", "main~1", "--format", "json").json["changes"]
    assert (change["decision"], change["base"]) == ("deny", before)


def test_what_a_waiver_let_pass_as_a_whole_is_audited_as_a_whole(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    for person in ("omar", "quinn"):
        for rule in ("RG201", "RG101", "RG102"):
            args = ("--into", "main", "--reason", "down", "--key", key_of(person), "--yes")
            assert guard(repo.path, "waive", rule, *args).code == 0
    repo.checkout("main")
    repo.git("merge", "-q", "--ff-only", "release/1.4")
    for rev in ("main", "main~1"):
        (change,) = guard(repo.path, "explain", rev, "--format", "json").json["changes"]
        answers = {o["rule"]: o["outcome"] for o in change["outcomes"]}
        assert (change["base"], answers["RG201"]) == (repo.head("main~2"), "waived")


def test_what_nobody_signed_as_a_whole_is_not(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    assert sign(repo, "omar", "review").code == 0  # and nobody tested it
    repo.checkout("main")
    repo.git("merge", "-q", "--ff-only", "release/1.4")
    found = audited(repo)
    assert found[repo.head()][0] == "deny"
    assert "RG201" in found[repo.head("main~1")][1]


def test_signed_on_another_base_they_did_not_land_together(path_of_repo: Path) -> None:
    """Signed from the middle on: what lies below was nobody's business."""
    repo = signed_shop(path_of_repo)
    repo.git("branch", "-f", "main", "release/1.4~1")
    signed(repo)
    repo.checkout("main")
    repo.git("merge", "-q", "--ff-only", "release/1.4")
    found = audited(repo)
    assert found[repo.head()][1] == []
    assert "RG201" in found[repo.head("main~1")][1]
    assert guard(repo.path, "explain", "main~1").code == 1


def test_bases_that_make_no_sense_are_passed_over(landed: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    def bases(self: Any, commit: str) -> dict[str, set[str]]:
        odd = ("1" * 40, "no oid", landed.head("main"), landed.head("release/1.4~2"))
        return {base: {"omar"} for base in odd}

    monkeypatch.setattr(fast_forward.FastForwards, "_said_of", bases)
    assert audited(landed)[landed.head()] == ("allow", [])


def test_a_merge_between_is_no_fast_forward_of_plain_commits(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    base = repo.commit("Begin")
    first = repo.commit("One")
    repo.branch("side", base)
    repo.commit("Side", side="1")
    repo.checkout("main")
    merge = repo.merge("side")
    last = repo.commit("Two")
    repository = facts_repository(repo)
    assert plain_chain(repository, base, last) == ()
    assert plain_chain(repository, merge, last) == ()  # one commit is no several
    assert stood_before(repository, frozenset((base, last)), last) is None
    assert stood_before(repository, frozenset((base,)), last) is None
    assert stood_before(repository, frozenset((base, first)), first) == base
    assert stood_before(repository, frozenset((first,)), first) is None


def facts_repository(repo: RepositoryBuilder) -> Any:
    import os

    from rollback_guard.git.repository import open_repository

    return open_repository(str(repo.path), os.environ)


def test_a_chain_of_very_many_is_not_judged_together(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = RepositoryBuilder(path_of_repo)
    base = repo.commit("Begin")
    for number in range(4):
        last = repo.commit(f"n {number}")
    assert len(plain_chain(facts_repository(repo), base, last)) == 4
    monkeypatch.setattr(facts, "MOST", 3)
    assert plain_chain(facts_repository(repo), base, last) == ()


def test_a_server_knows_by_its_log_what_was_pushed_together(tmp_path: Path) -> None:
    """Trailers on the head of a branch of two commits: no evidence says from where it came, the server's log does."""
    repo = shop(tmp_path / "repo")
    server = Server(tmp_path / "server.git")
    server.builder.git("config", "core.logAllRefUpdates", "true")
    server.builder.git("config", "rollback-guard.repository", SHOP)
    server.takes(repo, "main", "release/1.4")
    server.takes(repo, "release/1.4:main")
    found = audited(server.builder)
    assert found[repo.head("release/1.4")][1] == []
    assert found[repo.head("release/1.4~1")] == ("undetermined", [])


def test_a_store_that_cannot_be_read_groups_nothing(landed: RepositoryBuilder) -> None:
    blob = landed.git("hash-object", "-w", "--stdin", stdin=b"x")
    landed.git("update-ref", "refs/rollback-guard/evidence", blob)
    assert audited(landed)[landed.head()][0] == "undetermined"


def test_a_broken_policy_at_the_base_judges_nothing(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    good = repo.git("show", "main:rollback-guard.toml")
    repo.checkout("main")
    repo.git("merge", "-q", "--ff-only", "release/1.4")
    broken = repo.commit("Break the policy", **{"rollback-guard_dot_toml": "broken"})
    repo.commit("And a commit", by="omar", x="1")
    head = repo.commit("And another", by="omar", x="2")
    repo.write_file("rollback-guard.toml", good + "\n")

    def bases(self: Any, commit: str) -> dict[str, set[str]]:
        return {broken: {"omar"}} if commit == head else {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_forward.FastForwards, "_said_of", bases)
        assert audited(repo)[head] == ("deny", ["RG001"])


def test_of_several_bases_the_best_verdict_counts(landed: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """One base at which it was signed as a whole, and before it another, of which nobody signed anything."""
    whole = landed.head("main~2")
    landed.commit("More", by="jane", y="1")
    landed.commit("And more", by="jane", z="1")
    head = landed.head()
    for bases in ([whole, landed.head("main~3")], [landed.head("main~3"), whole]):

        def said(self: Any, commit: str, bases: list[str] = bases) -> dict[str, set[str]]:
            return {base: {"omar"} for base in bases if commit == head}

        monkeypatch.setattr(fast_forward.FastForwards, "_said_of", said)
        assert audited(landed)[head][0] == "deny"


def test_what_was_signed_for_another_branch_says_nothing_of_this_one(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.git("branch", "stable", "main")
    signed(repo, into="stable")
    repo.checkout("main")
    repo.git("merge", "-q", "--ff-only", "release/1.4")
    assert audited(repo)[repo.head()][0] == "deny"
    assert guard(repo.path, "explain", "main~1").code == 1


def test_a_log_that_goes_back_too_far_says_nothing(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = RepositoryBuilder(path_of_repo)
    base = repo.commit("Begin")
    for number in range(3):
        last = repo.commit(f"n {number}")
    repository = facts_repository(repo)
    assert stood_before(repository, frozenset((base, last)), last) == base
    monkeypatch.setattr(facts, "MOST", 1)
    assert stood_before(repository, frozenset((base, last)), last) is None


def test_a_folder_that_is_full_stops_no_audit(landed: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST", 2)
    found = audited(landed)
    assert found[landed.head()][0] == "undetermined"
    assert len(found) == 3
