"""Signing a statement and recording it: which change, whose key, asked and answered, and nothing half-written.

What could never count is refused before anybody is asked. What is signed is in `evidence.statement`, how in
`evidence.signer`, where it is kept in `evidence.store`; how the change is found is left to `entry.proposal`.
"""

from __future__ import annotations

import os
import shlex
import time
from typing import NamedTuple, Optional

from rollback_guard.entry.key_ring import KeyRing
from rollback_guard.entry.proposal import Proposed, git_with_result, read_proposed, require_head, require_open
from rollback_guard.entry.target import find_target
from rollback_guard.entry.wiring import ask, here
from rollback_guard.errors import RefusedError, UndeterminedError, UsageError
from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.envelope import Envelope, envelope_name, pae, render_envelope
from rollback_guard.evidence.keys import Key, fault_at, keys_of
from rollback_guard.evidence.signer import public_key_of, sign
from rollback_guard.evidence.statement import (
    PAYLOAD_TYPE,
    Statement,
    kind_of,
    namespace_of,
    render_statement,
    store_key,
)
from rollback_guard.evidence.statement_scalars import check_text
from rollback_guard.evidence.store import Entry, record
from rollback_guard.evidence.subject import Subject
from rollback_guard.facts.model import Known
from rollback_guard.facts.range import Proposal
from rollback_guard.facts.surroundings import repository_of
from rollback_guard.gate.people import called, makers_of, written
from rollback_guard.gate.routes import came_from
from rollback_guard.git.log import AUTHOR, COMMIT, SUBJECT, LogFormat, read_log
from rollback_guard.git.process import decode
from rollback_guard.git.refs import require_commit, short_branch
from rollback_guard.git.repository import Repository, read_config
from rollback_guard.git.streams import split_stream
from rollback_guard.policy.keys import fingerprint_of
from rollback_guard.policy.model import Policy
from rollback_guard.policy.repositories import normalise_repository
from rollback_guard.report.sign_text import MOST_SHOWN, Landing

DAY = 86400  # seconds; clocks may differ by this much
NO_KEY = "git config gpg.format ssh && git config user.signingKey ~/.ssh/id_ed25519.pub   # or: --key PATH"


class Asked(NamedTuple):
    """The options by which a command names a change; None where one was left out."""

    into: Optional[str] = None
    head: Optional[str] = None
    base: Optional[str] = None
    repository: Optional[str] = None


class Signer(NamedTuple):
    """Who signs: the key as ssh-keygen takes it, and what the policy says of it."""

    path: str
    key: Key


def propose(asked: Asked) -> Proposed:
    """The change that the options name, with the evidence about it.

    Raises: UsageError; RefusedError when `--base` is not where the target is here.
    """
    question = ask(here())
    target, tip = find_target(question, asked.into)
    if asked.base is not None:
        base = require_commit(question.repository, asked.base, "--base")
        if base != tip:
            raise RefusedError(
                f"{short_branch(target)} is at {tip[:12]} here, not at {base[:12]}: nothing that is signed on "
                "another base counts",
                remedy="git fetch --all   # then look again at what would land now",
            )
    proposal = Proposal(
        stage="range",
        target=target,
        base=tip,
        head=require_head(question, "HEAD" if asked.head is None else asked.head)[0],
        repository=repository_of(question.around, claimed=asked.repository),
    )
    return read_proposed(question, proposal)


def require_authorised(policy: Policy, subject: Subject) -> None:
    """Raises: RefusedError when what is signed names a repository in which nothing may land."""
    allowed = policy.production.repositories
    if allowed is None or subject.repository in [normalise_repository(one) for one in allowed]:
        return
    raise RefusedError(
        f"this clone takes itself for {subject.repository}, which is no repository that the policy authorises "
        f"({', '.join(allowed)}): a signature for it would count for nothing",
        remedy=f"git config rollback-guard.repository {shlex.quote(allowed[0])}   # or: --repository {allowed[0]}",
    )


def find_signer(repository: Repository, policy: Policy, key: str | None) -> Signer:
    """The person whose key it is: `--key`, else git's user.signingKey. Looks only at the public part.

    Raises: UsageError when no key can be found; RefusedError when the policy lists it for nobody.
    """
    path = key if key is not None else _configured_key(repository)
    blob = public_key_of(path, os.environ)
    found = keys_of(policy).get(blob)
    if found is None:
        raise RefusedError(
            f"the key {fingerprint_of(blob)} is nobody's: the policy of the protected branch lists it for none of "
            "the people",
            remedy="land a change that adds it to `keys` of [people.ID]   # or name a listed one: --key PATH",
        )
    return Signer(path=path, key=found)


def _configured_key(repository: Repository) -> str:
    config = read_config(repository, r"^(gpg\.format|user\.signingkey)$")
    path = config.get("user.signingkey", [""])[-1]
    if not path:
        raise UsageError("no key is named, and git has no user.signingKey", remedy=NO_KEY)
    if config.get("gpg.format", ["openpgp"])[-1] != "ssh":
        raise UsageError("git's user.signingKey is no SSH key here (gpg.format is not ssh)", remedy=NO_KEY)
    return path


def require_maker(proposed: Proposed, policy: Policy, person: str) -> bool:
    """Whether a person made a part of the change. Raises: UndeterminedError when that is not known."""
    survey = proposed.change.survey
    if not isinstance(survey, Known):
        raise UndeterminedError(f"who made the change is not known: {survey.reason}", remedy=survey.remedy)
    return person in makers_of(policy, survey.value).people


def require_moment(key: Key, subject: Subject, moment: int) -> None:
    """Raises: RefusedError when nothing that is signed with the key at that moment (Unix seconds) counts."""
    require_key_now(key, moment)
    if subject.begun is not None and moment < subject.begun - DAY:
        raise RefusedError(
            "the head was committed more than a day after what the clock here says, so a signature of now would "
            "not count",
            remedy="date   # set the clock right; or have the head committed again by one that is",
        )


def require_key_now(key: Key, moment: int) -> None:
    """Raises: RefusedError when the key does not count at a moment (Unix seconds)."""
    fault = fault_at(key, moment)
    if fault:
        raise RefusedError(
            f"{fault}, so nothing that is signed with it now counts",
            remedy="name another key: --key PATH   # or land a change that lists a new one",
        )


def describe(proposed: Proposed, policy: Policy, subject: Subject) -> Landing:
    """What would land, for the eyes of whoever signs it."""
    change = proposed.change
    makers = change.survey.value.makers if isinstance(change.survey, Known) else ()
    count = change.survey.value.count if isinstance(change.survey, Known) else 0
    commits = []
    log = LogFormat()
    limit = f"--max-count={MOST_SHOWN}"
    for fields in read_log(proposed.question.repository.git, log, limit, str(change.head), f"^{subject.base}"):
        commits.append((decode(fields[COMMIT]), decode(fields[AUTHOR]), decode(fields[SUBJECT])))
    files: list[tuple[str, str]] = []
    changed = 0
    with git_with_result(proposed, subject) as git:
        options = ("-r", "-z", "--name-status", "--no-renames", "--ignore-submodules=none")
        args = ("diff-tree", *options, subject.base, subject.result_tree, "--")
        state = ""
        for words in split_stream(git.chunks(*args), b"\0"):
            for word in words:
                if not state:
                    state = decode(word)
                    continue
                changed += 1
                if len(files) < MOST_SHOWN:
                    files.append((state, decode(word)))
                state = ""
    return Landing(
        repository=subject.repository,
        source=came_from(policy, change),
        target=subject.target,
        base=subject.base,
        head=subject.head,
        result_tree=subject.result_tree,
        makers=tuple(
            dict.fromkeys(f"{written(one.identity)}" for one in makers if one.part not in ("merger", "lander"))
        ),
        commits=tuple(commits),
        commit_count=count,
        files=tuple(files),
        file_count=changed,
        policy=f"{proposed.used.path} at {str(proposed.used.commit)[:12]}",
    )


def note_identity(repository: Repository, policy: Policy, signer: Signer) -> str:
    """A warning when git works here as somebody else than the one whose key it is, or ""."""
    said = repository.git.run("var", "GIT_COMMITTER_IDENT", accept=(0, 1, 128))
    person = policy.person_of(decode(said.stdout).rpartition("> ")[0].rpartition("<")[2])
    if person is None or person.id == signer.key.person:
        return ""
    return f"git works here as {called(policy, person.id)}, but the key is {called(policy, signer.key.person)}'s"


def require_plain(option: str, text: str, *, breaks: str = "\n\t") -> None:
    """Raises: UsageError for text that no statement can hold; before anybody is asked, or shown it."""
    try:
        check_text(text, option, breaks=breaks)
    except FormatError as fault:
        raise UsageError(f"that cannot be signed: {fault.reason}", remedy="say it in fewer, plain words") from None


def sign_and_record(repository: Repository, statement: Statement, signer: Signer, message: str) -> str:
    """Sign a statement and keep it in the store; the hex digest that is its id.

    Raises: UsageError for a statement that nobody could read; what `evidence.signer` and `evidence.store` raise.
    """
    try:
        payload = render_statement(statement)
    except FormatError as fault:
        raise UsageError(f"that cannot be signed: it {_worded(fault)}", remedy="say it in fewer, plain words") from None
    data = pae(PAYLOAD_TYPE, payload)
    namespace = namespace_of(statement)
    blob = sign(data, key=signer.path, namespace=namespace, environ=os.environ, public_key=signer.key.blob)
    envelope = render_envelope(Envelope(payload=payload, keyid=signer.key.fingerprint, sig=blob))
    entry = Entry(kind=kind_of(statement), key=store_key(statement), head=statement.head, data=envelope)
    record(repository, (entry,), message=message)
    return envelope_name(envelope).removesuffix(".json")


def _worded(fault: FormatError) -> str:
    return fault.reason if fault.reason.startswith(("has ", "holds ", "is ")) else f"does not hold together: {fault}"


def now() -> int:
    """The present moment, in Unix seconds."""
    return int(time.time())


def pinned(words: list[str], proposed: Proposed, asked: Asked, key: str | None) -> list[str]:
    """A command with the options that name exactly this change, whatever moves meanwhile."""
    change = proposed.change
    base = change.base.value if isinstance(change.base, Known) else None
    words = [*words, "--into", proposed.branch, "--base", str(base)[:12], "--head", str(change.head)[:12]]
    if asked.repository is not None:
        words += ["--repository", asked.repository]
    return words + (["--key", key] if key is not None else [])


def ready(proposed: Proposed, policy: Policy) -> Subject:
    """What would land, once it is plain that a signature on it can count. Raises: as `require_open`."""
    subject = require_open(proposed)
    require_authorised(policy, subject)
    why = KeyRing(proposed.question).why_no_target(subject.target)
    if why:
        raise RefusedError(
            f"a server would not take what is signed about it: {why}",
            remedy=f"land a change there that adds {proposed.branch} to `branches` of [production]",
        )
    return subject
