"""RG403: the change merges commits that were reverted and never relanded."""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, Unknown, Unrelanded
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import digits, excerpt, listed, quoted, short_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ID = "RG403"
NAME = "unrelanded-merge"


def evaluate(case: Case) -> Outcome:
    """One finding for each landing whose content would be missing; what only began on one is noted."""
    change = case.change
    if change.stage == "landed":
        return not_applicable(ID, NAME, "it has landed; this is judged before")
    found = change.unrelanded
    branch = short_name(change.target)
    if isinstance(found, Unknown):
        return undetermined(ID, NAME, found, branch)
    remedy = _remedy(case, [one for one in found.value if one.how != "held"], branch)
    findings = tuple(_finding(one, branch, remedy) for one in found.value if one.how != "held")
    held = [one for one in found.value if one.how == "held"]
    notes = [
        f"{_named(one)} is in its history and was reverted by {digits(one.revert)}: nothing of it comes with this"
        for one in held
    ]
    if held:  # a fast-forward leaves no sign of whose work it was
        notes.append(f"where that is this branch's own work: {_command(case, held, branch)} brings it too")
    return judge(ID, NAME, findings, *notes)


def _named(one: Unrelanded) -> str:
    return f"{digits(one.commit)} {excerpt(one.subject)}"


def _finding(one: Unrelanded, branch: str, remedy: str) -> Finding:
    undone = f"{branch} reverted {_named(one)} by {digits(one.revert)}, and never took it back"
    if one.how == "merged":
        how = "To git it is merged"
    else:
        how = f"The change began while {branch} had it, and touches the same files, {listed(one.paths)}"
    message = f"{undone}. {how}: this would bring only what was made on top of it"
    return Finding(subject=digits(one.commit), message=message, remedy=remedy)


def _remedy(case: Case, lost: Sequence[Unrelanded], branch: str) -> str:
    """One for all of them: what was relanded, gone on with and reverted again is whole only together."""
    command = _command(case, lost, branch)
    if all(one.how == "merged" for one in lost):
        return f"{command}   # a branch with all of it"
    return f"{command}   # or, to go on without it: git merge {quoted(branch)}"


def _command(case: Case, found: Sequence[Unrelanded], branch: str) -> str:
    """What brings all of some again. Which branch goes on from them is found only where it merged them."""
    commits = " ".join(dict.fromkeys(digits(one.commit) for one in found))
    command = f"guard reland {commits} --branch {quoted(branch)}"
    if all(one.how == "merged" for one in found):
        return command
    return f"{command} --source {quoted(_source(case.change))}"


def _source(change: Change) -> str:
    """The branch that is judged, as far as it has one name."""
    if change.named_source is not None:
        return change.named_source
    names = change.source.value if isinstance(change.source, Known) else ()
    others = [name for name in names if name != short_name(change.target)]
    return others[0] if len(others) == 1 else "BRANCH"


RULE = Rule(
    id=ID,
    name=NAME,
    title="the change merges commits that were reverted and never relanded",
    why="""A revert takes the content of a merge back, and leaves its commits in history. If the branch goes on and is
merged once more, git finds those commits merged already and brings only the newer ones: half of the work lands, with
no conflict and nothing to see in the diff of the request.

A revert counts where its message names what it reverts, as `git revert`, `guard revert` and the Revert buttons of
forges write it, anywhere in the target's history; one that was reverted itself (a `Reapply`) counts no more. Words
alone bring nothing back: a commit that says that it reverts a revert, or reapplies a commit, is believed where it
touches a file that the other one touched, or has a file with the same content under another name. So a reapply may be
adapted. Merges within the change are looked at like the change itself. Where the result has the content all the same,
because it was made anew, landed as a squash, or put back by hand, nothing is lost and nothing is said.
A branch that has the revert in its own history was begun or brought up to date after it, and its author has seen what
is gone.

What is lost is a branch's own work: commits that came to production through what was reverted. A branch that was cut
from production between the landing and the revert holds the landing too, without having made it. It is refused only
where it touches a file that was reverted, since then it builds on what is gone; otherwise that is a note, and
nothing at all where what was reverted was itself nothing but reverts. A branch that landed by fast-forward is treated
like one that was cut from production: its commits are production's own line, and do not tell. The note names the
command that brings them again.""",
    example="""`feature/basket` is merged by `4f0c2a1`, breaks the checkout, and is reverted. Its author fixes the
bug on `feature/basket` and merges it again: production gets the fix, and no basket.""",
    needs=("the messages of the commits that the target has and the head has not", "the result of the merge"),
    offline=True,
    remedy="""`guard reland 4f0c2a1` makes a branch that reverts the revert and then merges what is new. To go on
without what was reverted, bring the branch up to date: `git merge main`. What landed already is not judged again by
`guard audit`.""",
    evaluate=evaluate,
)
