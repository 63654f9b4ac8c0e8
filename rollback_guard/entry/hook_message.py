"""prepare-commit-msg on a merge into production: the sign-offs that count on exactly this merge are written down.

Whoever signed what would land is named by a trailer. Where a role takes trailers for proof, those on the head
are brought along too. A trailer vouches for the tree of the commit that bears it: it is copied only where the
merge will have that very tree (the branch holds production's tip already).
"""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.errors import GuardError, UsageError
from rollback_guard.facts.survey import read_identity, read_messages
from rollback_guard.git.process import encode
from rollback_guard.git.refs import is_ancestor, resolve_commit, short_branch
from rollback_guard.git.repository import Repository, current_branch, read_config
from rollback_guard.git.trailers import add_trailers, as_comments, clean_message, read_trailers
from rollback_guard.policy.model import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def fill_message(repository: Repository, policy: Policy, head: str, path: str, *, edited: bool) -> int:
    """Add the head's sign-off trailers to the message file; in an editor, list what is still missing as comments."""
    full = os.path.join(repository.git.cwd, path)
    try:
        with open(full, "rb") as file:
            raw = file.read()
    except OSError as error:
        raise UsageError(f"the commit message {path} cannot be read: {error.strerror}") from None
    message = read_messages(repository.git, [("head", head)])[0]
    written = {(key.lower(), value) for key, value in read_trailers(repository.git, clean_message(repository.git, raw))}
    recorded = _recorded(policy, [(trailer.key, trailer.value) for trailer in message.trailers])
    if recorded and not is_ancestor(repository, "HEAD", head):
        recorded = []
    recorded += _signed(repository, policy, head)
    filled = dict.fromkeys(one for one in recorded if (one[0].lower(), one[1]) not in written)
    if filled:
        raw = add_trailers(repository.git, raw, tuple(filled))
        written |= {(key.lower(), value) for key, value in filled}
    hints = ""
    if edited and _drops_comments(repository):
        hints = _missing(repository, policy, head, {key for key, _ in written})
    if hints:
        raw += as_comments(repository.git, encode(hints))
    with open(full, "wb") as file:
        file.write(raw)
    return 0


def _drops_comments(repository: Repository) -> bool:
    """Whether git will take comments out of the message before it commits. Source: git-commit(1), --cleanup."""
    modes = read_config(repository, r"^commit\.cleanup$").get("commit.cleanup", ["default"])
    return modes[-1] in ("default", "strip")


def _recorded(policy: Policy, trailers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the trailers that a role takes for proof, given by somebody whom it names."""
    found = []
    for key, value in trailers:
        person = policy.person_of(read_identity(value)[1])
        for role in policy.sign_off:
            asked = role.proof == "trailer" and role.trailer.lower() == key.lower()
            if asked and person is not None and person.id in policy.members_of(role.by):
                found.append((role.trailer, value))
    return found


def _signed(repository: Repository, policy: Policy, head: str) -> list[tuple[str, str]]:
    """A trailer for everybody whose signed approval counts on exactly the merge that is being made.

    What cannot be found out here fills in nothing: this stage is no gate.
    """
    from rollback_guard.evidence.store import evidence_refs

    try:
        branch = repository.checked_out or current_branch(repository)
        base = resolve_commit(repository, "HEAD")
        if branch is None or base is None or not evidence_refs(repository):
            return []
        return _approved(repository, policy, Merge(branch, base, head))
    except GuardError:
        return []


class Merge(NamedTuple):
    """The merge in the making: of `head` into the branch that stands at `base`."""

    target: str
    base: str
    head: str


def _approved(repository: Repository, policy: Policy, merge: Merge) -> list[tuple[str, str]]:
    import time

    from rollback_guard.evidence.collect import EvidenceBook
    from rollback_guard.facts.commit import merge_commit
    from rollback_guard.facts.model import Unknown
    from rollback_guard.facts.surroundings import read_surroundings, repository_of
    from rollback_guard.gate.people import called, makers_of
    from rollback_guard.gate.proofs import approvers, decided, weigh

    around, now = read_surroundings(repository), int(time.time())
    collected = merge_commit(
        repository,
        around,
        policy,
        stage="merge",
        target=merge.target,
        base=merge.base,
        heads=(merge.head,),
        message=None,
        name=repository_of(around),
    )
    change = EvidenceBook(repository).about(policy, collected.change, as_of=now)
    if isinstance(change.survey, Unknown):
        return []
    makers = makers_of(policy, change.survey.value)
    return [
        (role.trailer, called(policy, person))
        for role in policy.sign_off
        for person in sorted(approvers(weigh(policy, role, decided(change), makers, now)))
    ]


def _missing(repository: Repository, policy: Policy, head: str, written: set[str]) -> str:
    """Lines that say which sign-offs the policy still asks for."""
    from rollback_guard.gate.wording import quoted

    into = short_branch(repository.checked_out or current_branch(repository) or "HEAD")
    lines = []
    for role in policy.sign_off:
        if role.trailer.lower() in written:
            continue
        how = f"once given, add: {role.trailer}: Name <e-mail>"
        if role.proof != "trailer":
            how = f"by somebody who may: guard sign {role.role} --into {quoted(into)} --head {head[:12]}"
        lines.append(f"rollback-guard: {role.role} is missing; {how}")
    return "".join(f"{line}\n" for line in lines)
