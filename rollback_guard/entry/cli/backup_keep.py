"""`guard backup list|prune`: what there is, what of it still stands up, and what may go."""

from __future__ import annotations

import sys
import time

import click

from rollback_guard.backup.catalogue import Entry, list_backups
from rollback_guard.backup.model import reaches
from rollback_guard.backup.pruning import PrunePlan, carry_out_prune, plan_prune
from rollback_guard.entry import exit_codes
from rollback_guard.entry.backup_named import Asked, Named, find_named
from rollback_guard.entry.backup_needed import needed_in
from rollback_guard.entry.cli.backup_options import BRANCH, LAYOUT, backup_document
from rollback_guard.entry.wiring import here, say
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.policy.scalars import seconds_of
from rollback_guard.report.backup_text import Row, render_list
from rollback_guard.report.json_text import render_json
from rollback_guard.report.visible import visible
from rollback_guard.report.wording import counted, moment, size_in_words, span_in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@click.command(name="list")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@BRANCH
@LAYOUT
def list_(names: tuple[str, ...], branch: str | None, layout: str) -> int:
    """What is in the stores: age, size, how far it is proven, where it is, and whether it still stands up.

    \b
    Example:
      guard backup list shop-db
    """
    asked = find_named(here(), names, branch)
    now = time.time()
    rows, documents, problems = [], [], []
    for named in asked.named:
        listing = list_backups(named.store, now, (named.spec.name,))
        problems += [f"{one.file}: {one.what}" for one in listing.problems]
        for entry in listing.entries:
            faults = _faults(named, entry, now)
            rows.append(Row(record=entry.record, store=named.store.shown, level=entry.level, faults=faults))
            document = backup_document(entry.record, entry.proof, None)
            del document["uncovered"]  # a list reads no fingerprint; the attestation names what is not covered
            document |= {"rows": entry.rows, "store": named.store.shown, "good": not faults, "faults": list(faults)}
            documents.append((entry.record.snapshot, document))
    rows.sort(key=lambda row: row.record.snapshot, reverse=True)
    if layout == "json":
        ordered = [document for _, document in sorted(documents, key=lambda one: one[0], reverse=True)]
        say(render_json({"format": "rollback-guard/backup-list/1", "backups": ordered, "problems": problems}))
    else:
        say(render_list(tuple(rows), tuple(problems), now))
    return exit_codes.ALLOW


def _faults(named: Named, entry: Entry, now: float) -> tuple[str, ...]:
    """Why a backup would not be gone back to. That it is old makes it no worse, but for the gate."""
    found = list(entry.problems)
    if entry.sound and not reaches(entry.level, named.spec.level):
        why = entry.proof.fault if entry.proof is not None and entry.proof.fault else "it was not proven further"
        found.append(f"the policy asks for {named.spec.level}: {why}")
    if now - entry.record.snapshot < -300:
        found.append("it claims to be of a moment that is yet to come: a clock is wrong")
    return tuple(found)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@BRANCH
@click.option("--keep", type=click.IntRange(min=1), metavar="N", help="Keep the newest N of each.")
@click.option("--within", metavar="SPAN", help="Keep what is not older, such as 30d or 12h.")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would go, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@LAYOUT
def prune(
    names: tuple[str, ...],
    branch: str | None,
    keep: int | None,
    within: str | None,
    only_plan: bool,
    yes: bool,
    layout: str,
) -> int:
    """Remove old backups. What a stable release or an open restore needs stays, and the newest proven one of each.

    \b
    Example:
      guard backup prune --keep 7 --within 30d --plan
    """
    if keep is None and within is None:
        raise UsageError("nothing says how many are to be kept", remedy="guard backup prune --keep 7 --within 30d")
    asked = find_named(here(), names, branch)
    now = time.time()
    span = None if within is None else seconds_of(within)
    if within is not None and span is None:
        raise UsageError(f"--within: {within!r} is no span of time", remedy="guard backup prune --within 30d")
    listings = [list_backups(named.store, now, (named.spec.name,)) for named in asked.named]
    needed = needed_in(asked, listings)
    plans = [
        (
            named,
            plan_prune(
                listing,
                named.store,
                now,
                newest=keep,
                within=span,
                needed=needed,
                levels={named.spec.name: named.spec.level},
            ),
        )
        for named, listing in zip(asked.named, listings, strict=True)
    ]
    some = any(plan.remove or plan.leftovers for _, plan in plans)
    if layout == "text" or not only_plan:
        for named, plan in plans:
            _show(named.spec.name, plan, now, err=layout == "json")
    if some and not only_plan:
        if not yes:
            _confirm(asked)
        for named, plan in plans:
            done = carry_out_prune(named.store, plan, now)
            for locked in done.locked:
                say(f"locked: {visible(locked.label)}", err=True)
    if layout == "json":
        say(render_json({"format": "rollback-guard/backup-prune/1", "plan": only_plan, **_document(plans)}))
    elif some and not only_plan:
        say("removed")
    return exit_codes.ALLOW


def _show(name: str, plan: PrunePlan, now: float, *, err: bool) -> None:
    count = counted(len(plan.remove), "backup goes", "backups go")
    stays = counted(len(plan.kept), "stays", "stay")
    say(f"{visible(name)}: {count}, {size_in_words(plan.size)}; {stays}", err=err)
    for entry in plan.remove:
        say(f"  goes: {visible(entry.label)}, {span_in_words(now - entry.record.snapshot)} old", err=err)
    for kept in plan.kept:
        say(f"  stays: {visible(kept.entry.label)}: {kept.why}", err=err)
    for locked in plan.locked:
        until = f", until {moment(int(locked.until))}" if locked.until else ""
        say(f"  locked: {visible(locked.label)}{until}", err=err)
    for file in plan.leftovers:
        say(f"  goes, and is no backup: {visible(file)}", err=err)


def _confirm(asked: Asked) -> None:
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on; nothing was removed", remedy="guard backup prune … --yes")
    if not click.confirm("Remove them?", err=True):
        raise RefusedError("not confirmed; nothing was removed", remedy="guard backup prune --plan")


def _document(plans: list[tuple[Named, PrunePlan]]) -> dict[str, Any]:
    every = [plan for _, plan in plans]
    return {
        "removed": [one.label for plan in every for one in plan.remove],
        "kept": [{"backup": one.entry.label, "why": one.why} for plan in every for one in plan.kept],
        "locked": [one.label for plan in every for one in plan.locked],
        "leftovers": [one for plan in every for one in plan.leftovers],
    }


COMMANDS = (list_, prune)
