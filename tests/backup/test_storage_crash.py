"""Killed with SIGKILL at any step of a write, or out of space: what is listed is whole, and the rest is swept."""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_guard.backup import storage_writers
from rollback_guard.backup.storage import open_store
from rollback_guard.backup.storage_writers import DAY, is_left_over, is_temporary, temporary_name
from rollback_guard.errors import UndeterminedError
from tests.support.s3 import S3

NAME = "shop/20261127T183000Z-3f9a1c.dump.zst"
SIZE = 20_000_000

DRIVER = """
import importlib, os, signal, sys
from rollback_guard.backup.storage import open_store
url, folder, module, name, when, call, sent, replace = sys.argv[1:9]
holder = importlib.import_module(module)
owner, _, name = name.rpartition(".")
holder = getattr(holder, owner) if owner else holder
real, calls = getattr(holder, name), []
def deadly(*args, **options):
    calls.append(name)
    here = len(calls) == int(call)
    if here and when == "before":
        os.kill(os.getpid(), int(sent))
    said = real(*args, **options)
    if here and when == "after":
        os.kill(os.getpid(), int(sent))
    return said
store = open_store(url, folder)
setattr(holder, name, deadly)
with store.write("shop/20261127T183000Z-3f9a1c.dump.zst", replace=replace == "replace") as sink:
    for _ in range(20):
        sink.write(b"x" * 1_000_000)
"""


class Writer:
    """A process that writes, and is hit at a step: a function, before or after, and at which call of it."""

    def __init__(self, url: str, folder: Path, step: str, sent: int, *, replace: bool = False) -> None:
        when, module, name, call = step.split(":")
        words = (url, str(folder), module, name, when, call, str(int(sent)), "replace" if replace else "")
        self.process = subprocess.Popen([sys.executable, "-c", DRIVER, *words], stderr=subprocess.PIPE)

    def killed(self) -> None:
        assert self.process.stderr is not None
        said = self.process.communicate()[1]
        assert self.process.returncode == -signal.SIGKILL, said

    def stopped(self) -> None:
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)


# Up to a step nothing counts, from then on all of it.
BEFORE = (
    "before:os:mkdir:1",
    "after:os:mkdir:2",
    "before:os:open:3",
    "before:fcntl:flock:1",
    "after:fcntl:flock:1",
    "before:os:write:1",
    "after:os:write:7",
    "before:os:fsync:3",
    "after:os:fsync:3",
    "before:os:link:1",
)
AFTER = ("after:os:link:1", "before:os:fsync:4", "after:os:fsync:4", "before:os:unlink:1", "after:os:unlink:1")


@pytest.mark.parametrize("step", [*BEFORE, *AFTER])
def test_killed(step: str, tmp_path: Path) -> None:
    Writer("file:backups", tmp_path, step, signal.SIGKILL).killed()
    (tmp_path / "backups").mkdir(exist_ok=True)
    store = open_store("file:backups", str(tmp_path))
    whole = [(one.name, one.size) for one in store.list_files()]
    assert whole == ([(NAME, SIZE)] if step in AFTER else [])
    store.sweep(time.time())
    left = [path.name for path in (tmp_path / "backups").rglob("*") if path.is_file()]
    assert left == [Path(name).name for name, _ in whole]
    if not whole:
        with store.write(NAME) as sink:
            sink.write(b"again")
    assert store.size(NAME) == (SIZE if whole else 5)


@pytest.mark.parametrize(("step", "new"), [("before:os:replace:1", False), ("after:os:replace:1", True)])
def test_killed_while_it_replaces(step: str, new: bool, tmp_path: Path) -> None:
    store = open_store("file:backups", str(tmp_path))
    with store.write(NAME) as sink:
        sink.write(b"old")
    Writer("file:backups", tmp_path, step, signal.SIGKILL, replace=True).killed()
    assert store.size(NAME) == (SIZE if new else 3)
    assert len(store.sweep(time.time())) == (not new)
    assert len(os.listdir(tmp_path / "backups/shop")) == 1


@pytest.mark.parametrize("step", ["after:s3fs.core:S3File._upload_chunk:1", "before:s3fs.core:S3File.commit:1"])
def test_killed_while_it_uploads(step: str, s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    url = f"s3://{bucket}/here"
    Writer(url, tmp_path, step, signal.SIGKILL).killed()
    store = open_store(url, "/")
    assert list(store.list_files()) == []
    assert store.sweep(time.time()) == (NAME,)  # moto dates every upload years back
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("step", ["before:fcntl:flock:1", "before:os:link:1"])
def test_what_somebody_still_writes_stays(step: str, tmp_path: Path) -> None:
    writer = Writer("file:backups", tmp_path, step, signal.SIGSTOP)
    writer.stopped()
    store = open_store("file:backups", str(tmp_path))
    assert (store.sweep(time.time() + 3 * DAY), list(store.list_files())) == ((), [])
    writer.process.send_signal(signal.SIGCONT)
    writer.process.communicate()
    assert (writer.process.returncode, store.size(NAME)) == (0, SIZE)


def test_of_two_that_write_one_name_the_first_to_end_has_it(tmp_path: Path) -> None:
    writer = Writer("file:backups", tmp_path, "before:os:link:1", signal.SIGSTOP)
    writer.stopped()
    store = open_store("file:backups", str(tmp_path))
    with store.write(NAME) as sink:
        sink.write(b"first")
    writer.process.send_signal(signal.SIGCONT)
    said = writer.process.communicate()[1]
    assert (writer.process.returncode, b"RefusedError" in said) == (1, True)
    assert store.read(NAME).read() == b"first"
    assert os.listdir(tmp_path / "backups/shop") == [NAME[5:]]


def test_what_another_machine_holds_stays_and_what_it_left_goes_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer("file:backups", tmp_path, "before:os:link:1", signal.SIGSTOP)
    writer.stopped()
    store = open_store("file:backups", str(tmp_path))
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    assert store.sweep(time.time() + 3 * DAY) == ()
    writer.process.kill()
    writer.process.communicate()
    assert store.sweep(time.time() + DAY / 2) == ()
    (gone,) = store.sweep(time.time() + 3 * DAY)
    assert is_temporary(gone.partition("/")[2])


def test_what_is_finished_while_it_is_swept_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store("file:backups", str(tmp_path))
    with store.write(NAME):
        pass
    left = tmp_path / "backups/shop" / temporary_name().replace(f"-{os.getpid()}-", "-999999999-")
    left.write_bytes(b"")
    real = os.open

    def finished(path: object, *args: object, **options: object) -> int:
        if path == left.name:
            left.unlink(missing_ok=True)
        return real(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", finished)
    assert store.sweep(time.time()) == ()


def test_a_store_of_another_kind_is_swept_by_the_same_names(tmp_path: Path) -> None:
    from fsspec import filesystem

    store = open_store(f"memory://{tmp_path.name}/b", "/")
    with store.write(NAME) as sink:
        sink.write(b"1")
    memory = filesystem("memory")
    dead = f"shop/{temporary_name().replace(f'-{os.getpid()}-', '-999999999-')}"
    for name in (dead, f"shop/{temporary_name()}", "shop/.other"):
        memory.pipe_file(f"/{tmp_path.name}/b/{name}", b"half")
    assert [one.name for one in store.list_files()] == [NAME]
    assert store.sweep(time.time()) == (dead,)
    assert len(memory.ls(f"/{tmp_path.name}/b/shop")) == 3


def test_whose_temporary_names_are_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now, ours = time.time(), temporary_name()
    assert not is_left_over(ours, now - 9 * DAY, now)
    words = ours.split("-")
    assert is_left_over("-".join([*words[:3], str(int(words[3]) + 1), words[4]]), now, now)  # the number again
    other = ours.replace(words[1], "elsewhere")
    assert [is_left_over(other, now - age, now) for age in (0, DAY / 2, 2 * DAY)] == [False, False, True]
    assert not is_left_over("20261127T183000Z-3f9a1c.json", now - 9 * DAY, now)
    assert is_left_over("-".join([*words[:2], "9" * 10, *words[3:]]), now, now)

    def not_ours(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", not_ours)
    assert not is_left_over(ours, now, now)
    monkeypatch.setattr("builtins.open", not_ours)  # as where there is no /proc
    assert storage_writers._started(os.getpid()) == 0
    assert not is_left_over(ours, now - 9 * DAY, now)
    assert temporary_name().split("-")[3] == "0"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte; without the right to mount one, a limit on files stands for it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0:
        yield disk
        subprocess.run(["umount", str(disk)], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    yield disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_and_nothing_is_left(small_disk: Path) -> None:
    store = open_store("file:backups", str(small_disk))
    with store.write("shop/first.json") as sink:
        sink.write(b"x" * 100_000)
    with pytest.raises(UndeterminedError) as caught, store.write(NAME) as sink:
        sink.write(b"x" * 2_000_000)
    assert "no space is left" in caught.value.message
    assert caught.value.remedy == f"df -h {small_disk}/backups"
    assert os.listdir(small_disk / "backups/shop") == ["first.json"]
    with store.write(NAME) as sink:
        sink.write(b"x" * 100_000)


def test_space_that_runs_out_at_the_last_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store("file:backups", str(tmp_path))
    with store.write("shop/first.json"):
        pass

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UndeterminedError, match="no space is left"), store.write(NAME):
        pass
    assert os.listdir(tmp_path / "backups/shop") == ["first.json"]
