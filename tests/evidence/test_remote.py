"""Evidence between clones and a server: nobody's is lost, nothing is forced, and errors leave all as it was."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, RefusedError, UndeterminedError, UsageError
from rollback_guard.evidence import remote as remote_module
from rollback_guard.evidence import store_moves
from rollback_guard.evidence.remote import Fetched, Pushed, fetch, push, tracking_ref
from rollback_guard.evidence.store import fetched_at, note_fetched, record
from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.git.refspecs import evidence_refspec
from rollback_guard.git.repository import Repository, open_repository
from tests.evidence.stores import (
    entry,
    everything,
    files_of,
    made,
    opened,
    path_of,
    planted,
    served,
    texts,
    tip_of,
    writing,
)
from tests.support.builder import RepositoryBuilder

TRACKING = tracking_ref("origin")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_moves, "PAUSE", 0)


def hook(repository: Repository, name: str, text: str) -> Path:
    """A hook that notes in a file that it ran."""
    path = Path(repository.git_dir, "hooks", name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_what_one_clone_pushes_another_one_fetches(tmp_path: Path, object_format: str) -> None:
    server, one, two = served(tmp_path, "one", "two", object_format=object_format)
    assert push(one, "origin") == Pushed(tip=None, sent=False)
    assert fetch(one, "origin") == Fetched(theirs=None, tip=None)
    tip = record(one, [entry("from one")])
    assert fetch(one, "origin") == Fetched(theirs=None, tip=tip)
    assert push(one, "origin") == Pushed(tip=tip, sent=True)
    assert push(one, "origin") == Pushed(tip=tip, sent=False)
    record(two, [entry("from two")])
    assert fetch(two, "origin").added == 1
    assert everything(two) == {"from one", "from two"}
    assert push(two, "origin").sent
    fetched = fetch(one, "origin")
    assert fetched == Fetched(theirs=tip_of(two), tip=tip_of(two), added=1)
    assert everything(one) == everything(server) == {"from one", "from two"}


def test_a_push_joins_what_others_pushed_before(tmp_path: Path) -> None:
    server, one, two = served(tmp_path, "one", "two")
    for clone, text in ((one, "from one"), (two, "from two")):
        record(clone, [entry(text)])
        assert push(clone, "origin").sent
    assert everything(server) == {"from one", "from two"}
    assert tip_of(server) == tip_of(two)


def test_four_clones_that_push_at_once_lose_nothing(tmp_path: Path) -> None:
    server, *clones = served(tmp_path, "a", "b", "c", "d")
    code = "for n in range(3):\n  record(repo, [entry(f'{sys.argv[1]} {n}')])\n  push(repo, 'origin')"
    writers = [writing(Path(clone.git.cwd), code, str(number)) for number, clone in enumerate(clones)]
    for writer in writers:
        _, err = writer.communicate()
        assert writer.returncode == 0, err.decode()
    assert everything(server) == {f"{number} {n}" for number in range(4) for n in range(3)}


def test_several_in_one_clone_push_and_fetch_at_once(tmp_path: Path) -> None:
    server, one, other = served(tmp_path, "one", "other")
    record(other, [entry("other")])
    push(other, "origin")
    code = "record(repo, [entry(sys.argv[1])]); push(repo, 'origin'); fetch(repo, 'origin')"
    writers = [writing(Path(one.git.cwd), code, str(number)) for number in range(4)]
    for writer in writers:
        _, err = writer.communicate()
        assert writer.returncode == 0, err.decode()
    assert everything(server) == everything(one) == {"other", "0", "1", "2", "3"}


@pytest.mark.parametrize("how", ["deleted", "rewritten", "forward"])
def test_what_the_remote_lost_comes_back(tmp_path: Path, how: str) -> None:
    server, one = served(tmp_path, "one")
    record(one, [entry("one"), entry("two")])
    push(one, "origin")
    before = tip_of(one)
    if how == "deleted":
        server.git.run("update-ref", "-d", EVIDENCE)
    else:
        planted(server, {path_of("two"): b"two"}, onto=before if how == "forward" else "")
    fetch(one, "origin")
    assert everything(one) == {"one", "two"}
    assert push(one, "origin").sent
    assert everything(server) == {"one", "two"}
    assert files_of(server) == files_of(one)


def test_a_plain_fetch_by_the_refspec_is_seen_and_overwrites_nothing_of_ours(tmp_path: Path) -> None:
    server, one = served(tmp_path, "one")
    one.git.run("config", "--add", "remote.origin.fetch", evidence_refspec("origin"))
    one.git.run("fetch", "--quiet", "origin")  # a server without evidence is no error
    record(one, [entry("ours")])
    planted(server, {path_of("theirs"): b"theirs"})
    one.git.run("fetch", "--quiet", "origin")
    assert texts(one) == {"ours", "theirs"}
    assert everything(one) == {"ours"}
    assert push(one, "origin").sent
    assert tip_of(one, TRACKING) == tip_of(server) == tip_of(one)


def test_a_server_that_refuses_is_asked_once_more_at_most(tmp_path: Path) -> None:
    server, one = served(tmp_path, "one")
    tip = record(one, [entry("one")])
    hook(server, "pre-receive", "echo asked >> asked; echo 'RG000: not like this' >&2; exit 1")
    with pytest.raises(RefusedError, match="pre-receive hook declined") as raised:
        push(one, "origin")
    assert "RG000: not like this" in raised.value.message
    assert raised.value.remedy == "git ls-remote origin"
    assert Path(server.git_dir, "asked").read_text() == "asked\n"
    assert (tip_of(one), tip_of(server)) == (tip, "")


def test_a_server_where_the_ref_cannot_be_written(tmp_path: Path) -> None:
    server, one = served(tmp_path, "one")
    planted(server, {path_of("x"): b"x"}, ref=EVIDENCE + "/x")
    record(one, [entry("one")])
    with pytest.raises(RefusedError, match="origin did not take our evidence"):
        push(one, "origin")
    assert tip_of(one, TRACKING) == ""


def test_others_that_are_always_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, one = served(tmp_path, "one")
    record(one, [entry("one")])
    monkeypatch.setattr(remote_module, "ATTEMPTS", 4)
    calls = []

    def late(repository: Repository, name: str, tip: str) -> remote_module._Answer:
        calls.append(tip)
        files = files_of(server) if tip_of(server) else {}
        planted(server, {**files, path_of(str(len(calls))): str(len(calls)).encode()}, onto=tip_of(server))
        return remote_module._Answer(taken=False, sent=False, final=False, said="[rejected] (fetch first)")

    monkeypatch.setattr(remote_module, "_push", late)
    with pytest.raises(RefusedError, match="fetch first"):
        push(one, "origin")
    assert len(calls) == 4
    assert everything(one) == {"one", "1", "2", "3"}


def test_a_remote_that_cannot_be_reached(tmp_path: Path) -> None:
    (_, one) = served(tmp_path, "one")
    tip = record(one, [entry("one")])
    one.git.run("remote", "set-url", "origin", f"file://jane:secret@localhost{tmp_path}/gone.git")
    refs = one.git.text("for-each-ref")
    for ask in (fetch, push):
        with pytest.raises(GitError, match="the evidence of origin could not be fetched: ") as raised:
            ask(one, "origin")
        assert "secret" not in raised.value.message
        assert raised.value.remedy.startswith("git ls-remote origin")
    assert one.git.text("for-each-ref") == refs
    assert tip_of(one) == tip


def test_a_remote_that_is_none(tmp_path: Path) -> None:
    (_, one) = served(tmp_path, "one")
    for ask in (fetch, push):
        with pytest.raises(UsageError, match="no remote '--upload-pack=x' here; there are: origin"):
            ask(one, "--upload-pack=x")
    one.git.run("remote", "remove", "origin")
    with pytest.raises(UsageError, match=r"no remote 'origin' here$"):
        fetch(one, "origin")


def test_a_remote_of_another_object_format(tmp_path: Path) -> None:
    (_, one) = served(tmp_path, "one")
    other = made(tmp_path / "other.git", object_format="sha256", bare=True)
    record(other, [entry("other")])
    one.git.run("remote", "set-url", "origin", other.git_dir)
    with pytest.raises(GitError, match="could not be fetched"):
        fetch(one, "origin")


def test_a_remote_whose_evidence_is_no_commit(tmp_path: Path) -> None:
    server, one = served(tmp_path, "one")
    record(one, [entry("one")])
    blob = server.git.text("hash-object", "-w", "--stdin", stdin=b"x")
    server.git.run("update-ref", EVIDENCE, blob)
    for ask in (fetch, push):
        with pytest.raises(RefusedError, match="evidence of origin is no commit"):
            ask(one, "origin")
    with pytest.raises(UndeterminedError, match="what was recorded there cannot be read"):
        texts(one)
    one.git.run("update-ref", "-d", "refs/rollback-guard/remotes/origin/evidence")
    assert everything(one) == texts(one) == {"one"}


def test_other_refs_of_a_remote_do_not_keep_its_evidence_out(tmp_path: Path) -> None:
    """refs/rollback-guard/evidence/x, once fetched, would stand where the tracking ref must be written."""
    server, one = served(tmp_path, "one")
    planted(server, {path_of("x"): b"x"}, ref=EVIDENCE + "/x")
    one.git.run("config", "--add", "remote.origin.fetch", evidence_refspec("origin"))
    one.git.run("fetch", "--quiet", "origin")
    assert tip_of(one, TRACKING + "/x")
    assert fetch(one, "origin").theirs is None
    server.git.run("update-ref", "-d", EVIDENCE + "/x")
    planted(server, {path_of("good"): b"good"})
    fetch(one, "origin")
    assert everything(one) == {"good"}
    assert tip_of(one, TRACKING + "/x") == ""


def test_nothing_else_is_fetched_and_no_hook_is_run(tmp_path: Path) -> None:
    server, one = served(tmp_path, "one")
    builder = RepositoryBuilder(tmp_path / "builder")
    builder.commit("Work", a="1")
    builder.stable_tag("v1")
    builder.git("push", "-q", f"file://{server.git_dir}", "main", "v1")
    record(one, [entry("one")])
    ran = tmp_path / "ran"
    for name in ("pre-push", "post-merge", "post-checkout", "post-commit", "pre-auto-gc"):
        hook(one, name, f"echo {name} >> {ran}; exit 1")
    one.git.run("config", "fetch.prune", "true")
    one.git.run("config", "push.followTags", "true")
    one.git.run("config", "gc.auto", "1")
    push(one, "origin")
    record(one, [entry("two")])
    fetch(one, "origin")
    assert not ran.exists()
    assert one.git.text("for-each-ref", "--format=%(refname)").split() == [EVIDENCE, TRACKING]
    assert not Path(one.git_dir, "FETCH_HEAD").exists()
    server.git.run("update-ref", "-d", EVIDENCE)
    fetch(one, "origin")
    assert tip_of(one, TRACKING)


def test_the_server_s_hook_runs_whatever_the_client_s_settings_are(tmp_path: Path) -> None:
    server, one = served(tmp_path, "one")
    one.git.run("config", "core.hooksPath", os.devnull)
    hook(server, "pre-receive", "echo ran >> ran")
    record(one, [entry("one")])
    push(one, "origin")
    assert Path(server.git_dir, "ran").exists()


def test_a_shallow_clone_records_fetches_and_pushes(tmp_path: Path) -> None:
    server, one = served(tmp_path, "one")
    builder = RepositoryBuilder(tmp_path / "builder")
    for number in range(3):
        builder.commit(str(number), a=str(number))
    builder.git("push", "-q", f"file://{server.git_dir}", "main")
    for number in range(3):
        record(one, [entry(str(number))])
    push(one, "origin")
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{server.git_dir}", str(shallow)], check=True)
    config = ["git", "config", "--add", "remote.origin.fetch", evidence_refspec("origin")]
    subprocess.run(config, cwd=shallow, check=True)
    subprocess.run(["git", "fetch", "-q", "--depth=1"], cwd=shallow, check=True)
    clone = opened(shallow)
    assert clone.shallow
    assert texts(clone) == {"0", "1", "2"}
    record(clone, [entry("from shallow")])
    record(one, [entry("3")])
    push(one, "origin")
    assert push(clone, "origin").sent
    assert fetch(clone, "origin").added == 0
    assert everything(server) == {"0", "1", "2", "3", "from shallow"}
    assert opened(shallow).shallow


def test_a_bare_mirror_fetches_into_a_ref_of_its_own(tmp_path: Path) -> None:
    server, one = served(tmp_path, "one")
    record(one, [entry("one")])
    push(one, "origin")
    bare = made(tmp_path / "bare.git", bare=True)
    bare.git.run("remote", "add", "origin", f"file://{server.git_dir}")
    record(bare, [entry("bare")])
    fetch(bare, "origin")
    assert everything(bare) == {"one", "bare"}


FAKE = """\
#!/bin/sh
case "$*" in
*" {command} "*) {first}; kill -9 $PPID; exit 1;;
*) exec git "$@";;
esac
"""


@pytest.mark.parametrize("command", ["push", "fetch", "fast-import", "update-ref"])
@pytest.mark.parametrize("first", ["true", 'git "$@" >/dev/null 2>&1'], ids=["before", "after"])
def test_killed(tmp_path: Path, command: str, first: str) -> None:
    """Before a step or after it: both sides have their old evidence or the new one, and another push ends it."""
    server, one, two = served(tmp_path, "one", "two")
    record(two, [entry("two")])
    push(two, "origin")
    record(one, [entry("one")])
    program = tmp_path / "fake-git"
    program.write_text(FAKE.format(command=command, first=first))
    program.chmod(0o755)
    code = (
        "from rollback_guard.git.repository import open_repository\n"
        "push(open_repository(repo.git.cwd, os.environ, program=sys.argv[1]), 'origin')"
    )
    process = writing(Path(one.git.cwd), code, str(program))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert everything(server) in ({"two"}, {"one", "two"})
    assert everything(one) in ({"one"}, {"one", "two"})
    one.git.run("fsck", "--strict", "--connectivity-only")
    server.git.run("fsck", "--strict", "--connectivity-only")
    push(one, "origin")
    assert everything(server) == everything(one) == {"one", "two"}


def test_a_read_only_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, one = served(tmp_path, "one")
    tip = record(one, [entry("one")])
    planted(server, {path_of("theirs"): b"theirs"})

    def no(path: str, mode: int) -> None:
        raise OSError(30, "Read-only file system", path)

    monkeypatch.setattr("rollback_guard.git.fast_import.os.mkdir", no)
    with pytest.raises(RefusedError, match="Read-only file system"):
        fetch(one, "origin")
    assert tip_of(one) == tip
    assert texts(one) == {"one", "theirs"}  # what was seen of the remote counts all the same


def test_a_tracking_ref_that_is_locked(tmp_path: Path) -> None:
    server, one = served(tmp_path, "one")
    planted(server, {path_of("theirs"): b"theirs"})
    lock = Path(one.git_dir, TRACKING + ".lock")
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(GitError, match=r"could not be fetched: .*\.lock': File exists"):
        fetch(one, "origin")
    assert tip_of(one) == ""
    lock.unlink()
    assert fetch(one, "origin").tip == tip_of(server)


def test_git_that_dies_without_a_word(tmp_path: Path) -> None:
    (_, one) = served(tmp_path, "one")
    program = tmp_path / "fake-git"
    program.write_text('#!/bin/sh\ncase "$*" in *" fetch "*) exit 128;; *) exec git "$@";; esac\n')
    program.chmod(0o755)
    with pytest.raises(GitError, match="git said nothing"):
        fetch(open_repository(one.git.cwd, os.environ, program=str(program)), "origin")


def test_where_it_cannot_be_noted_that_a_remote_has_nothing_it_is_asked_again(tmp_path: Path) -> None:
    server, clone = served(tmp_path, "clone")
    assert (fetched_at(server), fetched_at(clone)) == (None, 0)
    file = Path(clone.common_dir, "rollback-guard", "fetched")
    file.mkdir(parents=True)
    note_fetched(clone)
    file.rmdir()
    assert fetched_at(clone) == 0
    fetch(clone, "origin")
    os.utime(file, (5, 5))
    assert fetched_at(clone) == 5
    fetch(clone, "origin")
    assert (fetched_at(clone) or 0) > 5
