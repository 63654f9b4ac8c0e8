"""`guard revert`: go back to the last known stable release. Asks and prints; the work is in `release.revert`."""

from __future__ import annotations

import shlex
import sys

import click

from rollback_guard.entry import exit_codes
from rollback_guard.entry.production import Production, find_production, policy_of
from rollback_guard.entry.wiring import here, say
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.push import push_branch, remote_for
from rollback_guard.git.refs import HEADS, list_refs
from rollback_guard.git.repository import Repository, current_branch
from rollback_guard.release.message import fold_reason
from rollback_guard.release.model import Mode, Plan, Result
from rollback_guard.release.plan import plan_digest, plan_document
from rollback_guard.release.revert import execute_revert, plan_revert, require_full_history, require_ready
from rollback_guard.release.stable import find_last_stable, stable_named, target_of
from rollback_guard.report.json_text import render_json
from rollback_guard.report.plan_text import render_plan, render_result


@click.command()
@click.argument("revs", metavar="[REV]...", nargs=-1)
@click.option("--to", metavar="TAG", help="The stable release to go back to.  [default: the last known one]")
@click.option(
    "--mode",
    type=click.Choice(["each", "single", "only"]),
    default="each",
    show_default=True,
    help="each: one revert commit for each commit that landed; single: one commit for all of them.",
)
@click.option("--branch", metavar="BRANCH", help="The production branch that goes back.")
@click.option("--as", "new_branch", metavar="NEW-BRANCH", help="Write to a new branch; production stays.")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--execute", metavar="DIGEST", help="Carry out the plan of that digest, and no other.")
@click.option("--push", is_flag=True, help="Push the result, if the remote is where this clone thinks.")
@click.option("--reason", metavar="T", help="Why; it is written into every revert commit.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    revs: tuple[str, ...], to: str | None, mode: str, branch: str | None, new_branch: str | None, only_plan: bool,
    execute: str | None, push: bool, reason: str | None, yes: bool, layout: str,
) -> int:  # fmt: skip
    """Go back to the last known stable release, by new commits; nothing is lost from history.

    Shows the plan first and asks. A merge is reverted like any other commit, and the result is proven:
    the branch ends with the very tree of the release.

    \b
    Examples:
      guard revert --plan
      guard revert --to stable/2026.11.22.1 --reason "checkout fails" --push
      guard revert --as back/checkout      # for a pull request; production stays
    """
    if mode == "only":
        raise UsageError("--mode only comes with a later version", remedy="guard revert --mode each --plan")
    if revs:
        raise UsageError("commits are named for --mode only, which comes with a later version", remedy="guard revert")
    if only_plan and execute is not None:
        raise UsageError("--plan and --execute exclude each other", remedy="guard revert --plan")
    folded = fold_reason(reason)
    repository = here()
    require_full_history(repository)
    production = find_production(repository, branch, remote_too=new_branch is not None)
    plan = _plan(repository, production, to, "single" if mode == "single" else "each", new_branch)
    if execute is not None:
        _require_digest(plan, execute, push=push)
    if only_plan or plan.empty:
        _show(_readiness(repository, plan) if not plan.empty else plan, None, layout, folded, push=push)
        return exit_codes.ALLOW
    remote = remote_for(repository, production.branch) if push else None
    if execute is None:
        if not yes:
            require_ready(repository, plan)  # before anybody is asked; it is asked for again when it counts
        _ask(plan, layout, folded, push=push, yes=yes)
    return _carry_out(repository, plan, folded, remote, layout)


def _plan(repository: Repository, production: Production, to: str | None, mode: Mode, new_branch: str | None) -> Plan:
    notes: tuple[str, ...] = ()
    target = HEADS + production.branch
    if new_branch is not None:
        target = _new_branch(repository, new_branch)
    if to is None:
        stable = find_last_stable(repository, policy_of(production), production.tip, branch=production.branch)
    else:
        stable = stable_named(repository, production.policy, to)
        if production.error is not None:
            notes += ("the policy cannot be read, so nothing of it was asked for: guard policy check",)
    if production.upstream is not None and production.upstream != production.tip:
        notes += (f"{production.branch} here is not where origin/{production.branch} was last seen: git fetch",)
    release = target_of(repository, stable)
    plan = plan_revert(
        repository, branch=production.branch, tip=production.tip, stable=release, mode=mode, target=target
    )
    return plan._replace(notes=plan.notes + notes)


def _new_branch(repository: Repository, name: str) -> str:
    short = name.removeprefix(HEADS)
    ref = HEADS + short
    bad = short.startswith("-") or short == "HEAD"
    if bad or repository.git.run("check-ref-format", ref, accept=(0, 1)).returncode != 0:
        raise UsageError(f"--as: {name!r} is no name for a branch", remedy="guard revert --as back/checkout")
    if any(one.name == ref for one in list_refs(repository, ref)):
        raise RefusedError(f"--as: the branch {short} exists already", remedy="take another name")
    return ref


def _require_digest(plan: Plan, digest: str, *, push: bool) -> None:
    if plan_digest(plan) not in (digest, f"sha256:{digest}"):
        raise RefusedError(
            "the plan is not the one of that digest any more: the branch or the release moved, or other options "
            "were given; nothing was changed",
            remedy=f"{_again(plan, '', push=push)} --plan",
        )


def _readiness(repository: Repository, plan: Plan) -> Plan:
    """The plan, with a note when it would be refused now."""
    try:
        require_ready(repository, plan)
    except RefusedError as error:
        return plan._replace(notes=(*plan.notes, f"it would be refused now: {error.message} ({error.remedy})"))
    return plan


def _show(
    plan: Plan, result: Result | None, layout: str, reason: str, *, push: bool, err: bool = False, offer: bool = True
) -> None:
    digest = plan_digest(plan)
    if layout == "json" and not err:
        say(render_json(plan_document(plan, result)))
    else:
        # Who is about to carry it out, or did, needs no command that would do so.
        execute = f"{_again(plan, reason, push=push)} --execute {digest}" if offer else ""
        say(render_plan(plan, digest, execute=execute), err=err)


def _again(plan: Plan, reason: str, *, push: bool) -> str:
    """The command that makes the same plan."""
    words = ["guard", "revert", "--to", plan.stable.tag, "--branch", plan.branch]
    if plan.mode != "each":
        words += ["--mode", plan.mode]
    if plan.target != HEADS + plan.branch:
        words += ["--as", plan.target[len(HEADS) :]]
    words += ["--push"] if push else []
    return shlex.join(words + (["--reason", reason] if reason else []))


def _ask(plan: Plan, layout: str, reason: str, *, push: bool, yes: bool) -> None:
    """Show the plan and have it confirmed. Raises: UsageError without a terminal; RefusedError for a no."""
    _show(plan, None, layout, reason, push=push, err=layout == "json", offer=False)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask on; nothing was changed",
            remedy=f"{_again(plan, reason, push=push)} --execute {plan_digest(plan)}   # or --yes",
        )
    if not click.confirm("Carry this out?", err=True):
        raise RefusedError("not confirmed; nothing was changed", remedy="guard revert --plan")


def _carry_out(repository: Repository, plan: Plan, reason: str, remote: str | None, layout: str) -> int:
    result = execute_revert(repository, plan, reason)
    name = plan.target[len(HEADS) :]
    if layout == "json":
        _show(plan, result, layout, reason, push=remote is not None)
    else:
        following = "" if remote is not None else f"git push origin {shlex.quote(name)}"
        say(render_result(plan, result, following=following))
    if remote is not None:
        old = plan.tip if plan.target == HEADS + plan.branch else None
        said = push_branch(repository, remote, name, result.commit, old)
        if said:
            raise RefusedError(
                f"{name} is at {result.commit} here, but {remote} did not take it: {said}",
                remedy=_after_refusal(repository, plan, reason, remote, moved="(stale info)" in said),
            )
        say(f"pushed to {remote}", err=True)
    return exit_codes.ALLOW


def _after_refusal(repository: Repository, plan: Plan, reason: str, remote: str, *, moved: bool) -> str:
    """What to do when the remote did not take the result; `moved`: its branch is not where this clone thought."""
    name = plan.target[len(HEADS) :]
    there, here_now = shlex.quote(remote), current_branch(repository) == plan.target
    if not moved:
        tag, branch = shlex.quote(f"refs/tags/{plan.stable.tag}"), shlex.quote(name)
        return (
            f"git push {there} {tag} {branch}   # the release's tag too; or go back here: git reset --keep {plan.tip}"
        )
    if plan.target != HEADS + plan.branch:
        return f"git fetch {there}   # it has a branch {name}: plan again with another name for --as"
    back = f"git reset --keep {plan.tip}" if here_now else f"git branch -f -- {shlex.quote(name)} {plan.tip}"
    tip = shlex.quote(f"{remote}/{name}")
    forward = f"git merge --ff-only {tip}" if here_now else f"git branch -f -- {shlex.quote(name)} {tip}"
    again = _again(plan, reason, push=True)
    return f"{back} && git fetch {there} && {forward} && {again} --plan   # {remote} was not where {name} was here"
