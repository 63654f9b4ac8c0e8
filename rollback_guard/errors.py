"""Every error that a person may see, with what to do about it.

An error is a sentence and a remedy. Which exit code a family has is decided in `entry.exit_codes`,
not here; what is printed is decided in `report` and `entry`.
"""

from __future__ import annotations


class GuardError(Exception):
    """Something that stops the work and that a person can do something about.

    `message` says what is wrong in one sentence, `remedy` what to do now, as a command to paste where
    there is one.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.begun = False  # some of the result was written before it happened


class UsageError(GuardError):
    """The call itself cannot be carried out: a wrong argument, a ref that does not exist, no repository."""


class PolicyError(GuardError):
    """A policy that cannot be understood; `problems` lists everything that is wrong with it."""

    def __init__(self, message: str, *, remedy: str = "", problems: tuple[object, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.problems = problems


class RefusedError(GuardError):
    """The work is understood and refused: a dirty work tree, a plan that changed, a verdict that is not allow."""


class UndeterminedError(GuardError):
    """Something that had to be known could not be had: missing objects, a shallow history, a tool too old."""


class GitError(UndeterminedError):
    """A git process failed. `stderr` is what it said, in the C locale, never matched for decisions."""

    def __init__(self, message: str, *, remedy: str = "", status: int = 0, stderr: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.stderr = stderr
