"""Verdicts to render: one that a person might meet, and strategies for what strangers may write."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from rollback_guard.gate.verdict import (
    Answer,
    ChangeVerdict,
    Decision,
    Finding,
    Outcome,
    PolicyUsed,
    Verdict,
    decide,
    decide_all,
)

BASE, HEAD, TREE, COMMIT = "1" * 40, "2" * 40, "3" * 40, "ab" * 20
POLICY = PolicyUsed(commit=COMMIT, path="rollback-guard.toml", digest="sha256:" + "0" * 64)
AS_OF = 1795377600  # 2026-11-22T20:00:00Z


def finding(subject: str = "uat", message: str = "has 0 of 1 sign-offs", remedy: str = "guard sign uat") -> Finding:
    return Finding(subject=subject, message=message, remedy=remedy)


def outcome(rule: str, name: str, answer: Answer, *findings: Finding, notes: tuple[str, ...] = ()) -> Outcome:
    return Outcome(rule=rule, name=name, answer=answer, findings=findings, notes=notes)


DIRECT = outcome(
    "RG101",
    "direct-commit",
    "violated",
    finding(
        "commit 0123456789ab",
        '"Fix the price" was made on main itself: no other branch contains it',
        "git switch -c release/1.5 && git push origin release/1.5",
    ),
)
MISSING = outcome("RG201", "sign-off-missing", "violated", finding(), finding("qa"), finding("review", remedy=""))
UNSURE = outcome(
    "RG105", "evil-merge", "undetermined", finding("merges", "git is too old to make merges again", "git --version")
)
WAIVED = outcome(
    "RG107", "unknown-identity", "waived", finding("bot@acme", "is none of the people", ""), notes=("until tomorrow",)
)
HOLDS = outcome("RG102", "unapproved-route", "satisfied", notes=("over release/*",))
PLAIN = outcome("RG103", "unauthorised-repository", "satisfied")
IDLE = outcome("RG104", "rewritten-production", "not-applicable")
ALL = (HOLDS, PLAIN, WAIVED, UNSURE, MISSING, DIRECT, IDLE)


def change(
    *outcomes: Outcome,
    target: str = "refs/heads/main",
    source: str | None = "refs/heads/release/1.4",
    head: str | None = HEAD,
    repository: str | None = "github.com/acme/shop",
    missing: tuple[str, ...] = (),
    policy: PolicyUsed = POLICY,
    decision: Decision | None = None,
) -> ChangeVerdict:
    return ChangeVerdict(
        decision=decision or decide(outcomes, production=True),
        repository=repository,
        target=target,
        source=source,
        base=BASE,
        head=head,
        result_tree=TREE,
        commits=12,
        missing=missing,
        policy=policy,
        outcomes=outcomes,
    )


def verdict(*changes: ChangeVerdict) -> Verdict:
    return Verdict(decision=decide_all(tuple(one.decision for one in changes)), as_of=AS_OF, changes=changes)


# A whole verdict of hostile text is large; a busy machine takes its time to make one.
HOSTILE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FRAGMENTS = (
    *("\n::error::x", "::stop-commands::x", "\r", "\u2028", "\x85", "\x0b", "##[add-mask]x", "##vso[task.x]", "###"),
    *("`", "```", "~~~", "|", "\\|", "\\", "@someone", "<script>", "<!--", "![x](http://evil.example)", "](", "["),
    *("\x1b[31m", "\x9b2J", "\u202e", "\u200b", "\udcff", "\ud800", "\U000e0041", "# h", "- [ ] x", "> q", "\t"),
    *("https://evil.example", "www.evil.example", "a@evil.example", "&#64;x", "&lt;b&gt;", "#12", "GH-12", ":smile:"),
    *(
        "deadbeef",
        "1234567890",
        "%0A",
        "%",
        ":",
        ",",
        " ",
        "  ",
        "é",
        "語",
        "→",
        "…",
        "explains: ../x:3",
        "x:99999999999",
    ),
)
hostile_text = st.lists(
    st.sampled_from(FRAGMENTS) | st.characters(exclude_categories=()) | st.sampled_from(("rule", "holds", "main")),
    max_size=5,
).map("".join)
maybe_text = st.none() | hostile_text
hostile_findings = st.builds(Finding, subject=hostile_text, message=hostile_text, remedy=hostile_text)
hostile_outcomes = st.builds(
    Outcome,
    rule=st.sampled_from(("RG001", "RG105", "RG201", "RG999")) | hostile_text,
    name=hostile_text,
    answer=st.sampled_from(("satisfied", "violated", "not-applicable", "undetermined", "waived")),
    findings=st.lists(hostile_findings, max_size=2).map(tuple),
    notes=st.lists(hostile_text, max_size=2).map(tuple),
)
hostile_policies = st.builds(PolicyUsed, commit=maybe_text, path=maybe_text, digest=maybe_text, what_if=st.booleans())
hostile_changes = st.builds(
    change,
    target=hostile_text,
    source=maybe_text,
    head=maybe_text,
    repository=maybe_text,
    missing=st.lists(hostile_text, max_size=2).map(tuple),
    policy=hostile_policies,
).flatmap(
    lambda made: st.lists(hostile_outcomes, max_size=3).map(
        lambda outcomes: made._replace(outcomes=tuple(outcomes), decision=decide(tuple(outcomes), production=True))
    )
)
hostile_verdicts = st.lists(hostile_changes, max_size=3).map(lambda changes: verdict(*changes))

_STEERING = frozenset(("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))


def steers(text: str) -> list[str]:
    """The characters of a text that would steer a terminal; a newline is ours."""
    return [
        character
        for character in text
        if character != "\n"
        and (
            unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
            or unicodedata.bidirectional(character) in _STEERING
        )
    ]


def obeyed(text: str) -> list[str]:
    """The lines of a text that a GitHub or Azure runner would take for a command."""
    lines = text.splitlines()
    return [line for line in lines if line.lstrip().startswith("::") or re.search(r"##[A-Za-z]*\[", line)]
