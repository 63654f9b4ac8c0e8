"""Stores: whatever they are, a file is there whole or not at all, and what dead writers left is found."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from rollback_guard.backup.storage import open_store
from rollback_guard.backup.storage_remote import RemoteStore
from rollback_guard.backup.storage_s3 import FOREVER, Bucket
from rollback_guard.backup.store import GoneError, Store, Stored
from rollback_guard.backup.stored import is_stored_name, read_place
from rollback_guard.errors import GuardError, RefusedError, UndeterminedError, UsageError
from rollback_guard.policy.scalars import is_name
from tests.support.s3 import S3, SECRET

ONE, TWO = "shop/20261127T183000Z-3f9a1c.dump.zst", "shop/20261127T183000Z-3f9a1c.json"
HOUR, DAY = 3600.0, 86400.0


@pytest.fixture(params=["file", "s3", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store of each kind; `memory` stands for every driver that shows a file before it is whole."""
    if request.param == "file":
        return open_store("file:backups", str(tmp_path))
    if request.param == "s3":
        return open_store(f"s3://{request.getfixturevalue('s3').bucket()}/here/", "/")
    return open_store(f"memory://{tmp_path.name}/backups", "/")


def put(store: Store, name: str, data: bytes = b"hello", *, replace: bool = False) -> None:
    with store.write(name, replace=replace) as sink:
        sink.write(data)


def names(store: Store, folder: str = "") -> list[str]:
    return sorted(one.name for one in store.list_files(folder))


def told(doing: Callable[[], object], kind: type[GuardError]) -> str:
    """What an error of a family says; each has a remedy, and none a secret."""
    with pytest.raises(kind) as caught:
        doing()
    assert caught.value.remedy
    assert SECRET not in caught.value.message + caught.value.remedy
    return caught.value.message


def test_what_was_written_is_there(store: Store) -> None:
    put(store, ONE)
    put(store, TWO, b"{}")
    put(store, "shop-db/20261127T183000Z-3f9a1c.json")
    assert [(one.name, one.size) for one in sorted(store.list_files("shop"))] == [(ONE, 5), (TWO, 2)]
    assert len(names(store)) == 3
    assert all(abs(one.modified - time.time()) < DAY for one in store.list_files())
    with store.read(ONE) as stream:
        assert (stream.read(2), stream.read()) == (b"he", b"llo")
    assert (store.size(ONE), store.size("shop/none"), store.locked_until(ONE)) == (5, None, None)
    assert list(store.heads([TWO, "shop/none", ONE], 3)) == [(TWO, b"{}"), ("shop/none", None), (ONE, b"hel")]


def test_nothing_is_overwritten_unless_it_may_be(store: Store) -> None:
    put(store, ONE)
    assert "already" in told(lambda: put(store, ONE, b"other"), RefusedError)
    assert store.read(ONE).read() == b"hello"
    put(store, ONE, b"other", replace=True)
    assert store.read(ONE).read() == b"other"
    assert names(store) == [ONE]


def test_what_is_being_written_is_not_listed_and_an_abort_leaves_nothing(store: Store) -> None:
    put(store, TWO)

    def cut() -> None:
        with store.write(ONE) as sink:
            sink.write(b"x" * 20_000_000)
            assert (names(store), store.size(ONE)) == ([TWO], None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut()
    gc.collect()  # what is forgotten is not completed either
    assert names(store) == [TWO]
    assert store.sweep(time.time() + 3 * DAY) == ()


def test_a_large_file_comes_back_whole(store: Store) -> None:
    piece = os.urandom(1 << 20)
    with store.write(ONE) as sink:
        for _ in range(37):
            sink.write(memoryview(piece))
    assert store.size(ONE) == 37 << 20
    with store.read(ONE) as stream:
        assert all(stream.read(1 << 20) == piece for _ in range(37))
        assert stream.read() == b""


def test_what_is_gone_is_said_to_be(store: Store) -> None:
    put(store, ONE)
    store.delete(ONE)
    store.delete(ONE)
    store.delete("other/none")
    assert names(store) == []
    assert "gone" in told(lambda: store.read(ONE).read(), GoneError)


@pytest.mark.parametrize(
    "name", ["../x/y", "shop/../x", "/etc/passwd", "shop", "shop/a/b", ".git/config", "shop/.x", ""]
)
def test_names_that_lead_elsewhere_are_refused(store: Store, name: str) -> None:
    assert not is_stored_name(name)
    told(lambda: put(store, name), UsageError)
    told(lambda: store.delete(name), UsageError)


@pytest.mark.parametrize("url", ["", "backups", "file:", "file://host/x", "s3:", "file:\0", "://x"])
def test_a_url_that_cannot_be_meant(url: str) -> None:
    told(lambda: read_place(url, "/"), UsageError)


@pytest.mark.parametrize("url", ["nope://user:canary@x/y", "simplecache::s3://x/y", "memory:x", "s3:bucket"])
def test_a_url_that_no_driver_understands(url: str) -> None:
    assert "canary" not in told(lambda: open_store(url, "/"), UsageError)


def test_a_driver_that_connects_at_once_and_cannot() -> None:
    said = told(lambda: open_store("ftp://user:canary@127.0.0.1:1/x", "/"), UndeterminedError)
    assert said.startswith("ftp://127.0.0.1:1/x cannot be reached: ConnectionRefusedError")


def test_urls_of_folders(tmp_path: Path) -> None:
    assert read_place("file:backups", "/srv/shop").where == "/srv/shop/backups"
    assert read_place("FILE:/var/b/../c", "/srv").where == "/var/c"
    assert read_place("file://localhost/var/a%20b", "/srv").where == "/var/a b"
    assert open_store("file:b", str(tmp_path)).shown == f"file:{tmp_path}/b"


@pytest.mark.parametrize(
    ("module", "url", "remedy"),
    [
        ("s3fs", "s3://bucket/x", "pip install 'rollback-guard[s3]'"),
        ("fsspec.core", "s3://bucket/x", "pip install 'rollback-guard[s3]'"),
        ("gcsfs", "gs://bucket/x", "pip install 'fsspec[gs]'"),
    ],
)
def test_a_missing_driver_says_what_to_install(module: str, url: str, remedy: str) -> None:
    script = (
        "import sys; sys.modules[sys.argv[1]] = None\n"
        "from rollback_guard.backup.storage import open_store\n"
        "from rollback_guard.errors import UndeterminedError\n"
        "try: open_store(sys.argv[2], '/')\n"
        "except UndeterminedError as error: print(error.remedy)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, module, url], capture_output=True, text=True, check=True)
    assert done.stdout == f"{remedy}\n"


class Driver:
    """A driver of another kind: what it opens knows no way to be given up, and nothing of it can be removed."""

    def __init__(self, **about: object) -> None:
        self.about = about
        self.opened = io.BytesIO()

    def makedirs(self, path: str, exist_ok: bool) -> None:
        pass

    def info(self, path: str) -> object:
        raise FileNotFoundError

    def open(self, path: str, mode: str, block_size: int) -> io.BytesIO:
        return self.opened

    def find(self, path: str, detail: bool) -> dict[str, object]:
        return {f"root/{ONE}": self.about, f"root/{ONE}/deeper": {}, "root/top": {}}

    def rm_file(self, path: str) -> None:
        raise PermissionError(13, "secret")


def test_what_cannot_be_given_up_does_not_hide_why() -> None:
    store = RemoteStore(Driver(), "root", "odd://root", "odd")

    def cut() -> None:
        with store.write(ONE):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cut()
    assert told(lambda: store.delete(ONE), UndeterminedError) == (
        "odd://root cannot be written: PermissionError, Permission denied"
    )


@pytest.mark.parametrize(
    ("about", "modified"),
    [
        ({"mtime": 5.5}, 5.5),
        ({"updated": "1970-01-02T00:00:00Z"}, DAY),
        ({"created": datetime(1970, 1, 2)}, DAY),  # some drivers tell no zone
        ({"LastModified": datetime(1970, 1, 2, tzinfo=timezone.utc)}, DAY),
        ({"last_modified": "yesterday", "created": 7}, 7.0),
        ({"mtime": None}, 0.0),
    ],
)
def test_drivers_differ_in_how_they_tell_when(about: dict[str, object], modified: float) -> None:
    store = RemoteStore(Driver(size=3, **about), "root", "odd://root", "odd")
    assert list(store.list_files()) == [Stored(ONE, 3, modified)]


def test_names_are_those_that_a_policy_takes() -> None:
    for part in ("shop", "Shop-1.x_y", "-x", ".x", "_x", "é", "", "x y", "x\n", "x" * 255, "9"):
        assert is_stored_name(f"{part}/x") is is_name(part), part
    assert not is_stored_name("x" * 256 + "/x")


def test_only_s3_can_lock(tmp_path: Path) -> None:
    for url in ("file:b", f"memory://{tmp_path.name}/b"):
        store = open_store(url, str(tmp_path))
        with pytest.raises(UsageError, match="cannot lock"), store.write(ONE, retain_until=time.time() + HOUR):
            pass


class TestFolder:
    def test_only_its_owner_reads_it(self, tmp_path: Path) -> None:
        put(open_store("file:backups", str(tmp_path)), ONE)
        modes = [stat.S_IMODE(os.stat(tmp_path / "backups" / one).st_mode) for one in (".", "shop", ONE)]
        assert modes == [0o700, 0o700, 0o600]

    def test_one_that_is_not_there_is_no_empty_one(self, tmp_path: Path) -> None:
        store = open_store("file:backups", str(tmp_path))
        assert "is not there" in told(lambda: names(store), UndeterminedError)
        assert store.sweep(time.time()) == ()

    def test_links_in_it_are_none_of_its_files(self, tmp_path: Path) -> None:
        store = open_store("file:backups", str(tmp_path))
        put(store, TWO)
        (tmp_path / "secret").write_text("secret")
        (tmp_path / "backups" / ONE).symlink_to(tmp_path / "secret")
        (tmp_path / "backups/link").symlink_to(tmp_path)
        os.mkfifo(tmp_path / "backups/shop/pipe")
        assert names(store) == [TWO]
        assert "a link" in told(lambda: store.read(ONE), UndeterminedError)
        assert "a link" in told(lambda: store.read("link/secret"), UndeterminedError)
        assert "no regular file" in told(lambda: store.size("shop/pipe"), UndeterminedError)
        assert "a link" in told(lambda: put(store, "link/new"), UndeterminedError)
        assert sorted(os.listdir(tmp_path)) == ["backups", "secret"]
        store.delete(ONE)
        assert (tmp_path / "secret").read_text() == "secret"

    def test_a_store_that_is_a_link_to_a_folder_is_one(self, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        (tmp_path / "backups").symlink_to("disk")
        store = open_store("file:backups", str(tmp_path))
        put(store, ONE)
        assert names(store) == [ONE]

    def test_a_file_where_the_store_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "backups").write_text("")
        store = open_store("file:backups", str(tmp_path))
        told(lambda: put(store, ONE), UndeterminedError)
        told(lambda: names(store), UndeterminedError)
        told(lambda: store.delete(ONE), UndeterminedError)

    def test_a_file_system_without_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        store = open_store("file:backups", str(tmp_path))
        put(store, ONE)
        told(lambda: put(store, ONE, b"other"), RefusedError)
        assert store.read(ONE).read() == b"hello"
        assert os.listdir(tmp_path / "backups/shop") == [ONE[5:]]

    def test_any_other_refusal_to_link_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "link", refuse)
        store = open_store("file:backups", str(tmp_path))
        assert "Input/output error" in told(lambda: put(store, ONE), UndeterminedError)
        assert os.listdir(tmp_path / "backups/shop") == []

    def test_another_writer_may_make_the_folder_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "backups/shop").mkdir(parents=True)
        real = os.path.isdir
        monkeypatch.setattr(os.path, "isdir", lambda path: not str(path).endswith("shop") and real(path))
        store = open_store("file:backups", str(tmp_path))
        put(store, ONE)
        assert names(store) == [ONE]

    def test_a_folder_above_that_may_not_be_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.open

        def closed(path: object, *args: object, **options: object) -> int:
            if path == str(tmp_path):
                raise PermissionError(13, "Permission denied")
            return real(path, *args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "open", closed)
        store = open_store("file:backups", str(tmp_path))
        put(store, ONE)
        assert names(store) == [ONE]

    def test_what_goes_while_it_is_listed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = open_store("file:backups", str(tmp_path))
        put(store, ONE)
        put(store, TWO)
        real = os.scandir

        def late(path: str) -> object:
            found = real(path)
            if path.endswith("shop"):
                every = list(found)
                (tmp_path / "backups" / ONE).unlink()
                return contextlib.nullcontext(every)
            return found

        with monkeypatch.context() as patched:
            patched.setattr(os, "scandir", late)
            assert names(store) == [TWO]

    def test_a_source_that_fails_while_it_is_read(self, tmp_path: Path) -> None:
        store = open_store("file:backups", str(tmp_path))
        put(store, ONE)
        stream = store.read(ONE)
        folder = os.open(tmp_path, os.O_RDONLY)
        os.dup2(folder, stream.raw._source.fileno())  # type: ignore[attr-defined]
        os.close(folder)
        assert "Is a directory" in told(stream.read, UndeterminedError)
        stream.close()


class TestS3:
    def test_what_is_locked_stays(self, s3: S3) -> None:
        store, until = open_store(f"s3://{s3.bucket(lock=True)}", "/"), time.time() + HOUR
        for name, size in ((ONE, 5), (TWO, 20_000_000)):  # in one go, and in parts
            with store.write(name, retain_until=until) as sink:
                sink.write(b"x" * size)
            assert until <= (store.locked_until(name) or 0) <= until + 1
            assert "locked" in told(lambda name=name: store.delete(name), RefusedError)  # type: ignore[misc]
        assert names(store) == sorted([ONE, TWO])

    def test_a_legal_hold_has_no_end(self, s3: S3) -> None:
        bucket = s3.bucket(lock=True)
        store = open_store(f"s3://{bucket}", "/")
        put(store, ONE)
        assert store.locked_until(ONE) is None
        s3.client.put_object_legal_hold(Bucket=bucket, Key=ONE, LegalHold={"Status": "ON"})
        assert store.locked_until(ONE) == FOREVER
        told(lambda: store.delete(ONE), RefusedError)

    def test_a_bucket_that_cannot_lock_says_so(self, s3: S3) -> None:
        store = open_store(f"s3://{s3.bucket()}/x", "/")
        with (
            pytest.raises(UndeterminedError, match="InvalidRequest"),
            store.write(ONE, retain_until=time.time() + HOUR),
        ):
            pass
        assert names(store) == []

    def test_no_older_version_comes_to_light(self, s3: S3) -> None:
        bucket = s3.bucket(lock=True)
        store = open_store(f"s3://{bucket}", "/")
        for data in (b"1", b"2", b"3"):
            put(store, TWO, data, replace=True)
        store.delete(TWO)
        assert (names(store), "Versions" in s3.client.list_object_versions(Bucket=bucket)) == ([], False)

    def test_uploads_that_were_never_completed_go_after_a_day(self, s3: S3) -> None:
        bucket = s3.bucket()
        store = open_store(f"s3://{bucket}/here", "/")
        for key in (f"here/{ONE}", f"elsewhere/{ONE}"):
            begun = s3.client.create_multipart_upload(Bucket=bucket, Key=key)
        assert begun["Key"].startswith("elsewhere")
        first = s3.client.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["Initiated"].timestamp()
        assert store.sweep(first + HOUR) == ()
        assert store.sweep(first + DAY + HOUR) == (ONE,)
        left = s3.client.list_multipart_uploads(Bucket=bucket)["Uploads"]
        assert [one["Key"] for one in left] == [f"elsewhere/{ONE}"]

    def test_one_that_cannot_be_reached(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        nowhere = open_store("s3://no-such-bucket/x", "/")
        assert "NoSuchBucket" in told(lambda: names(nowhere), UndeterminedError)
        assert "NoSuchBucket" in told(lambda: put(nowhere, ONE), UndeterminedError)
        bucket = s3.bucket()
        monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        down = open_store(f"s3://{bucket}/x", "/")
        told(lambda: list(down.heads([ONE], 10)), UndeterminedError)
        told(lambda: down.locked_until(ONE), UndeterminedError)

    def test_an_upload_whose_bucket_goes_away(self, s3: S3) -> None:
        bucket = s3.bucket()
        store = open_store(f"s3://{bucket}/x", "/")

        def cut() -> None:
            with store.write(ONE) as sink:
                sink.write(b"x" * 20_000_000)
                s3.client.delete_bucket(Bucket=bucket)

        assert "NoSuchBucket" in told(cut, UndeterminedError)

    def test_parts_grow_since_their_number_is_bounded(self, s3: S3) -> None:
        store = open_store(f"s3://{s3.bucket()}/x", "/")
        with store.write(ONE) as sink:
            sink.write(b"x")
            assert sink._handle.blocksize == 8 << 20  # type: ignore[attr-defined]
            sink._written = 100 << 30  # type: ignore[attr-defined]
            sink.write(b"x")
            assert sink._handle.blocksize == ((100 << 30) + 1) // 2000  # type: ignore[attr-defined]

    def test_a_code_is_found_behind_any_wrapping(self) -> None:
        from rollback_guard.backup.storage_remote import kind_of

        inner = Exception("secret")
        inner.response = {"Error": {"Code": "AccessDenied"}}  # type: ignore[attr-defined]
        outer = ValueError("secret")
        outer.__cause__ = inner
        assert kind_of(outer) == "AccessDenied"
        assert kind_of(PermissionError(13, "secret")) == "PermissionError, Permission denied"
        assert kind_of(ValueError("secret")) == "ValueError"

    def test_a_bucket_with_endless_versions_is_left_in_the_end(self) -> None:
        class Endless:
            calls = 0

            def call_s3(self, method: str, **_: object) -> dict[str, object]:
                self.calls += 1
                return {}

        endless = Endless()
        assert not Bucket(endless).delete("bucket/key")
        assert endless.calls == 20_000
