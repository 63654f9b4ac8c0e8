"""Backups that were taken, as far as the gate can see: a file in a store, and somebody's real signature under it."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

from rollback_guard.evidence.envelope import Envelope, envelope_name, pae, render_envelope
from rollback_guard.evidence.signer import sign
from rollback_guard.evidence.statement import (
    PAYLOAD_TYPE,
    BackupArtefact,
    BackupContent,
    BackupOrigin,
    BackupProof,
    BackupStatement,
    Binding,
    namespace_of,
    render_statement,
    store_key,
)
from rollback_guard.evidence.store import Entry, record
from rollback_guard.git.repository import open_repository
from rollback_guard.policy.keys import fingerprint_of, parse_key
from tests.support.builder import RepositoryBuilder
from tests.support.signing import SHOP, key_of, public

UPLOADS = """
[[backup]]
name = "uploads"
engine = "directory"
source = "/srv/shop/uploads"
by = ["jane", "uma"]
max-age = "1h"
store = "file:{store}"
"""
FILE = "uploads/1.tar.zst"
BYTES = b"all that was uploaded"


class Vault:
    """A store of backups of the shop that a repository holds, and those who attest what lies in it."""

    def __init__(self, repo: RepositoryBuilder, folder: Path) -> None:
        self.repo = repo
        self.folder = folder
        self.path = folder / FILE
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(BYTES)

    def statement(self, base: str = "main", *, seconds: int = 60, **overrides: Any) -> BackupStatement:
        """What is said of a backup of so many seconds ago, of what production was at in a commit."""
        commit, tree = self.repo.head(base), self.repo.git("rev-parse", f"{base}^{{tree}}")
        now = int(time.time())
        target = overrides.pop("target", "refs/heads/main")
        repository = overrides.pop("repository", SHOP)
        fields: dict[str, Any] = {
            "name": "uploads",
            "backup": "b1",
            "set": "s1",
            "origin": BackupOrigin("directory", "/srv/shop/uploads", "directory:/srv/shop/uploads", "", ""),
            "snapshot": now - seconds,
            "position": "",
            "begun": now - seconds,
            "ended": now - seconds,
            "artefact": BackupArtefact(
                store="file:backups",
                file=FILE,
                digest=hashlib.sha256(BYTES).hexdigest(),
                size=len(BYTES),
                content=100,
                compression="zstd",
                encryption="",
            ),
            "content": BackupContent(digest="7" * 64, items=3, rows=0, uncovered=("owners of files",)),
            "proof": BackupProof(level="compared", differences=0, seconds=1),
            "tools": (("tar", "1"),),
            "skew": 0,
            "previous": None,
            "since_previous": None,
            "binding": Binding(kind="head", repository=repository, target=target, base=None, object=tree),
            "base": commit,
            "head": commit,
            "result_tree": tree,
            "policy_digest": "sha256:" + "0" * 64,
            "signer": "jane",
            "time": now,
        }
        return BackupStatement(**{**fields, **overrides})

    def envelope(self, statement: BackupStatement, *, key: str = "", namespace: str = "") -> bytes:
        """A statement, signed by its signer or with another one's key."""
        payload = render_statement(statement)
        path = key_of(key or statement.signer)
        blob = sign(
            pae(PAYLOAD_TYPE, payload),
            key=path,
            namespace=namespace or namespace_of(statement),
            environ=os.environ,
        )
        return render_envelope(Envelope(payload=payload, keyid=fingerprint_of(parse_key(public(path))[1]), sig=blob))

    def put(self, data: bytes, place: BackupStatement) -> str:
        """Record an envelope where a statement belongs; its id."""
        repository = open_repository(str(self.repo.path), os.environ)
        record(repository, [Entry("backup", store_key(place), place.head, data)])
        return envelope_name(data).removesuffix(".json")

    def attests(self, base: str = "main", **overrides: Any) -> str:
        """Sign for a backup and record that; the id of the envelope."""
        made = {name: overrides.pop(name) for name in ("key", "namespace") if name in overrides}
        statement = self.statement(base, **overrides)
        return self.put(self.envelope(statement, **made), statement)
