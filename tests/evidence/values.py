"""Statements and real keys to test with: made by ssh-keygen, in a folder of the test's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from rollback_guard.evidence.envelope import Envelope, pae
from rollback_guard.evidence.keys import Key, read_key
from rollback_guard.evidence.signer import sign
from rollback_guard.evidence.statement import (
    PAYLOAD_TYPE,
    BackupArtefact,
    BackupContent,
    BackupOrigin,
    BackupProof,
    BackupStatement,
    Binding,
    ReleaseStatement,
    SignOffStatement,
    Statement,
    VerdictStatement,
    WaiverReviewStatement,
    WaiverStatement,
    namespace_of,
    render_statement,
)

BASE, TREE, HEAD = "1" * 40, "2" * 40, "3" * 40
NOW = 1_795_392_000  # 2026-11-23T00:00:00Z
BINDING = Binding(kind="result", repository="github.com/acme/shop", target="refs/heads/main", base=BASE, object=TREE)
SIGN_OFF = SignOffStatement(
    role="qa",
    decision="approve",
    binding=BINDING,
    base=BASE,
    head=HEAD,
    result_tree=TREE,
    policy_digest="sha256:" + "a" * 64,
    signer="jane",
    time=NOW,
    comment="All 14 cases pass.\nZürich too.",
)
WAIVER = WaiverStatement(
    rule="RG301",
    binding=BINDING._replace(kind="head", base=None),
    base=BASE,
    head=HEAD,
    result_tree=TREE,
    policy_digest="sha256:" + "a" * 64,
    signer="omar",
    time=NOW,
    expires=NOW + 3600,
    reason="The database is down",
    incident="INC-7",
)
REVIEW = WaiverReviewStatement(
    rule="RG301",
    waivers=("d" * 64, "e" * 64),
    binding=WAIVER.binding,
    base=BASE,
    head=HEAD,
    result_tree=TREE,
    policy_digest="sha256:" + "a" * 64,
    signer="uma",
    time=NOW + 7200,
    comment="The backup was caught up with",
)
VERDICT = VerdictStatement(
    decision="allow",
    binding=BINDING,
    base=BASE,
    head=HEAD,
    result_tree=TREE,
    policy_digest="sha256:" + "a" * 64,
    signer="jane",
    time=NOW,
    policy_uri="git+https://github.com/acme/shop@" + BASE + "#rollback-guard.toml",
    rules=(("RG101", "satisfied"), ("RG301", "waived")),
    inputs=("b" * 64, "c" * 64),
)
RELEASE = ReleaseStatement(
    decision="release",
    tag="refs/tags/stable/2026.11.23.1",
    tag_object="4" * 40,
    binding=BINDING._replace(kind="head", base=None),
    base=HEAD,
    head=HEAD,
    result_tree=TREE,
    policy_digest="sha256:" + "a" * 64,
    signer="jane",
    time=NOW,
    smoke=(("checkout", "passed"), ("login", "passed")),
    inputs=("b" * 64,),
)
REVOCATION = RELEASE._replace(decision="revoke", comment="orders were lost", smoke=(), inputs=())
BACKUP = BackupStatement(
    name="shop-db",
    backup="20261122T235000Z-3f1a",
    set="20261122T235000Z",
    origin=BackupOrigin(
        engine="postgresql",
        source="$SHOP_DATABASE_URL",
        place="postgresql://db.acme.example:5432/shop",
        server="7412345678901234567",
        version="15.18",
    ),
    snapshot=NOW - 600,
    position="0/1A2B3C4D",
    begun=NOW - 610,
    ended=NOW - 500,
    artefact=BackupArtefact(
        store="file:backups",
        file="shop-db/20261122T235000Z-3f1a.dump.zst",
        digest="6" * 64,
        size=1200,
        content=9600,
        compression="zstd",
        encryption="age",
    ),
    content=BackupContent(digest="7" * 64, items=42, rows=1300, uncovered=("grants on foreign servers",)),
    proof=BackupProof(level="exercised", differences=0, checks=(("orders", "passed"),), seconds=12),
    tools=(("pg_dump", "15.18"), ("pg_restore", "15.18")),
    skew=2,
    previous="8" * 64,
    since_previous=3600,
    binding=BINDING._replace(kind="head", base=None),
    base=HEAD,
    head=HEAD,
    result_tree=TREE,
    policy_digest="sha256:" + "a" * 64,
    signer="jane",
    time=NOW,
)
FIRST_BACKUP = BACKUP._replace(proof=BackupProof(level="stored"), previous=None, since_previous=None, tools=())


class Pair(NamedTuple):
    """A private key's path and the public key."""

    path: str
    line: str
    key: Key


def make_pair(folder: Path, name: str = "jane", kind: str = "ed25519", *, bits: int = 0, secret: str = "") -> Pair:
    path = str(folder / name)
    size = ["-b", str(bits)] if bits else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", secret, "-C", name, "-f", path], check=True)
    line = Path(path + ".pub").read_text().strip()
    return Pair(path=path, line=line, key=read_key(name, line))


def signed(statement: Statement, pair: Pair, *, namespace: str = "") -> Envelope:
    payload = render_statement(statement)
    data = pae(PAYLOAD_TYPE, payload)
    blob = sign(data, key=pair.path, namespace=namespace or namespace_of(statement), environ=os.environ)
    return Envelope(payload=payload, keyid=pair.key.fingerprint, sig=blob)
