"""From commits that somebody names to what was reverted, and to what has to be undone so that it comes again.

Named may be a reverted commit, the merge that landed it, or the revert. Which branch goes on from it is for
`release.reland_source`, what comes of it for `release.reland`.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.errors import RefusedError
from rollback_guard.git.history_chain import landing_of, read_some, tree_of
from rollback_guard.git.process import Git
from rollback_guard.git.repository import Repository
from rollback_guard.git.standing import RevertCommit, Standing
from rollback_guard.release.model import Relanded
from rollback_guard.release.only_units import Unit, in_order, read_units, units_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Words(NamedTuple):
    """What was reverted and is to come again, the newest first; and what is to be undone, or made again, for that."""

    reverted: tuple[Relanded, ...]
    units: tuple[Unit, ...]
    notes: tuple[str, ...] = ()


def read_words(repository: Repository, git: Git, commits: Sequence[str], tip: str, branch: str) -> Words:
    """What some commits (full oids) mean. Raises: RefusedError where nothing of them is reverted on the branch.

    `git` is where merges are tried.
    """
    landings = {commit: _landing(git, commit, tip, branch) for commit in commits}
    standing = _standing(repository, git, set(landings.values()), tip)
    meant: dict[str, RevertCommit] = {}
    left = []
    for commit in commits:
        found = _meant(standing, commit, landings[commit])
        meant.update({one: standing.last_word(one) for one in found})
        if not found:
            left.append(commit)
    if not meant:
        raise _not_reverted(git, standing, left[0], branch)
    ordered = in_order(git, meant)
    known = read_some(git, ordered)
    reverted = tuple(
        Relanded(
            commit=one,
            subject=known[one].subject,
            author=known[one].author,
            landing=landings.get(one) or _landing(git, one, tip, branch),
            revert=meant[one].commit,
        )
        for one in ordered
    )
    count = len(left)
    state = "is not reverted, and stays as it is" if count == 1 else "are not reverted, and stay as they are"
    notes = (f"{count:,} of the commits named {state}",)
    return Words(reverted, _units(git, standing, meant, tip, branch), notes if left else ())


def _standing(repository: Repository, git: Git, landings: set[str], tip: str) -> Standing:
    """What holds on a branch, as far down as what some of its landings reverted, and what that had reverted."""
    while True:
        oldest = in_order(git, landings)[-1]
        without = next(iter(read_some(git, [oldest])[oldest].parents), None)
        standing = Standing(repository, tip, without=without)
        named = [oid for one in standing.reverts if standing.landing[one.commit] in landings for oid in one.reverts]
        below = {landing_of(git, oid, tip) for oid in dict.fromkeys(named) if oid not in standing.parents}
        more = {landing for landing in below if landing is not None} - landings
        if not more:
            return standing
        landings |= more


def _landing(git: Git, commit: str, tip: str, branch: str) -> str:
    landing = landing_of(git, commit, tip)
    if landing is None:
        raise RefusedError(
            f"{commit} is not in {branch}, so nothing of it was reverted there",
            remedy="git merge --no-ff BRANCH   # an ordinary merge of the branch that has it",
        )
    return landing


def _meant(standing: Standing, commit: str, landing: str) -> list[str]:
    """The reverted commits that a commit stands for: itself, what it reverted or brought, or what brought it."""
    undone = standing.undone
    if commit in undone:  # a revert that was reverted has nothing to come again: what it took is there
        return [] if _takes_away(standing, commit) else [commit]
    by_it = _taken_by(standing, [one for one in standing.reverts if one.commit == commit])
    if by_it:
        return by_it
    if landing in undone:
        return [landing]
    if landing != commit:
        return []
    brought = [one for one in undone if standing.landing.get(one) == commit]
    return brought or _taken_by(standing, [one for one in standing.reverts if standing.landing[one.commit] == commit])


def _taken_by(standing: Standing, reverts: Sequence[RevertCommit]) -> list[str]:
    """What reverts took back that is still gone, reverts of reverts left out."""
    oids = {one.commit for one in reverts}
    return [
        oid
        for oid, revert in standing.undone.items()
        if (revert.commit in oids or standing.last_word(oid).commit in oids) and not _says(standing, oid)
    ]


def _says(standing: Standing, oid: str) -> RevertCommit | None:
    return next((one for one in standing.reverts if one.commit == oid), None)


def _takes_away(standing: Standing, commit: str) -> bool:
    """Whether a commit took something away, rather than giving back what another one took."""
    seen: set[str] = set()
    taking, one = False, _says(standing, commit)
    while one is not None and one.reverts and one.commit not in seen:
        seen.add(one.commit)
        taking, one = not taking, _says(standing, one.reverts[0])
    return taking


def _not_reverted(git: Git, standing: Standing, commit: str, branch: str) -> RefusedError:
    """Why there is nothing to do: it came again already, or no message says that it went."""
    back = next((one for one in standing.said.get(commit, ()) if one.commit in standing.undone), None)
    short = commit[:12]
    if back is not None:
        again = standing.undone[back.commit].commit[:12]
        message = f"{short} was reverted on {branch} by {back.commit[:12]}, which was reverted itself by {again}"
        return RefusedError(f"{message}: it is there", remedy=f"git show {again}")
    if _says(standing, commit) is not None:
        message = f"what {short} reverted is not reverted on {branch} any more: it came again since"
    else:
        message = f"{short} is in {branch}, and no commit there says that it was reverted"
    subject = read_some(git, [commit])[commit].subject
    return RefusedError(message, remedy=f"git log --oneline {branch}   # {short} is: {subject}")


def _units(git: Git, standing: Standing, meant: dict[str, RevertCommit], tip: str, branch: str) -> tuple[Unit, ...]:
    """The reverts that are reverted, newest first; then what is made again alone, oldest first."""
    whole: list[str] = []
    alone: list[str] = []
    for revert in {one.commit: one for one in meant.values()}.values():
        mine = [oid for oid, one in meant.items() if one == revert]
        others = [oid for oid in _taken_by(standing, [revert]) if oid not in mine]
        if others and len(revert.reverts) > 1:
            alone += mine
        else:
            whole.append(revert.commit)
    units = list(read_units(git, whole, tip, branch))
    known = units_of(git, alone, tip)
    for commit in reversed(in_order(git, alone)):
        unit = known[commit]
        if unit is None:
            (unit,) = read_units(git, [commit], tip, branch)  # says why it cannot be taken by itself
        units.append(unit._replace(away=unit.back, back=tree_of(git, commit), again=True))
    return tuple(units)
