"""What gpg says of a signature, read to the letter. Real signatures are in tests/evidence/test_commit_proof.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.errors import UndeterminedError
from rollback_guard.git import openpgp
from rollback_guard.git.openpgp import PgpSignature, verify_openpgp
from rollback_guard.git.repository import open_repository
from tests.support.builder import RepositoryBuilder

VALID = "VALIDSIG AB 2026-01-01 1767225600 0 4 0 22 8 00 cd"
SAID = [
    ((VALID,), PgpSignature("CD", 1_767_225_600)),
    ((VALID, VALID), PgpSignature(fault="it does not bear exactly one signature")),
    (("NODATA 4",), PgpSignature(fault="it does not bear exactly one signature")),
    (("VALIDSIG AB",), PgpSignature(fault="it does not bear exactly one signature")),
    ((VALID, "BADSIG x"), PgpSignature(fault="the signature does not verify")),
    ((VALID, "EXPSIG x"), PgpSignature(fault="the signature itself has expired")),
    ((VALID, "REVKEYSIG x"), PgpSignature(fault="the key was revoked")),
    ((VALID, "EXPKEYSIG x", "KEYEXPIRED 1767225601"), PgpSignature("CD", 1_767_225_600)),
    ((VALID, "EXPKEYSIG x", "KEYEXPIRED 1767225599"), PgpSignature(fault="the key had expired when it was made")),
    ((VALID, "EXPKEYSIG x", "KEYEXPIRED soon"), PgpSignature(fault="the key had expired when it was made")),
    ((VALID, "EXPKEYSIG x"), PgpSignature(fault="the key had expired when it was made")),
    ((VALID.replace("1767225600", "x"), "KEYEXPIRED 1"), PgpSignature("CD", 0)),
]


@pytest.mark.parametrize(("lines", "found"), SAID)
def test_status_lines(lines: tuple[str, ...], found: PgpSignature) -> None:
    assert openpgp._read([line.split(" ") for line in lines]) == found


def test_a_folder_that_cannot_be_written(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = RepositoryBuilder(path_of_repo)
    oid = repo.commit("Begin")
    git = open_repository(str(repo.path), os.environ).git
    monkeypatch.setattr(openpgp, "KEYRING", "no/such/folder")
    with pytest.raises(UndeterminedError, match="no temporary file could be written"):
        verify_openpgp(git, "commit", oid, {})
