"""From the options of `guard revert` to the job that they mean: which branches, which releases, which commits."""

from __future__ import annotations

import shlex
from typing import NamedTuple, Optional

from rollback_guard.entry.production import Production, find_production, policy_of
from rollback_guard.entry.recorded_releases import recorded_of
from rollback_guard.entry.revert_jobs import Alone, Back, Options, new_branch
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.facts.fast_forward import stood_before
from rollback_guard.facts.history import recorded_tips
from rollback_guard.facts.range import scratch_folder
from rollback_guard.git.history_chain import tree_of
from rollback_guard.git.process import decode
from rollback_guard.git.refs import HEADS, is_ancestor, require_commit
from rollback_guard.git.repository import Repository
from rollback_guard.release.explain import explain
from rollback_guard.release.migrated import with_migrations, with_migrations_undone
from rollback_guard.release.model import Mode, Plan
from rollback_guard.release.numbers import find_request, number_of
from rollback_guard.release.only import Undoing, plan_only
from rollback_guard.release.only_units import read_units
from rollback_guard.release.revert import plan_revert
from rollback_guard.release.stable import find_last_stable, stable_named, target_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack


class Asked(NamedTuple):
    """The options that say what is to be undone; None or () where one was left out."""

    revs: tuple[str, ...] = ()
    to: Optional[str] = None
    mode: str = "each"
    branches: tuple[str, ...] = ()
    new_branch: Optional[str] = None


def ask_for(repository: Repository, asked: Asked, options: Options, stack: ExitStack) -> Back | Alone:
    """The job that the options mean. Raises: UsageError for options that exclude each other; as the plans do."""
    _require_sense(asked)
    if asked.mode == "only":
        return _alone(repository, asked, options, stack)
    names = asked.branches or (None,)
    plans = tuple(_plan(repository, asked, name) for name in dict.fromkeys(names))
    if len({plan.target for plan in plans}) != len(plans):
        raise UsageError("--branch names one branch twice", remedy="guard revert --branch main --plan")
    return Back(repository, plans, options, named=asked.to is not None)


def _require_sense(asked: Asked) -> None:
    if asked.revs and asked.mode != "only":
        first = asked.revs[0]
        raise UsageError(
            "commits are named for --mode only; any other mode goes back to a release",
            remedy=f"guard revert --mode only {first} --plan",
        )
    if asked.mode == "only":
        if not asked.revs:
            raise UsageError(
                "--mode only undoes commits, and none is named", remedy="guard revert --mode only REV --plan"
            )
        if asked.to is not None:
            raise UsageError(
                "--to names a release to go back to; --mode only undoes the commits that are named",
                remedy="guard revert --mode only REV --plan",
            )
        if len(asked.branches) > 1:
            raise UsageError("--mode only works on one branch", remedy="guard revert --mode only REV --branch main")
    if len(asked.branches) > 1 and asked.new_branch is not None:
        raise UsageError(
            "--as writes one new branch, and several go back", remedy="guard revert --branch main --as back/x"
        )


def _plan(repository: Repository, asked: Asked, name: str | None) -> Plan:
    production = find_production(repository, name, remote_too=asked.new_branch is not None)
    target = new_branch(repository, asked.new_branch, production.branch)
    notes: tuple[str, ...] = ()
    if asked.to is None:
        policy, recorded = policy_of(production), recorded_of(repository, production.branch)
        stable = find_last_stable(repository, policy, production.tip, branch=production.branch, recorded=recorded)
    else:
        stable = stable_named(repository, production.policy, asked.to)
        if production.error is not None:
            notes += ("the policy cannot be read, so nothing of it was asked for: guard policy check",)
    mode: Mode = "single" if asked.mode == "single" else "each"
    plan = plan_revert(
        repository,
        branch=production.branch,
        tip=production.tip,
        stable=target_of(repository, stable),
        mode=mode,
        target=target,
    )
    policy = production.policy
    plan = with_migrations(repository, plan, keep=None if policy is None else policy.release.keep_migrations)
    plan = explain(repository, plan)
    return plan._replace(notes=plan.notes + notes + (_here_alone(repository, plan, production) or behind(production)))


def _here_alone(repository: Repository, plan: Plan, production: Production) -> tuple[str, ...]:
    """A note where the branch went back here, and the remote's did not: the push was refused, or never came to be."""
    there = production.upstream
    if not plan.empty or there is None or tree_of(repository.git, there) == plan.tree:
        return ()
    if not is_ancestor(repository, there, production.tip):
        return ()
    name = production.branch
    return (f"origin/{name} has not gone back, as it was last seen: {shlex.join(['git', 'push', 'origin', name])}",)


def behind(production: Production) -> tuple[str, ...]:
    """A note where the remote's branch was last seen elsewhere."""
    if production.upstream is None or production.upstream == production.tip:
        return ()
    return (f"{production.branch} here is not where origin/{production.branch} was last seen: git fetch",)


def _alone(repository: Repository, asked: Asked, options: Options, stack: ExitStack) -> Alone:
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
