"""`guard release`: tag, list and revoke stable releases. Asks the gate and prints; the work is in `release`."""

from __future__ import annotations

import shlex

import click

from rollback_guard.entry import exit_codes, releasing, releasing_revoke
from rollback_guard.entry.production import find_production, policy_of
from rollback_guard.entry.recorded_releases import recorded_of
from rollback_guard.entry.releasing import Done, Wanted
from rollback_guard.entry.wiring import here, say
from rollback_guard.errors import UndeterminedError, UsageError
from rollback_guard.gate.verdict import Verdict
from rollback_guard.release.plan import printable
from rollback_guard.release.stable import find_last_stable, read_releases
from rollback_guard.report.json_text import render_json
from rollback_guard.report.release_text import render_release, render_releases, render_revoked
from rollback_guard.report.visible import visible
from rollback_guard.report.wording import moment

LAYOUT = click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)
BRANCH = click.option(
    "--branch", metavar="BRANCH", help="The production branch.  [default: the policy's one, else the present one]"
)


class _TagByDefault(click.Group):
    """A group in which anything that is no command of its own is a revision to tag."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["tag", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_TagByDefault)
def command() -> None:
    """Tag a stable release: a commit of production that is known to work.

    \b
    Examples:
      guard release                        # production's tip, named by the policy's pattern
      guard release 1a2b3c4 --tag stable/2026.11.22.1
      guard release list
      guard release revoke stable/2026.11.22.1 --reason "orders were lost"

    `guard release [REV]` is short for `guard release tag [REV]`; see `guard release tag --help`.
    """


@command.command()
@click.argument("rev", required=False)
@click.option("--tag", "name", metavar="NAME", help="The tag's name.  [default: built from the policy's pattern]")
@BRANCH
@click.option("--message", "-m", metavar="T", help="The tag's message; what was proven follows it.")
@click.option("--key", metavar="PATH", help="SSH key to sign with.  [default: git's user.signingKey]")
@click.option("--no-smoke", is_flag=True, help="Do not run the policy's smoke tests; the tag says so.")
@click.option("--push", is_flag=True, help="Push the tag; under the next number when somebody took this one meanwhile.")
@LAYOUT
def tag(
    rev: str | None,
    name: str | None,
    branch: str | None,
    message: str | None,
    key: str | None,
    no_smoke: bool,
    push: bool,
    layout: str,
) -> int:
    """Tag REV (production's tip when it is left out) as a stable release, if the gate allows it.

    The policy's smoke tests are run first, when REV is production's tip. A commit that is a release already gets no
    second tag, unless --tag names it. With a key that the policy lists, what was tagged is signed for as evidence too.

    \b
    Example:
      guard release --key ~/.ssh/id_ed25519 --push
    """
    repository = here()
    if message is not None and not message.strip():
        raise UsageError("--message is empty", remedy='guard release --message "Stable since Monday"')
    wanted = Wanted(rev=rev, name=name, branch=branch, message=message, key=key, smoke=not no_smoke, push=push)
    done = releasing.release(repository, wanted, _show)
    if layout == "json":
        say(render_json(_document(done)))
        for note in done.released.notes:
            say(f"note: {printable(note)}", err=True)
    else:
        onward = _onward(done.released.tag, remote=done.remote, record=done.record)
        say(render_release(done.released, remote=done.remote, record=done.record, onward=onward))
    return exit_codes.ALLOW


def _show(verdict: Verdict) -> None:
    from rollback_guard.report.formats import render

    say(render(verdict, "text").rstrip("\n"), err=True)


def _onward(tag: str, *, remote: str, record: str) -> tuple[str, ...]:
    """What is left to do so that others get to see it."""
    push = () if remote else (f"git push origin {shlex.quote(f'refs/tags/{tag}')}",)
    return (*push, *(("guard evidence push",) if record else ()))


def _document(done: Done) -> dict[str, object]:
    """The JSON of what was tagged."""
    released = done.released
    fields = {name: value for name, value in released._asdict().items() if name not in ("notes", "proof")}
    shown = {key: printable(value) if isinstance(value, str) else value for key, value in fields.items()}
    return {
        "format": "rollback-guard/release/1",
        **shown,
        "verdict": released.proof.verdict or None,
        "smoke": [{"name": one.name, "passed": one.passed, "seconds": round(one.seconds, 3)} for one in done.smoke],
        "evidence": list(released.proof.evidence),
        "record": done.record or None,
        "pushed": printable(done.remote) or None,
    }


@command.command(name="list")
@BRANCH
@LAYOUT
def list_(branch: str | None, layout: str) -> int:
    """Every tag with a stable release's name, newest first, with its state and the reason.

    \b
    Example:
      guard release list --format json
    """
    repository = here()
    production = find_production(repository, branch, remote_too=True)
    policy = policy_of(production)
    recorded = recorded_of(repository, production.branch)
    releases = read_releases(repository, policy, production.tip, recorded)
    if layout == "json":
        rows = [
            {
                "tag": printable(one.tag),
                "commit": one.commit or None,
                "tagger": printable(one.tagger) or None,
                "date": moment(one.date) if one.date else None,
                "state": one.state,
                "reason": printable(one.reason) or None,
            }
            for one in releases
        ]
        say(render_json({"format": "rollback-guard/releases/1", "releases": rows}))
        return exit_codes.ALLOW
    try:
        chosen = find_last_stable(repository, policy, production.tip, branch=production.branch, recorded=recorded).tag
    except UsageError:
        chosen = None
    except UndeterminedError as error:
        say(f"note: which is the last stable release cannot be told: {visible(error.message)}", err=True)
        say(f"→ {visible(error.remedy)}", err=True)
        chosen = None
    say(render_releases(releases, production.branch, chosen))
    return exit_codes.ALLOW


@command.command()
@click.argument("tag_name", metavar="TAG")
@click.option("--reason", metavar="T", required=True, help="Why it is no longer stable; kept in the revocation.")
@BRANCH
@click.option("--key", metavar="PATH", help="SSH key to sign with.  [default: git's user.signingKey]")
@click.option("--push", is_flag=True, help="Push the revocation.")
@LAYOUT
def revoke(tag_name: str, reason: str, branch: str | None, key: str | None, push: bool, layout: str) -> int:
    """Mark TAG as no longer stable, with a reason. Nothing is deleted: a tag `revoked/TAG` is made.

    \b
    Example:
      guard release revoke stable/2026.11.22.1 --reason "orders were lost"
    """
    done = releasing_revoke.revoke(here(), tag_name, reason, branch=branch, key=key, push=push)
    if layout == "json":
        document = {
            "format": "rollback-guard/revocation/1",
            "tag": printable(done.tag),
            "revocation": printable(done.revocation),
            "reason": printable(done.reason),
            "record": done.record or None,
            "pushed": printable(done.remote) or None,
        }
        say(render_json(document))
        for note in done.notes:
            say(f"note: {printable(note)}", err=True)
    else:
        onward = _onward(done.revocation, remote=done.remote, record=done.record)
        say(render_revoked(done.tag, notes=done.notes, remote=done.remote, record=done.record, onward=onward))
    return exit_codes.ALLOW
