"""`guard waive --review`, and what doctor, audit and explain say of waivers that expired and that nobody reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry import signing, waivers
from rollback_guard.entry.cli import waiver_review
from rollback_guard.entry.evidence_reading import find_stored
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import WaiverStatement
from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.git.repository import open_repository
from tests.support.builder import RepositoryBuilder
from tests.support.commands import Said, guard
from tests.support.signing import Desk, key_of, make_keys, policy, signed_shop

REASON = "QA caught up on Monday"


class Waived:
    """A shop whose release landed without sign-offs, by a waiver that omar and quinn signed, which has expired."""

    def __init__(
        self, path: Path, *, land: bool = True, signers: tuple[str, ...] = ("omar", "quinn"), **files: str
    ) -> None:
        self.repo = signed_shop(path)
        if files:
            self.repo.git("branch", "-f", "main", self.repo.commit("Contacts", by="uma", **files))
            self.repo.commit("Raise it again", by="jane", app_dot_py="price = 3\n")
        self.merge = ""
        now = self.repo.clock + 60
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("rollback_guard.entry.cli.waive.now", lambda: now)
            patch.setattr(signing, "now", lambda: now)
            for person in signers:
                said = self.waive(person)
                assert said.code == 0, said.err
        if land:
            self.repo.checkout("main")
            self.merge = self.repo.merge("release/1.4")

    def waive(self, person: str) -> Said:
        args = ("--into", "main", "--reason", "nobody can log in", "--incident", "INC-42", "--expires", "4h", "--yes")
        return guard(self.repo.path, "waive", "RG201", "--key", key_of(person), *args)

    def review(self, person: str, *args: str, digest: str = "", reason: str = REASON) -> Said:
        given = ("--review", digest or self.ids()[0][:12], "--reason", reason, "--key", key_of(person))
        return guard(self.repo.path, "waive", *given, *(args or ("--yes",)))

    def ids(self) -> list[str]:
        listed = guard(self.repo.path, "evidence", "list", "--all", "--format", "json").json["evidence"]
        return sorted(one["id"] for one in listed if one["kind"] == "waiver")

    def doctor(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = guard(self.repo.path, "doctor", "--format", "json").json["findings"]
        return [one for one in found if one["id"].startswith(("waiver", "evidence-un"))]

    def outcome(self, said: Said) -> dict[str, Any]:
        commits = said.json["commits"]
        landed = next(one for one in commits if one["commit"] == self.merge)
        found: dict[str, Any] = next(one for one in landed["outcomes"] if one["rule"] == "RG201")
        return found


@pytest.fixture
def waived(path_of_repo: Path) -> Waived:
    return Waived(path_of_repo)


def test_doctor_and_audit_name_a_waiver_that_nobody_reviewed(waived: Waived) -> None:
    first = waived.ids()[0][:12]
    (finding,) = waived.doctor()
    assert (finding["id"], finding["severity"]) == ("waiver-unreviewed", "warning")
    for part in ("RG201", "omar, quinn", "landed with it", "nobody can log in (INC-42)", "into main"):
        assert part in finding["message"]
    assert finding["remedy"] == f'guard waive --review {first} --reason "what came of it"'
    said = guard(waived.repo.path, "audit", "main")
    assert "nobody has reviewed it" in said.out
    assert "1 waiver has expired without a review: guard doctor" in said.out
    outcome = waived.outcome(guard(waived.repo.path, "audit", "main", "--format", "json"))
    assert (outcome["outcome"], outcome["notes"][-1]) == (
        "waived",
        f"it has expired, and nobody has reviewed it: guard waive --review {first}",
    )
    explained = guard(waived.repo.path, "explain", "main")
    assert explained.code == 0
    assert "nobody has reviewed it" in explained.out


def test_somebody_else_reviews_it(waived: Waived) -> None:
    said = waived.review("uma")
    assert said.code == 0, said.err
    for part in ("review the waiver of RG201", "Omar Haddad <omar@acme.example>", "INC-42", REASON, "reviewed by Uma"):
        assert part in said.out
    assert waived.doctor() == []
    outcome = waived.outcome(guard(waived.repo.path, "audit", "main", "--format", "json"))
    assert outcome["notes"][-1] == "reviewed by Uma Patel <uma@acme.example>"
    assert "without a review" not in guard(waived.repo.path, "audit", "main").out
    assert guard(waived.repo.path, "evidence", "verify").code == 0
    listed = guard(waived.repo.path, "evidence", "list", "--all").out
    assert "reviewed the waiver of RG201" in listed
    shown = guard(waived.repo.path, "evidence", "show", said.out.partition("id: ")[2][:12]).out
    assert REASON in shown


def test_the_document_of_a_review(waived: Waived) -> None:
    said = waived.review("uma", "--yes", "--format", "json")
    document = said.json
    assert (document["format"], document["rule"]) == ("rollback-guard/waiver-review/1", "RG201")
    assert (document["person"], document["comment"], document["waivers"]) == ("uma", REASON, waived.ids())


def test_who_was_involved_reviews_nothing(waived: Waived) -> None:
    for person, why in (("omar", "signed that waiver"), ("jane", "made a part of that change"), ("eve", "is nobody's")):
        said = waived.review(person)
        assert (said.code, why in said.err) == (1, True), said.err
    assert waived.doctor()


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        (("waive", "--review", "ffffffff", "--reason", "x"), 2, "there is no evidence ffffffff"),
        (("waive", "RG201", "--review", "ffffffff", "--reason", "x"), 2, "--review takes an id"),
        (("waive", "--review", "ffffffff", "--into", "main", "--reason", "x"), 2, "--review takes an id"),
        (("waive", "--review", "ffffffff", "--reason", " "), 2, "--reason is empty"),
        (("waive", "--reason", "x"), 2, "no rule is named"),
    ],
)
def test_what_makes_no_sense_is_said(waived: Waived, args: tuple[str, ...], code: int, why: str) -> None:
    said = guard(waived.repo.path, *args)
    assert (said.code, why in said.err) == (code, True), said.err


def test_without_a_terminal_it_names_the_command(waived: Waived) -> None:
    said = waived.review("uma", "--format", "text")
    assert said.code == 2
    assert f"guard waive --review {waived.ids()[0][:12]} --reason '{REASON}' --key" in said.err


def test_only_waivers_are_reviewed(waived: Waived) -> None:
    review = waived.review("uma").out.partition("id: ")[2][:12]
    said = waived.review("uma", digest=review)
    assert (said.code, "is no waiver" in said.err) == (2, True)


def test_a_waiver_whose_signature_does_not_count_has_nothing_to_review(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "repo", make_keys())
    statement = desk.waiver("omar", "RG201")
    digest = desk.put(statement, desk.envelope(statement, key="eve"))
    said = guard(desk.repo.path, "waive", "--review", digest[:12], "--reason", "x", "--key", key_of("uma"), "--yes")
    assert (said.code, "nothing to review" in said.err) == (1, True)
    found = guard(desk.repo.path, "doctor", "--format", "json").json["findings"]
    assert not [one for one in found if one["id"] == "waiver-unreviewed"]


def test_a_branch_that_has_no_policy_any_more(waived: Waived) -> None:
    waived.repo.checkout("main")
    waived.repo.write_file("rollback-guard.toml", "broken")
    waived.repo.commit("Break it")
    said = waived.review("uma")
    assert said.code in (1, 2)
    assert "policy" in said.err


def test_where_the_makers_are_not_known_nobody_reviews(waived: Waived, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollback_guard.errors import GitError
    from rollback_guard.facts.model import Unknown
    from rollback_guard.facts.survey import Walked

    def broken(*args: object, **more: object) -> Walked:
        raise GitError("the head is not here")

    monkeypatch.setattr(waivers, "walk_range", broken)
    assert (waived.review("uma").code, "the head is not here" in waived.review("uma").err) == (4, True)
    monkeypatch.setattr(waivers, "walk_range", lambda *args, **more: Walked(Unknown("shallow"), [], False))
    assert (waived.review("uma").code, "shallow" in waived.review("uma").err) == (4, True)


def test_what_did_not_land_with_its_waiver_is_a_note(path_of_repo: Path) -> None:
    waived = Waived(path_of_repo, land=False)
    (finding,) = waived.doctor()
    assert (finding["severity"], "which did not land with it" in finding["message"]) == ("note", True)
    waived.repo.checkout("main")
    waived.repo.commit("Something else", by="uma", other_dot_py="1\n")
    assert waived.doctor()[0]["severity"] == "note"
    waived.repo.git("update-ref", "refs/heads/main", waived.repo.head("main~1"))
    waived.repo.git("checkout", "-q", "--orphan", "fresh")
    waived.repo.commit("Another history", **{"rollback-guard_dot_toml": policy()})
    waived.repo.git("branch", "-f", "main", "fresh")
    assert waived.doctor()[0]["severity"] == "note"


def test_a_waiver_that_still_counts_is_not_reported(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    for person in ("omar", "quinn"):
        args = ("--into", "main", "--reason", "x", "--key", key_of(person), "--yes")
        assert guard(repo.path, "waive", "RG201", *args).code == 0
    repo.checkout("main")
    repo.merge("release/1.4")
    found = guard(repo.path, "doctor", "--format", "json").json["findings"]
    assert not [one for one in found if one["id"] == "waiver-unreviewed"]
    assert "nobody has reviewed it" not in guard(repo.path, "audit", "main", "--verbose").out


def test_evidence_that_cannot_be_read_is_a_finding(waived: Waived) -> None:
    blob = waived.repo.git("hash-object", "-w", "--stdin", stdin=b"x")
    waived.repo.git("update-ref", EVIDENCE, blob)
    (finding,) = waived.doctor()
    assert (finding["id"], finding["severity"]) == ("evidence-unread", "error")


def test_a_reviewer_whom_the_policy_knows_only_since(path_of_repo: Path) -> None:
    """uma is listed after the waiver was given: her review counts, by the policy of now."""
    waived = Waived(path_of_repo)
    text = policy().replace("[people.uma]", "[people.una]")
    assert text != policy()
    repo: RepositoryBuilder = waived.repo
    repo.checkout("main")
    repo.write_file("rollback-guard.toml", text)
    repo.commit("Una is called una now", by="omar")
    said = waived.review("uma")
    assert said.code == 0, said.err
    outcome = waived.outcome(guard(repo.path, "audit", "main", "--format", "json"))
    assert outcome["notes"][-1] == "reviewed by una"


def test_fewer_than_the_policy_asks_for_let_nothing_pass(path_of_repo: Path) -> None:
    assert Waived(path_of_repo, signers=("omar",)).doctor() == []


def test_a_review_looks_back(path_of_repo: Path) -> None:
    """Before anything has landed under it, while it counts, there is nothing to review."""
    repo = signed_shop(path_of_repo)
    waived = Waived.__new__(Waived)
    waived.repo = repo
    for person in ("omar", "quinn"):
        assert waived.waive(person).code == 0
    said = waived.review("uma")
    assert (said.code, "nothing has landed under it yet" in said.err) == (1, True)
    repo.checkout("main")
    repo.git("merge", "-q", "--ff-only", "release/1.4")  # of several commits
    assert waived.review("uma").code == 0


@pytest.mark.parametrize(("owner", "code"), [("Jane Doe", 0), ("Uma Patel <uma@acme.example>", 1)])
def test_who_made_the_change_under_an_older_address_reviews_nothing(path_of_repo: Path, owner: str, code: int) -> None:
    """The change was made as somebody whom production's .mailmap knows to be Uma."""
    waived = Waived(path_of_repo, land=False, _dot_mailmap=f"{owner} <jane@acme.example>\n")
    said = waived.review("uma")
    assert (said.code, "made a part of that change" in said.err) == (code, code == 1), said.err


def test_what_is_signed_after_a_review_was_not_reviewed(waived: Waived, monkeypatch: pytest.MonkeyPatch) -> None:
    assert waived.review("uma").code == 0
    assert waived.doctor() == []
    waived.repo.checkout("release/1.4")
    waived.repo.git("branch", "-f", "main", f"{waived.merge}~1")
    minute = signing.now() + 60
    monkeypatch.setattr("rollback_guard.entry.cli.waive.now", lambda: minute)
    assert waived.waive("omar").code == 0
    later = minute + 5 * 3600
    monkeypatch.setattr("rollback_guard.entry.wiring.time.time", lambda: later)
    (finding,) = waived.doctor()
    assert finding["id"] == "waiver-unreviewed"


def test_who_may_not_waive_makes_no_waiver_last_for_ever(waived: Waived) -> None:
    """Jane made the change; Uma is known, and may not waive; and nobody may for longer than the policy says."""
    desk = Desk.__new__(Desk)
    desk.repo, desk.keys = waived.repo, make_keys()
    known = open_waiver(waived)
    for person, lasts in (("jane", 10**9), ("uma", 3600), ("omar", 10**9)):
        statement = known._replace(signer=person, expires=known.time + lasts)
        desk.put(statement, desk.envelope(statement))
    assert [one["id"] for one in waived.doctor()] == ["waiver-unreviewed"]


def open_waiver(waived: Waived) -> WaiverStatement:
    repository = open_repository(str(waived.repo.path), {})
    opened = open_envelope(find_stored(repository, waived.ids()[0]).data)
    assert isinstance(opened, Opened)
    assert isinstance(opened.statement, WaiverStatement)
    return opened.statement


def test_a_reviewer_whose_clock_is_behind(waived: Waived, monkeypatch: pytest.MonkeyPatch) -> None:
    early = open_waiver(waived).time - 600
    monkeypatch.setattr(waiver_review, "now", lambda: early)
    monkeypatch.setattr(waivers, "has_landed", lambda *args: True)
    assert waived.review("uma").code == 0
    monkeypatch.undo()
    assert waived.doctor() == []
