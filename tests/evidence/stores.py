"""Stores of evidence for tests: real envelopes are not needed, because a store does not read what it keeps."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from rollback_guard.evidence.store import Entry, evidence_refs, list_all, look_up
from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.repository import Repository, open_repository
from tests.support.builder import RepositoryBuilder
from tests.support.gits import Files, Node, plant

HEAD = "1" * 40


def opened(path: Path) -> Repository:
    """The repository in a folder."""
    return open_repository(str(path), os.environ)


def made(path: Path, *, object_format: str = "sha1", bare: bool = False) -> Repository:
    """A new repository without commits."""
    RepositoryBuilder(path, object_format=object_format, bare=bare)
    return opened(path)


def served(folder: Path, *names: str, object_format: str = "sha1") -> tuple[Repository, ...]:
    """A bare server, and clones of those names that have it as origin."""
    found = [made(folder / "server.git", object_format=object_format, bare=True)]
    for name in names:
        found.append(made(folder / name, object_format=object_format))
        found[-1].git.run("remote", "add", "origin", f"file://{folder}/server.git")
    return tuple(found)


def key(name: str) -> str:
    """A binding's key."""
    return hashlib.sha256(name.encode()).hexdigest()


def entry(text: str, *, kind: str = "sign-off", about: str = "change", head: str = HEAD) -> Entry:
    """Something to record."""
    return Entry(kind=kind, key=key(about), head=head, data=text.encode())


def name_of(data: str | bytes) -> str:
    """The name under which something is kept."""
    raw = data.encode() if isinstance(data, str) else data
    return hashlib.sha256(raw).hexdigest() + ".json"


def path_of(data: str | bytes, *, kind: str = "sign-off", about: str = "change") -> str:
    """Where something is kept."""
    return f"{kind}/{key(about)[:2]}/{key(about)}/{name_of(data)}"


def texts(repository: Repository, *, about: str = "change", kind: str = "sign-off") -> set[str]:
    """What is found about a binding."""
    with ObjectReader(repository.git) as objects:
        return {one.data.decode() for one in look_up(objects, evidence_refs(repository), kind, key(about))}


def everything(repository: Repository) -> set[str]:
    """All that our own ref holds."""
    return {one.stored.data.decode() for one in list_all(repository, [EVIDENCE])}


def planted(repository: Repository, *stories: Files, ref: str = EVIDENCE, onto: str = "") -> str:
    """Commits that hold exactly these files, one after the other, the last one under a ref; its oid."""
    nodes = [Node(files=files, parents=(number - 1,) if number else ()) for number, files in enumerate(stories)]
    tip = plant(Path(repository.git_dir), *nodes)[-1]
    if onto:
        tree = repository.git.text("rev-parse", f"{tip}^{{tree}}")
        tip = repository.git.text("commit-tree", "-p", onto, "-m", "evidence: by hand", tree)
    repository.git.run("update-ref", ref, tip)
    return tip


def files_of(repository: Repository, rev: str = EVIDENCE) -> dict[str, bytes]:
    """All files of a commit."""
    paths = repository.git.text("ls-tree", "-r", "-z", "--name-only", rev).split("\0")
    return {path: repository.git.run("cat-file", "blob", f"{rev}:{path}").stdout for path in paths if path}


def tip_of(repository: Repository, ref: str = EVIDENCE) -> str:
    """The oid of a ref, "" when there is none."""
    return repository.git.text("rev-parse", "--verify", "--quiet", ref, accept=(0, 1))


def writing(path: Path, code: str, *args: str) -> subprocess.Popen[bytes]:
    """A process of its own that has `record`, `entry` and the repository `repo` at hand."""
    before = (
        "import os, sys\nfrom pathlib import Path\nfrom rollback_guard.evidence.store import record\n"
        "from rollback_guard.evidence.remote import fetch, push\nfrom tests.evidence.stores import entry, opened\n"
        f"repo = opened(Path({json.dumps(str(path))}))\n"
    )
    root = Path(__file__).parent.parent.parent
    return subprocess.Popen(
        [sys.executable, "-c", before + code, *args],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=root,
    )
