"""The words that all formats share."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.report import wording
from tests.report.values import ALL, DIRECT, HEAD, HOLDS, IDLE, MISSING, POLICY, UNSURE, WAIVED, change, finding


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1795377600, "2026-11-22T20:00:00Z"),
        (-5, "1970-01-01T00:00:00Z"),
        (2**63, "9999-12-31T23:59:59Z"),
    ],
)
def test_a_moment_is_rfc_3339(seconds: int, written: str) -> None:
    assert wording.moment(seconds) == written


@given(st.integers(min_value=0, max_value=253402300799))
def test_a_moment_is_what_the_calendar_says(seconds: int) -> None:
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    expected = epoch + datetime.timedelta(seconds=seconds)
    assert datetime.datetime.fromisoformat(wording.moment(seconds).replace("Z", "+00:00")) == expected


def test_a_route_names_what_is_known() -> None:
    assert wording.route(change()) == "release/1.4 → main"
    assert wording.route(change(source=None)) == f"{HEAD[:12]} → main"
    assert wording.route(change(source=None, head=None)) == "main"
    assert wording.route(change(source="refs/pull/1/head")) == "refs/pull/1/head → main"
    assert wording.branch("refs/heads/") == "refs/heads/"


def test_the_headline_counts_what_decided() -> None:
    assert wording.headline(change(DIRECT, MISSING, UNSURE)) == "DENIED  release/1.4 → main  (2 rules)"
    assert wording.headline(change(DIRECT)) == "DENIED  release/1.4 → main  (1 rule)"
    assert wording.headline(change(IDLE)) == "DENIED  release/1.4 → main  (no rule applied)"
    assert wording.headline(change(UNSURE)) == "UNDETERMINED  release/1.4 → main  (1 rule could not be judged)"
    assert wording.headline(change(HOLDS)) == "ALLOWED  release/1.4 → main"
    assert wording.headline(change(WAIVED)) == "ALLOWED  release/1.4 → main  (1 rule waived)"


def test_the_decisive_comes_first() -> None:
    assert wording.weighty(change(*ALL)) == (MISSING, DIRECT, UNSURE, WAIVED)


def test_rules_that_hold_are_summed_up() -> None:
    assert wording.holding(change(*ALL)) == "2 rules hold, 1 does not apply"
    assert wording.holding(change(HOLDS)) == "1 rule holds"
    assert wording.holding(change(IDLE, IDLE)) == "2 do not apply"
    assert wording.holding(change(DIRECT)) == ""


def test_coverage_and_policy() -> None:
    assert wording.coverage(change()) == ""
    assert wording.coverage(change(missing=("deletions", "tags"))) == "coverage: partial, not seen: deletions, tags"
    assert wording.judge_of(POLICY) == "judged by rollback-guard.toml at abababababab"
    assert wording.judge_of(POLICY._replace(commit=None)) == "judged by rollback-guard.toml"
    assert wording.judge_of(POLICY._replace(path=None)) == "no policy was in force"
    assert wording.what_if(POLICY) == ""
    assert wording.what_if(POLICY._replace(what_if=True, path="new.toml")).startswith("WHAT IF: the answer of new.toml")
    assert "another policy" in wording.what_if(POLICY._replace(what_if=True, path=None))


@pytest.mark.parametrize(
    ("subject", "message", "said"),
    [
        ("review", "review has 0 of 1 sign-off", "review has 0 of 1 sign-off"),
        ("main", "a commit is being made on main itself", "a commit is being made on main itself"),
        ("uat", "Uma signs as uat, too", "Uma signs as uat, too"),
        ("commit 0123", "commit 0123 comes from x", "commit 0123 comes from x"),
        ("commit 0123", "commit 4567, not 0123", "commit 0123: commit 4567, not 0123"),
        ("main", "main/x and domain", "main: main/x and domain"),
        ("qa", "has 0 of 1", "qa: has 0 of 1"),
        ("", "alone", "alone"),
        ("alone", "", "alone"),
        ("a\x1b", "b\n", r"a\x1b: b\x0a"),
    ],
)
def test_a_finding_says_its_subject_once(subject: str, message: str, said: str) -> None:
    assert wording.said(finding(subject, message)) == said


def test_totals_and_tallies() -> None:
    assert wording.total(("allow", "deny", "allow")) == "3 changes: 1 denied, 2 allowed"
    assert wording.total(("deny",)) == ""
    assert wording.tallied(["a", "b", "a"]) == "a (2), b"


def test_amounts_and_spans() -> None:
    assert [wording.size_in_words(one) for one in (0, 1023, 2048, 3 * 1024**5)] == [
        "0 bytes", "1,023 bytes", "2.0 KiB", "3072.0 TiB",
    ]  # fmt: skip
    spans = [wording.span_in_words(one) for one in (-3, 42, 75, 7265, 200_000)]
    assert spans == ["0 s", "42 s", "1 min 15 s", "2 h 1 min", "2 d 7 h"]
    assert [wording.seconds_in_words(one) for one in (0.004, 3.21, 75)] == ["0.01 s", "3.2 s", "1 min 15 s"]
