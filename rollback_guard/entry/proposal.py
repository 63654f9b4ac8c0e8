"""What would land, as those who sign, list evidence or fill in messages look at it: change, policy and evidence.

It is collected exactly as `guard check` collects it, so that what somebody signs is what the gate asks for.
Judging is left to `entry.judge`, keys and signatures to `entry.signing`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, NamedTuple, Optional

from rollback_guard.entry.judge import evaluate, general_policies, stands_for_production
from rollback_guard.entry.judge_evidence import brought_policy
from rollback_guard.entry.question import Question, in_force, policy_used
from rollback_guard.errors import PolicyError, RefusedError, UndeterminedError, UsageError
from rollback_guard.evidence.collect import EvidenceBook
from rollback_guard.evidence.keys import keys_of
from rollback_guard.evidence.subject import Subject, subject_of
from rollback_guard.facts.model import Change, Known, Unknown
from rollback_guard.facts.policy_source import PolicyFound, read_policy_at, tips_of
from rollback_guard.facts.range import Proposal, collect_range, scratch_folder
from rollback_guard.gate.proofs import sign_command, stand
from rollback_guard.gate.verdict import ChangeVerdict, PolicyUsed
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import (
    HEADS,
    REMOTES,
    is_ancestor,
    require_commit,
    require_one_meaning,
    resolve_commit,
    short_branch,
)
from rollback_guard.git.repository import current_branch
from rollback_guard.policy.keys import parse_key
from rollback_guard.policy.model import Policy, SignOff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.evidence.statement import Binding, BindingKind, Statement
    from rollback_guard.git.process import Git


class Proposed(NamedTuple):
    """One proposed change with the evidence about it, the policy in force, and the one that the change brings."""

    question: Question
    found: PolicyFound
    used: PolicyUsed
    change: Change
    brought: PolicyFound

    @property
    def branch(self) -> str:
        """The target's short name."""
        return short_branch(self.change.target)

    @property
    def brought_policy(self) -> Policy | None:
        """The policy that the change brings, where it is another one."""
        return brought_policy(self.found, self.change, self.brought)


class Lacking(NamedTuple):
    """A role without its count. `unknown` is why more could not be seen, or ""."""

    role: str
    have: int
    wanted: int
    command: str  # what somebody runs who may sign
    unknown: str = ""


class Standings(NamedTuple):
    """The people who validly signed, by role in the policy's order, and the roles that lack somebody."""

    signed: tuple[tuple[SignOff, tuple[str, ...]], ...]
    lacking: tuple[Lacking, ...]


def read_proposed(question: Question, proposal: Proposal, *, named: str | None = None) -> Proposed:
    """Collect one proposal, with the evidence that is recorded about it."""
    with ObjectReader(question.repository.git) as objects:
        found = in_force(question, objects, proposal.base)
        reading = found if found.policy is not None else read_policy_at(objects, proposal.head)
        general = general_policies(question, objects, proposal.target)
    collected = collect_range(question.repository, question.around, reading.policy, proposal)
    production = stands_for_production(question, found, general, proposal.target)
    plain = Proposed(
        question=question,
        found=found,
        used=policy_used(question, found, proposal.base),
        change=collected.change._replace(production=production, named_source=named),
        brought=collected.proposed,
    )
    return read_again(plain)


def read_again(proposed: Proposed) -> Proposed:
    """The same change with the evidence as it is recorded now."""
    before = proposed.question.book
    book = EvidenceBook(proposed.question.repository, verifier=before.verifier if before is not None else None)
    question = proposed.question._replace(book=book)
    change = book.about(proposed.found.policy, proposed.change, as_of=question.as_of, brought=proposed.brought_policy)
    return proposed._replace(question=question, change=change)


def judge(proposed: Proposed) -> ChangeVerdict:
    """The verdict on it. Raises: PolicyError when the policy in force is broken and the change does not mend it."""
    return evaluate(proposed.question, proposed.found, proposed.change, proposed.brought)


def require_policy(proposed: Proposed) -> Policy:
    """The policy in force. Raises: PolicyError, RefusedError."""
    found, branch = proposed.found, proposed.branch
    if found.error is not None:
        raise PolicyError(
            f"the policy of {branch} is invalid, so nothing can be signed by it",
            remedy=f"guard policy check --rev {found.at[:12]}",
            problems=found.error.problems,
        )
    if found.policy is None:
        raise RefusedError(f"{branch} has no policy, so there is nothing that could be signed", remedy="guard init")
    return found.policy


def require_open(proposed: Proposed) -> Subject:
    """What could still land, as it is signed.

    Raises: RefusedError when no signature on it could ever count; UndeterminedError when it is not known what
    would land, or as what.
    """
    change, branch = proposed.change, proposed.branch
    if not change.production:
        raise RefusedError(
            f"{branch} is no production branch by the policy, so nothing is asked for there",
            remedy="guard policy show   # then name one: --into BRANCH",
        )
    repository, base = proposed.question.repository, _base(change)
    head = str(change.head)
    if base is not None and is_ancestor(repository, head, base):
        raise RefusedError(
            f"{head[:12]} has landed on {branch} already: there is nothing left to sign",
            remedy=f"guard explain {head[:12]}",
        )
    subject = subject_of(change)
    if isinstance(subject, Unknown):
        if base is not None and isinstance(change.result_tree, Unknown) and not repository.shallow:
            _refuse_conflict(proposed, base, head, change.result_tree)
        remedy = subject.remedy
        if isinstance(change.repository, Unknown):
            remedy = "git remote add origin URL   # or name it: --repository github.com/acme/shop"
        raise UndeterminedError(f"it is not known what would land: {subject.reason}", remedy=remedy)
    return subject


def _refuse_conflict(proposed: Proposed, base: str, head: str, unknown: Unknown) -> None:
    """Raises: RefusedError when the merge conflicts; a merge that could not be made is something else."""
    with MergeAgain(proposed.question.repository, scratch_folder()) as again:
        for merged in again.merge([(base, head)]):
            if not merged.clean:
                raise RefusedError(unknown.reason, remedy=unknown.remedy)


def _base(change: Change) -> Optional[str]:
    return change.base.value if isinstance(change.base, Known) else None


@contextmanager
def git_with_result(proposed: Proposed, subject: Subject) -> Iterator[Git]:
    """A git that has the result tree: what a merge would give is made again where it is nowhere yet."""
    repository = proposed.question.repository
    if repository.git.run("cat-file", "-e", subject.result_tree, accept=(0, 1, 128)).returncode == 0:
        yield repository.git
        return
    with MergeAgain(repository, scratch_folder()) as again:
        for _ in again.merge([(subject.base, str(proposed.change.head))]):
            pass
        yield again.git


def standings(proposed: Proposed, policy: Policy) -> Standings:
    """Who has validly signed for each role, by whatever proof it accepts, and what is lacking.

    Of a change that brings another policy, what this one lacks besides.
    """
    signed: list[tuple[SignOff, tuple[str, ...]]] = []
    lacking: list[Lacking] = []
    for asking, role in roles_of(proposed, policy):
        standing = stand(asking, role, proposed.change, proposed.question.as_of)
        if asking is policy:
            signed.append((role, tuple(sorted(standing.signers))))
        if not standing.complete(role) and role.role not in [one.role for one in lacking]:
            lacking.append(
                Lacking(
                    role=role.role,
                    have=len(standing.signers),
                    wanted=role.count,
                    command=sign_command(role, proposed.change),
                    unknown=standing.unknown.reason if standing.unknown is not None else "",
                )
            )
    return Standings(tuple(signed), tuple(lacking))


def roles_of(proposed: Proposed, policy: Policy) -> list[tuple[Policy, SignOff]]:
    """The roles of the policy in force, and those of the one that the change brings that ask for something else."""
    brought = proposed.brought_policy
    own = [(policy, role) for role in policy.sign_off]
    known = [(role, policy.members_of(role.by)) for role in policy.sign_off]
    others = brought.sign_off if brought is not None else ()
    return own + [(brought, role) for role in others if brought and (role, brought.members_of(role.by)) not in known]


def able(proposed: Proposed, asking: Policy, people: frozenset[str]) -> frozenset[str]:
    """Those of the people of a policy who can sign now: with keys that production lists, whatever it calls them."""
    policy = proposed.found.policy
    if policy is None or asking is policy:
        return people
    known = keys_of(policy)
    mine = {person.id: person.keys for person in asking.people}
    return frozenset(one for one in people if any(parse_key(line)[1] in known for line in mine.get(one, ())))


def kinds_of(proposed: Proposed, policy: Policy, name: str) -> tuple[BindingKind, ...]:
    """What a sign-off in a role is bound to: by both policies, where the change brings another one."""
    return tuple(dict.fromkeys(role.binding for _, role in roles_of(proposed, policy) if role.role == name))


def bind(proposed: Proposed, subject: Subject, kind: BindingKind) -> Binding:
    """What a statement about it is tied to."""
    return subject.binding(kind, proposed.question.repository)


def subject_document(proposed: Proposed, statement: Statement) -> dict[str, Any]:
    """What a statement is about, for JSON."""
    binding, used = statement.binding, proposed.used
    return {
        "repository": binding.repository,
        "target": binding.target,
        "base": statement.base,
        "head": statement.head,
        "result-tree": statement.result_tree,
        "binding": {"kind": binding.kind, "object": binding.object},
        "policy": {"commit": used.commit, "path": used.path, "digest": statement.policy_digest},
    }


def require_head(question: Question, rev: str) -> tuple[str, str | None]:
    """The commit that would land, and the short name of the branch that was named, if it was one.

    A branch that is only on the remote is found by its short name too.
    Raises: UsageError when there is none, with the reason where HEAD is unborn, or when it may mean two.
    """
    repository, remotes = question.repository, question.around.remotes
    if rev == "HEAD":
        oid = resolve_commit(repository, rev)
        present = repository.checked_out or current_branch(repository)
        short = None if present is None else short_branch(present)
        if oid is None:
            raise UsageError(f"{short or rev} has no commit yet, so there is nothing to check", remedy="git commit")
        return oid, short
    require_one_meaning(repository, rev, "--head", remote_too=True)
    tracking = tuple(f"{REMOTES}{remote}/{rev}" for remote in remotes)
    oids = (resolve_commit(repository, one) for one in (rev, *tracking))
    oid = next((one for one in oids if one is not None), None) or require_commit(repository, rev, "--head")
    if any(sign in rev for sign in "~^:@{*?[") or rev.startswith("-"):
        return oid, None
    tips = tips_of(repository, *((rev,) if rev.startswith("refs/") else (HEADS + rev, REMOTES + rev, *tracking)))
    return oid, next((short_branch(name, remotes) for name, tip in tips.items() if tip == oid), None)
