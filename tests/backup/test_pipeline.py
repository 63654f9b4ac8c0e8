"""Between engine and store: what comes back is what went in, to the byte, or an error that says which kind of not."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import zstandard

from rollback_guard.backup import pipeline
from rollback_guard.backup.artefact_stream import ArtefactError
from rollback_guard.backup.model import Artefact
from rollback_guard.backup.pipeline import (
    artefact_name,
    check_readable,
    check_stored,
    open_artefact,
    store_dump,
)
from rollback_guard.backup.sealing import Keys, Recipients, SealedError, read_keys, read_recipients, sealing, unsealing
from rollback_guard.backup.storage import open_store
from rollback_guard.backup.store import Store
from rollback_guard.errors import GuardError, UndeterminedError, UsageError
from tests.support.requirements import require

FILE = "shop/20261127T183000Z-3f9a1c.dump.zst"
DATA = os.urandom(300_000) + b"row\n" * 500_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store("file:backups", str(tmp_path))


class Pair:
    """A key in a file, and to whom it belongs."""

    def __init__(self, folder: Path, name: str) -> None:
        import pyrage

        key = pyrage.x25519.Identity.generate()
        self.path = folder / name
        self.path.write_text(f"# created: today\n# public key: {key.to_public()}\n{key}\n")
        self.path.chmod(0o600)
        self.recipient = str(key.to_public())

    @property
    def keys(self) -> Keys:
        return read_keys(str(self.path))

    @property
    def recipients(self) -> Recipients:
        return read_recipients([self.recipient])


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path, "key.txt")


def dump(data: bytes = DATA) -> Callable[[BinaryIO], None]:
    """An engine's dump that writes in uneven pieces."""

    def write(sink: BinaryIO) -> None:
        view = memoryview(data)
        for first in range(0, len(view), 70_001):
            assert sink.write(view[first : first + 70_001]) == len(view[first : first + 70_001])

    return write


def kept(store: Store, data: bytes = DATA, recipients: Recipients | None = None, file: str = FILE) -> Artefact:
    return store_dump(dump(data), store, file, recipients=recipients)


def path_of(store: Store, file: str = FILE) -> Path:
    return Path(store.shown.removeprefix("file:")) / file


def fault(doing: Callable[[], object]) -> str:
    with pytest.raises(ArtefactError) as caught:
        doing()
    assert caught.value.remedy
    return caught.value.fault


@pytest.mark.parametrize("data", [b"", b"x", DATA], ids=["empty", "small", "large"])
@pytest.mark.parametrize("sealed", [False, True])
def test_what_went_in_comes_back(data: bytes, sealed: bool, store: Store, pair: Pair) -> None:
    file = artefact_name("shop", "20261127T183000Z-3f9a1c", ".dump", sealed=sealed)
    artefact = kept(store, data, pair.recipients if sealed else None, file)
    stored = path_of(store, file).read_bytes()
    assert artefact == Artefact(
        file=file,
        digest=hashlib.sha256(stored).hexdigest(),
        size=len(stored),
        content=len(data),
        encryption="age" if sealed else "",
    )
    assert file.endswith(".zst.age" if sealed else ".zst")
    with open_artefact(store, artefact, pair.keys if sealed else None) as stream:
        assert stream.read() == data
        assert stream.read() == b""
    check_stored(store, artefact)
    check_readable(store, artefact, pair.keys)


def test_other_readers_read_it(store: Store, pair: Pair) -> None:
    artefact = kept(store)
    plain = zstandard.ZstdDecompressor().stream_reader(path_of(store).read_bytes()).read()
    assert plain == DATA
    assert path_of(store).read_bytes()[4] & 4  # the frame has a checksum
    import pyrage

    sealed = kept(store, DATA, pair.recipients, FILE + ".age")
    key = pyrage.x25519.Identity.from_str(pair.path.read_text().splitlines()[-1])
    inner = pyrage.decrypt(path_of(store, sealed.file).read_bytes(), [key])
    assert zstandard.ZstdDecompressor().stream_reader(inner).read() == DATA
    assert artefact.content == sealed.content


def test_each_of_several_keys_opens_it_and_others_do_not(store: Store, pair: Pair, tmp_path: Path) -> None:
    ssh_keygen = require("ssh-keygen", install="apt-get install openssh-client")
    subprocess.run([ssh_keygen, "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "ssh"], check=True)
    public = (tmp_path / "ssh.pub").read_text()
    artefact = kept(store, DATA, read_recipients([pair.recipient, public]))
    for keys in (pair.keys, read_keys(str(tmp_path / "ssh"))):
        check_readable(store, artefact, keys)
    assert fault(lambda: check_readable(store, artefact, Pair(tmp_path, "other.txt").keys)) == "sealed"
    assert fault(lambda: open_artefact(store, artefact)) == "sealed"


@pytest.mark.parametrize("sealed", [False, True])
class TestDamage:
    def broken(self, store: Store, pair: Pair, sealed: bool) -> tuple[Artefact, Path, Keys | None]:
        artefact = kept(store, DATA, pair.recipients if sealed else None)
        return artefact, path_of(store), pair.keys if sealed else None

    @pytest.mark.parametrize("at", [0, 4, 150, 1000, -1])
    def test_a_flipped_bit_is_a_change(self, store: Store, pair: Pair, sealed: bool, at: int) -> None:
        artefact, path, keys = self.broken(store, pair, sealed)
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)
        assert fault(lambda: check_readable(store, artefact, keys)) == "changed"
        assert fault(lambda: check_stored(store, artefact)) == "changed"

    def test_a_size_that_differs_is_a_change_before_anything_is_read(
        self, store: Store, pair: Pair, sealed: bool
    ) -> None:
        artefact, path, keys = self.broken(store, pair, sealed)
        path.write_bytes(path.read_bytes() + b"x")
        assert fault(lambda: open_artefact(store, artefact, keys)) == "changed"
        assert fault(lambda: check_stored(store, artefact)) == "changed"

    @pytest.mark.parametrize("by", [-1000, -5, -1, 1, 1000])
    def test_a_size_that_changes_while_it_is_read(self, store: Store, pair: Pair, sealed: bool, by: int) -> None:
        artefact = kept(store, os.urandom(8_000_000), pair.recipients if sealed else None)  # more than is read ahead

        def changing() -> None:
            with open_artefact(store, artefact, pair.keys if sealed else None), path_of(store).open("r+b") as file:
                file.truncate(artefact.size + by)

        assert fault(changing) == "changed"

    def test_gone(self, store: Store, pair: Pair, sealed: bool) -> None:
        artefact, path, keys = self.broken(store, pair, sealed)
        path.unlink()
        assert fault(lambda: open_artefact(store, artefact, keys)) == "gone"
        assert fault(lambda: check_stored(store, artefact)) == "gone"

    def test_gone_between_looking_and_reading(
        self, store: Store, pair: Pair, sealed: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        artefact, path, keys = self.broken(store, pair, sealed)
        path.unlink()
        monkeypatch.setattr(pipeline, "look_at", lambda *_: None)
        assert fault(lambda: open_artefact(store, artefact, keys)) == "gone"

    @pytest.mark.parametrize("cut", [1, 3, 4, 5, 200, 5000])
    def test_a_frame_that_was_stored_cut_off_cannot_be_read(
        self, store: Store, pair: Pair, sealed: bool, cut: int
    ) -> None:
        frame = zstandard.ZstdCompressor(write_checksum=True).compress(DATA)
        assert self.stored(store, pair, sealed, frame[:-cut]) == "unreadable"

    @pytest.mark.parametrize("more", [b"x", b"\0" * 100, zstandard.compress(b"more"), zstandard.compress(b"")[:-1]])
    def test_what_stands_behind_a_frame_is_no_backup(self, store: Store, pair: Pair, sealed: bool, more: bytes) -> None:
        frame = zstandard.ZstdCompressor(write_checksum=True).compress(DATA)
        assert self.stored(store, pair, sealed, frame + more) == "unreadable"

    @pytest.mark.parametrize("content", [len(DATA) - 1, len(DATA) + 1, len(DATA) + 16, len(DATA) + 17])
    def test_another_number_of_bytes_than_the_record_says(
        self, store: Store, pair: Pair, sealed: bool, content: int
    ) -> None:
        artefact, _, keys = self.broken(store, pair, sealed)
        wrong = artefact._replace(content=content)
        assert fault(lambda: check_readable(store, wrong, keys)) == "unreadable"

    def stored(self, store: Store, pair: Pair, sealed: bool, data: bytes) -> str:
        """What is said of an artefact that is as its record says, and was never right."""
        with store.write(FILE) as sink:
            if sealed:
                with sealing(sink, pair.recipients) as inner:
                    inner.write(data)
            else:
                sink.write(data)
        whole = path_of(store).read_bytes()
        artefact = Artefact(
            file=FILE,
            digest=hashlib.sha256(whole).hexdigest(),
            size=len(whole),
            content=len(DATA),
            encryption="age" if sealed else "",
        )
        check_stored(store, artefact)
        return fault(lambda: check_readable(store, artefact, pair.keys))


def test_what_this_version_does_not_know_is_not_guessed(store: Store) -> None:
    artefact = kept(store)
    for odd in (artefact._replace(compression="lzma"), artefact._replace(encryption="rot13")):
        assert fault(lambda odd=odd: open_artefact(store, odd)) == "unreadable"  # type: ignore[misc]


def test_a_window_that_exhausts_memory_is_refused(store: Store) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = frame.compress(b"x" * 100) + frame.flush()
    with store.write(FILE) as sink:
        sink.write(data)
    artefact = Artefact(file=FILE, digest=hashlib.sha256(data).hexdigest(), size=len(data), content=100)
    assert fault(lambda: check_readable(store, artefact)) == "unreadable"


@pytest.mark.parametrize("sealed", [False, True])
def test_a_reader_that_stops_early_leaves_no_thread(store: Store, pair: Pair, sealed: bool) -> None:
    before = threading.active_count()
    artefact = kept(store, os.urandom(3_000_000), pair.recipients if sealed else None)
    stream = open_artefact(store, artefact, pair.keys if sealed else None)
    assert len(stream.read(10)) == 10
    stream.close()

    def stops() -> None:
        with open_artefact(store, artefact, pair.keys if sealed else None) as stream:
            stream.read(10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stops()
    assert threading.active_count() == before


@pytest.mark.parametrize("sealed", [False, True])
def test_a_dump_that_fails_leaves_nothing(store: Store, pair: Pair, sealed: bool) -> None:
    before = threading.active_count()

    def fails(sink: BinaryIO) -> None:
        sink.write(DATA)
        raise UndeterminedError("the server went away", remedy="look")

    with pytest.raises(UndeterminedError, match="went away"):
        store_dump(fails, store, FILE, recipients=pair.recipients if sealed else None)
    assert list(store.list_files()) == []
    assert threading.active_count() == before


class Full(io.RawIOBase):
    """A sink or a source that fails after some bytes, in its own words."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def write(self, data: Any) -> int:
        self._take(len(data))
        return len(data)

    def read(self, size: int = -1) -> bytes:
        self._take(size)
        return b"x" * size

    def _take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise UndeterminedError("no space is left", remedy="df -h")


@pytest.mark.parametrize("after", [0, 100_000, 3_100_000])
def test_a_store_that_is_full_is_what_is_told_behind_encryption_too(after: int, pair: Pair) -> None:
    def fill() -> None:
        with sealing(Full(after), pair.recipients) as inner:  # type: ignore[arg-type]
            for _ in range(50):
                inner.write(os.urandom(62_500))

    with pytest.raises(UndeterminedError, match="no space is left"):
        fill()


def test_a_source_that_fails_is_what_is_told_behind_encryption_too(pair: Pair) -> None:
    with pytest.raises(UndeterminedError, match="no space"):
        unsealing(Full(0), pair.keys).read()  # type: ignore[arg-type]
    with pytest.raises(SealedError, match="cannot be decrypted"):
        unsealing(io.BytesIO(b"no age"), pair.keys).read()


@pytest.mark.parametrize("sealed", [False, True])
def test_an_engine_may_wrap_what_it_writes_to_and_reads_from(sealed: bool, store: Store, pair: Pair) -> None:
    def wrapped(sink: BinaryIO) -> None:
        with io.TextIOWrapper(io.BufferedWriter(sink, 10_000), "utf-8") as text:
            text.write("é\n" * 50_000)

    artefact = store_dump(wrapped, store, FILE, recipients=pair.recipients if sealed else None)
    with open_artefact(store, artefact, pair.keys) as stream, io.TextIOWrapper(stream, "utf-8") as text:
        assert sum(line == "é\n" for line in text) == 50_000


def test_every_stage_can_be_wrapped(pair: Pair, tmp_path: Path) -> None:
    store = open_store("file:backups", str(tmp_path))
    with store.write(FILE) as sink, sealing(sink, pair.recipients) as inner, io.BufferedWriter(inner) as outer:
        outer.write(b"hello")
    with io.BufferedReader(unsealing(store.read(FILE), pair.keys)) as reader:
        assert reader.read() == b"hello"
    with store.write(FILE + "2") as sink:
        outer = io.BufferedWriter(sink)
        outer.write(b"hello")
        outer.close()
    assert store.size(FILE + "2") == 5


def test_progress_is_told_and_ends_with_all_of_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "PACE", 0.0)
    told: list[tuple[int, float]] = []
    store_dump(dump(), store, FILE, progress=lambda size, rate: told.append((size, rate)))
    sizes = [size for size, _ in told]
    assert sizes == sorted(sizes)
    assert (len(sizes) > 5, sizes[-1]) == (True, len(DATA))
    assert all(rate > 0 for _, rate in told)


def test_memory_stays_flat(tmp_path: Path, pair: Pair) -> None:
    script = """
import sys
from rollback_guard.backup.pipeline import check_readable, store_dump
from rollback_guard.backup.sealing import read_keys, read_recipients
from rollback_guard.backup.storage import open_store
store = open_store("file:backups", sys.argv[1])
recipients, keys = read_recipients([sys.argv[3]]), read_keys(sys.argv[2])
def peak(megabytes):
    def dump(sink):
        for number in range(megabytes):
            sink.write(bytes([number % 256]) * 1_000_000)
    for sealed in (None, recipients):
        artefact = store_dump(dump, store, f"shop/{megabytes}{sealed is None}.zst", recipients=sealed)
        check_readable(store, artefact, keys)
    with open("/proc/self/status") as status:  # what getrusage tells is inherited
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
small = peak(80)
print(peak(400) - small)
"""
    command = [sys.executable, "-c", script, str(tmp_path), str(pair.path), pair.recipient]
    grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(grown) < 20_000  # KiB more, for five times as much


class TestKeys:
    def told(self, doing: Callable[[], object], kind: type[GuardError]) -> GuardError:
        with pytest.raises(kind) as caught:
            doing()
        assert caught.value.remedy
        assert "CANARY" not in caught.value.message + caught.value.remedy
        return caught.value

    @pytest.mark.parametrize("text", ["", "age1x", "ssh-ed25519 AAAA", "jane@acme.example", "ecdsa-sha2-nistp256 A"])
    def test_what_is_no_recipient(self, text: str) -> None:
        assert "no recipient" in self.told(lambda: read_recipients([text]), UsageError).message

    def test_a_key_file_is_for_its_owner_alone(self, pair: Pair) -> None:
        pair.path.chmod(0o640)
        assert self.told(lambda: pair.keys, UsageError).remedy == f"chmod 600 {pair.path}"

    @pytest.mark.parametrize(
        "text", ["", "# nothing\n", "AGE-SECRET-KEY-1CANARY\n", "\xff", "-----BEGIN CANARY-----\n"]
    )
    def test_what_is_no_key_file(self, text: str, pair: Pair) -> None:
        pair.path.write_text(text, encoding="latin-1")
        assert "no key" in self.told(lambda: pair.keys, UsageError).message

    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        self.told(lambda: read_keys(str(tmp_path / "none")), UndeterminedError)

    def test_a_passphrase_cannot_be_asked_for(self, pair: Pair, tmp_path: Path) -> None:
        pair.path.write_text("age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 18\n")
        assert "passphrase" in self.told(lambda: pair.keys, UsageError).message
        ssh_keygen = require("ssh-keygen", install="apt-get install openssh-client")
        subprocess.run([ssh_keygen, "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "ssh"], check=True)
        error = self.told(lambda: read_keys(str(tmp_path / "ssh")), UsageError)
        assert "passphrase" in error.message

    def test_keys_are_not_shown(self, pair: Pair) -> None:
        assert repr(pair.keys) == "Keys(…)"

    def test_without_the_extra_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pyrage", None)
        error = self.told(lambda: read_recipients(["age1"]), UndeterminedError)
        assert error.remedy == "pip install 'rollback-guard[encrypt]'"
