"""What a sign-off on a change is about, and what it is tied to: the bindings of a change that would land."""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import UndeterminedError
from rollback_guard.evidence.statement import Binding
from rollback_guard.facts.model import Change, Known, Unknown
from rollback_guard.git.change_digest import change_digest
from rollback_guard.git.merges import MergeAgain
from rollback_guard.policy.repositories import normalise_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.evidence.statement import BindingKind
    from rollback_guard.git.repository import Repository


class Subject(NamedTuple):
    """What would land, where. Oids are full hex."""

    repository: str  # normalised
    target: str  # refs/heads/…
    base: str
    head: str
    head_tree: str
    result_tree: str
    begun: Optional[int]  # committer date of the head, Unix seconds: nothing about it can be signed before

    def binding(self, kind: BindingKind, repository: Repository) -> Binding:
        """The binding of that kind; for `change` git reads what the change does."""
        thing = self.head_tree if kind == "head" else self.result_tree
        if kind == "change":
            thing = self.change_digest(repository)
        return Binding(
            kind=kind,
            repository=self.repository,
            target=self.target,
            base=self.base if kind == "result" else None,
            object=thing,
        )

    def change_digest(self, repository: Repository) -> str:
        """What the change does, as `git.change_digest` tells it. A result that nobody made yet is merged again.

        Raises: UndeterminedError when git cannot merge it.
        """
        if repository.git.run("cat-file", "-e", self.result_tree, accept=(0, 1, 128)).returncode == 0:
            return change_digest(repository.git, self.base, self.result_tree)
        from tempfile import gettempdir

        with MergeAgain(repository, gettempdir()) as again:
            (automatic,) = again.merge([(self.base, self.head)])
            if automatic.tree != self.result_tree:
                raise UndeterminedError("what the change does cannot be read: its result is not written yet")
            return change_digest(again.git, self.base, self.result_tree)


def subject_of(change: Change) -> Subject | Unknown:
    """What a change is, to somebody who signs it; unknown when it is not known where, on what or with which result."""
    repository_name, base, head_tree, result = change.repository, change.base, change.head_tree, change.result_tree
    if isinstance(repository_name, Unknown):
        return repository_name
    if isinstance(base, Unknown):
        return base
    if isinstance(head_tree, Unknown):
        return head_tree
    if isinstance(result, Unknown):
        return result
    if base.value is None or change.head is None:
        return Unknown("the branch is not there yet, so nobody can have signed what would land on it")
    repository = normalise_repository(repository_name.value)
    if repository is None or repository == ".":
        return Unknown("the repository's name cannot be understood", "guard check --repository github.com/acme/shop")
    messages = change.messages.value if isinstance(change.messages, Known) else ()
    heads = [message.time for message in messages if message.bearer == "head" and message.time is not None]
    return Subject(
        repository=repository,
        target=change.target,
        base=base.value,
        head=_brought(change),
        head_tree=head_tree.value,
        result_tree=result.value,
        begun=max(heads, default=None),
    )


def _brought(change: Change) -> str:
    """The head that the change brings: behind a merge that stands already, the one that it merged."""
    if isinstance(change.landings, Known) and len(change.landings.value) == 1:
        heads = change.landings.value[0].heads
        if len(heads) == 1:
            return heads[0]
    return str(change.head)
