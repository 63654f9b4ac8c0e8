"""`guard sign`: records a signed sign-off, or a rejection, on exactly what would land."""

from __future__ import annotations

import click

from rollback_guard.entry.cli.signing_options import change_options, confirm
from rollback_guard.entry.proposal import (
    Proposed,
    bind,
    kinds_of,
    read_again,
    require_policy,
    roles_of,
    standings,
    subject_document,
)
from rollback_guard.entry.signing import (
    Asked,
    Signer,
    describe,
    find_signer,
    note_identity,
    now,
    pinned,
    propose,
    ready,
    require_maker,
    require_moment,
    require_plain,
    sign_and_record,
)
from rollback_guard.entry.wiring import say
from rollback_guard.errors import RefusedError, UndeterminedError, UsageError
from rollback_guard.evidence.statement import SignOffStatement
from rollback_guard.evidence.statement_scalars import is_branch
from rollback_guard.facts.model import SignedDecision, Unknown
from rollback_guard.gate.people import called
from rollback_guard.gate.routes import came_from
from rollback_guard.gate.wording import listed
from rollback_guard.policy.model import Policy
from rollback_guard.policy.problems import nearest_name
from rollback_guard.report.json_text import render_json
from rollback_guard.report.sign_text import Intent, Recorded, render_intent, render_recorded
from rollback_guard.report.wording import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.evidence.statement import Decision

_DONE: dict[Decision, str] = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}


@click.command(name="sign")
@click.argument("role", metavar="ROLE")
@change_options
@click.option("--reject", is_flag=True, help="Say no: it blocks until you withdraw it, or approve.")
@click.option("--withdraw", is_flag=True, help="Take back what you last said in this role about this change.")
@click.option("--comment", metavar="T", default="", help="Why; kept in the statement, and shown with a rejection.")
def command(
    role: str, into: str | None, head: str | None, base: str | None, repository: str | None, reject: bool,
    withdraw: bool, comment: str, key: str | None, yes: bool, layout: str,
) -> None:  # fmt: skip
    """Record your signed decision in ROLE on exactly what would land if HEAD were merged into production now.

    You are the person whose key the policy of the production branch lists. What could never count is refused:
    a change that you made, a role that does not name you, a key that has expired.

    \b
    Examples:
      guard sign qa --into main --head release/1.4
      guard sign qa --reject --comment "the basket loses items"
      guard sign qa --withdraw
      guard evidence push        # so that others see it

    Exit codes: 0 recorded, 1 refused, 2 wrong usage or invalid policy, 4 undetermined.
    """
    if reject and withdraw:
        raise UsageError("--reject and --withdraw exclude each other", remedy=f"guard sign {role} --reject")
    require_plain("--comment", comment)
    decision: Decision = "reject" if reject else "withdraw" if withdraw else "approve"
    asked = Asked(into=into, head=head, base=base, repository=repository)
    proposed = propose(asked)
    policy = require_policy(proposed)
    _require_role(proposed, policy, role)
    subject = ready(proposed, policy)
    signer = find_signer(proposed.question.repository, policy, key)
    own = _own(proposed, role, signer)
    _require_may(proposed, policy, role, signer, decision, own)
    require_moment(signer.key, subject, now())
    words = ["guard", "sign", role, *(["--" + decision] if decision != "approve" else [])]
    words += ["--comment", comment] if comment else []
    intent = _intent(proposed, policy, role, signer, decision, comment, own)
    text = render_intent(describe(proposed, policy, subject), intent)
    confirm(text, "Sign this?", layout=layout, yes=yes, again=pinned(words, proposed, asked, key))
    first, *others = kinds_of(proposed, policy, role)
    statement = SignOffStatement(
        role=role,
        decision=decision,
        binding=bind(proposed, subject, first),
        base=subject.base,
        head=subject.head,
        result_tree=subject.result_tree,
        policy_digest=str(proposed.used.digest),
        signer=signer.key.person,
        # The last word counts: of two of the same second, the one that says no.
        time=max((now(), *(one.time + 1 for one in own))),
        comment=comment,
        source=_source(proposed, policy),
    )
    recorded_in, said = proposed.question.repository, f"sign-off {role} {decision}"
    digest = sign_and_record(recorded_in, statement, signer, said)
    for kind in others:  # by the policy that the change brings, it is bound to something else
        sign_and_record(recorded_in, statement._replace(binding=bind(proposed, subject, kind)), signer, said)
    _tell(proposed, policy, statement, signer, digest, layout)


def _source(proposed: Proposed, policy: Policy) -> str | None:
    """The branch that brings the change; None where no statement can hold its name."""
    source = came_from(policy, proposed.change)
    return source if source is not None and is_branch(source) else None


def _require_role(proposed: Proposed, policy: Policy, name: str) -> None:
    """Raises: RefusedError when neither the policy nor one that the change brings has such a role."""
    roles = list(dict.fromkeys(role.role for _, role in roles_of(proposed, policy)))
    if name in roles:
        return
    nearest = nearest_name(name, roles)
    known = f"its roles are: {listed(roles, most=20)}" if roles else "it asks for no sign-offs"
    raise RefusedError(
        f"the policy has no role {name!r}; {known}",
        remedy=f"guard sign {nearest}" if nearest else "guard policy show",
    )


def _own(proposed: Proposed, role: str, signer: Signer) -> tuple[SignedDecision, ...]:
    """What this person has said already in this role about exactly this, the last word last.

    Raises: UndeterminedError when the evidence cannot be read.
    """
    decisions = proposed.change.decisions
    if isinstance(decisions, Unknown):
        raise UndeterminedError(decisions.reason, remedy=decisions.remedy)
    own = (
        one
        for one in decisions.value
        if one.role == role and one.person == signer.key.person and not one.stale and not one.fault
    )
    return tuple(sorted(own, key=lambda one: (one.time, one.digest)))


def _require_may(
    proposed: Proposed,
    policy: Policy,
    role: str,
    signer: Signer,
    decision: Decision,
    own: tuple[SignedDecision, ...],
) -> None:
    """Raises: RefusedError when that decision of that person could never count."""
    person = signer.key.person
    asking = [(one, asked) for one, asked in roles_of(proposed, policy) if asked.role == role]
    allowed = frozenset(member for one, asked in asking for member in one.members_of(asked.by))
    others = listed((called(policy, one) for one in sorted(allowed - {person})), most=8)
    if person not in allowed:
        raise RefusedError(
            f"the key is {called(policy, person)}'s, and {role} does not name them: it would count for nothing",
            remedy=f"ask one of: {others}",
        )
    if decision == "withdraw":
        if not own or own[-1].decision == "withdraw":
            raise RefusedError(
                f"{called(policy, person)} has said nothing as {role} about exactly this change, so there is "
                "nothing to withdraw",
                remedy="guard evidence fetch   # if it was signed elsewhere; what is about another head needs nothing",
            )
    elif decision == "approve" and require_maker(proposed, policy, person):
        raise RefusedError(
            f"{called(policy, person)} made a part of this change, so their sign-off counts for nothing",
            remedy=f"ask one of: {others or 'nobody is left whom the role names'}   # --reject is yours to say",
        )


def _already(decision: Decision, own: tuple[SignedDecision, ...]) -> str:
    if own and own[-1].decision == decision:
        return f"the same is recorded already, of {moment(own[-1].time)}: {own[-1].digest[:12]}"
    return ""


def _intent(
    proposed: Proposed,
    policy: Policy,
    role: str,
    signer: Signer,
    decision: Decision,
    comment: str,
    own: tuple[SignedDecision, ...],
) -> Intent:
    notes = (note_identity(proposed.question.repository, policy, signer), _already(decision, own))
    return Intent(
        heading=f"{decision} as {role}",
        bindings=kinds_of(proposed, policy, role),
        signer=called(policy, signer.key.person),
        fingerprint=signer.key.fingerprint,
        terms=(("comment", comment),) if comment else (),
        notes=tuple(filter(None, notes)),
    )


def _tell(
    proposed: Proposed, policy: Policy, statement: SignOffStatement, signer: Signer, digest: str, layout: str
) -> None:
    lacking = standings(read_again(proposed), policy).lacking
    if layout == "text":
        said = f"{statement.role} {_DONE[statement.decision]} by {called(policy, statement.signer)}"
        rows = tuple((one.role, one.have, one.wanted, one.command) for one in lacking)
        push = bool(proposed.question.around.remotes)
        say(render_recorded(Recorded(id=digest, said=said, lacking=rows, push=push)))
        return
    document = {
        "format": "rollback-guard/sign-off/1",
        "id": digest,
        "role": statement.role,
        "decision": statement.decision,
        "person": statement.signer,
        "key": signer.key.fingerprint,
        **subject_document(proposed, statement),
        "time": moment(statement.time),
        "comment": statement.comment,
        "missing": [{"role": one.role, "have": one.have, "count": one.wanted} for one in lacking],
    }
    say(render_json(document))
