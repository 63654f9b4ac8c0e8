"""RG107: an author or committer is none of the people, or is not proven to be the one whom a commit names."""

from __future__ import annotations

from rollback_guard.facts.model import Fact, Identity, Known, Unknown, Unproven
from rollback_guard.gate.people import fold_email, is_known, written
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
    unproven: Fact[tuple[Unproven, ...]] = case.change.unproven if policy.production.signed_commits else Known(())
    if isinstance(unproven, Unknown):
        return undetermined(ID, NAME, unproven, "signatures of commits")
    strangers: dict[str, tuple[Identity, str, list[str]]] = {}
    for maker in survey.value.makers:
        if maker.part in ("co-author", "pusher", "lander") or is_known(policy, maker):
            continue
        key = fold_email(maker.identity.email)
        _, _, parts = strangers.setdefault(key, (maker.identity, maker.commit, []))
        if maker.part not in parts:
            parts.append(maker.part)
    findings = [_finding(*stranger) for stranger in strangers.values()]
    findings += [_unproven(one) for one in unproven.value if fold_email(one.email) not in strangers]
    return judge(ID, NAME, tuple(findings))


def _unproven(one: Unproven) -> Finding:
    return Finding(
        subject=f"commit {digits(one.commit)}",
        message=f"{written(Identity(one.name, one.email))} is not proven to have committed it: {one.fault}",
        remedy="git config commit.gpgSign true   # with a listed key; then: git rebase --force-rebase BASE",
    )


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
    title="an author or committer is none of the people, or a commit lacks the signature that the policy asks for",
    why="""Who made a change decides who may sign it. An address that nobody knows could belong to anybody, also to
the person who signs, so no one can say that two different people looked. Bots and a forge's own committer are
people here like everybody else: the policy names them or they do not count. Git does not prove addresses: as it is,
this rule finds mistakes and strangers, not forgeries. With `signed-commits = true` under `[production]` every commit
must bear a signature, SSH or OpenPGP, by a listed key of the person who committed it; then nobody can commit in the
name of somebody else and sign off as themselves.""",
    example="""A laptop without `user.email` commits as `jane@laptop.local`. The policy knows `jane@acme.example`.""",
    needs=(
        "authors and committers of every commit of the change",
        "production's .mailmap",
        "with signed-commits, the signature of every commit",
    ),
    offline=True,
    remedy="""Add the address to that person's `emails` in the policy or to production's `.mailmap`, or set
`git config user.email` and make the commits again
(`git rebase --exec 'git commit --amend --reset-author --no-edit' BASE`). For signatures: `git config gpg.format ssh`,
`git config user.signingKey ~/.ssh/id_ed25519.pub`, `git config commit.gpgSign true`, then
`git rebase --force-rebase BASE`.""",
    evaluate=evaluate,
)
