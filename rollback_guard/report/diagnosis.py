"""One finding of `guard doctor`, as a value. What leads to it is left to `report.doctor_text`."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]


class Diagnosis(NamedTuple):
    """One thing that a person should know: errors make an installation unhealthy."""

    id: str
    severity: Severity
    message: str
    remedy: str = ""
