"""The formats that a verdict can be given in, each loaded only when it is asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.gate.verdict import Verdict

FORMATS: tuple[str, ...] = ("text", "json", "sarif", "github", "markdown")


def render(
    verdict: Verdict,
    format: str,
    *,
    colour: bool = False,
    width: int = 80,
    ascii_only: bool = False,
    verbose: bool = False,
) -> str:
    """The verdict in one of `FORMATS`; the options are for `text` alone.

    Raises: ValueError for another format.
    """
    if format == "text":
        from rollback_guard.report.terminal import render_verdict

        return render_verdict(verdict, colour=colour, width=width, ascii_only=ascii_only, verbose=verbose)
    if format == "json":
        from rollback_guard.report.json_text import render_json, verdict_document

        return render_json(verdict_document(verdict))
    if format == "sarif":
        from rollback_guard.report.sarif import render_sarif

        return render_sarif(verdict)
    if format == "github":
        from rollback_guard.report.annotations import render_annotations

        return render_annotations(verdict)
    if format == "markdown":
        from rollback_guard.report.markdown import render_markdown

        return render_markdown(verdict)
    raise ValueError(f"no such format: {format}")
