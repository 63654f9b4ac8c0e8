"""RG401: a stable release's tag is moved, deleted, or is not one that somebody who may has made."""

from __future__ import annotations

from rollback_guard.facts.model import Known, Unknown
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import quoted, short_name
from rollback_guard.policy.tags import REVOKED

ID = "RG401"
NAME = "stable-tag-moved"


def evaluate(case: Case) -> Outcome:
    """One finding for each reason why the tag may not move as it is asked to."""
    change = case.change
    name = short_name(change.target)
    if change.tag_faults is None:
        return not_applicable(ID, NAME, "no stable release's tag is moved")
    if isinstance(change.tag_faults, Unknown):
        return undetermined(ID, NAME, change.tag_faults, name)
    remedy = "guard release   # makes the next one, as it should be; the one that is there stays"
    if name.startswith(REVOKED):
        stable = quoted(name[len(REVOKED) :])
        remedy = f"guard release revoke {stable} --reason WHY   # by somebody who may release; it stays"
    elif not (isinstance(change.base, Known) and change.base.value is None):
        remedy = f"guard release revoke {quoted(name)} --reason WHY   # takes it back; nothing is deleted or moved"
    faults = change.tag_faults.value
    return judge(ID, NAME, tuple(Finding(subject=name, message=f"{name}: {one}", remedy=remedy) for one in faults))


RULE = Rule(
    id=ID,
    name=NAME,
    title="a stable tag was moved, deleted, is lightweight or not signed by somebody who may",
    why="""When a deployment has failed, production goes back to what the newest stable tag names, without new
sign-offs. Whoever can move such a tag, delete it, or make one, decides what that is. So a push may bring a stable
release's tag once: annotated, by somebody of `[release] by` (everybody of the policy where it names nobody), signed
where the policy says `signed = true`, not dated in the future, and on a commit that the production branch itself was
at. A tag `revoked/<stable tag>`, which takes a release back, is judged alike; it stays as well. No waiver excuses
from this.""",
    example="""`git push --force origin stable/2026.11.22.1` after the tag was put on another commit, at which it is
called by the same name; or `git push --delete origin stable/2026.11.22.1`, so that the one before is the last.""",
    needs=("the tag as it is and as it would be", "the policies of the production branches, and where they stand"),
    offline=True,
    remedy="""Leave the tag where it is. To take a release back: `guard release revoke TAG --reason WHY`. To name
another commit stable: `guard release`, which takes the next number. Push the production branch before the tag, or
both at once.""",
    evaluate=evaluate,
)
