"""By whose policy the stable tags of a push are judged: that of each production branch, as it is before the push."""

from __future__ import annotations

from rollback_guard.entry.default_branch import general_branches
from rollback_guard.facts.policy_source import is_production, read_policy_at, tips_of
from rollback_guard.facts.stable_tag import Ground, collect_tag_faults, tips_in_push
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import HEADS, REMOTES, TAGS, list_refs, short_branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Optional

    from rollback_guard.entry.question import Question
    from rollback_guard.facts.model import Fact
    from rollback_guard.facts.policy_source import PolicyFound
    from rollback_guard.facts.push import Update


class StableTags:
    """Judges the tags of one push; policies are read when the first tag is."""

    def __init__(self, question: Question, updates: Sequence[Update]) -> None:
        self._question = question
        self.updates = updates  # all of the push
        self._grounds: Optional[tuple[Ground, ...]] = None

    def faults(self, update: Update) -> Fact[tuple[str, ...]] | None:
        """Why the tag may not move so; None for a ref that is no stable release's tag."""
        if not update.ref.startswith(TAGS):
            return None
        if self._grounds is None:
            self._grounds = _grounds(self._question, self.updates)
        return collect_tag_faults(self._question.repository, update, self._grounds, as_of=self._question.as_of)


def _grounds(question: Question, updates: Sequence[Update]) -> tuple[Ground, ...]:
    repository = question.repository
    with ObjectReader(repository.git) as objects:
        general = _general_policy(question, objects)
        if general is None or general.policy is None:
            return ()
        spaces = (HEADS,) if repository.bare else (HEADS, REMOTES)
        stands: dict[str, list[str]] = {}
        for ref in list_refs(repository, *spaces):
            branch = short_branch(ref.name, question.around.remotes)
            if is_production((general,), branch):
                stands.setdefault(branch, []).append(ref.commit)
        for update in updates:
            if update.ref.startswith(HEADS) and is_production((general,), short_branch(update.ref)):
                stands.setdefault(short_branch(update.ref), [])
        parsed: dict[str, PolicyFound] = {}
        grounds = []
        for branch, tips in stands.items():
            own = next((one.policy for tip in tips if (one := read_policy_at(objects, tip, parsed)).policy), None)
            arriving = tips_in_push(repository, updates, HEADS + branch)
            grounds.append(Ground(branch=branch, policy=own or general.policy, tips=(*tips, *arriving)))
    return tuple(grounds)


def _general_policy(question: Question, objects: ObjectReader) -> PolicyFound | None:
    """The first policy of a default branch that protects that branch itself; any other may be anybody's."""
    for name, tip in tips_of(question.repository, *general_branches(question.repository)).items():
        found = read_policy_at(objects, tip)
        if found.policy is not None and is_production((found,), short_branch(name, question.around.remotes)):
            return found
    return None
