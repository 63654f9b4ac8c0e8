"""The attestations of backups that a scenario describes in a few words, as facts.

What a scenario leaves out is in order: signed by somebody who may, just now, of where production is, at the level that
the policy asks for, and of the right database.
"""

from __future__ import annotations

from rollback_guard.facts.backup_model import ArtefactState, Attestation
from rollback_guard.facts.model import Fact, Known, Unknown
from rollback_guard.gate.scenario_model import Scenario, ScenarioBackup
from rollback_guard.policy.model import Backup, Policy
from rollback_guard.policy.sources import named_source, without_secrets

_FILE, _DIGEST, _OTHER = "backup.zst", "e" * 64, "f" * 64
_PLAIN = Backup(name="", engine="directory", source="/srv/shop", by=(), max_age=0)
_STATES: dict[str, Fact[ArtefactState]] = {
    "same": Known(ArtefactState(digest=_DIGEST, size=1)),
    "changed": Known(ArtefactState(digest=_OTHER, size=1)),
    "gone": Known(ArtefactState(digest=None)),
    "unseen": Unknown("the store is not on this machine"),
}


def attestations_of(scenario: Scenario, policy: Policy | None, base: str) -> tuple[Attestation, ...]:
    """What is attested; `base` is where production is. The policy only fills in what the scenario leaves out."""
    named = {one.name: one for one in policy.backup} if policy is not None else {}
    return tuple(
        _attestation(scenario, one, policy, named.get(one.name, _PLAIN), base, f"{number:064x}")
        for number, one in enumerate(scenario.backup)
    )


def _attestation(
    scenario: Scenario, one: ScenarioBackup, policy: Policy | None, backup: Backup, base: str, digest: str
) -> Attestation:
    may = sorted(policy.members_of(backup.by)) if policy is not None else []
    person = one.person or (may[0] if may else "somebody")
    taken = scenario.as_of if one.taken is None else one.taken
    return Attestation(
        name=one.name,
        person=None if one.fault else person,
        claimed=person,
        time=taken,
        digest=digest,
        commit=one.commit or base,
        snapshot=taken,
        engine=backup.engine,
        source=named_source(backup.source) if one.source is None else one.source,
        place=one.place or _place(backup),
        server="",
        level=one.level or backup.level,
        file=_FILE,
        file_digest=_DIGEST,
        file_size=1,
        fault=one.fault,
        before=None if one.before is None else (one.before, ""),
        artefact=_STATES[one.artefact],
    )


def _place(backup: Backup) -> str:
    """A place that a source means."""
    if backup.identity is not None:
        return backup.identity
    told = without_secrets(backup.source)
    if "://" in told:
        return told
    path = told.removeprefix(f"{backup.engine}:").removeprefix("$")
    return f"{backup.engine}:{path if path.startswith('/') else f'/srv/{path}'}"
