"""From a question to a verdict: asks `facts` to collect, hands policy and facts to `gate`.

Standard library only, no click: hooks, servers and commands all judge through here. What is printed is
left to `report`.
"""

from __future__ import annotations

from rollback_guard.entry.default_branch import default_branches, general_branches
from rollback_guard.entry.judge_evidence import brought_policy, with_evidence
from rollback_guard.entry.question import Question, in_force, policy_used
from rollback_guard.entry.stable_tags import StableTags
from rollback_guard.entry.tag_content import missing_reverts
from rollback_guard.entry.way_back_proof import with_proof
from rollback_guard.errors import PolicyError, RefusedError
from rollback_guard.facts.landings import read_chain
from rollback_guard.facts.model import Change, Fact, Known, Touched, Unknown
from rollback_guard.facts.policy_source import PolicyFound, is_production, policies_for, read_policy_at, tips_of
from rollback_guard.facts.push import Update, move_of, move_of_production
from rollback_guard.facts.range import Collected, Proposal, collect_range, ref_names
from rollback_guard.gate.evaluate import evaluate_change
from rollback_guard.gate.verdict import ChangeVerdict, Verdict, decide_all
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import HEADS, TAGS, resolve_commit, short_branch
from rollback_guard.git.repository import current_branch
from rollback_guard.policy.paths import OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rollback_guard.evidence.opened import Opened
    from rollback_guard.facts.model import Stage


def evaluate(question: Question, found: PolicyFound, change: Change, proposed: PolicyFound) -> ChangeVerdict:
    """Judge one change. A broken policy in force can only be mended, by a change that brings a readable one.

    Raises: PolicyError when the policy in force is broken and the change does not mend it.
    """
    touched = change.touched.value.governing if isinstance(change.touched, Known) else ()
    base = change.base.value if isinstance(change.base, Known) else None
    if found.error is not None and not (found.path in touched and proposed.policy is not None):
        where = (base or found.at)[:12]
        raise PolicyError(
            f"the policy of {short_branch(change.target)} is invalid, so nothing can be judged by it (commit {where})",
            remedy=f"guard policy check --rev {where}   # then land a change that mends that file alone",
            problems=found.error.problems,
        )
    if question.what_if is not None:
        proposed = found
    change = with_evidence(question, found.policy, change, brought_policy(found, change, proposed))
    change = with_proof(question, found.policy, change)
    brought = proposed.error.message if proposed.error is not None else ""
    return evaluate_change(
        found.policy,
        change,
        as_of=question.as_of,
        used=policy_used(question, found, base),
        proposed=proposed.policy if touched or found.policy is None else None,
        proposed_error=brought if touched else "",
        brought=policy_used(question, proposed, change.head) if found.policy is None else None,
    )


def verdict_of(question: Question, changes: Sequence[ChangeVerdict]) -> Verdict:
    """All changes of one question, and the worst of their decisions."""
    decision = decide_all(tuple(change.decision for change in changes))
    return Verdict(decision=decision, as_of=question.as_of, changes=tuple(changes))


def judge_proposal(question: Question, proposal: Proposal, *, named: str | None = None) -> ChangeVerdict:
    """The verdict on what would land if `proposal.head`, asked for as branch `named`, were merged into its target."""
    repository = question.repository
    with ObjectReader(repository.git) as objects:
        found = in_force(question, objects, proposal.base)
        reading = found if found.policy is not None else read_policy_at(objects, proposal.head)
        general = general_policies(question, objects, proposal.target)
    collected = collect_range(repository, question.around, reading.policy, proposal)
    production = stands_for_production(question, found, general, proposal.target)
    change = collected.change._replace(production=production, named_source=named)
    return evaluate(question, found, change, collected.proposed)


def general_policies(question: Question, objects: ObjectReader, *targets: str) -> tuple[PolicyFound, ...]:
    """The policies that may say whether a branch is production: its own, and those of the default branch.

    Which branch the machine's owner likes as the default one (init.defaultBranch) decides nothing.
    """
    if question.what_if is not None:
        return ()
    tips = tips_of(question.repository, *targets, *general_branches(question.repository))
    return policies_for(objects, *tips.values())


def stands_for_production(
    question: Question, found: PolicyFound, general: tuple[PolicyFound, ...], target: str
) -> bool:
    """Whether a target is production: a policy says so, or there is no policy that could say otherwise."""
    policies = tuple(one for one in (found, *general) if one.policy is not None)
    if not policies:
        return True
    return is_production(policies, short_branch(target, question.around.remotes))


def judge_updates(
    question: Question, updates: Sequence[Update], *, stage: Stage, name: Fact[str], missing: tuple[str, ...] = ()
) -> Verdict:
    """The verdict on every ref that a push moves."""
    changes: list[ChangeVerdict] = []
    tags = StableTags(question, updates)
    for update in updates:
        changes += judge_update(question, update, stage=stage, name=name, missing=missing, tags=tags)
    return verdict_of(question, changes)


def judge_update(
    question: Question, update: Update, *, stage: Stage, name: Fact[str], missing: tuple[str, ...], tags: StableTags
) -> list[ChangeVerdict]:
    """One ref of a push. Several commits added to production's own chain are judged one by one."""
    repository = question.repository
    here = update.old is None or resolve_commit(repository, update.old) is not None
    found, others = _policies_of(question, update, here=here)
    readable = next((one for one in (found, *others) if one.policy is not None), None)
    production = update.ref.startswith(HEADS) and (
        is_production((found, *others), short_branch(update.ref)) or _would_rule(question, update)
        if readable is not None
        else is_default(question, update.ref)
        # Where every policy is broken, any branch that is here may be production; the one that mends must come in.
        or (update.old is not None and any(one.error is not None for one in (found, *others)))
    )
    if not production or update.new is None or not here:
        if not production or not here:  # a broken policy on a branch that is not production is nobody's business
            found = readable or PolicyFound(at="nothing")
        change = _moved(question, update, stage, name, missing, production=production, here=here)
        change = change._replace(tag_faults=tags.faults(update))
        if update.ref.startswith(TAGS) and update.new is not None and readable is not None:
            change = change._replace(
                missing_reverts=missing_reverts(question, update, (found, *others), pushed=tags.updates)
            )
        if (update.ref + "/").startswith(OURS):
            from rollback_guard.evidence.admission import faults_of_move

            faults = faults_of_move(repository, update.ref, update.old, update.new, _signature_faults(question))
            change = change._replace(evidence_faults=faults)
        return [evaluate(question, found, change, PolicyFound(at="nothing"))]
    if resolve_commit(repository, update.new) != update.new:
        raise RefusedError(
            f"{update.ref} would be moved to {update.new[:12]}, which is no commit that is here",
            remedy=f"git push origin '{update.new[:12]}^{{commit}}:{update.ref}'",
        )
    # A production branch that is created begins where the one that its policy was found on stands.
    base = update.old if update.old is not None else resolve_commit(repository, found.at)
    proposal = Proposal(
        stage=stage,
        target=update.ref,
        base=base,
        head=update.new,
        move=move_of_production(repository, update.old, update.new, begins=base),
        repository=name,
        missing=missing,
    )
    with ObjectReader(repository.git) as objects:
        reading = found if found.policy is not None else read_policy_at(objects, update.new)
    collected = collect_range(repository, question.around, reading.policy, proposal)
    return [evaluate(question, *one) for one in _one_by_one(question, found, proposal, collected)]


def _signature_faults(question: Question) -> Callable[[Sequence[Opened]], list[str]]:
    """Asks why the signatures of envelopes that are pushed count for nothing; imported only when some are."""

    def faults(opened: Sequence[Opened]) -> list[str]:
        from rollback_guard.entry.key_ring import GOOD, KeyRing

        return ["" if said == GOOD else said for said in KeyRing(question).judge(opened)]

    return faults


def _would_rule(question: Question, update: Update) -> bool:
    """Whether a branch that is created would be the default one, and its policy say which branches are production."""
    return update.old is None and question.repository.bare and update.ref in general_branches(question.repository)


def _policies_of(question: Question, update: Update, *, here: bool) -> tuple[PolicyFound, tuple[PolicyFound, ...]]:
    """The policy that judges a ref's move, and the others that may say that it is production.

    For a ref that is created, the first readable one of a default branch that it makes production judges; never
    that of a branch of the same name here, which is what is pushed.
    """
    nothing = PolicyFound(at="nothing")
    with ObjectReader(question.repository.git) as objects:
        others = general_policies(question, objects, update.ref)
        if update.old is not None:
            return (in_force(question, objects, update.old) if here else nothing), others
        names = (name for name in general_branches(question.repository) if name != update.ref)
        for name, tip in tips_of(question.repository, *names).items():
            one = read_policy_at(objects, tip)
            # A branch that its own policy does not protect may hold anybody's.
            if one.policy is not None and (name.endswith("/HEAD") or is_production((one,), short_branch(name))):
                return one, others
    return nothing, others


def _one_by_one(
    question: Question, found: PolicyFound, proposal: Proposal, collected: Collected
) -> list[tuple[PolicyFound, Change, PolicyFound]]:
    """A push that adds several merges to production's chain, taken apart; any other push as it is.

    Each landing is judged by the policy that the one before it leaves, as if they were pushed one by one.
    """
    change = collected.change
    landings = change.landings.value if isinstance(change.landings, Known) else ()
    merges = sum(1 for landing in landings if landing.heads)
    if len(landings) < 2 or not merges or change.restoration is not None or proposal.base is None:
        return [(found, change, collected.proposed)]
    parts = []
    for link in read_chain(question.repository, proposal.base, proposal.head):
        step = proposal._replace(base=link.parents[0] if link.parents else None, head=link.commit)
        with ObjectReader(question.repository.git) as objects:
            before = found if step.base == proposal.base else in_force(question, objects, step.base)
        part = collect_range(question.repository, question.around, before.policy, step)
        # What is pushed is deployed together: a backup has to be of what is there before.
        parts.append((before, part.change._replace(protected=proposal.base), part.proposed))
    return parts


def is_default(question: Question, ref: str) -> bool:
    """Whether a ref is what production would be if no policy says it: the default branch."""
    return ref in default_branches(question) or (
        question.repository.bare and ref == current_branch(question.repository)
    )


def _moved(
    question: Question,
    update: Update,
    stage: Stage,
    name: Fact[str],
    missing: tuple[str, ...],
    *,
    production: bool,
    here: bool,
) -> Change:
    """The facts of a ref that is deleted, is not production, or whose present tip is not in this clone."""
    repository = question.repository
    gone = Unknown(f"production is at {(update.old or '')[:12]}, a commit that is not in this clone", "git fetch --all")
    known = here and update.new is not None and resolve_commit(repository, update.new) is not None
    move = move_of(repository, update.old, update.new) if known or update.new is None else "none"
    unknown = gone if not here else Unknown("not looked for: no production branch")
    return Change(
        stage=stage,
        target=update.ref,
        production=production,
        repository=name,
        base=Known(update.old, "git") if here else gone,
        head=update.new,
        head_tree=unknown,
        result_tree=unknown,
        move=move,
        source=unknown,
        survey=unknown,
        merges=unknown,
        messages=unknown,
        landings=unknown if production else Known(()),
        unrelanded=unknown,
        base_in_head=unknown,
        refs=ref_names(repository),
        touched=unknown if production and update.new is not None else Known(Touched()),
        irreversible=unknown if production and update.new is not None else Known(()),
        missing=missing,
    )
