"""Messages keep git's form, and a reason cannot break out of its trailer."""

from __future__ import annotations

import pytest

from rollback_guard.errors import UsageError
from rollback_guard.git.history_chain import first_line
from rollback_guard.release.message import bring_message, fold_reason, revert_message, revert_subject, single_message
from rollback_guard.release.model import Bring, Plan, Revert, Target

OID, OTHER = "1" * 40, "2" * 40


def a_revert(subject: str = "S", mainline: int | None = None) -> Revert:
    return Revert(commit=OID, mainline=mainline, subject=subject, author="A <a@b>", parent=OTHER, tree=OTHER)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("S", 'Revert "S"'),
        ("", 'Revert ""'),
        ('Revert "S"', 'Reapply "S"'),
        ('Revert "S', 'Reapply "S'),
        ('Revert "Revert "S""', 'Revert "Revert "Revert "S"""'),
        ('Reapply "S"', 'Revert "Reapply "S""'),
    ],
)
def test_subjects(subject: str, expected: str) -> None:
    assert revert_subject(subject) == expected


def test_a_plain_commit() -> None:
    expected = f'Revert "S"\n\nThis reverts commit {OID}.\n\nRollback-To: stable/1\n'
    assert revert_message(a_revert(), "stable/1", "") == expected.encode()


def test_a_merge_with_a_reason() -> None:
    expected = (
        f'Revert "S"\n\nThis reverts commit {OID}, reversing\nchanges made to {OTHER}.\n\n'
        "Rollback-To: stable/1\nReason: why\n"
    )
    assert revert_message(a_revert(mainline=1), "stable/1", "why") == expected.encode()


def test_bytes_that_are_no_utf8_stay() -> None:
    assert b'Revert "caf\xe9"' in revert_message(a_revert("caf\udce9"), "t", "")


def test_single_with_a_brought_tree() -> None:
    target = Target(tag="stable/1", object=OID, commit=OTHER, tree=OTHER, ancestor=False)
    bring = Bring(commit=OTHER, tree=OTHER, onto=None)
    plan = Plan(mode="single", branch="main", tip=OID, stable=target, reverts=(a_revert(),), bring=bring, target="r")
    text = single_message(plan, "").decode()
    assert text.startswith("Revert 1 commit, back to stable/1\n")
    assert f"This brings the tree of commit {OTHER}." in text
    assert bring_message(bring, "stable/1", "w").decode().endswith("\n\nRollback-To: stable/1\nReason: w\n")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [(None, ""), ("it broke", "it broke"), ("two\nlines\r\n\tof it  ", "two lines of it"), ("é ✓", "é ✓")],
)
def test_reasons(reason: str | None, expected: str) -> None:
    assert fold_reason(reason) == expected


@pytest.mark.parametrize("reason", ["", " \n", "a\x1b[31m", "a\0b", "a\x7f", "a\x9bm"])
def test_reasons_that_are_refused(reason: str) -> None:
    with pytest.raises(UsageError, match="--reason"):
        fold_reason(reason)


@pytest.mark.parametrize(
    ("message", "expected"),
    [("", ""), ("\n \t\n", ""), ("S", "S"), ("\n\nS\nmore\n\nbody", "S"), ("S\r\n", "S\r")],
)
def test_first_lines(message: str, expected: str) -> None:
    assert first_line(message) == expected
