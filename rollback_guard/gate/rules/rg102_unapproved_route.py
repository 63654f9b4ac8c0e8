"""RG102: what lands does not come from a branch of an approved route."""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, Landing, Unknown
from rollback_guard.gate.routes import approved_sources, arrival, claimed_name, first_approved
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, satisfied, undetermined, violated
from rollback_guard.gate.signed_route import signed_route
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import digits, listed, short_name
from rollback_guard.policy.model import Policy

ID = "RG102"
NAME = "unapproved-route"

_REMEDY = "bring the change on a branch of an approved route, and merge that: git switch --create "


def evaluate(case: Case) -> Outcome:
    """Ask where each landing comes from, or, when nothing landed yet, where the head is reachable from."""
    change, policy = case.change, case.policy
    if policy is None:
        return not_applicable(ID, NAME)
    branch = short_name(change.target)
    globs = approved_sources(policy, change.target)
    if not globs:
        message = f"no approved route leads into {branch}"
        remedy = f'add to rollback-guard.toml: [[route]] with into = "{branch}" and from = ["release/*"]'
        return violated(ID, NAME, (Finding(subject=branch, message=message, remedy=remedy),))
    if isinstance(change.landings, Unknown):
        return undetermined(ID, NAME, change.landings, branch)
    if change.landings.value:
        return _judge_landings(case, change.landings.value, policy, globs)
    if change.claimed_source is not None:
        return _judge_claim(change, claimed_name(change) or "", globs)
    if isinstance(change.source, Unknown):
        return undetermined(ID, NAME, change.source, branch)
    named = () if change.named_source is None else (change.named_source,)
    found = first_approved(globs, named + change.source.value, change.target)
    if found is not None:
        return satisfied(ID, NAME, f"comes from {found}")
    return violated(ID, NAME, (_off_route("the head", change.source.value, globs, change),))


def _judge_landings(case: Case, landings: tuple[Landing, ...], policy: Policy, globs: tuple[str, ...]) -> Outcome:
    change = case.change
    if all(arrival(landing, policy, globs, change.target) == "approved" for landing in landings):
        return satisfied(ID, NAME)
    signed = signed_route(case)
    if signed.branch is not None:
        return satisfied(ID, NAME, signed.note)
    findings = []
    unknown: tuple[Unknown, str] | None = None
    for landing in landings:
        subject = f"commit {digits(landing.commit)}"
        came = arrival(landing, policy, globs, change.target)
        if came == "approved":
            continue
        if came == "direct" and signed.unknown is not None:
            unknown = unknown or (signed.unknown, subject)
        elif isinstance(landing.branches, Known):
            findings.append(_off_route(subject, landing.branches.value, globs, change))
        else:
            unknown = unknown or (landing.branches, subject)
    if unknown is not None and not findings:
        return undetermined(ID, NAME, *unknown)
    return judge(ID, NAME, tuple(findings))


def _judge_claim(change: Change, claimed: str, globs: tuple[str, ...]) -> Outcome:
    if claimed == short_name(change.target):
        message = f"{claimed} is what the change would land on, and no way into itself; approved: {listed(globs)}"
        remedy = "guard check --source BRANCH   # the branch that brings the change"
        return violated(ID, NAME, (Finding(subject=claimed, message=message, remedy=remedy),))
    if first_approved(globs, (claimed,), change.target) is None:
        return violated(ID, NAME, (_off_route(claimed, (claimed,), globs, change),))
    if isinstance(change.source, Unknown):
        return undetermined(ID, NAME, change.source, claimed)
    if claimed not in change.source.value:
        message = f"the head is not reachable from branch {claimed} here"
        remedy = "git fetch --all   # then name the branch that really has the change"
        return violated(ID, NAME, (Finding(subject=claimed, message=message, remedy=remedy),))
    return satisfied(ID, NAME, f"comes from {claimed}")


def _off_route(subject: str, branches: tuple[str, ...], globs: tuple[str, ...], change: Change) -> Finding:
    branch = short_name(change.target)
    others = [name for name in branches if name != branch]
    seen = f"comes from {listed(others)}" if others else f"is on no branch but {branch} here"
    message = f"{subject} {seen}, which is no approved way into {branch}; approved: {listed(globs)}"
    remedy = _REMEDY + globs[0].replace("**", "*").replace("*", "short-name")
    if change.stage == "receive" and not others:
        remedy = "git push origin BRANCH   # the approved branch that brings it, first and by itself; then this again"
    return Finding(subject=subject, message=message, remedy=remedy)


RULE = Rule(
    id=ID,
    name=NAME,
    title="what lands does not come from a branch of an approved route",
    why="""A route is where the team tests: what goes through `release/*` has been deployed, tried and watched
before it reaches production. A change that comes another way has skipped that, however good it looks. Whether it
comes from such a branch is a question of reachability in Git, not of a name in a merge message.""",
    example="""The policy approves `release/*` and `hotfix/*` into `main`; somebody merges `feature/cart` into `main`
and calls it "Merge branch 'release/1.4'". No `release/*` branch contains it: denied.""",
    needs=("the policy's routes", "the branches that contain the head, or each landing commit"),
    offline=True,
    remedy="""Merge the work into a branch of an approved route first, let it be signed there, then merge that
branch. If branches are missing here, `git fetch --all`.""",
    evaluate=evaluate,
)
