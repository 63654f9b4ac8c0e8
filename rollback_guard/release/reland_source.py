"""The branch that goes on from what was reverted: named, or found, and what it has to do with it.

A branch that only was cut from production holds what was reverted as well; it goes on from it only where somebody
says so. What is merged and written is left to `release.reland`.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.half_merged import Joined, Search, worth_asking
from rollback_guard.git.history_chain import came_back, read_some
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.process import Git, decode
from rollback_guard.git.refs import HEADS, REMOTES, is_ancestor, list_refs
from rollback_guard.git.repository import Repository
from rollback_guard.git.standing import Standing
from rollback_guard.release.model import Relanded, Source, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# How git and forges name the branch in a merge's subject.
_MERGED = re.compile(
    r"Merge (?:remote-tracking )?branch '(?:origin/)?([^']+)'"
    r"|Merge pull request #\d+ from [^/\s]+/(\S+)"
    r"|Merged in (\S+) \(pull request"
)


class Found(NamedTuple):
    """The branch, and which way is right with it."""

    way: Way
    source: Optional[Source]
    notes: tuple[str, ...] = ()


def name_source(repository: Repository, named: str) -> tuple[str, str]:
    """Short name and tip of a branch that somebody names. Raises: UsageError when there is none."""
    short = named.removeprefix(HEADS).removeprefix(REMOTES)
    refs = {one.name: one for one in list_refs(repository, *(f"{space}{short}" for space in _spaces()))}
    for space in _spaces():
        ref = refs.get(space + short)
        if ref is not None and ref.commit:
            return _short(ref.name), ref.commit
    raise UsageError(f"--source: there is no branch {named!r} here", remedy="git fetch --all   # or: git branch --all")


def _spaces() -> tuple[str, ...]:
    return HEADS, f"{REMOTES}origin/", REMOTES


def _short(ref: str) -> str:
    return ref[len(HEADS) :] if ref.startswith(HEADS) else ref[len(REMOTES) :]


def find_source(
    repository: Repository, reverted: Sequence[Relanded], tip: str, is_beside: Callable[[str], bool]
) -> tuple[str, str] | None:
    """The one branch that goes on from what was reverted; else that has the name that a landing says it merged; else
    that merged a branch that goes on.

    `is_beside` says of a branch (short name) that it is no production branch. Raises: RefusedError when several go on.
    """
    landings = read_some(repository.git, dict.fromkeys(one.landing for one in reverted))
    sides = [(landing.commit, head) for landing in landings.values() for head in landing.parents[1:]]
    having = [
        (ref, landing, head)
        for landing, head in sides
        for ref in list_refs(repository, HEADS, REMOTES, contains=head)
        if ref.commit and is_beside(_plain(ref.name)) and not is_ancestor(repository, ref.commit, tip)
    ]
    newest = _one_of(
        repository,
        {
            ref.commit: _short(ref.name)
            for ref, landing, _ in having[::-1]
            if _has_itself(repository, landing, ref.commit)
        },
    )
    newest = newest or _by_name(
        repository, [one.subject for one in landings.values() if len(one.parents) > 1], tip, is_beside
    )
    return newest or _one_of(
        repository,
        {
            ref.commit: _short(ref.name)
            for ref, landing, head in having[::-1]
            if any(
                _brings(repository, one, landing, head, tip)
                for _, *others in _merges(repository, ref.commit, tip)
                for one in others
            )
        },
    )


def _brings(repository: Repository, merged: str, landing: str, head: str, tip: str) -> bool:
    """Whether what was merged into a branch goes on from a merged head: the branch is gone, but was taken up there."""
    return (
        is_ancestor(repository, head, merged)
        and not is_ancestor(repository, merged, tip)
        and _has_itself(repository, landing, merged)
    )


def _one_of(repository: Repository, found: dict[str, str]) -> tuple[str, str] | None:
    """The branch, short name and tip, that has all the others. Raises: RefusedError when there are several."""
    newest = {one: name for one, name in found.items() if not _below_another(repository, one, found)}
    if len(newest) > 1:
        names = ", ".join(sorted(newest.values()))
        first = sorted(newest.values())[0]
        raise RefusedError(
            f"several branches go on from what was reverted: {names}", remedy=f"guard reland REV --source {first}"
        )
    return next(((name, commit) for commit, name in newest.items()), None)


def _plain(ref: str) -> str:
    """A branch's own name, whatever the remote's is."""
    return ref[len(HEADS) :] if ref.startswith(HEADS) else ref[len(REMOTES) :].partition("/")[2]


def _has_itself(repository: Repository, landing: str, commit: str) -> bool:
    """Whether what a branch has of a landing is its own, and not production's line that it was cut from."""
    return not is_ancestor(repository, landing, commit) or came_back(repository.git, landing, commit)


def _below_another(repository: Repository, commit: str, others: dict[str, str]) -> bool:
    return any(other != commit and is_ancestor(repository, commit, other) for other in others)


def _by_name(
    repository: Repository, subjects: Sequence[str], tip: str, is_beside: Callable[[str], bool]
) -> tuple[str, str] | None:
    for subject in subjects:
        match = _MERGED.match(subject)
        name = next(filter(None, match.groups()), "") if match is not None else ""
        if not name or not is_beside(name):
            continue
        for ref in list_refs(repository, HEADS + name, f"{REMOTES}origin/{name}"):
            if _plain(ref.name) == name and ref.commit and not is_ancestor(repository, ref.commit, tip):
                return _short(ref.name), ref.commit
    return None


def judge_source(
    repository: Repository,
    git: Git,
    reverted: Sequence[Relanded],
    tip: str,
    named: tuple[str, str] | None,
    scratch_folder: str,
) -> Found:
    """Which way is right: what the branch has of what was reverted, and whether it took the revert back.

    What the gate would call merged without its content (RG403) is never called rebuilt: it is found by the same means.
    """
    if named is None:
        return Found("as-it-was", None)
    branch, commit = named
    if is_ancestor(repository, commit, tip):
        return Found("as-it-was", None, (f"{branch} has nothing that is not there already",))
    newer = int(git.text("rev-list", "--count", commit, f"^{tip}"))
    source = Source(branch=branch, tip=commit, newer=newer)
    oids = {one.commit for one in reverted}
    knowing = {one.commit for one in reverted if is_ancestor(repository, one.revert, commit)}
    if knowing == oids and _is_back(repository, reverted, commit):
        return Found("reapplied", source)
    held = {one.commit for one in Standing(repository, tip, without=commit).still_in(commit)} & oids
    own = {one.commit for one in reverted if _has_itself(repository, one.landing, commit)}
    if not held and not knowing & own:
        held = _lost_within(repository, tip, commit, scratch_folder) & oids
    if not held and not knowing & own:
        return Found("rebuilt", source, _likeness(git, source, reverted, tip))
    rest = len(oids - held - knowing)
    notes = (f"{branch} has nothing of {rest:,} of them, which come back as they were",) if rest else ()
    return Found("fixed-on-top", source, notes)


def _lost_within(repository: Repository, tip: str, commit: str, scratch_folder: str) -> set[str]:
    """What merges within a branch brought without its content: one cut after the revert that merged the old branch."""
    with MergeAgain(repository, scratch_folder) as again:
        automatic = next(again.merge([(tip, commit)]))
        tree = automatic.tree if automatic.clean else None
    joined = [
        Joined(ours, one, tree, inner=True) for ours, *others in _merges(repository, commit, tip) for one in others
    ]
    search = Search(repository, tip, commit, scratch_folder)
    found = [one for pair in worth_asking(repository, tip, joined) for one in search.of(pair)]
    return {one.commit for one in found if one.how == "merged"}


def _merges(repository: Repository, commit: str, tip: str) -> list[list[str]]:
    """The parents of each merge that a branch has and production has not."""
    out = decode(repository.git.run("rev-list", "--merges", "--parents", commit, f"^{tip}", "--").stdout)
    return [line.split(" ")[1:] for line in out.split("\n")[:-1]]


def _is_back(repository: Repository, reverted: Sequence[Relanded], commit: str) -> bool:
    """Whether a branch that has the reverts reverted them itself."""
    for one in reverted:
        below = next(iter(read_some(repository.git, [one.landing])[one.landing].parents), None)
        if one.commit in Standing(repository, commit, without=below).undone:
            return False
    return True


def _likeness(git: Git, source: Source, reverted: Sequence[Relanded], tip: str) -> tuple[str, ...]:
    """How much of what was reverted the branch makes anew, by subjects: what differs in content was mended."""
    theirs = set(_subjects(git, source.tip, f"^{tip}"))
    known = read_some(git, dict.fromkeys(one.landing for one in reverted))
    mine = [
        subject
        for one in known.values()
        for subject in _subjects(git, one.commit, *(f"^{parent}" for parent in one.parents[:1]))
        if len(one.parents) < 2 or subject != one.subject
    ]
    alike = sum(subject in theirs for subject in mine)
    if mine and alike:
        return (f"{alike:,} of {len(mine):,} reverted commits are in {source.branch} anew, by their subjects",)
    return (f"no commit of {source.branch} bears the subject of a reverted one: is it the right branch?",)


def _subjects(git: Git, *revs: str) -> list[str]:
    return decode(git.run("log", "-z", "--format=tformat:%s", *revs, "--").stdout).split("\0")[:-1]
