"""Who has validly signed for a role, by whatever proof the policy accepts: trailers, or signed decisions.

A signed decision is worth more than a review on a forge, and that more than a trailer. Of several decisions
of one person in one role the latest counts; at the same second, the one that says no. Shared by RG106 and
RG201 to RG207; what a trailer is worth is left to `gate.signoffs`.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.facts.model import Change, Fact, Known, SignedDecision, Unknown
from rollback_guard.gate.people import Makers, makers_of
from rollback_guard.gate.signoffs import lateness, seen_sign_offs, valid_signers
from rollback_guard.policy.model import Policy, SignOff

_CAUTION = {"approve": 0, "withdraw": 1, "reject": 2}
UNREADABLE_FORGE = "this version cannot read reviews of a forge yet"


class Weighed(NamedTuple):
    """One signed decision that is about this very change, and what is to be said of its signer."""

    decision: SignedDecision
    named: bool  # the role names its signer
    maker: bool  # its signer made a part of the change
    late: str  # why its date does not count, or ""

    @property
    def counts(self) -> bool:
        """Whether it is a decision of somebody who may decide, in time."""
        return self.named and not self.late and self.decision.person is not None


class Standing(NamedTuple):
    """How one role stands. `unknown` is what could not be had, and might bring more."""

    signers: frozenset[str]  # ids of the people who validly signed
    unknown: Optional[Unknown]

    def complete(self, role: SignOff) -> bool:
        """Whether the role has its count."""
        return len(self.signers) >= role.count


def latest(decisions: tuple[SignedDecision, ...], role: SignOff) -> tuple[SignedDecision, ...]:
    """The last word of each person in a role about exactly this change; signatures that do not verify say nothing."""
    last: dict[str, SignedDecision] = {}
    for one in decisions:
        if one.person is None or not about_this(one, role):
            continue
        before = last.get(one.person)
        if before is None or _rank(one) > _rank(before):
            last[one.person] = one
    return tuple(last[person] for person in sorted(last))


def about_this(one: SignedDecision, role: SignOff) -> bool:
    """Whether a decision is in that role, about exactly this change, and its signature verifies."""
    return one.role == role.role and not one.fault and not one.stale and one.binding == role.binding


def _rank(one: SignedDecision) -> tuple[int, int, str]:
    return one.time, _CAUTION[one.decision], one.digest


def weigh(
    policy: Policy, role: SignOff, decisions: tuple[SignedDecision, ...], makers: Makers, as_of: int
) -> tuple[Weighed, ...]:
    """Each person's last word in a role, weighed."""
    allowed = policy.members_of(role.by)
    return tuple(
        Weighed(
            decision=one,
            named=one.person in allowed,
            maker=one.person in makers.people,
            late=lateness(role, one.time, as_of),
        )
        for one in latest(decisions, role)
    )


def approvers(weighed: tuple[Weighed, ...]) -> frozenset[str]:
    """The ids of the people whose signed approvals count."""
    return frozenset(
        one.decision.person
        for one in weighed
        if one.counts and not one.maker and one.decision.decision == "approve" and one.decision.person is not None
    )


def decided(change: Change) -> tuple[SignedDecision, ...]:
    """The recorded decisions, as far as they are known."""
    return change.decisions.value if isinstance(change.decisions, Known) else ()


def stand(policy: Policy, role: SignOff, change: Change, as_of: int, *, bearer: str | None = None) -> Standing:
    """How a role stands: the people who signed, by trailers where these are proof enough, and by signatures.

    With `bearer`, only trailers on messages of that kind count. A person whose last signed word is not
    an approval has not signed, whatever a trailer says.
    """
    if isinstance(change.survey, Unknown):
        return Standing(frozenset(), change.survey)
    makers = makers_of(policy, change.survey.value)
    weighed = weigh(policy, role, decided(change), makers, as_of)
    signers = set(approvers(weighed))
    unknown = change.decisions if isinstance(change.decisions, Unknown) else None
    if role.proof == "trailer":
        if isinstance(change.messages, Unknown):
            unknown = change.messages
        else:
            messages = tuple(one for one in change.messages.value if bearer is None or one.bearer == bearer)
            signers |= valid_signers(seen_sign_offs(policy, messages, makers, as_of, role=role))
        signers -= {str(one.decision.person) for one in weighed if one.counts and one.decision.decision != "approve"}
    elif role.proof == "forge" and unknown is None:
        unknown = Unknown(f"{role.role} accepts reviews of a forge, and {UNREADABLE_FORGE}", forge_remedy(role))
    late = _signed_afterwards(policy, role, change, makers)
    if unknown is None and len(signers) < role.count <= len(signers | late):
        unknown = Unknown(
            f"{role.role} was signed after the merge was made; whether it had landed by then is not known here",
            "look into the log of the server, if it keeps one: git log --walk-reflogs",
        )
    return Standing(frozenset(signers), unknown)


def _signed_afterwards(policy: Policy, role: SignOff, change: Change, makers: Makers) -> frozenset[str]:
    """Ids of the people who approved what had been made already, more than a day before."""
    latest_of = max((one.time for one in change.afterwards), default=0)
    return approvers(weigh(policy, role, change.afterwards, makers, latest_of)) if latest_of else frozenset()


def forge_remedy(role: SignOff) -> str:
    """What brings a role that accepts reviews of a forge further today."""
    return f"guard sign {role.role}   # a signature counts for more than a review"


def sign_command(role: SignOff, change: Change) -> str:
    """The command by which somebody signs for a role on this change."""
    from rollback_guard.gate.wording import quoted, short_name

    words = ["guard", "sign", quoted(role.role), "--into", quoted(short_name(change.target))]
    if change.head is not None and change.stage in ("range", "landed"):
        words += ["--head", change.head[:12]]
    return " ".join(words)


def signing(role: SignOff, change: Change, before: str = "", after: str = "") -> str:
    """A remedy whose heart is that somebody signs, in words around the command; of what landed, what is left to do."""
    if change.stage == "landed":
        return "guard evidence fetch   # it may have been signed elsewhere; what landed cannot be signed any more"
    return f"{before}{sign_command(role, change)}{after}"


def first_unknown(*facts: Fact[object]) -> Unknown | None:
    """The first of some facts that is not known."""
    return next((fact for fact in facts if isinstance(fact, Unknown)), None)
