"""`guard policy`: check, show, schema and test of the policy file. Reads and prints; the work is elsewhere."""

from __future__ import annotations

import click

from rollback_guard.entry import exit_codes
from rollback_guard.entry.policy_files import find_policy, here, read_beside, read_file
from rollback_guard.entry.wiring import say
from rollback_guard.errors import PolicyError
from rollback_guard.gate.scenario import Mismatch, read_scenarios, run_scenario
from rollback_guard.gate.scenario_model import Scenario
from rollback_guard.git.refs import HEADS, REMOTES, list_refs, short_branch
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.patterns import matches
from rollback_guard.policy.schema import render_schema
from rollback_guard.report.json_text import render_json
from rollback_guard.report.policy_text import (
    Shown,
    check_document,
    patterns_of,
    problem_line,
    render_policy_text,
    show_document,
)
from rollback_guard.report.visible import inert, visible

LAYOUT = click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)
REV = click.option("--rev", metavar="REV", help="Read the file from this commit instead of the work tree.")
FILE = click.argument("file", required=False)
TEST_FORMAT = "rollback-guard/policy-test/1"


@click.group()
def command() -> None:
    """The policy file: is it valid, how is it understood, does it do what the team means?

    \b
    Examples:
      guard policy check
      guard policy show --rev origin/main
      guard policy test tests/scenarios/*.toml

    FILE is rollback-guard.toml, or pyproject.toml with [tool.rollback-guard], at the repository's root when
    it is left out, and - for stdin.
    """


@command.command()
@FILE
@REV
@LAYOUT
@click.pass_context
def check(ctx: click.Context, file: str | None, rev: str | None, layout: str) -> None:
    """Say everything that is wrong with a policy: 0 when it is valid, 2 when it is not.

    \b
    Example:
      guard policy check rollback-guard.toml
    """
    try:
        policy, source = find_policy(file, rev)
    except PolicyError as error:
        problems = error.problems
        path = problems[0].file if problems else file or ""  # type: ignore[attr-defined]
        if layout == "json":
            say(render_json(check_document(path, problems)))  # type: ignore[arg-type]
        else:
            for problem in problems:
                say(problem_line(problem))  # type: ignore[arg-type]
            count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
            say(inert(f"{visible(path)} is not valid: {count}"), err=True)
        ctx.exit(exit_codes.USAGE)
    if layout == "json":
        say(render_json(check_document(source.path, ())))
    else:
        roles = ", ".join(role.role for role in policy.sign_off) or "no sign-off"
        branches = ", ".join(visible(pattern) for pattern in policy.production.branches)
        say(inert(f"{visible(source.path)} is valid: {branches} needs {roles}"))


@command.command()
@FILE
@REV
@LAYOUT
def show(file: str | None, rev: str | None, layout: str) -> None:
    """Show a policy as it is understood: teams as people, and the branches that each pattern matches.

    \b
    Example:
      guard policy show --rev origin/main
    """
    policy, source = find_policy(file, rev)
    repository = here()
    matched = None if repository is None else _matched(repository, patterns_of(policy))
    shown = Shown(policy=policy, path=source.path, rev=source.rev, matches=matched)
    say(render_json(show_document(shown)) if layout == "json" else render_policy_text(shown))


def _matched(repository: Repository, patterns: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The branches, local and remote-tracking, that each pattern matches, as they are called here."""
    remotes = tuple(repository.git.text("remote").splitlines())
    branches = []
    for ref in list_refs(repository, HEADS, REMOTES):
        called = ref.name.removeprefix(HEADS).removeprefix(REMOTES)
        branches.append((short_branch(ref.name, remotes), called))
    return {pattern: tuple(called for name, called in branches if matches(pattern, name)) for pattern in patterns}


@command.command()
@click.option(
    "--format", "layout", type=click.Choice(["text", "json"]), default="json", help="The same JSON, either way."
)
def schema(layout: str) -> None:
    """Print the JSON Schema (draft 2020-12) of the policy file, for editors.

    \b
    Example:
      guard policy schema > rollback-guard.schema.json
    """
    say(render_json(render_schema()))


@command.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--policy", "tested", metavar="FILE", help="Judge scenarios that name no policy by this one.")
@LAYOUT
@click.pass_context
def test(ctx: click.Context, files: tuple[str, ...], tested: str | None, layout: str) -> None:
    """Run scenario files: made-up changes with the verdicts that the team expects.

    Ends with 0 when all came as expected, with 1 when one did not, with 2 when a file cannot be used.

    \b
    Example:
      guard policy test examples/scenarios/*.toml
    \b
    A scenario file:
      policy = "rollback-guard.toml"           # relative to this file; else --policy, else the work tree's
      [[scenario]]
      name = "a commit on main itself is refused"
      stage = "push"
      [[scenario.commit]]
      author = "Jane Doe <jane@acme.example>"
      [scenario.expect]
      decision = "deny"
      violated = ["RG101", "RG102", "RG201"]
    """
    policies = _Policies(tested)
    results = []
    for file in files:
        source = read_file(file)
        for scenario in read_scenarios(source.data, source.path):
            policy = policies.judge(source.path, scenario)
            proposed = policies.proposed(source.path, scenario)
            results.append((source.path, scenario.name, run_scenario(policy, scenario, proposed=proposed)))
    failed = [name for _, name, mismatches in results if mismatches]
    if layout == "json":
        say(render_json(_test_document(results)))
    else:
        for path, name, mismatches in results:
            say(inert(f"{'differs' if mismatches else 'as expected'}  {visible(path)}: {visible(name)}"))
            for mismatch in mismatches:
                for line in _mismatch_lines(mismatch):
                    say(inert(line))
        say(f"{len(results) - len(failed)} of {len(results)} scenarios came as expected", err=True)
    ctx.exit(exit_codes.DENY if failed else exit_codes.ALLOW)


class _Policies:
    """The policies that scenarios name, each read once."""

    def __init__(self, tested: str | None) -> None:
        self._tested = tested
        self._read: dict[tuple[str, str | None], Policy] = {}

    def judge(self, scenarios: str, scenario: Scenario) -> Policy:
        """The policy that judges: the scenario's own, else the one under test."""
        return self._get(scenarios, scenario.policy)

    def proposed(self, scenarios: str, scenario: Scenario) -> Policy | None:
        """The policy that the change brings, when the scenario names one."""
        return None if scenario.proposed is None else self._get(scenarios, scenario.proposed)

    def _get(self, scenarios: str, path: str | None) -> Policy:
        key = ("" if path is None else scenarios, path)
        if key not in self._read:
            self._read[key] = find_policy(self._tested, None)[0] if path is None else read_beside(scenarios, path)
        return self._read[key]


def _mismatch_lines(mismatch: Mismatch) -> list[str]:
    head = f"    {visible(mismatch.subject)}: expected {mismatch.expected}, found {mismatch.found}"
    return [head, *(f"      {visible(detail)}" for detail in mismatch.detail)]


def _test_document(results: list[tuple[str, str, tuple[Mismatch, ...]]]) -> dict[str, object]:
    return {
        "format": TEST_FORMAT,
        "as-expected": not any(mismatches for _, _, mismatches in results),
        "scenarios": [
            {
                "file": path,
                "name": name,
                "as-expected": not mismatches,
                "mismatches": [
                    {
                        "subject": mismatch.subject,
                        "expected": mismatch.expected,
                        "found": mismatch.found,
                        "detail": list(mismatch.detail),
                    }
                    for mismatch in mismatches
                ],
            }
            for path, name, mismatches in results
        ],
    }
