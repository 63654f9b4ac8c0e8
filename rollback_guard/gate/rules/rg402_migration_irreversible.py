"""RG402: a migration in the change cannot be undone, and no backup covers it."""

from __future__ import annotations

from rollback_guard.facts.model import RiskyMigration, Unknown
from rollback_guard.gate.backups import cover_of
from rollback_guard.gate.rule import Case, Rule, answered, not_applicable, satisfied, undetermined
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import excerpt, listed, quoted, short_name
from rollback_guard.policy.model import Policy

ID = "RG402"
NAME = "migration-irreversible"

_LONGEST = 200  # letters of one reason
_STATES = {"added": "cannot be undone", "renamed": "cannot be undone"}  # of the others the reasons say it


def evaluate(case: Case) -> Outcome:
    """One finding for each migration without a way back; what loses data, or is taken back, is noted."""
    policy, change = case.policy, case.change
    if policy is None:
        return not_applicable(ID, NAME, "there is no policy to judge by")
    if change.stage == "landed":
        return not_applicable(ID, NAME, "it has landed; this is judged before")
    branch = short_name(change.target)
    if isinstance(change.irreversible, Unknown):
        return undetermined(ID, NAME, change.irreversible, branch)
    found = change.irreversible.value
    risky = [one for one in found if one.risk == "irreversible"]
    notes = tuple(_note(one) for one in found if one.risk != "irreversible")
    cover = cover_of(policy, change, case.as_of) if risky else None
    if cover is None:
        return answered(ID, NAME, tuple(_finding(one, policy, branch) for one in risky), (), *notes)
    if change.stage in ("merge", "message"):
        later = f"{listed([one.path for one in risky])}: no way back; whether a backup covers it is asked at the push"
        return not_applicable(ID, NAME, later, *notes)
    if cover.covered:
        kept = (f"{excerpt(one.path, most=_LONGEST)} {_what(one)}; covered by {cover.words}" for one in risky)
        return satisfied(ID, NAME, *kept, *notes)
    findings = tuple(_finding(one, policy, branch, f". No backup covers it: {cover.words}") for one in risky)
    return answered(ID, NAME, findings, (), *notes) if cover.known else answered(ID, NAME, (), findings, *notes)


def _what(one: RiskyMigration) -> str:
    return ": ".join(filter(None, (_STATES.get(one.state), _reasons(one))))


def _finding(one: RiskyMigration, policy: Policy, branch: str, uncovered: str = "") -> Finding:
    message = _what(one) + uncovered
    remedy = _instead(one, branch)
    if policy.waiver is not None:
        remedy += f'; or: guard waive {ID} --into {quoted(branch)} --reason "why it may land all the same"'
    return Finding(subject=one.path, message=message, remedy=remedy)


def _reasons(one: RiskyMigration) -> str:
    return listed([f"{reason[:_LONGEST]}…" if len(reason) > _LONGEST else reason for reason in one.reasons], most=3)


def _instead(one: RiskyMigration, branch: str) -> str:
    """What makes the change one that can be undone."""
    if any(reason.endswith("is not looked into") for reason in one.reasons):
        return "have somebody look into what it leads to"
    if one.state == "deleted":
        restore = f"git restore --source={quoted(branch)} -- {quoted(one.path)}"
        return f"{restore}   # keep it: the database has been through it"
    if one.state == "edited":
        old = one.old_path or one.path
        show = f"git show {quoted(f'{branch}:{old}')} > {quoted(one.path)}"
        return f"{show}   # as it ran, and a new migration does the rest"
    return "write its way back"


def _note(one: RiskyMigration) -> str:
    path = excerpt(one.path, most=_LONGEST)
    if one.risk == "taken-back":
        return f"{path} is taken back by a revert; the database stays as it left it: migrate down or restore it first"
    return f"{path} has a way back that loses data: {_reasons(one)}"


RULE = Rule(
    id=ID,
    name=NAME,
    title="a migration in the change cannot be undone and no backup at the asked level covers it",
    why="""Code goes back with Git; a database does not. A migration that has no way back, or one that cannot be
relied on, leaves nothing but the backup when the release fails, and that is the wrong moment to find out that there
is none.

Read is what differs between production and what it would be afterwards, framework by framework, as
[migrations.md](../migrations.md) tells: a migration is irreversible where it has no way back, where it was edited
or deleted after it may have run, and where it cannot be read. Only that verdict counts. A way back that loses data
is noted; what only expands, or can be turned back, is not mentioned. The comment `guard: irreversible because …`
speaks to the hook `guard-migrations` alone; here somebody who did not write the migration has to answer for it: a
waiver.

A revert takes migrations back on purpose. Where the result is a tree that production had, or where the change says
which commits of production it reverts and does just that to the migration's files, their deletion is noted and not
refused. What a revert brings again (a `Reapply`) is judged like anything that is new.

Where the policy names databases under `[[backup]]` and each of them stands by RG301 to RG305, the migration is
covered: it is noted and not refused, since what it takes away can be had back. Which database a migration goes to
is not known, so all have to; a directory is none. What is not known of a backup leaves the rule undetermined, and a
waiver counts then as well. While a merge is made, backups are not asked for yet.""",
    example="""`release/1.5` brings `db/migrate/20261122090000_remove_sum.rb`, which drops a column whose type it
does not name. Rails cannot reverse that, and no backup covers it: denied.""",
    needs=("the migrations of production and of the result", "the messages of the commits, where one is deleted"),
    offline=True,
    remedy="""Write the way back. A migration that has landed is not edited or deleted: `git restore` it, and let a
new one do what is to change. Where there can be no way back, have the database under `[[backup]]`, and take one:
`guard backup create`. Or have somebody who answers for it waive the rule: `guard waive RG402 --into main --reason
"…"`. What landed already is not judged again by `guard audit`.""",
    evaluate=evaluate,
)
