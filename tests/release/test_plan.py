"""The digest changes with everything that decides, and with nothing else; the JSON has the contract's keys."""

from __future__ import annotations

import json

import pytest

from rollback_guard.release.migrations.model import Report
from rollback_guard.release.model import Bring, Keep, Plan, Result, Revert, Target
from rollback_guard.release.plan import plan_digest, plan_document
from rollback_guard.report.plan_text import render_plan, render_result

A, B, C = "a" * 40, "b" * 40, "c" * 40
TARGET = Target(tag="stable/1", object=C, commit=A, tree=B, ancestor=True)
REVERT = Revert(commit=C, mainline=1, subject="S\udcff\x1b", author="Jane <j@x>", parent=A, tree=B)
PLAN = Plan(mode="each", branch="main", tip=C, stable=TARGET, reverts=(REVERT,), bring=None, target="refs/heads/main")


@pytest.mark.parametrize(
    "other",
    [
        PLAN._replace(mode="single"),
        PLAN._replace(branch="trunk"),
        PLAN._replace(tip=A),
        PLAN._replace(stable=TARGET._replace(tag="stable/2")),
        PLAN._replace(stable=TARGET._replace(commit=B)),
        PLAN._replace(stable=TARGET._replace(tree=A)),
        PLAN._replace(reverts=()),
        PLAN._replace(bring=Bring(commit=A, tree=B, onto=None)),
        PLAN._replace(target="refs/heads/other"),
    ],
)
def test_what_decides_is_in_the_digest(other: Plan) -> None:
    assert plan_digest(other) != plan_digest(PLAN)


def test_what_is_for_people_is_not() -> None:
    assert plan_digest(PLAN._replace(notes=("x",))) == plan_digest(PLAN)
    assert plan_digest(PLAN._replace(migrations=Report())) == plan_digest(PLAN)
    assert plan_digest(PLAN._replace(keep=Keep(tree=C, entries=()))) != plan_digest(PLAN)
    assert plan_digest(PLAN) == "sha256:" + plan_digest(PLAN)[7:]
    assert len(plan_digest(PLAN)) == 7 + 64


def test_the_json() -> None:
    result = Result(ref="refs/heads/main", commit=A, tree=B, commits=1, equals_stable=True)
    document = json.loads(json.dumps(plan_document(PLAN._replace(bring=Bring(A, B, None)), result)))
    assert document == {
        "format": "rollback-guard/revert-plan/1",
        "mode": "each",
        "branch": "main",
        "tip": C,
        "target": "refs/heads/main",
        "stable": {"tag": "stable/1", "commit": A, "tree": B, "ancestor": True},
        "reverts": [{"commit": C, "mainline": 1, "subject": "S\\xff\x1b", "author": "Jane <j@x>"}],
        "bring": {"commit": A, "tree": B, "onto": None},
        "migrations": None,
        "needs-restore": None,
        "database": None,
        "kept": [],
        "cancels": [],
        "submodules": [],
        "lfs": {"pointers": 0, "missing": []},
        "collisions": [],
        "notes": [],
        "digest": document["digest"],
        "result": {"ref": "refs/heads/main", "commit": A, "tree": B, "tree-equals-stable": True},
    }
    assert plan_document(PLAN, None)["result"] is None
    assert plan_document(PLAN._replace(reverts=(), notes=("x",)), None)["notes"] == ["x"]


def test_the_text_says_what_decides_first_and_steers_no_terminal() -> None:
    text = render_plan(PLAN._replace(notes=("n\x1b",)), "sha256:1", execute="guard revert")
    assert text.startswith("Back to stable/1: 1 commit will be reverted on main\n")
    assert "\x1b" not in text
    assert "S\\xff\\x1b  (merge, mainline 1)" in text
    assert text.endswith("→ guard revert")


def test_the_text_of_other_plans() -> None:
    new = PLAN._replace(mode="single", target="refs/heads/back", bring=Bring(A, B, None))
    head = render_plan(new, "sha256:1", execute="x").split("\n")[0]
    assert head == (
        "Back to stable/1: 1 commit will be reverted on main by one commit and the release's tree brought, "
        "written to the new branch back"
    )
    nothing = render_plan(PLAN._replace(reverts=()), "sha256:1", execute="x")
    assert nothing.startswith("Nothing to revert: main has exactly the tree of stable/1 already")
    plain = render_plan(
        PLAN._replace(reverts=(REVERT._replace(mainline=None, subject="x" * 500),) * 2), "d", execute="x"
    )
    assert "2 commits" in plain
    assert "x" * 99 + "…" in plain


def test_the_text_of_a_result() -> None:
    result = Result(ref="refs/heads/main", commit=A, tree=B, commits=2, equals_stable=True)
    assert render_result(result, PLAN.tip, PLAN.stable.tag, following="git push") == (
        "main is at aaaaaaaaaaaa: 2 commits on top of cccccccccccc\n"
        "proven: its tree bbbbbbbbbbbb is the tree of stable/1\n→ git push"
    )
    assert "→" not in render_result(result._replace(commits=1), PLAN.tip, None, following="")
