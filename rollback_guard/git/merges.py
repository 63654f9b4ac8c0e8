"""Merges made again: what the automatic merge of two commits gives, and what a recorded merge adds to it.

All merges of a change go through one `git merge-tree` process. Attributes, merge drivers and settings of
the machine are kept out, so that every clone finds the same. What a conflict explains is left to
`git.conflicts`; which differences are allowed is for the gate to say.
"""

from __future__ import annotations

import os

from rollback_guard.errors import GitError
from rollback_guard.git.conflicts import Automatic, Conflict, Difference, Recorded
from rollback_guard.git.loose import write_commit
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.patch import read_changes
from rollback_guard.git.process import MERGE_TREE_GIT, NO_SETTINGS, Git, decode, encode, require_version
from rollback_guard.git.repository import Repository, Scratch, git_version
from rollback_guard.git.streams import split_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Automatic", "Difference", "MergeAgain", "Recorded"]


class MergeAgain:
    """Recreates merges in a scratch object store. Use it in a `with`.

    Raises: UndeterminedError when git is older than 2.39.
    """

    def __init__(self, repository: Repository, scratch_folder: str, *, attributes: bytes = b"") -> None:
        require_version(git_version(repository.git), MERGE_TREE_GIT, "to make merges again")
        self._scratch = Scratch(repository, scratch_folder)
        self._format = repository.object_format
        try:
            self.git = _isolated(repository, self._scratch, attributes)
        except BaseException:
            self._scratch.__exit__()
            raise

    @property
    def folder(self) -> str:
        """Where its objects are written, and what else is needed for the while."""
        return self._scratch.path

    def __enter__(self) -> MergeAgain:
        return self

    def __exit__(self, *exc: object) -> None:
        self._scratch.__exit__(*exc)

    def merge(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Automatic]:
        """The automatic merge of each pair of commits, in order, from one process."""
        if not pairs:
            return
        stdin = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs).encode()
        fields = self._fields(stdin)
        for _ in pairs:
            try:
                yield self._read_one(fields)
            except StopIteration:
                raise GitError("git merge-tree ended before all merges were made", remedy="git fsck") from None

    def reverse(self, onto: str, away: str, back: str) -> Automatic:
        """What a tree becomes when what leads from `back` to `away` is undone in it; all three are trees.

        git takes no base by hand before 2.45, so three commits of nobody's tell it.
        """
        folder = self._scratch.path
        base = write_commit(folder, away, (), object_format=self._format)
        ours, theirs = (write_commit(folder, tree, (base,), object_format=self._format) for tree in (onto, back))
        if ours == theirs:
            return Automatic(tree=onto)
        return next(self.merge([(ours, theirs)]))

    def onto(self, tree: str, parent: str, other: str) -> Automatic:
        """What merging a commit into a tree gives that somebody has on top of `parent`."""
        ours = write_commit(self._scratch.path, tree, (parent,), object_format=self._format)
        return next(self.merge([(ours, other)]))

    def _fields(self, stdin: bytes) -> Iterator[str]:
        config = ["-c", "merge.directoryRenames=conflict", "-c", "merge.renormalize=false"]
        # `git merge` compares by histograms unless somebody set it otherwise; merge-tree must do the same.
        config += ["-c", "merge.renameLimit=7000", "-c", "diff.algorithm=histogram"]
        args = ("merge-tree", "--write-tree", "--stdin", "--messages", "--allow-unrelated-histories")
        for parts in split_stream(self.git.chunks(*args, stdin=stdin, config=config), b"\0"):
            yield from map(decode, parts)

    def _read_one(self, fields: Iterator[str]) -> Automatic:
        """One merge. Source: git-merge-tree(1), OUTPUT; with --stdin each merge begins with its status."""
        next(fields)  # 1 clean, 0 conflicts; the sections below say the same
        tree = next(fields)
        stages = []
        kinds: dict[str, list[str]] = {}
        while entry := next(fields):
            place, _, path = entry.partition("\t")
            mode, oid, stage = place.split(" ")
            kinds[path] = []
            if stage != "1":
                stages.append((path, f"{mode} {oid}"))
        unmerged = tuple(kinds)
        # The field behind the last message is empty, or (git 2.39) advice on submodules.
        while (count := next(fields)).isdecimal():
            paths = [next(fields) for _ in range(int(count))]
            kind = next(fields)
            next(fields)  # the message for people
            for path in paths:
                if kind.startswith("CONFLICT"):
                    kinds.setdefault(path, []).append(kind)
        conflicts = tuple((path, tuple(found)) for path, found in kinds.items())
        return Automatic(tree=tree, conflicts=conflicts, stages=tuple(stages), unmerged=unmerged)

    def write_index(self, repository: Repository) -> str:
        """The tree of what is staged, written here only.

        Raises: GitError while paths are unmerged.
        """
        kept = {name: self.git.env[name] for name in ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")}
        return repository.git.with_env(**kept).text("write-tree")

    def differences(self, merges: Sequence[Recorded]) -> Iterator[Difference]:
        """The merges whose tree is not that of their automatic merge; the others are left out."""
        odd = []
        automatic = self.merge([(merge.ours, merge.theirs) for merge in merges])
        for merge, again in zip(merges, automatic, strict=True):
            if again.tree != merge.tree or not again.clean:
                odd.append((merge, again))
        changes = read_changes(self.git, [(again.tree, merge.tree) for merge, again in odd])
        with ObjectReader(self.git) as objects:
            for (merge, again), files in zip(odd, changes, strict=True):
                yield Conflict(merge, again, files).difference(objects)


def _isolated(repository: Repository, scratch: Scratch, attributes: bytes) -> Git:
    """git on a repository that has the objects of another one, and none of its settings, attributes and refs.

    `attributes` are those that hold. A partial clone keeps its settings: they say where objects come from.
    Source: gitrepository-layout(5).
    """
    folder = os.path.join(scratch.path, "isolated.git")
    own = os.path.join(repository.common_dir, "config")
    partial = _is_partial(repository)
    settings = [f"[include]\n\tpath = {quote_setting(own)}\n"] if partial else []
    version = 1 if repository.object_format == "sha256" else 0
    settings.append(f"[core]\n\trepositoryFormatVersion = {version}\n\tbare = true\n")
    settings.append(f"\tattributesFile = {os.devnull}\n")
    if version:
        settings.append(f"[extensions]\n\tobjectFormat = {repository.object_format}\n")
    files = {"HEAD": b"ref: refs/heads/none\n", "config": encode("".join(settings))}
    files[os.path.join("info", "attributes")] = attributes
    try:
        if repository.shallow:
            with open(os.path.join(repository.common_dir, "shallow"), "rb") as shallow:
                files["shallow"] = shallow.read()
        os.makedirs(os.path.join(folder, "refs"))
        os.makedirs(os.path.join(folder, "info"))
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
    except OSError as error:
        raise GitError(
            f"nothing could be written to {folder}: {error.strerror}",
            remedy="point TMPDIR at a folder that can be written",
        ) from None
    env = {**scratch.git.env, "GIT_ATTR_NOSYSTEM": "1", **({} if partial else NO_SETTINGS)}
    env["GIT_INDEX_FILE"] = os.path.join(folder, "no-index")
    return Git(cwd=folder, env=env, git_dir=folder, program=repository.git.program)


def _is_partial(repository: Repository) -> bool:
    """Whether objects may still be elsewhere: git marks the packs that it got from such a place."""
    try:
        names = os.listdir(os.path.join(repository.common_dir, "objects", "pack"))
    except OSError:
        return False
    return any(name.endswith(".promisor") for name in names)


def quote_setting(value: str) -> str:
    """A value as git reads it back from a configuration file. Source: git-config(1), SYNTAX."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
