"""Which branches hold each of some commits, found in one walk over what lies above a base.

Asking git for one commit at a time walks all history each time; a push may bring thousands.
"""

from __future__ import annotations

from rollback_guard.facts.surroundings import branches_with
from rollback_guard.git.process import decode
from rollback_guard.git.refs import HEADS, REMOTES, list_refs, short_branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rollback_guard.facts.surroundings import Surroundings
    from rollback_guard.git.repository import Repository

FEW = 2  # commits that are asked for one by one: then the walk costs more


def holders_of(
    repository: Repository,
    around: Surroundings,
    commits: Iterable[str],
    *,
    head: str,
    base: str | None,
    keep: Callable[[str], bool],
) -> dict[str, frozenset[str]]:
    """Short names of the branches from which each commit is reachable, of those that `keep` wants.

    `commits` are reachable from `head`; those that `base` holds too are asked for one by one.
    """
    wanted = set(commits)
    found: dict[str, frozenset[str]] = {}
    if len(wanted) > FEW:
        tips: dict[str, set[str]] = {}
        for ref in list_refs(repository, HEADS, REMOTES):
            name = short_branch(ref.name, around.remotes)
            if ref.commit and keep(name):
                tips.setdefault(ref.commit, set()).add(name)
        found = _walk(repository, wanted, tips, head=head, base=base)
    for commit in wanted - found.keys():
        found[commit] = frozenset(filter(keep, branches_with(repository, around, commit)))
    return found


def _walk(
    repository: Repository, wanted: set[str], tips: dict[str, set[str]], *, head: str, base: str | None
) -> dict[str, frozenset[str]]:
    """Children come before parents, so what holds a commit is known when it is shown."""
    names = sorted({name for one in tips.values() for name in one})
    bits = {name: 1 << number for number, name in enumerate(names)}
    masks = {commit: sum(bits[name] for name in one) for commit, one in tips.items()}
    revs = "".join(f"{rev}\n" for rev in dict.fromkeys((head, *tips))) + (f"^{base}\n" if base else "")
    found: dict[str, int] = {}
    tail = b""
    for piece in repository.git.chunks("rev-list", "--topo-order", "--parents", "--stdin", stdin=revs.encode()):
        *lines, tail = (tail + piece).split(b"\n")
        for line in lines:
            commit, *parents = decode(line).split(" ")
            mask = masks.pop(commit, 0)
            if commit in wanted:
                found[commit] = mask
            if mask:
                for parent in parents:
                    masks[parent] = masks.get(parent, 0) | mask
    every: dict[int, frozenset[str]] = {}
    for mask in set(found.values()):
        every[mask] = frozenset(name for name in names if bits[name] & mask)
    return {commit: every[mask] for commit, mask in found.items()}
