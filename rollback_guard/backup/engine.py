"""What every engine can do. One file in `engines` for each, one suite of tests for all (`tests/backup/contract.py`).

An engine is made from a `Source` and touches nothing until it is asked. Errors: `UndeterminedError` where something
cannot be had (a server that is down, a password that is refused, a tool that is missing or too old, a full disk),
`RefusedError` where it must not be done (scratch that is the source), `UsageError` for a source that cannot be meant;
each with a remedy, and none with a password, a row of data or a connection string in it.
"""

from __future__ import annotations

from typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from rollback_guard.backup.model import Fingerprint, Identity


class Snapshot(Protocol):
    """A source as it was at one moment, however much is written to it meanwhile."""

    position: str  # in the engine's own words
    moment: float  # Unix seconds
    concurrent: bool  # whether `fingerprint` may run in another thread while `dump` does

    def dump(self, sink: BinaryIO) -> None:
        """Write the backup's bytes, as they come: memory stays flat. Once."""
        ...

    def fingerprint(self) -> Fingerprint:
        """What is in it. A true copy of it has the same on any server, whatever the session's settings."""
        ...


class Target(Protocol):
    """A place of the engine's kind, empty at first, into which a backup is restored."""

    identity: Identity

    def restore(self, stream: BinaryIO) -> None:
        """Put a backup's bytes back, to the last one. Anything that is odd about them is an error, never a warning."""
        ...

    def fingerprint(self) -> Fingerprint:
        """What is in it now."""
        ...

    def environment(self) -> Mapping[str, str]:
        """Variables by which a check reaches it; `GUARD_SCRATCH` is always one of them."""
        ...


class Engine(Protocol):
    """One database or directory that can be backed up and put back."""

    name: str  # as the policy says `engine`
    suffix: str  # of its artefacts, such as ".dump"

    def identify(self) -> Identity:
        """Which one it is; asks it."""
        ...

    def tools(self) -> Sequence[tuple[str, str]]:
        """The programs that take and restore it, each with its version."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Hold a moment. What is left of it when the process dies goes with the connection, or the next run."""
        ...

    def scratch(self, folder: str) -> AbstractContextManager[Target]:
        """A place that nobody else can reach, gone afterwards. `folder`: private and empty, for whatever it needs.

        Raises: RefusedError where that would be the source itself.
        """
        ...

    def beside(self, name: str) -> Target:
        """An empty place where the source lives, by that name (letters, digits, `_`); what is there goes first."""
        ...

    def swap(self, beside: str, aside: str) -> float:
        """Put what lies at `beside` in the source's place, and the source at `aside`, connections drained first.

        Both names as for `beside`. Done twice, or after it was cut short anywhere, it ends the same. The seconds in
        which the source could not be reached.
        """
        ...

    def drop(self, name: str) -> None:
        """Remove what lies beside the source by that name, if anything does."""
        ...
