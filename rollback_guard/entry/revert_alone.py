"""Undoing some commits alone: the job that it is, and the commits that are named.

Apart from the ways back to a release, which need no merge.
"""

from __future__ import annotations

import shlex

from rollback_guard.entry.merging_job import MergingJob
from rollback_guard.entry.production import Production, behind, find_production
from rollback_guard.entry.revert_jobs import Asked, Options, Settled, more_words, new_branch
from rollback_guard.errors import RefusedError
from rollback_guard.facts.fast_forward import stood_before
from rollback_guard.facts.history import recorded_tips
from rollback_guard.facts.range import scratch_folder
from rollback_guard.git.process import decode
from rollback_guard.git.refs import HEADS, require_commit
from rollback_guard.git.repository import Repository
from rollback_guard.release.migrated import with_migrations_undone
from rollback_guard.release.model import OnlyPlan, Result
from rollback_guard.release.moving import Move
from rollback_guard.release.numbers import find_request, number_of
from rollback_guard.release.only import Undoing, plan_only
from rollback_guard.release.only_plan import only_digest, only_document
from rollback_guard.release.only_run import execute_only
from rollback_guard.release.only_run import move_of as move_of_only
from rollback_guard.release.only_units import read_units
from rollback_guard.report.only_text import render_only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack

    from rollback_guard.release.writing import Signing


class Alone(MergingJob[OnlyPlan]):
    """Undoing some commits alone."""

    def __init__(self, repository: Repository, undoing: Undoing, plan: OnlyPlan, options: Options) -> None:
        super().__init__(repository, undoing, plan, options, only_digest(plan))

    @property
    def empty(self) -> bool:
        return self.plan.empty

    def _move(self) -> Move:
        return move_of_only(self.plan)

    @property
    def settled(self) -> tuple[Settled, ...]:
        """The branch where nothing is left to undo; what else is on it nobody has looked at."""
        if not self.empty or self.open or self.plan.target != HEADS + self.plan.branch:
            return ()
        return (Settled(branch=self.plan.branch, tip=self.plan.tip, whole=False),)

    @property
    def count(self) -> int:
        return sum(not one.empty for one in self.plan.undone)

    def noted(self) -> Alone:
        plan = self.plan._replace(notes=(*self.plan.notes, *self._refusals()))
        return Alone(self.repository, self.undoing, plan, self.options)

    def text(self, *, offer: bool) -> str:
        execute = f"{self.again()} --execute {self.digest}" if offer and self.moves else ""
        closed = self.again(self.plan.closed) + " --plan" if self.plan.closed else ""
        return render_only(self.plan, self.digest, execute=execute, closed=closed)

    def document(self, results: tuple[Result, ...] = ()) -> dict[str, object]:
        return only_document(self.plan, results[0] if results else None)

    def again(self, commits: tuple[str, ...] = ()) -> str:
        """The command that makes the same plan, or that of other commits."""
        words = ["guard", "revert", "--mode", "only", "--branch", self.plan.branch]
        if self.plan.target != HEADS + self.plan.branch:
            words += ["--as", self.plan.target[len(HEADS) :]]
        words += more_words(self.options)
        return shlex.join([*words, *(commits or tuple(one.commit for one in self.plan.undone))])

    def execute(self, signing: Signing | None) -> tuple[Result, ...]:
        return (execute_only(self.repository, self.undoing, self.plan, self.options.reason, signing),)


def alone(repository: Repository, asked: Asked, options: Options, stack: ExitStack) -> Alone:
    """The job of `--mode only`."""
    name = asked.branches[0] if asked.branches else None
    production = find_production(repository, name, remote_too=asked.new_branch is not None)
    target = new_branch(repository, asked.new_branch, production.branch)
    commits = [commit for rev in asked.revs for commit in commits_of(repository, production, rev)]
    undoing = stack.enter_context(Undoing(repository, production.tip, scratch_folder()))
    units = read_units(undoing.git, commits, production.tip, production.branch)
    plan = plan_only(undoing, branch=production.branch, target=target, units=units)
    plan = with_migrations_undone(undoing.repository, plan)
    return Alone(repository, undoing, plan._replace(notes=plan.notes + behind(production)), options)


def commits_of(repository: Repository, production: Production, rev: str) -> tuple[str, ...]:
    """The commits that one argument names: a revision, a range of the branch's own line, or a request's number."""
    number = number_of(rev)
    if number is not None:
        recorded = recorded_tips(repository, HEADS + production.branch)

        def stood(commit: str) -> str | None:
            return stood_before(repository, recorded, commit)

        return find_request(repository, number, production.tip, production.branch, stood)
    begin, dots, end = rev.partition("..")
    if not dots:
        return (require_commit(repository, rev, "REV"),)
    first, last = require_commit(repository, begin, "REV"), require_commit(repository, end or "HEAD", "REV")
    out = repository.git.run("rev-list", "--first-parent", f"{first}..{last}", "--").stdout
    found = tuple(decode(out).split())
    if not found:
        raise RefusedError(f"{rev} holds no commit", remedy=f"git log --first-parent --oneline {production.branch}")
    return found
