"""The verdict on one migration, and the words for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.release.migrations.judge import MOST, goes_back, judge
from rollback_guard.release.migrations.model import VERDICTS, Parsed, Step
from tests.release.migrations.values import parsed, step

EXPAND = step("expand", "creates table orders")
CHANGE = step("change", "renames column orders.sum to orders.total")
DESTROY = step("destroy", "drops column orders.total")
UNKNOWN = step("unknown", "holds a DO block")


@pytest.mark.parametrize(
    ("migration", "verdict", "reasons"),
    [
        (parsed(), "expand-only", ()),
        (parsed(up=(EXPAND,)), "expand-only", ()),
        (parsed(up=(EXPAND,), refuses="never"), "expand-only", ()),
        (parsed(up=(EXPAND, CHANGE), down=(CHANGE,)), "reversible", (CHANGE.what,)),
        (parsed(up=(CHANGE,), undoes_itself=True), "reversible", (CHANGE.what,)),
        (parsed(up=(DESTROY,), down=(EXPAND,)), "lossy-down", (f"{DESTROY.what}, which no way back brings back",)),
        (
            parsed(up=(CHANGE, DESTROY), undoes_itself=True),
            "lossy-down",
            (f"{DESTROY.what}, which no way back brings back", CHANGE.what),
        ),
        (parsed(up=(CHANGE,)), "irreversible", ("has no way back", CHANGE.what)),
        (parsed(up=(CHANGE,), down=()), "irreversible", ("the way back does nothing", CHANGE.what)),
        (
            parsed(up=(CHANGE,), down=(UNKNOWN, EXPAND)),
            "irreversible",
            ("the way back holds a DO block", CHANGE.what),
        ),
        (parsed(up=(CHANGE,), down=(UNKNOWN,), undoes_itself=True), "irreversible", None),
        (
            parsed(up=(CHANGE,), down=(), refuses="raises IrreversibleMigration"),
            "irreversible",
            ("the way back stops: raises IrreversibleMigration", CHANGE.what),
        ),
        (parsed(up=(CHANGE,), undoes_itself=True, refuses="no"), "irreversible", None),
        (parsed(up=(UNKNOWN,), down=(EXPAND,)), "irreversible", ("holds a DO block",)),
        (
            parsed(up=(DESTROY, UNKNOWN, CHANGE)),
            "irreversible",
            (
                "holds a DO block",
                "has no way back",
                f"{DESTROY.what}, which no way back brings back",
                CHANGE.what,
            ),
        ),
    ],
)
def test_verdict_and_reasons(migration: Parsed, verdict: str, reasons: tuple[str, ...] | None) -> None:
    found = judge(migration)
    assert found[0] == verdict
    assert reasons is None or found[1] == reasons


def test_a_thousand_steps_are_told_in_a_few_lines() -> None:
    many = tuple(step("destroy", f"drops column t.c{number}") for number in range(1000))
    _, reasons = judge(parsed(up=many, down=(EXPAND,)))
    assert len(reasons) == MOST
    assert reasons[-1] == "and 989 more of the kind"
    _, reasons = judge(parsed(up=many[:MOST], down=(EXPAND,)))
    assert reasons[-1].startswith("drops column t.c11")


def test_what_is_done_twice_is_told_once() -> None:
    assert judge(parsed(up=(CHANGE, CHANGE), down=(CHANGE,)))[1] == (CHANGE.what,)


def test_a_way_back_that_cannot_be_run_is_none() -> None:
    assert goes_back(parsed(up=(DESTROY,), down=(EXPAND,)))
    assert goes_back(parsed(down=()))
    assert not goes_back(parsed(up=(EXPAND,)))
    assert not goes_back(parsed(up=(EXPAND,), down=()))


steps = st.lists(st.sampled_from((EXPAND, CHANGE, DESTROY, UNKNOWN)), max_size=4).map(tuple)


@given(up=steps, down=st.none() | steps, more=st.sampled_from((CHANGE, DESTROY, UNKNOWN)), itself=st.booleans())
def test_a_step_more_never_makes_it_better(
    up: tuple[Step, ...], down: tuple[Step, ...] | None, more: Step, itself: bool
) -> None:
    one = parsed(up=up, down=down, undoes_itself=itself)
    verdict, reasons = judge(one)
    worse, _ = judge(one._replace(up=(*up, more)))
    assert VERDICTS.index(worse) >= VERDICTS.index(verdict)
    assert (verdict == "expand-only") == (not reasons)
