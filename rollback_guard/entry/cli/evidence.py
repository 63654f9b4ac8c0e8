"""`guard evidence`: what is recorded about a change, one envelope in full, its signature, and other clones."""

from __future__ import annotations

from typing import Any

import click

from rollback_guard.entry import exit_codes
from rollback_guard.entry.evidence_reading import (
    choose_remote,
    evidence_of,
    find_stored,
    in_batches,
    statement_of,
)
from rollback_guard.entry.key_ring import GOOD, KeyRing
from rollback_guard.entry.proposal import Proposed
from rollback_guard.entry.signing import Asked, propose
from rollback_guard.entry.wiring import ask, here, say
from rollback_guard.errors import UsageError
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import binding_key
from rollback_guard.evidence.store import Stored, evidence_refs, list_all, look_up, look_up_about
from rollback_guard.evidence.subject import Subject, subject_of
from rollback_guard.facts.model import Known
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode
from rollback_guard.report.evidence_text import (
    Evidence,
    render_evidence,
    render_moved,
    render_rows,
    render_statement,
    render_verified,
)
from rollback_guard.report.json_text import iter_list_json, render_json
from rollback_guard.report.wording import counted, moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


EARLIER_HEADS = 50  # newest commits of a change about which evidence is looked for
LAYOUT = click.option("--format", "layout", type=click.Choice(("text", "json")), default="text", show_default=True)


@click.group(name="evidence")
def command() -> None:
    """What people signed: sign-offs, waivers, verdicts, releases and backups, kept in refs/rollback-guard/evidence.

    \b
    Examples:
      guard evidence fetch
      guard evidence list --into main --head release/1.4
      guard evidence show 5f1c793688ae
      guard evidence verify
      guard evidence push
    """


@command.command(name="list")
@click.option("--into", metavar="BRANCH", help="The production branch that the change would land on.")
@click.option("--head", metavar="REV", help="What would land; HEAD if not given.")
@click.option("--repository", metavar="URL", help="The repository that the change goes to.")
@click.option("--all", "everything", is_flag=True, help="All that is recorded; signatures are not looked at.")
@LAYOUT
def list_(into: str | None, head: str | None, repository: str | None, everything: bool, layout: str) -> int:
    """What is recorded about a change, or with --all everything.

    \b
    Example:
      guard evidence list --into main --head release/1.4 --format json
    """
    if everything:
        question = ask(here())
        opened = (open_envelope(one.stored.data) for one in list_all(question.repository))
        rows = (evidence_of(one) for one in opened if isinstance(one, Opened))
        return _list(rows, "everything", layout)
    proposed = propose(Asked(into=into, head=head, repository=repository))
    about = f"{str(proposed.change.head)[:12]} into {proposed.branch}"
    return _list(_about(proposed), about, layout)


def _list(rows: Iterator[Evidence] | list[Evidence], about: str, layout: str) -> int:
    if layout == "json":
        for piece in iter_list_json("rollback-guard/evidence-list/1", "evidence", map(_document, rows)):
            click.echo(piece, nl=False)
    elif isinstance(rows, list):
        say(render_evidence(tuple(rows), about))
    else:
        shown = False
        for line in render_rows(rows):
            say(line)
            shown = True
        if not shown:
            say("Nothing is recorded here\n→ guard evidence fetch")
    return exit_codes.ALLOW


def _about(proposed: Proposed) -> list[Evidence]:
    """Everything about a change, with what the signature is worth and whether it is about something else."""
    question, change = proposed.question, proposed.change
    stored = {one.name: one for one in _look(proposed)}
    opened = [one for one in (open_envelope(one.data) for one in stored.values()) if isinstance(one, Opened)]
    states = KeyRing(question).judge(opened)
    decisions = change.decisions.value if isinstance(change.decisions, Known) else ()
    waivers = change.waivers.value if isinstance(change.waivers, Known) else ()
    gate = {one.digest: (one.fault, one.stale) for one in decisions}
    gate.update((one.digest, (one.fault, one.stale)) for one in waivers)
    rows = []
    for one, state in zip(opened, states, strict=True):
        fault, stale = gate.get(one.id, ("", ""))
        rows.append(evidence_of(one, (fault or GOOD) if state == GOOD else state, stale))
    return sorted(rows, key=lambda row: (row.time, row.id))


def _look(proposed: Proposed) -> Iterator[Stored]:
    repository, change = proposed.question.repository, proposed.change
    refs = evidence_refs(repository)
    subject = subject_of(change)
    git, policy = repository.git, proposed.found.policy
    limit = (f"--max-count={EARLIER_HEADS}", str(change.head))
    base = [f"^{change.base.value}"] if isinstance(change.base, Known) and change.base.value else []
    heads = [str(change.head), *decode(git.run("rev-list", *limit, *base, "--").stdout).split()]
    with ObjectReader(git) as objects:
        if isinstance(subject, Subject):
            kinds = {role.binding for role in policy.sign_off} if policy is not None else set()
            for kind in sorted({*kinds, "result"}):
                key = binding_key(subject.binding(kind, repository))
                for store in ("sign-off", "waiver", "verdict"):
                    yield from look_up(objects, refs, store, key)
        yield from look_up_about(objects, refs, heads)


def _document(one: Evidence) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "says": one.said,
        "signer": one.signer,
        "time": moment(one.time),
        "repository": one.repository,
        "target": one.target,
        "base": one.base,
        "head": one.head,
        **({"verifies": one.state == GOOD, "state": one.state} if one.state else {}),
        **({"stale": one.stale} if one.stale else {}),
    }


@command.command()
@click.argument("digest", metavar="ID")
@LAYOUT
def show(digest: str, layout: str) -> int:
    """One envelope in full: what it says, who signed it, and what the signature is worth. ID: its first digits.

    \b
    Example:
      guard evidence show 5f1c793688ae
    """
    question = ask(here())
    stored = find_stored(question.repository, digest)
    opened = open_envelope(stored.data)
    if not isinstance(opened, Opened):
        raise UsageError(f"{stored.name} cannot be read: it {opened}", remedy="guard evidence verify")
    (state,) = KeyRing(question).judge([opened])
    statement = statement_of(opened, state)
    if layout == "json":
        import json

        document = {
            "format": "rollback-guard/evidence/1",
            **_document(statement.evidence),
            "key": statement.key,
            "statement": json.loads(opened.envelope.payload),
            "envelope": json.loads(stored.data),
        }
        say(render_json(document))
    else:
        say(render_statement(statement))
    return exit_codes.ALLOW if state == GOOD else exit_codes.DENY


@command.command()
@click.argument("digests", metavar="[ID]...", nargs=-1)
@LAYOUT
def verify(digests: tuple[str, ...], layout: str) -> int:
    """Check signatures by the keys of the policy: those of some envelopes, or all that are recorded.

    \b
    Example:
      guard evidence verify

    Exit codes: 0 all verify, 1 one does not, 2 wrong usage, 4 they could not be checked.
    """
    question = ask(here())
    repository = question.repository
    if digests:
        stored = [find_stored(repository, one) for one in digests]
    ring, good = KeyRing(question), 0
    bad: list[Evidence] = []
    unreadable: list[tuple[str, str]] = []

    def readable() -> Iterator[Opened]:
        for one in stored if digests else (listed.stored for listed in list_all(repository)):
            opened = open_envelope(one.data)
            if isinstance(opened, Opened):
                yield opened
            else:
                unreadable.append((one.name.removesuffix(".json"), opened))

    for batch in in_batches(readable()):
        for opened, state in zip(batch, ring.judge(batch), strict=True):
            good += state == GOOD
            if state != GOOD:
                bad.append(evidence_of(opened, state))
    if layout == "json":
        document = {
            "format": "rollback-guard/evidence-verify/1",
            "verified": good,
            "bad": [_document(one) for one in bad] + [{"id": name, "state": why} for name, why in unreadable],
        }
        say(render_json(document))
    else:
        say(render_verified(good, tuple(bad), tuple(unreadable)))
    return exit_codes.DENY if bad or unreadable else exit_codes.ALLOW


@command.command()
@click.argument("remote", required=False)
@LAYOUT
def push(remote: str | None, layout: str) -> int:
    """Send what is recorded here to a remote, joined with what it has. REMOTE: origin, or the only one.

    \b
    Example:
      guard evidence push origin

    Exit codes: 0 it has everything, 1 it does not take something, which is named and stays here, 2 wrong usage.
    """
    from rollback_guard.evidence.remote import push as send

    question = ask(here())
    name = choose_remote(question, remote)

    def unfit(opened: Sequence[Opened]) -> list[str]:
        return ["" if said == GOOD else said for said in KeyRing(question).judge(opened)]

    done = send(question.repository, name, unfit)
    if layout == "json":
        document = {"format": "rollback-guard/evidence-push/1", "remote": name, "tip": done.tip, "sent": done.sent}
        say(render_json({**document, "skipped": list(done.skipped), "kept": list(done.kept)}))
    else:
        nothing = "nothing is recorded here" if done.tip is None else "it has everything already"
        said = "sent" if done.kept else f"sent, it is at {str(done.tip)[:12]} now"
        say(render_moved(name, said if done.sent else nothing, done.skipped, done.kept))
    return exit_codes.DENY if done.kept else exit_codes.ALLOW


@command.command()
@click.argument("remote", required=False)
@LAYOUT
def fetch(remote: str | None, layout: str) -> int:
    """Get what a remote has, and join it to what is recorded here. REMOTE: origin, or the only one.

    \b
    Example:
      guard evidence fetch origin
    """
    from rollback_guard.evidence.remote import fetch as get

    question = ask(here())
    name = choose_remote(question, remote)
    done = get(question.repository, name)
    if layout == "json":
        document = {"format": "rollback-guard/evidence-fetch/1", "remote": name, "tip": done.tip, "added": done.added}
        say(render_json({**document, "skipped": list(done.skipped)}))
    else:
        new = f"{counted(done.added, 'new envelope', 'new envelopes')}" if done.added else "nothing new"
        say(render_moved(name, new if done.theirs is not None else "it has no evidence", done.skipped))
    return exit_codes.ALLOW
