"""The decision on one change: every rule asked once, in the order of the registry; RG002 last.

Facts are collected elsewhere (`facts`), answers are shown elsewhere (`report`). Nothing here raises for
any facts: what is not known makes an answer undetermined.
"""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known
from rollback_guard.gate.moments import moments, seen_at
from rollback_guard.gate.registry import RULE_NAMES, load_rule
from rollback_guard.gate.routes import came_from
from rollback_guard.gate.rule import Case, not_applicable, satisfied
from rollback_guard.gate.scope import RESTORED, goes_back, lands_nothing, why_no_restoration, why_not_applicable
from rollback_guard.gate.signed_route import signed_route
from rollback_guard.gate.verdict import WORTH, ChangeVerdict, Outcome, PolicyUsed, decide
from rollback_guard.gate.waivers import with_waivers
from rollback_guard.gate.wording import HEADS
from rollback_guard.policy.model import Policy
from rollback_guard.policy.paths import POLICY_PATHS

COMPARING = "RG002"  # reads what the other rules answered


def evaluate_change(
    policy: Policy | None,
    change: Change,
    *,
    as_of: int,
    used: PolicyUsed,
    proposed: Policy | None = None,
    proposed_error: str = "",
    brought: PolicyUsed | None = None,
) -> ChangeVerdict:
    """Judge one change by the policy in force, and by the one that it brings where it touches what governs.

    `as_of` is in Unix seconds; `used` says where the policy in force was read. `proposed` is the policy as
    it would be after the change, `proposed_error` why that cannot be read, `brought` where it was read.
    """
    if change.restoration is not None and (proposed_error or (proposed is not None and proposed != policy)):
        change = change._replace(restoration=change.restoration._replace(brings_policy=True))
    best: ChangeVerdict | None = None
    for moment in moments(policy or proposed, change, as_of):
        case = _open_case(policy, seen_at(change, moment), moment, proposed, proposed_error)
        present = _answer_all(case)
        case = _compare(case._replace(present=present), proposed, used)
        outcomes = tuple(sorted((*present, _answer(COMPARING, dict(RULE_NAMES)[COMPARING], case))))
        outcomes = with_waivers(policy, change, outcomes, moment, now=as_of)
        verdict = _verdict(case, outcomes, brought if case.introduces and brought is not None else used)
        if best is None or WORTH[verdict.decision] >= WORTH[best.decision]:
            best = verdict
        if best.decision == "allow":
            break
    assert best is not None
    return best


def _verdict(case: Case, outcomes: tuple[Outcome, ...], used: PolicyUsed) -> ChangeVerdict:
    change = case.change
    return ChangeVerdict(
        decision=decide(outcomes, production=change.production),
        repository=_repository_name(change),
        target=change.target,
        source=_source(case),
        base=change.base.value if isinstance(change.base, Known) else None,
        head=change.head,
        result_tree=change.result_tree.value if isinstance(change.result_tree, Known) else None,
        commits=change.survey.value.count if isinstance(change.survey, Known) else None,
        missing=change.missing,
        policy=used,
        outcomes=outcomes,
    )


def _source(case: Case) -> str | None:
    if lands_nothing(case.change) or goes_back(case.change):
        return None
    signed = signed_route(case).branch
    return came_from(case.policy, case.change) or (None if signed is None else HEADS + signed)


def _repository_name(change: Change) -> str | None:
    if not isinstance(change.repository, Known):
        return None
    from rollback_guard.policy.repositories import normalise_repository

    return normalise_repository(change.repository.value)


def _open_case(policy: Policy | None, change: Change, as_of: int, proposed: Policy | None, proposed_error: str) -> Case:
    """The case, with the policy that judges: without one in force, the one that a change of nothing else brings."""
    case = Case(policy=policy, change=change, as_of=as_of, proposed_error=proposed_error)
    if policy is not None or proposed is None:
        return case
    if not isinstance(change.touched, Known):
        # Beside production only names are judged, and those that the coming policy protects are protected now.
        return case if change.production else case._replace(policy=proposed)
    if change.touched.value.others:
        return case._replace(introduction_error="the change that introduces the policy may touch nothing else")
    return case._replace(policy=proposed, introduces=True)


def _compare(case: Case, proposed: Policy | None, used: PolicyUsed) -> Case:
    """Add what the rules answer under the policy that the change brings, where it touches what governs."""
    change = case.change
    if case.policy is None or case.introduces or case.proposed_error or why_not_applicable(COMPARING, case) is not None:
        return case
    if not isinstance(change.touched, Known) or not change.touched.value.governing:
        return case
    if proposed is None:
        # Another file of the same folder may hold a policy too, but it is not the one in force.
        files = (used.path,) if used.path in POLICY_PATHS else POLICY_PATHS
        if any(path in files for path in change.touched.value.governing):
            return case._replace(proposed_error="the change deletes the policy")
    if proposed is None or proposed == case.policy:
        return case._replace(proposed=case.present)
    other = Case(policy=proposed, change=_as_called(change, case.policy, proposed), as_of=case.as_of, brought=True)
    return case._replace(proposed=_answer_all(other))


def _as_called(change: Change, old: Policy, new: Policy) -> Change:
    """The change, with people whom the new policy calls otherwise by their new ids: one key is one person."""
    from rollback_guard.policy.keys import parse_key

    kept = {person.id for person in new.people}
    by_key = {parse_key(line)[1]: person.id for person in new.people for line in person.keys}
    gone = [(person.id, parse_key(line)[1]) for person in old.people if person.id not in kept for line in person.keys]
    ids = {one: by_key[key] for one, key in gone if key in by_key}
    if not ids or not isinstance(change.decisions, Known):
        return change
    called = tuple(one._replace(person=ids.get(str(one.person), one.person)) for one in change.decisions.value)
    return change._replace(decisions=Known(called, change.decisions.source))


def _answer_all(case: Case) -> tuple[Outcome, ...]:
    """What every rule answers but the one that compares."""
    return tuple(_answer(rule, name, case) for rule, name in RULE_NAMES if rule != COMPARING)


def _answer(rule: str, name: str, case: Case) -> Outcome:
    note = why_not_applicable(rule, case)
    if note is not None:
        return not_applicable(rule, name, note)
    restoration = case.change.restoration
    if restoration is None or rule not in RESTORED or case.policy is None:
        return load_rule(rule).evaluate(case)
    hindrance = why_no_restoration(case.policy, restoration)
    if not hindrance:
        what = "with the migration files that stay" if restoration.kept else "whose tree it equals"
        return satisfied(rule, name, f"goes back to {restoration.tag}, {what}")
    outcome = load_rule(rule).evaluate(case)
    return outcome._replace(notes=(*outcome.notes, hindrance))
