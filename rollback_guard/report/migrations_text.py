"""Migrations as text for people: what a hook says of those that are staged, the worst first.

Which of them are refused, and what helps, is the caller's to find out.
"""

from __future__ import annotations

import textwrap

from rollback_guard.report.visible import inert, visible
from rollback_guard.report.wording import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollback_guard.release.migrations.model import Migration

_MOST = 8  # migrations of one kind
_MOST_REASONS = 3
_WIDTH = 80


def render_staged(
    refused: Sequence[tuple[Migration, tuple[str, ...]]],
    lossy: Sequence[Migration],
    problems: Sequence[str],
    *,
    ascii_only: bool = False,
) -> str:
    """What is refused, each with its remedies, what loses data on its way back, what is wrong with the graph.

    Empty where there is nothing to say.
    """
    lines: list[str] = []
    if refused:
        what = counted(len(refused), "staged migration cannot be undone", "staged migrations cannot be undone")
        lines.append(f"guard migrations: DENIED  {what}")
    for migration, remedies in refused[:_MOST]:
        lines += _wrapped(_sentence(migration))
        lines += [f"  → {visible(remedy)}" for remedy in remedies]
    lines += _rest(len(refused))
    lines += [line for one in lossy[:_MOST] for line in _wrapped(f"note: {_sentence(one)}")]
    lines += _rest(len(lossy))
    lines += [line for one in problems[:_MOST] for line in _wrapped(f"note: {visible(one)}")]
    lines += _rest(len(problems))
    text = "\n".join(map(inert, lines))
    return text.replace("→", "->").encode("ascii", "backslashreplace").decode("ascii") if ascii_only else text


def _sentence(migration: Migration) -> str:
    reasons = [visible(reason) for reason in migration.reasons]
    more = len(reasons) - _MOST_REASONS
    told = "; ".join(reasons[:_MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
    return f"{visible(migration.path)}: {told}"


def _rest(count: int) -> Iterator[str]:
    if count > _MOST:
        yield f"  and {count - _MOST} more"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
