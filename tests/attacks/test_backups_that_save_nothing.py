"""Backups that an attacker, or somebody in a hurry, passes off as good ones: the gate looks again, and believes none.

Each is tried twice: in the attacker's clone with `guard check`, and by a real push to the guarded server, whose
administrator let the evidence in all the same where the hook would not have.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.evidence.envelope import read_envelope, render_envelope
from rollback_guard.evidence.statement import BackupArtefact, BackupOrigin, BackupProof, backup_key, render_statement
from rollback_guard.evidence.statement_model import DAY
from rollback_guard.evidence.store import Entry, record
from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.git.repository import open_repository
from tests.attacks.conftest import Scene, scene_of
from tests.support.backups import BYTES, FILE, UPLOADS, Vault
from tests.support.signing import SHOP, policy, signed, signed_shop


class Bank(Vault):
    """A vault beside the guarded server of the shop, whose release is signed and waits for a backup."""

    def __init__(self, folder: Path) -> None:
        text = policy() + UPLOADS.format(store=folder / "store")
        super().__init__(signed_shop(folder / "clone", text=text), folder / "store")
        signed(self.repo)
        self.scene: Scene = scene_of(folder, self.repo, name=SHOP)
        self.scene.admin("main", "release/1.4", f"{EVIDENCE}:{EVIDENCE}")

    def merged(self) -> str:
        """The release, merged here as the approvers saw it; where production was."""
        tip = self.repo.head("main")
        self.repo.checkout("main")
        self.repo.merge("release/1.4", message="Merge branch 'release/1.4'")
        return tip

    def refuses(self, *rules: str, said: str = "", code: int = 1) -> None:
        """Neither a check nor the server lets the release land, for exactly these rules."""
        self.scene.admin(f"+{EVIDENCE}:{EVIDENCE}")
        done = self.scene.guard(
            "check", "--into", "main", "--head", "release/1.4", "--base", "main", "--format", "json"
        )
        found = [one["rule"] for one in _outcomes(done.out) if one["outcome"] in ("violated", "undetermined")]
        assert (done.code, found) == (code, list(rules)), done.out
        assert said in done.out
        tip = self.merged()
        self.scene.refused("main", rules=rules, code=code)
        self.repo.git("reset", "-q", "--hard", tip)

    def lets_it_land(self) -> None:
        """What an honest team does beside the attack."""
        self.scene.admin(f"+{EVIDENCE}:{EVIDENCE}")
        self.merged()
        self.scene.taken("main")


def _outcomes(text: str) -> list[dict[str, Any]]:

    found: list[dict[str, Any]] = json.loads(text)["changes"][0]["outcomes"]
    return found


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


def test_with_a_backup_that_was_proven_it_lands(bank: Bank) -> None:
    bank.attests()
    bank.scene.taken(f"{EVIDENCE}:{EVIDENCE}")
    bank.lets_it_land()


def test_without_one(bank: Bank) -> None:
    bank.refuses("RG301", said="nobody attests a backup of uploads")


def test_an_old_backup_presented_again(bank: Bank) -> None:
    bank.attests(seconds=3 * 3600)
    bank.refuses("RG302", said="is 3 hours old, and may be 60 minutes old")
    bank.attests(backup="b2")
    bank.lets_it_land()


def test_a_clock_in_the_future(bank: Bank) -> None:
    """Within a day nobody can tell whose clock is wrong; a backup of then is none."""
    bank.attests(seconds=-3 * 3600, time=int(time.time()) + 3 * 3600)
    bank.refuses("RG302", said="is dated")


def test_a_signature_of_a_day_that_has_not_come(bank: Bank) -> None:
    bank.attests(time=int(time.time()) + 3 * DAY)
    bank.refuses("RG301", "RG306", said="it is dated in the future")


def test_a_backup_of_before_production_moved(bank: Bank) -> None:
    bank.attests()
    bank.repo.checkout("main")
    bank.repo.commit("Another thing", by="uma", other_dot_py="1\n")
    bank.scene.admin("main")
    bank.repo.checkout("release/1.4")
    bank.repo.git("rebase", "-q", "main")
    signed(bank.repo)
    bank.scene.admin("+release/1.4")
    bank.refuses("RG302", said="and main is at")


def test_a_backup_of_what_only_looks_the_same(bank: Bank) -> None:
    """Production is back at a tree that it had: the commit that is protected is another one all the same."""
    bank.attests()
    bank.repo.checkout("main")
    tree = bank.repo.tree("main")
    there = bank.scene.commit_tree(tree, "The same again", bank.repo.head("main"), by="uma")
    bank.repo.git("reset", "-q", "--hard", there)
    bank.scene.admin("main")
    bank.repo.checkout("release/1.4")
    bank.repo.git("rebase", "-q", "main")
    signed(bank.repo)
    bank.scene.admin("+release/1.4")
    bank.refuses("RG302", said="protects")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"place": "directory:/srv/stage/uploads"}, "was taken of directory:/srv/stage/uploads"),
        ({"source": "/srv/stage/uploads"}, "was taken from directory /srv/stage/uploads"),
        ({"engine": "sqlite"}, "was taken from sqlite"),
    ],
)
def test_another_database_s_backup(bank: Bank, changed: dict[str, str], said: str) -> None:
    right = {"engine": "directory", "source": "/srv/shop/uploads", "place": "directory:/srv/shop/uploads"}
    bank.attests(origin=BackupOrigin(**{**right, **changed}, server="", version=""))  # type: ignore[arg-type]
    bank.refuses("RG305", said=said)


def test_an_edited_attestation(bank: Bank) -> None:
    """The signature is of a backup that was only stored; the statement says that it was compared."""
    poor = bank.statement(proof=BackupProof(level="stored"))
    better = bank.statement()
    envelope = read_envelope(bank.envelope(poor))
    bank.put(render_envelope(envelope._replace(payload=render_statement(better))), better)
    bank.refuses("RG301", "RG306", said="the signature does not verify")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"signer": "omar"}, "the policy does not let them attest it"),
        ({"signer": "jane", "key": "omar"}, "it is signed with a key of omar"),
        ({"signer": "jane", "key": "eve"}, "it is made with a key that nobody of the policy has"),
        ({"signer": "jane", "namespace": "rollback-guard.release"}, "the signature does not verify"),
    ],
)
def test_attested_by_somebody_who_may_not(bank: Bank, made: dict[str, str], said: str) -> None:
    bank.attests(**made)
    bank.refuses("RG301", "RG306", said=said)
    bank.attests(signer="uma")
    bank.lets_it_land()


def test_a_level_that_is_not_reached(bank: Bank) -> None:
    bank.attests(proof=BackupProof(level="restored", seconds=1))
    bank.refuses("RG303", said="is proven restored, and the policy asks for compared")


def test_a_level_that_is_claimed_in_an_attestation_of_another_name(bank: Bank) -> None:
    """What was proven of `sessions` lies in the folder of `uploads`: it is still said of `sessions`."""
    bank.attests(proof=BackupProof(level="stored"))
    other = bank.statement(name="sessions")
    bank.put(bank.envelope(other), bank.statement())
    bank.refuses("RG303")


@pytest.mark.parametrize(
    "elsewhere",
    [{"target": "refs/heads/stable"}, {"repository": "github.com/acme/other"}],
    ids=["branch", "repository"],
)
def test_an_attestation_replayed_for_another_place(bank: Bank, elsewhere: dict[str, Any]) -> None:
    foreign = bank.statement(**elsewhere)
    bank.put(bank.envelope(foreign), foreign)
    bank.put(bank.envelope(foreign), bank.statement())
    bank.refuses("RG301")


def test_an_artefact_replaced_after_attesting(bank: Bank) -> None:
    bank.attests()
    bank.path.write_bytes(BYTES[::-1])
    bank.refuses("RG304", said="was changed after it was attested")
    bank.path.unlink()
    bank.refuses("RG304", said="is gone: there is no uploads/1.tar.zst in its store")
    bank.path.symlink_to(bank.folder.parent / "elsewhere")
    (bank.folder.parent / "elsewhere").write_bytes(BYTES)
    bank.refuses("RG304", said="is gone")
    bank.path.unlink()
    bank.path.write_bytes(BYTES)
    bank.lets_it_land()


def test_a_path_that_leads_out_of_the_store(bank: Bank) -> None:
    """No statement can name one, so what is signed by hand is read by nobody."""
    outside = bank.folder.parent / "outside"
    outside.write_bytes(BYTES)
    artefact = bank.statement().artefact
    payload = render_statement(bank.statement(artefact=artefact._replace(file="uploads/xx/outside")))
    payload = payload.replace(b"uploads/xx/outside", b"uploads/../outside")
    place = bank.statement()
    envelope = read_envelope(bank.envelope(place))
    bank.put(render_envelope(envelope._replace(payload=payload)), place)
    bank.refuses("RG301")


def test_a_store_that_the_server_does_not_have(bank: Bank) -> None:
    bank.attests()
    bank.folder.rename(bank.folder.parent / "away")
    bank.refuses("RG304", said="is not on this machine", code=4)


def test_a_store_of_the_attacker_s_own(bank: Bank) -> None:
    """Where artefacts lie is said by the policy, not by whoever attests."""
    own = bank.folder.parent / "own"
    (own / "uploads").mkdir(parents=True)
    (own / FILE).write_bytes(BYTES)
    bank.path.unlink()
    artefact: BackupArtefact = bank.statement().artefact._replace(store=f"file:{own}")
    bank.attests(artefact=artefact)
    bank.refuses("RG304", said="is gone")


def test_a_folder_full_of_others(bank: Bank) -> None:
    """Whoever has a key can record any number of attestations; the one by somebody who may is still found."""
    bank.attests(seconds=1800)
    for number in range(30):
        bank.attests(signer="omar", backup=f"x{number}", seconds=10)
    bank.lets_it_land()


def test_one_backup_protects_all_that_is_pushed_at_once(bank: Bank) -> None:
    bank.attests()
    bank.merged()
    bank.repo.branch("release/1.5")
    bank.repo.commit("Release 1.5", by="jane", version_dot_txt="1.5\n")
    signed(bank.repo)
    bank.repo.checkout("main")
    bank.repo.merge("release/1.5", message="Merge branch 'release/1.5'")
    bank.scene.admin("release/1.5", f"+{EVIDENCE}:{EVIDENCE}")
    bank.scene.taken("main")


def test_the_server_takes_no_attestation_out_of_its_place(bank: Bank) -> None:
    statement = bank.statement()
    repository = open_repository(str(bank.repo.path), os.environ)
    key = backup_key(statement.binding, "sessions", statement.snapshot // DAY)
    record(repository, [Entry("backup", key, statement.head, bank.envelope(statement))])
    done = bank.scene.refused(f"{EVIDENCE}:{EVIDENCE}", rules=("RG306",))
    assert "what it says belongs into" in " ".join(done.err.replace("remote:", "").split())
