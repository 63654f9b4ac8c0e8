"""RG201 to RG207: who signed, who may, on what, when, and what only looks like a sign-off."""

from __future__ import annotations

from typing import Any

import pytest

from rollback_guard.facts.model import EarlierTrailer, Identity, Known, Maker, Message, Trailer
from rollback_guard.gate.rules.rg206_malformed_trailer import OTHERS
from rollback_guard.gate.signoffs import in_words, parse_signer
from rollback_guard.gate.spelling import is_near, slips
from rollback_guard.policy.model import SignOff
from tests.support.facts import (
    DAY,
    HEAD,
    JANE,
    JANE_AT_HOME,
    MERGE,
    NOW,
    OMAR,
    PEOPLE,
    QA,
    QUINN,
    REVIEW,
    REVIEWED,
    SHALLOW,
    STRANGER,
    TESS,
    TESTED,
    a_change,
    a_message,
    a_policy,
    a_survey,
    a_trailer,
    answers_of,
    judge,
    outcome_of,
)

FIVE = ("RG201", "RG202", "RG203", "RG204", "RG206")


def answers(*messages: Message, policy: Any = None, **changed: Any) -> dict[str, str]:
    """The answers of the five rules that look at trailers."""
    verdict = judge(policy or a_policy(), a_change(messages=Known(messages), **changed))
    return {rule: answer for rule, answer in answers_of(verdict).items() if rule in FIVE}


def broken(*messages: Message, **more: Any) -> set[str]:
    found = answers(*messages, **more)
    assert set(found.values()) <= {"satisfied", "violated"}
    return {rule for rule, answer in found.items() if answer == "violated"}


QA_TWICE = a_policy(sign_off=(QA._replace(count=2),))
OLD: dict[str, Any] = {"time": NOW - 15 * DAY}
CASES: list[tuple[str, tuple[Message, ...], set[str]]] = [
    ("signed on the head", (a_message(REVIEWED, TESTED),), set()),
    (
        "signed on what lands",
        (a_message(), a_message(REVIEWED, TESTED, bearer="landing", commit=None, time=None)),
        set(),
    ),
    ("signed on both", (a_message(REVIEWED), a_message(TESTED, bearer="landing")), set()),
    ("case of key and address", (a_message(REVIEWED, Trailer("qa-BY", "Q <QUINN@acme.example>")),), set()),
    ("nothing", (), {"RG201"}),
    ("one of two roles", (a_message(REVIEWED),), {"RG201"}),
    ("by its author", (a_message(a_trailer("Reviewed-by", JANE), TESTED),), {"RG201", "RG202"}),
    ("by its author's other address", (a_message(a_trailer("Reviewed-by", JANE_AT_HOME), TESTED),), {"RG201", "RG202"}),
    ("also by its author", (a_message(REVIEWED, a_trailer("Reviewed-by", JANE), TESTED),), {"RG202"}),
    ("by nobody known", (a_message(REVIEWED, a_trailer("QA-by", STRANGER)),), {"RG201", "RG203"}),
    ("by another role's person", (a_message(REVIEWED, a_trailer("QA-by", OMAR)),), {"RG201", "RG203"}),
    ("too old", (a_message(REVIEWED, TESTED, **OLD),), {"RG201", "RG204"}),
    ("just young enough", (a_message(REVIEWED, TESTED, time=NOW - 14 * DAY),), set()),
    ("from tomorrow", (a_message(REVIEWED, TESTED, time=NOW + DAY),), set()),
    ("from the future", (a_message(REVIEWED, TESTED, time=NOW + DAY + 1),), {"RG201", "RG204"}),
    ("no e-mail", (a_message(REVIEWED, Trailer("QA-by", "Quinn Lee")),), {"RG201", "RG206"}),
]


@pytest.mark.parametrize(("messages", "violated"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_who_signed_what(messages: tuple[Message, ...], violated: set[str]) -> None:
    assert broken(*messages) == violated


def test_each_person_counts_once_for_a_role() -> None:
    quinn_twice = a_message(TESTED, a_trailer("QA-by", QUINN._replace(email="Quinn@Acme.example")))
    assert broken(quinn_twice, policy=QA_TWICE) == {"RG201"}
    assert broken(a_message(TESTED), a_message(a_trailer("QA-by", TESS), bearer="landing"), policy=QA_TWICE) == set()


def test_one_person_may_sign_for_several_roles() -> None:
    policy = a_policy(sign_off=(REVIEW._replace(by=("omar",)), QA._replace(by=("omar",))))
    assert broken(a_message(REVIEWED, a_trailer("QA-by", OMAR)), policy=policy) == set()


def test_a_co_author_made_a_part_of_the_change_too() -> None:
    makers = (Maker(JANE, "author", HEAD), Maker(QUINN, "co-author", HEAD))
    assert broken(a_message(REVIEWED, TESTED), survey=Known(a_survey(*makers))) == {"RG201", "RG202"}


def test_two_strangers_are_one_only_by_the_same_address() -> None:
    other = Identity(name=STRANGER.name, email="mallory@home.example")
    survey = Known(a_survey(Maker(STRANGER, "author", HEAD)))
    assert "RG202" in broken(a_message(a_trailer("QA-by", STRANGER)), survey=survey)
    assert "RG202" not in broken(a_message(a_trailer("QA-by", other)), survey=survey)


# RG201


def rg201(policy: Any = None, **changed: Any) -> Any:
    return outcome_of(judge(policy or a_policy(), a_change(**changed)), "RG201")


def test_what_is_missing_says_how_much_and_who_may() -> None:
    finding = rg201(QA_TWICE, messages=Known((a_message(TESTED),))).findings[0]
    assert finding.subject == "qa"
    assert finding.message == "qa has 1 of 2 sign-offs; may sign: Tess Ng <tess@acme.example>"
    assert finding.remedy == (
        "git commit --amend --no-edit --trailer 'QA-by: Tess Ng <tess@acme.example>'"
        "   # on the branch that brings the change, when they agree"
    )


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("message", "add to the merge's message, when they agree: QA-by: Quinn Lee <quinn@acme.example>"),
        ("landed", "it has landed without; have it looked at now, and land the next one with: QA-by: Quinn Lee <"),
        ("push", "git commit --amend --no-edit --trailer 'QA-by: Quinn Lee <quinn@acme.example>'   # on the branch"),
        ("receive", "# on the branch that brings the change, when they agree"),
    ],
)
def test_the_remedy_fits_the_stage(stage: str, said: str) -> None:
    assert said in rg201(stage=stage, messages=Known((a_message(REVIEWED),))).findings[0].remedy


def test_when_nobody_is_left_who_may_sign_that_is_said() -> None:
    policy = a_policy(sign_off=(REVIEW._replace(by=("jane",)), QA._replace(count=3)))
    findings = rg201(policy, messages=Known(())).findings
    assert findings[0].message.endswith("there is left: nobody")
    assert findings[1].message.endswith("there is left: Quinn Lee <quinn@acme.example>, Tess Ng <tess@acme.example>")


def test_somebody_without_an_address_is_still_named() -> None:
    people = (*PEOPLE, PEOPLE[0]._replace(id="kim", name="Kim Oh", emails=()))
    policy = a_policy(people=people, sign_off=(REVIEW._replace(by=("kim", "ghost")),))
    assert "may sign: ghost, Kim Oh" in rg201(policy, messages=Known(())).findings[0].message


@pytest.mark.parametrize("fact", ["messages", "survey"])
def test_without_messages_or_makers_the_sign_offs_are_undetermined(fact: str) -> None:
    assert rg201(**{fact: SHALLOW}).answer == "undetermined"


FORGE_QA = a_policy(sign_off=(REVIEW, QA._replace(proof="forge")))


def test_a_proof_that_cannot_be_read_blocks() -> None:
    verdict = judge(FORGE_QA, a_change())
    assert verdict.decision == "undetermined"
    for rule in ("RG201", "RG205", "RG207"):
        outcome = outcome_of(verdict, rule)
        assert (rule, outcome.answer) == (rule, "undetermined")
        assert [finding.subject for finding in outcome.findings] == ["qa"]


def test_a_missing_trailer_is_said_although_another_role_cannot_be_read() -> None:
    outcome = rg201(FORGE_QA, messages=Known(()))
    assert [finding.subject for finding in outcome.findings] == ["review"]
    assert "reviews of a forge" in outcome.notes[0]


def test_without_roles_the_rules_have_nothing_to_say() -> None:
    verdict = judge(a_policy(sign_off=()), a_change(messages=SHALLOW, survey=SHALLOW))
    found = answers_of(verdict)
    assert {found[f"RG20{number}"] for number in range(1, 8)} == {"not-applicable"}


# RG202, RG203


def test_a_sign_off_by_a_maker_is_named() -> None:
    change = a_change(messages=Known((a_message(a_trailer("Reviewed-by", JANE_AT_HOME)),)))
    finding = outcome_of(judge(a_policy(), change), "RG202").findings[0]
    assert finding.message == (
        f"Jane <jane@home.example> signs as review on commit {HEAD[:12]}, but made or pushed a part of the change"
    )


def test_a_sign_off_in_a_message_in_the_making_is_called_so() -> None:
    message = a_message(a_trailer("Reviewed-by", JANE), bearer="landing", commit=None, time=None)
    change = a_change(stage="message", messages=Known((message,)))
    assert "on the merge in the making" in outcome_of(judge(a_policy(), change), "RG202").findings[0].message


def test_a_sign_off_by_somebody_else_says_why_and_who_may() -> None:
    message = a_message(a_trailer("QA-by", STRANGER), a_trailer("QA-by", OMAR))
    findings = outcome_of(judge(a_policy(), a_change(messages=Known((message,)))), "RG203").findings
    assert "that address belongs to none of the people" in findings[0].message
    assert "the role qa does not name Omar Haddad" in findings[1].message
    assert "Quinn Lee <quinn@acme.example>, Tess Ng <tess@acme.example>" in findings[1].remedy


@pytest.mark.parametrize(
    ("changed", "undetermined"),
    [
        ({"messages": SHALLOW}, set(FIVE)),
        ({"survey": SHALLOW}, {"RG201", "RG202", "RG204"}),
    ],
)
def test_a_rule_without_its_facts_is_undetermined(changed: dict[str, Any], undetermined: set[str]) -> None:
    found = answers_of(judge(a_policy(), a_change(**changed)))
    assert {rule for rule in FIVE if found[rule] == "undetermined"} == undetermined


# RG204


def rg204(*messages: Message, earlier: tuple[EarlierTrailer, ...] = (), **changed: Any) -> Any:
    change = a_change(messages=Known(messages), survey=Known(a_survey(earlier=earlier)), **changed)
    return outcome_of(judge(a_policy(), change), "RG204")


def test_a_sign_off_on_an_earlier_commit_is_stale_where_the_role_lacks_it() -> None:
    earlier = (
        EarlierTrailer(TESTED, MERGE),
        EarlierTrailer(Trailer("Fixes", "12"), MERGE),
        EarlierTrailer(Trailer("QA-by", "Quinn"), MERGE),
    )
    outcome = rg204(a_message(REVIEWED), earlier=earlier)
    assert [finding.message for finding in outcome.findings] == [
        f"QA-by by Quinn Lee <quinn@acme.example> on commit {MERGE[:12]}: not on the head or on what lands"
    ]
    assert "on the merge's message" in rg204(a_message(), earlier=earlier, stage="message").findings[0].remedy
    complete = rg204(a_message(REVIEWED, TESTED), earlier=earlier)
    assert complete.answer == "satisfied"
    assert complete.notes[0].endswith("not needed, the role is complete")


def test_an_old_sign_off_says_how_old() -> None:
    finding = rg204(a_message(REVIEWED, TESTED, time=NOW - 20 * DAY)).findings[0]
    assert finding.message.endswith("it is 20d old, and may be 14d")
    future = rg204(a_message(REVIEWED, TESTED, time=NOW + 3 * DAY)).findings
    assert [finding.subject for finding in future] == ["review", "qa"]
    assert "lies in the future" in future[0].message


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(14 * DAY, "14d"), (DAY, "1d"), (90000, "25h"), (5400, "90m"), (119, "119s"), (60, "1m"), (0, "0s")],
)
def test_durations_in_words(seconds: int, words: str) -> None:
    assert in_words(seconds) == words


# RG206


def rg206(text: str, *trailers: Trailer, policy: Any = None, **changed: Any) -> list[str]:
    message = a_message(text=text, trailers=trailers)._replace(trailers=trailers)
    outcome = outcome_of(judge(policy or a_policy(), a_change(messages=Known((message,)), **changed)), "RG206")
    assert outcome.answer == ("violated" if outcome.findings else "satisfied")
    return [finding.message for finding in outcome.findings]


PARSED = "Subject\n\nReviewed-by: Omar Haddad <omar@acme.example>\n"
NEAR = "Omar Haddad <omar@acme.example>"


@pytest.mark.parametrize(
    "key",
    ["Reveiwed-by", "Reviewd-by", "Review-by", "Reviewed-By-", "Q-by", "AQ-by", "QAA-by"],
)
def test_a_misspelt_trailer_is_a_near_miss(key: str) -> None:
    messages = rg206("Subject\n", Trailer(key, NEAR))
    assert len(messages) == 1
    assert f"{key} is no trailer of this policy" in messages[0]


@pytest.mark.parametrize("key", [*sorted(OTHERS), "Released-by", "QA-byline", "UAT-by", "reviewed-BY", "Deployed-by"])
def test_a_trailer_with_a_meaning_of_its_own_is_not(key: str) -> None:
    assert rg206("Subject\n", Trailer(key, NEAR)) == []


def test_another_roles_key_is_no_near_miss() -> None:
    policy = a_policy(sign_off=(QA, QA._replace(role="qc", trailer="QB-by")))
    assert rg206("Subject\n", Trailer("QB-by", NEAR), policy=policy) == []


@pytest.mark.parametrize(
    "line",
    [
        "Reviewed by: Omar Haddad <omar@acme.example>",
        "reviewed_by: Omar",
        "ReviewedBy: Omar",
        "Reviewed-by: Omar Haddad <omar@acme.example>",
        "Reviewed-by = Omar",
        "Reviewed-by #12",
        "QA by: somebody",
        "Reveiwed by: Omar Haddad <omar@acme.example>",
    ],
)
def test_a_line_that_git_does_not_take_for_a_trailer_is_a_near_miss(line: str) -> None:
    messages = rg206(f"Subject\n\n{line}\n\nMore text.\n")
    assert len(messages) == 1
    assert "counts for nothing" in messages[0]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "> Reviewed-by: Omar Haddad <omar@acme.example>",
        "    Reviewed by: Omar",
        "| Reviewed by: Omar",
        "We reviewed by hand",
        "Reveiwed by: hand, and it took long",
        ": Omar <omar@acme.example>",
        "  : Omar",
        "Reviewed the code: it is fine",
        "Tested-by: Omar Haddad <omar@acme.example>",
        "# reviewed-by: x",
    ],
)
def test_text_about_a_trailer_is_not(line: str) -> None:
    assert rg206(f"Subject\n\n{line}\n\nMore text.\n") == []


def test_a_parsed_trailer_is_not_reported_also_when_it_is_folded_or_repeated() -> None:
    assert rg206(PARSED, REVIEWED) == []
    folded = "Subject\n\nReviewed-by: Omar Haddad\n <omar@acme.example>\n"
    assert rg206(folded, REVIEWED) == []


@pytest.mark.parametrize(
    "value",
    [
        "Omar",
        "",
        "<omar@acme.example>",
        "Omar <omar>",
        "Omar <a@b> and Jane",
        "Omar <a@ b>",
        "Omar < a@b>",
        "O <a<b@c>",
    ],
)
def test_a_trailer_that_names_nobody_is_malformed(value: str) -> None:
    assert parse_signer(value) is None
    assert "names nobody" in rg206("Subject\n", Trailer("QA-by", value))[0]


def test_a_signer_is_read_with_its_blanks() -> None:
    assert parse_signer("  Quinn   Lee <q@x.y> ") == Identity("Quinn   Lee", "q@x.y")


def test_beside_production_a_near_miss_is_caught_while_it_can_be_corrected() -> None:
    change = {"stage": "message", "target": "refs/heads/release/1.4", "production": False, "head": None}
    messages = rg206("Subject\n\nReviewed by: Omar\n", **change)
    assert len(messages) == 1


def test_a_message_without_a_commit_is_called_in_the_making() -> None:
    message = a_message(Trailer("QA-by", "Quinn"), commit=None)
    for head, words in ((None, "the commit in the making"), (HEAD, "the merge in the making")):
        change = a_change(
            stage="message", production=False, target="refs/heads/x", head=head, messages=Known((message,))
        )
        assert outcome_of(judge(a_policy(), change), "RG206").findings[0].message.startswith(words)


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "abd", 1), ("ca", "abc", 3)],
)
def test_slips(one: str, other: str, count: int) -> None:
    assert slips(one, other) == slips(other, one) == count


def test_a_key_is_not_near_itself() -> None:
    assert not is_near("qa-by", "qa-by")


def test_a_role_of_a_later_version_is_still_a_role() -> None:
    role = SignOff(role="uat", trailer="UAT-by", by=("tess",))
    found = answers_of(judge(a_policy(sign_off=(role,)), a_change()))
    assert (found["RG201"], found["RG205"]) == ("violated", "satisfied")
