"""RG001: production has no readable policy, and this change is not one that may introduce it."""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, Unknown
from rollback_guard.gate.rule import Case, Rule, satisfied, undetermined, violated
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import short_name

ID = "RG001"
NAME = "policy-missing"

_FIRST = "on the server: guard install --server --uninstall; push the project; then: guard install --server"


def evaluate(case: Case) -> Outcome:
    """Satisfied by a policy in force, or by one that the change brings on its own."""
    touched = case.change.touched
    branch = short_name(case.change.target)
    if case.policy is not None:
        notes = ["production has no policy yet: judged by the one that this change brings"] if case.introduces else []
        return satisfied(ID, NAME, *notes)
    if case.introduction_error:
        message = f"{branch} has no policy yet, and {case.introduction_error}: this one touches other files too"
        own = "put rollback-guard.toml on a branch of its own, with hook and workflow files only, and land that first"
        remedy = _FIRST if _begins(case.change) else own
        return violated(ID, NAME, (Finding(subject=branch, message=message, remedy=remedy),))
    if case.proposed_error:
        message = f"the policy that this change brings cannot be read: {case.proposed_error}"
        return violated(ID, NAME, (Finding(subject=branch, message=message, remedy="guard policy check"),))
    if isinstance(touched, Unknown):
        return undetermined(ID, NAME, touched, branch)
    remedy = _FIRST if _begins(case.change) else "guard init   # then land rollback-guard.toml on its own"
    message = f"{branch} has no policy: nobody wrote down who and what may change it"
    return violated(ID, NAME, (Finding(subject=branch, message=message, remedy=remedy),))


def _begins(change: Change) -> bool:
    """Whether a server would get production's first commits: what is there already needs nobody's leave."""
    return change.stage == "receive" and isinstance(change.base, Known) and change.base.value is None


RULE = Rule(
    id=ID,
    name=NAME,
    title="production has no readable policy, and the change is not the one that may introduce it",
    why="""Without a policy on the production branch nobody has said who may sign and over which way a change
may come, so there is nothing that a change could be held to. The policy is read from production's present
tip, never from the change, so that a change cannot bring its own rules along. One change may introduce it:
it touches only the policy, hook configuration and workflow files, and is judged by the policy that it brings.""",
    example="""`main` has no `rollback-guard.toml`, and a branch adds one together with a fix in `src/cart.py`. Land
the policy by itself first, then the fix.

Or a project with its history and its policy is pushed to an empty repository where `guard install --server` was run
before: that push brings the policy and everything else at once.""",
    needs=("the policy at production's tip", "the files that the change touches"),
    offline=True,
    remedy="""Run `guard init`, look the file over, run `guard policy check`, and land `rollback-guard.toml` on a
branch of an approved route that touches nothing else and bears the sign-offs that it asks for itself. If production
has a policy that cannot be read, repair it the same way. A project that is pushed for the first time, to an empty
server that has the hook already, is refused whole: push it first, and install the hook afterwards.""",
    evaluate=evaluate,
)
