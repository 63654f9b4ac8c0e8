"""From the options of `guard revert` to the job that they mean: which branches, which releases, which commits."""

from __future__ import annotations

import shlex

from rollback_guard.entry.production import Production, behind, find_production, policy_of
from rollback_guard.entry.recorded_releases import recorded_of
from rollback_guard.entry.revert_jobs import Asked, Back, Options, new_branch
from rollback_guard.errors import UsageError
from rollback_guard.facts.policy_source import read_policy_at
from rollback_guard.git.history_chain import tree_of
from rollback_guard.git.listing import changed_between
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import is_ancestor
from rollback_guard.git.repository import Repository
from rollback_guard.release.explain import explain
from rollback_guard.release.migrated import with_migrations
from rollback_guard.release.model import Mode, Plan
from rollback_guard.release.revert import plan_revert
from rollback_guard.release.stable import find_last_stable, stable_named, target_of
from rollback_guard.release.writing import wants_proof, wants_signatures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack

    from rollback_guard.entry.revert_alone import Alone


def ask_for(repository: Repository, asked: Asked, options: Options, stack: ExitStack) -> Back | Alone:
    """The job that the options mean. Raises: UsageError for options that exclude each other; as the plans do."""
    _require_sense(asked)
    if asked.mode == "only":
        from rollback_guard.entry.revert_alone import alone  # a way back needs none of it

        return alone(repository, asked, options, stack)
    names = asked.branches or (None,)
    plans = tuple(_plan(repository, asked, name) for name in dict.fromkeys(names))
    if len({plan.target for plan in plans}) != len(plans):
        raise UsageError("--branch names one branch twice", remedy="guard revert --branch main --plan")
    return Back(repository, plans, options, named=asked.to is not None)


def _settled(repository: Repository, plan: Plan) -> Plan:
    """An empty plan where the branch has gone back already, all but for the files that stay."""
    if plan.keep is None or plan.tree != tree_of(repository.git, plan.tip):
        return plan
    return plan._replace(reverts=(), bring=None, notes=())


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
    recorded = recorded_of(repository, production.branch)
    if asked.to is None:
        policy = policy_of(production)
        stable = find_last_stable(repository, policy, production.tip, branch=production.branch, recorded=recorded)
    else:
        stable = stable_named(repository, production.policy, asked.to, recorded)
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
    brought = () if plan.empty else tuple(changed_between(repository.git, plan.stable.tree, f"{plan.tip}^{{tree}}"))
    plan = with_migrations(repository, plan, brought, keep=None if policy is None else policy.release.keep_migrations)
    plan = explain(repository, _settled(repository, plan), brought)
    notes += other_policy(repository, production, plan) + no_key(repository, production, plan)
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


def no_key(repository: Repository, production: Production, plan: Plan) -> tuple[str, ...]:
    """A note where the gate wants a way back to be signed, and there is no key to sign it with."""
    policy = production.policy
    if plan.empty or policy is None or not wants_proof(policy) or wants_signatures(repository, policy):
        return ()
    return (
        "git has no key here to sign with, so the gate will judge this like any other change: "
        "git config gpg.format ssh && git config user.signingKey ~/.ssh/id_ed25519.pub",
    )


def other_policy(repository: Repository, production: Production, plan: Plan) -> tuple[str, ...]:
    """A note where another policy would be in force: the gate lets no way back change its own rules."""
    if plan.empty or production.policy is None:
        return ()
    with ObjectReader(repository.git) as objects:
        then = read_policy_at(objects, plan.stable.commit).policy
    if then == production.policy:
        return ()
    return (
        "the policy was another one then, so the gate will judge this like any other change: "
        f"guard revert --to {plan.stable.tag} --as NEW-BRANCH   # and have that signed off",
    )
