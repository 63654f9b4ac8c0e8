"""What `guard revert` is asked for, as one thing that can be shown, carried out and pushed, whatever its mode.

The plans themselves are made in `release`; asking and printing is left to `entry.cli.revert`.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple, Optional, Protocol

from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.refs import HEADS, TAGS, list_refs
from rollback_guard.git.repository import Repository
from rollback_guard.release.model import Plan, Result
from rollback_guard.release.moving import Move, require_ready, unfinished
from rollback_guard.release.plan import plan_digest, plan_document, set_digest, set_document
from rollback_guard.release.revert import execute_revert, move_of
from rollback_guard.report.plan_text import iter_plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollback_guard.release.writing import Signing


class Options(NamedTuple):
    """What of a plan's command has to be said again, besides what it is about."""

    reason: str = ""
    push: bool = False


class Asked(NamedTuple):
    """The options that say what is to be undone; None or () where one was left out."""

    revs: tuple[str, ...] = ()
    to: Optional[str] = None
    mode: str = "each"
    branches: tuple[str, ...] = ()
    new_branch: Optional[str] = None


class Settled(NamedTuple):
    """A branch that is here as it should be. `whole`: all of its tree is known to be right, so it may be sent."""

    branch: str
    tip: str
    whole: bool


class Job(Protocol):
    """What can be shown, carried out and pushed: a plan with its digest."""

    repository: Repository
    seen_in: Repository  # where its trees are
    digest: str

    @property
    def branch(self) -> str: ...
    @property
    def empty(self) -> bool: ...
    @property
    def open(self) -> bool: ...
    @property
    def moves(self) -> tuple[Move, ...]: ...
    @property
    def settled(self) -> tuple[Settled, ...]: ...
    @property
    def count(self) -> int: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def push_command(self) -> str: ...
    def noted(self) -> Job: ...
    def lines(self, *, offer: bool) -> Iterator[str]: ...
    def document(self, results: tuple[Result, ...] = ()) -> dict[str, object]: ...
    def again(self) -> str: ...
    def tag_of(self, result: Result) -> str | None: ...
    def execute(self, signing: Signing | None) -> tuple[Result, ...]: ...


class Back:
    """Going back to stable releases: one branch, or several as one."""

    def __init__(self, repository: Repository, plans: tuple[Plan, ...], options: Options, *, named: bool) -> None:
        self.repository = repository
        self.plans = plans
        self.options = options
        self.seen_in = repository  # where its trees are
        self._named = named  # the release was named by the caller
        self.digest = plan_digest(plans[0]) if len(plans) == 1 else set_digest(plans)

    @property
    def branch(self) -> str:
        return self.plans[0].branch

    @property
    def empty(self) -> bool:
        return all(plan.empty for plan in self.plans)

    @property
    def open(self) -> bool:
        return False

    @property
    def moves(self) -> tuple[Move, ...]:
        return tuple(move_of(plan) for plan in self.plans if not plan.empty)

    @property
    def settled(self) -> tuple[Settled, ...]:
        """The branches that have gone back already; with `--as` nothing is said of production's own."""
        own = (plan for plan in self.plans if plan.empty and plan.target == HEADS + plan.branch)
        return tuple(Settled(branch=plan.branch, tip=plan.tip, whole=True) for plan in own)

    @property
    def count(self) -> int:
        """How many commits will be written."""
        return sum(1 if plan.mode == "single" else len(plan.reverts) + (plan.bring is not None) for plan in self.plans)

    def noted(self) -> Back:
        """The same, each plan with a note where it would be refused now, or was not finished."""
        plans = tuple(plan._replace(notes=(*plan.notes, *self._state_of(plan))) for plan in self.plans)
        return Back(self.repository, plans, self.options, named=self._named)

    def _state_of(self, plan: Plan) -> tuple[str, ...]:
        return unfinished(self.repository, plan.target) if plan.empty else refusal_now(self.repository, move_of(plan))

    def lines(self, *, offer: bool) -> Iterator[str]:
        """The plan for people, some lines at a time."""
        execute = f"{self.again()} --execute {self.digest}" if offer and not self.empty else ""
        if len(self.plans) == 1:
            yield from iter_plan(self.plans[0], self.digest, execute=execute)
            return
        for plan in self.plans:
            yield from (*iter_plan(plan, plan_digest(plan), execute=""), "")
        yield f"together: {self.digest}" + (f"\n→ {execute}" if execute else "")

    def document(self, results: tuple[Result, ...] = ()) -> dict[str, object]:
        by_ref = {result.ref: result for result in results}
        every = [(plan, by_ref.get(plan.target)) for plan in self.plans]
        return plan_document(*every[0]) if len(every) == 1 else set_document(every)

    def again(self) -> str:
        """The command that makes the same plan."""
        plan = self.plans[0]
        words = ["guard", "revert"]
        if len(self.plans) == 1 or self._named:
            words += ["--to", plan.stable.tag]
        for one in self.plans:
            words += ["--branch", one.branch]
        if plan.mode != "each":
            words += ["--mode", plan.mode]
        if plan.target != HEADS + plan.branch:
            words += ["--as", plan.target[len(HEADS) :]]
        return shlex.join(words + more_words(self.options))

    @property
    def tags(self) -> tuple[str, ...]:
        """The releases that are gone back to."""
        return tuple(dict.fromkeys(plan.stable.tag for plan in self.plans))

    def tag_of(self, result: Result) -> str | None:
        return next(plan.stable.tag for plan in self.plans if plan.target == result.ref)

    @property
    def push_command(self) -> str:
        return push_command(self.repository, self.moves)

    def execute(self, signing: Signing | None) -> tuple[Result, ...]:
        plans = [plan for plan in self.plans if not plan.empty]
        return execute_revert(self.repository, plans, self.options.reason, signing)


def push_names(repository: Repository, refs: Sequence[str]) -> list[str]:
    """Branches as `git push` takes them: the full name where a tag is called the same, else the short one."""
    tags = {ref.name for ref in list_refs(repository, *(TAGS + ref[len(HEADS) :] for ref in refs))}
    return [ref if TAGS + ref[len(HEADS) :] in tags else ref[len(HEADS) :] for ref in refs]


def push_command(repository: Repository, moves: tuple[Move, ...]) -> str:
    """What pushes the results by hand."""
    names = push_names(repository, [move.ref for move in moves])
    return shlex.join(["git", "push", *(["--atomic"] if len(names) > 1 else []), "origin", *names])


def more_words(options: Options) -> list[str]:
    """The options that are said again."""
    return (["--push"] if options.push else []) + (["--reason", options.reason] if options.reason else [])


def refusal_now(repository: Repository, move: Move) -> tuple[str, ...]:
    """A note on why carrying it out would be refused as things are."""
    try:
        require_ready(repository, move)
    except RefusedError as error:
        return (f"it would be refused now: {error.message} ({error.remedy})",)
    return ()


def new_branch(repository: Repository, name: Optional[str], branch: str) -> str:
    """The ref that is written: of a new branch by that name, or of the branch itself without one.

    Raises: UsageError for what is no name; RefusedError when there is such a branch.
    """
    if name is None:
        return HEADS + branch
    short = name.removeprefix(HEADS)
    ref = HEADS + short
    bad = short.startswith("-") or short == "HEAD"
    if bad or repository.git.run("check-ref-format", ref, accept=(0, 1)).returncode != 0:
        raise UsageError(f"--as: {name!r} is no name for a branch", remedy="guard revert --as back/checkout")
    if any(one.name == ref for one in list_refs(repository, ref)):
        raise RefusedError(f"--as: the branch {short} exists already", remedy="take another name")
    return ref
