"""A branch's first-parent chain: which commits it gained above another commit, read in one process and proven.

What is done with them is left to `release`.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.errors import GitError
from rollback_guard.git.log import LogFormat, read_log
from rollback_guard.git.process import Git, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class ChainCommit(NamedTuple):
    """One commit of the chain. `subject` is its message's first line, in UTF-8 where git knows how."""

    commit: str
    tree: str
    parents: tuple[str, ...]
    author: str  # Name <email>
    subject: str


class _ChainFormat(LogFormat):
    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        names = ("%H", "%T", "%P", "%an <%ae>", "%B")
        self.fields = len(names)
        self.pretty = "--format=tformat:" + "%x00".join(names)


def read_chain(git: Git, tip: str, exclude: str) -> Iterator[ChainCommit]:
    """The commits that following first parents from `tip` reaches and `exclude` does not, newest first.

    Raises: GitError when they are not one unbroken chain of first parents.
    """
    expected: str | None = tip
    for commit, tree, parents, author, body in read_log(git, _ChainFormat(), "--first-parent", tip, f"^{exclude}"):
        one = ChainCommit(
            commit=decode(commit),
            tree=decode(tree),
            parents=tuple(decode(parents).split()),
            author=decode(author),
            subject=first_line(decode(body)),
        )
        if one.commit != expected:
            raise GitError(f"the history of {tip} is no chain at {one.commit}", remedy="git fsck --connectivity-only")
        expected = one.parents[0] if one.parents else None
        yield one


def on_chain(git: Git, commit: str, tip: str) -> bool:
    """Whether following first parents from `tip` meets the commit: the branch was at it once."""
    if commit == tip:
        return True
    last = git.text("rev-list", "--first-parent", "--parents", tip, f"^{commit}").rpartition("\n")[2]
    return last.split()[1:2] == [commit]


def first_line(message: str) -> str:
    """A message's subject as `git revert` takes it: the first line that is not blank, not the folded `%s`.

    Source: git's commit.c, find_commit_subject.
    """
    for line in message.split("\n"):
        if line.strip(" \t\r\v\f"):
            return line
    return ""


def merge_base(git: Git, one: str, other: str) -> str | None:
    """The best common ancestor of two commits, or None when their histories never meet."""
    process = git.run("merge-base", one, other, accept=(0, 1))
    return decode(process.stdout).strip() or None


def tree_of(git: Git, commit: str) -> str:
    """The oid of a commit's tree."""
    return git.text("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")
