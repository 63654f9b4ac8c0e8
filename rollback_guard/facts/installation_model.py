"""What is known of an installation, as values. Collected by `facts.installation`, judged by `report.doctor_text`."""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional


class StageSeen(NamedTuple):
    """One stage's hooks. `owner` is whose hook git runs; `ours` how ours is reached, if it is."""

    stage: str
    path: str
    owner: Literal["nobody", "guard", "shared", "pre-commit", "other"]
    executable: bool = False
    ours: Optional[Literal["native", "legacy"]] = None
    ours_executable: bool = False
    gone: Optional[str] = None  # what our hook was written for and is there no more


class Folder(NamedTuple):
    """Where git looks for hooks, and what core.hooksPath has to do with it."""

    path: str
    default: str  # where it would look without core.hooksPath
    scope: Optional[str] = None  # of core.hooksPath: local, worktree, global, system; None when it is not set
    elsewhere: tuple[str, ...] = ()  # stages of which a hook of ours lies in `default`, where git does not look


class Tools(NamedTuple):
    """Versions as numbers; (0,) when a program does not tell."""

    git: tuple[int, ...]
    ssh: Optional[tuple[int, ...]] = None  # None: there is no ssh-keygen
    python: bool = True  # there is a python3 of 3.10 or newer on the PATH, which shared hooks need


class PolicySeen(NamedTuple):
    """The policy on the production branch as it is known here."""

    branch: Optional[str]  # full ref that was asked; None when there is no commit at all
    path: Optional[str] = None  # None: no policy there
    error: Optional[str] = None
    unread: Optional[tuple[str, str]] = None  # why git could not give it, and the remedy
    signatures: bool = False  # it asks for signatures
    knows_identity: Optional[bool] = None  # None: no policy or no identity to look for
    without: tuple[str, ...] = ()  # production branches by name whose own tip has no policy
    draft: bool = False  # a policy lies in the work tree
    workflow: Optional[str] = None  # a workflow on that branch that runs the gate


class RemoteSeen(NamedTuple):
    """Whether the repository behind a remote runs our pre-receive; `address` bears no credentials."""

    name: str
    address: str
    gate: Literal["runs", "absent", "unseen"]
    brings_evidence: bool = True  # a fetch brings its recorded evidence, or nothing at all


class WaiverSeen(NamedTuple):
    """A waiver that expired and that nobody reviewed. `landed`: production took what it let pass."""

    id: str  # of one of its envelopes, full hex
    rule: str
    target: str  # full ref name
    head: str
    signers: tuple[str, ...]  # ids of people
    expired: int  # Unix seconds
    reason: str
    incident: str
    landed: bool


class Installation(NamedTuple):
    """Everything that `guard doctor` looks at."""

    bare: bool
    tools: Tools
    folder: Folder
    stages: tuple[StageSeen, ...]
    policy: PolicySeen
    config: Optional[str] = None  # pre-commit's configuration file
    config_ids: tuple[str, ...] = ()  # our hook ids in it
    shallow: bool = False
    partial: bool = False
    replaced: int = 0  # replace refs
    grafts: bool = False
    skips: tuple[str, ...] = ()  # NAME=VALUE of the environment that lets pre-commit pass over our hooks
    identity: Optional[str] = None  # Name <e-mail>; None when none is configured
    remotes: tuple[RemoteSeen, ...] = ()
    named: bool = True  # a server knows which repository it is
    checks_objects: bool = True  # a server refuses malformed objects
    unreviewed: tuple[WaiverSeen, ...] = ()
    evidence_fault: Optional[tuple[str, str]] = None  # why the recorded evidence cannot be read, and the remedy
