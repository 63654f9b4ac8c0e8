"""By whose keys recorded envelopes are checked, whatever change they are about.

Those of the policy that the envelope's target holds now; where that lists the key for nobody any more, those of the
policy at the statement's base, if production ever was there. A target that the default branch's policy does not call
production gives no keys: anybody may push a branch with a policy of their own. What counts for a change is left to
the gate.
"""

from __future__ import annotations

from typing import Optional

from rollback_guard.entry.default_branch import general_branches
from rollback_guard.entry.target import require_branch
from rollback_guard.errors import UsageError
from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.envelope import pae, signature_of
from rollback_guard.evidence.keys import Key, fault_at, keys_of
from rollback_guard.evidence.opened import Opened
from rollback_guard.evidence.statement import PAYLOAD_TYPE, Statement, namespace_of
from rollback_guard.evidence.verifier import Check, Verifier
from rollback_guard.facts.policy_source import is_production, read_policy_at, tips_of
from rollback_guard.git.history_chain import on_chain
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import resolve_commit, short_branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollback_guard.entry.question import Question
    from rollback_guard.facts.policy_source import PolicyFound
    from rollback_guard.policy.model import Policy

GOOD = "the signature verifies"


class KeyRing:
    """The keys by which an envelope is checked; each policy is read once."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._verifier = question.book.verifier if question.book else Verifier(question.repository.git.env)
        self._policies: dict[str, Optional[Policy]] = {}
        self._tips: dict[str, Optional[str]] = {}
        self._keys: dict[str, dict[bytes, Key]] = {}
        self._trusted: dict[tuple[str, str], bool] = {}
        self._general: Optional[tuple[str, tuple[PolicyFound, ...]]] = None

    def judge(self, opened: Sequence[Opened]) -> list[str]:
        """GOOD for each signature that verifies, else why it counts for nothing.

        Raises: UndeterminedError when ssh-keygen cannot be asked.
        """
        looked = [self._look(one) for one in opened]
        checks = [one for one in looked if isinstance(one, Check)]
        answers = iter(self._verifier.verify(checks))
        return [
            one if isinstance(one, str) else GOOD if next(answers) else "the signature does not verify"
            for one in looked
        ]

    def _look(self, opened: Opened) -> Check | str:
        statement, envelope = opened.statement, opened.envelope
        try:
            blob = signature_of(envelope).public_key
        except FormatError as fault:
            return f"the envelope {fault.reason}"
        other = self.why_no_target(statement.binding.target)
        if other:
            return other
        key = self._key(statement, blob)
        if key is None and self.tip(statement.binding.target) is None:
            branch = short_branch(statement.binding.target)
            return f"there is no branch {branch} here, so no policy says whose key it is made with"
        if key is None:
            return "it is made with a key that nobody of the policy has"
        if key.person != statement.signer:
            return f"it is signed with a key of {key.person}"
        late = fault_at(key, statement.time)
        if late:
            return late
        namespace = namespace_of(statement)
        return Check(data=pae(PAYLOAD_TYPE, envelope.payload), blob=envelope.sig, namespace=namespace, key=key)

    def _key(self, statement: Statement, blob: bytes) -> Key | None:
        tip = self.tip(statement.binding.target)
        if tip is None:
            return None
        found = self._keys_at(tip).get(blob)
        if found is None and self._was_production(statement.base, tip):
            found = self._keys_at(statement.base).get(blob)
        return found

    def why_no_target(self, target: str) -> str:
        """Why the policy of a branch gives no keys, or "". Where no default branch has one, each has its own."""
        if self._general is None:
            repository, self._general = self._question.repository, ("", ())
            with ObjectReader(repository.git) as objects:
                for name, tip in tips_of(repository, *general_branches(repository)).items():
                    found = read_policy_at(objects, tip)
                    # A branch that its own policy does not protect may hold anybody's.
                    if found.policy is not None and is_production((found,), short_branch(name)):
                        self._general = name, (found,)
                        break
        name, policies = self._general
        branch = short_branch(target)
        if not policies or is_production(policies, branch):
            return ""
        return f"{branch} is no production branch by the policy of {short_branch(name)}"

    def tip(self, target: str) -> str | None:
        """Where a branch (full name) stands, as seen here; None when there is none."""
        if target not in self._tips:
            try:
                self._tips[target] = require_branch(self._question, short_branch(target))[1]
            except UsageError:
                self._tips[target] = None
        return self._tips[target]

    def _was_production(self, base: str, tip: str) -> bool:
        """Whether the branch itself ever was at a base: a commit that somebody brought gives no keys."""
        if (base, tip) not in self._trusted:
            repository = self._question.repository
            here = resolve_commit(repository, base) == base
            self._trusted[base, tip] = here and on_chain(repository.git, base, tip)
        return self._trusted[base, tip]

    def policy_of(self, statement: Statement) -> Policy | None:
        """The policy that judged what a statement is about: production's own at its base, else that of now."""
        tip = self.tip(statement.binding.target)
        then = tip if tip is None or not self._was_production(statement.base, tip) else statement.base
        return None if then is None else self._policy_at(then)

    def _policy_at(self, commit: str) -> Policy | None:
        if commit not in self._policies:
            with ObjectReader(self._question.repository.git) as objects:
                self._policies[commit] = read_policy_at(objects, commit).policy
        return self._policies[commit]

    def _keys_at(self, commit: str) -> dict[bytes, Key]:
        if commit not in self._keys:
            policy = self._policy_at(commit)
            self._keys[commit] = {} if policy is None else keys_of(policy)
        return self._keys[commit]
