"""`guard`: the list of commands, each imported only when it is invoked, and the one place that ends a run."""

from __future__ import annotations

import importlib
import itertools
import sys

import click

from rollback_guard import __version__
from rollback_guard.entry import exit_codes
from rollback_guard.entry.wiring import say, show, wants_colour
from rollback_guard.errors import GuardError

COMMANDS = {
    "audit": "what landed on a branch, commit by commit, as the policy of its day judged it",
    "backup": "take, prove, attest, list, restore, prune: databases and directories",
    "check": "the verdict on a change that would land",
    "demo": "the whole story on a throwaway repository, in seconds",
    "doctor": "what is installed, missing or bypassable here, with the remedy",
    "evidence": "list, show, verify, push, fetch: what was signed",
    "explain": "a rule's page, or why a landed commit was allowed",
    "hook": "what Git hooks call",
    "init": "write a commented policy, the pre-commit entries and a workflow",
    "install": "native hooks for this clone, or for a bare server repository",
    "policy": "check, show, schema, test: the policy file",
    "reland": "bring back what was reverted, the right way",
    "release": "tag, list and revoke stable releases",
    "revert": "go back to the last known stable release",
    "sign": "record your signed sign-off, or rejection, on exactly what would land",
    "squash-message": "the sign-off trailers for a forge's squash dialog",
    "waive": "record your signature under an exception from one rule",
}


class LazyGroup(click.Group):
    """A group whose commands live in `entry.cli.<name>` as `command`, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"rollback_guard.entry.cli.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="guard")
def cli() -> None:
    """Keep what reaches production approved, proven and reversible.

    \b
    Example:
      guard check --into main --head release/1.4

    Exit codes: 0 allowed or done, 1 denied, 2 wrong usage or invalid policy, 3 crash,
    4 could not be determined, 130 interrupted.
    """


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code; never raises."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        result = cli.main(args=arguments, prog_name="guard", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else exit_codes.ALLOW
    except GuardError as error:
        return _explain(error, arguments)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return exit_codes.USAGE
    except (click.Abort, KeyboardInterrupt):
        say("interrupted; nothing more was done", err=True)
        return exit_codes.INTERRUPTED
    except (BrokenPipeError, SystemExit):  # click makes the first into the second, with a code that means "denied"
        return _pipe_closed()
    except Exception as error:
        from rollback_guard.entry.crash import record_crash

        show(record_crash(error, arguments), sys.stderr)
        return exit_codes.CRASH


def _explain(error: GuardError, arguments: list[str]) -> int:
    """An error for a person on stderr and, where JSON was asked for, as a document on stdout."""
    from rollback_guard.report.terminal import render_error

    code = exit_codes.of_error(error)
    show(render_error(error, colour=wants_colour(sys.stderr)), sys.stderr)
    asked = "--format=json" in arguments or ("--format", "json") in itertools.pairwise(arguments)
    if asked and not error.begun:  # a document that was begun cannot be followed by another one
        from rollback_guard.report.json_text import error_document, render_json

        try:
            show(render_json(error_document(error, code)), sys.stdout)
        except GuardError:
            pass  # stdout takes nothing any more, which was perhaps the error
    return code


def _pipe_closed() -> int:
    """Whoever read our output stopped; point it at nothing so that Python's exit does not fail again."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_codes.INTERRUPTED


def open_streams() -> None:
    """Give a command that was started with closed streams ones that lead nowhere: the exit code says enough.

    Otherwise the next file that is opened would take the place of one, and be written to.
    """
    import os

    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def run() -> None:
    """The console script."""
    open_streams()
    sys.exit(main())
