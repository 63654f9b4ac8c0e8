"""`guard squash-message`: the sign-off trailers for a forge's squash dialog."""

from __future__ import annotations

import click

from rollback_guard.entry import exit_codes
from rollback_guard.entry.proposal import require_open, require_policy, standings
from rollback_guard.entry.signing import Asked, propose
from rollback_guard.entry.wiring import say
from rollback_guard.gate.people import called
from rollback_guard.report.json_text import render_json
from rollback_guard.report.visible import visible


@click.command(name="squash-message")
@click.option("--into", metavar="BRANCH", help="The production branch that the change would land on.")
@click.option("--head", metavar="REV", help="What would land; HEAD if not given.")
@click.option("--repository", metavar="URL", help="The repository that the change goes to.")
@click.option("--format", "layout", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(into: str | None, head: str | None, repository: str | None, layout: str) -> int:
    """The trailers of everybody whose sign-off counts on exactly this change, to paste below a squash message.

    What a squash lands must have the tree that was signed. Roles that still lack somebody are named on stderr.

    \b
    Example:
      guard squash-message --into main --head release/1.4

    Exit codes: 0 every role is complete, 1 one is not, 2 wrong usage or invalid policy, 4 undetermined.
    """
    proposed = propose(Asked(into=into, head=head, repository=repository))
    policy = require_policy(proposed)
    require_open(proposed)
    found = standings(proposed, policy)
    trailers = [(role.trailer, called(policy, person)) for role, people in found.signed for person in people]
    text = "\n".join(f"{key}: {who}" for key, who in trailers)
    if layout == "json":
        document = {
            "format": "rollback-guard/squash-message/1",
            "trailers": [{"key": key, "value": who} for key, who in trailers],
            "text": text,
            "missing": [{"role": one.role, "have": one.have, "count": one.wanted} for one in found.lacking],
        }
        say(render_json(document))
    elif text:
        say(visible(text, keep="\n"))
    for one in found.lacking:
        why = f": {one.unknown}" if one.unknown else ""
        say(visible(f"{one.role} has {one.have} of {one.wanted}{why}  ({one.command})"), err=True)
    if any(one.unknown for one in found.lacking):
        return exit_codes.UNDETERMINED
    return exit_codes.DENY if found.lacking else exit_codes.ALLOW
