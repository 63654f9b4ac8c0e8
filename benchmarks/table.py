"""Rows of results, as one table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

from benchmarks.timing import Timing

FORMAT = "rollback-guard/benchmarks/1"


class Row(NamedTuple):
    """One result. `value` is in `unit`; `ratio` is against `against`, read as `target` says.

    `cpu` is processor seconds, which a busy machine changes less. `kind`: "ours" is held to a target, "peer" is
    what it is compared with, "information" is neither.
    """

    subject: str
    name: str
    kind: str
    value: float
    unit: str = "s"
    spread: Optional[tuple[float, float]] = None
    cpu: Optional[float] = None
    ratio: Optional[float] = None
    against: str = ""
    target: str = ""
    met: Optional[bool] = None
    note: str = ""


def timed(subject: str, kind: str, timing: Timing) -> Row:
    """The row of something that was timed."""
    return Row(
        subject=subject,
        name=timing.name,
        kind=kind,
        value=timing.median,
        spread=timing.quartiles,
        cpu=timing.median_cpu,
    )


def shown(value: float, unit: str) -> str:
    """A value with its unit, to three figures.

    >>> shown(0.04512, "s"), shown(12.3456, "s"), shown(21.04, "MiB")
    ('45.1 ms', '12.3 s', '21.0 MiB')
    """
    if unit == "s" and value < 1:
        return f"{value * 1000:.1f} ms"
    if unit == "s":
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


HEADINGS = ("what", "median", "quartiles", "processor", "ratio", "target", "")


def render_table(rows: Sequence[Row]) -> str:
    """All rows as a Markdown table, which reads well in a terminal too."""
    lines: list[tuple[str, ...]] = [HEADINGS]
    subject = ""
    for row in rows:
        if row.subject != subject:
            subject = row.subject
            lines.append((f"**{subject}**", *[""] * (len(HEADINGS) - 1)))
        lines.append(_cells(row))
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def _cells(row: Row) -> tuple[str, ...]:
    name = f"{row.name} ({row.note})" if row.note else row.name
    spread = ""
    if row.spread is not None:
        spread = f"{shown(row.spread[0], row.unit)} to {shown(row.spread[1], row.unit)}"
    worked = "" if row.cpu is None else shown(row.cpu, "s")
    ratio = ""
    if row.ratio is not None:
        digits = f"{row.ratio:,.0f}" if row.ratio >= 100 else f"{row.ratio:.2f}"
        ratio = f"{digits} × {row.against}"
    met = "" if row.met is None else "met" if row.met else "MISSED"
    return name, shown(row.value, row.unit), spread, worked, ratio, row.target, met


def document(rows: Sequence[Row], machine: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The same for programs."""
    return {"format": FORMAT, "machine": machine, "options": options, "rows": [row._asdict() for row in rows]}
