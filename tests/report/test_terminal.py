"""What a person reads in a terminal, to the letter."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from rollback_guard.errors import PolicyError, UsageError
from rollback_guard.gate.verdict import Verdict
from rollback_guard.policy.problems import Problem
from rollback_guard.report.terminal import render_error, render_hook_verdict, render_verdict
from tests.report.values import (
    ALL,
    DIRECT,
    HOLDS,
    HOSTILE,
    IDLE,
    MISSING,
    PLAIN,
    POLICY,
    UNSURE,
    WAIVED,
    change,
    finding,
    hostile_text,
    hostile_verdicts,
    obeyed,
    outcome,
    steers,
    verdict,
)

WHOLE = """\
DENIED  release/1.4 → main  (2 rules)

RG201 sign-off-missing
  uat: has 0 of 1 sign-offs
  qa: has 0 of 1 sign-offs
  → guard sign uat
  review: has 0 of 1 sign-offs

RG101 direct-commit
  commit 0123456789ab: "Fix the price" was made on main itself: no other branch
    contains it
  → git switch -c release/1.5 && git push origin release/1.5

RG105 evil-merge  (could not be judged)
  git is too old to make merges again
  → git --version

RG107 unknown-identity  (waived)
  bot@acme: is none of the people
  note: until tomorrow

2 rules hold, 1 does not apply
  RG102 note: over release/*
coverage: partial, not seen: deletions
judged by rollback-guard.toml at abababababab, as of 2026-11-22T20:00:00Z"""

NARROW = """\
UNDETERMINED  release/1.4 -> main  (1 rule could not be judged)
WHAT IF: the answer of
  rollback-guard.toml, not of the policy
  in force

RG105 evil-merge  (could not be judged)
  git is too old to make merges again
  -> git --version

2 rules hold
  RG102 unapproved-route  holds
    note: over release/*
  RG103 unauthorised-repository  holds
judged by rollback-guard.toml at
  abababababab, as of
  2026-11-22T20:00:00Z"""


def test_a_whole_verdict() -> None:
    assert render_verdict(verdict(change(*ALL, missing=("deletions",)))) == WHOLE


def test_forty_columns_in_ascii_with_everything_listed() -> None:
    made = verdict(change(UNSURE, HOLDS, PLAIN, policy=POLICY._replace(what_if=True)))
    assert render_verdict(made, width=40, ascii_only=True, verbose=True) == NARROW


def test_verbose_lists_what_does_not_apply() -> None:
    assert "\n  RG104 rewritten-production  does not apply\n" in render_verdict(verdict(change(*ALL)), verbose=True)


def test_an_allowed_change_is_short() -> None:
    assert render_verdict(verdict(change(PLAIN))) == (
        "ALLOWED  release/1.4 → main\n\n1 rule holds\n"
        "judged by rollback-guard.toml at abababababab, as of 2026-11-22T20:00:00Z"
    )


def test_a_verdict_without_outcomes() -> None:
    lines = render_verdict(verdict(change())).split("\n")
    assert lines[0] == "DENIED  release/1.4 → main  (no rule applied)"
    assert lines[1:] == ["", "judged by rollback-guard.toml at abababababab, as of 2026-11-22T20:00:00Z"]


def test_several_changes_begin_with_the_total() -> None:
    text = render_verdict(verdict(change(PLAIN), change(DIRECT, target="refs/tags/v1")))
    blocks = text.split("\n\n")
    assert blocks[0] == "DENIED  2 changes: 1 denied, 1 allowed"
    assert blocks[1] == "ALLOWED  release/1.4 → main"
    assert "DENIED  release/1.4 → refs/tags/v1  (1 rule)" in blocks
    assert render_verdict(verdict()) == "ALLOWED  nothing is proposed"


def test_long_lists_are_cut_but_say_so() -> None:
    many = outcome("RG101", "direct-commit", "violated", *(finding(f"commit {n}", "x", f"fix {n}") for n in range(30)))
    text = render_verdict(verdict(change(many)))
    assert "  commit 19: x\n  → fix 19\n  and 10 more\n" in text
    assert "commit 20" not in text
    assert "commit 29" in render_verdict(verdict(change(many)), verbose=True)


def test_many_notes_are_cut_but_say_so() -> None:
    noted = [outcome(f"RG{n}", "x", "satisfied", notes=(f"note {n}",)) for n in range(100, 108)]
    text = render_verdict(verdict(change(*noted)))
    assert "RG104 note: note 104\n  and notes of 3 more\n" in text


def test_a_remedy_is_never_wrapped() -> None:
    remedy = "git push origin " + "a-long-branch-name " * 20 + "end"
    text = render_verdict(verdict(change(outcome("RG101", "x", "violated", finding(remedy=remedy)))), width=40)
    assert f"  → {remedy}" in text.split("\n")


def test_wide_characters_count_twice_and_marks_not_at_all() -> None:
    wide = outcome("RG101", "x", "violated", finding("s", "語語語語語 語語語語語 e\u0301e\u0301e\u0301 ok", ""))
    assert "  s: 語語語語語\n    語語語語語 e\u0301e\u0301e\u0301\n    ok\n" in render_verdict(
        verdict(change(wide)), width=20
    )


def test_colour_only_paints() -> None:
    made = verdict(change(*ALL, missing=("x",), policy=POLICY._replace(what_if=True)))
    painted = render_verdict(made, colour=True)
    assert painted.startswith("\x1b[1;31mDENIED  release/1.4 → main  (2 rules)\x1b[0m\n")
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == render_verdict(made)


@given(hostile_verdicts)
@HOSTILE
def test_no_stranger_steers_the_terminal_or_the_runner(made: Verdict) -> None:
    for text in (
        render_verdict(made, verbose=True),
        render_verdict(made, width=20),
        render_hook_verdict(made, "pre-push", width=30),
    ):
        assert steers(text) == []
        assert obeyed(text) == []
    assert render_verdict(made, ascii_only=True).isascii()


@given(hostile_verdicts)
@HOSTILE
def test_a_hook_never_says_more_than_twelve_lines(made: Verdict) -> None:
    assert len(render_hook_verdict(made, "pre-push", width=20).split("\n")) <= 12


HOOK = """\
guard pre-push: DENIED  release/1.4 → main  (2 rules)
RG201 sign-off-missing (1 of 3): uat: has 0 of 1 sign-offs
  → guard sign uat
RG101 direct-commit: commit 0123456789ab: "Fix the price" was made on main
  itself: no other branch contains it
  → git switch -c release/1.5 && git push origin release/1.5
RG105 evil-merge (could not be judged): git is too old to make merges again
  → git --version
coverage: partial, not seen: deletions
more: guard explain RG201"""


def test_a_hook_says_what_why_which_and_what_now() -> None:
    made = verdict(change(*ALL, missing=("deletions",)), change(HOLDS, missing=("deletions",)))
    assert render_hook_verdict(made, "pre-push") == HOOK


def test_a_hook_names_what_it_leaves_out() -> None:
    long = [outcome(f"RG20{n}", "x", "violated", finding("s", "word " * 80)) for n in range(1, 5)]
    made = verdict(change(UNSURE, target="refs/heads/later"), *(change(*long) for _ in range(9)))
    lines = render_hook_verdict(made, "pre-receive", width=40).split("\n")
    assert lines[0] == "guard pre-receive: DENIED  release/1.4 → main  (4 rules)"
    assert lines[3].endswith(" …")
    assert lines[-2:] == ["also RG203, RG204; 9 more refs", "more: guard explain RG201"]
    assert len(lines) <= 12


def test_a_hook_is_silent_when_there_is_nothing_to_know() -> None:
    assert render_hook_verdict(verdict(change(PLAIN)), "pre-push") == ""
    assert render_hook_verdict(verdict(), "pre-push") == ""


def test_a_hook_tells_of_waivers_and_of_what_it_cannot_see() -> None:
    assert render_hook_verdict(verdict(change(WAIVED, missing=("tags",))), "pre-push").split("\n") == [
        "guard pre-push: ALLOWED  release/1.4 → main  (1 rule waived)",
        "RG107 unknown-identity (waived): bot@acme: is none of the people",
        "coverage: partial, not seen: tags",
    ]
    partial = render_hook_verdict(verdict(change(PLAIN, missing=("tags",))), "pre-push")
    assert partial == "guard pre-push: coverage: partial, not seen: tags"


def test_a_hook_without_a_rule_points_to_the_policy() -> None:
    made = verdict(change(IDLE, policy=POLICY._replace(what_if=True)))
    assert render_hook_verdict(made, "pre-push").split("\n") == [
        "guard pre-push: DENIED  release/1.4 → main  (no rule applied)",
        "WHAT IF: the answer of rollback-guard.toml, not of the policy in force",
        "more: guard policy show",
    ]
    bare = verdict(change(outcome("RG101", "direct-commit", "violated")))
    assert "\nRG101 direct-commit\n" in render_hook_verdict(bare, "pre-push")
    assert MISSING.rule in render_hook_verdict(verdict(change(MISSING)), "x", ascii_only=True)


def test_an_error_has_its_problems_and_its_remedy() -> None:
    problems = (
        Problem(file="rollback-guard.toml", line=3, key="sign-off[1].profo", message="unknown key", nearest="proof"),
        Problem(file="rollback-guard.toml", line=None, key="", message="empty", nearest=""),
    )
    error = PolicyError("the policy is invalid", remedy="guard policy check", problems=problems)
    assert render_error(error) == (
        "guard: the policy is invalid\n"
        "  rollback-guard.toml:3: sign-off[1].profo: unknown key (did you mean proof?)\n"
        "  rollback-guard.toml: empty\n"
        "→ guard policy check"
    )
    assert render_error(UsageError("no"), colour=True) == "\x1b[1;31mguard: no\x1b[0m"
    assert render_error(UsageError("no", remedy="x…"), ascii_only=True) == "guard: no\n-> x..."


@pytest.mark.parametrize("field", ["message", "remedy", "file", "key"])
@given(text=hostile_text)
@HOSTILE
def test_an_error_steers_nothing(field: str, text: str) -> None:
    values = {"message": "m", "remedy": "r", "file": "f", "key": "k", field: text}
    problem = Problem(file=values["file"], line=1, key=values["key"], message=values["message"], nearest=text)
    shown = render_error(PolicyError(values["message"], remedy=values["remedy"], problems=(problem,)))
    assert steers(shown) == []
    assert obeyed(shown) == []


def test_hook_names_a_rule_that_found_no_room_once() -> None:
    long = finding("review", "word " * 60)
    made = verdict(*(change(outcome("RG201", "sign-off-missing", "violated", long)) for _ in range(3)))
    said = render_hook_verdict(made, "pre-push", width=30)
    assert len(said.split("\n")) <= 12
    assert said.count("also RG201") == 1
