"""From the store to the gate: which recorded attestations of backups are found, and what is told of each."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.errors import UndeterminedError
from rollback_guard.evidence import backups as backups_module
from rollback_guard.evidence.backups import MOST_EARLIER, MOST_SEEN
from rollback_guard.evidence.collect import EvidenceBook
from rollback_guard.evidence.statement import BackupOrigin, BackupProof, store_key
from rollback_guard.evidence.store import Entry, look_up, record
from rollback_guard.facts.backup_model import Attestation
from rollback_guard.facts.model import Change, Known, Message, Unknown
from rollback_guard.facts.range import Proposal, collect_range
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.git.repository import open_repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.read import read_policy
from tests.support.backups import FILE, UPLOADS, Vault
from tests.support.signing import SHOP, policy, signed_shop

DAY = 86400
DATABASE = """
[[backup]]
name = "shop-db"
engine = "postgresql"
source = "$SHOP_DATABASE_URL"
by = ["jane", "uma"]
max-age = "1h"
"""
HERE = BackupOrigin("postgresql", "$SHOP_DATABASE_URL", "postgresql://db:5432/shop", "7412", "15")
STAGE = HERE._replace(place="postgresql://stage:5432/shop", server="9999")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    store = tmp_path / "store"
    return Vault(signed_shop(tmp_path / "repo", text=policy() + UPLOADS.format(store=store) + DATABASE), store)


def policy_of(vault: Vault, *names: str) -> Policy:
    """The shop's policy, with the backups of these names."""
    text = vault.repo.git("show", "main:rollback-guard.toml") + "\n"
    found = read_policy(text.encode(), path="rollback-guard.toml")
    assert found is not None
    return found._replace(backup=tuple(one for one in found.backup if one.name in (names or ("uploads",))))


def change_of(vault: Vault) -> Change:
    repository = open_repository(str(vault.repo.path), os.environ)
    proposal = Proposal(
        stage="range",
        target="refs/heads/main",
        base=vault.repo.head("main"),
        head=vault.repo.head("release/1.4"),
        repository=Known(SHOP),
    )
    return collect_range(repository, read_surroundings(repository), policy_of(vault), proposal).change


def collected(vault: Vault, *names: str, **overrides: Any) -> tuple[Attestation, ...]:
    """What the gate is told of these backups."""
    repository = open_repository(str(vault.repo.path), os.environ)
    change = change_of(vault)._replace(**overrides)
    found = EvidenceBook(repository).about(policy_of(vault, *names), change, as_of=int(time.time())).backups
    assert isinstance(found, Known), found
    return found.value


def test_an_attestation_is_found_and_verified(vault: Vault) -> None:
    assert collected(vault) == ()
    name = vault.attests()
    statement = vault.statement()
    (one,) = collected(vault)
    assert one == Attestation(
        name="uploads",
        person="jane",
        claimed="jane",
        time=one.time,
        digest=name,
        commit=vault.repo.head("main"),
        snapshot=one.snapshot,
        engine="directory",
        source="/srv/shop/uploads",
        place="directory:/srv/shop/uploads",
        server="",
        level="compared",
        file=FILE,
        file_digest=statement.artefact.digest,
        file_size=statement.artefact.size,
    )
    assert abs(one.time - 60 - one.snapshot) < 5


def test_while_a_commit_is_made_nobody_looks(vault: Vault) -> None:
    vault.attests()
    for stage in ("commit", "merge", "message"):
        assert collected(vault, stage=stage) == ()


def test_what_does_not_count_is_told_with_the_reason(vault: Vault) -> None:
    vault.attests(signer="omar")
    vault.attests(key="omar", backup="b2")
    vault.attests(namespace="rollback-guard.release", backup="b3")
    found = {(one.person, one.fault) for one in collected(vault)}
    assert found == {
        ("omar", ""),
        (None, "it is signed with a key of omar"),
        (None, "the signature does not verify"),
    }


def test_of_many_the_newest_are_looked_at_and_those_of_who_may_first(vault: Vault) -> None:
    vault.attests(seconds=3000)
    for number in range(MOST_SEEN + 2):
        vault.attests(signer="omar", backup=f"x{number}", seconds=number)
    found = collected(vault)
    assert len(found) == MOST_SEEN
    assert found[0].person == "jane"


def test_several_days_are_looked_through_until_there_are_enough(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = policy_of(vault)._replace(backup=(policy_of(vault).backup[0]._replace(max_age=9 * DAY),))
    for days in range(4):
        vault.attests(seconds=days * DAY + 60, backup=f"b{days}")
    looked: list[str] = []
    real = look_up

    def counted(*args: Any) -> Any:
        looked.append(args[3])
        return real(*args)

    monkeypatch.setattr(backups_module, "look_up", counted)
    repository = open_repository(str(vault.repo.path), os.environ)
    for most, days in ((MOST_SEEN, 12), (2, 4)):
        monkeypatch.setattr(backups_module, "MOST_SEEN", most)
        looked.clear()
        found = EvidenceBook(repository).about(wide, change_of(vault), as_of=int(time.time())).backups
        assert isinstance(found, Known)
        assert len(found.value) == min(most, 4)
        assert abs(len(looked) - days) <= 1


def test_an_envelope_in_the_folder_of_another_says_nothing(vault: Vault) -> None:
    sessions = vault.statement(name="sessions")
    vault.put(vault.envelope(sessions), vault.statement())
    stable = vault.statement(target="refs/heads/stable")
    vault.put(vault.envelope(stable), vault.statement())
    record(
        open_repository(str(vault.repo.path), os.environ),
        [Entry("backup", store_key(vault.statement()), vault.repo.head("main"), b"no envelope")],
    )
    assert collected(vault) == ()


def test_where_none_is_of_this_commit_the_newest_of_another_are_told(vault: Vault) -> None:
    for number in range(MOST_EARLIER + 1):
        vault.attests(seconds=number * DAY, backup=f"b{number}")
    vault.attests(signer="omar", backup="x")
    before = vault.repo.head("main")
    vault.repo.checkout("main")
    vault.repo.commit("Another thing", by="uma", other_dot_py="1\n")
    vault.repo.checkout("release/1.4")
    vault.repo.git("rebase", "-q", "main")
    found = collected(vault)
    assert {(one.commit, one.person) for one in found} == {(before, "jane")}
    assert len(found) == MOST_EARLIER
    assert collected(vault, protected=before)[0].commit == before


def test_the_first_attestation_says_which_database_it_is(vault: Vault) -> None:
    vault.attests(name="shop-db", origin=STAGE, signer="omar", seconds=1000, time=int(time.time()) - 900, backup="x")
    vault.attests(name="shop-db", origin=STAGE, key="omar", seconds=1000, time=int(time.time()) - 800, backup="y")
    assert [one.before for one in collected(vault, "shop-db") if one.person == "jane"] == []
    vault.attests(name="shop-db", origin=HERE, seconds=1000, time=int(time.time()) - 700)
    (first,) = [one for one in collected(vault, "shop-db") if one.person == "jane"]
    assert first.before == (HERE.place, HERE.server)
    vault.attests(name="shop-db", origin=STAGE, backup="b2", seconds=10)
    assert {one.before for one in collected(vault, "shop-db")} == {(HERE.place, HERE.server)}
    vault.attests()
    assert [one.before for one in collected(vault, "uploads", "shop-db") if one.name == "uploads"] == [None]


def test_what_landed_is_found_whatever_the_day(vault: Vault) -> None:
    vault.attests(seconds=30 * DAY)
    assert [one.level for one in collected(vault, stage="landed")] == ["compared"]


def test_what_came_after_a_merge_was_not_there_for_it(vault: Vault) -> None:
    vault.attests(seconds=10 * DAY, backup="b1")
    vault.attests(seconds=60, backup="b2", proof=BackupProof(level="stored"))
    at = int(time.time()) - 9 * DAY
    landing = Message(bearer="landing", trailers=(), text="Merge\n", time=at)
    other: dict[str, Any] = {"stage": "landed", "protected": vault.repo.head("release/1.4")}
    assert len(collected(vault, messages=Known(()), **other)) == 2
    (one,) = collected(vault, messages=Known((landing,)), **other)
    assert one.level == "compared"


def test_what_cannot_be_read_is_not_known(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.attests()

    def refuse(*args: Any) -> None:
        raise UndeterminedError("the folder is full", remedy="guard evidence list")

    monkeypatch.setattr(backups_module, "look_up", refuse)
    repository = open_repository(str(vault.repo.path), os.environ)
    book = EvidenceBook(repository)
    found = book.about(policy_of(vault), change_of(vault), as_of=int(time.time())).backups
    assert isinstance(found, Unknown)
    assert found.reason == "the recorded evidence cannot be read: the folder is full"
    nameless = change_of(vault)._replace(repository=Unknown("no name"))
    assert book.about(policy_of(vault), nameless, as_of=0).backups == Unknown("no name")
    bare = policy_of(vault)._replace(sign_off=(), waiver=None)
    assert isinstance(book.about(bare, change_of(vault), as_of=0).backups, Unknown)


def test_a_clone_that_never_fetched_does_not_know_what_was_attested(vault: Vault) -> None:
    vault.repo.git("remote", "add", "origin", "/nowhere")
    plain = policy_of(vault)._replace(sign_off=(), waiver=None)
    repository = open_repository(str(vault.repo.path), os.environ)
    landing = Message(bearer="landing", trailers=(), text="Merge\n", time=int(time.time()))
    landed = change_of(vault)._replace(stage="landed", messages=Known((landing,)))
    found = EvidenceBook(repository).about(plain, landed, as_of=int(time.time())).backups
    assert isinstance(found, Unknown)
    assert "guard evidence fetch" in found.remedy
