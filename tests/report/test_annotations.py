"""Workflow commands: only ours, read back as a GitHub runner reads them."""

from __future__ import annotations

from hypothesis import given

from rollback_guard.gate.verdict import Verdict
from rollback_guard.report.annotations import render_annotations
from rollback_guard.report.visible import visible
from tests.report.values import (
    ALL,
    DIRECT,
    HOSTILE,
    IDLE,
    PLAIN,
    POLICY,
    change,
    finding,
    hostile_verdicts,
    outcome,
    steers,
    verdict,
)

GOLDEN = """\
::error title=RG201 sign-off-missing::uat: has 0 of 1 sign-offs%0A→ guard sign uat
::error title=RG201 sign-off-missing::qa: has 0 of 1 sign-offs%0A→ guard sign uat
::error title=RG201 sign-off-missing::review: has 0 of 1 sign-offs
::error title=RG101 direct-commit::commit 0123456789ab: "Fix the price" was made on main itself: no other branch \
contains it%0A→ git switch -c release/1.5 && git push origin release/1.5
::warning title=RG105 evil-merge::git is too old to make merges again%0A→ git --version
::notice title=RG107 unknown-identity::bot@acme: is none of the people%0Anote: until tomorrow
::notice title=coverage::coverage: partial, not seen: deletions
rollback-guard: DENIED  release/1.4 → main  (2 rules)"""


def read(line: str) -> tuple[str, dict[str, str], str]:
    """One command as the runner reads it: kind, properties, message. Source: actions/runner, ActionCommand.cs."""
    head, _, data = line[2:].partition("::")
    kind, _, rest = head.partition(" ")
    properties = {}
    for pair in filter(None, rest.split(",")):
        key, _, value = pair.partition("=")
        for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            value = value.replace(code, character)
        properties[key.strip()] = value
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        data = data.replace(code, character)
    return kind, properties, data


def test_a_whole_verdict() -> None:
    assert render_annotations(verdict(change(*ALL, missing=("deletions",)))) == GOLDEN


def test_escaping_is_undone_by_the_runner() -> None:
    hostile = outcome("RG1,a:b%", "n\r\nm", "violated", finding("50% ::x", "a,b:c%0Ad\n::error::e", "fix\r%25"))
    line = render_annotations(verdict(change(hostile))).split("\n")[0]
    kind, properties, data = read(line)
    assert kind == "error"
    assert properties == {"title": r"RG1,a:b% n\x0d\x0am"}
    assert data == "50% ::x: a,b:c%0Ad\\x0a::error::e\n→ fix\\x0d%25"


def test_more_than_github_shows_are_summed_up_in_the_tenth() -> None:
    many = outcome("RG101", "direct-commit", "violated", *(finding(f"commit {n}", "x", "") for n in range(14)))
    last = outcome("RG201", "sign-off-missing", "violated", finding("qa", "x", ""))
    lines = render_annotations(verdict(change(many, last))).split("\n")
    assert lines[8] == "::error title=RG101 direct-commit::commit 8: x"
    assert lines[9] == "::error title=and 6 more::RG101 direct-commit (5), RG201 sign-off-missing"
    assert len(lines) == 11
    ten = outcome("RG101", "x", "violated", *(finding(f"{n}", "x", "") for n in range(10)))
    assert "more" not in render_annotations(verdict(change(ten)))


def test_several_changes_name_theirs_and_end_with_the_decision() -> None:
    what_if = POLICY._replace(what_if=True)
    lines = render_annotations(verdict(change(DIRECT), change(PLAIN, target="refs/heads/x", policy=what_if))).split(
        "\n"
    )
    assert lines[0].startswith("::error title=RG101 direct-commit::release/1.4 → main: commit 0123456789ab: ")
    assert lines[1:] == [
        "rollback-guard: DENIED  release/1.4 → main  (1 rule)",
        "rollback-guard: ALLOWED  release/1.4 → x"
        "  WHAT IF: the answer of rollback-guard.toml, not of the policy in force",
        "rollback-guard: DENIED  2 changes: 1 denied, 1 allowed",
    ]
    assert render_annotations(verdict()) == "rollback-guard: ALLOWED  nothing is proposed"


def test_a_denial_without_a_rule_is_an_error_too() -> None:
    assert render_annotations(verdict(change(IDLE))).split("\n")[0] == (
        "::error title=no rule applied::release/1.4 → main: a production ref needs a rule"
    )


def test_an_outcome_without_findings_and_a_huge_one() -> None:
    bare = outcome("RG101", "direct-commit", "violated")
    noted = outcome("RG102", "x", "violated", notes=("why",))
    huge = outcome("RG103", "y", "violated", finding("s", "m" * 10_000, ""))
    lines = render_annotations(verdict(change(bare, noted, huge))).split("\n")
    assert lines[0] == "::error title=RG101 direct-commit::direct-commit"
    assert lines[1] == "::error title=RG102 x::note: why"
    assert lines[2].endswith("m…")
    assert len(lines[2]) < 4100


@given(hostile_verdicts)
@HOSTILE
def test_no_line_is_a_strangers(made: Verdict) -> None:
    text = render_annotations(made)
    lines = text.split("\n")
    assert text.splitlines() == lines
    assert steers(text) == []
    assert "##" not in text
    kinds = [read(line)[0] for line in lines if not line.startswith("rollback-guard: ")]
    assert set(kinds) <= {"error", "warning", "notice"}
    assert kinds == sorted(kinds, key=("error", "warning", "notice").index)
    assert all(kinds.count(kind) <= 10 for kind in kinds)
    assert lines[-1].startswith("rollback-guard: ")
    violated = [visible(o.rule) for one in made.changes for o in one.outcomes if o.answer == "violated"]
    assert bool(violated) <= ("error" in kinds)
