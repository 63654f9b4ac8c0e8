"""What a scenario file may say, as values: facts about a made-up change, and what the gate must answer.

The one declaration of its keys, in the manner of `policy.model`; `gate.scenario` reads files by it and
`gate.scenario_change` makes the facts. Every key is described in docs/policy.md.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

from rollback_guard.facts.model import Identity, Move, Stage
from rollback_guard.gate.verdict import Decision
from rollback_guard.policy.model import Binding, Level

# Names of kinds, as in `policy.model`; `gate.scenario` says how each is read.
Text = str
Texts = tuple[str, ...]
Prose = str
Oid = str
Who = Identity
Whos = tuple[Identity, ...]
Moment = int
Flag = bool
RuleId = str
RuleIds = tuple[str, ...]
ArtefactWord = Literal["same", "changed", "gone", "unseen"]
SignedWord = Literal["approve", "reject", "withdraw"]
MergeKind = str
TrailerLines = tuple[tuple[str, str], ...]
Reasons = tuple[tuple[str, str], ...]

NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z, the moment of a scenario that names none


class ScenarioCommit(NamedTuple):
    author: Who
    committer: Optional[Who] = None
    message: Prose = "Change something"
    trailers: TrailerLines = ()
    commit: Optional[Oid] = None
    tree: Optional[Oid] = None
    date: Optional[Moment] = None
    unsigned: Flag = False


class ScenarioLanding(NamedTuple):
    message: Prose = "Land something"
    merge: Flag = True
    branches: Texts = ()
    squash_of: Optional[Text] = None
    trailers: TrailerLines = ()
    commit: Optional[Oid] = None
    date: Optional[Moment] = None


class ScenarioMerge(NamedTuple):
    kind: MergeKind = "unexplained"
    subject: Text = "Merge something"
    paths: Texts = ()
    conflicts: Texts = ()
    commit: Optional[Oid] = None


class ScenarioSigned(NamedTuple):
    role: Text
    person: Text
    decision: SignedWord = "approve"
    binding: Optional[Binding] = None
    comment: Text = ""
    stale: Text = ""
    fault: Text = ""
    date: Optional[Moment] = None


class ScenarioWaiver(NamedTuple):
    rule: RuleId
    person: Text
    reason: Text = "something is on fire"
    expires: Optional[Moment] = None
    reviewed_by: Texts = ()
    date: Optional[Moment] = None


class ScenarioBackup(NamedTuple):
    name: Text
    person: Optional[Text] = None
    taken: Optional[Moment] = None
    commit: Optional[Oid] = None
    level: Optional[Level] = None
    source: Optional[Text] = None
    place: Optional[Text] = None
    before: Optional[Text] = None
    artefact: ArtefactWord = "same"
    fault: Text = ""


class ScenarioRestoration(NamedTuple):
    tag: Text
    committers: Whos
    commit: Optional[Oid] = None


class Expect(NamedTuple):
    decision: Decision
    violated: Optional[RuleIds] = None
    undetermined: Optional[RuleIds] = None
    waived: Optional[RuleIds] = None
    satisfied: RuleIds = ()
    not_applicable: RuleIds = ()


class Scenario(NamedTuple):
    """One made-up change. Paths of policies are relative to the file; None is the policy under test."""

    name: Text
    expect: Expect
    policy: Optional[Text] = None
    proposed: Optional[Text] = None
    proposed_error: Text = ""
    without_policy: Flag = False
    as_of: Moment = NEW_YEAR
    stage: Stage = "range"
    target: Text = "main"
    production: Optional[Flag] = None
    repository: Optional[Text] = None
    source: Optional[Text] = None
    claimed_source: Optional[Text] = None
    base: Optional[Oid] = None
    head: Optional[Oid] = None
    head_tree: Optional[Oid] = None
    result_tree: Optional[Oid] = None
    move: Optional[Move] = None
    base_in_head: Flag = True
    commit: tuple[ScenarioCommit, ...] = ()
    landing: tuple[ScenarioLanding, ...] = ()
    merge: tuple[ScenarioMerge, ...] = ()
    signed: tuple[ScenarioSigned, ...] = ()
    waiver: tuple[ScenarioWaiver, ...] = ()
    backup: tuple[ScenarioBackup, ...] = ()
    restoration: Optional[ScenarioRestoration] = None
    touched: Texts = ("src/app.py",)
    irreversible: Texts = ()
    refs: Texts = ()
    unknown: Reasons = ()
    missing: Texts = ()


class ScenarioFile(NamedTuple):
    scenario: tuple[Scenario, ...]
    policy: Optional[Text] = None


SCENARIO_DOCS: dict[str, dict[str, str]] = {
    "ScenarioFile": {
        "scenario": "The scenarios, as [[scenario]].",
        "policy": "The policy that judges all scenarios of the file, relative to it; else the one under test.",
    },
    "Scenario": {
        "name": "What the scenario shows, in a sentence.",
        "expect": "What the gate must answer.",
        "policy": "The policy that judges this scenario, relative to the file.",
        "proposed": "The policy that the change brings, relative to the file; else the one that judges.",
        "proposed-error": "Why the policy that the change brings cannot be read.",
        "without-policy": "The production branch holds no policy yet.",
        "as-of": "When the change is judged, such as 2026-11-22T20:00:00Z; else 2026-01-01T00:00:00Z.",
        "stage": "Where the change is judged: commit, merge, message, push, receive, range or landed.",
        "target": "The branch that the change goes to, or a full ref name.",
        "production": "Whether the target is production; else the policy's patterns decide.",
        "repository": "The repository's URL; else the first one that the policy authorises.",
        "source": "The branch that holds the change.",
        "claimed-source": "The branch that the caller says the change comes from.",
        "base": "The target's present tip, a full oid.",
        "head": "What is proposed, a full oid.",
        "head-tree": "The tree of the head, a full oid.",
        "result-tree": "The tree that the target will have, a full oid.",
        "move": "How the target moves: none, create, forward, rewind or delete.",
        "base-in-head": "Whether the head holds everything that the target has.",
        "commit": "The commits of the change, oldest first; the last one is the head.",
        "landing": "The commits that the change adds to production's own chain, oldest first.",
        "merge": "Merges of the change that are not what git would have made.",
        "signed": "What people signed about the change, as guard sign records it.",
        "waiver": "Signatures under an exception, as guard waive records them.",
        "backup": "Attestations of backups, as guard backup attest records them.",
        "restoration": "The change puts production back to a stable release.",
        "touched": "The files that the change touches.",
        "irreversible": "Migrations of the change that cannot be undone, by their files.",
        "refs": "Full names of all refs; else the target and the source.",
        "unknown": 'Facts that could not be had, each with the reason, such as survey = "shallow clone".',
        "missing": "What the stage does not see, for the verdict's coverage.",
    },
    "ScenarioCommit": {
        "author": "Who wrote it: Jane Doe <jane@acme.example>.",
        "committer": "Who committed it; else the author.",
        "message": "The message without its trailers.",
        "trailers": "The trailers, each as Key: value.",
        "commit": "Its oid.",
        "tree": "Its tree's oid.",
        "date": "When it was committed; else the moment of judgement.",
        "unsigned": "It bears no signature, where the policy wants signed-commits.",
    },
    "ScenarioLanding": {
        "message": "The message without its trailers.",
        "merge": "Whether it is a merge; false for an ordinary commit on production itself.",
        "branches": "The branches that hold what it brings.",
        "squash-of": "The branch of which it is the squash.",
        "trailers": "The trailers, each as Key: value.",
        "commit": "Its oid.",
        "date": "When it was committed; else the moment of judgement.",
    },
    "ScenarioMerge": {
        "kind": "unexplained (something was slipped in), resolved (conflicts by hand) or octopus.",
        "subject": "The first line of its message.",
        "paths": "The files that nothing explains.",
        "conflicts": "The files whose conflicts were resolved by hand.",
        "commit": "Its oid.",
    },
    "ScenarioSigned": {
        "role": "The role in which it was signed.",
        "person": "Id of the person whose key signed.",
        "decision": "approve, reject or withdraw.",
        "binding": "What it is tied to; else what the role asks for.",
        "comment": "Why; shown with a rejection.",
        "stale": "Why it is about something else than what lands.",
        "fault": "Why the signature does not count.",
        "date": "When it was signed; else the moment of judgement.",
    },
    "ScenarioWaiver": {
        "rule": "The rule that is waived.",
        "person": "Id of the person whose key signed.",
        "reason": "Why.",
        "expires": "Until when it counts; else an hour after the moment of judgement.",
        "reviewed-by": "Ids of the people who reviewed it afterwards.",
        "date": "When it was signed; else the moment of judgement.",
    },
    "ScenarioBackup": {
        "name": "The backup's name, as the policy has it.",
        "person": "Id of the person whose key signed; else one who may.",
        "taken": "When the snapshot was taken; else the moment of judgement.",
        "commit": "The commit of production that it protects; else where production is.",
        "level": "How far it is proven; else as the policy asks.",
        "source": "The source that it was taken from; else as the policy writes it.",
        "place": "Which database or directory it was, such as postgresql://db.acme.example/shop; else the right one.",
        "before": "Which one it was at the first attestation of that name.",
        "artefact": "What lies in the store now: same, changed, gone, or unseen (the store cannot be looked at).",
        "fault": "Why the signature does not count.",
    },
    "ScenarioRestoration": {
        "tag": "The stable release whose tree production gets again.",
        "committers": "Who committed what goes back.",
        "commit": "The release's commit.",
    },
    "Expect": {
        "decision": "allow, deny or undetermined.",
        "violated": "Exactly the rules that are violated.",
        "undetermined": "Exactly the rules that cannot be determined.",
        "waived": "Exactly the rules that are waived.",
        "satisfied": "Rules that are satisfied, among others.",
        "not-applicable": "Rules that have nothing to say, among others.",
    },
}
