"""What undoing some commits alone and bringing them again share as jobs: their new trees come of merges made aside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar, Union

from rollback_guard.entry.revert_jobs import Options, push_command, refusal_now
from rollback_guard.git.repository import Repository
from rollback_guard.release.model import OnlyPlan, RelandPlan, Result
from rollback_guard.release.moving import Move
from rollback_guard.release.only import Undoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

P = TypeVar("P", bound=Union[OnlyPlan, RelandPlan])


class MergingJob(ABC, Generic[P]):
    """A plan for one branch that may hold conflicts, which are data until somebody resolves them."""

    def __init__(self, repository: Repository, undoing: Undoing, plan: P, options: Options, digest: str) -> None:
        self.repository = repository
        self.seen_in = undoing.repository
        self.undoing = undoing
        self.plan: P = plan
        self.options = options
        self.digest = digest

    @property
    def branch(self) -> str:
        return self.plan.branch

    @property
    def open(self) -> bool:
        return self.plan.open

    @property
    @abstractmethod
    def empty(self) -> bool: ...

    @property
    def moves(self) -> tuple[Move, ...]:
        return () if self.open or self.empty else (self._move(),)

    @property
    def tags(self) -> tuple[str, ...]:
        return ()  # it goes back to no release

    def tag_of(self, result: Result) -> str | None:
        return None

    @property
    def push_command(self) -> str:
        return push_command(self.repository, self.moves)

    @abstractmethod
    def text(self, *, offer: bool) -> str:
        """The plan for people."""

    def lines(self, *, offer: bool) -> Iterator[str]:
        """The same, as every job gives it."""
        yield self.text(offer=offer)

    @abstractmethod
    def _move(self) -> Move:
        """What the plan, without conflicts, does to its ref."""

    def _refusals(self) -> tuple[str, ...]:
        """Notes on why carrying the plan out would be refused now."""
        return tuple(note for move in self.moves for note in refusal_now(self.undoing.repository, move))
