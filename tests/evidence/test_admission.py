"""Which moves below refs/rollback-guard a server takes, and what a verdict says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.entry.judge import judge_updates
from rollback_guard.entry.question import Question
from rollback_guard.evidence.admission import faults_of_move, why_unreadable
from rollback_guard.evidence.envelope import read_envelope, render_envelope
from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.facts.model import Known
from rollback_guard.facts.push import Update
from rollback_guard.facts.surroundings import read_surroundings
from tests.support.signers import SHOP
from tests.support.signing import Desk, make_keys


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "repo", make_keys())
    made.signs("quinn")
    return made


def test_only_refs_of_ours_are_evidence(desk: Desk) -> None:
    tip = desk.repo.head(EVIDENCE)
    for ref in ("refs/heads/main", "refs/heads/rollback-guard/x", "refs/rollback-guardian"):
        assert faults_of_move(desk.repository, ref, None, tip) is None
    assert faults_of_move(desk.repository, EVIDENCE, None, tip) == ()
    assert faults_of_move(desk.repository, EVIDENCE, tip, None) == ("evidence is never deleted",)
    for ref in ("refs/rollback-guard", "refs/rollback-guard/remotes/origin/evidence"):
        assert faults_of_move(desk.repository, ref, None, tip)
        assert faults_of_move(desk.repository, ref, tip, None) == ()


def test_what_can_be_read(desk: Desk) -> None:
    good = desk.envelope(desk.statement("quinn"))
    assert why_unreadable(good) == ""
    other = read_envelope(desk.envelope(desk.statement("omar", "review")))
    swapped = render_envelope(read_envelope(good)._replace(sig=other.sig))
    assert "another key" in why_unreadable(swapped)
    assert why_unreadable(render_envelope(read_envelope(good)._replace(payload=b"{}")))
    assert why_unreadable(b"")


def test_the_verdict_on_a_push_of_evidence(desk: Desk) -> None:
    repository = desk.repository
    question = Question(repository, read_surroundings(repository), desk.repo.clock)
    tip = desk.repo.head(EVIDENCE)
    for update, decision in (
        (Update(ref=EVIDENCE, old=None, new=tip), "allow"),
        (Update(ref=EVIDENCE, old=tip, new=None), "deny"),
    ):
        verdict = judge_updates(question, (update,), stage="receive", name=Known(SHOP))
        assert verdict.decision == decision
