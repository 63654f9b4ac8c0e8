"""Every format is reached by its name, and loads only itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rollback_guard.report.annotations import render_annotations
from rollback_guard.report.formats import FORMATS, render
from rollback_guard.report.json_text import render_json, verdict_document
from rollback_guard.report.markdown import render_markdown
from rollback_guard.report.sarif import render_sarif
from rollback_guard.report.terminal import render_verdict
from tests.report.values import ALL, change, verdict

MADE = verdict(change(*ALL))


def test_each_format_is_its_renderer() -> None:
    assert FORMATS == ("text", "json", "sarif", "github", "markdown")
    assert [render(MADE, name) for name in FORMATS] == [
        render_verdict(MADE),
        render_json(verdict_document(MADE)),
        render_sarif(MADE),
        render_annotations(MADE),
        render_markdown(MADE),
    ]


def test_the_options_reach_the_text() -> None:
    options = {"colour": True, "ascii_only": True, "verbose": True}
    assert render(MADE, "text", width=40, **options) == render_verdict(MADE, width=40, **options)


def test_another_format_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such format: xml"):
        render(MADE, "xml")


def test_text_does_not_load_the_other_formats() -> None:
    program = (
        "import sys; from rollback_guard.report.formats import render\n"
        "from rollback_guard.gate.verdict import Verdict\n"
        "render(Verdict('allow', 0, ()), 'text')\n"
        "print([name for name in sys.modules if name.startswith('rollback_guard.report.')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = {"formats", "terminal", "wording", "visible"}
    assert sorted(eval(done.stdout)) == sorted(f"rollback_guard.report.{name}" for name in loaded)
