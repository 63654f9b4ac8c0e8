"""The repositories that are measured on, each written by one `git fast-import` and the same every time."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping

POLICY = """\
version = 1

[production]
branches = ["main", "production/*"]

[[route]]
into = "main"
from = ["release/*", "hotfix/*"]

[[route]]
into = "production/*"
from = ["main"]
{people}
[teams]
developers = ["jane", "omar", "ana", "ben", "cleo", "dan"]
quality = ["quinn", "eve", "finn"]

[[sign-off]]
role = "review"
trailer = "Reviewed-by"
by = ["@developers"]
proof = "trailer"

[[sign-off]]
role = "qa"
trailer = "QA-by"
by = ["@quality"]
proof = "trailer"

[[sign-off]]
role = "uat"
trailer = "UAT-by"
by = ["uma"]
proof = "trailer"

[release]
by = ["jane"]
"""
PEOPLE = {
    "jane": "Jane Doe", "omar": "Omar Haddad", "quinn": "Quinn Lee", "uma": "Uma Patel", "ana": "Ana Silva",
    "ben": "Ben Stone", "cleo": "Cleo Marsh", "dan": "Dan Fox", "eve": "Eve Park", "finn": "Finn Berg",
}  # fmt: skip
SIGN_OFFS = (
    "Reviewed-by: Omar Haddad <omar@shop.example>\n"
    "QA-by: Quinn Lee <quinn@shop.example>\n"
    "UAT-by: Uma Patel <uma@shop.example>\n"
)
BODY = "The checkout rounded each line; it rounds the sum now.\n"
PLAIN = f"fix: round the price of the whole basket\n\n{BODY}"
SIGNED = f"{PLAIN}\nRefs: SHOP-1234\n{SIGN_OFFS}"
STABLE = "stable/2026.11.22.1"
NEARER = "stable/2026.11.22.2"
BEGAN = 1_790_000_000  # Unix seconds of the first commit
WHO = "Jane Doe <jane@shop.example>"


def policy() -> str:
    """The policy, with everybody in it."""
    tables = (
        f'\n[people.{name}]\nname = "{full}"\nemails = ["{name}@shop.example"]\n' for name, full in PEOPLE.items()
    )
    return POLICY.replace("{people}", "".join(tables))


def git(folder: str, env: Mapping[str, str], *args: str) -> str:
    """Run git and return what it prints."""
    done = subprocess.run(["git", *args], cwd=folder, env=dict(env), check=True, capture_output=True)
    return done.stdout.decode("utf-8", "surrogateescape").strip()


class Writer:
    """Puts a `git fast-import` stream together. Marks and times count up by themselves."""

    def __init__(self) -> None:
        self._mark = 0

    def commit(self, ref: str, message: str, parents: Iterable[int], files: Mapping[str, str]) -> tuple[int, bytes]:
        """One commit's mark and stream. The first parent's files are kept but for those given."""
        self._mark += 1
        lines = [f"commit {ref}", f"mark :{self._mark}", f"committer {WHO} {BEGAN + self._mark} +0000", _data(message)]
        for index, parent in enumerate(parents):
            lines.append(f"{'merge' if index else 'from'} :{parent}")
        for path, text in files.items():
            lines += [f"M 100644 inline {path}", _data(text)]
        return self._mark, ("\n".join(lines) + "\n\n").encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"


def tag(name: str, mark: int) -> bytes:
    """An annotated tag's stream."""
    return f"tag {name}\nfrom :{mark}\ntagger {WHO} {BEGAN} +0000\n{_data(f'{name} was deployed')}\n".encode()


def write(folder: str, env: Mapping[str, str], stream: Iterator[bytes], *, bare: bool = False) -> str:
    """A fresh repository with what a stream says, one pack, and main checked out unless bare."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    git(folder, env, "init", "-q", "--initial-branch=main", *(["--bare"] if bare else []), ".")
    git(folder, env, "config", "gc.auto", "0")
    importer = ["git", "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet"]
    process = subprocess.Popen(importer, cwd=folder, env=dict(env), stdin=subprocess.PIPE)
    assert process.stdin is not None
    for piece in stream:
        process.stdin.write(piece)
    process.stdin.close()
    if process.wait() != 0:
        raise subprocess.CalledProcessError(process.returncode, "git fast-import")
    git(folder, env, "repack", "-a", "-d", "-q")
    if not bare:
        git(folder, env, "reset", "-q", "--hard", "main")
    return folder


def linear(commits: int) -> Iterator[bytes]:
    """main with a policy, and release/x with a line of commits over it, each with trailers; the head is signed."""
    writer = Writer()
    last, piece = writer.commit("refs/heads/main", "chore: begin\n\n" + BODY, (), {"rollback-guard.toml": policy()})
    yield piece
    for number in range(commits):
        trailers = f"Refs: SHOP-{number}\nChange-Id: I{number:040x}\nCo-authored-by: Ana Silva <ana@shop.example>\n"
        if number + 1 == commits:
            trailers += SIGN_OFFS
        message = f"fix: round price {number} of the basket\n\n{BODY}\n{trailers}"
        files = {f"src/part{number % 50}/file{number % 500}.py": f"price = {number}\n"}
        last, piece = writer.commit("refs/heads/release/x", message, (last,), files)
        yield piece


def merged(merges: int, files: int, *, onto: str = "main", nearer: int = 100, branches: int = 20) -> Iterator[bytes]:
    """Production with a policy, a stable release, and merges above it, each of a branch of one commit.

    The merged branches take turns in `branches` names. The last `nearer` merges lie above a second stable
    release. With another branch than main as `onto`, the merges are made on that branch instead, each of a
    branch that began two merges before it.
    """
    writer = Writer()
    ref = f"refs/heads/{onto}"
    tree = {"rollback-guard.toml": policy()}
    tree |= {f"src/{number // 50}/file{number}.py": f"value = {number}\n" * 5 for number in range(files)}
    last, piece = writer.commit("refs/heads/main", "chore: begin\n\n" + BODY, (), tree)
    yield piece
    yield tag(STABLE, last)
    before = last
    for number in range(merges):
        if number == merges - nearer:
            yield tag(NEARER, last)
        places = {(number * 7 + step * 13) % files for step in range(3)}
        changed = {f"src/{place // 50}/file{place}.py": f"value = {place}\nchanged = {number}\n" for place in places}
        message = f"fix: price {number}\n\n{BODY}\nRefs: SHOP-{number}\n{SIGN_OFFS}"
        side, piece = writer.commit(f"refs/heads/release/{number % branches}", message, (before,), changed)
        yield piece
        title = f"Merge branch 'release/{number % branches}'\n\n{SIGN_OFFS}"
        landed, piece = writer.commit(ref, title, (last, side), changed)
        yield piece
        before, last = (landed if onto == "main" else last), landed


ASIDE = "refs/heads/back/main"  # where a revert goes that leaves production alone


class Restorer:
    """Brings a repository back to how it was: refs, work tree, and no object more than before."""

    def __init__(self, folder: str, env: Mapping[str, str]) -> None:
        self.folder, self._env = folder, env
        self.bare = git(folder, env, "rev-parse", "--is-bare-repository") == "true"
        self._objects = os.path.join(folder, "objects" if self.bare else ".git/objects")
        self._tip = git(folder, env, "rev-parse", "main")
        self._kept = set(self._files())

    def _files(self) -> Iterator[str]:
        for folder, _, names in os.walk(self._objects):
            yield from (os.path.join(folder, name) for name in names)

    def __call__(self) -> None:
        """Bring it back."""
        git(self.folder, self._env, "update-ref", "-d", ASIDE)
        if self.bare:
            git(self.folder, self._env, "update-ref", "refs/heads/main", self._tip)
        else:
            git(self.folder, self._env, "reset", "-q", "--hard", self._tip)
        for path in set(self._files()) - self._kept:
            os.unlink(path)
