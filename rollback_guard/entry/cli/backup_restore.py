"""`guard backup restore`: says first what would be lost, asks, and puts a backup back beside what runs, then swaps."""

from __future__ import annotations

import shlex
import sys
import time
from typing import NamedTuple, Optional

import click

from rollback_guard.backup.catalogue import find, list_backups, load_record
from rollback_guard.backup.model import reaches
from rollback_guard.backup.pipeline import open_artefact
from rollback_guard.backup.restoring import begin, finish, give_up, loss_of, prepare
from rollback_guard.backup.sealing import read_keys
from rollback_guard.entry import exit_codes
from rollback_guard.entry.backup_named import Asked, Named, find_named
from rollback_guard.entry.backup_restore import forget, only_one, read_open, write_journal
from rollback_guard.entry.cli.backup_make import choose
from rollback_guard.entry.cli.backup_options import BRANCH, IDENTITY, LAYOUT, difference_documents, require_key
from rollback_guard.entry.wiring import here, say
from rollback_guard.errors import GuardError, RefusedError, UsageError
from rollback_guard.report.backup_text import render_loss, render_restored
from rollback_guard.report.json_text import render_json
from rollback_guard.report.visible import visible
from rollback_guard.report.wording import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from rollback_guard.backup.catalogue import Entry
    from rollback_guard.backup.model import Loss, Record, Restore
    from rollback_guard.backup.sealing import Keys


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

    What would be lost is said first. What was there before is kept under a dated name.

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
        found = [(named, entry, load_record(named.store, entry)) for named, entry in choose(asked, wanted)]
        for named, entry, record in found:
            _require_good(named, record, entry, unproven=unproven)
        sealed = [record.name for _, _, record in found if record.artefact.encryption]
        require_key(sealed, keys, shlex.join(["guard", "backup", "restore", *wanted]))
        losses = {record.name: _present(named, record) for named, _, record in found}
        for _, _, record in found:
            present = losses[record.name]
            said = render_loss(record, present.loss, present.place, known=present.known)
            say(said, err=layout == "json")
        if not yes:
            _confirm(wanted)
        now = time.time()
        open_ = [_Open(asked, named, record, begin(record, now=now), keys) for named, _, record in found]
        return _tell(_carry_out(open_), losses, layout)


class _Open(NamedTuple):
    """A restore that is not finished, with all that it needs."""

    asked: Asked
    named: Named
    record: Record
    restore: Restore
    keys: Optional[Keys]

    def note(self, restore: Restore) -> None:
        write_journal(self.asked.repository, restore)

    def prepare(self) -> _Open:
        def content() -> BinaryIO:
            return open_artefact(self.named.store, self.record.artefact, self.keys)

        return self._replace(restore=prepare(self.restore, self.record, self.named.engine(), content, self.note))

    def undo(self) -> None:
        """Leave nothing of it, before it took production's place; what cannot be removed now stays written down."""
        try:
            give_up(self.restore, self.named.engine())
            forget(self.asked.repository, self.restore)
        except GuardError:
            pass

    def finish(self) -> Restore:
        return finish(self.restore, self.named.engine(), self.note)


def _carry_out(open_: list[_Open]) -> list[tuple[Restore, str]]:
    """All of them beside first, and only then the swaps: what was taken as one set goes back as one."""
    ready: list[_Open] = []
    try:
        for one in open_:
            ready.append(one.prepare())
    except GuardError:
        for one in (*ready, *open_[len(ready) : len(ready) + 1]):
            one.undo()
        if all(one.restore.state in ("filling", "compared") for one in open_):
            say("note: nothing took the place of anything: production is as it was", err=True)
        raise
    try:
        return [(one.finish(), one.record.identity.place) for one in ready]
    except GuardError:
        say("note: it is written down how far this came. To go on:  guard backup restore --resume", err=True)
        raise


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
            remedy=_instead(named, entry),
        )


def _instead(named: Named, entry: Entry) -> str:
    """What to restore rather than a backup that is not proven."""
    listing = list_backups(named.store, time.time(), (named.spec.name,))
    good = next((one.label for one in listing.entries if reaches(one.level, named.spec.level)), "")
    if good:
        return f"guard backup restore {good}   # the newest that is; or: guard backup prove {entry.label}"
    return f"guard backup prove {entry.label}   # or take it all the same: --unproven"


_SERVED = ("postgresql", "mariadb")  # engines whose databases are made by a server, not by a restore


class _Present(NamedTuple):
    """What is there now: what would be lost of it, where it is, and whether it could be read at all."""

    loss: Loss
    place: str
    known: bool = True


def _present(named: Named, record: Record) -> _Present:
    """What would be lost, and of what. A source that cannot be asked any more may be lost altogether."""
    engine = named.engine()
    try:
        place = engine.identify().place
        with engine.snapshot() as snapshot:
            present = snapshot.fingerprint()
    except GuardError as error:
        say(f"note: {error.message}", err=True)
        if named.spec.engine in _SERVED:
            say("note: if the database itself is gone, first make an empty one by its name, then restore", err=True)
        return _Present(loss_of(record, record.fingerprint, now=time.time()), record.identity.place, known=False)
    if place != record.identity.place:
        say(f"note: it was taken of {visible(record.identity.place)}", err=True)
    return _Present(loss_of(record, present, now=time.time()), place)


def _confirm(wanted: tuple[str, ...]) -> None:
    again = shlex.join(["guard", "backup", "restore", *wanted])
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on; nothing was changed", remedy=f"{again} --yes")
    if not click.confirm("Restore?", err=True):
        raise RefusedError("not confirmed; nothing was changed", remedy=again)


def _go_on(asked: Asked, keys: Keys | None, layout: str, *, abort: bool) -> int:
    found = read_open(asked.repository)
    if not found:
        raise UsageError("no restore was cut short here", remedy="guard backup restore NAME")
    open_ = []
    for restore in found:
        named = next((one for one in asked.named if one.spec.name == restore.name), None)
        if named is None:
            raise UsageError(
                f"the policy names no backup {restore.name!r} any more, whose restore was cut short",
                remedy="land a change that names it again",
            )
        if abort:
            give_up(restore, named.engine())
            forget(asked.repository, restore)
            say(f"{visible(restore.id)} is given up; {visible(restore.name)} is as it was")
            continue
        listing = list_backups(named.store, time.time(), (named.spec.name,))
        record = load_record(named.store, find(listing, f"{restore.name}/{restore.record}"))
        open_.append(_Open(asked, named, record, restore, keys))
    return exit_codes.ALLOW if abort else _tell(_carry_out(open_), {}, layout)


def _tell(done: list[tuple[Restore, str]], losses: dict[str, _Present], layout: str) -> int:
    if layout == "json":
        documents = [_document(one, place, losses.get(one.name)) for one, place in done]
        say(render_json({"format": "rollback-guard/backup-restore/1", "restores": documents}))
    else:
        for one, place in done:
            say(render_restored(one, place))
    return exit_codes.ALLOW


def _document(one: Restore, place: str, lost: _Present | None) -> dict[str, Any]:
    return {
        "name": one.name,
        "id": one.record,
        "place": place,
        "aside": one.aside,
        "state": one.state,
        "begun": moment(int(one.begun)),
        "downtime-seconds": one.downtime,
        "lost": None if lost is None else _lost(lost),
    }


def _lost(present: _Present) -> dict[str, Any]:
    """`differences` is null where what was there could not be read."""
    loss = present.loss
    differences = difference_documents(loss.differences) if present.known else None
    return {"seconds": round(loss.seconds, 3), "differences": differences}


COMMANDS = (restore,)
