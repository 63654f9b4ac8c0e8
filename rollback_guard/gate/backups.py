"""Which backups of a policy stand: for each the attestation that serves best, and by which rule it falls short.

An attestation counts at all when its signature does and its signer may attest that backup. Of those that do, one
that breaks no rule is taken, the newest first; where each breaks some, the newest is what is told of. The rules RG301
to RG306 each show their part of it, and RG402 whether anything can be gone back to.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.facts.backup_model import Attestation
from rollback_guard.facts.model import Change, Known, Unknown
from rollback_guard.gate.people import called
from rollback_guard.gate.rule import Case, answered, not_applicable, undetermined
from rollback_guard.gate.signoffs import DAY
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import digits, in_utc, lasting, short_name
from rollback_guard.policy.model import LEVELS, Backup, Policy
from rollback_guard.policy.sources import fits_place, named_source

CLOCK = 300  # seconds by which the clocks of a database and of whoever judges may differ
MAY_NOT = "the policy does not let them attest it"
_NOBODY_LOOKED = Unknown("nobody has looked at its artefact", "guard check   # where the store can be read")


class Fault(NamedTuple):
    """By which rule an attestation falls short, and how, to follow the backup's name. `open`: it is not known."""

    rule: str
    message: str
    open: Optional[Unknown] = None


class Standing(NamedTuple):
    """One backup that the policy names. `best` is None where nothing counts; `refused` says why of each."""

    backup: Backup
    best: Optional[Attestation]
    faults: tuple[Fault, ...] = ()
    refused: tuple[str, ...] = ()


def standings_of(policy: Policy, change: Change, found: tuple[Attestation, ...], as_of: int) -> tuple[Standing, ...]:
    """How each backup of the policy stands at a moment (Unix seconds)."""
    return tuple(_standing(policy, backup, change, found, as_of) for backup in policy.backup)


def _standing(policy: Policy, backup: Backup, change: Change, found: tuple[Attestation, ...], as_of: int) -> Standing:
    may = policy.members_of(backup.by)
    refused: list[str] = []
    weighed: list[tuple[tuple[bool, bool, int, int, str], Attestation, tuple[Fault, ...]]] = []
    for one in found:
        if one.name != backup.name:
            continue
        why = one.fault or ("" if one.person in may else MAY_NOT)
        if why:
            refused.append(f"the attestation by {called(policy, one.person or one.claimed)} does not count: {why}")
            continue
        faults = (*faults_of(backup, change, one, as_of), *_artefact(one, change))
        wrong = any(fault.open is None for fault in faults)
        # What breaks a rule is told of the newest, whatever is not known of it.
        rank = (wrong, bool(faults) and not wrong, -one.snapshot, len(faults), one.digest)
        weighed.append((rank, one, faults))
    if not weighed:
        return Standing(backup=backup, best=None, refused=tuple(refused))
    _, best, faults = min(weighed, key=lambda one: one[0])
    return Standing(backup=backup, best=best, faults=faults, refused=tuple(refused))


def counting(policy: Policy, change: Change, as_of: int) -> list[list[Attestation]]:
    """For each backup of the policy, in its order, the attestations that count: the best first."""
    found = change.backups.value if isinstance(change.backups, Known) else ()
    groups = []
    for backup in policy.backup:
        may = policy.members_of(backup.by)
        mine = [one for one in found if one.name == backup.name and not one.fault and one.person in may]
        groups.append(sorted(mine, key=lambda one: (bool(faults_of(backup, change, one, as_of)), -one.snapshot)))
    return groups


def faults_of(backup: Backup, change: Change, one: Attestation, as_of: int) -> tuple[Fault, ...]:
    """By which rules an attestation falls short of what a policy asks for, its artefact left aside."""
    faults = [*_age(backup, change, one, as_of), *_origin(backup, one)]
    if LEVELS.index(one.level) < LEVELS.index(backup.level):
        faults.append(Fault("RG303", f"is proven {one.level}, and the policy asks for {backup.level}"))
    return tuple(faults)


def _age(backup: Backup, change: Change, one: Attestation, as_of: int) -> list[Fault]:
    landed = change.stage == "landed"
    faults = []
    base = change.base.value if isinstance(change.base, Known) else None
    protected, branch = change.protected or base, short_name(change.target)
    if one.commit != protected and landed:
        why = f"protects {digits(one.commit)}; whether {branch} was there when this landed is not known here"
        faults.append(Fault("RG302", why, Unknown(why, "git reflog   # of the server, where it keeps one")))
    elif one.commit != protected:
        faults.append(Fault("RG302", f"protects {digits(one.commit)}, and {branch} is at {digits(protected)}"))
    age = as_of - one.snapshot
    if age < -(DAY if landed else CLOCK):
        faults.append(Fault("RG302", f"is dated {in_utc(one.snapshot)}, and it is {in_utc(as_of)} now"))
    elif age > backup.max_age:
        faults.append(Fault("RG302", f"is {lasting(age)} old, and may be {lasting(backup.max_age)} old"))
    return faults


def _origin(backup: Backup, one: Attestation) -> list[Fault]:
    source = named_source(backup.source)
    if one.engine != backup.engine or one.source != source:
        theirs, ours = (" ".join(filter(None, pair)) for pair in ((one.engine, one.source), (backup.engine, source)))
        return [Fault("RG305", f"was taken from {theirs}, and the policy says {ours}")]
    fits = fits_place(one.place, backup.engine, backup.identity or backup.source)
    if fits is False:
        wanted = backup.identity or source
        return [Fault("RG305", f"was taken of {one.place}, and the policy says {wanted}")]
    if fits is None and one.before is not None and not _same_place(one.before, (one.place, one.server)):
        there, here = (" ".join(filter(None, pair)) for pair in (one.before, (one.place, one.server)))
        return [Fault("RG305", f"was taken of {here}, and those before of {there}")]
    return []


def _same_place(before: tuple[str, str], now: tuple[str, str]) -> bool:
    return before[0] == now[0] and ("" in (before[1], now[1]) or before[1] == now[1])


def _artefact(one: Attestation, change: Change) -> list[Fault]:
    if change.stage == "landed":  # it may have been removed since, and rightly
        return []
    state = _NOBODY_LOOKED if one.artefact is None else one.artefact
    if isinstance(state, Unknown):
        return [Fault("RG304", f"may be gone or changed: {state.reason}", state)]
    if state.value.digest is None:
        return [Fault("RG304", f"is gone: there is no {one.file} in its store")]
    if (state.value.digest, state.value.size) != (one.file_digest, one.file_size):
        return [Fault("RG304", f"was changed after it was attested: {one.file} has other bytes")]
    return []


def ask(rule: str, name: str, case: Case) -> tuple[Standing, ...] | Outcome:
    """How the backups stand, for a rule about them; or its answer, where it has nothing to say of them."""
    policy, change = case.policy, case.change
    if policy is None or not policy.backup:
        return not_applicable(rule, name, "the policy names no backups")
    if isinstance(change.base, Known) and change.base.value is None:
        return not_applicable(rule, name, "the branch is not there yet, so there is nothing that could be lost")
    if isinstance(change.backups, Unknown):
        return undetermined(rule, name, change.backups, "backups")
    return standings_of(policy, change, change.backups.value, case.as_of)


def judge_part(rule: str, name: str, case: Case, remedy: str) -> Outcome:
    """The answer of a rule about what is attested: one finding for each backup that falls short by it.

    In `remedy` "NAME" stands for the backup's name.
    """
    standings = ask(rule, name, case)
    if isinstance(standings, Outcome):
        return standings
    findings: list[Finding] = []
    questions: list[Finding] = []
    notes = []
    for standing in standings:
        backup = standing.backup.name
        if standing.best is None:
            notes.append(f"{backup}: there is no attestation that counts; RG301 says so")
        for fault in standing.faults:
            if fault.rule == rule:
                wanted = fault.open.remedy if fault.open is not None else remedy.replace("NAME", backup)
                found = Finding(subject=backup, message=f"the backup {backup} {fault.message}", remedy=wanted)
                (findings if fault.open is None else questions).append(found)
    if all(standing.best is None for standing in standings):
        return not_applicable(rule, name, *notes)
    return answered(rule, name, tuple(findings), tuple(questions), *notes)


class Cover(NamedTuple):
    """Whether the databases of a policy can be gone back to. `words` says with what, or why not."""

    known: bool
    covered: bool
    words: str


def cover_of(policy: Policy, change: Change, as_of: int) -> Cover | None:
    """Whether backups cover a migration: all databases that the policy names; None where it names none.

    Which of them a migration goes to is not known, and files do not bring rows back.
    """
    databases = frozenset(one.name for one in policy.backup if one.engine != "directory")
    if not databases:
        return None
    if isinstance(change.backups, Unknown):
        return Cover(False, False, change.backups.reason)
    every = standings_of(policy, change, change.backups.value, as_of)
    mine = [one for one in every if one.backup.name in databases]
    wrong = [one for one in mine if one.best is None or any(fault.open is None for fault in one.faults)]
    if wrong:
        return Cover(True, False, "; ".join(_why(one) for one in wrong))
    unsure = [one for one in mine if one.faults]
    if unsure:
        return Cover(False, False, "; ".join(_why(one) for one in unsure))
    return Cover(True, True, ", ".join(f"{one.backup.name} of {in_utc(one.best.snapshot)}" for one in mine if one.best))


def _why(standing: Standing) -> str:
    name = standing.backup.name
    if standing.best is None:
        return f"there is no attestation of {name} that counts"
    return f"the backup {name} {standing.faults[0].message}"
