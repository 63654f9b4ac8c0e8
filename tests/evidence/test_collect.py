"""From the store to the gate: which recorded envelopes say what of a change, and why others do not count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rollback_guard.errors import UndeterminedError
from rollback_guard.evidence import collect as collect_module
from rollback_guard.evidence.collect import EvidenceBook
from rollback_guard.evidence.envelope import Envelope, read_envelope, render_envelope
from rollback_guard.evidence.statement import binding_key
from rollback_guard.evidence.store import Entry, record
from rollback_guard.evidence.subject import subject_of
from rollback_guard.evidence.verifier import Verifier
from rollback_guard.facts.model import Change, Fact, Known, Landing, SignedDecision, SignedWaiver, Unknown
from tests.support.signing import Desk, make_keys

DAY = 86400


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    return make_keys()


@pytest.fixture
def desk(tmp_path: Path, keys: dict[str, str]) -> Desk:
    return Desk(tmp_path / "repo", keys)


def collected(desk: Desk, change: Change | None = None, **overrides: Any) -> Change:
    """The change with its evidence, half an hour later."""
    fields: dict[str, Any] = {"as_of": desk.repo.clock + 1800, **overrides}
    return EvidenceBook(desk.repository).about(desk.policy(), change or desk.change(), **fields)


def known(fact: Fact[Any]) -> Any:
    assert isinstance(fact, Known), fact
    return fact.value


def decisions(desk: Desk, change: Change | None = None, **overrides: Any) -> tuple[SignedDecision, ...]:
    found: tuple[SignedDecision, ...] = known(collected(desk, change, **overrides).decisions)
    return found


def only(desk: Desk, change: Change | None = None, **overrides: Any) -> SignedDecision:
    (one,) = decisions(desk, change, **overrides)
    return one


def test_a_sign_off_is_found_and_verified(desk: Desk) -> None:
    assert decisions(desk) == ()
    name = desk.signs("quinn", comment="tried on the stage")
    one = only(desk)
    assert one == SignedDecision(
        role="qa",
        decision="approve",
        person="quinn",
        claimed="quinn",
        time=one.time,
        binding="result",
        digest=name,
        comment="tried on the stage",
    )


def test_several_people_roles_and_words(desk: Desk) -> None:
    desk.signs("quinn")
    desk.signs("quinn", decision="reject")
    desk.signs("omar", "review")
    found = {(one.role, one.person, one.decision) for one in decisions(desk)}
    assert found == {("qa", "quinn", "approve"), ("qa", "quinn", "reject"), ("review", "omar", "approve")}


def test_nothing_is_asked_where_nothing_can_count(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.signs("quinn")
    change = desk.change()._replace(production=False)
    assert collected(desk, change) == change
    book = EvidenceBook(desk.repository)
    assert book.about(None, desk.change(), as_of=0) == desk.change()
    bare = desk.policy()._replace(sign_off=(), waiver=None)
    assert book.about(bare, desk.change(), as_of=0) == desk.change()
    assert known(book.about(bare._replace(waiver=desk.policy().waiver), desk.change(), as_of=0).decisions)


@pytest.mark.parametrize("lost", ["repository", "base", "head_tree", "result_tree"])
def test_what_is_not_known_of_the_change_is_not_known_of_its_evidence(lost: str, desk: Desk) -> None:
    desk.signs("quinn")
    gone: dict[str, Any] = {lost: Unknown(f"no {lost}")}
    assert collected(desk, desk.change()._replace(**gone)).decisions == Unknown(f"no {lost}")


def test_a_branch_that_is_new_and_a_name_that_is_none(desk: Desk) -> None:
    assert isinstance(subject_of(desk.change()._replace(base=Known(None))), Unknown)
    assert isinstance(subject_of(desk.change()._replace(head=None)), Unknown)
    assert isinstance(subject_of(desk.change()._replace(repository=Known(""))), Unknown)


def test_a_store_that_cannot_be_read_is_not_good_news(desk: Desk) -> None:
    desk.signs("quinn")
    tree = desk.repo.git("rev-parse", "refs/rollback-guard/evidence^{tree}").strip()
    path = desk.repo.path / ".git/objects" / tree[:2] / tree[2:]
    if path.exists():
        path.chmod(0o600)
        path.unlink()
    else:
        desk.repo.git("update-ref", "refs/rollback-guard/evidence", desk.repo.git("commit-tree", "-m", "x", tree))
        pytest.skip("the store is packed here")
    found = collected(desk)
    assert isinstance(found.decisions, Unknown)
    assert found.decisions.reason.startswith("the recorded evidence cannot be read")


def test_bindings_say_what_survives(tmp_path: Path, keys: dict[str, str]) -> None:
    for binding, survives in (("result", False), ("change", True), ("head", True)):
        desk = Desk(tmp_path / binding, keys, binding=binding)
        desk.signs("quinn")
        desk.repo.checkout("main")
        desk.repo.commit("Another thing", by="uma", other_dot_py="1\n")
        moved = only(desk)
        assert (binding, moved.stale == "") == (binding, survives)
        assert moved.other_base is (not survives)
        desk.repo.checkout("release/1.4")
        desk.repo.git("rebase", "-q", "main")
        again = [one for one in decisions(desk) if not one.stale]
        assert (binding, bool(again)) == (binding, binding == "change")


def test_what_was_signed_on_an_earlier_head_is_stale(desk: Desk) -> None:
    earlier = desk.repo.head()
    desk.signs("quinn")
    desk.repo.commit("One more", more_dot_py="1\n")
    one = only(desk)
    assert one.person == "quinn"
    assert one.stale == f"it was given on commit {earlier[:12]}, which is not what would land"
    assert not one.other_base


def test_what_was_signed_for_another_branch_or_repository_is_stale(desk: Desk) -> None:
    desk.repo.git("branch", "support", "main")
    desk.signs("quinn", change=desk.change("support", target="support"))
    assert only(desk).stale == "it was given for support"
    assert only(desk, desk.change()._replace(repository=Known("github.com/acme/fork"))).stale == (
        "it was given for github.com/acme/shop"
    )


def test_another_binding_than_the_role_asks_for_is_stale(desk: Desk) -> None:
    desk.signs("quinn", kind="head")
    assert only(desk).stale == "it is bound to the head, and the role asks for the result"
    desk.signs("uma", "ops", kind="result")
    unknown = next(one for one in decisions(desk) if one.role == "ops")
    assert unknown.stale == "the policy has no role ops"


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        ({"key": "uma"}, "it is signed with a key of uma"),
        ({"key": "eve"}, "it is made with a key that nobody of the policy has"),
        ({"namespace": "git"}, "the signature does not verify"),
        ({"namespace": "rollback-guard.sign-off.review"}, "the signature does not verify"),
    ],
)
def test_signatures_that_do_not_count(made: dict[str, str], fault: str, desk: Desk) -> None:
    desk.signs("quinn", **made)
    one = only(desk)
    assert (one.person, one.fault) == (None, fault)


def test_dates_that_do_not_count(desk: Desk) -> None:
    begun = desk.repo.clock
    desk.signs("quinn", time=begun - 2 * DAY)
    assert only(desk).fault == "it is dated before the commit that it is about was made"
    assert "future" not in only(desk, as_of=begun).fault
    desk.signs("quinn", time=begun + 5 * DAY, comment="later")
    late = [one for one in decisions(desk) if one.comment]
    assert late[0].fault == "it is dated in the future"


def test_a_key_counts_for_its_time(tmp_path: Path, keys: dict[str, str]) -> None:
    """The shop is begun on 2026-05-28."""
    for options, fault in (
        ('valid-before="20260101"', "expired"),
        ('valid-after="20270101"', "from"),
        ('valid-before="20270101"', ""),
    ):
        desk = Desk(tmp_path / options[6:24].replace('"', ""), keys, options={"quinn": options})
        desk.signs("quinn")
        one = only(desk)
        assert (fault in one.fault, one.person == "quinn") == (True, fault == "")


def test_what_a_merge_in_the_making_does_is_not_known_before_it_is_written(desk: Desk) -> None:
    subject = subject_of(desk.change())
    assert not isinstance(subject, Unknown)
    with pytest.raises(UndeterminedError, match="not written yet"):
        subject._replace(result_tree="1" * 40).change_digest(desk.repository)


def test_envelopes_that_say_something_else_are_passed_over(desk: Desk) -> None:
    statement = desk.statement("quinn")
    good = desk.envelope(statement)
    other = desk.envelope(desk.statement("omar", "review"))
    swapped = render_envelope(read_envelope(good)._replace(sig=read_envelope(other).sig))
    desk.put(statement, swapped)
    assert [one.fault for one in decisions(desk)] == ["the envelope names another key than the one of its signature"]
    desk.put(statement, b"{}")
    payload = read_envelope(good).payload.replace(b"approve", b"apprope")
    desk.put(statement, render_envelope(Envelope(payload, read_envelope(good).keyid, read_envelope(good).sig)))
    assert len(decisions(desk)) == 1
    desk.put(statement, good)
    assert [one.fault for one in decisions(desk) if one.person] == [""]


def test_an_edited_statement_does_not_verify(desk: Desk) -> None:
    no = desk.envelope(desk.statement("quinn", decision="reject"))
    yes = desk.statement("quinn")
    from rollback_guard.evidence.statement import render_statement

    desk.put(yes, render_envelope(read_envelope(no)._replace(payload=render_statement(yes))))
    assert only(desk).fault == "the signature does not verify"


def test_an_envelope_in_the_wrong_place_is_only_what_it_says(desk: Desk) -> None:
    """Recorded under this change, but about another tree."""
    here = desk.statement("quinn")
    desk.repo.commit("One more", more_dot_py="1\n")
    there = desk.statement("quinn")
    desk.put(there, desk.envelope(here), ref_of=there)
    assert only(desk).stale


def test_waivers(desk: Desk) -> None:
    statement = desk.waiver("omar", "RG201", incident="INC-7")
    name = desk.put(statement, desk.envelope(statement))
    (one,) = known(collected(desk).waivers)
    assert one == SignedWaiver(
        rule="RG201",
        person="omar",
        claimed="omar",
        time=statement.time,
        expires=statement.expires,
        reason="the shop is down",
        incident="INC-7",
        digest=name,
    )
    bad = desk.waiver("uma", "RG201")
    desk.put(bad, desk.envelope(bad, key="eve"))
    assert sorted(each.person or "" for each in known(collected(desk).waivers)) == ["", "omar"]
    desk.repo.commit("One more", more_dot_py="1\n")
    stale = known(collected(desk).waivers)
    assert all(each.stale for each in stale)
    nothing = desk.policy()._replace(waiver=None)
    book = EvidenceBook(desk.repository)
    assert known(book.about(nothing, desk.change(), as_of=desk.repo.clock).waivers) == ()


def test_a_merge_that_stands_is_what_was_signed(desk: Desk) -> None:
    desk.signs("quinn")
    head = desk.repo.head()
    base = desk.repo.head("main")
    desk.repo.checkout("main")
    merge = desk.repo.merge("release/1.4")
    change = desk.change(base, merge)
    landing = Landing(commit=merge, subject="m", heads=(head,), branches=Known(()))
    found = decisions(desk, change._replace(landings=Known((landing,))))
    assert [one.stale for one in found] == [""]


def test_no_signature_is_verified_twice_in_a_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for person, role in (("quinn", "qa"), ("omar", "review")):
        desk.signs(person, role)
    asked: list[int] = []
    ask = Verifier._ask

    def counted(self: Verifier, checks: Any) -> Any:
        asked.append(len(checks))
        return ask(self, checks)

    monkeypatch.setattr(Verifier, "_ask", counted)
    book = EvidenceBook(desk.repository)
    for _ in range(3):
        book.about(desk.policy(), desk.change(), as_of=desk.repo.clock + 1800)
    assert asked == [2]


def test_verdicts_are_no_evidence_of_a_decision(desk: Desk) -> None:
    from rollback_guard.evidence.statement import VerdictStatement

    one = desk.statement("quinn")
    verdict = VerdictStatement(
        decision="allow",
        binding=one.binding,
        base=one.base,
        head=one.head,
        result_tree=one.result_tree,
        policy_digest=one.policy_digest,
        signer="quinn",
        time=one.time,
        policy_uri="rollback-guard.toml",
    )
    record(desk.repository, [Entry("sign-off", binding_key(one.binding), one.head, desk.envelope(verdict))])
    assert decisions(desk) == ()


def test_a_key_that_expired_before_production_was_where_it_is_signs_nothing_new(
    tmp_path: Path, keys: dict[str, str]
) -> None:
    """However the head is dated or named: the base is production's, and nobody dates it back."""
    desk = Desk(tmp_path / "repo", keys, options={"quinn": 'valid-before="20260501"'})
    old = 1_770_000_000
    desk.signs("quinn", time=old, head="0" * 40)
    assert only(desk).fault == "it is dated before what it was given on was there"
    statement = desk.statement("quinn", kind="head", base="1" * 40)
    desk.put(statement, desk.envelope(statement))
    assert {one.fault for one in decisions(desk)} == {
        "it is dated before what it was given on was there",
        "the key expired on 2026-05-01T00:00:00Z",
    }
    uma = desk.statement("uma", "uat", kind="head", base="1" * 40)
    desk.put(uma, desk.envelope(uma))
    assert "it was given on a base that main never had" in {one.fault for one in decisions(desk)}


def test_what_was_signed_after_it_landed_is_told_by_its_date(desk: Desk) -> None:
    """Which of it counts is the gate's business; what is dated after today is nobody's."""
    desk.signs("quinn")
    desk.signs("quinn", decision="reject", time=desk.repo.clock + 5 * DAY)
    desk.signs("quinn", decision="withdraw", time=desk.repo.clock + 35 * DAY)
    landing = Landing(commit="1" * 40, subject="m", heads=(desk.repo.head(),), branches=Known(()))
    landed = desk.change()._replace(stage="landed", landings=Known((landing,)))
    found = decisions(desk, landed, as_of=desk.repo.clock + 30 * DAY)
    assert {one.decision: one.fault for one in found} == {
        "approve": "",
        "reject": "",
        "withdraw": "it is dated in the future",
    }


def test_a_flood_about_something_else_costs_a_few_signatures(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        desk.signs("quinn", comment=str(number))
    desk.repo.commit("One more", more_dot_py="1\n")
    desk.signs("quinn")
    monkeypatch.setattr(collect_module, "EXPLAINED", 2)
    assert sorted(one.stale == "" for one in decisions(desk)) == [False, False, True]
