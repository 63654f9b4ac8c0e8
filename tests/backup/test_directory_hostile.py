"""Artefacts of directories that are damaged, cut off, or made to do harm: refused, and nothing leaves its place."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from rollback_guard.backup.engines.directory import Directory
from rollback_guard.backup.engines.directory_extract import extract
from rollback_guard.backup.engines.directory_tar import DIGEST, END, Chain, header, render_ending
from rollback_guard.backup.engines.directory_walk import Traits, item_of, walk
from rollback_guard.backup.model import compare
from rollback_guard.errors import GuardError, RefusedError, UndeterminedError
from tests.backup.contract import dumped, restored
from tests.backup.test_directory import made_state, source


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A small folder."""
    return made_state(tmp_path)


def test_one_flipped_bit_anywhere_is_told(state: Path, tmp_path: Path) -> None:
    engine = Directory(source(state))
    data, before = dumped(engine)
    end = data.index(END.encode())
    for number, at in enumerate(range(0, end, 97)):
        flipped = bytearray(data)
        flipped[at] ^= 4
        after, remedy = before, ""  # it was in what no name, mode or content needs
        try:
            after = restored(engine, bytes(flipped), tmp_path / str(number))
        except GuardError as error:
            remedy = error.remedy
        assert remedy or compare(before, after) == ()
    damaged = data.replace(b"content", b"kontent")
    with pytest.raises(UndeterminedError, match="the backup is damaged at inner/file"):
        restored(engine, damaged, tmp_path / "damaged")


@pytest.mark.parametrize("cut", range(1, 12))
def test_the_end_is_needed_to_the_last_block(cut: int, state: Path, tmp_path: Path) -> None:
    data, _ = dumped(Directory(source(state)))
    with pytest.raises(UndeterminedError):
        restored(Directory(source(state)), data[: -cut * 256], tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir()) == []


def member(name: str, kind: str = "file", target: str = "", content: bytes = b"", **changes: object) -> bytes:
    """One entry, right in all but what is wrong with it."""
    state = os.stat_result((0o700, 0, 0, 1, os.geteuid(), os.getegid(), len(content), 0, 0, 0), {"st_mtime_ns": 0})
    traits = Traits(0 if kind == "link" else 0o700, None)
    what = hashlib.sha256(content).hexdigest() if kind == "file" else target
    path = name[2:] if name.startswith("./") else name
    digest = item_of(kind, path, traits, what).digest
    data = header(kind, path, state, traits, target, digest)
    if changes or path == name:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.linkname = len(content), 0o700, target
        info.type = tarfile.DIRTYPE if kind == "folder" else tarfile.REGTYPE
        info.pax_headers = {DIGEST: digest}
        for key, value in changes.items():
            setattr(info, key, value)
        data = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    return data + content + bytes(-len(content) % 512)


ROOT = member(".", "folder")
HOSTILE = {
    "no folder first": (member("./x"),),
    "a name that goes up": (ROOT, member("./../x")),
    "a name with two dots within": (ROOT, member("./a", "folder"), member("./a/../../x")),
    "an absolute name": (ROOT, member("/tmp/x")),
    "a bare name": (ROOT, member("x")),
    "an empty part": (ROOT, member("./a", "folder"), member("./a//x")),
    "a folder that is not there": (ROOT, member("./a/x")),
    "through a link": (ROOT, member("./a", "link", "/tmp"), member("./a/x")),
    "twice": (ROOT, member("./a"), member("./a")),
    "out of order": (ROOT, member("./b"), member("./a")),
    "back in a folder": (ROOT, member("./a", "folder"), member("./b"), member("./a/x")),
    "the root again": (ROOT, ROOT),
    "a device": (ROOT, member("./a", type=tarfile.CHRTYPE)),
    "a FIFO": (ROOT, member("./a", type=tarfile.FIFOTYPE)),
    "a sparse file": (ROOT, member("./a", type=tarfile.GNUTYPE_SPARSE)),
    "a hard link out": (ROOT, member("./a", "hard link", "../../etc/passwd")),
    "a hard link through a link": (ROOT, member("./a", "link", "/etc"), member("./b", "hard link", "a/passwd")),
    "a hard link to a link": (ROOT, member("./a", "link", "/etc/passwd"), member("./b", "hard link", "a")),
    "a hard link to nothing": (ROOT, member("./b", "hard link", "a")),
    "a NUL in a name": (ROOT, member("./a", pax_headers={"path": "./a\0b"})),
    "an end that is too long": (ROOT, member(END, content=b"{}" + b" " * 300_000)),
    "an end that cannot be read": (ROOT, member(END, content=b'{"format": "rollback-guard/directory/2"}')),
    "an end that is no object": (ROOT, member(END, content=b"[]")),
    "an end alone": (render_ending(Chain().ending()),),
    "an end for more": (ROOT, render_ending(Chain().ending())),
    "no end": (ROOT, bytes(1024)),
    "nothing": (bytes(1024),),
    "no tar": (b"x" * 5000,),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_artefacts_are_refused(what: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    outside = sorted(os.listdir("/tmp"))
    with pytest.raises((RefusedError, UndeterminedError)) as caught:
        extract(io.BytesIO(b"".join(HOSTILE[what])), str(place / "restored"))
    assert caught.value.remedy
    assert "x" not in set(os.listdir("/tmp")) - set(outside)
    assert {one.name for one in place.iterdir()} <= {"restored"}
    for entry in walk(str(place)):
        assert stat.S_IFMT(entry.state.st_mode) in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK)


def test_what_follows_the_end_is_told(state: Path, tmp_path: Path) -> None:
    engine = Directory(source(state))
    data, before = dumped(engine)
    with pytest.raises(UndeterminedError, match="something follows"):
        restored(engine, data + b"x" * 512, tmp_path / "one")
    assert restored(engine, data + bytes(10240), tmp_path / "other") == before
