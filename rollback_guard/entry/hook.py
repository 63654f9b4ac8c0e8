"""What hooks call: one stage of git, its arguments and input, to an exit code and a few lines on stderr.

Starts fast: what most commits need is asked first, and the gate is imported only when production is
concerned. Judging is `entry.judge`; this module only reads what git gives each stage. A hook that cannot
decide does not let through: every error is an exit code other than 0.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rollback_guard.errors import GuardError
    from rollback_guard.gate.verdict import Verdict

    Tell = Callable[[Verdict], None]

STAGES = (
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "pre-push",
    "pre-receive",
    "policy",
    "migrations",
)
USAGE_TEXT = f"usage: guard-hook STAGE [ARGUMENT...], where STAGE is one of {', '.join(STAGES)}"


def main(argv: list[str] | None = None) -> int:
    """Run one stage and return the exit code; never raises."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        return run_stage(arguments, os.environ)
    except KeyboardInterrupt:
        _say("interrupted; nothing was allowed")
        return 130
    except Exception as error:
        from rollback_guard.errors import GuardError

        if isinstance(error, GuardError):
            return _explain(error)
        from rollback_guard.entry.crash import record_crash

        _say(record_crash(error, arguments))
        return 3


def run_stage(arguments: list[str], environ: Mapping[str, str], tell: Tell | None = None) -> int:
    """Run one stage; `tell` hears the verdict, where there is one, in place of a person on stderr.

    Raises: GuardError when it cannot be decided.
    """
    own_path = ""
    if arguments[:1] == ["--self"]:
        own_path = arguments[1] if len(arguments) > 1 else ""
        arguments = arguments[2:]
    if arguments[:1] in (["-h"], ["--help"]):
        _say(USAGE_TEXT)
        return 0
    if not arguments or arguments[0] not in STAGES:
        _say(USAGE_TEXT)
        return 2
    stage, rest = arguments[0], arguments[1:]
    stdin = _stdin(stage, rest, environ, own_path)
    code = _decide(stage, rest, stdin, environ, tell)
    if code == 0 and own_path:
        from rollback_guard.git.hooks import displaced_hook, run_displaced

        displaced = displaced_hook(own_path, stage)
        if displaced is not None:
            return run_displaced(displaced, rest, stdin)
    return code


def _stdin(stage: str, rest: list[str], environ: Mapping[str, str], own_path: str) -> bytes | None:
    """What git wrote to this stage's input; None where it writes nothing: other stages, and under pre-commit.

    A hook that git itself calls has git's two arguments. What the environment says then, a push that runs
    inside of a hook inherited, or somebody set to be passed over.
    """
    if stage != "pre-receive" and (stage != "pre-push" or _is_under_pre_commit(rest, environ, own_path)):
        return None
    from rollback_guard.facts.push import STDIN_LIMIT

    return sys.stdin.buffer.read(STDIN_LIMIT + 1)


def _is_under_pre_commit(rest: list[str], environ: Mapping[str, str], own_path: str) -> bool:
    return not own_path and len(rest) != 2 and ("PRE_COMMIT" in environ or "PRE_COMMIT_TO_REF" in environ)


def _decide(stage: str, rest: list[str], stdin: bytes | None, environ: Mapping[str, str], tell: Tell | None) -> int:
    if stage in ("pre-commit", "pre-merge-commit"):
        from rollback_guard.entry.hook_commit import decide_commit

        return decide_commit(stage, environ, tell)
    if stage == "commit-msg":
        from rollback_guard.entry.hook_commit import decide_message

        return decide_message(rest, environ, tell)
    if stage == "prepare-commit-msg":
        from rollback_guard.entry.hook_commit import prepare_message

        return prepare_message(rest, environ)
    if stage == "policy":
        from rollback_guard.entry.hook_commit import decide_policy

        return decide_policy(rest, environ)
    if stage == "migrations":
        from rollback_guard.entry.hook_migrations import decide_migrations

        return decide_migrations(rest, environ)
    from rollback_guard.entry.hook_push import decide_push, decide_receive

    if stage == "pre-push":
        return decide_push(rest, stdin, environ, tell)
    return decide_receive(stdin or b"", environ, tell)


def _explain(error: GuardError) -> int:
    from rollback_guard.entry.exit_codes import of_error
    from rollback_guard.report.terminal import render_error

    _say(render_error(error))
    return of_error(error)


def _say(text: str) -> None:
    from rollback_guard.entry.wiring import show
    from rollback_guard.errors import GuardError

    try:
        show(text, sys.stderr)
    except (AttributeError, OSError, ValueError, GuardError):
        pass  # stderr is closed, or a full disk: the exit code says it


def run() -> None:
    """The console script, and what the native shims call."""
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            # What cannot be written is lost; Python would end with 120 for it, and the decision with it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1 if stream is sys.stdout else 2)
    sys.exit(code)
