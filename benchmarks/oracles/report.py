"""What the oracles found, counted: one table for people, and JSON for programs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

from benchmarks.oracles.replay import Replay, Reverts
from benchmarks.oracles.tags import Chain, Checked


class Snapshot(NamedTuple):
    """The repository as it was asked, by the commit of its HEAD, and the git that was run."""

    name: str
    head: str
    date: str
    commits: int
    merges: int
    git: str


class Replays(NamedTuple):
    """Reverts made again. Every count but `messages` and `unknown` is one of commits that were named."""

    messages: int
    unknown: int  # commits that are named and that the snapshot does not have
    replayed: int
    clean: int  # by both, with the same tree
    conflicts: int  # by both, with the same paths
    nothing: int  # left to undo, by both
    refused: int  # by ours, as it has to
    unread: int  # git itself could not, for example for want of an object
    author_same: int
    author_different: int
    closed: int  # sets that ours proposed for a conflict and git undid cleanly
    absent: tuple[str, ...]
    differences: tuple[str, ...]


class TagPairs(NamedTuple):
    """Pairs of tags on a first-parent chain."""

    tags: int  # that have another below them
    pairs: int
    planned: int
    executed: int  # by whole chains
    neighbours: int  # carried out by themselves, too
    commits: int  # written
    differences: tuple[str, ...]


class RepositoryReport(NamedTuple):
    """All of one repository; None for a part that was not asked."""

    snapshot: Snapshot
    replays: Optional[Replays]
    tags: Optional[TagPairs]

    @property
    def differences(self) -> tuple[str, ...]:
        found = self.replays.differences if self.replays is not None else ()
        return found + (self.tags.differences if self.tags is not None else ())

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "snapshot": self.snapshot._asdict(),
            "replays": None if self.replays is None else self.replays._asdict(),
            "tags": None if self.tags is None else self.tags._asdict(),
        }


def summarise_replays(reverts: Reverts, replays: Sequence[Replay], absent: tuple[bytes, ...]) -> Replays:
    """Count what became of each revert; one that differs is counted as nothing else."""
    agreed = [one for one in replays if not one.difference]
    kinds = Counter("refused" if one.ours.kind == "refused" else one.git.kind for one in agreed)
    authors = Counter(one.author for one in replays)
    return Replays(
        messages=reverts.messages,
        unknown=reverts.unknown,
        replayed=len(replays),
        clean=kinds["clean"],
        conflicts=kinds["conflict"],
        nothing=kinds["nothing"],
        refused=kinds["refused"],
        unread=kinds["failed"],
        author_same=authors["same"],
        author_different=authors["different"],
        closed=sum(one.closed == "same" for one in replays),
        absent=tuple(path.decode("utf-8", "backslashreplace") for path in absent),
        differences=tuple(
            f"{one.made.commit} on {one.made.onto} reverts {one.made.reverted}: {one.difference}"
            for one in replays
            if one.difference
        ),
    )


def summarise_tags(chains: Sequence[Chain], checked: Sequence[Checked]) -> TagPairs:
    """Count the pairs by how they were proven."""
    pairs, commits = Counter[str](), 0
    for one in checked:
        pairs[one.kind] += one.pairs
        commits += one.commits
    return TagPairs(
        tags=len(chains),
        pairs=sum(len(chain.older) for chain in chains),
        planned=pairs["planned"] + pairs["whole"],
        executed=pairs["whole"],
        neighbours=pairs["neighbours"],
        commits=commits,
        differences=tuple(line for one in checked for line in one.differences),
    )


COLUMNS = (
    "repository",
    "reverts",
    "same tree",
    "same conflicts",
    "nothing left",
    "refused",
    "git could not",
    "as the author",
    "pairs of tags",
    "carried out",
    "neighbours",
    "different",
)


def render(reports: Sequence[RepositoryReport]) -> str:
    """One table, which is Markdown; and what each repository was."""
    lines = [COLUMNS, *map(_cells, reports)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([*text, "", *(_line(report) for report in reports)])


def _cells(report: RepositoryReport) -> tuple[str, ...]:
    replays, tags = report.replays, report.tags
    first: tuple[str, ...] = ("",) * 7
    if replays is not None:
        judged = replays.author_same + replays.author_different
        counts = (replays.replayed, replays.clean, replays.conflicts, replays.nothing, replays.refused, replays.unread)
        first = (*(f"{count:,}" for count in counts), f"{replays.author_same:,} of {judged:,}")
    second: tuple[str, ...] = ("",) * 3
    if tags is not None:
        second = (f"{tags.planned:,}", f"{tags.executed:,}", f"{tags.neighbours:,}")
    return (report.snapshot.name, *first, *second, f"{len(report.differences):,}")


def _line(report: RepositoryReport) -> str:
    one = report.snapshot
    text = f"- {one.name}: {one.commits:,} commits, {one.merges:,} merges; HEAD {one.head} of {one.date}; git {one.git}"
    if report.replays is not None and report.replays.unknown:
        text += f"; {report.replays.unknown} named commits are not in it"
    if report.replays is not None and report.replays.absent:
        text += f"; the snapshot lacks content of {', '.join(report.replays.absent)}"
    if report.replays is not None and report.replays.closed:
        text += f"; {report.replays.closed} proposed sets undone by git"
    return text
