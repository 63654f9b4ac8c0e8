"""`guard backup restore`: says first what would be lost, asks, and puts a backup back beside what runs, then swaps."""

from __future__ import annotations

import shlex
import sys
import time

import click

from rollback_guard.backup.catalogue import find, list_backups, load_record
from rollback_guard.backup.model import reaches
from rollback_guard.backup.pipeline import open_artefact
from rollback_guard.backup.restoring import begin, carry_out, give_up, loss_of
from rollback_guard.backup.sealing import read_keys
from rollback_guard.entry import exit_codes
from rollback_guard.entry.backup_named import Asked, Named, find_named
from rollback_guard.entry.backup_restore import choose_open, forget, only_one, read_open, write_journal
from rollback_guard.entry.cli.backup_make import choose
from rollback_guard.entry.cli.backup_options import BRANCH, IDENTITY, LAYOUT
from rollback_guard.entry.wiring import here, say
from rollback_guard.errors import GuardError, RefusedError, UsageError
from rollback_guard.report.backup_text import render_loss, render_restored
from rollback_guard.report.json_text import render_json
from rollback_guard.report.visible import visible
from rollback_guard.report.wording import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rollback_guard.backup.catalogue import Entry
    from rollback_guard.backup.model import Loss, Record, Restore


@click.command()
@click.argument("wanted", metavar="[NAME|ID]...", nargs=-1)
@BRANCH
@IDENTITY
@click.option("--resume", is_flag=True, help="Finish the restore that was cut short.")
@click.option("--abort", is_flag=True, help="Give up the restore that was cut short, if production is as it was.")
@click.option("--unproven", is_flag=True, help="Take a backup that is not proven as far as the policy asks.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@LAYOUT
def restore(
    wanted: tuple[str, ...],
    branch: str | None,
    identity: str | None,
    resume: bool,
    abort: bool,
    unproven: bool,
    yes: bool,
    layout: str,
) -> int:
    """Put backups back: beside what runs, compared, then swapped. The newest of each NAME, or an ID.

    What would be lost is said first. What was there before is kept under a dated name, and can be swapped back.

    \b
    Examples:
      guard backup restore shop-db
      guard backup restore --resume        # after a crash: production is the old or the restored state

    Exit codes: 0 restored, 1 refused, 2 wrong usage, 4 it could not be done.
    """
    if (resume and abort) or ((resume or abort) and wanted) or not (resume or abort or wanted):
        raise UsageError(
            "name what is to be restored, or --resume, or --abort", remedy="guard backup list   # and take a NAME or ID"
        )
    asked = find_named(here(), (), branch)
    keys = None if identity is None else read_keys(identity)
    with only_one(asked.repository):
        if resume or abort:
            return _go_on(asked, keys, layout, abort=abort)
        _require_none_open(asked)
        found = [(named, load_record(named.store, entry)) for named, entry in choose(asked, wanted)]
        for (named, record), (_, entry) in zip(found, choose(asked, wanted), strict=True):
            _require_good(named, record, entry, unproven=unproven)
        losses = [_present(named, record) for named, record in found]
        for (_, record), (loss, place) in zip(found, losses, strict=True):
            say(render_loss(record, loss, place), err=layout == "json")
        if not yes:
            _confirm(wanted)
        done = []
        for named, record in found:
            done.append(_carry_out(asked, named, record, begin(record, now=time.time()), keys))
        return _tell(done, losses, layout)


def _require_none_open(asked: Asked) -> None:
    found = read_open(asked.repository)
    if found:
        raise RefusedError(
            f"the restore {found[0].id} was cut short, and is to be finished first",
            remedy="guard backup restore --resume   # or --abort, while production is as it was",
        )


def _require_good(named: Named, record: Record, entry: Entry, *, unproven: bool) -> None:
    if not entry.sound:
        raise RefusedError(
            f"{record.name} {record.id} does not stand up: {'; '.join(entry.problems)}", remedy="guard backup list"
        )
    if not unproven and not reaches(entry.level, named.spec.level):
        raise RefusedError(
            f"{record.name} {record.id} is proven {entry.level or 'not at all'}, and the policy asks for "
            f"{named.spec.level}",
            remedy=f"guard backup prove {record.id}   # or take it all the same: --unproven",
        )


def _present(named: Named, record: Record) -> tuple[Loss, str]:
    """What would be lost, and of what. A source that cannot be asked any more may be lost altogether."""
    engine = named.engine()
    try:
        place = engine.identify().place
        with engine.snapshot() as snapshot:
            present = snapshot.fingerprint()
    except GuardError as error:
        say(f"note: what is there now cannot be read, so what would be lost is not known: {error.message}", err=True)
        return loss_of(record, record.fingerprint, now=time.time()), record.identity.place
    if place != record.identity.place:
        say(f"note: it was taken of {visible(record.identity.place)}", err=True)
    return loss_of(record, present, now=time.time()), place


def _confirm(wanted: tuple[str, ...]) -> None:
    again = shlex.join(["guard", "backup", "restore", *wanted])
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on; nothing was changed", remedy=f"{again} --yes")
    if not click.confirm("Restore?", err=True):
        raise RefusedError("not confirmed; nothing was changed", remedy=again)


def _carry_out(asked: Asked, named: Named, record: Record, begun: Restore, keys: Any) -> tuple[Restore, str]:
    engine = named.engine()

    def note(restore: Restore) -> None:
        write_journal(asked.repository, restore)

    try:
        done = carry_out(begun, record, engine, lambda: open_artefact(named.store, record.artefact, keys), note)
    except RefusedError:
        forget(asked.repository, begun)  # what was put beside is gone again, and production is as it was
        raise
    return done, record.identity.place


def _go_on(asked: Asked, keys: Any, layout: str, *, abort: bool) -> int:
    found = choose_open(asked.repository)
    named = next((one for one in asked.named if one.spec.name == found.name), None)
    if named is None:
        raise UsageError(
            f"the policy names no backup {found.name!r} any more, whose restore was cut short",
            remedy="land a change that names it again",
        )
    if abort:
        give_up(found, named.engine())
        forget(asked.repository, found)
        say(f"{visible(found.id)} is given up; production is as it was")
        return exit_codes.ALLOW
    listing = list_backups(named.store, time.time(), (named.spec.name,))
    record = load_record(named.store, find(listing, f"{found.name}/{found.record}"))
    return _tell([_carry_out(asked, named, record, found, keys)], [], layout)


def _tell(done: list[tuple[Restore, str]], losses: list[tuple[Loss, str]], layout: str) -> int:
    if layout == "json":
        documents = []
        for index, (one, place) in enumerate(done):
            loss = losses[index][0] if losses else None
            documents.append(
                {
                    "name": one.name,
                    "id": one.record,
                    "place": place,
                    "aside": one.aside,
                    "state": one.state,
                    "begun": moment(int(one.begun)),
                    "downtime-seconds": one.downtime,
                    "lost": None if loss is None else _lost(loss),
                }
            )
        say(render_json({"format": "rollback-guard/backup-restore/1", "restores": documents}))
    else:
        for one, place in done:
            say(render_restored(one, place))
    return exit_codes.ALLOW


def _lost(loss: Loss) -> dict[str, Any]:
    return {
        "seconds": round(loss.seconds, 3),
        "tables": [{"name": name, "rows-then": before, "rows-now": after} for name, before, after in loss.tables],
        "structure": [{"kind": one.kind, "name": one.name, "what": one.what} for one in loss.declared],
    }


COMMANDS = (restore,)
