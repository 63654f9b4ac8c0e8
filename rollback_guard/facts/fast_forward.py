"""Several commits that landed together, by one fast-forward: where the branch stood before, and the facts.

History alone does not tell a fast-forward of three commits from three that landed one by one. Two things do: what
people signed names the base on which it was given; and a bare repository's own log of the ref says where the branch
stood. Which of the verdicts counts is left to `entry.fast_forward`.
"""

from __future__ import annotations

from rollback_guard.facts.landed import Setting, branches_of
from rollback_guard.facts.landings import read_chain
from rollback_guard.facts.model import Known, Landing
from rollback_guard.facts.range import Collected, Proposal, collect_range
from rollback_guard.git.refs import resolve_commit, short_branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.facts.history import Landed
    from rollback_guard.facts.landings import Chain
    from rollback_guard.facts.surroundings import Surroundings
    from rollback_guard.git.repository import Repository
    from rollback_guard.policy.model import Policy

MOST = 500  # commits of one fast-forward that are judged together


def plain_chain(repository: Repository, base: str, newest: str) -> Chain:
    """The commits above `base` up to `newest`, oldest first, where one fast-forward may have brought them.

    () unless these are several commits, at most MOST, and none of them a merge.
    """
    if resolve_commit(repository, base) != base:
        return ()
    ahead = repository.git.text("rev-list", "--count", f"--max-count={MOST + 1}", f"{base}..{newest}", "--")
    if not 1 < int(ahead) <= MOST:
        return ()
    chain = read_chain(repository, base, newest)
    plain = all(len(link.parents) == 1 for link in chain)
    return chain if plain and len(chain) == int(ahead) and chain[0].parents == (base,) else ()


def stood_before(repository: Repository, recorded: frozenset[str], newest: str) -> str | None:
    """Where the branch stood, by its log, before it came to `newest` by plain commits; None when nothing says so."""
    if newest not in recorded:
        return None
    layout = ("--first-parent", f"--max-count={MOST + 1}", "--parents")
    for line in repository.git.text("rev-list", *layout, newest, "--").split("\n"):
        _, *parents = line.split(" ")
        if len(parents) != 1:
            return None
        if parents[0] in recorded:
            return parents[0]
    return None


def collect_together(
    setting: Setting, around: Surroundings, newest: Landed, policy: Policy | None, base: str
) -> Collected:
    """The facts of everything from `base` up to a commit that landed, as one change, judged as what landed."""
    proposal = Proposal(
        stage=setting.stage, target=setting.target, base=base, head=newest.commit, repository=setting.name
    )
    change, proposed = collect_range(setting.repository, around, policy, proposal)
    branches = branches_of(newest, policy, short_branch(setting.target))
    landing = Landing(commit=newest.commit, subject=newest.subject, heads=(), branches=branches)
    change = change._replace(
        source=branches,
        messages=Known((newest.message,), "git log"),
        landings=Known((landing,), "git log --first-parent"),
        base_in_head=Known(True, "rev-list"),
        refs=Known((), "names of today say nothing about that day"),
        restoration=None,
        missing=setting.missing,
    )
    return Collected(change, proposed)
