"""What a change merges without its content: commits that production took back, and that were not brought again.

Which merges are asked about, and whether history is here to tell. What one of them loses is found in `git.half_merged`;
whether that is wrong is for the gate to say.
"""

from __future__ import annotations

from rollback_guard.errors import GuardError
from rollback_guard.facts.model import Fact, Known, Unknown, Unrelanded
from rollback_guard.facts.survey import SeenMerge, shallow_boundaries, shallow_unknown
from rollback_guard.git.half_merged import Joined, Search, lacks, worth_asking
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.repository import Repository
from rollback_guard.git.standing import Standing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollback_guard.facts.landings import Chain


def collect_unrelanded(
    repository: Repository,
    base: str | None,
    head: str,
    scratch_folder: str,
    chain: Chain,
    seen: Sequence[SeenMerge],
    result: Fact[str],
) -> Fact[tuple[Unrelanded, ...]]:
    """What a change merges without its content, into its target or within itself.

    `result` is the tree that it would give. Unknown where history was cut, and where no merge can be made again.
    """
    if base is None:
        return Known(())
    joined = _joined(base, head, chain, seen, result)
    try:
        if repository.shallow and _is_cut(repository, joined):
            return shallow_unknown()
        search = Search(repository, base, head, scratch_folder)
        found = [one for pair in worth_asking(repository, base, joined) for one in search.of(pair)]
    except GuardError as error:
        return Unknown(error.message, error.remedy)
    return Known(tuple(Unrelanded(**one._asdict()) for one in dict.fromkeys(found)), "git log")


def still_lost(again: MergeAgain, found: Fact[tuple[Unrelanded, ...]], tree: str) -> Fact[tuple[Unrelanded, ...]]:
    """Those of which another tree lacks something as well: a merge that was staged may bring what git does not."""
    if isinstance(found, Unknown):
        return found
    return Known(tuple(one for one in found.value if lacks(again, tree, one.commit, one.revert)), found.source)


def _joined(base: str, head: str, chain: Chain, seen: Sequence[SeenMerge], result: Fact[str]) -> tuple[Joined, ...]:
    tree = result.value if isinstance(result, Known) else None
    landing = [link for link in chain if len(link.parents) > 1]
    found = [Joined(link.parents[0], parent, link.tree) for link in landing for parent in link.parents[1:]]
    own = {link.commit for link in landing}
    found += [
        Joined(merge.parents[0], parent, tree, inner=True)
        for merge in seen
        if merge.commit not in own
        for parent in merge.parents[1:]
    ]
    return tuple(found) if chain else (*found, Joined(base, head, tree))


def _is_cut(repository: Repository, joined: Sequence[Joined]) -> bool:
    """Whether history ends, in a shallow clone, before it is known what was reverted."""
    boundaries = shallow_boundaries(repository)
    for pair in joined:
        out = repository.git.run("rev-list", f"{pair.ours}...{pair.theirs}", "--").stdout
        if boundaries & frozenset(out.split()):
            return True
    return any(Standing(repository, pair.ours, without=pair.theirs).lost for pair in joined)
