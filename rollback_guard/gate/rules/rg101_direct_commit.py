"""RG101: a commit was made on a production branch itself."""

from __future__ import annotations

from rollback_guard.facts.model import Unknown
from rollback_guard.gate.routes import approved_sources, arrival
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, satisfied, undetermined, violated
from rollback_guard.gate.scope import is_direct_commit
from rollback_guard.gate.signed_route import SignedRoute, signed_route
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import digits, quoted, short_name

ID = "RG101"
NAME = "direct-commit"


def evaluate(case: Case) -> Outcome:
    """Violated for each commit on production's own chain that no branch brought."""
    change, policy = case.change, case.policy
    if policy is None:
        return not_applicable(ID, NAME)
    branch = short_name(change.target)
    if is_direct_commit(change):
        message = f"a commit is being made on {branch} itself; production only takes what another branch brings"
        remedy = "git switch --create hotfix/short-name   # your changes come along; commit there, then merge"
        return violated(ID, NAME, (Finding(subject=branch, message=message, remedy=remedy),))
    if isinstance(change.landings, Unknown):
        return undetermined(ID, NAME, change.landings, branch)
    globs = approved_sources(policy, change.target)
    alone = tuple(landing for landing in change.landings.value if not landing.heads)
    arrivals = [(landing, arrival(landing, policy, globs, change.target)) for landing in alone]
    signed = signed_route(case) if any(came in ("direct", "unknown") for _, came in arrivals) else SignedRoute()
    if signed.branch is not None:
        return satisfied(ID, NAME, signed.note)
    if signed.unknown is not None and any(came == "direct" for _, came in arrivals):
        return undetermined(ID, NAME, signed.unknown, f"commit {digits(alone[0].commit)}")
    direct = tuple(
        Finding(
            subject=f"commit {digits(landing.commit)}",
            message=f'"{landing.subject}" was made on {branch} itself: no other branch contains it',
            remedy=f"git branch {quoted('hotfix/' + landing.commit[:8])} {landing.commit}"
            f"   # then put {quoted(branch)} back to what the remote has, and merge that branch",
        )
        for landing, came in arrivals
        if came == "direct"
    )
    unknown = [
        (landing.branches, landing.commit)
        for landing, came in arrivals
        if came == "unknown" and isinstance(landing.branches, Unknown)
    ]
    if unknown and not direct:
        return undetermined(ID, NAME, unknown[0][0], f"commit {digits(unknown[0][1])}")
    return judge(ID, NAME, direct)


RULE = Rule(
    id=ID,
    name=NAME,
    title="a commit was made on a production branch itself",
    why="""What is committed on production itself was never a proposal: nobody could test, review or refuse it
before it was live. It also makes a rollback harder, because there is no merge that can be taken back as one.""",
    example="""On `main`, somebody runs `git commit -m "quick fix"`. The pre-commit hook stops it; with
`--no-verify`, the push is refused; without hooks, the server refuses it.""",
    needs=("the target branch", "production's new first-parent commits", "the branches that contain each of them"),
    offline=True,
    remedy="""Move the commit to a branch of an approved route (`git switch --create hotfix/short-name`), get its
sign-offs there and merge it. A fast-forward or a squash of such a branch is no direct commit.""",
    evaluate=evaluate,
)
