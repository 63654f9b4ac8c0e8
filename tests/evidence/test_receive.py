"""A server takes evidence that is added, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rollback_guard.evidence import receive
from rollback_guard.evidence.receive import judge_move, judge_ref
from rollback_guard.evidence.store import record
from rollback_guard.evidence.store_paths import EVIDENCE, MOST, folder_of
from rollback_guard.git.repository import Repository
from tests.evidence.stores import entry, everything, key, made, name_of, opened, path_of, planted, served, tip_of
from tests.support.gits import Files, Link, Program, Submodule

NEW = "refs/heads/pushed"  # where a test puts what is pushed


def readable(folder: str, data: bytes) -> str:
    return "" if data.isascii() else "no envelope"


@pytest.fixture(params=["sha1", "sha256"])
def server(path_of_repo: Path, request: pytest.FixtureRequest) -> Repository:
    """A server that has "one" and "two"."""
    repository = made(path_of_repo, object_format=request.param, bare=True)
    record(repository, [entry("one"), entry("two")])
    return repository


def files(*texts: str) -> dict[str, bytes]:
    return {path_of(text): text.encode() for text in texts}


def judged(server: Repository, pushed: Files, *, base: bool = True) -> tuple[str, ...]:
    """What is said of a push that leaves the store with these files and what is recorded about the head."""
    have = {f"about/11/{'1' * 40}/{name_of(text)}": text.encode() for text in ("one", "two")}
    tip = tip_of(server)
    new = planted(server, {**have, **pushed}, ref=NEW, onto=tip if base else "")
    server.git.run("update-ref", "-d", NEW)  # as in a hook, where no ref names it yet
    return judge_move(server, tip, new, readable)


def test_additions_are_taken(server: Repository) -> None:
    assert judged(server, files("one", "two", "three", "four")) == ()
    tip = tip_of(server)
    assert judge_move(server, None, tip, readable) == ()
    assert judge_move(server, tip, tip, readable) == ()


def test_a_deletion_is_refused(server: Repository) -> None:
    assert judge_move(server, tip_of(server), None, readable) == ("evidence is never deleted",)


def test_a_rewritten_history_is_refused(server: Repository) -> None:
    (reason,) = judged(server, files("one", "two", "three"), base=False)
    assert reason.startswith("it only moves forward: ")


def test_evidence_that_is_removed_or_altered_is_refused(server: Repository) -> None:
    reasons = judged(server, {path_of("one"): b"forged", **files("three")})
    assert set(reasons) == {
        f"{path_of('one')} would be altered; evidence only grows",
        f"{path_of('one')}: its name is not the digest of its content",
        f"{path_of('two')} would be removed; evidence only grows",
    }
    whole = planted(server, {"README.md": b"gone"}, ref=NEW, onto=tip_of(server))
    reasons = judge_move(server, tip_of(server), whole, readable)
    assert sum("removed" in reason for reason in reasons) == 4


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (path_of("x"), Link(b"x"), "a symbolic link"),
        (path_of("x"), Program(b"x"), "mode 100755"),
        (path_of("x"), b"y", "its name is not the digest of its content"),
        (path_of("ä"), "ä".encode(), "no envelope"),
        (path_of("x") + "/x", b"x", "a folder"),
        (folder_of("sign-off", key("change")) + "/README", b"x", "no name of evidence"),
        (f"sign-off/00/{key('x')}/{name_of('x')}", b"x", "no evidence lies there"),
        (f"sign-off/{key('x')[:2]}/{key('x')[:40]}/{name_of('x')}", b"x", "no evidence lies there"),
        (f"about/11/{'1' * 39}/{name_of('x')}", b"x", "no evidence lies there"),
        (f"sign-off/{name_of('x')}", b"x", "no evidence lies there"),
        (f"other/{key('x')[:2]}/{key('x')}/{name_of('x')}", b"x", "no evidence lies there"),
        ("README.md", b"x", "no evidence lies there"),
    ],
)
def test_what_is_no_evidence_is_refused(path_of_repo: Path, path: str, content: bytes, said: str) -> None:
    server = made(path_of_repo, bare=True)
    record(server, [entry("one"), entry("two")])
    (reason,) = judged(server, {**files("one", "two"), path: content})
    assert reason.endswith(f": {said}")


def test_a_submodule_is_refused(server: Repository) -> None:
    oid = "2" * len(server.zero)
    (reason,) = judged(server, {**files("one", "two"), path_of("x"): Submodule(oid)})
    assert reason.endswith(": a submodule")


def test_more_than_anybody_reads_is_refused(server: Repository) -> None:
    many = files("one", "two", *(f"n {number}" for number in range(MOST - 1)))
    assert judged(server, many) == (f"{folder_of('sign-off', key('change'))} would have more than 1,000 entries",)


def test_too_many_in_one_push_are_refused(server: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "ADDITIONS", 3)
    assert judged(server, files("one", "two", "a", "b", "c")) == ()
    several = {path_of(str(n), about=str(n)): str(n).encode() for n in range(4)}
    assert judged(server, {**files("one", "two"), **several}) == ("more than 3 envelopes in one push",)
    monkeypatch.setattr(receive, "OBJECTS", 2)
    assert judged(server, files("one", "two", "d", "e", "f")) == ("it brings more than 6 objects in one push",)


def test_reasons_are_not_without_end(server: Repository) -> None:
    odd = {f"odd/{number}": b"x" for number in range(50)}
    assert len(judged(server, {**files("one", "two"), **odd})) == receive.TOLD


def test_a_huge_blob_hidden_in_the_history_is_refused(server: Repository) -> None:
    huge = b"h" * 100_000
    middle = planted(server, {**files("one", "two"), "huge": huge}, ref=NEW, onto=tip_of(server))
    tree = server.git.text("rev-parse", f"{EVIDENCE}^{{tree}}")
    new = server.git.text("commit-tree", "-p", middle, "-m", "as if nothing had been", tree)
    server.git.run("update-ref", "-d", NEW)
    (reason,) = judge_move(server, tip_of(server), new, readable)
    assert reason.startswith("its history holds ")
    assert reason.startswith("its history holds ")
    huge_only = planted(server, {**files("one", "two"), path_of("x"): huge}, ref=NEW, onto=tip_of(server))
    server.git.run("update-ref", "-d", NEW)
    assert any("more than 65,536" in one for one in judge_move(server, tip_of(server), huge_only, readable))


def hidden(server: Repository, middle: str) -> tuple[str, ...]:
    """What is said of a push whose tip looks as if that commit had never been."""
    tree = server.git.text("rev-parse", f"{EVIDENCE}^{{tree}}")
    new = server.git.text("commit-tree", "-p", middle, "-m", "as if nothing had been", tree)
    return judge_move(server, tip_of(server), new, readable)


def test_anything_hidden_in_the_history_is_refused(server: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    middle = planted(server, {**files("one", "two"), "small": b"s"}, ref=NEW, onto=tip_of(server))
    server.git.run("update-ref", "-d", NEW)
    (reason,) = hidden(server, middle)
    assert reason.endswith("which is nowhere in what would be there now")
    tree = server.git.text("rev-parse", f"{EVIDENCE}^{{tree}}")
    wordy = server.git.text("commit-tree", "-p", tip_of(server), "-F", "-", tree, stdin=b"w" * 100_000)
    (reason,) = hidden(server, wordy)
    assert reason.endswith("a commit of more than 4,096 bytes")
    for name in ("n" * 200, "two\nlines"):
        names = planted(server, {name: b"one"}, ref=NEW, onto=tip_of(server))
        server.git.run("update-ref", "-d", NEW)
        (reason,) = hidden(server, names)
        assert "is nowhere in what would be there now" in reason
    monkeypatch.setitem(receive._MOST, b"tree", 10)
    (reason,) = hidden(server, names)
    assert reason.endswith("a tree of more than 10 bytes")


def test_what_is_no_commit_is_refused(server: Repository) -> None:
    tree = server.git.text("rev-parse", f"{EVIDENCE}^{{tree}}")
    assert judge_move(server, tip_of(server), tree, readable) == ("it would be no commit",)
    assert judge_move(server, None, "5" * len(tree), readable) == ("it would be no commit",)


def test_a_store_in_place_of_something_else_is_taken(server: Repository) -> None:
    """What a server got before its hook was installed."""
    tip = tip_of(server)
    blob = server.git.text("hash-object", "-w", "--stdin", stdin=b"x")
    assert judge_move(server, blob, tip, readable) == ()


def test_rubbish_from_before_the_gate_may_be_cleaned(server: Repository) -> None:
    clean = tip_of(server)
    have = {f"about/11/{'1' * 40}/{name_of(text)}": text.encode() for text in ("one", "two")}
    planted(server, {**have, **files("one"), path_of("two"): b"false", "README.md": b"x"}, onto=clean)
    assert judged(server, files("one", "two")) == ()


def test_a_malformed_tree_is_refused(server: Repository) -> None:
    blob = server.git.text("rev-parse", f"{EVIDENCE}:{path_of('one')}")
    for data in (
        b"".join(b"40000 sign-off\0" + bytes.fromhex(blob) for _ in range(2)),
        b"100644 sign-off/" + b"\0" + bytes.fromhex(blob),
        b"100644 \0" + bytes.fromhex(blob),
        b"100644 short\0" + bytes.fromhex(blob)[:-1],
        b"no tree",
    ):
        tree = server.git.text("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=data)
        new = server.git.text("commit-tree", "-p", tip_of(server), "-m", "x", tree)
        (reason,) = judge_move(server, tip_of(server), new, readable)
        assert reason.startswith("it cannot be read: ")


def test_other_refs_beside_the_store_are_refused() -> None:
    assert judge_ref(EVIDENCE) == ""
    assert judge_ref("refs/heads/main") == ""
    assert judge_ref("refs/rollback-guardian/x") == ""
    for ref in ("refs/rollback-guard/evidence/x", "refs/rollback-guard/evidence-2", "refs/rollback-guard"):
        assert "is kept on a server" in judge_ref(ref)


HOOK = """\
#!{python}
import os, sys
sys.path.insert(0, {root!r})
from rollback_guard.evidence.receive import judge_move
from rollback_guard.git.repository import open_repository
repository = open_repository(os.getcwd(), os.environ, hook=True)
for line in sys.stdin:
    old, new, ref = line.split()
    old, new = (oid if oid.strip("0") else None for oid in (old, new))
    reasons = judge_move(repository, old, new, lambda folder, data: "")
    sys.stderr.write("".join(reason + "\\n" for reason in reasons))
    if reasons:
        sys.exit(1)
"""


def test_in_a_hook_what_is_pushed_is_judged_before_it_is_taken(tmp_path: Path) -> None:
    server, clone = served(tmp_path, "clone")
    hook = Path(server.git_dir, "hooks", "pre-receive")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(python=sys.executable, root=str(Path(__file__).parent.parent.parent)))
    hook.chmod(0o755)
    record(clone, [entry("one"), entry("two")])

    def push(spec: str) -> str:
        done = subprocess.run(
            ["git", "push", "origin", spec], cwd=clone.git.cwd, env=dict(os.environ), capture_output=True, check=False
        )
        return "" if done.returncode == 0 else done.stderr.decode()

    assert push(EVIDENCE) == ""
    planted(clone, files("one", "three"), ref=NEW, onto=tip_of(clone))
    assert "would be removed" in push(f"{NEW}:{EVIDENCE}")
    assert "it only moves forward" in push(f"+{planted(clone, files('three'), ref=NEW)}:{EVIDENCE}")
    assert "evidence is never deleted" in push(f":{EVIDENCE}")
    assert everything(opened(Path(server.git_dir))) == {"one", "two"}
    record(clone, [entry("three")])
    assert push(EVIDENCE) == ""
