"""RG104: a production branch is deleted or moved other than forward. Needs no policy."""

from __future__ import annotations

from rollback_guard.gate.rule import Case, Rule, not_applicable, satisfied, violated
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import quoted, short_name

ID = "RG104"
NAME = "rewritten-production"


def evaluate(case: Case) -> Outcome:
    """Look at how the ref moves, nothing else."""
    branch = short_name(case.change.target)
    move = case.change.move
    if move == "none":
        return not_applicable(ID, NAME, "the branch is not moved by this")
    if move == "delete":
        message = f"{branch} would be deleted; production is never deleted"
        remedy = "leave the branch; to go back to a stable release: guard revert"
        return violated(ID, NAME, (Finding(subject=branch, message=message, remedy=remedy),))
    if move == "rewind":
        message = f"{branch} would lose commits that it has; production only moves forward"
        remedy = f"git pull --no-rebase origin {quoted(branch)}   # to go back to a stable release: guard revert"
        return violated(ID, NAME, (Finding(subject=branch, message=message, remedy=remedy),))
    if move == "aside" and case.change.stage == "landed":
        message = (
            f"{branch} stood at a commit that this brought from the side: its first-parent chain was swapped, so it "
            "no longer says what landed before"
        )
        remedy = f"git reflog {quoted(branch)}   # where it stood; what was on that chain is to be audited by itself"
        return violated(ID, NAME, (Finding(subject=branch, message=message, remedy=remedy),))
    if move == "aside":
        message = (
            f"{branch} would get another history: production's present tip would not be on its first-parent chain, "
            "so what landed before could not be audited or reverted any more"
        )
        remedy = f"git switch {quoted(branch)} && git merge --no-ff BRANCH   # the branch into it, not the other way"
        return violated(ID, NAME, (Finding(subject=branch, message=message, remedy=remedy),))
    return satisfied(ID, NAME)


RULE = Rule(
    id=ID,
    name=NAME,
    title="a production branch is deleted or moved other than forward",
    why="""Production's history is the record of what ran when. A forced push or a deletion takes that record away,
breaks every clone, and leaves a rollback without the commit that it would go back to. Going back is done by new
commits, so that nothing is lost. This holds without any policy.

The record is the first-parent chain: each commit on it is one landing. Where production was merged into a
branch and is then moved to that merge, every commit is still there and the record is not: the branch's own
commits would stand for what landed.

A server refuses such a move, because it sees where the branch stands. Afterwards the commits alone do not tell:
which parent was production is in neither, a message proves nothing, and both sides may be approved. `guard audit`
says it where git wrote down where the branch stood (the log of the remote's branch in a clone, which git keeps for
90 days; in a bare repository the branch's own log, with `core.logAllRefUpdates`). Without that log this rule finds
nothing.""",
    example="""`git push --force origin main` after `git reset --hard HEAD~3`, or `git push origin --delete main`; or,
after `git merge main` on `hotfix/2`, `git push origin hotfix/2:main`.""",
    needs=("the old and the new tip of the branch",),
    offline=True,
    remedy="""To go back to the last stable release: `guard revert`. If the remote is ahead of you, take in what it
has (`git pull --no-rebase`) instead of forcing.""",
    evaluate=evaluate,
)
