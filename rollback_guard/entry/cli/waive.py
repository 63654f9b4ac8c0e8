"""`guard waive`: records one person's signature under an exception from one rule, for one change."""

from __future__ import annotations

import click

from rollback_guard.entry.cli.signing_options import change_options, confirm
from rollback_guard.entry.cli.waiver_review import review
from rollback_guard.entry.proposal import Proposed, bind, judge, read_again, require_policy, subject_document
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
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.evidence.statement import WaiverStatement
from rollback_guard.gate.people import called
from rollback_guard.gate.registry import RULE_NAMES
from rollback_guard.gate.signoffs import in_words
from rollback_guard.gate.verdict import Outcome
from rollback_guard.gate.waivers import NEVER, can_cover
from rollback_guard.gate.wording import listed
from rollback_guard.policy.model import Policy, Waiver
from rollback_guard.policy.problems import Place, Problems, nearest_name
from rollback_guard.policy.scalars import read_duration
from rollback_guard.report.json_text import render_json
from rollback_guard.report.sign_text import Intent, Recorded, expiry, render_intent, render_recorded
from rollback_guard.report.wording import moment

MOST_FINDINGS = 5


@click.command(name="waive")
@click.argument("rule", metavar="RULE", required=False)
@click.option("--reason", metavar="T", required=True, help="Why; it stays in every verdict that the waiver touches.")
@click.option("--review", "reviewed", metavar="ID", help="Review, afterwards, what others waived; no RULE is named.")
@click.option("--incident", metavar="ID", default="", help="The incident or ticket that it belongs to.")
@click.option("--expires", metavar="4h", help="How long it counts.  [default: the longest that the policy allows]")
@change_options
def command(
    rule: str | None, reason: str, reviewed: str | None, incident: str, expires: str | None, into: str | None,
    head: str | None, base: str | None, repository: str | None, key: str | None, yes: bool, layout: str,
) -> None:  # fmt: skip
    """Record your signature under a waiver: this change may break RULE, for this reason, until it expires.

    It counts once as many people have signed as [waiver] of the policy asks for, for exactly this base and
    result. The verdict shows it ever after.

    \b
    Examples:
      guard waive RG201 --into main --head hotfix/login --reason "nobody can log in" --incident INC-42
      guard waive sign-off-missing --reason "nobody can log in" --expires 4h
      guard waive --review 5f1c793688ae --reason "login was mended, QA caught up on Monday"

    Somebody who neither signed it nor made the change reviews a waiver when the fire is out; one that expired
    unreviewed is reported by `guard doctor` and `guard audit`.

    Exit codes: 0 recorded, 1 refused, 2 wrong usage or invalid policy, 4 undetermined.
    """
    if not reason.strip():
        raise UsageError("--reason is empty", remedy='guard waive RG201 --reason "nobody can log in"')
    require_plain("--reason", reason)
    require_plain("--incident", incident, breaks="")
    if reviewed is not None:
        _require_alone(rule, incident, expires, into, head, base, repository)
        review(reviewed, reason, key=key, yes=yes, layout=layout)
        return
    wanted = _rule(rule)
    asked = Asked(into=into, head=head, base=base, repository=repository)
    proposed = propose(asked)
    policy = require_policy(proposed)
    terms = _terms(policy)
    lasts = _lasting(terms, expires)
    subject = ready(proposed, policy)
    signer = find_signer(proposed.question.repository, policy, key)
    _require_may(proposed, policy, terms, signer)
    require_moment(signer.key, subject, now())
    words = ["guard", "waive", wanted, "--reason", reason, *(["--incident", incident] if incident else [])]
    words += [] if expires is None else ["--expires", expires]
    intent = _intent(proposed, policy, wanted, signer, _lines(reason, incident, lasts))
    text = render_intent(describe(proposed, policy, subject), intent)
    confirm(text, "Sign this?", layout=layout, yes=yes, again=pinned(words, proposed, asked, key))
    signed = now()
    statement = WaiverStatement(
        rule=wanted,
        binding=bind(proposed, subject, "result"),
        base=subject.base,
        head=subject.head,
        result_tree=subject.result_tree,
        policy_digest=str(proposed.used.digest),
        signer=signer.key.person,
        time=signed,
        expires=signed + lasts,
        reason=reason,
        incident=incident,
    )
    digest = sign_and_record(proposed.question.repository, statement, signer, f"waiver {wanted}")
    _tell(proposed, policy, statement, signer, digest, layout)


def _require_alone(*others: str | None) -> None:
    if any(others):
        raise UsageError(
            "--review takes an id, --reason and --key only: what is reviewed says the rest",
            remedy='guard waive --review ID --reason "what came of it"',
        )


def _lines(reason: str, incident: str, lasts: int) -> tuple[tuple[str, str], ...]:
    """What is signed besides the rule."""
    incidents = (("incident", incident),) if incident else ()
    return (("reason", reason), *incidents, ("expires", expiry(now() + lasts, now())))


def _intent(proposed: Proposed, policy: Policy, rule: str, signer: Signer, more: tuple[tuple[str, str], ...]) -> Intent:
    outcome = _outcome(proposed, rule)
    broken = outcome.answer == "waived" or can_cover(outcome)
    unbroken = "" if broken else f"{rule} is not violated by this change now"
    findings = tuple(("", one.message) for one in outcome.findings[:MOST_FINDINGS])
    return Intent(
        heading=f"waive {rule} {outcome.name}",
        bindings=("result",),
        signer=called(policy, signer.key.person),
        fingerprint=signer.key.fingerprint,
        terms=(("waived", f"{rule} {outcome.name}"), *findings, *more),
        notes=tuple(filter(None, (unbroken, note_identity(proposed.question.repository, policy, signer)))),
    )


def _rule(name: str | None) -> str:
    """The id of the rule that is meant. Raises: UsageError for none; RefusedError for one that nobody can waive."""
    if name is None:
        raise UsageError("no rule is named", remedy='guard waive RG201 --reason "nobody can log in"')
    wanted = name.strip().casefold()
    rule = next((one for one, title in RULE_NAMES if wanted in (one.casefold(), title)), None)
    if rule is None:
        nearest = nearest_name(name, [part for pair in RULE_NAMES for part in pair])
        raise UsageError(f"there is no rule {name!r}", remedy=f"guard explain {nearest or 'RG201'}")
    if rule in NEVER:
        raise RefusedError(f"nobody can waive {rule} {dict(RULE_NAMES)[rule]}", remedy=f"guard explain {rule}")
    return rule


def _terms(policy: Policy) -> Waiver:
    if policy.waiver is None:
        raise RefusedError(
            "the policy has no [waiver], so nobody can waive anything",
            remedy="guard policy show   # a change that adds [waiver] to the policy must land first",
        )
    return policy.waiver


def _lasting(terms: Waiver, expires: str | None) -> int:
    """For how many seconds it is to count. Raises: UsageError, RefusedError."""
    if expires is None:
        return terms.max_age
    problems = Problems()
    lasts = read_duration(expires, Place(problems))
    if problems.found:
        raise UsageError(f"--expires {problems.found[0][1]}", remedy="--expires 4h")
    if lasts > terms.max_age:
        raise RefusedError(
            f"a waiver of {in_words(lasts)} would not count: the policy allows {in_words(terms.max_age)}",
            remedy=f"--expires {in_words(terms.max_age)}",
        )
    return lasts


def _require_may(proposed: Proposed, policy: Policy, terms: Waiver, signer: Signer) -> None:
    person = signer.key.person
    allowed = policy.members_of(terms.by)
    others = listed((called(policy, one) for one in sorted(allowed - {person})), most=8)
    if person not in allowed:
        raise RefusedError(
            f"the key is {called(policy, person)}'s, and the policy does not let them waive",
            remedy=f"ask one of: {others}",
        )
    if require_maker(proposed, policy, person):
        raise RefusedError(
            f"{called(policy, person)} made a part of this change, so they cannot waive anything for it",
            remedy=f"ask one of: {others or 'nobody is left whom [waiver] names'}",
        )


def _outcome(proposed: Proposed, rule: str) -> Outcome:
    return next(one for one in judge(proposed).outcomes if one.rule == rule)


def _tell(
    proposed: Proposed, policy: Policy, statement: WaiverStatement, signer: Signer, digest: str, layout: str
) -> None:
    outcome = _outcome(read_again(proposed), statement.rule)
    if layout == "text":
        said = f"{statement.rule} waived by {called(policy, statement.signer)}"
        notes = tuple(one for one in outcome.notes if "waive" in one)
        push = bool(proposed.question.around.remotes)
        say(render_recorded(Recorded(id=digest, said=said, notes=notes, push=push)))
        return
    document = {
        "format": "rollback-guard/waiver/1",
        "id": digest,
        "rule": statement.rule,
        "person": statement.signer,
        "key": signer.key.fingerprint,
        **subject_document(proposed, statement),
        "time": moment(statement.time),
        "expires": moment(statement.expires),
        "reason": statement.reason,
        "incident": statement.incident,
        "outcome": outcome.answer,
    }
    say(render_json(document))
