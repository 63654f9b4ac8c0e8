"""Pull and merge requests by their numbers: the commits by which one came into a branch.

What tells is what forges write into the message of a merge or squash; and, for a request that landed without either,
its head where the forge's own refs were fetched: the commits themselves, or those that make the same change.
Undoing them is left to `release.only`.
"""

from __future__ import annotations

import re

from rollback_guard.errors import UsageError
from rollback_guard.git.history_chain import read_chain
from rollback_guard.git.process import Git, decode
from rollback_guard.git.refs import list_refs
from rollback_guard.git.repository import Repository
from rollback_guard.git.requests import named_by_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NUMBER = re.compile(r"[#!]([1-9][0-9]{0,9})")
# Where forges keep the head of a request, and where people commonly fetch that to.
_HEADS = ("refs/pull/{0}/head", "refs/merge-requests/{0}/head", "refs/pull-requests/{0}/from")
MOST = 1000  # commits of a request that are compared


def number_of(text: str) -> int | None:
    """The number in `#123` or `!123`; None for anything else."""
    match = NUMBER.fullmatch(text)
    return None if match is None else int(match.group(1))


def find_request(
    repository: Repository, number: int, tip: str, branch: str, stood: Callable[[str], str | None]
) -> tuple[str, ...]:
    """The commits by which a request came into a branch, the newest first; of one that came twice, the newest time.

    `stood` says where the branch stood before it was moved to a commit, where anything tells that.
    Raises: UsageError when nothing tells which they are.
    """
    named = next(named_by_number(repository.git, number, tip), None)
    if named is not None:
        return (named,)
    head = _head(repository, number)
    found = () if head is None else _landed(repository.git, head, tip, stood)
    if found:
        return found
    ref = _HEADS[0].format(number)
    remedy = f"git fetch origin {ref}:{ref}   # its head, where the forge keeps it; then this again"
    if head is not None:
        remedy = (
            f"guard revert --mode only BASE..{head[:12]}   # if it landed by fast-forward: from where {branch} stood"
        )
    raise UsageError(f"no commit of {branch} says that it is request {number}", remedy=remedy)


def _head(repository: Repository, number: int) -> str | None:
    """The head of a request where it was fetched, as the forge or a remote's name has it."""
    names = [form.format(number) for form in _HEADS]
    names += [f"refs/remotes/origin/{kind}/{number}" for kind in ("pr", "pull", "mr", "merge-requests")]
    found = {ref.name: ref.commit for ref in list_refs(repository, *names)}
    return next((found[name] for name in names if found.get(name)), None)


def _landed(git: Git, head: str, tip: str, stood: Callable[[str], str | None]) -> tuple[str, ...]:
    """The commits of the branch's own line that a request's head brought: by fast-forward, or made anew by a rebase."""
    base = decode(git.run("merge-base", head, tip, accept=(0, 1)).stdout).strip()
    if base == head:
        begun = stood(head)
        return () if begun is None else tuple(one.commit for one in read_chain(git, head, begun))
    if not base:
        return ()
    chain = [one.commit for one in read_chain(git, tip, base)]
    ids = set(_patch_ids(git, head, tip).values())
    same = _patch_ids(git, tip, head)
    return tuple(commit for commit in chain if same.get(commit) in ids)


def _patch_ids(git: Git, these: str, others: str) -> dict[str, str]:
    """The patch id of each commit that one side has and the other has not, merges left out."""
    layout = ("--no-merges", f"--max-count={MOST}", "-p", "--no-color", "--no-ext-diff", "--no-textconv")
    patches = git.run("log", *layout, "--format=commit %H", f"{others}..{these}", "--").stdout
    out = decode(git.run("patch-id", "--stable", stdin=patches).stdout)
    return {commit: patch for patch, _, commit in (line.partition(" ") for line in out.splitlines())}
