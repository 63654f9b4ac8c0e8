"""`guard backup create|prove|attest`: how a backup comes to count."""

from __future__ import annotations

import shlex
import time

import click

from rollback_guard.backup.catalogue import Entry, find, list_backups, load_proof, load_record, new_id
from rollback_guard.backup.model import Proof, Record, reaches
from rollback_guard.backup.sealing import read_keys, read_recipients
from rollback_guard.backup.taking import Taking, Wanted, take
from rollback_guard.entry import exit_codes
from rollback_guard.entry.backup_attest import Proven, attest, find_attester
from rollback_guard.entry.backup_named import Asked, Named, find_named, require_store_outside
from rollback_guard.entry.backup_proof import How, prove_named
from rollback_guard.entry.cli.backup_options import BRANCH, IDENTITY, KEY, LAYOUT, TIMEOUT, backup_document, require_key
from rollback_guard.entry.progress import BytesLine, ProofLine
from rollback_guard.entry.wiring import here, say
from rollback_guard.errors import GuardError, UsageError
from rollback_guard.policy.model import LEVELS, Level
from rollback_guard.report.backup_text import proven_in_words, render_taken
from rollback_guard.report.json_text import render_json
from rollback_guard.report.visible import short, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@BRANCH
@KEY
@IDENTITY
@TIMEOUT
@click.option("--no-attest", is_flag=True, help="Take and prove them, and sign for none.")
@LAYOUT
def create(
    names: tuple[str, ...],
    branch: str | None,
    key: str | None,
    identity: str | None,
    timeout: int,
    no_attest: bool,
    layout: str,
) -> int:
    """Take backups, prove each by restoring it into a scratch place, and sign for them. NAME: all if none is given.

    What is taken together is one set. A backup counts only when it is whole; one that is not proven as far as the
    policy asks is kept, and not signed for.

    \b
    Example:
      guard backup create --key ~/.ssh/id_ed25519

    Exit codes: 0 taken and proven, 1 taken and not proven as the policy asks, 2 wrong usage, 4 could not be done.
    """
    asked = find_named(here(), names, branch)
    signer = None if no_attest else find_attester(asked, key)
    how = How(keys=None if identity is None else read_keys(identity), timeout=timeout)
    if signer is not None:
        specs = [one.spec for one in asked.named if one.spec.encrypt_to and reaches(one.spec.level, "readable")]
        require_key([one.name for one in specs], how.keys, shlex.join(["guard", "backup", "create", *names]))
    records = _take(asked, quiet=layout == "json")
    proven = _prove(asked, records, how, quiet=layout == "json")
    missing = [one for one in proven if not reaches(one.proof.level, one.named.spec.level)]
    good = [one for one in proven if one not in missing]
    ids = dict(zip((one.record.name for one in good), attest(asked, good, signer), strict=True)) if signer else {}
    if layout == "json":
        backups = [backup_document(one.record, one.proof, ids.get(one.record.name)) for one in proven]
        say(render_json({"format": "rollback-guard/backup-create/1", "set": records[0].set, "backups": backups}))
    else:
        parts = [
            render_taken(one.record, one.proof, one.named.spec.level, ids.get(one.record.name, "")) for one in proven
        ]
        say("\n".join([*parts, *([] if missing else ["→ guard evidence push" if ids else "→ guard backup attest"])]))
    return exit_codes.DENY if missing else exit_codes.ALLOW


def _take(asked: Asked, *, quiet: bool) -> tuple[Record, ...]:
    now = time.time()
    require_store_outside(asked)
    wanted = [
        Wanted(
            name=one.spec.name,
            source=one.source.named,
            engine=one.engine(),
            store=one.store,
            recipients=read_recipients(one.spec.encrypt_to) if one.spec.encrypt_to else None,
            lock=one.spec.lock,
        )
        for one in asked.named
    ]
    for one in asked.named:
        one.store.sweep(now)
    with BytesLine(_sizes(asked.named, now), quiet=quiet) as line:
        return take(wanted, Taking(set=new_id(now), commit=asked.production.tip, tell=line.tell))


def _prove(asked: Asked, records: Sequence[Record], how: How, *, quiet: bool) -> list[Proven]:
    try:
        with ProofLine(quiet=quiet) as line:
            return [
                Proven(named, record, prove_named(named, record, how._replace(tell=line.tell)))
                for named, record in zip(asked.named, records, strict=True)
            ]
    except GuardError:
        names = " ".join(shlex.quote(one.name) for one in records)
        say(
            "note: they were taken, and are kept; they are not proven, and nobody signed for them. Afterwards:\n"
            f"  guard backup prove {names} && guard backup attest {names}",
            err=True,
        )
        raise


def _sizes(named: Sequence[Named], now: float) -> dict[str, int]:
    """How large each was the last time, where that is known: from it the time that is left is guessed."""
    found = {}
    for one in named:
        try:
            listing = list_backups(one.store, now, (one.spec.name,))
        except GuardError:
            continue
        if listing.entries:
            found[one.spec.name] = listing.entries[0].record.artefact.content
    return found


@click.command()
@click.argument("wanted", metavar="[NAME|ID]...", nargs=-1)
@BRANCH
@IDENTITY
@TIMEOUT
@click.option("--level", type=click.Choice(LEVELS), help="How far.  [default: as the policy asks]")
@click.option("--self-test", is_flag=True, help="Change a scratch copy in every way that a proof claims to notice.")
@LAYOUT
def prove(
    wanted: tuple[str, ...],
    branch: str | None,
    identity: str | None,
    timeout: int,
    level: Level | None,
    self_test: bool,
    layout: str,
) -> int:
    """Prove backups that were taken, by restoring them into a scratch place. The newest of each NAME, or an ID.

    \b
    Example:
      guard backup prove shop-db --level compared

    Exit codes: 0 proven, 1 not proven as far as asked, 2 wrong usage, 4 could not be found out.
    """
    asked = find_named(here(), (), branch)
    keys = None if identity is None else read_keys(identity)
    chosen = choose(asked, wanted)
    if self_test:
        from rollback_guard.entry.cli.backup_self_test import run_self_test

        return run_self_test(chosen, keys, layout)
    how = How(level=level, keys=keys, timeout=timeout)
    documents, lines, missing = [], [], False
    for named, entry in chosen:
        record = load_record(named.store, entry)
        with ProofLine(quiet=layout == "json") as line:
            proof = prove_named(named, record, how._replace(tell=line.tell))
        asked_for = level or named.spec.level
        missing = missing or not reaches(proof.level, asked_for)
        documents.append(backup_document(record, proof, None))
        lines.append(f"{visible(record.name)}  {visible(record.id)}  {proven_in_words(proof, asked_for)}")
    if layout == "json":
        say(render_json({"format": "rollback-guard/backup-prove/1", "backups": documents}))
    else:
        say("\n".join(lines))
    return exit_codes.DENY if missing else exit_codes.ALLOW


def choose(asked: Asked, wanted: Sequence[str]) -> list[tuple[Named, Entry]]:
    """The backups that somebody names; the newest of each of the policy's where nobody does.

    What was taken as one set has one id: it names a backup only together with its name. Raises: UsageError.
    """
    now = time.time()
    found = []
    for name in wanted or [one.spec.name for one in asked.named]:
        own = [one for one in asked.named if one.spec.name == name.partition("/")[0]] or list(asked.named)
        meant, faults = [], []
        for named in own:
            try:
                meant.append((named, find(list_backups(named.store, now, (named.spec.name,)), name)))
            except UsageError as error:
                faults.append(error)
        if not meant:
            raise faults[0]
        if len(meant) > 1:
            labels = [entry.label for _, entry in meant]
            raise UsageError(
                f"{len(meant)} backups have the id {name[:80]!r}: {', '.join(labels)}",
                remedy=f"name it with its name before it: {labels[0]}",
            )
        found += meant
    return found


@click.command(name="attest")
@click.argument("wanted", metavar="[NAME|ID]...", nargs=-1)
@BRANCH
@KEY
@LAYOUT
def attest_(wanted: tuple[str, ...], branch: str | None, key: str | None, layout: str) -> int:
    """Sign for backups that were taken and proven. The newest of each NAME, or an ID; all if none is given.

    \b
    Example:
      guard backup attest shop-db --key ~/.ssh/id_ed25519
    """
    asked = find_named(here(), (), branch)
    chosen = choose(asked, wanted)
    asked = asked._replace(named=tuple(named for named, _ in chosen))
    signer = find_attester(asked, key)
    proven = [
        Proven(named, load_record(named.store, entry), load_proof(named.store, entry) or Proof(level=None, when=0.0))
        for named, entry in chosen
    ]
    ids = attest(asked, proven, signer)
    if layout == "json":
        documents = [backup_document(one.record, one.proof, id) for one, id in zip(proven, ids, strict=True)]
        say(render_json({"format": "rollback-guard/backup-attest/1", "backups": documents}))
    else:
        for one, id in zip(proven, ids, strict=True):
            say(f"{visible(one.record.name)}  {visible(one.record.id)}  signed for, as evidence {short(id)}")
        say("→ guard evidence push")
    return exit_codes.ALLOW


COMMANDS = (create, prove, attest_)
