"""A branch's first-parent chain: which commits it gained above another commit, read in one process and proven.

What is done with them is left to `release`.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import GitError
from rollback_guard.git.log import LogFormat, read_log
from rollback_guard.git.process import Git, decode, encode
from rollback_guard.git.reverts import Said, read_hinted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class ChainCommit(NamedTuple):
    """One commit of the chain. `subject` is its message's first line, in UTF-8 where git knows how.

    `said`: what the message says that it takes back; None where it says nothing.
    """

    commit: str
    tree: str
    parents: tuple[str, ...]
    author: str  # Name <email>
    subject: str
    said: Optional[Said] = None


class ChainFormat(LogFormat):
    """Commit, tree, parents, author and whole message, as `chain_commit` takes them."""

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
    authors: dict[str, str] = {}
    for record in read_log(git, ChainFormat(), "--first-parent", tip, f"^{exclude}"):
        one = chain_commit(record)
        if one.commit != expected:
            raise GitError(f"the history of {tip} is no chain at {one.commit}", remedy="git fsck --connectivity-only")
        # Of a long chain, a third of the memory is the same names again.
        one = one._replace(commit=expected, author=authors.setdefault(one.author, one.author))
        expected = one.parents[0] if one.parents else None
        yield one


def read_some(git: Git, commits: Iterable[str]) -> dict[str, ChainCommit]:
    """Some commits (full oids), by their oids, wherever they lie."""
    stdin = encode("".join(f"{one}\n" for one in commits))
    if not stdin:
        return {}
    every = map(chain_commit, read_log(git, ChainFormat(), "--no-walk=unsorted", stdin=stdin))
    return {one.commit: one for one in every}


def chain_commit(record: list[bytes]) -> ChainCommit:
    """A record of `git log` in that format."""
    commit, tree, parents, author, body = map(decode, record)
    return ChainCommit(
        commit=commit,
        tree=tree,
        parents=tuple(parents.split()),
        author=author,
        subject=first_line(body),
        said=read_hinted(body),
    )


def landing_of(git: Git, commit: str, tip: str) -> str | None:
    """The commit of the first-parent chain by which a commit came into it: the oldest one that holds it.

    None where the tip does not hold the commit at all.
    """
    if on_chain(git, commit, tip):
        return commit
    chain = decode(git.run("rev-list", "--first-parent", f"{commit}..{tip}", "--").stdout).split()
    holders = set(decode(git.run("rev-list", "--ancestry-path", f"{commit}..{tip}", "--").stdout).split())
    return next((link for link in reversed(chain) if link in holders), None)


def on_chain(git: Git, commit: str, tip: str) -> bool:
    """Whether following first parents from `tip` meets the commit: the branch was at it once."""
    if commit == tip:
        return True
    last = git.text("rev-list", "--first-parent", "--parents", tip, f"^{commit}").rpartition("\n")[2]
    return last.split()[1:2] == [commit]


def came_back(git: Git, landing: str, tip: str) -> bool:
    """Whether a tip that has a landing has, on its own line, a commit that the landing brought from the side.

    So it is where a branch merged production after it had landed there itself; not where it was cut from production.
    """
    before = read_some(git, [landing])[landing].parents[:1]
    if not before:
        return False
    lines = [
        frozenset(decode(git.run("rev-list", "--first-parent", tip, f"^{end}", "--").stdout).split())
        for end in (before[0], landing)
    ]
    return bool(lines[0] - lines[1] - {landing})


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
