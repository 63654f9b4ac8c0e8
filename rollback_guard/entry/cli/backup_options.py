"""What the commands of `guard backup` share: options, and how a backup is written as JSON."""

from __future__ import annotations

import click

from rollback_guard.backup.proving import TIMEOUT as MOST
from rollback_guard.errors import UndeterminedError
from rollback_guard.report.wording import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rollback_guard.backup.model import Difference, Proof, Record
    from rollback_guard.backup.sealing import Keys

LAYOUT = click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)
BRANCH = click.option(
    "--branch", metavar="BRANCH", help="The production branch.  [default: the policy's one, else the present one]"
)
KEY = click.option("--key", metavar="PATH", help="SSH key to sign with.  [default: git's user.signingKey]")
IDENTITY = click.option("--identity", metavar="PATH", help="A file with the age key that opens encrypted backups.")
TIMEOUT = click.option(
    "--timeout", type=click.IntRange(min=1), default=MOST, metavar="SECONDS", help="How long a proof may take."
)


def require_key(sealed: Sequence[str], keys: Keys | None, command: str) -> None:
    """Before anything is begun that only a key could finish; `sealed`: what is encrypted. Raises: UndeterminedError."""
    if sealed and keys is None:
        raise UndeterminedError(
            f"{', '.join(sealed)}: encrypted, and no key was named that opens it",
            remedy=f"{command} --identity KEY-FILE   # the file with AGE-SECRET-KEY-1…, which only its owner may read",
        )


def backup_document(record: Record, proof: Proof | None, attestation: str | None) -> dict[str, Any]:
    """A backup, what was proven of it, and the id of what was signed for it."""
    artefact = record.artefact
    return {
        "name": record.name,
        "id": record.id,
        "set": record.set,
        "engine": record.identity.engine,
        "place": record.identity.place,
        "commit": record.commit,
        "snapshot": moment(int(record.snapshot)),
        "position": record.position,
        "artefact": {**artefact._asdict()},
        "rows": record.fingerprint.rows,
        "uncovered": list(record.fingerprint.uncovered),
        "skew-seconds": round(record.skew, 3),
        "proof": None if proof is None else proof_document(proof),
        "attestation": attestation,
    }


def difference_documents(differences: tuple[Difference, ...]) -> list[dict[str, Any]]:
    """What is otherwise in one state than in another; `rows` before and after."""
    return [
        {"part": one.part, "kind": one.kind, "name": one.name, "what": one.what, "rows": list(one.rows)}
        for one in differences
    ]


def proof_document(proof: Proof) -> dict[str, Any]:
    """What became of proving a backup."""
    return {
        "level": proof.level,
        "when": moment(int(proof.when)),
        "restore-seconds": round(proof.seconds, 3),
        "fault": proof.fault,
        "differences": difference_documents(proof.differences),
        "checks": [{"name": name, "passed": passed} for name, passed in proof.checks],
    }
