"""Facts of a commit in the making: which branch it is made on, what it merges, its message so far.

pre-commit and pre-merge-commit run before the message exists; commit-msg sees it. A merge names its heads
by `GITHEAD_<oid>` in the environment before git writes MERGE_HEAD, which `git commit` finds after a conflict.
"""

from __future__ import annotations

import os

from rollback_guard.errors import UndeterminedError, UsageError
from rollback_guard.facts.brought import Brought, brought_by
from rollback_guard.facts.model import Change, Fact, Known, MergeCheck, Message, Stage, Trailer, Unknown
from rollback_guard.facts.policy_source import PolicyFound
from rollback_guard.facts.range import Collected, Proposal, collect_range, scratch_folder
from rollback_guard.facts.surroundings import Surroundings
from rollback_guard.facts.survey import SeenMerge, check_merges
from rollback_guard.facts.unrelanded import still_lost
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.process import decode
from rollback_guard.git.refs import resolve_commit
from rollback_guard.git.repository import Repository
from rollback_guard.git.trailers import clean_message, read_trailers
from rollback_guard.policy.model import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

IN_THE_MAKING = "the merge in the making"
MESSAGE_LIMIT = 1 << 22  # bytes of a commit message that are read


def merge_heads(repository: Repository, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The commits that are being merged; () when the commit in the making is no merge."""
    try:
        with open(os.path.join(repository.git_dir, "MERGE_HEAD"), encoding="ascii") as file:
            return tuple(file.read().split())
    except (OSError, UnicodeDecodeError):
        pass
    named = (name[len("GITHEAD_") :] for name in environ if name.startswith("GITHEAD_"))
    return tuple(oid for oid in named if len(oid) in (40, 64) and resolve_commit(repository, oid) == oid)


def read_message(repository: Repository, path: str) -> Message:
    """The message of a commit in the making, from the file that git names.

    Raises: UsageError when it cannot be read or is larger than 4 MiB.
    """
    try:
        with open(os.path.join(repository.git.cwd, path), "rb") as file:
            raw = file.read(MESSAGE_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"the commit message {path} cannot be read: {error.strerror}") from None
    if len(raw) > MESSAGE_LIMIT:
        raise UsageError(f"the commit message has more than {MESSAGE_LIMIT:,} bytes", remedy="write a shorter one")
    text = clean_message(repository.git, raw)
    trailers = tuple(Trailer(key, value) for key, value in read_trailers(repository.git, text))
    return Message(bearer="landing", trailers=trailers, text=decode(text))


def plain_commit(
    stage: Stage, target: str, *, production: bool, message: Message | None, repository: Fact[str]
) -> Change:
    """A commit that is no merge: only its branch, and its message where there is one, are known."""
    unknown = Unknown("the commit is not made yet")
    return Change(
        stage=stage,
        target=target,
        production=production,
        repository=repository,
        base=Known(None, "HEAD"),
        head=None,
        head_tree=unknown,
        result_tree=unknown,
        messages=Known((message,)) if message is not None else unknown,
    )


def merge_commit(
    repository: Repository,
    around: Surroundings,
    policy: Policy | None,
    *,
    stage: Stage,
    target: str,
    base: str,
    heads: tuple[str, ...],
    message: Message | None,
    name: Fact[str],
) -> Collected:
    """A merge in the making: what would land if the heads were merged into the branch that is checked out."""
    proposal = Proposal(
        stage=stage,
        target=target,
        base=base,
        head=heads[0],
        repository=name,
        missing=() if message is not None else ("the merge's message",),
    )
    change, proposed = collect_range(repository, around, policy, proposal)
    if len(heads) > 1:
        octopus = MergeCheck(commit=heads[-1], subject=IN_THE_MAKING, kind="octopus")
        change = change._replace(merges=Known((octopus,), "MERGE_HEAD"))
    elif isinstance(change.merges, Known):
        change, proposed = _with_staged(repository, change, change.merges.value, base, heads[0], proposed)
    if message is not None and isinstance(change.messages, Known):
        change = change._replace(messages=Known((message, *change.messages.value), "commit-msg"))
    return Collected(change, proposed)


def _with_staged(
    repository: Repository,
    change: Change,
    found: tuple[MergeCheck, ...],
    base: str,
    head: str,
    proposed: PolicyFound,
) -> Collected:
    """The change with the merge in the making as it is staged: what lands is the index, conflicts resolved."""
    try:
        with MergeAgain(repository, scratch_folder()) as again:
            tree = again.write_index(repository)
            merges = (*found, *check_merges(again, (SeenMerge(head, (base, head), tree, IN_THE_MAKING),)))
            brought = Brought(change.touched, proposed, change.irreversible)
            if change.result_tree != Known(tree):  # what git itself merges was looked at
                brought = brought_by(repository._replace(git=again.git), base, head, tree)
            unrelanded = still_lost(again, change.unrelanded, tree)
    except UndeterminedError as error:
        return Collected(change._replace(merges=Unknown(error.message, error.remedy)), proposed)
    staged = change._replace(
        merges=Known(merges, "git merge-tree"),
        result_tree=Known(tree, "index"),
        touched=brought.touched,
        irreversible=brought.irreversible,
        unrelanded=unrelanded,
    )
    return Collected(staged, brought.policy)
