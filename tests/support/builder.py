"""Builds real repositories with the words of the domain: commits, branches, merges, people.

Dates are fixed and count up by a minute, so that the same story gives the same oids. That is why a story that
many tests begin with is told once by a process (`told_once`), and copied from then on.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Concatenate, ParamSpec, TypedDict

from rollback_guard.entry import demo_shop

PEOPLE = {
    "jane": ("Jane Doe", "jane@acme.example"),
    "omar": ("Omar Haddad", "omar@acme.example"),
    "quinn": ("Quinn Lee", "quinn@acme.example"),
    "uma": ("Uma Patel", "uma@acme.example"),
    "eve": ("Eve Stranger", "eve@elsewhere.example"),
}
POLICY = demo_shop.POLICY
SIGNED = "".join(f"{line}\n" for line in demo_shop.SIGN_OFFS)


ELSEWHERE = ("", "refs", "refs/tags")  # where git looks for a name before it looks among the branches
TEMPORARY = os.environ.get("PYTEST_DEBUG_TEMPROOT") or gettempdir()  # before any test sets another
Story = ParamSpec("Story")


class Identity(TypedDict):
    """The environment in which git takes somebody for author and committer, at a fixed time."""

    GIT_AUTHOR_NAME: str
    GIT_AUTHOR_EMAIL: str
    GIT_COMMITTER_NAME: str
    GIT_COMMITTER_EMAIL: str
    GIT_AUTHOR_DATE: str
    GIT_COMMITTER_DATE: str


class RepositoryBuilder:
    """One repository on disk. Methods that make a commit return its oid."""

    def __init__(self, path: Path, *, object_format: str = "sha1", bare: bool = False, branch: str = "main") -> None:
        self.path = path
        self.clock = 1_780_000_000  # 2026-05-28
        path.mkdir(parents=True, exist_ok=True)
        options = [f"--template={_template()}", *(["--bare"] if bare else [])]
        self.git("init", "-q", f"--object-format={object_format}", f"--initial-branch={branch}", *options)

    @classmethod
    def copied(cls, told: RepositoryBuilder, path: Path) -> RepositoryBuilder:
        """A copy of a repository that is not bare, to go on with; its index knows the copied files."""
        shutil.copytree(told.path, path, symlinks=True, dirs_exist_ok=True)
        repo = cls.__new__(cls)
        repo.path, repo.clock = path, told.clock
        repo.git("update-index", "-q", "--refresh")
        return repo

    def git(self, *args: str, stdin: bytes | None = None, check: bool = True, **env: str) -> str:
        """Run git here and return what it prints."""
        done = subprocess.run(
            ["git", *args], cwd=self.path, env={**os.environ, **env}, input=stdin, capture_output=True, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(f"git {' '.join(args)}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def as_person(self, person: str, committer: str | None = None) -> Identity:
        """The environment of somebody of PEOPLE, one minute later."""
        self.clock += 60
        name, email = PEOPLE[person]
        by_name, by_email = PEOPLE[committer or person]
        date = f"{self.clock} +0000"
        return {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": by_name,
            "GIT_COMMITTER_EMAIL": by_email,
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
        }

    def write(self, **files: str) -> None:
        """Write files; `__` in a name is a slash, `_dot_` a dot."""
        for name, text in files.items():
            self.write_file(name.replace("__", "/").replace("_dot_", "."), text)

    def write_file(self, name: str, text: str) -> None:
        """Write one file, folders made as needed."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, message: str, *, by: str = "jane", committer: str | None = None, **files: str) -> str:
        """Commit everything that is in the work tree, with some files written first. Runs no hooks."""
        self.write(**files)
        self.git("add", "-A")
        env = self.as_person(by, committer)
        self.git("commit", "-q", "--no-verify", "--allow-empty", "--cleanup=verbatim", "-m", message, **env)
        return self.head()

    def branch(self, name: str, start: str = "HEAD") -> None:
        """Make a branch and check it out."""
        self.git("checkout", "-q", "-b", name, start)

    def checkout(self, name: str) -> None:
        """Check a branch or commit out."""
        self.git("checkout", "-q", name)

    def merge(self, *heads: str, message: str = "", by: str = "jane") -> str:
        """Merge into the branch that is checked out, always with a merge commit. Runs no hooks."""
        text = message or f"Merge branch '{heads[0]}'"
        self.git("merge", "-q", "--no-ff", "--no-verify", "-m", text, *heads, **self.as_person(by))
        return self.head()

    def head(self, rev: str = "HEAD") -> str:
        """The oid of a commit. It is read from the file where that says all, which spares a process."""
        return self._loose(rev) or self.git("rev-parse", f"{rev}^{{commit}}")

    def _loose(self, rev: str) -> str:
        """What HEAD or a branch holds, by its file alone; "" when the name may mean something else as well."""
        folder = self.path / ".git"
        if rev == "HEAD" and (folder / rev).is_file():
            said = (folder / rev).read_text().strip()
            if not said.startswith("ref: refs/heads/"):
                return said
            rev = said.removeprefix("ref: refs/heads/")
        elif (folder / "packed-refs").exists() or any((folder / place / rev).exists() for place in ELSEWHERE):
            return ""
        branch = folder / "refs/heads" / rev
        said = branch.read_text().strip() if branch.is_file() else ""
        return "" if said.startswith("ref:") else said

    def tree(self, rev: str = "HEAD") -> str:
        """The oid of a commit's tree."""
        return self.git("rev-parse", f"{rev}^{{tree}}")

    def stable_tag(self, name: str, rev: str = "HEAD", *, by: str = "jane") -> None:
        """An annotated tag."""
        self.git("tag", "-a", "-m", f"Stable release {name}", name, rev, **self.as_person(by))


def kept_folder(name: str) -> Path:
    """A folder that lives as long as this process, for what many tests have in common."""
    folder = Path(mkdtemp(prefix=f"rollback-guard-{name}-", dir=TEMPORARY))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@lru_cache(maxsize=1)
def _template() -> Path:
    """What a new repository begins with: no sample hooks, and no look after each command at what could be packed."""
    folder = kept_folder("template")
    for name in ("hooks", "info"):
        (folder / name).mkdir()
    (folder / "info/exclude").touch()
    (folder / "config").write_text("[maintenance]\n\tauto = false\n[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n")
    return folder


_told: dict[object, RepositoryBuilder] = {}


def told_once(
    story: Callable[Concatenate[Path, Story], RepositoryBuilder],
) -> Callable[Concatenate[Path, Story], RepositoryBuilder]:
    """A story that depends on nothing but its words and on the git that tells it: it is told once, then copied.

    Each test still has a repository of its own. A story may not name its folder or look at the test's own.
    """

    @wraps(story)
    def copied(path: Path, /, *args: Story.args, **words: Story.kwargs) -> RepositoryBuilder:
        told = {
            name: value for name, value in os.environ.items() if name.startswith(("PATH", "GIT_", "ROLLBACK_GUARD"))
        }
        key = (story, args, tuple(sorted(words.items())), tuple(sorted(told.items())))
        if key not in _told:
            _told[key] = story(kept_folder("story") / "repo", *args, **words)
        return RepositoryBuilder.copied(_told[key], path)

    return copied


@told_once
def shop(path: Path, *, policy: str = POLICY, object_format: str = "sha1") -> RepositoryBuilder:
    """A shop whose `main` holds a policy and an app, with a signed release branch `release/1.4` checked out.

    The release was made by jane and bears the sign-offs of omar (review), quinn (qa) and uma (uat).
    """
    repo = RepositoryBuilder(path, object_format=object_format)
    repo.write_file("rollback-guard.toml", policy)
    repo.commit("Begin the shop", app_dot_py="price = 1\n")
    repo.branch("release/1.4")
    repo.commit("Raise the price", by="jane", app_dot_py="price = 2\n")
    repo.commit(f"Release 1.4\n\n{SIGNED}", by="jane", version_dot_txt="1.4\n")
    return repo
