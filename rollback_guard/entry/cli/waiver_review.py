"""`guard waive --review`: records that somebody looked, afterwards, at what others had waived."""

from __future__ import annotations

from rollback_guard.entry.cli.signing_options import confirm
from rollback_guard.entry.evidence_reading import find_stored
from rollback_guard.entry.key_ring import KeyRing
from rollback_guard.entry.question import policy_used
from rollback_guard.entry.signing import Signer, find_signer, now, require_key_now, sign_and_record
from rollback_guard.entry.target import require_branch
from rollback_guard.entry.waivers import Waived, has_landed, makers_of_waived, waived_of
from rollback_guard.entry.wiring import ask, here, say
from rollback_guard.errors import PolicyError, RefusedError, UndeterminedError, UsageError
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import WaiverReviewStatement, WaiverStatement, binding_key
from rollback_guard.evidence.store import evidence_refs, look_up
from rollback_guard.facts.model import Unknown
from rollback_guard.facts.policy_source import read_policy_at
from rollback_guard.gate.people import called
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import short_branch
from rollback_guard.report.json_text import render_json
from rollback_guard.report.sign_text import Recorded, Review, expiry, render_recorded, render_review
from rollback_guard.report.wording import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.entry.question import Question
    from rollback_guard.policy.model import Policy


def review(digest: str, comment: str, *, key: str | None, yes: bool, layout: str) -> None:
    """Sign a review of the waivers to which an id belongs: all those from the same rule, for the same change.

    Raises: UsageError for an id of something else; RefusedError for whoever signed one of them or made the change.
    """
    question = ask(here())
    ring = KeyRing(question)
    waived = _find(question, ring, digest)
    branch = short_branch(waived.binding.target)
    tip = require_branch(question, branch)[1]
    with ObjectReader(question.repository.git) as objects:
        found = read_policy_at(objects, tip)
    if found.policy is None:
        raise PolicyError(f"{branch} has no policy that can be read", remedy="guard policy check")
    signer = find_signer(question.repository, found.policy, key)
    _require_over(question, ring, waived)
    _require_other(question, found.policy, waived, signer.key.person)
    require_key_now(signer.key, now())
    shown = Review(
        rule=waived.rule,
        target=waived.binding.target,
        head=waived.signed[0].head,
        waivers=tuple(
            (called(found.policy, one.signer), moment(one.time), expiry(one.expires, now()), one.reason)
            for one in waived.signed
        ),
        incident=waived.signed[0].incident,
        comment=comment,
        signer=called(found.policy, signer.key.person),
        fingerprint=signer.key.fingerprint,
    )
    again = ["guard", "waive", "--review", waived.ids[0][:12], "--reason", comment, *(["--key", key] if key else [])]
    confirm(render_review(shown), "Sign this?", layout=layout, yes=yes, again=again)
    first = waived.signed[0]
    statement = WaiverReviewStatement(
        rule=waived.rule,
        waivers=waived.ids,
        binding=waived.binding,
        base=first.base,
        head=first.head,
        result_tree=first.result_tree,
        policy_digest=str(policy_used(question, found, tip).digest),
        signer=signer.key.person,
        # It looks back on all of them, whatever a clock says.
        time=max(now(), *(one.time for one in waived.signed)),
        comment=comment,
    )
    made = sign_and_record(question.repository, statement, signer, f"waiver-review {waived.rule}")
    _tell(made, statement, signer, shown.signer, push=bool(question.around.remotes), layout=layout)


def _tell(made: str, statement: WaiverReviewStatement, signer: Signer, who: str, *, push: bool, layout: str) -> None:
    """Say what was recorded."""
    if layout == "text":
        said = f"the waiver of {statement.rule} reviewed by {who}"
        say(render_recorded(Recorded(id=made, said=said, push=push)))
        return
    document = {
        "format": "rollback-guard/waiver-review/1",
        "id": made,
        "rule": statement.rule,
        "waivers": list(statement.waivers),
        "person": statement.signer,
        "key": signer.key.fingerprint,
        "time": moment(statement.time),
        "comment": statement.comment,
    }
    say(render_json(document))


def _find(question: Question, ring: KeyRing, digest: str) -> Waived:
    """The waivers that belong together with the one of that id."""
    repository = question.repository
    stored = find_stored(repository, digest)
    opened = open_envelope(stored.data)
    if isinstance(opened, str) or not isinstance(opened.statement, WaiverStatement):
        raise UsageError(f"{stored.name[:12]} is no waiver", remedy="guard evidence list --all   # or: guard doctor")
    with ObjectReader(repository.git) as objects:
        beside = look_up(objects, evidence_refs(repository), "waiver", binding_key(opened.statement.binding))
    every = [one for one in map(open_envelope, (one.data for one in beside)) if isinstance(one, Opened)]
    for waived in waived_of(question, ring, every):
        if opened.id in waived.ids:
            return waived
    raise RefusedError(
        f"the signature of {opened.id[:12]} does not count, so there is nothing to review",
        remedy=f"guard evidence show {opened.id[:12]}",
    )


def _require_over(question: Question, ring: KeyRing, waived: Waived) -> None:
    """Raises: RefusedError while a waiver still counts and nothing has landed under it: there is nothing to look at."""
    if waived.expires <= now() or has_landed(question, ring, waived.signed[0]):
        return
    raise RefusedError(
        f"that waiver counts until {moment(waived.expires)}, and nothing has landed under it yet: a review looks back",
        remedy=f"guard waive --review {waived.ids[0][:12]}   # once it has landed, or expired",
    )


def _require_other(question: Question, policy: Policy, waived: Waived, person: str) -> None:
    """Raises: RefusedError for whoever is involved; UndeterminedError when it is not known who made the change."""
    if person in waived.signers:
        raise RefusedError(
            f"{called(policy, person)} signed that waiver, so somebody else has to review it",
            remedy="ask anybody else whose key the policy lists, and who did not make the change",
        )
    makers = makers_of_waived(question, policy, waived)
    if isinstance(makers, Unknown):
        raise UndeterminedError(f"who made the change is not known here: {makers.reason}", remedy=makers.remedy)
    if person in makers.value:
        raise RefusedError(
            f"{called(policy, person)} made a part of that change, so somebody else has to review the waiver",
            remedy="ask anybody else whose key the policy lists, and who did not sign it",
        )
