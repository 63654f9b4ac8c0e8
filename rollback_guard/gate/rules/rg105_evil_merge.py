"""RG105: a merge holds changes that neither its parents nor a conflict explain."""

from __future__ import annotations

from rollback_guard.facts.model import Hunk, MergeCheck, Unknown
from rollback_guard.gate.rule import Case, Rule, judge, undetermined
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import digits, excerpt, listed

ID = "RG105"
NAME = "evil-merge"

_HUNKS = 5
_LINES = 2


def evaluate(case: Case) -> Outcome:
    """One finding for each merge that is not what git makes of its parents."""
    merges = case.change.merges
    if isinstance(merges, Unknown):
        return undetermined(ID, NAME, merges, "merges")
    findings = tuple(_finding(merge) for merge in merges.value if merge.kind != "resolved")
    notes = tuple(
        f"merge {digits(merge.commit)}: conflicts resolved by hand in {listed(merge.conflicts)}"
        for merge in merges.value
        if merge.kind == "resolved"
    )
    return judge(ID, NAME, findings, *notes)


def _finding(merge: MergeCheck) -> Finding:
    subject = f"merge {digits(merge.commit)}"
    if merge.kind == "octopus":
        return Finding(
            subject=subject,
            message=f'"{merge.subject}" merges more than two branches at once; what it changed cannot be told apart',
            remedy="merge the branches one after the other: git merge --no-ff BRANCH",
        )
    shown = "; ".join(_hunk(hunk) for hunk in merge.hunks[:_HUNKS])
    more = f"; and {len(merge.hunks) - _HUNKS} more places" if len(merge.hunks) > _HUNKS else ""
    return Finding(
        subject=subject,
        message=f'"{merge.subject}" changes what neither side nor a conflict explains: {shown}{more}',
        remedy="make the merge again without editing (git merge --no-ff BRANCH), and commit these lines on the branch",
    )


def _hunk(hunk: Hunk) -> str:
    parts = [f"{hunk.path}:{hunk.line}"] + ([hunk.note] if hunk.note else [])
    for word, lines in (("removed", hunk.removed), ("added", hunk.added)):
        if lines:
            more = f" and {len(lines) - _LINES} lines more" if len(lines) > _LINES else ""
            parts.append(f"{word} {' '.join(excerpt(line) for line in lines[:_LINES])}{more}")
    return " ".join(parts)


RULE = Rule(
    id=ID,
    name=NAME,
    title="a merge's tree differs from the automatic merge of its parents without a conflict to explain it",
    why="""A merge commit can hold any content, and reviewers look at the branch, not at the merge. Lines slipped in
there were seen by nobody. The guard makes every merge again and compares: where Git had to ask a person, the
resolution is that person's work and is noted, and so is a conflicted file that was taken whole from one side
(`git checkout --ours`); everything else is a change in disguise. A merge of more than two
branches into production is refused, because it cannot be taken apart.""",
    example="""`git merge --no-commit release/1.4`, then an edit in `src/price.py` that neither side has, then
`git commit`. The finding names `src/price.py:12` and the lines.""",
    needs=("every merge of the change, made again by git",),
    offline=True,
    remedy="""Make the merge again without editing, and bring the extra lines as an ordinary commit on the branch,
where people can look at it.""",
    evaluate=evaluate,
)
