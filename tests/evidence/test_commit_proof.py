"""Signed commits: who proves to have made what a change brings, by SSH keys and by OpenPGP keys of the policy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.evidence import commit_proof
from rollback_guard.evidence.commit_proof import CommitProof
from rollback_guard.evidence.keys import pgp_keys_of
from rollback_guard.evidence.verifier import Verifier
from rollback_guard.facts.model import Change, Known, Landing, Unknown, Unproven
from rollback_guard.facts.range import Proposal, collect_range
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.git.commit_signatures import read_signed_commit
from rollback_guard.git.objects import Blob
from rollback_guard.git.repository import open_repository
from rollback_guard.policy.model import Person, Policy, Production
from rollback_guard.policy.read import read_policy
from tests.support.builder import PEOPLE, RepositoryBuilder
from tests.support.commands import guard
from tests.support.pgp import JANE_BLOCK, path_without_gpg, pgp_block, pgp_env, revoked_block, signs_with
from tests.support.signing import key_of, public_key

HEAD = """\
version = 1

[production]
branches = ["main"]
signed-commits = true

[[route]]
into = "main"
from = ["release/*"]
"""


def policy_text(**people: tuple[str, ...]) -> str:
    """A policy that asks for signed commits; each person with the lines or blocks of their keys."""
    text = HEAD
    for person, lines in people.items():
        name, email = PEOPLE[person]
        ssh = [line for line in lines if not line.startswith("-----")]
        pgp = [line for line in lines if line.startswith("-----")]
        text += f'\n[people.{person}]\nname = "{name}"\nemails = ["{email}"]\n'
        text += f"keys = [{', '.join(repr(line) for line in ssh)}]\n"
        text += "openpgp = [" + ", ".join(f"'''\n{block}'''" for block in pgp) + "]\n"
    return text


class Signed:
    """A repository whose policy asks for signed commits, and a release branch of commits signed as each test says."""

    def __init__(self, path: Path, text: str, *, object_format: str = "sha1") -> None:
        self.repo = RepositoryBuilder(path, object_format=object_format)
        self.repo.write_file("rollback-guard.toml", text)
        self.repo.commit("Begin")
        self.repo.branch("release/1")
        policy = read_policy(text.encode(), path="rollback-guard.toml")
        assert policy is not None
        self.policy: Policy = policy

    def commit(self, *config: str, by: str = "jane", date: int | None = None, **env: Any) -> str:
        """A commit signed by these settings, or not at all without any."""
        identity: dict[str, Any] = {**self.repo.as_person(by), **env}
        if date is not None:
            identity["GIT_COMMITTER_DATE"] = f"{date} +0000"
        sign = ("-S",) if config else ("--no-gpg-sign",)
        self.repo.write_file("app.py", f"{self.repo.clock}\n")
        self.repo.git("add", "-A")
        self.repo.git(*config, "commit", "-q", *sign, "-m", "Work", **identity)
        return self.repo.head()

    def change(self) -> Change:
        repository = open_repository(str(self.repo.path), os.environ)
        proposal = Proposal(
            stage="range",
            target="refs/heads/main",
            base=self.repo.head("main"),
            head=self.repo.head("release/1"),
            repository=Known("github.com/acme/shop"),
        )
        return collect_range(repository, read_surroundings(repository), self.policy, proposal).change

    def unproven(self, change: Change | None = None) -> Any:
        repository = open_repository(str(self.repo.path), os.environ)
        proof = CommitProof(repository, self.policy, Verifier(repository.git.env))
        return proof.unproven(change or self.change())

    def faults(self) -> dict[str, str]:
        found = self.unproven()
        assert isinstance(found, Known), found
        return {one.commit: one.fault for one in found.value}


def ssh(person: str) -> tuple[str, ...]:
    return ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key_of(person)}")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_commits_signed_with_ssh_keys(tmp_path: Path, object_format: str) -> None:
    shop = Signed(
        tmp_path / "r", policy_text(jane=(public_key("jane"),), omar=(public_key("omar"),)), object_format=object_format
    )
    good = shop.commit(*ssh("jane"))
    plain = shop.commit()
    others = shop.commit(*ssh("omar"))
    strangers = shop.commit(*ssh("eve"))
    assert shop.faults() == {
        plain: "it bears no signature",
        others: "it is signed with a key of omar",
        strangers: "it is signed with a key that nobody of the policy has",
    }
    assert good not in shop.faults()
    said = guard(shop.repo.path, "check", "--into", "main", "--format", "json", "--repository", "github.com/acme/shop")
    assert said.code == 1
    rule = next(one for one in said.json["changes"][0]["outcomes"] if one["rule"] == "RG107")
    assert (rule["outcome"], len(rule["findings"])) == ("violated", 3)
    assert "Jane Doe <jane@acme.example> is not proven to have committed it" in rule["findings"][0]["message"]


def test_a_change_of_signed_commits_is_allowed(tmp_path: Path) -> None:
    shop = Signed(tmp_path / "r", policy_text(jane=(public_key("jane"),)))
    shop.commit(*ssh("jane"))
    assert guard(shop.repo.path, "check", "--into", "main", "--repository", "github.com/acme/shop").code == 0


def test_a_commit_that_was_made_over_after_it_was_signed(tmp_path: Path) -> None:
    shop = Signed(tmp_path / "r", policy_text(jane=(public_key("jane"),)))
    oid = shop.commit(*ssh("jane"))
    text = shop.repo.git("cat-file", "commit", oid).replace("Work", "Evil").encode() + b"\n"
    evil = shop.repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text)
    broken = shop.repo.git("cat-file", "commit", oid).replace("gpgsig -----BEGIN", "gpgsig ----BEGIN").encode() + b"\n"
    odd = shop.repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=broken)
    cut = text.replace(b" U1NI", b" U1NJ").replace(b"Evil", b"Work")
    bent = shop.repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=cut)
    for one, said in ((evil, "does not verify"), (bent, "is no SSH signature"), (odd, "of a kind that is not read")):
        shop.repo.git("update-ref", "refs/heads/release/1", one)
        assert said in shop.faults()[one]


def test_keys_count_by_the_dates_that_the_policy_gives_them(tmp_path: Path) -> None:
    line = f'valid-before="20260101" {public_key("jane")}'
    shop = Signed(tmp_path / "r", policy_text(jane=(line,)))
    early = shop.commit(*ssh("jane"), date=1_760_000_000)
    late = shop.commit(*ssh("jane"))
    assert shop.faults() == {late: "the key expired on 2026-01-01T00:00:00Z"}
    assert early not in shop.faults()


def test_commits_signed_with_openpgp_keys(tmp_path: Path) -> None:
    blocks = {"jane": pgp_block("jane@acme.example"), "omar": pgp_block("omar@acme.example")}
    shop = Signed(tmp_path / "r", policy_text(**{who: (block,) for who, block in blocks.items()}))
    good = shop.commit(*signs_with("jane@acme.example"), **pgp_env())
    others = shop.commit(*signs_with("omar@acme.example"), **pgp_env())
    strangers = shop.commit(*signs_with("eve@elsewhere.example"), **pgp_env())
    faults = shop.faults()
    assert faults[others] == "it is signed with a key of omar"
    assert "nobody of the policy has" in faults[strangers]
    assert good not in faults
    text = shop.repo.git("cat-file", "commit", good).replace("Work", "Evil").encode() + b"\n"
    evil = shop.repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text)
    shop.repo.git("update-ref", "refs/heads/release/1", evil)
    assert shop.faults()[evil] == "the signature does not verify"


def test_openpgp_keys_that_expired_or_were_revoked(tmp_path: Path) -> None:
    quinn = (pgp_block("expired@acme.example"), revoked_block("revoked@acme.example"))
    shop = Signed(tmp_path / "r", policy_text(quinn=quinn))
    wrap = tmp_path / "gpg-of-then"
    wrap.write_text('#!/bin/sh\nexec gpg --faked-system-time 20200110T000000 "$@"\n')
    wrap.chmod(0o755)
    then = ("-c", f"gpg.program={wrap}", *signs_with("expired@acme.example"))
    good = shop.commit(*then, by="quinn", **pgp_env())
    wrap.write_text('#!/bin/sh\nexec gpg --faked-system-time 20200301T000000 --ignore-valid-from "$@"\n')
    revoked = shop.commit(*signs_with("revoked@acme.example"), by="quinn", **pgp_env())
    assert shop.faults() == {revoked: "the key was revoked"}
    assert good not in shop.faults()


def test_an_openpgp_signature_where_nobody_has_such_a_key(tmp_path: Path) -> None:
    shop = Signed(tmp_path / "r", policy_text(jane=(public_key("jane"),)))
    oid = shop.commit(*signs_with("jane@acme.example"), **pgp_env())
    assert shop.faults() == {oid: "it is signed with a key that nobody of the policy has"}


def test_without_gpg_it_is_undetermined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Signed(tmp_path / "r", policy_text(jane=(pgp_block("jane@acme.example"),)))
    shop.commit(*signs_with("jane@acme.example"), **pgp_env())
    change = shop.change()
    monkeypatch.setenv("PATH", path_without_gpg(tmp_path / "bin"))
    found = shop.unproven(change)
    assert isinstance(found, Unknown)
    assert "gpg" in found.reason
    assert "apt-get install gpg" in found.remedy


def test_an_address_that_mailmap_knows_is_the_persons(tmp_path: Path) -> None:
    text = policy_text(jane=(public_key("jane"),))
    shop = Signed(tmp_path / "r", text)
    shop.repo.checkout("main")
    shop.repo.commit("Jane had another address", _dot_mailmap="Jane Doe <jane@acme.example> <jd@old.example>\n")
    shop.repo.git("checkout", "-q", "-B", "release/1")
    good = shop.commit(*ssh("jane"), GIT_COMMITTER_EMAIL="jd@old.example", GIT_AUTHOR_EMAIL="jd@old.example")
    bad = shop.commit(*ssh("jane"), GIT_COMMITTER_EMAIL="other@old.example")
    assert shop.faults() == {bad: "it is signed with a key of jane"}
    assert good not in shop.faults()


def test_the_merge_that_lands_is_asked_too_and_many_are_asked_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_proof, "BATCH", 2)
    monkeypatch.setattr(commit_proof, "TOLD", 3)
    shop = Signed(tmp_path / "r", policy_text(jane=(public_key("jane"),)))
    for _ in range(7):
        shop.commit()
    change = shop.change()
    shop.repo.checkout("main")
    merge = shop.repo.merge("release/1")
    landed = change._replace(landings=Known((Landing(merge, "s", (change.head or "",), Known(())),)))
    found = shop.unproven(landed)
    assert found.value[0].commit == merge
    assert len(found.value) == 3


def test_what_is_not_known_stays_so(tmp_path: Path) -> None:
    shop = Signed(tmp_path / "r", policy_text(jane=(public_key("jane"),)))
    shop.commit(*ssh("jane"))
    change = shop.change()
    missing = Unknown("the base is not here")
    assert shop.unproven(change._replace(base=missing)) == missing
    assert shop.unproven(change._replace(survey=missing)) == Known(())
    first = change._replace(base=Known(None), head=shop.repo.head("main"))
    assert [one.fault for one in shop.unproven(first).value] == ["it bears no signature"]
    assert isinstance(shop.unproven(change._replace(head="1" * 40)), Unknown)


def test_keys_of_a_policy_that_nobody_read_are_nobodys() -> None:
    person = Person(id="jane", name="Jane", emails=("j@x",), openpgp=("no key", JANE_BLOCK))
    policy = Policy(version=1, production=Production(branches=("main",)), people=(person,))
    assert [who for who, _ in pgp_keys_of(policy).values()] == ["jane"]


def test_a_commit_that_is_hardly_one() -> None:
    said = read_signed_commit(Blob(oid="1" * 40, type="commit", data=b"tree x\n\nmessage"))
    assert (said.name, said.email, said.time, said.signature) == ("", "", 0, b"")
    both = b"tree x\ncommitter J <j@x> 12 +0000\ngpgsig-sha256 AA\n BB\nmergetag object\n x\ngpgsig CC\n DD\n\nm"
    said = read_signed_commit(Blob(oid="1" * 40, type="commit", data=both))
    assert (said.signature, said.time, said.name) == (b"CC\nDD\n", 12, "J")
    assert said.payload == b"tree x\ncommitter J <j@x> 12 +0000\nmergetag object\n x\n\nm"
    assert read_signed_commit(Blob(oid="1" * 64, type="commit", data=both)).signature == b"AA\nBB\n"
    assert Unproven(commit="1", name="", email="", fault="x").fault == "x"
