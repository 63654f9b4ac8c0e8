"""Refs: which there are, what a name resolves to, which contain a commit, and how they move."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.process import decode, encode
from rollback_guard.git.repository import Repository

HEADS = "refs/heads/"
REMOTES = "refs/remotes/"
TAGS = "refs/tags/"
HOOK_LINES = 3  # of what a hook said
_LOCK = re.compile(r"Unable to create '(.+\.lock)': File exists")
LONGEST = 4096  # characters of a name that is looked for; git 2.39 crashes on much longer ones


class Ref(NamedTuple):
    """A ref by its full name, with the object that it names and the commit behind it ("" when it is none)."""

    name: str
    oid: str
    commit: str


def list_refs(repository: Repository, *prefixes: str, contains: str = "") -> tuple[Ref, ...]:
    """All refs below the prefixes, sorted by name; with `contains`, those from which that commit is reachable.

    Symbolic refs such as refs/remotes/origin/HEAD are left out: they only repeat another one.
    """
    wanted = [f"--contains={contains}"] if contains else []
    layout = "%(refname)%00%(objectname)%00%(*objectname)%00%(objecttype)%00%(*objecttype)%00%(symref)%00"
    out = repository.git.run("for-each-ref", f"--format={layout}", *wanted, *prefixes).stdout
    fields = decode(out).split("\0")
    found = []
    for start in range(0, len(fields) - 6, 6):
        name, oid, peeled, kind, peeled_kind, symref = fields[start : start + 6]
        if symref:
            continue
        commit = oid if kind == "commit" else peeled if peeled_kind == "commit" else ""
        if peeled_kind == "tag":  # a tag of a tag, which git before 2.45 peels once
            commit = resolve_commit(repository, oid) or ""
        found.append(Ref(name=name.lstrip("\n"), oid=oid, commit=commit))
    return tuple(found)


def resolve_commit(repository: Repository, rev: str) -> str | None:
    """The full oid of the commit that a revision names, or None."""
    if not rev or "\n" in rev or "\0" in rev:
        return None
    process = repository.git.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}", accept=(0, 1, 128)
    )
    oid = decode(process.stdout).strip()
    return oid if oid.isalnum() else None  # `^main` is answered with `^<oid>`


def require_commit(repository: Repository, rev: str, option: str) -> str:
    """The full oid of the commit that a person named by an option or argument.

    Raises: UsageError when there is none, or when it is a branch's name and a tag's.
    """
    require_one_meaning(repository, rev, option)
    oid = resolve_commit(repository, rev)
    if oid is None:
        raise UsageError(
            f"{option}: there is no commit {rev!r} here",
            remedy="git fetch --all   # or look at: git branch --all",
        )
    return oid


def require_one_meaning(repository: Repository, rev: str, option: str, *, remote_too: bool = False) -> None:
    """Refuse a name that a branch and a tag bear both: git would take the tag, most people mean the branch.

    And a ref's name that is the beginning of a commit's id as well: git would take the ref, whoever copied it from a
    command means the commit.

    `remote_too`: branches as last seen on remotes count as well. Raises: UsageError.
    """
    import re
    import shlex

    name = re.split(r"[~^:]|@\{", rev, maxsplit=1)[0]  # `name~3` begins with a name; a ref name holds none of these
    odd = len(name) > LONGEST or any(sign in name for sign in "*?[\n\0")
    if not name or name == "HEAD" or odd or name.startswith(("-", "refs/")):
        return
    tag = TAGS + name
    wanted = (HEADS + name, REMOTES + name, tag) + ((f"{REMOTES}*/{name}",) if remote_too else ())
    found = decode(repository.git.run("for-each-ref", "--format=%(refname)", *wanted).stdout).split("\n")
    _require_no_id(repository, name, found[0], option)
    branches = [ref for ref in found if ref == HEADS + name or (ref.startswith(REMOTES) and ref.endswith("/" + name))]
    if tag in found and branches:
        rest = rev[len(name) :]
        raise UsageError(
            f"{option}: {name!r} is the name of a branch and of a tag, {branches[0]} and {tag}",
            remedy=f"{option} {shlex.quote(branches[0] + rest)}   # or: {shlex.quote(tag + rest)}",
        )


def _require_no_id(repository: Repository, name: str, ref: str, option: str) -> None:
    """Raises: UsageError when a name is a ref's and begins the id of a commit that the ref does not name."""
    import shlex

    if not ref or not 4 <= len(name) <= 64 or name.strip("0123456789abcdef"):
        return
    known = decode(repository.git.run("rev-parse", f"--disambiguate={name}", accept=(0, 128)).stdout).split()
    kinds = repository.git.text("cat-file", "--batch-check=%(objecttype)", stdin=encode("\n".join(known) + "\n"))
    commits = [oid for oid, kind in zip(known, kinds.split("\n"), strict=False) if kind == "commit"]
    if commits and commits != [resolve_commit(repository, ref)]:
        raise UsageError(
            f"{option}: {name!r} is the name of {ref} and the beginning of the id {commits[0]}",
            remedy=f"{option} {commits[0]}   # or: {shlex.quote(ref)}",
        )


def short_branch(ref: str, remotes: tuple[str, ...] = ()) -> str:
    """The branch's own name, without refs/heads/ or refs/remotes/NAME/."""
    if ref.startswith(HEADS):
        return ref[len(HEADS) :]
    if ref.startswith(REMOTES):
        rest = ref[len(REMOTES) :]
        for remote in sorted(remotes, key=len, reverse=True):
            if rest.startswith(remote + "/"):
                return rest[len(remote) + 1 :]
        return rest.partition("/")[2]
    return ref


def is_ancestor(repository: Repository, old: str, new: str) -> bool:
    """Whether one commit is reachable from another (a commit is its own ancestor)."""
    process = repository.git.run("merge-base", "--is-ancestor", old, new, accept=(0, 1))
    return process.returncode == 0


def update_refs(repository: Repository, updates: tuple[tuple[str, str, str], ...], *, reason: str) -> None:
    """Move refs in one transaction: each (name, new oid, old oid), the old one zero for "must not exist".

    Raises: RefusedError when a ref is no longer where it was, or a hook or lock refuses; then no ref moved.
    """
    lines = ["start"]
    for name, new, old in updates:
        if set(old) == {"0"}:
            lines.append(f"create {name} {new}")
        else:
            lines.append(f"update {name} {new} {old}")
    lines += ["prepare", "commit", ""]
    process = repository.git.run(
        "update-ref", "-m", reason, "--stdin", stdin=encode("\n".join(lines)), accept=(0, 1, 128, 129)
    )
    if process.returncode != 0:
        said = [line.strip() for line in decode(process.stderr).split("\n") if line.strip()]
        telling = [line for line in said if line.startswith("fatal: ")]
        locked = _LOCK.search(telling[0]) if telling else None
        if locked is not None:  # what git says below that is about editors
            path = locked.group(1)
            raise RefusedError(
                f"no ref was moved: {path} is there, so another git moves refs here, or broke off",
                remedy=f"rm {shlex.quote(path)}   # if it stays and no other git runs here; else just run this again",
            )
        hook = [line for line in said if line not in telling]  # a reference-transaction hook says here why
        raise RefusedError(
            "no ref was moved: " + "; ".join([*telling[:1], *hook[:HOOK_LINES]] or ["git refused the transaction"]),
            remedy="somebody may have moved the branch meanwhile, or a hook refuses it: look at that, and run the "
            "command again",
        )
