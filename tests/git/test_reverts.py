"""What messages say that they take back."""

from __future__ import annotations

import time

import pytest

from rollback_guard.git.reverts import Said, read_picked, read_said, reverted_in_full

A, B, C = "a" * 40, "b" * 40, "c" * 64


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'Revert "S"\n\nThis reverts commit {A}.\n', Said(reverts=(A,))),
        (f'Reapply "S"\n\nThis reverts commit {C}.\n', Said(reverts=(C,))),
        (f"Revert it\n\nThis reverts commit {A}, reversing\nchanges made to {B}.\n", Said(reverts=(A,))),
        (f"Two\n\nThis reverts commit {A}.\nThis reverts commit {B}.\nThis reverts commit {A}.", Said(reverts=(A, B))),
        (f"This reverts commits {A}, {B} and\ncommit {C}", Said(reverts=(A, B, C))),
        ('Revert\n\nThis reverts commit 1234ABC ("Subject", 2026-01-01).', Said(reverts=("1234abc",))),
        (f'x\n\nReverts: 1234567 ("x")\nreverts : {A},\n {B}\n', Said(reverts=("1234567", A, B))),
        ("x\n\nReverts: nothing\n", Said()),
        (
            "x\n\nReverts acme/shop#12\nReverts #13\nThis reverts merge request a/b/c!14 and",
            Said(requests=(12, 13, 14)),
        ),
        (f"x\n\nThis reapplies commit {A}.\n", Said(reapplies=(A,))),
        (f"x\n\n> This reverts commit {A}.\n    This reverts commit {B}.\nIt says: This reverts commit {C}.", Said()),
        ("This reverts commit 123456.\nThis reverts commit 1234567x.\nThis partially reverts commit 1234567.", Said()),
        (f"This reverts commit {A}{B}.", Said()),
        ("Reverts #0\nReverts #12345678901", Said()),
    ],
)
def test_sentences(text: str, said: Said) -> None:
    assert read_said(text) == said


def test_the_first_in_full() -> None:
    assert reverted_in_full(f"This reverts commit 1234567.\nThis reverts commit {B}.") == B
    assert reverted_in_full("This reverts commit 1234567.") is None


@pytest.mark.parametrize(
    "text",
    [
        "This reverts commit" + " " * 300_000,
        "This reverts commit 1234567" + " ," * 150_000,
        "This reverts commit 1234567" + ", 1234567" * 40_000,
        "Reverts " + "a" * 150_000 + "/" + "a" * 150_000,
        "This reverts merge request " + "a/" * 150_000,
        "Reverts:" + "\n " * 150_000,
        ("This reverts commit " + "f" * 64 + "0\n") * 4_000,
    ],
)
def test_a_hostile_message_takes_no_long_time(text: str) -> None:
    begun = time.process_time()
    read_said(text)
    assert time.process_time() - begun < 2


def test_whence_a_commit_was_picked() -> None:
    one, other = "a" * 40, "0" * 64
    text = f"Mend\n\n(cherry picked from commit {one})\n(cherry picked from commit {other})\r\n"
    assert read_picked(text) == (one, other)
    for line in (f" (cherry picked from commit {one})", f"(cherry picked from commit {one[:12]})", one):
        assert read_picked(f"Mend\n\n{line}\n") == ()
