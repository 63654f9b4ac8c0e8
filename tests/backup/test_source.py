"""What a policy's `source` means, and that nothing of what it resolves to is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.backup import source
from rollback_guard.backup.source import read_source
from rollback_guard.errors import GuardError, UndeterminedError, UsageError

SECRET = "postgresql://jane:hunter2@db.acme.example/shop"


def test_as_it_is_written_or_from_the_environment() -> None:
    assert read_source("db/shop.sqlite", {}, "/srv").text == "db/shop.sqlite"
    for written in ("$SHOP_URL", "${SHOP_URL}"):
        found = read_source(written, {"SHOP_URL": SECRET}, "/srv")
        assert (found.text, found.named, found.folder) == (SECRET, written, "/srv")
        assert "hunter2" not in repr(found)


@pytest.mark.parametrize("environ", [{}, {"SHOP_URL": ""}])
def test_the_environment_lacks_it(environ: dict[str, str]) -> None:
    with pytest.raises(UndeterminedError, match="no SHOP_URL") as caught:
        read_source("$SHOP_URL", environ, "/")
    assert caught.value.remedy == "export SHOP_URL=…"


def test_from_a_command(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{SECRET}\nmore\n")
    found = read_source("$(cat url)", {"PATH": "/usr/bin:/bin"}, str(tmp_path))
    assert (found.text, found.named) == (SECRET, "$(cat url)")


@pytest.mark.parametrize(
    ("written", "error", "said"),
    [
        ("$(no-such-program)", UndeterminedError, "cannot be run"),
        ("$(sh -c 'echo hunter2; exit 3')", UndeterminedError, "ended with 3"),
        ("$(true)", UndeterminedError, "said nothing"),
        ("$()", UsageError, "cannot be read"),
        ("$(cat 'half)", UsageError, "cannot be read"),
        ("$(sleep 600)", UndeterminedError, "took too long"),
    ],
)
def test_a_command_that_does_not_tell(
    written: str, error: type[GuardError], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "TIMEOUT", 1)
    with pytest.raises(error, match=said) as caught:
        read_source(written, {"PATH": "/usr/bin:/bin"}, "/")
    assert caught.value.remedy
    assert "echo hunter2" not in caught.value.message
