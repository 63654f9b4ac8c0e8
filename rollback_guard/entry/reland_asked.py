"""From the options of `guard reland` to the job that they mean: which commits, which branch goes on from them.

The plan itself is made in `release.reland`; asking and printing is left to `entry.cli`.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple, Optional

from rollback_guard.entry.merging_job import MergingJob
from rollback_guard.entry.production import Production, behind, find_production
from rollback_guard.entry.revert_alone import commits_of
from rollback_guard.entry.revert_jobs import Options, Settled, more_words, new_branch
from rollback_guard.facts.range import scratch_folder
from rollback_guard.git.refs import HEADS, REMOTES, list_refs
from rollback_guard.git.repository import Repository
from rollback_guard.policy.patterns import matches_any
from rollback_guard.release.model import RelandPlan, Result
from rollback_guard.release.moving import Move
from rollback_guard.release.only import Undoing
from rollback_guard.release.reland import plan_reland
from rollback_guard.release.reland_plan import reland_digest, reland_document
from rollback_guard.release.reland_run import execute_reland, move_of, new_commits
from rollback_guard.release.reland_source import find_source, judge_source, name_source
from rollback_guard.release.reland_words import read_words
from rollback_guard.report.reland_text import render_reland

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack

    from rollback_guard.release.writing import Signing


class AskedAgain(NamedTuple):
    """The options that say what is to come again; None where one was left out."""

    revs: tuple[str, ...]
    branch: Optional[str] = None
    new_branch: Optional[str] = None
    source: Optional[str] = None


def ask_for_reland(repository: Repository, asked: AskedAgain, options: Options, stack: ExitStack) -> Again:
    """The job that the options mean. Raises: as the plan does."""
    production = find_production(repository, asked.branch, remote_too=True)
    named = [commit for rev in asked.revs for commit in commits_of(repository, production, rev)]
    commits = tuple(dict.fromkeys(named))
    undoing = stack.enter_context(Undoing(repository, production.tip, scratch_folder()))
    words = read_words(repository, undoing.git, commits, production.tip, production.branch)
    if asked.source is not None:
        source: tuple[str, str] | None = name_source(repository, asked.source)
    else:
        source = find_source(repository, words.reverted, production.tip, lambda name: _is_beside(production, name))
    found = judge_source(repository, undoing.git, words.reverted, production.tip, source, scratch_folder())
    free, taken = _free_name(repository, f"reland/{words.reverted[0].commit[:12]}")
    plan = plan_reland(
        undoing,
        words,
        found,
        branch=production.branch,
        target=HEADS + free,
        merges_too=asked.new_branch is not None,
    )
    if plan.writes:
        name = asked.new_branch or plan.target[len(HEADS) :]
        plan = plan._replace(target=new_branch(repository, name, production.branch))
    if plan.writes and asked.new_branch is None and taken:
        plan = plan._replace(notes=(*plan.notes, f"{taken} exists already, so the new branch is {free}"))
    plan = plan._replace(notes=plan.notes + behind(production))
    return Again(repository, undoing, plan, options, asked._replace(revs=commits))


def _free_name(repository: Repository, name: str) -> tuple[str, str]:
    """That name, or the next one that no branch bears, here or on the remote; and the last one that is taken."""
    spaces = (HEADS, f"{REMOTES}origin/")
    refs = list_refs(repository, *(f"{space}{name[: name.index('/')]}/" for space in spaces))
    there = {one.name[len(space) :] for one in refs for space in spaces if one.name.startswith(space)}
    free, taken, number = name, "", 1
    while free in there:
        taken, number = free, number + 1
        free = f"{name}-{number}"
    return free, taken


def _is_beside(production: Production, name: str) -> bool:
    patterns = production.policy.production.branches if production.policy is not None else ()
    return name != production.branch and not matches_any(patterns, name)


class Again(MergingJob[RelandPlan]):
    """Bringing reverted commits again."""

    def __init__(
        self, repository: Repository, undoing: Undoing, plan: RelandPlan, options: Options, asked: AskedAgain
    ) -> None:
        super().__init__(repository, undoing, plan, options, reland_digest(plan))
        self._asked = asked

    @property
    def empty(self) -> bool:
        return not self.plan.writes

    def _move(self) -> Move:
        return move_of(self.plan)

    @property
    def settled(self) -> tuple[Settled, ...]:
        return ()  # it writes new branches alone

    @property
    def count(self) -> int:
        return len(new_commits(self.plan, ""))

    def noted(self) -> Again:
        plan = self.plan._replace(notes=(*self.plan.notes, *self._refusals()))
        return Again(self.repository, self.undoing, plan, self.options, self._asked)

    def text(self, *, offer: bool) -> str:
        execute = f"{self.again()} --execute {self.digest}" if offer and self.moves else ""
        return render_reland(self.plan, self.digest, execute=execute, by_hand="" if self.moves else self._by_hand())

    def document(self, results: tuple[Result, ...] = ()) -> dict[str, object]:
        return reland_document(self.plan, results[0] if results else None)

    def again(self) -> str:
        """The command that makes the same plan."""
        words = ["guard", "reland", "--branch", self.plan.branch]
        if self._asked.new_branch is not None:
            words += ["--as", self._asked.new_branch]
        if self._asked.source is not None:
            words += ["--source", self._asked.source]
        return shlex.join([*words, *more_words(self.options), *self._asked.revs])

    def _by_hand(self) -> str:
        """What to do where this writes nothing: resolve what is in conflict, or merge as usual."""
        plan, source = self.plan, self.plan.source
        if not plan.open and source is not None:
            check = ["guard", "check", "--into", plan.branch, "--head", source.branch]
            return f"{shlex.join(check)}   # as for any other change"
        if not plan.open:
            return ""
        reverts = [one.commit[:12] for one in plan.undone if not one.again]
        again = [one.commit[:12] for one in plan.undone if one.again]
        commands = [
            ["git", "switch", "-c", plan.target[len(HEADS) :], plan.tip[:12]],
            *([["git", "revert", *reverts]] if reverts else []),
            *([["git", "cherry-pick", *again]] if again else []),
            *([["git", "merge", source.branch]] if source is not None else []),
        ]
        return f"{' && '.join(map(shlex.join, commands))}   # and resolve what is in conflict"

    def execute(self, signing: Signing | None) -> tuple[Result, ...]:
        return (execute_reland(self.repository, self.undoing, self.plan, self.options.reason, signing),)
