"""Records and proofs: what was written is read again, and what is not quite a record is none."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from rollback_guard.backup.model import Fingerprint, Item, Proof, Record
from rollback_guard.backup.record_fields import is_id, read_moment, render_moment
from rollback_guard.backup.record_lines import BEGINNING, HEAD_MOST, first_line
from rollback_guard.backup.records import (
    fingerprint_digest,
    proof_lines,
    read_proof,
    read_proof_summary,
    read_record,
    read_summary,
    record_lines,
)
from rollback_guard.evidence.canonical import FormatError
from tests.backup.kept import ID, ITEMS, NOW, PROOF, PROOFS, RECORD, records

unhurried = settings(deadline=None)
MANY = RECORD._replace(
    fingerprint=Fingerprint(tuple(Item("content", "table", f"public.t{one:05}", "e" * 64, one) for one in range(5000)))
)


def rendered(record: Record = RECORD) -> bytes:
    return record_lines(record).render()


def refused(data: bytes, read: Callable[[io.BytesIO], object] = read_record) -> str:
    with pytest.raises(FormatError) as caught:
        read(io.BytesIO(data))
    return caught.value.reason


def altered(change: Callable[[dict[str, Any]], object], data: bytes | None = None) -> bytes:
    """A record or proof whose first line says something else."""
    head, _, rest = (rendered() if data is None else data).partition(b"\n")
    document = json.loads(head)
    change(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n" + rest


@unhurried
@given(records())
def test_any_record_is_read_as_it_was_written(record: Record) -> None:
    data = rendered(record)
    assert read_record(io.BytesIO(data)) == record
    line = first_line(data)
    assert line is not None
    summary = read_summary(line)
    assert summary.record == record._replace(fingerprint=Fingerprint(()))
    assert (summary.rows, summary.body.digest) == (record.fingerprint.rows, fingerprint_digest(record.fingerprint))
    assert data.isascii()


@unhurried
@given(PROOFS)
def test_any_proof_is_read_as_it_was_written(proof: Proof) -> None:
    data = proof_lines(ID, proof).render()
    assert read_proof(io.BytesIO(data)) == (ID, proof)
    line = first_line(data)
    assert line is not None
    summary = read_proof_summary(line)
    assert (summary.backup, summary.proof, summary.body.lines) == (
        ID,
        proof._replace(differences=()),
        len(proof.differences),
    )


def test_how_a_record_looks() -> None:
    head, *rest = rendered().decode().splitlines()
    document = json.loads(head)
    assert document["format"] == "rollback-guard/backup-record/1"
    assert (document["snapshot"], document["ended"]) == ("2026-11-27T18:29:55.500Z", "2026-11-27T18:29:58.875Z")
    assert rest[0] == f'["content","table","public.orders","{"a" * 64}",3]'
    assert rest[-1] == '["grants"]'
    assert json.loads(proof_lines(ID, PROOF).render().splitlines()[0])["format"] == "rollback-guard/backup-proof/1"


def test_a_large_one_is_compressed_and_its_beginning_is_enough_to_list_it() -> None:
    lines = record_lines(MANY)
    data = lines.render()
    assert (lines.suffix, record_lines(RECORD).suffix) == (".zst", "")
    assert len(data) < lines.body.size / 5
    assert read_record(io.BytesIO(data)) == MANY
    line = first_line(data[: min(BEGINNING, len(data) // 2)])
    assert line is not None
    assert read_summary(line).rows == sum(range(5000))


def test_many_lines_are_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data = rendered()
    monkeypatch.setattr("rollback_guard.backup.record_lines._PIECE", 100)
    assert rendered() == data


def test_the_order_of_items_is_not_what_is_written() -> None:
    backwards = RECORD.fingerprint._replace(items=ITEMS[::-1])
    assert rendered(RECORD._replace(fingerprint=backwards)) == rendered()
    assert fingerprint_digest(backwards) == fingerprint_digest(RECORD.fingerprint)
    assert fingerprint_digest(Fingerprint(ITEMS)) != fingerprint_digest(RECORD.fingerprint)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: one.update(more=1), "unknown key more"),
        (lambda one: one.pop("commit"), "lacks commit"),
        (lambda one: one["identity"].update(password="x"), "unknown key password"),
        (lambda one: one["artefact"].pop("size"), "lacks size"),
        (lambda one: one.update(format="rollback-guard/backup-record/2"), "format"),
        (lambda one: one.update(id="../../etc"), "id"),
        (lambda one: one.update(id=7), "id"),
        (lambda one: one.update(name="a/b"), "name"),
        (lambda one: one.update(set=""), "set"),
        (lambda one: one.update(commit="HEAD"), "commit"),
        (lambda one: one.update(source="x" * 5000), "source"),
        (lambda one: one.update(position=None), "position"),
        (lambda one: one.update(begun="2026-11-27T18:30:00Z"), "begun"),
        (lambda one: one.update(ended="2026-02-30T00:00:00.000Z"), "ended"),
        (lambda one: one.update(snapshot=1795804200), "snapshot"),
        (lambda one: one.update(snapshot="1969-12-31T23:59:59.000Z"), "snapshot"),
        (lambda one: one["identity"].update(engine="a b"), "engine"),
        (lambda one: one["identity"].update(place=["x"]), "identity"),
        (lambda one: one["artefact"].update(file="other/20261127T183000Z-3f9a1c.dump.zst"), "not that of this backup"),
        (lambda one: one["artefact"].update(file="shop/../../etc/passwd"), "not that of this backup"),
        (lambda one: one["artefact"].update(file=f"shop/{ID}.json.zst"), "not that of this backup"),
        (lambda one: one["artefact"].update(digest="D" * 64), "digest"),
        (lambda one: one["artefact"].update(size=-1), "size"),
        (lambda one: one["artefact"].update(content=True), "content"),
        (lambda one: one["artefact"].update(encryption=None), "artefact"),
        (lambda one: one.update(tools=[["a", "b", "c"]]), "pairs"),
        (lambda one: one.update(tools={"a": "b"}), "pairs"),
        (lambda one: one.update(tools=[["a", 1]]), "tool"),
        (lambda one: one.update(tools=[["a", "b"]] * 101), "too many"),
        (lambda one: one.update({"skew-milliseconds": -1}), "skew"),
        (lambda one: one.update({"skew-milliseconds": 10**14}), "skew"),
        (lambda one: one.update(rows="3"), "rows"),
        (lambda one: one.update(rows=4), "another number of rows"),
        (lambda one: one.update(fingerprint=None), "no object"),
        (lambda one: one["fingerprint"].update(lines=3), "does not hold"),
        (lambda one: one["fingerprint"].update(lines=10**9), "number"),
        (lambda one: one["fingerprint"].update(bytes=1), "does not hold"),
        (lambda one: one["fingerprint"].update(digest="sha256:" + "0" * 64), "does not hold"),
        (lambda one: one["fingerprint"].update(digest="md5"), "no sha256:"),
        (lambda one: one.update(position="\ud800"), "position"),
    ],
)
def test_a_first_line_that_is_not_quite_one(change: Callable[[dict[str, Any]], object], reason: str) -> None:
    assert reason in refused(altered(change))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: one.update(level="perfect"), "level"),
        (lambda one: one.update(backup="x"), "backup"),
        (lambda one: one.update(when=None), "when"),
        (lambda one: one.update(fault="x" * 20_000), "fault"),
        (lambda one: one.update(checks=[["a", 1]]), "check"),
        (lambda one: one.update(checks=[["a", True]] * 201), "too many"),
        (lambda one: one.update({"restore-milliseconds": 1.5}), "whole"),
        (lambda one: one.update(format="rollback-guard/backup-record/1"), "format"),
    ],
)
def test_a_proof_that_is_not_quite_one(change: Callable[[dict[str, Any]], object], reason: str) -> None:
    assert reason in refused(altered(change, proof_lines(ID, PROOF).render()), read_proof)


def with_rows(data: bytes, *rows: str) -> bytes:
    """A file below whose first line stands something else, of which it tells."""
    import hashlib

    body = "".join(f"{row}\n" for row in rows).encode()
    key = "fingerprint" if b'"fingerprint"' in data else "differences"
    told = {"bytes": len(body), "digest": f"sha256:{hashlib.sha256(body).hexdigest()}", "lines": len(rows)}
    return altered(lambda one: one.update({key: told}), data).partition(b"\n")[0] + b"\n" + body


ITEM = '["content","table","a","d",3]'


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (("[",), "no JSON"),
        (("[" * 100_000,), "no JSON"),
        (('["é"]',), "no JSON"),
        (("{}",), "no array"),
        (("[]",), "no item"),
        ((ITEM[:-1] + ",1]",), "no item"),
        (('["x"]', ITEM), "out of place"),
        ((ITEM, ITEM), "twice"),
        ((ITEM.replace('"a"', '"b"'), ITEM), "out of order"),
        ((ITEM.replace("content", "data"),), "neither"),
        ((ITEM.replace('"table"', "7"),), "kind"),
        ((ITEM.replace('"a"', '"\\ud800"'),), "name"),
        ((ITEM.replace('"a"', '"' + "a" * 9000 + '"'),), "name"),
        ((ITEM.replace('"d"', "null"),), "digest"),
        ((ITEM.replace("3", "3.0"),), "rows"),
        ((ITEM.replace("3", "-3"),), "rows"),
        (("[1]",), "not covered"),
        ((" " * 200_000 + ITEM,), "too long"),
    ],
)
def test_lines_below_that_are_no_fingerprint(rows: tuple[str, ...], reason: str) -> None:
    assert reason in refused(with_rows(rendered(), *rows))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('["content","table","a","changed",1]', "no difference"),
        ('["content","table","a","odd",1,2]', "a difference"),
        ('["content","table","a","changed",1,"2"]', "rows"),
    ],
)
def test_lines_below_that_are_no_differences(row: str, reason: str) -> None:
    assert reason in refused(with_rows(proof_lines(ID, PROOF).render(), row), read_proof)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_half_a_record_is_none(data: st.DataObject) -> None:
    whole = rendered(data.draw(st.sampled_from((RECORD, MANY))))
    cut = data.draw(st.integers(0, len(whole) - 1))
    if whole.startswith(b"{") or cut < len(whole) - 4:  # the end of a frame is only its checksum
        assert refused(whole[:cut])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_record_with_another_byte_is_none(data: st.DataObject) -> None:
    whole = bytearray(rendered(data.draw(st.sampled_from((RECORD, MANY)))))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = read_record(io.BytesIO(bytes(whole)))
    except FormatError:
        return
    assert read.fingerprint in (RECORD.fingerprint, MANY.fingerprint)  # a letter of a place, a figure of a moment


@unhurried
@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda one: b"\x28\xb5\x2f\xfd" + one))
def test_bytes_are_no_record(data: bytes) -> None:
    assert refused(data)
    try:
        line = first_line(data)
    except FormatError:
        return
    assert line is None or b"\n" not in line


def test_a_frame_that_swells_is_not_read_whole() -> None:
    swelling = zstandard.compress(b" " * 500_000_000)
    assert len(swelling) < BEGINNING
    assert first_line(swelling) is None
    assert "too long" in refused(swelling)
    assert "too long" in refused(zstandard.compress(b'{"a":"' + b"x" * HEAD_MOST + b'"}\n'))


@pytest.mark.parametrize(
    "record",
    [
        RECORD._replace(id="x"),
        RECORD._replace(begun=-1.0),
        RECORD._replace(skew=-1.0),
        RECORD._replace(skew=10.0**10),
        RECORD._replace(ended="now"),  # type: ignore[arg-type]
        RECORD._replace(position="\udb40"),
        RECORD._replace(fingerprint=Fingerprint((ITEMS[0], ITEMS[0]))),
        RECORD._replace(fingerprint=Fingerprint((ITEMS[0]._replace(name="x" * 9000),))),
        RECORD._replace(fingerprint=Fingerprint((), ("x" * 5000,))),
    ],
)
def test_what_no_reader_would_take_is_not_written(record: Record) -> None:
    with pytest.raises(FormatError):
        record_lines(record)


def test_what_is_larger_than_any_reader_takes_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollback_guard.backup.record_lines._LINES_MOST", 3)
    with pytest.raises(FormatError, match="larger"):
        record_lines(RECORD)


def test_moments() -> None:
    assert render_moment(0) == "1970-01-01T00:00:00.000Z"
    assert read_moment(render_moment(NOW + 0.9996), "x") == NOW + 1
    with pytest.raises(FormatError):
        read_moment("2026-13-27T18:30:00.250Z", "x")


def test_ids() -> None:
    assert is_id(ID)
    assert not any(map(is_id, ("", ID + "\n", ID[:-1], "x" + ID, ID.replace("3", "٣"), "20261127T183000Z-3F9A1C")))
