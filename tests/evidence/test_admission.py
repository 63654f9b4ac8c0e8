"""Which moves below refs/rollback-guard a server takes, and what a verdict says of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry.judge import judge_updates
from rollback_guard.entry.question import Question
from rollback_guard.errors import UndeterminedError
from rollback_guard.evidence.admission import faults_of_move
from rollback_guard.evidence.envelope import read_envelope, render_envelope
from rollback_guard.evidence.opened import Opened, open_envelope, why_not_there
from rollback_guard.evidence.statement import binding_key, store_key
from rollback_guard.evidence.store import Entry, record
from rollback_guard.evidence.store_paths import EVIDENCE, folder_of
from rollback_guard.facts.model import Known
from rollback_guard.facts.push import Update
from rollback_guard.facts.surroundings import read_surroundings
from tests.evidence.values import BACKUP
from tests.support.signing import SHOP, Desk, make_keys


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "repo", make_keys())
    made.signs("quinn")
    return made


def good(opened: Sequence[Opened]) -> list[str]:
    return ["" for _ in opened]


def test_only_refs_of_ours_are_evidence(desk: Desk) -> None:
    tip = desk.repo.head(EVIDENCE)
    for ref in ("refs/heads/main", "refs/heads/rollback-guard/x", "refs/rollback-guardian"):
        assert faults_of_move(desk.repository, ref, None, tip, good) is None
    assert faults_of_move(desk.repository, EVIDENCE, None, tip, good) == ()
    assert faults_of_move(desk.repository, EVIDENCE, tip, tip, good) == ()
    assert faults_of_move(desk.repository, EVIDENCE, tip, None, good) == ("evidence is never deleted",)
    for ref in ("refs/rollback-guard", "refs/rollback-guard/remotes/origin/evidence"):
        assert faults_of_move(desk.repository, ref, None, tip, good)
        assert faults_of_move(desk.repository, ref, tip, None, good) == ()


def test_what_is_wrong_with_signatures_is_said_by_id(desk: Desk) -> None:
    desk.signs("omar", "review")
    tip = desk.repo.head(EVIDENCE)

    def one_is_bad(opened: Sequence[Opened]) -> list[str]:
        assert len(opened) == 2
        return ["it is bad" if one.statement.signer == "omar" else "" for one in opened]

    (fault,) = faults_of_move(desk.repository, EVIDENCE, None, tip, one_is_bad) or ()
    assert fault.endswith(", in the name of omar: it is bad")

    def cannot(opened: Sequence[Opened]) -> list[str]:
        raise UndeterminedError("ssh-keygen is not installed")

    assert faults_of_move(desk.repository, EVIDENCE, None, tip, cannot) == (
        "its signatures cannot be checked: ssh-keygen is not installed",
    )


def test_an_envelope_has_two_places(desk: Desk) -> None:
    statement = desk.statement("quinn")
    data = desk.envelope(statement)
    own = folder_of("sign-off", binding_key(statement.binding))
    for folder in (own, folder_of("about", statement.head)):
        assert isinstance(why_not_there(folder, data), Opened)
    for folder in (folder_of("about", "1" * 40), folder_of("waiver", binding_key(statement.binding)), "odd"):
        assert why_not_there(folder, data) == f"what it says belongs into {own}"
    other = read_envelope(desk.envelope(desk.statement("omar", "review")))
    swapped = render_envelope(read_envelope(data)._replace(sig=other.sig))
    assert "another key" in str(why_not_there(own, swapped))
    assert isinstance(open_envelope(render_envelope(read_envelope(data)._replace(payload=b"{}"))), str)
    assert isinstance(why_not_there(own, b""), str)


def test_a_backup_has_one_place(desk: Desk) -> None:
    data = desk.envelope(BACKUP)
    own = folder_of("backup", store_key(BACKUP))
    assert isinstance(why_not_there(own, data), Opened)
    for folder in (folder_of("about", BACKUP.head), folder_of("backup", binding_key(BACKUP.binding))):
        assert why_not_there(folder, data) == f"what it says belongs into {own}"
    before = desk.repo.git("ls-tree", "-r", "--name-only", EVIDENCE).splitlines()
    record(desk.repository, [Entry("backup", store_key(BACKUP), BACKUP.head, data)])
    (path,) = set(desk.repo.git("ls-tree", "-r", "--name-only", EVIDENCE).splitlines()) - set(before)
    assert path.startswith(f"{own}/")


def test_an_envelope_in_the_folder_of_another_change_is_refused(desk: Desk) -> None:
    """Old signatures that are good would fill up the folder of a change that they say nothing of."""
    statement = desk.statement("quinn", time=desk.repo.clock + 900)
    record(desk.repository, [Entry("sign-off", "0" * 64, statement.head, desk.envelope(statement))])
    faults = faults_of_move(desk.repository, EVIDENCE, None, desk.repo.head(EVIDENCE), good)
    assert [one.partition(": ")[2] for one in faults or ()] == [
        f"what it says belongs into {folder_of('sign-off', binding_key(statement.binding))}"
    ]


def judged(desk: Desk, old: str | None, new: str | None) -> Any:
    repository = desk.repository
    question = Question(repository, read_surroundings(repository), desk.repo.clock)
    return judge_updates(question, (Update(ref=EVIDENCE, old=old, new=new),), stage="receive", name=Known(SHOP))


def test_the_verdict_on_a_push_of_evidence(desk: Desk) -> None:
    tip = desk.repo.head(EVIDENCE)
    assert judged(desk, None, tip).decision == "allow"
    assert judged(desk, tip, None).decision == "deny"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"key": "eve"}, "it is made with a key that nobody of the policy has"),
        ({"key": "jane"}, "it is signed with a key of jane"),
        ({"namespace": "git"}, "the signature does not verify"),
        ({"target": "nowhere"}, "nowhere is no production branch by the policy of main"),
    ],
)
def test_signatures_that_count_for_nothing_are_refused(desk: Desk, how: dict[str, Any], said: str) -> None:
    tip = desk.repo.head(EVIDENCE)
    if "target" in how:
        how = {"change": desk.change()._replace(target=f"refs/heads/{how['target']}")}
    desk.signs("omar", "review", **how)
    verdict = judged(desk, tip, desk.repo.head(EVIDENCE))
    assert verdict.decision == "deny"
    (outcome,) = [one for one in verdict.changes[0].outcomes if one.rule == "RG306"]
    assert [one.message.partition(": ")[2] for one in outcome.findings] == [said]


def test_without_a_policy_on_a_default_branch_each_production_branch_has_its_own(desk: Desk) -> None:
    repo = desk.repo
    tip = repo.head(EVIDENCE)
    repo.git("branch", "live", "main")
    desk.signs("omar", "review", change=desk.change("live", target="live"))
    about_live = repo.head(EVIDENCE)
    verdict = judged(desk, tip, about_live)
    assert "live is no production branch by the policy of main" in str(verdict.changes[0].outcomes)
    repo.git("branch", "-D", "main")
    assert judged(desk, tip, about_live).decision == "allow"
    assert "there is no branch main here" in str(judged(desk, None, about_live).changes[0].outcomes)


def test_a_key_that_left_the_policy_still_brings_what_it_signed_before(desk: Desk) -> None:
    desk.signs("omar", "review")
    desk.repo.checkout("main")
    text = desk.repo.git("show", "main:rollback-guard.toml")
    start = text.index("keys = [", text.index("[people.omar]"))
    desk.repo.write_file("rollback-guard.toml", text[:start] + text[text.index("\n", start) + 1 :] + "\n")
    desk.repo.commit("Omar left", by="uma")
    assert judged(desk, None, desk.repo.head(EVIDENCE)).decision == "allow"
