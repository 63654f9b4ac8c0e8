"""What a push would call stable: asked of tags that bear a stable release's name, against every production branch."""

from __future__ import annotations

from rollback_guard.entry.question import Question
from rollback_guard.facts.missing_reverts import collect_missing_reverts
from rollback_guard.facts.policy_source import is_production
from rollback_guard.facts.range import scratch_folder
from rollback_guard.git.refs import HEADS, REMOTES, TAGS, list_refs, resolve_commit, short_branch
from rollback_guard.policy.tags import REVOKED, name_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.facts.model import Fact, MissingRevert
    from rollback_guard.facts.policy_source import PolicyFound
    from rollback_guard.facts.push import Update


def missing_reverts(
    question: Question, update: Update, policies: tuple[PolicyFound, ...]
) -> Fact[tuple[MissingRevert, ...]] | None:
    """What production took back and the tag's commit still has; None for a tag of another name, or of no commit."""
    repository, name = question.repository, update.ref[len(TAGS) :]
    patterns = [one.policy.release.tag for one in policies if one.policy is not None]
    stable = not name.startswith(REVOKED) and any(name_pattern(one).fullmatch(name) for one in patterns)
    commit = resolve_commit(repository, update.new or "") if stable else None
    if commit is None:
        return None
    spaces = (HEADS,) if repository.bare else (HEADS, REMOTES)
    tips = ((short_branch(ref.name, question.around.remotes), ref.commit) for ref in list_refs(repository, *spaces))
    branches = [(branch, tip) for branch, tip in tips if tip and is_production(policies, branch)]
    return collect_missing_reverts(repository, commit, dict.fromkeys(branches), scratch_folder())
