"""prepare-commit-msg on a merge into production: trailers that are recorded on the head are brought along.

A trailer vouches for the tree of the commit that bears it. It is copied only where the merge will have that
very tree (the branch holds production's tip already), and only when it is one that the policy asks for.
"""

from __future__ import annotations

import os

from rollback_guard.errors import UsageError
from rollback_guard.facts.survey import read_identity, read_messages
from rollback_guard.git.process import encode
from rollback_guard.git.refs import is_ancestor
from rollback_guard.git.repository import Repository, read_config
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
    copied = [one for one in recorded if (one[0].lower(), one[1]) not in written]
    if copied and is_ancestor(repository, "HEAD", head):
        raw = add_trailers(repository.git, raw, tuple(copied))
        written |= {(key.lower(), value) for key, value in copied}
    hints = _missing(policy, {key for key, _ in written}) if edited and _drops_comments(repository) else ""
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
    """Those of the trailers that a role asks for, given by somebody whom it names."""
    found = []
    for key, value in trailers:
        person = policy.person_of(read_identity(value)[1])
        for role in policy.sign_off:
            if role.trailer.lower() == key.lower() and person is not None and person.id in policy.members_of(role.by):
                found.append((role.trailer, value))
    return found


def _missing(policy: Policy, written: set[str]) -> str:
    """Lines that say which sign-offs the policy still asks for."""
    lines = [
        f"rollback-guard: {role.role} is missing; once given, add: {role.trailer}: Name <e-mail>"
        for role in policy.sign_off
        if role.trailer.lower() not in written
    ]
    return "".join(f"{line}\n" for line in lines)
