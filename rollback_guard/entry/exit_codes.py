"""The exit codes, the same in every entry. Source: design, section 6."""

from __future__ import annotations

from rollback_guard.errors import GuardError, PolicyError, RefusedError, UndeterminedError, UsageError
from rollback_guard.gate.verdict import Decision

ALLOW = 0
DENY = 1
USAGE = 2
CRASH = 3
UNDETERMINED = 4
INTERRUPTED = 130

_BY_DECISION: dict[Decision, int] = {"allow": ALLOW, "deny": DENY, "undetermined": UNDETERMINED}
_BY_FAMILY: tuple[tuple[type[GuardError], int], ...] = (
    (PolicyError, USAGE),
    (UsageError, USAGE),
    (RefusedError, DENY),
    (UndeterminedError, UNDETERMINED),
    (GuardError, USAGE),
)


def of_decision(decision: Decision) -> int:
    """The exit code for a verdict's decision."""
    return _BY_DECISION[decision]


def of_error(error: GuardError) -> int:
    """The exit code for an error's family."""
    return next(code for family, code in _BY_FAMILY if isinstance(error, family))
