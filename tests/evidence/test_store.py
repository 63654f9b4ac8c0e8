"""The store in one clone: what is recorded is found, by anybody at any time, and nothing else is."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, RefusedError, UndeterminedError, UsageError
from rollback_guard.evidence import store_moves
from rollback_guard.evidence.store import (
    Entry,
    evidence_refs,
    list_all,
    look_up,
    look_up_about,
    record,
)
from rollback_guard.evidence.store_paths import EVIDENCE, LARGEST, MOST, folder_of
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import update_refs
from rollback_guard.git.repository import Repository, open_repository
from tests.evidence.stores import (
    HEAD,
    entry,
    everything,
    files_of,
    key,
    made,
    name_of,
    opened,
    path_of,
    planted,
    texts,
    tip_of,
    writing,
)
from tests.support.builder import RepositoryBuilder
from tests.support.gits import Link, Program, Submodule


@pytest.fixture
def repository(path_of_repo: Path) -> Repository:
    return made(path_of_repo)


def found(repository: Repository, about: str = "change") -> tuple[set[str], list[str]]:
    """What a look-up gives, and what it says of the rest."""
    told: list[str] = []
    with ObjectReader(repository.git) as objects:
        stored = look_up(objects, evidence_refs(repository), "sign-off", key(about), tell=told.append)
    return {one.data.decode() for one in stored}, told


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("bare", [False, True])
def test_what_is_recorded_is_found(tmp_path: Path, object_format: str, bare: bool) -> None:
    repository = made(tmp_path / "repo", object_format=object_format, bare=bare)
    head = "a" * (64 if object_format == "sha256" else 40)
    first = record(repository, [entry("one", head=head)], message="sign-off qa\n\napprove")
    tip = record(repository, [entry("two", head=head), entry("three", kind="waiver", head=head)])
    assert tip == tip_of(repository)
    assert texts(repository) == {"one", "two"}
    assert texts(repository, kind="waiver") == {"three"}
    assert texts(repository, about="another") == set()
    with ObjectReader(repository.git) as objects:
        about = look_up_about(objects, [EVIDENCE], [head, "b" * 40])
    assert {one.data for one in about} == {b"one", b"two", b"three"}
    log = repository.git.text("log", "--format=%H %an <%ae> %s", EVIDENCE).split("\n")
    assert log[1] == f"{first} Jane Doe <jane@acme.example> evidence: sign-off qa approve"
    assert log[0].endswith("evidence: sign-off, waiver")
    repository.git.run("fsck", "--strict")
    assert [name for name in os.listdir(repository.objects_dir) if name.startswith("tmp")] == []


def test_recording_the_same_again_changes_nothing(repository: Repository) -> None:
    tip = record(repository, [entry("one"), entry("one")])
    assert record(repository, [entry("one")]) == tip
    assert record(repository, []) == tip
    assert list(files_of(repository)) == [
        f"about/11/{HEAD}/{name_of('one')}",
        path_of("one"),
    ]


def test_nothing_at_all_is_recorded(repository: Repository) -> None:
    assert record(repository, []) == ""
    assert tip_of(repository) == ""
    assert evidence_refs(repository) == ()
    assert list(list_all(repository)) == []


def test_many_in_one_go_are_one_pack(repository: Repository) -> None:
    record(repository, [entry(f"number {number}", about=f"change {number}") for number in range(60)])
    assert len(everything(repository)) == 60
    assert texts(repository, about="change 7") == {"number 7"}
    assert list(Path(repository.objects_dir, "pack").glob("*.idx"))


def test_a_shared_repository_stays_writable_for_its_group(tmp_path: Path) -> None:
    repository = made(tmp_path / "repo")
    repository.git.run("config", "core.sharedRepository", "group")
    record(repository, [entry("one")])
    folders = [path for path in Path(repository.objects_dir).iterdir() if len(path.name) == 2]
    assert folders
    assert all(path.stat().st_mode & stat.S_IWGRP for path in folders)


def test_refs_are_looked_at_together_and_each_envelope_comes_once(repository: Repository) -> None:
    record(repository, [entry("both"), entry("ours")])
    theirs = {path_of("both"): b"both", path_of("theirs"): b"theirs"}
    planted(repository, theirs, ref="refs/rollback-guard/remotes/team/one/evidence")
    planted(repository, {path_of("stray"): b"stray"}, ref="refs/rollback-guard/remotes/a/evidence/b/evidence")
    planted(repository, {path_of("stray"): b"stray"}, ref="refs/rollback-guard/remotes/origin/evidence-2")
    repository.git.run("symbolic-ref", "refs/rollback-guard/remotes/link/evidence", EVIDENCE)
    assert evidence_refs(repository) == (EVIDENCE, "refs/rollback-guard/remotes/team/one/evidence")
    with ObjectReader(repository.git) as objects:
        names = [one.name for one in look_up(objects, evidence_refs(repository), "sign-off", key("change"))]
    assert names == sorted(name_of(text) for text in ("both", "ours", "theirs"))
    assert [one.stored.data for one in list_all(repository)] == [
        one.stored.data for one in sorted(list_all(repository), key=lambda one: one.stored.name)
    ]
    assert {one.stored.data for one in list_all(repository)} == {b"both", b"ours", b"theirs"}


def test_what_is_no_evidence_is_passed_over_and_told_of(repository: Repository) -> None:
    folder = folder_of("sign-off", key("change"))
    planted(
        repository,
        {
            path_of("good"): b"good",
            path_of("link"): Link(b"/etc/passwd"),
            path_of("module"): Submodule("2" * 40),
            path_of("program"): Program(b"program"),
            path_of("other"): b"not what the name says",
            path_of(b"x" * (LARGEST + 1)): b"x" * (LARGEST + 1),
            path_of("below") + "/more.json": b"below",
            f"{folder}/README.md": b"hello",
            f"{folder}/{'A' * 64}.json": b"upper case",
            f"sign-off/{key('x')[:2]}/file": b"file",
            "sign-off/00": b"file",
            "elsewhere": b"elsewhere",
        },
    )
    good, told = found(repository)
    assert good == {"good"}
    assert {line.rpartition(": ")[2] for line in told} == {
        "a symbolic link",
        "a submodule",
        "mode 100755",
        "its name is not the digest of its content",
        "65,537 bytes, and at most 65,536 are read",
        "a folder",
        "no name of evidence",
    }
    assert everything(repository) == {"good"}


@pytest.mark.parametrize(
    "files",
    [
        {"sign-off": b"a file"},
        {"sign-off": Link(b".")},
        {f"sign-off/{key('change')[:2]}": Submodule("2" * 40)},
        {folder_of("sign-off", key("change")): Link(b"..")},
        {f"waiver/{key('change')[:2]}/{key('change')}/{name_of('x')}": b"x"},
    ],
)
def test_another_thing_where_a_folder_should_be(repository: Repository, files: dict[str, bytes]) -> None:
    planted(repository, files)
    assert found(repository) == (set(), [])
    record(repository, [entry("mine")])
    assert texts(repository) == {"mine"}


def test_a_false_entry_does_not_keep_the_true_one_out(repository: Repository) -> None:
    planted(repository, {path_of("one"): b"something else", path_of("two"): Link(b"two")})
    record(repository, [entry("one"), entry("two")])
    assert texts(repository) == {"one", "two"}


def test_too_many_entries_about_one_binding_are_not_read(repository: Repository) -> None:
    many = {path_of(f"text {number}"): f"text {number}".encode() for number in range(MOST - 1)}
    planted(repository, many)
    assert len(texts(repository)) == MOST - 1
    record(repository, [entry("the last")])  # a folder that is full tells nobody what could not be recorded any more
    with pytest.raises(UndeterminedError, match="more entries than are read"):
        record(repository, [entry("one more")])
    with pytest.raises(UndeterminedError, match="more entries than are read"):
        texts(repository)


def test_a_folder_beyond_any_sense_is_not_read(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    record(repository, [entry("one")])
    monkeypatch.setattr("rollback_guard.evidence.store.TREE_LIMIT", 10)
    with pytest.raises(UndeterminedError, match="more entries than are read"):
        texts(repository)


def test_what_is_missing_here_is_not_taken_for_nothing(repository: Repository) -> None:
    record(repository, [entry("one")])
    with ObjectReader(repository.git) as objects, pytest.raises(GitError, match="missing"):
        look_up(objects, ["refs/heads/nowhere"], "sign-off", key("change"))
    with pytest.raises(GitError, match="holds no tree"):
        list(list_all(repository, ["refs/heads/nowhere"]))
    blob = repository.git.text("rev-parse", f"{EVIDENCE}:{path_of('one')}")
    Path(repository.objects_dir, blob[:2], blob[2:]).unlink()
    with pytest.raises(GitError, match="missing"):
        texts(repository)
    tree = repository.git.text("rev-parse", f"{EVIDENCE}:sign-off")
    Path(repository.objects_dir, tree[:2], tree[2:]).unlink()
    with pytest.raises(GitError, match="missing"):
        texts(repository)
    with pytest.raises(GitError, match="missing"):
        list(list_all(repository))


def test_a_malformed_tree_is_an_error(repository: Repository) -> None:
    """Two entries of one name, which git does not check when it is not told to."""
    blob = repository.git.text("hash-object", "-w", "--stdin", stdin=b"x")
    data = b"".join(b"40000 sign-off\0" + bytes.fromhex(blob) for _ in range(2))
    tree = repository.git.text("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=data)
    repository.git.run("update-ref", EVIDENCE, repository.git.text("commit-tree", "-m", "x", tree))
    with pytest.raises(GitError, match="malformed"):
        texts(repository)


@pytest.mark.parametrize(
    "wrong",
    [
        Entry(kind="about", key=key("x"), head=HEAD, data=b""),
        Entry(kind="sign-off", key="../" + key("x"), head=HEAD, data=b""),
        Entry(kind="sign-off", key=key("x"), head="HEAD", data=b""),
    ],
)
def test_a_place_that_is_none_is_refused(repository: Repository, wrong: Entry) -> None:
    with pytest.raises(ValueError, match="no evidence of the kind"):
        record(repository, [wrong])
    with ObjectReader(repository.git) as objects, pytest.raises(ValueError, match="no evidence of the kind"):
        look_up_about(objects, [], ["HEAD"])


def test_what_is_too_large_is_refused(repository: Repository) -> None:
    with pytest.raises(UsageError, match="at most 65,536"):
        record(repository, [entry("x" * (LARGEST + 1))])
    assert tip_of(repository) == ""


def test_git_must_know_who_records(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "")
    with pytest.raises(UsageError, match="who you are"):
        record(opened(Path(repository.git.cwd)), [entry("one")])


def test_a_read_only_repository_is_refused(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    record(repository, [entry("one")])

    def no(path: str, mode: int) -> None:
        raise OSError(30, "Read-only file system", path)

    monkeypatch.setattr("rollback_guard.git.fast_import.os.mkdir", no)
    with pytest.raises(RefusedError, match="Read-only file system"):
        record(repository, [entry("two")])
    assert texts(repository) == {"one"}


def test_a_ref_that_is_no_commit(repository: Repository) -> None:
    blob = repository.git.text("hash-object", "-w", "--stdin", stdin=b"x")
    repository.git.run("update-ref", EVIDENCE, blob)
    with pytest.raises(UndeterminedError, match="cannot be read"):  # a rejection may have been recorded there
        evidence_refs(repository)
    with pytest.raises(RefusedError, match="is no commit") as raised:
        record(repository, [entry("one")])
    assert raised.value.remedy.startswith(f"git update-ref -d {EVIDENCE}")


def test_a_branch_of_the_same_name_is_not_taken_for_the_store(path_of_repo: Path) -> None:
    """git looks for refs/heads/refs/rollback-guard/evidence where there is no refs/rollback-guard/evidence."""
    builder = RepositoryBuilder(path_of_repo)
    branch = builder.commit("Not the store", a="1")
    builder.git("update-ref", f"refs/heads/{EVIDENCE}", branch)
    repository = opened(path_of_repo)
    assert evidence_refs(repository) == ()
    record(repository, [entry("one")])
    assert builder.git("rev-parse", f"refs/heads/{EVIDENCE}") == branch
    assert "a" not in files_of(repository)


def test_the_store_leads_to_no_branch(path_of_repo: Path) -> None:
    builder = RepositoryBuilder(path_of_repo)
    tip = builder.commit("Production", a="1")
    builder.git("symbolic-ref", EVIDENCE, "refs/heads/main")
    with pytest.raises(RefusedError, match="no ref was moved"):
        record(opened(path_of_repo), [entry("one")])
    assert builder.head("main") == tip


def test_eight_writers_at_once_lose_nothing(repository: Repository) -> None:
    code = "for n in range(4): record(repo, [entry(f'{sys.argv[1]} {n}')])"
    writers = [writing(Path(repository.git.cwd), code, str(number)) for number in range(8)]
    for writer in writers:
        _, err = writer.communicate()
        assert writer.returncode == 0, err.decode()
    assert texts(repository) == {f"{number} {n}" for number in range(8) for n in range(4)}
    assert everything(repository) == texts(repository)
    assert repository.git.text("rev-list", "--count", EVIDENCE) == "32"


def test_somebody_who_is_always_faster(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    record(repository, [entry("one")])
    monkeypatch.setattr(store_moves, "PAUSE", 0)
    monkeypatch.setattr(store_moves, "ATTEMPTS", 3)
    calls: list[tuple[tuple[str, str, str], ...]] = []

    def slow(repository: Repository, updates: tuple[tuple[str, str, str], ...], *, reason: str) -> None:
        calls.append(updates)
        files = {**files_of(repository), path_of(f"faster {len(calls)}"): f"faster {len(calls)}".encode()}
        planted(repository, files, onto=tip_of(repository))
        update_refs(repository, updates, reason=reason)

    monkeypatch.setattr(store_moves, "update_refs", slow)
    with pytest.raises(RefusedError, match="no ref was moved") as raised:
        record(repository, [entry("two")])
    assert len(calls) == 3
    assert "git rev-parse" in raised.value.remedy
    assert texts(repository) == {"one", "faster 1", "faster 2", "faster 3"}


def test_a_lock_that_somebody_left_behind(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    tip = record(repository, [entry("one")])
    monkeypatch.setattr(store_moves, "PAUSE", 0)
    repository.git.run("config", "core.filesRefLockTimeout", "0")
    lock = Path(repository.common_dir, EVIDENCE + ".lock")
    lock.touch()
    with pytest.raises(RefusedError, match="is there, so another git moves refs here") as raised:
        record(repository, [entry("two")])
    assert tip_of(repository) == tip
    assert raised.value.remedy == f"rm {lock}   # when no git runs here any more"
    lock.unlink()
    record(repository, [entry("two")])
    assert texts(repository) == {"one", "two"}


KILLED = """
import importlib, signal
module, owner, name, after = sys.argv[1:5]
holder = importlib.import_module(module)
holder = getattr(holder, owner) if owner else holder
real = getattr(holder, name)
def deadly(*args, **options):
    if after == "after":
        real(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(holder, name, deadly)
record(repo, [entry("two")])
"""
MOVES, WRITES = "rollback_guard.evidence.store_moves", "rollback_guard.git.tree_writes"


@pytest.mark.parametrize(
    ("module", "owner", "name", "after", "moved"),
    [
        ("rollback_guard.git.fast_import", "Quarantine", "__init__", "after", False),
        (MOVES, "", "write_files", "after", False),
        (WRITES, "", "keep_file", "before", False),
        (WRITES, "", "keep_file", "after", False),  # one object of several is there
        (WRITES, "LooseQuarantine", "keep", "after", False),
        (MOVES, "", "update_refs", "before", False),
        (MOVES, "", "update_refs", "after", True),
    ],
)
def test_killed(repository: Repository, module: str, owner: str, name: str, after: str, moved: bool) -> None:
    tip = record(repository, [entry("one")])
    process = writing(Path(repository.git.cwd), KILLED, module, owner, name, after)
    _, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, err.decode()
    assert texts(repository) == ({"one", "two"} if moved else {"one"})
    assert (tip_of(repository) == tip) is not moved
    repository.git.run("fsck", "--strict", "--connectivity-only", EVIDENCE)
    record(repository, [entry("two")])
    assert texts(repository) == {"one", "two"}
    assert repository.git.text("rev-list", "--count", EVIDENCE) == "2"


def test_a_look_up_reads_no_more_in_a_large_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The objects that are read, counted: the same with ten entries and with thousands."""
    counts = []
    for number in (10, 3000):
        repository = made(tmp_path / str(number), bare=True)
        files = {path_of(f"n {n}", about=f"change {n}"): f"n {n}".encode() for n in range(number)}
        planted(repository, files)
        read: list[str] = []
        real = ObjectReader.read

        def counting(self: ObjectReader, name: str, *, limit: int = 1 << 26) -> object:
            read.append(name)  # noqa: B023
            return real(self, name, limit=limit)  # noqa: B023

        with monkeypatch.context() as patched, ObjectReader(repository.git) as objects:
            patched.setattr(ObjectReader, "read", counting)
            (one,) = look_up(objects, [EVIDENCE], "sign-off", key("change 7"))
        assert one.data == b"n 7"
        counts.append(len(read))
    assert counts == [5, 5]


def test_git_that_forgets_to_say_what_it_wrote(repository: Repository, tmp_path: Path) -> None:
    program = tmp_path / "git"
    program.write_text('#!/bin/sh\ncase "$*" in *fast-import*) cat >/dev/null;; *) exec git "$@";; esac\n')
    program.chmod(0o755)
    broken = open_repository(repository.git.cwd, os.environ, program=str(program))
    with pytest.raises(GitError, match="did not say"):
        record(broken, [entry("one")])
