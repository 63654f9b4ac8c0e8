"""Scenario files: made-up changes with the verdicts that a team expects of its policy, read and run.

Reading is as strict as for a policy: unknown keys and wrong types are errors with their line. Opening files
and choosing the policy is left to `guard policy test`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

from rollback_guard.facts.model import Identity, Move, Stage
from rollback_guard.gate import scenario_model
from rollback_guard.gate.scenario_change import UNKNOWABLE, change_of
from rollback_guard.gate.scenario_model import ArtefactWord, Expect, Scenario, ScenarioFile, SignedWord
from rollback_guard.gate.verdict import Answer, ChangeVerdict, Decision, PolicyUsed
from rollback_guard.policy.kinds import KINDS, TEXT, Kind, choices, many
from rollback_guard.policy.problems import Place, Problems
from rollback_guard.policy.scalars import type_name
from rollback_guard.policy.structs import Declaration, read_struct
from rollback_guard.policy.toml import parse_toml, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.policy.model import Policy

REMEDY = "guard policy test --help   # shows a scenario file"
_EXACT: tuple[Answer, ...] = ("violated", "undetermined", "waived")


class Mismatch(NamedTuple):
    """One way in which a verdict differs from what a scenario expects. `detail` is what the rule found."""

    subject: str  # "decision", or a rule's id
    expected: str
    found: str
    detail: tuple[str, ...] = ()


def read_scenarios(data: bytes, path: str) -> tuple[Scenario, ...]:
    """The scenarios in a file's bytes; the file's `policy` is given to those that name none.

    Raises: PolicyError with `problems`, as `policy.read.read_policy` does.
    """
    table, text = parse_toml(data, path=path, remedy=REMEDY)
    problems = Problems()
    place = Place(problems)
    file: ScenarioFile = read_struct(ScenarioFile, table, place, SCENARIOS)
    if "scenario" in table and not file.scenario and not problems.found:
        place.at("scenario").fail(None, "must not be empty")
    if problems.found:
        from rollback_guard.policy.locate import located

        raise refusal(located(problems, file=path, text=text), REMEDY)
    return tuple(
        scenario if scenario.policy is not None else scenario._replace(policy=file.policy) for scenario in file.scenario
    )


def run_scenario(policy: Policy | None, scenario: Scenario, *, proposed: Policy | None = None) -> tuple[Mismatch, ...]:
    """How the verdict of a policy differs from what the scenario expects; empty when it does not.

    `proposed` is the policy that the change brings; without one, it brings the policy that judges.
    """
    from rollback_guard.gate.evaluate import evaluate_change

    present = None if scenario.without_policy else policy
    change = change_of(scenario, policy)
    verdict = evaluate_change(
        present,
        change,
        as_of=scenario.as_of,
        used=PolicyUsed(commit=None, path=scenario.policy, digest=None),
        proposed=None if scenario.proposed_error else proposed or policy,
        proposed_error=scenario.proposed_error,
    )
    return compare(verdict, scenario.expect)


def compare(verdict: ChangeVerdict, expect: Expect) -> tuple[Mismatch, ...]:
    """Every difference between a verdict and what was expected of it."""
    found: list[Mismatch] = []
    if verdict.decision != expect.decision:
        found.append(Mismatch("decision", expect.decision, verdict.decision))
    answers: dict[str, str] = {outcome.rule: outcome.answer for outcome in verdict.outcomes}
    details = {
        outcome.rule: tuple(f"{finding.subject}: {finding.message}" for finding in outcome.findings)
        for outcome in verdict.outcomes
    }
    for answer in _EXACT:
        wanted: tuple[str, ...] | None = getattr(expect, answer)
        if wanted is not None:
            actual = [rule for rule, given in answers.items() if given == answer]
            found += _differences(answer, wanted, answers, details)
            found += [Mismatch(rule, f"not {answer}", answer, details[rule]) for rule in actual if rule not in wanted]
    found += _differences("satisfied", expect.satisfied, answers, details)
    found += _differences("not-applicable", expect.not_applicable, answers, details)
    return tuple(found)


def _differences(
    answer: str, wanted: tuple[str, ...], answers: dict[str, str], details: dict[str, tuple[str, ...]]
) -> list[Mismatch]:
    return [
        Mismatch(rule, answer, answers.get(rule, "no such rule"), details.get(rule, ()))
        for rule in wanted
        if answers.get(rule) != answer
    ]


def _read_prose(value: Any, place: Place) -> str:
    """A commit message; it may have lines and hold what a hostile one holds."""
    if not isinstance(value, str):
        return place.fail("", f"must be text, not {type_name(value)}")
    return value if value.strip() else place.fail("", "must not be empty")


def _read_oid(value: Any, place: Place) -> str:
    sound = isinstance(value, str) and len(value) in (40, 64) and not value.strip("0123456789abcdef")
    return value if sound else place.fail("", "must be a full oid: 40 or 64 digits of 0-9 and a-f")


def _read_who(value: Any, place: Place) -> Identity:
    """`Name <e-mail>`; what stands there is a commit's, so it may be as odd as commits are."""
    if isinstance(value, str):
        name, opening, rest = value.rpartition("<")
        if opening and rest.endswith(">"):
            return Identity(name=name.strip(), email=rest[:-1].strip())
    return place.fail(Identity("", ""), "must be Name <e-mail>, such as Jane Doe <jane@acme.example>")


def _read_moment(value: Any, place: Place) -> int:
    """A TOML date and time as Unix seconds; without an offset it is UTC."""
    if not hasattr(value, "timetuple"):
        return place.fail(0, "must be a date and time such as 2026-11-22T20:00:00Z, without quotes")
    from calendar import timegm

    return timegm(value.utctimetuple() if hasattr(value, "utctimetuple") else value.timetuple())


def _read_trailer(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        key, colon, rest = value.partition(":")
        if colon and key.strip():
            return (key.strip(), rest.strip())
    return place.fail("", "must be a trailer such as Reviewed-by: Jane Doe <jane@acme.example>")


def _read_rule(value: Any, place: Place) -> str:
    sound = isinstance(value, str) and len(value) == 5 and value.startswith("RG") and value[2:].isdecimal()
    return value if sound else place.fail("", "must be a rule's id such as RG201")


def _read_reasons(value: Any, place: Place) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        return place.fail((), f"must be a table of facts and reasons, not {type_name(value)}")
    found = []
    for fact, reason in value.items():
        here = place.at(fact)
        if fact not in UNKNOWABLE:
            here.fail(None, "is no fact that can be unknown", wrong=fact, names=UNKNOWABLE)
        found.append((fact, TEXT.read(reason, here)))
    return tuple(found)


# Scenario files are read by people's own tests only; no schema is published for them.
SCENARIO_KINDS: dict[str, Kind] = {
    "Text": TEXT,
    "Texts": many(TEXT, may_be_empty=True),
    "Flag": KINDS["Flag"],
    "Prose": Kind(_read_prose, {}),
    "Oid": Kind(_read_oid, {}),
    "Who": Kind(_read_who, {}),
    "Whos": many(Kind(_read_who, {}), may_be_empty=True),
    "Moment": Kind(_read_moment, {}),
    "TrailerLines": many(Kind(_read_trailer, {}), may_be_empty=True),
    "RuleId": Kind(_read_rule, {}),
    "ArtefactWord": choices(get_args(ArtefactWord)),
    "Level": KINDS["Level"],
    "SignedWord": choices(get_args(SignedWord)),
    "Binding": KINDS["Binding"],
    "RuleIds": many(Kind(_read_rule, {}), may_be_empty=True),
    "Reasons": Kind(_read_reasons, {}),
    "Stage": choices(get_args(Stage)),
    "Move": choices(get_args(Move)),
    "Decision": choices(get_args(Decision)),
    "MergeKind": choices(("unexplained", "resolved", "octopus")),
}
SCENARIOS = Declaration(classes=vars(scenario_model), kinds=SCENARIO_KINDS)
