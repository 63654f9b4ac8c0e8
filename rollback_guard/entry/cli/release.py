"""`guard release`: tag, list and revoke stable releases. Asks the gate and prints; the work is in `release`."""

from __future__ import annotations

import shlex
import time

import click

from rollback_guard.entry import exit_codes
from rollback_guard.entry.production import find_production, policy_of
from rollback_guard.entry.tag_name import require_fit_name
from rollback_guard.entry.wiring import here, say
from rollback_guard.errors import RefusedError, UndeterminedError, UsageError
from rollback_guard.facts.range import scratch_folder
from rollback_guard.gate.verdict import Verdict
from rollback_guard.git.refs import require_commit
from rollback_guard.git.repository import Repository
from rollback_guard.git.tags import check_tag_name
from rollback_guard.release.message import fold_reason
from rollback_guard.release.missing_reverts import require_no_missing_reverts
from rollback_guard.release.plan import printable
from rollback_guard.release.stable import find_last_stable, read_releases
from rollback_guard.release.tagging import (
    require_on_branch,
    require_releaser,
    revoke_release,
    tag_release,
    tagged_already,
)
from rollback_guard.report.json_text import render_json
from rollback_guard.report.release_text import render_release, render_releases
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
@click.option("--message", "-m", metavar="T", help="The tag's message.")
@click.option("--key", metavar="PATH", help="SSH key to sign with.  [default: git's user.signingKey]")
@LAYOUT
def tag(
    rev: str | None, name: str | None, branch: str | None, message: str | None, key: str | None, layout: str
) -> int:
    """Tag REV (production's tip when it is left out) as a stable release, if the gate allows it.

    A commit that is one already gets no second tag, unless --tag names it.

    \b
    Example:
      guard release --key ~/.ssh/id_ed25519
    """
    repository = here()
    if message is not None and not message.strip():
        raise UsageError("--message is empty", remedy='guard release --message "Stable since Monday"')
    production = find_production(repository, branch, remote_too=True)
    policy = policy_of(production)
    commit = production.tip if rev is None else require_commit(repository, rev, "REV")
    now = int(time.time())
    require_releaser(repository, policy)
    require_on_branch(repository, commit, production.tip, production.branch)
    if name is not None:
        check_tag_name(repository, name)
        require_fit_name(repository, policy, production.branch, name, now)
    released = tagged_already(repository, policy, commit, production.branch)
    # A tag that was asked for by name, or to be signed, is made beside the one that is there.
    if released is None or name is not None or (key is not None and not released.signed):
        _require_allowed(judge(repository, commit, production.ref, as_of=now), commit)
        require_no_missing_reverts(
            *(repository, policy, scratch_folder()), commit=commit, branch=production.branch, tip=production.tip
        )
        released = tag_release(
            repository, policy, commit=commit, branch=production.branch, name=name, message=message, key=key, now=now
        )
    if layout == "json":
        fields = {name: value for name, value in released._asdict().items() if name != "notes"}
        shown = {key: printable(value) if isinstance(value, str) else value for key, value in fields.items()}
        say(render_json({"format": "rollback-guard/release/1", **shown}))
        for note in released.notes:
            say(f"note: {printable(note)}", err=True)
    else:
        say(render_release(released))
    return exit_codes.ALLOW


def judge(repository: Repository, commit: str, branch: str, *, as_of: int) -> Verdict:
    """The gate's verdict on a commit that landed; a function of its own so that tests can stand in for the gate."""
    from rollback_guard.entry.judge_history import judge_landed

    return judge_landed(repository, commit, branch, as_of=as_of)[1]


def _require_allowed(verdict: Verdict, commit: str) -> None:
    """Show and refuse what is not allowed. Raises: RefusedError, UndeterminedError."""
    if verdict.decision == "allow":
        return
    from rollback_guard.report.formats import render

    say(render(verdict, "text").rstrip("\n"), err=True)
    remedy = f"guard explain {commit}"
    if verdict.decision == "undetermined":
        raise UndeterminedError(f"{commit} was not tagged: whether it may be could not be determined", remedy=remedy)
    raise RefusedError(f"{commit} was not tagged: the verdict on it is not allow", remedy=remedy)


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
    releases = read_releases(repository, policy, production.tip)
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
        chosen = find_last_stable(repository, policy, production.tip, branch=production.branch).tag
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
@LAYOUT
def revoke(tag_name: str, reason: str, branch: str | None, layout: str) -> int:
    """Mark TAG as no longer stable, with a reason. Nothing is deleted: a tag `revoked/TAG` is made.

    \b
    Example:
      guard release revoke stable/2026.11.22.1 --reason "orders were lost"
    """
    repository = here()
    policy = policy_of(find_production(repository, branch, remote_too=True))
    made = revoke_release(repository, policy, name=tag_name, reason=reason)
    if layout == "json":
        revoked = {"tag": printable(made.partition("/")[2]), "revocation": printable(made)}
        say(render_json({"format": "rollback-guard/revocation/1", **revoked, "reason": printable(fold_reason(reason))}))
        return exit_codes.ALLOW
    say(f"{visible(made.partition('/')[2])} is no longer a stable release")
    say(f"→ git push origin {visible(shlex.quote(f'refs/tags/{made}'))}")
    return exit_codes.ALLOW
