"""Trailers of a message in the making."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rollback_guard.git.repository import Repository
from rollback_guard.git.trailers import clean_message, read_trailers
from tests.support.gits import GITS, initialise, opened, use_git

SCISSORS = b" ------------------------ >8 ------------------------\n"
DIFF = b"diff --git a/x b/x\n+A: in the diff\n\nB: in the diff\n"


@pytest.fixture(params=GITS)
def repository(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty repository, with each git."""
    use_git(request.param, monkeypatch)
    return opened(initialise(tmp_path / "repo"))


def configure(repository: Repository, name: str, value: str) -> None:
    """Set a setting of the repository."""
    subprocess.run(["git", "config", name, value], cwd=repository.git.cwd, check=True)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b"S\n\nA: x\n\n# comment\n# B: no\n", b"S\n\nA: x\n"),
        (b"\n\nS  \n\n\n\nA: x\n\n\n", b"S\n\nA: x\n"),
        (b"S\r\n\r\nA: x\r\n# B: no\r\n", b"S\n\nA: x\n"),
        (b"S\n\nA: x\n#" + SCISSORS + b"# Do not modify\n" + DIFF, b"S\n\nA: x\n"),
        (b"S\r\n\r\nA: x\r\n#" + SCISSORS.replace(b"\n", b"\r\n") + DIFF, b"S\n\nA: x\n"),
        (b"#" + SCISSORS + DIFF, b""),
        (b"S\n\nx" + SCISSORS + b"\nA: x\n", b"S\n\nx" + SCISSORS + b"\nA: x\n"),
        (b"S\n\na b" + SCISSORS, b"S\n\na b" + SCISSORS),
        (b"S\n\n#" + SCISSORS[:-1] + b" more\nA: x\n", b"S\n\nA: x\n"),
        (b"S \xff\n", b"S \xff\n"),
        (b"", b""),
    ],
)
def test_what_git_will_store(raw: bytes, clean: bytes, repository: Repository) -> None:
    assert clean_message(repository.git, raw) == clean


def test_other_comment_characters(repository: Repository) -> None:
    configure(repository, "core.commentChar", ";")
    raw = b"S\n\n# kept\nA: x\n\n; comment\n;" + SCISSORS + DIFF
    assert clean_message(repository.git, raw) == b"S\n\n# kept\nA: x\n"


def test_comments_of_several_characters(repository: Repository) -> None:
    raw = b"S\n\nA: x\n//" + SCISSORS + DIFF
    assert clean_message(repository.git, raw) == b"S\n\nA: x\n"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"S\n\nKey : value\nkey:other\n", (("Key", "value"), ("key", "other"))),
        (b"S\n\nA: one\n two\n", (("A", "one two"),)),
        (b"S\n\nBody\n---\n\nA: x\n", (("A", "x"),)),
        (b"S\n\nA: x\xe2\x80\xa8Reviewed-by: Forged\n", (("A", "x Reviewed-by: Forged"),)),
        (
            b"S\n\nA: x\x0cReviewed-by: Forged\x1cReviewed-by: Forged\n",
            (("A", "x Reviewed-by: Forged Reviewed-by: Forged"),),
        ),
        (b"S\n\nA: \xff\n", (("A", "\udcff"),)),
        (b"S\n\nno trailers: here\nat all\n", ()),
        (b"", ()),
    ],
)
def test_trailers(message: bytes, expected: tuple[tuple[str, str], ...], repository: Repository) -> None:
    assert read_trailers(repository.git, message) == expected


def test_settings_rewrite_no_trailer(tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = tmp_path / "ran"
    configure(repository, "trailer.separators", "=")
    configure(repository, "trailer.review.key", "Reviewed-by")
    configure(repository, "trailer.sign.command", f"touch {ran}")
    user = tmp_path / "user"
    user.write_text('[trailer]\n\tseparators = %\n[trailer "q"]\n\tkey = QA-by\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(user))
    again = opened(tmp_path / "repo")
    assert read_trailers(again.git, b"S\n\nR: Omar\nQ: Quinn\n") == (("R", "Omar"), ("Q", "Quinn"))
    assert not ran.exists()
