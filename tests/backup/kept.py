"""Records and whole backups to test with, and ways to draw any that can be."""

from __future__ import annotations

from typing import BinaryIO

from hypothesis import strategies as st

from rollback_guard.backup.catalogue import keep_proof, keep_record
from rollback_guard.backup.model import Artefact, Difference, Fingerprint, Identity, Item, Proof, Record
from rollback_guard.backup.pipeline import artefact_name, store_dump
from rollback_guard.backup.store import Store
from rollback_guard.policy.model import LEVELS

ID = "20261127T183000Z-3f9a1c"
NOW = 1795804200.0  # 2026-11-27T18:30:00Z
ITEMS = (
    Item("content", "table", "public.orders", "a" * 64, 3),
    Item("schema", "column", "public.orders.id", "b" * 64),
    Item("schema", "table", "public.orders", "c" * 64),
)
RECORD = Record(
    id=ID,
    set=ID,
    name="shop",
    identity=Identity("postgresql", "postgresql://db.acme.example:5432/shop", "7301", "15.18"),
    source="$SHOP_DATABASE_URL",
    commit="1" * 40,
    begun=NOW - 5,
    snapshot=NOW - 4.5,
    ended=NOW - 1.125,
    position="0/16B3748",
    artefact=Artefact(f"shop/{ID}.dump.zst", "d" * 64, 10, 20),
    fingerprint=Fingerprint(ITEMS, ("grants",)),
    tools=(("pg_dump", "15.18"),),
    skew=0.25,
)
PROOF = Proof(
    level="schema",
    when=NOW + 60,
    seconds=12.5,
    differences=(Difference("content", "table", "public.orders", "changed", (3, 2)),),
    fault="the content differs",
    checks=(("orders", False),),
)


def keep(
    store: Store,
    name: str = "shop",
    *,
    age: float = 0.0,
    proof: Proof | None = None,
    id: str | None = None,
    set: str = ID,
    retain_until: float | None = None,
) -> Record:
    """A whole backup in a store, whose snapshot is `age` seconds before NOW."""
    id = id or f"20261127T183000Z-{int(age):06x}"

    def dump(sink: BinaryIO) -> None:
        sink.write(name.encode())

    artefact = store_dump(dump, store, artefact_name(name, id, ".dump"), retain_until=retain_until)
    record = RECORD._replace(id=id, set=set, name=name, artefact=artefact, snapshot=NOW - age)
    keep_record(store, record, retain_until=retain_until)
    if proof is not None:
        keep_proof(store, name, id, proof)
    return record


# Surrogates as bytes that are no UTF-8 are read: no others come from a file's or a table's name.
_TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\udc80\udcc3\udcff"), max_size=40)
_WORD = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True)
_HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
_NUMBER = st.integers(0, 10**15 - 1)
_MOMENT = st.integers(0, 253402300799000).map(lambda thousandths: thousandths / 1000)
_SPAN = st.integers(0, 10**9).map(lambda thousandths: thousandths / 1000)
_ROWS = st.none() | _NUMBER
_PART = st.sampled_from(("schema", "content"))
_ITEM = st.builds(Item, _PART, _TEXT, _TEXT, _TEXT, st.none() | st.integers(0, 10**9))
_ITEMS = st.lists(_ITEM, max_size=8, unique_by=lambda one: one[:3]).map(
    lambda some: tuple(sorted(some, key=lambda one: one[:3]))
)
_SUFFIX = st.sampled_from(("dump", "sql", "sqlite", "tar"))
_IDS = st.from_regex(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}", fullmatch=True)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record."""
    id, name = draw(_IDS), draw(_WORD)
    sealed = draw(st.sampled_from(("", "age")))
    file = f"{name}/{id}.{draw(_SUFFIX)}.zst{'.age' if sealed else ''}"
    return Record(
        id=id,
        set=draw(_WORD),
        name=name,
        identity=draw(st.builds(Identity, _WORD, _TEXT, _TEXT, _TEXT)),
        source=draw(_TEXT),
        commit=draw(st.sampled_from(("", "a" * 40, "b" * 64))),
        begun=draw(_MOMENT),
        snapshot=draw(_MOMENT),
        ended=draw(_MOMENT),
        position=draw(_TEXT),
        artefact=Artefact(file, draw(_HEX), draw(_NUMBER), draw(_NUMBER), "zstd", sealed),
        fingerprint=Fingerprint(draw(_ITEMS), tuple(draw(st.lists(_TEXT, max_size=4)))),
        tools=tuple(draw(st.lists(st.tuples(_TEXT, _TEXT), max_size=3))),
        skew=draw(_SPAN),
    )


_WHAT = st.sampled_from(("missing", "added", "changed"))
_DIFFERENCE = st.builds(Difference, _PART, _TEXT, _TEXT, _WHAT, st.tuples(_ROWS, _ROWS))
PROOFS = st.builds(
    Proof,
    level=st.none() | st.sampled_from(LEVELS),
    when=_MOMENT,
    seconds=_SPAN,
    differences=st.lists(st.builds(Difference, _PART, _TEXT, _TEXT, _WHAT, st.tuples(_ROWS, _ROWS)), max_size=5).map(
        tuple
    ),
    fault=_TEXT,
    checks=st.lists(st.tuples(_TEXT, st.booleans()), max_size=4).map(tuple),
)
