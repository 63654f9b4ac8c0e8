"""From a scenario's few words to the complete facts that the gate is asked about.

What a scenario leaves out gets the plainest value: the repository that the policy authorises, a head that
is up to date with its base, one file of the program touched.
"""

from __future__ import annotations

from typing import Any

from rollback_guard.facts.model import (
    Change,
    EarlierTrailer,
    Fact,
    Hunk,
    Identity,
    Known,
    Landing,
    Maker,
    MergeCheck,
    Message,
    Move,
    Restoration,
    RiskyMigration,
    SignedDecision,
    SignedWaiver,
    Survey,
    Touched,
    Trailer,
    Unknown,
    Unproven,
)
from rollback_guard.gate.scenario_backups import attestations_of
from rollback_guard.gate.scenario_model import Scenario, ScenarioCommit, ScenarioLanding
from rollback_guard.policy.model import Policy
from rollback_guard.policy.paths import governs
from rollback_guard.policy.patterns import matches_any

# The facts of a Change that may be unknown, by the keys that scenario files use.
UNKNOWABLE = {
    "repository": "repository",
    "base": "base",
    "head-tree": "head_tree",
    "result-tree": "result_tree",
    "source": "source",
    "survey": "survey",
    "merges": "merges",
    "messages": "messages",
    "landings": "landings",
    "base-in-head": "base_in_head",
    "refs": "refs",
    "touched": "touched",
    "unrelanded": "unrelanded",
    "irreversible": "irreversible",
    "signed": "decisions",
    "waiver": "waivers",
    "backup": "backups",
    "unsigned": "unproven",
}
HEADS = "refs/heads/"
BASE, HEAD, LANDED = "b" * 40, "a" * 40, "1" * 40
HEAD_TREE, MERGED_TREE = "c" * 40, "d" * 40
NOWHERE = "git.acme.example/shop"
AN_HOUR = 3600  # seconds
_WHERE = "scenario"


def change_of(scenario: Scenario, policy: Policy | None) -> Change:
    """The facts that a scenario describes; the policy only fills in what it leaves out."""
    target = scenario.target if scenario.target.startswith("refs/") else HEADS + scenario.target
    move = move_of(scenario)
    head = head_of(scenario, move)
    head_tree = scenario.head_tree or HEAD_TREE
    result_tree = scenario.result_tree or (head_tree if scenario.base_in_head else MERGED_TREE)
    change = Change(
        stage=scenario.stage,
        target=target,
        production=_is_production(scenario, policy, target),
        repository=_known(scenario.repository or _home(policy)),
        base=Known(None if move == "create" else scenario.base or BASE, _WHERE),
        head=head,
        head_tree=_known(head_tree),
        result_tree=_known(result_tree),
        move=move,
        source=_known((scenario.source,) if scenario.source else ()),
        claimed_source=scenario.claimed_source,
        survey=_known(_survey(scenario, head)),
        merges=_known(_merges(scenario)),
        messages=_known(_messages(scenario, head, head_tree)),
        landings=_known(_landings(scenario, head, move)),
        base_in_head=_known(scenario.base_in_head),
        refs=_known(scenario.refs or (target, *([HEADS + scenario.source] if scenario.source else []))),
        touched=_known(_touched(scenario.touched)),
        unrelanded=_known(()),
        irreversible=_known(tuple(_risky(path) for path in scenario.irreversible)),
        restoration=_restoration(scenario),
        decisions=_known(_decisions(scenario, policy)),
        waivers=_known(_waivers(scenario)),
        backups=_known(attestations_of(scenario, policy, scenario.base or BASE)),
        unproven=_known(_unproven(scenario, policy, head)),
        missing=scenario.missing,
    )
    unknown: dict[str, Any] = {UNKNOWABLE[fact]: Unknown(reason) for fact, reason in scenario.unknown}
    return change._replace(**unknown)


def move_of(scenario: Scenario) -> Move:
    """How the target moves: forward where refs move, not at all where a change is only looked at."""
    if scenario.move is not None:
        return scenario.move
    return "forward" if scenario.stage in ("push", "receive", "landed") else "none"


def head_of(scenario: Scenario, move: Move) -> str | None:
    """What is proposed: nothing for a deletion or an ordinary commit in the making."""
    if move == "delete" or scenario.stage == "commit" or (scenario.stage == "message" and not scenario.source):
        return None
    last = scenario.commit[-1].commit if scenario.commit else None
    return scenario.head or last or HEAD


def _known(value: Any) -> Fact[Any]:
    return Known(value, _WHERE)


def _is_production(scenario: Scenario, policy: Policy | None, target: str) -> bool:
    if scenario.production is not None:
        return scenario.production
    if policy is None:
        return True
    return target.startswith(HEADS) and matches_any(policy.production.branches, target.removeprefix(HEADS))


def _home(policy: Policy | None) -> str:
    return policy.production.repositories[0] if policy is not None and policy.production.repositories else NOWHERE


def _oid(scenario: Scenario, index: int, head: str | None) -> str:
    """The oid of a commit of the change: its own, the head's for the last one, else one made up."""
    commit = scenario.commit[index]
    if commit.commit:
        return commit.commit
    return head if head and index == len(scenario.commit) - 1 else f"{index + 1:040x}"


def _survey(scenario: Scenario, head: str | None) -> Survey:
    makers: list[Maker] = []
    earlier: list[EarlierTrailer] = []
    for index, commit in enumerate(scenario.commit):
        oid = _oid(scenario, index, head)
        makers.append(Maker(identity=commit.author, part="author", commit=oid))
        makers.append(Maker(identity=commit.committer or commit.author, part="committer", commit=oid))
        for key, value in commit.trailers:
            if key.lower() == "co-authored-by":
                name, _, email = value.partition("<")
                identity = Identity(name.strip(), email.partition(">")[0].strip())
                makers.append(Maker(identity=identity, part="co-author", commit=oid))
            elif index < len(scenario.commit) - 1:
                earlier.append(EarlierTrailer(trailer=Trailer(key, value), commit=oid))
    return Survey(count=len(scenario.commit), makers=tuple(makers), earlier=tuple(earlier))


def _merges(scenario: Scenario) -> tuple[MergeCheck, ...]:
    return tuple(
        MergeCheck(
            commit=merge.commit or f"{index + 1:040x}",
            subject=merge.subject,
            kind=merge.kind,  # type: ignore[arg-type]
            hunks=tuple(Hunk(path=path, line=1, added=("(a line that nothing explains)",)) for path in merge.paths),
            conflicts=merge.conflicts,
        )
        for index, merge in enumerate(scenario.merge)
    )


def _messages(scenario: Scenario, head: str | None, head_tree: str) -> tuple[Message, ...]:
    """The messages whose trailers count: of the head, and of the last commit that lands."""
    found = []
    in_making = scenario.stage == "message"
    if scenario.landing:
        last = scenario.landing[-1]
        found.append(_message(last, "landing", scenario, None if in_making else last.commit or LANDED, None))
    if scenario.commit:
        commit = scenario.commit[-1]
        tree = commit.tree or head_tree
        if in_making and head is None:
            found.append(_message(commit, "landing", scenario, None, None))
        elif not scenario.landing or scenario.landing[-1].merge:
            found.append(_message(commit, "head", scenario, _oid(scenario, -1 % len(scenario.commit), head), tree))
    return tuple(found)


def _message(
    written: ScenarioCommit | ScenarioLanding, bearer: Any, scenario: Scenario, commit: str | None, tree: str | None
) -> Message:
    lines = "".join(f"{key}: {value}\n" for key, value in written.trailers)
    return Message(
        bearer=bearer,
        trailers=tuple(Trailer(key, value) for key, value in written.trailers),
        text=f"{written.message.rstrip()}\n" + (f"\n{lines}" if lines else ""),
        commit=commit,
        tree=tree or (HEAD_TREE if commit else None),
        time=None if commit is None else scenario.as_of if written.date is None else written.date,
    )


def _landings(scenario: Scenario, head: str | None, move: Move) -> tuple[Landing, ...]:
    """What was written; else, where a ref moves, what a branch lands as a merge and what none holds as itself."""
    if scenario.landing:
        return tuple(
            Landing(
                commit=landing.commit or LANDED,
                subject=landing.message.partition("\n")[0],
                heads=(head or HEAD,) if landing.merge else (),
                branches=Known(landing.branches, _WHERE),
                squash_of=landing.squash_of,
            )
            for landing in scenario.landing
        )
    if move != "forward" or not scenario.commit:
        return ()
    subject = scenario.commit[-1].message.partition("\n")[0]
    if scenario.source is None:
        return (Landing(commit=head or HEAD, subject=subject, heads=(), branches=Known((), _WHERE)),)
    if scenario.stage != "landed":
        return ()
    branches = Known((scenario.source,), _WHERE)
    return (Landing(commit=LANDED, subject=f"Merge {scenario.source}", heads=(head or HEAD,), branches=branches),)


def _touched(paths: tuple[str, ...]) -> Touched:
    governing = tuple(path for path in paths if governs(path))
    return Touched(governing=governing, others=len(governing) < len(paths))


def _decisions(scenario: Scenario, policy: Policy | None) -> tuple[SignedDecision, ...]:
    bindings = {role.role: role.binding for role in policy.sign_off} if policy is not None else {}
    return tuple(
        SignedDecision(
            role=one.role,
            decision=one.decision,
            person=None if one.fault else one.person,
            claimed=one.person,
            time=scenario.as_of if one.date is None else one.date,
            binding=one.binding or bindings.get(one.role, "result"),
            digest=f"{number:064x}",
            stale=one.stale,
            fault=one.fault,
            comment=one.comment,
        )
        for number, one in enumerate(scenario.signed)
    )


def _waivers(scenario: Scenario) -> tuple[SignedWaiver, ...]:
    return tuple(
        SignedWaiver(
            rule=one.rule,
            person=one.person,
            claimed=one.person,
            time=scenario.as_of if one.date is None else one.date,
            expires=scenario.as_of + AN_HOUR if one.expires is None else one.expires,
            reason=one.reason,
            incident="",
            digest=f"{number:064x}",
            reviewers=one.reviewed_by,
        )
        for number, one in enumerate(scenario.waiver)
    )


def _unproven(scenario: Scenario, policy: Policy | None, head: str | None) -> tuple[Unproven, ...]:
    if policy is None or not policy.production.signed_commits:
        return ()
    found = []
    for index, commit in enumerate(scenario.commit):
        who = commit.committer or commit.author
        if commit.unsigned:
            oid = _oid(scenario, index, head)
            found.append(Unproven(commit=oid, name=who.name, email=who.email, fault="it bears no signature"))
    return tuple(found)


def _risky(path: str) -> RiskyMigration:
    """A new migration of numbered SQL files, without a way back."""
    name = path.rpartition("/")[2]
    return RiskyMigration(path=path, id=name, framework="sql", state="added", reasons=("has no way back",))


def _restoration(scenario: Scenario) -> Restoration | None:
    written = scenario.restoration
    if written is None:
        return None
    return Restoration(tag=written.tag, commit=written.commit or BASE, committers=written.committers)
