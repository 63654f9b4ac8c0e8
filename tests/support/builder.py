"""Builds real repositories with the words of the domain: commits, branches, merges, people.

Dates are fixed and count up by a minute, so that the same story gives the same oids.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TypedDict

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
        options = ["--bare"] if bare else []
        self.git("init", "-q", f"--object-format={object_format}", f"--initial-branch={branch}", *options)

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
        """The oid of a commit."""
        return self.git("rev-parse", f"{rev}^{{commit}}")

    def tree(self, rev: str = "HEAD") -> str:
        """The oid of a commit's tree."""
        return self.git("rev-parse", f"{rev}^{{tree}}")

    def stable_tag(self, name: str, rev: str = "HEAD", *, by: str = "jane") -> None:
        """An annotated tag."""
        self.git("tag", "-a", "-m", f"Stable release {name}", name, rev, **self.as_person(by))


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
