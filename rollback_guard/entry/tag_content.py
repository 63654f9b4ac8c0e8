"""What a push would call stable: asked of tags that bear a stable release's name, against every production branch.

A branch that comes in the same push counts as it will be: the push is taken as a whole, or not at all.
"""

from __future__ import annotations

from rollback_guard.entry.question import Question
from rollback_guard.facts.missing_reverts import collect_missing_reverts
from rollback_guard.facts.policy_source import is_production
from rollback_guard.facts.range import scratch_folder
from rollback_guard.facts.stable_tag import tips_in_push
from rollback_guard.git.refs import HEADS, REMOTES, TAGS, list_refs, resolve_commit, short_branch
from rollback_guard.policy.tags import REVOKED, name_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollback_guard.facts.model import Fact, MissingRevert
    from rollback_guard.facts.policy_source import PolicyFound
    from rollback_guard.facts.push import Update


def missing_reverts(
    question: Question, update: Update, policies: tuple[PolicyFound, ...], *, pushed: Sequence[Update]
) -> Fact[tuple[MissingRevert, ...]] | None:
    """What production took back and the tag's commit still has; None for a tag of another name, or of no commit."""
    repository, name = question.repository, update.ref[len(TAGS) :]
    patterns = [one.policy.release.tag for one in policies if one.policy is not None]
    stable = not name.startswith(REVOKED) and any(name_pattern(one).fullmatch(name) for one in patterns)
    commit = resolve_commit(repository, update.new or "") if stable else None
    if commit is None:
        return None
    spaces = (HEADS,) if repository.bare else (HEADS, REMOTES)
    stands = {ref.name: ref.commit for ref in list_refs(repository, *spaces)}
    for one in pushed:
        if one.ref.startswith(HEADS):
            stands.update((one.ref, tip) for tip in tips_in_push(repository, pushed, one.ref))
    tips = ((short_branch(ref, question.around.remotes), tip) for ref, tip in stands.items())
    branches = [(branch, tip) for branch, tip in tips if tip and is_production(policies, branch)]
    return collect_missing_reverts(repository, commit, dict.fromkeys(branches), scratch_folder())
