"""RG404: a commit reverted on production is still in what is about to be tagged stable."""

from __future__ import annotations

from rollback_guard.facts.model import MissingRevert, Unknown
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import digits, excerpt, quoted, short_name

ID = "RG404"
NAME = "missing-revert"


def evaluate(case: Case) -> Outcome:
    """One finding for each commit that was taken back on production and that the tag would call stable."""
    found = case.change.missing_reverts
    if found is None:
        return not_applicable(ID, NAME, "no stable release is tagged; guard release asks this")
    if isinstance(found, Unknown):
        return undetermined(ID, NAME, found, short_name(case.change.target))
    return judge(ID, NAME, tuple(map(_finding, found.value)))


def _finding(one: MissingRevert) -> Finding:
    return Finding(
        subject=digits(one.commit),
        message=f"{one.branch} reverted {digits(one.commit)} {excerpt(one.subject)} by {digits(one.revert)}, "
        "and what is tagged still has it",
        remedy=f"git log --first-parent --oneline {quoted(one.branch)}   # tag a commit that has the revert",
    )


RULE = Rule(
    id=ID,
    name=NAME,
    title="a commit reverted on production is still in what is about to be tagged stable",
    why="""A stable release is what everybody goes back to in an emergency. A commit that production took back is known
to be bad, and a tag on a commit that still has it would bring it back at the worst moment. It happens where an older
commit is tagged by its id, and where two production branches exist and only one of them got the revert.

Asked are the reverts of every production branch that the policy names, as RG403 reads and believes them: one that was
reverted itself counts no more, and a message that only says so reverts nothing. A revert need not be the same
commit: what undid the same change on the branch that is tagged counts, whatever its message says.

A commit that came to the tagged branch by `git cherry-pick -x` counts like the one that its message names, as long as
its content is there and no message on that branch takes it back. A pick without `-x` leaves no sign of what it was,
and is not found.

`guard release` asks this before it tags, and a push of a tag that bears a stable release's name is asked the same, in
the native pre-push hook and on a server; branches that come in the same push count as they will be. For everything
else that the gate judges it is not applicable.""",
    example="""`main` reverted `4f0c2a1`, and `guard release 4f0c2a1` is asked to tag it; or `legacy` was cut from
`main` before the revert, and its tip is tagged.""",
    needs=("messages of commits that production has and the tagged one has not",),
    offline=True,
    remedy="""Tag a commit that has the revert: `guard release` without a commit takes the branch's tip. On a branch
that never got it, bring it there first: `git cherry-pick REVERT`.""",
    evaluate=evaluate,
)
