"""A plan's explanations as sentences, in the order in which they matter. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollback_guard.release.explained import Explained, Submodule
    from rollback_guard.release.model import Keep

SHOWN = 5  # of a kind


def sentences_of(explained: Explained) -> tuple[str, ...]:
    """What a way back does besides, said."""
    return (
        *_listed(_cancels(explained), len(explained.cancels), "pairs of a commit and its revert"),
        *_listed((_submodule(one) for one in explained.submodules), len(explained.submodules), "submodules"),
        *_pointers(explained),
        *_listed(
            (f"{one} and {other} are one file where case does not count" for one, other in explained.collisions),
            len(explained.collisions),
            "such pairs",
        ),
    )


def _cancels(explained: Explained) -> Iterator[str]:
    for revert, reverted in explained.cancels:
        yield f"{revert[:12]} took back {reverted[:12]}, and both go: they cancel"


def _submodule(one: Submodule) -> str:
    if one.old is None:
        return f"the submodule {one.path} comes back, at {str(one.new)[:12]}"
    if one.new is None:
        return f"the submodule {one.path} goes; it is at {one.old[:12]}"
    way = f", which is {one.direction}" if one.direction else ""
    return f"the submodule {one.path} goes from {one.old[:12]} to {one.new[:12]}{way}: git submodule update"


def _pointers(explained: Explained) -> Iterator[str]:
    if explained.missing:
        first = ", ".join(explained.missing[:SHOWN])
        more = len(explained.missing) - SHOWN
        yield (
            f"of {explained.pointers:,} LFS files that come back, {len(explained.missing):,} are not in this clone: "
            f"{first}{f' and {more:,} more' if more > 0 else ''}; git lfs fetch, before it is deployed from here"
        )
    elif explained.pointers:
        yield f"{explained.pointers:,} LFS files come back; their content is in this clone"


def _listed(sentences: Iterator[str], count: int, what: str) -> Iterator[str]:
    for _, sentence in zip(range(SHOWN), sentences, strict=False):
        yield sentence
    if count > SHOWN:
        yield f"and {count - SHOWN:,} more {what}"


def kept_sentence(keep: Keep) -> str:
    """What stays besides the release's tree."""
    files = f"{len(keep.paths):,} migration file{'' if len(keep.paths) == 1 else 's'}"
    return f"{files} stay{'s' if len(keep.paths) == 1 else ''}, since the database keeps what came of them"


def shown_paths(paths: Sequence[str]) -> str:
    """The first of some paths, and how many more there are."""
    more = len(paths) - SHOWN
    return ", ".join(paths[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")
