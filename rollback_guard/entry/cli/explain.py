"""`guard explain`: a rule's page, or why a landed commit was allowed or not."""

from __future__ import annotations

import json
import sys

import click

from rollback_guard.entry.cli.check import write_out
from rollback_guard.entry.exit_codes import of_decision
from rollback_guard.entry.judge import verdict_of
from rollback_guard.entry.judge_history import judge_landed
from rollback_guard.entry.pending import find_way
from rollback_guard.entry.proposal import Proposed, judge, read_proposed
from rollback_guard.entry.target import find_target, ref_at
from rollback_guard.entry.wiring import ask, here, plain_letters, wants_colour, width_of
from rollback_guard.errors import UsageError
from rollback_guard.facts.range import Proposal
from rollback_guard.facts.surroundings import repository_of
from rollback_guard.gate.registry import RULES, find_rule
from rollback_guard.gate.rule import Rule
from rollback_guard.gate.verdict import Verdict
from rollback_guard.git.history_chain import landing_of
from rollback_guard.git.refs import is_ancestor, require_commit, resolve_commit
from rollback_guard.report.formats import render
from rollback_guard.report.json_text import render_json, verdict_document
from rollback_guard.report.rule_page import render_rule_text
from rollback_guard.report.sign_text import Way, render_way


@click.command(name="explain")
@click.argument("what", metavar="ID|REV")
@click.option("--into", metavar="BRANCH", help="The production branch, if not the policy's one.")
@click.option("--format", "layout", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.pass_context
def command(ctx: click.Context, what: str, into: str | None, layout: str) -> None:
    """A rule's page; or, for a commit, why it was allowed to land, or what it still lacks.

    \b
    Example:
      guard explain RG201
      guard explain evil-merge
      guard explain main~3

    A landed commit is judged by the policy of its day, offline. For a commit that has not landed, the
    fewest signatures that would let it land follow, with the command for each person. The exit code is 0
    for a rule, and the verdict's own for a commit.
    """
    rule = find_rule(what)
    if rule is not None:
        write_out(render_rule_text(rule) if layout == "text" else json.dumps(_rule_document(rule), indent=2), None)
        return
    verdict, proposed = _verdict(what, into)
    way = find_way(proposed) if proposed is not None and verdict.decision != "allow" else None
    if layout == "json":
        more = {} if way is None else {"to-allow": _way_document(way)}
        write_out(render_json({**verdict_document(verdict), **more}), None)
    else:
        stream = sys.stdout
        width, colour, plain = width_of(stream), wants_colour(stream), plain_letters(stream)
        head = (
            "landed; judged by the policy of its day" if proposed is None else "has not landed; judged as if it did now"
        )
        write_out(f"{what}: {head}", None)
        write_out(render(verdict, "text", colour=colour, width=width, ascii_only=plain, verbose=True), None)
        if way is not None and (way.needed or way.others):
            write_out("\n" + render_way(way), None)
    ctx.exit(of_decision(verdict.decision))


def _rule_document(rule: Rule) -> dict[str, object]:
    return {
        "format": "rollback-guard/rule/1",
        "id": rule.id,
        "name": rule.name,
        "violated-when": rule.title,
        "why": rule.why,
        "example": rule.example,
        "needs": list(rule.needs),
        "offline": rule.offline,
        "remedy": rule.remedy,
    }


def _way_document(way: Way) -> dict[str, object]:
    return {
        "allowed": way.allowed,
        "sign-offs": [
            {"role": one.role, "count": one.number, "people": list(one.people), "command": one.command}
            for one in way.needed
        ],
        "other-rules": [rule for rule, _ in way.others],
    }


def _verdict(what: str, into: str | None) -> tuple[Verdict, Proposed | None]:
    """The verdict on a commit, and the proposal where it has not landed.

    Raises: UsageError when the argument is neither a rule nor a commit.
    """
    question = ask(here())
    if resolve_commit(question.repository, what) is None:
        known = ", ".join(rule.id for rule in RULES)
        raise UsageError(
            f"{what!r} is neither a rule nor a commit here", remedy=f"guard explain RG201   # rules: {known}"
        )
    commit = require_commit(question.repository, what, "REV")
    target, tip = find_target(question, into)
    if is_ancestor(question.repository, commit, tip):
        landing = landing_of(question.repository.git, commit, tip) or commit
        _, verdict = judge_landed(question.repository, landing, ref_at(question, target, tip), as_of=question.as_of)
        return verdict, None
    proposal = Proposal(stage="range", target=target, base=tip, head=commit, repository=repository_of(question.around))
    proposed = read_proposed(question, proposal)
    return verdict_of(question, (judge(proposed),)), proposed
