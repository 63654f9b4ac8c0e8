"""RG107: an author or committer is none of the people."""

from __future__ import annotations

from rollback_guard.facts.model import Identity, Unknown
from rollback_guard.gate.people import fold_email, person_of, written
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import digits

ID = "RG107"
NAME = "unknown-identity"


def evaluate(case: Case) -> Outcome:
    """One finding for each author or committer whom the policy does not know, with one commit that shows them."""
    policy, survey = case.policy, case.change.survey
    if policy is None or not policy.people:
        return not_applicable(ID, NAME, "the policy lists no people")
    if isinstance(survey, Unknown):
        return undetermined(ID, NAME, survey, "authors")
    strangers: dict[str, tuple[Identity, str, list[str]]] = {}
    for maker in survey.value.makers:
        if maker.part == "co-author" or person_of(policy, maker.identity.email) is not None:
            continue
        key = fold_email(maker.identity.email)
        _, _, parts = strangers.setdefault(key, (maker.identity, maker.commit, []))
        if maker.part not in parts:
            parts.append(maker.part)
    return judge(ID, NAME, tuple(_finding(*stranger) for stranger in strangers.values()))


def _finding(identity: Identity, commit: str, parts: list[str]) -> Finding:
    return Finding(
        subject=written(identity),
        message=f"{written(identity)} is none of the people, but {' and '.join(parts)} of commit {digits(commit)}",
        remedy="if it is a second address of somebody known: add it to their emails in rollback-guard.toml; "
        "else: git commit --amend --reset-author --no-edit",
    )


RULE = Rule(
    id=ID,
    name=NAME,
    title="an author or committer is none of the people",
    why="""Who made a change decides who may sign it. An address that nobody knows could belong to anybody, also to
the person who signs, so no one can say that two different people looked. Bots and a forge's own committer are
people here like everybody else: the policy names them or they do not count. Git does not prove addresses; this
rule finds mistakes and strangers, not forgeries.""",
    example="""A laptop without `user.email` commits as `jane@laptop.local`. The policy knows `jane@acme.example`.""",
    needs=("authors and committers of every commit of the change",),
    offline=True,
    remedy="""Add the address to that person's `emails` in the policy, or set `git config user.email` and make the
commits again (`git rebase --exec 'git commit --amend --reset-author --no-edit' BASE`).""",
    evaluate=evaluate,
)
