"""Who made a way back is asked only where a role asks for more than trailers, and never taken for proven by failing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rollback_guard.entry import hook_push
from rollback_guard.entry.question import Question
from rollback_guard.entry.way_back_proof import with_proof
from rollback_guard.errors import UndeterminedError
from rollback_guard.evidence import commit_proof
from rollback_guard.facts.model import Identity, Restoration
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.git.repository import open_repository
from rollback_guard.policy.read import read_policy
from tests.support.builder import POLICY, RepositoryBuilder, shop
from tests.support.facts import a_change

BACK = Restoration(tag="stable/1", commit="1" * 40, committers=(Identity("Jane Doe", "jane@acme.example"),))


def question_of(repo: RepositoryBuilder) -> Question:
    repository = open_repository(str(repo.path), os.environ)
    return Question(repository, read_surroundings(repository), int(time.time()))


def test_what_is_asked_and_what_is_said(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = shop(path_of_repo)
    trailers = read_policy(POLICY.encode(), path="x")
    signed = read_policy(POLICY.replace('proof = "trailer"', 'proof = "signature"').encode(), path="x")
    change = a_change(head=repo.head("main"), restoration=BACK)
    question = question_of(repo)
    for policy, other in ((None, change), (trailers, change), (signed, change._replace(restoration=None))):
        assert with_proof(question, policy, other) is other
    assert with_proof(question, signed, change._replace(head=None)).restoration == BACK
    unproven = with_proof(question, signed, change).restoration
    assert unproven is not None
    assert unproven.unproven == "it bears no signature"

    def fails(self: object, commit: str) -> str:
        raise UndeterminedError("ssh-keygen is not here", remedy="install it")

    monkeypatch.setattr(commit_proof.CommitProof, "fault_of", fails)
    failed = with_proof(question, signed, change).restoration
    assert failed is not None
    assert failed.unproven == "ssh-keygen is not here"


def test_a_push_that_cannot_be_noted_is_taken_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = RepositoryBuilder(tmp_path / "server.git", bare=True)
    repo = shop(tmp_path / "clone")
    repo.git("push", "-q", str(server.path), "main", "release/1.4")
    monkeypatch.chdir(server.path)
    monkeypatch.setattr(hook_push, "note_pushes", lambda *_: "the disk is full")
    line = f"{'0' * 40} {repo.head('release/1.4')} refs/heads/topic\n"
    assert hook_push.decide_receive(line.encode(), dict(os.environ)) == 0
    assert capsys.readouterr().err == "guard: who pushed could not be noted: the disk is full\n"
