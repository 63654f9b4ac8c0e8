"""Backups from end to end in a clone: real keys, a real store, `guard check`, the hooks, the audit and the evidence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry import judge_evidence
from rollback_guard.evidence.statement import BackupProof
from rollback_guard.git.repository import open_repository
from rollback_guard.policy.model import Policy
from tests.support.backups import BYTES, FILE, UPLOADS, Vault
from tests.support.commands import call_hook, check, guard
from tests.support.signing import SHOP, key_of, policy, signed, signed_shop

SIZE = f"{len(BYTES)} bytes"


@pytest.fixture
def vault(path_of_repo: Path) -> Vault:
    """A shop whose release is signed, and whose store lies in its work tree, as the policy's default says."""
    repo = signed_shop(path_of_repo, text=policy() + UPLOADS.format(store="backups"))
    repo.write_file(".gitignore", "backups/\n")
    repo.commit("Leave backups out", by="jane")
    signed(repo)
    return Vault(repo, path_of_repo / "backups")


def outcome(said: Any, rule: str) -> dict[str, Any]:
    (change,) = said.json["changes"]
    found: dict[str, Any] = next(one for one in change["outcomes"] if one["rule"] == rule)
    return found


def test_a_change_lands_with_a_fresh_and_proven_backup_only(vault: Vault) -> None:
    repo = vault.repo
    said = check(repo.path, "--into", "main")
    assert (said.code, said.violated) == (1, ["RG301"])
    assert outcome(said, "RG301")["findings"][0]["remedy"].startswith("guard backup create uploads   # ")
    assert outcome(said, "RG001")["outcome"] == "satisfied"
    assert "backups" not in json.dumps(outcome(said, "RG001"))
    vault.attests(proof=BackupProof(level="stored"))
    assert check(repo.path, "--into", "main").violated == ["RG303"]
    vault.attests(backup="b2")
    said = check(repo.path, "--into", "main")
    assert said.code == 0, said.out
    assert all(said.answers[f"RG30{number}"] == "satisfied" for number in range(1, 7))
    inside = repo.path / "deep"
    inside.mkdir()
    assert check(inside, "--into", "main").code == 0
    vault.path.write_bytes(b"something else")
    said = check(repo.path, "--into", "main")
    assert (said.code, said.violated) == (1, ["RG304"])
    vault.folder.rename(repo.path / "away")
    said = check(repo.path, "--into", "main")
    assert (said.code, said.answers["RG304"]) == (4, "undetermined")


def test_of_several_artefacts_the_next_one_serves(vault: Vault) -> None:
    """The newest is gone; the one before it is still there, and fresh enough."""
    artefact = vault.statement().artefact
    vault.attests(backup="b2", seconds=10, artefact=artefact._replace(file="uploads/2.tar.zst"))
    assert check(vault.repo.path, "--into", "main").violated == ["RG304"]
    vault.attests(seconds=600)
    assert check(vault.repo.path, "--into", "main").code == 0


def test_hooks_ask_at_the_push_and_not_before(vault: Vault) -> None:
    repo = vault.repo
    repo.checkout("main")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "release/1.4", **repo.as_person("jane"))
    assert call_hook(repo.path, "pre-merge-commit").code == 0
    repo.git("commit", "-q", "-m", "Merge branch 'release/1.4'", **repo.as_person("jane"))
    base, head = repo.head("main^1"), repo.head("main")
    line = f"refs/heads/main {head} refs/heads/main {base}\n".encode()
    pushed = call_hook(repo.path, "pre-push", "origin", f"https://{SHOP}", stdin=line)
    assert pushed.code == 1
    assert "RG301 backup-missing" in pushed.err
    vault.attests("main^1")
    pushed = call_hook(repo.path, "pre-push", "origin", f"https://{SHOP}", stdin=line)
    assert pushed.code == 0, pushed.err


def test_the_audit_asks_how_old_it_was_then(vault: Vault) -> None:
    repo = vault.repo
    vault.attests()
    repo.checkout("main")
    at = 1_780_095_600  # a day after the commits, Unix seconds
    repo.clock = at - 60
    repo.merge("release/1.4", message="Merge branch 'release/1.4'")
    answers = audited(vault)
    assert (answers["RG302"], answers["RG304"]) == ("violated", "not-applicable")
    vault.attests("main^1", snapshot=at - 1800, begun=at - 1800, ended=at - 1700, time=at - 1600)
    answers = audited(vault)
    assert (answers["RG301"], answers["RG302"], answers["RG305"]) == ("satisfied",) * 3


def audited(vault: Vault) -> dict[str, str]:
    said = guard(vault.repo.path, "audit", "main", "--since", "main^1", "--format", "json")
    (landed,) = said.json["commits"]
    return {one["rule"]: one["outcome"] for one in landed["outcomes"]}


def test_an_attestation_is_listed_shown_and_verified(vault: Vault) -> None:
    previous = vault.attests()
    name = vault.attests(
        backup="b2",
        position="snapshot 7",
        proof=BackupProof(level="exercised", differences=0, checks=(("opens", "passed"),), seconds=3),
        previous=previous,
        since_previous=3600,
    )
    listed = guard(vault.repo.path, "evidence", "list", "--all").out
    assert "jane: backup uploads exercised" in listed
    shown = guard(vault.repo.path, "evidence", "show", name)
    assert shown.code == 0
    for part in (
        "backup uploads exercised, by jane: the signature verifies",
        "b2 of the set s1, whose snapshots are 0 s apart",
        "directory:/srv/shop/uploads",
        "directory from /srv/shop/uploads",
        "at snapshot 7",
        f"{FILE} in file:backups, {SIZE} (100; zstd)",
        vault.statement().artefact.digest,
        "3 items, 0 rows",
        "owners of files",
        "exercised, 0 differences",
        "opens passed",
        "restored in   3 s",
        f"{previous}, by 3600 s",
        "tar 1",
    ):
        assert part in shown.out, part
    plain = vault.attests(
        proof=BackupProof(level="stored"), artefact=vault.statement().artefact._replace(compression="")
    )
    assert "(100; as it is)" in guard(vault.repo.path, "evidence", "show", plain).out
    assert guard(vault.repo.path, "evidence", "show", plain, "--format", "json").json["kind"] == "backup"
    assert guard(vault.repo.path, "evidence", "verify").code == 0


def test_somebody_answers_for_a_backup_that_cannot_be_had(vault: Vault) -> None:
    for person in ("omar", "quinn"):
        reason = ("--reason", "the server is down")
        said = guard(vault.repo.path, "waive", "RG301", "--into", "main", "--key", key_of(person), "--yes", *reason)
        assert said.code == 0, said.err
    said = check(vault.repo.path, "--into", "main")
    assert (said.code, said.answers["RG301"]) == (0, "waived")
    refused = guard(vault.repo.path, "waive", "RG306", "--into", "main", "--key", key_of("omar"), "--yes", *reason)
    assert refused.code != 0


def test_the_rules_explain_themselves(vault: Vault) -> None:
    for rule, name in (("RG301", "backup-missing"), ("backup-stale", "RG302"), ("RG305", "identity")):
        said = guard(vault.repo.path, "explain", rule)
        assert said.code == 0
        assert name in said.out
    vault.attests(seconds=7200)
    said = guard(vault.repo.path, "explain", "release/1.4")
    assert "RG302" in said.out


def test_in_a_bare_repository_the_store_lies_beside_its_refs(vault: Vault, tmp_path: Path) -> None:
    repo = vault.repo
    vault.attests()
    repo.git("clone", "-q", "--mirror", str(repo.path), str(tmp_path / "bare.git"))
    repo.git("--git-dir", str(tmp_path / "bare.git"), "config", "rollback-guard.repository", SHOP)
    asked = ("--into", "main", "--head", "release/1.4")
    assert check(tmp_path / "bare.git", *asked).answers["RG304"] == "undetermined"
    (tmp_path / "bare.git" / "backups" / "uploads").mkdir(parents=True)
    assert check(tmp_path / "bare.git", *asked).answers["RG304"] == "violated"
    (tmp_path / "bare.git" / "backups" / FILE).write_bytes(BYTES)
    assert check(tmp_path / "bare.git", *asked).code == 0


def test_where_nothing_is_asked_nothing_is_looked_at(vault: Vault) -> None:
    from rollback_guard.entry.question import Question
    from rollback_guard.facts.surroundings import read_surroundings
    from tests.support.facts import SHALLOW, a_change, a_policy

    repository = open_repository(str(vault.repo.path), os.environ)
    question = Question(repository, read_surroundings(repository), 0)
    plain: Policy = a_policy(sign_off=())
    for change, asked in ((a_change(), None), (a_change(production=False), plain), (a_change(), plain)):
        assert judge_evidence.with_evidence(question, asked, change, None) == change
    for unasked in (a_change(backups=SHALLOW), a_change(stage="landed")):
        assert judge_evidence.with_artefacts(question, plain, unasked) == unasked
