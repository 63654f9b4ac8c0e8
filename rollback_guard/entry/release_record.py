"""Signed records of stable releases: made when one is tagged or revoked, read when the last one is looked for."""

from __future__ import annotations

from rollback_guard.entry.key_ring import GOOD, KeyRing
from rollback_guard.entry.question import policy_used
from rollback_guard.entry.signing import find_signer, now, require_key_now, sign_and_record
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import Binding, ReleaseStatement, SignOffStatement, WaiverStatement
from rollback_guard.evidence.store import evidence_refs, list_all, look_up_about
from rollback_guard.facts.model import Unknown
from rollback_guard.facts.policy_source import read_policy_at
from rollback_guard.facts.surroundings import repository_of
from rollback_guard.gate.people import called
from rollback_guard.git.history_chain import tree_of
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import HEADS, TAGS
from rollback_guard.policy.repositories import normalise_repository
from rollback_guard.release.model import Recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.entry.production import Production
    from rollback_guard.entry.question import Question
    from rollback_guard.policy.model import Policy
    from rollback_guard.release.model import Released

MOST = 200  # ids that a statement names


def read_recorded(question: Question, branch: str) -> tuple[Recorded, ...]:
    """What people who may release signed of releases of a branch (short name), where the signature verifies.

    Raises: GuardError when the store cannot be read.
    """
    ring = KeyRing(question)
    opened = []
    for listed in list_all(question.repository, kind="release"):
        one = open_envelope(listed.stored.data)
        if isinstance(one, Opened) and one.statement.binding.target == HEADS + branch:
            opened.append(one)
    found = []
    for one, said in zip(opened, ring.judge(opened) if opened else (), strict=True):
        statement = one.statement
        policy = ring.policy_of(statement)
        if said != GOOD or not isinstance(statement, ReleaseStatement) or policy is None:
            continue
        if _may_release(policy, statement.signer):
            recorded = Recorded(
                tag=statement.tag.removeprefix(TAGS),
                object=statement.tag_object,
                commit=statement.head,
                signer=called(policy, statement.signer),
                date=statement.time,
                revoked=statement.comment,
            )
            found.append(recorded)
    return tuple(found)


def _may_release(policy: Policy, person: str) -> bool:
    allowed = policy.members_of(policy.release.by)
    return not allowed or person in allowed


def evidence_about(question: Question, commit: str, branch: str) -> tuple[str, ...]:
    """Ids of the sign-offs and waivers that speak of a landed commit or of what it merged, and verify; sorted."""
    repository = question.repository
    parents = repository.git.text("rev-list", "--parents", "--max-count=1", commit, "--").split()[2:]
    with ObjectReader(repository.git) as objects:
        stored = look_up_about(objects, evidence_refs(repository), [commit, *parents])
        every = {one.name: open_envelope(one.data) for one in stored}
    opened = [
        one
        for one in every.values()
        if isinstance(one, Opened)
        and isinstance(one.statement, (SignOffStatement, WaiverStatement))
        and one.statement.binding.target == HEADS + branch
    ]
    good = zip(opened, KeyRing(question).judge(opened) if opened else (), strict=True)
    return tuple(sorted(one.id for one, said in good if said == GOOD))[:MOST]


def record_release(question: Question, production: Production, released: Released, key: str | None) -> str:
    """Sign and record that a commit was tagged; the id of the record, "" when that is recorded already.

    Raises: GuardError when it cannot be signed.
    """
    recorded = read_recorded(question, production.branch)
    if any((one.tag, one.object, one.revoked) == (released.tag, released.object, "") for one in recorded):
        return ""
    smoke = tuple(sorted((name, "passed" if passed else "failed") for name, passed, _ in released.proof.smoke))
    statement = _statement(question, production, tag=released.tag, tag_object=released.object, commit=released.commit)
    # Of a tag that was there already nothing is known yet; what was proven by smoke tests, its message says.
    inputs = released.proof.evidence or evidence_about(question, released.commit, production.branch)
    return _sign(question, production, statement._replace(smoke=smoke, inputs=inputs), key)


def record_revocation(
    question: Question, production: Production, *, tag: str, revocation: str, commit: str, reason: str, key: str | None
) -> str:
    """Sign and record that a release is one no longer; "" when it is recorded. `revocation`: the revoking tag."""
    if any(one.object == revocation and one.revoked for one in read_recorded(question, production.branch)):
        return ""
    statement = _statement(question, production, tag=tag, tag_object=revocation, commit=commit)
    return _sign(question, production, statement._replace(decision="revoke", comment=reason), key)


def _statement(
    question: Question, production: Production, *, tag: str, tag_object: str, commit: str
) -> ReleaseStatement:
    repository = question.repository
    name = repository_of(question.around)
    if isinstance(name, Unknown):
        raise UsageError(name.reason, remedy=name.remedy)
    tree = tree_of(repository.git, commit)
    own = normalise_repository(name.value)
    with ObjectReader(repository.git) as objects:
        found = read_policy_at(objects, production.tip)
    return ReleaseStatement(
        decision="release",
        tag=TAGS + tag,
        tag_object=tag_object,
        binding=Binding(kind="head", repository=own, target=HEADS + production.branch, base=None, object=tree),
        base=commit,
        head=commit,
        result_tree=tree,
        policy_digest=str(policy_used(question, found, production.tip).digest),
        signer="",
        time=now(),
    )


def _sign(question: Question, production: Production, statement: ReleaseStatement, key: str | None) -> str:
    policy = production.policy
    if policy is None:
        raise UsageError(f"{production.branch} has no policy that says whose key counts", remedy="guard init")
    signer = find_signer(question.repository, policy, key)
    require_key_now(signer.key, statement.time)
    if not _may_release(policy, signer.key.person):
        who = called(policy, signer.key.person)
        raise RefusedError(f"the key is that of {who}, who may not release", remedy="name another key: --key PATH")
    statement = statement._replace(signer=signer.key.person)
    words = f"{statement.decision} {statement.tag.removeprefix(TAGS)}"
    return sign_and_record(question.repository, statement, signer, words)
