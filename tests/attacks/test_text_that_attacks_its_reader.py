"""Terminal escapes, workflow commands, HTML and markup in names, subjects and trailers, in every format."""

from __future__ import annotations

import json
import re

import cmarkgfm
import pytest

from tests.attacks.conftest import Scene

NASTY = (
    (
        "\x1b[31mred\x1b[0m \x9b31m \x07bell \r\n::error file=app.py::pwned%0A::set-output name=x::y \u202eevil\u202c "
        "<script>alert(1)</script> <img src=x onerror=alert(1)> [click](http://evil.example) | `code` \u200b \x00"
    )
    .replace("\r\n", "\r")
    .replace("\x00", "")
)
FORMATS = ("text", "json", "sarif", "github", "markdown")


@pytest.fixture
def nasty(scene: Scene) -> Scene:
    """A branch whose name, subject, author, file and trailers are all nasty."""
    repo = scene.repo
    repo.git("checkout", "-q", "-b", "release/%0A<b>$(id)`id`&amp;|x", "main")
    repo.write_file("rollback-guard.toml", (repo.path / "rollback-guard.toml").read_text() + f"# {NASTY!a}\n")
    repo.write_file("::error::\x1b[31m\nx", "x\n")
    repo.git("add", "-A")
    repo.git(
        "commit", "-q", "--no-verify", "--cleanup=verbatim", "-m",
        f"{NASTY}\n\n::error::{NASTY}\n\nReviewed-by: {NASTY} <a\x1b[31m@b>\nQA-by: <script> ::error::\n"
        f"UAT-bi: {NASTY}\n",
        GIT_AUTHOR_NAME=NASTY, GIT_AUTHOR_EMAIL="x\x1b[2J::error::@y",
        GIT_COMMITTER_NAME=NASTY, GIT_COMMITTER_EMAIL="z",
    )  # fmt: skip
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-commit", "--no-ff", "release/%0A<b>$(id)`id`&amp;|x")
    repo.write_file("y\x1b[31m\n::error::evil", f"{NASTY}\n")
    repo.git("add", "-A")
    repo.git(
        "commit", "-q", "--no-verify", "--cleanup=verbatim", "-m", f"{NASTY}\n\n{NASTY}\n", **repo.as_person("jane")
    )
    return scene


def assert_harmless(text: str, layout: str) -> None:
    for hidden in ("\x1b", "\x9b", "\x07", "\u202e", "\u200b", "\r", "\x00"):
        assert hidden not in text
    if layout == "github":
        commands = [line for line in text.splitlines() if line.startswith("::")]
        assert all(re.match(r"::(error|warning|notice|group|endgroup)\b", line) for line in commands)
        assert not any("set-output" in line.partition("::")[2].partition("::")[0] for line in commands)
        for line in commands:
            assert "pwned" not in line.split("::", 2)[1]
    elif layout != "json" and layout != "sarif":
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    if layout == "markdown":
        page = cmarkgfm.github_flavored_markdown_to_html(text, cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE)
        for tag in ("<script", "<img", 'evil.example"', 'href="http://evil'):
            assert tag not in page
    if layout in ("json", "sarif"):
        json.loads(text)


@pytest.mark.parametrize("layout", FORMATS)
def test_check(nasty: Scene, layout: str) -> None:
    for head in ("HEAD", "release/%0A<b>$(id)`id`&amp;|x"):
        done = nasty.guard("check", "--into", "main", "--base", "HEAD~1", "--head", head, "--format", layout)
        assert done.code in (1, 4)
        assert_harmless(done.out, layout)
        assert_harmless(done.err, "text")


@pytest.mark.parametrize("layout", ["text", "json"])
def test_audit(nasty: Scene, layout: str) -> None:
    done = nasty.guard("audit", "main", "--format", layout)
    assert done.code == 1
    assert_harmless(done.out, layout)


def test_explain(nasty: Scene) -> None:
    done = nasty.guard("explain", "HEAD")
    assert_harmless(done.out + done.err, "text")


@pytest.mark.parametrize("layout", ["text", "json"])
def test_revert_and_release(nasty: Scene, layout: str) -> None:
    done = nasty.guard("revert", "--plan", "--format", layout)
    assert done.code == 0
    assert_harmless(done.out, layout)
    done = nasty.guard("release", "list", "--format", layout)
    assert_harmless(done.out, layout)


def test_doctor_and_policy(nasty: Scene) -> None:
    nasty.repo.git("remote", "add", "evil", "file:///x\x1b[31m::error::")
    for command in (("doctor",), ("policy", "show"), ("policy", "check")):
        done = nasty.guard(*command)
        assert_harmless(done.out + done.err, "text")


def test_hooks_of_a_push(nasty: Scene) -> None:
    done = nasty.refused("main", "release/%0A<b>$(id)`id`&amp;|x", rules=("RG105",))
    mine = "\n".join(line for line in done.err.splitlines() if line.startswith("remote:"))
    assert_harmless(mine, "text")
    assert nasty.guard("install").code == 0
    done = nasty.push("main")
    assert done.code != 0
    assert "\x1b" not in done.err


@pytest.mark.parametrize("rev", ["\x1b[31m", "::error::x", "--help", "-x", "a\nb", "$(touch pwned)", "x" * 100_000])
def test_revision_that_a_person_named(nasty: Scene, rev: str) -> None:
    done = nasty.guard("check", "--into", "main", f"--head={rev}")
    assert done.code == 2
    assert_harmless(done.out + done.err, "text")
    assert not (nasty.repo.path / "pwned").exists()


def test_policy_that_is_nasty(scene: Scene) -> None:
    scene.repo.write_file("rollback-guard.toml", f'version = 1\n"\\u001b[31m::error::" = "\x7f{chr(0x9B)}"\n[x\x1b]\n')
    done = scene.guard("policy", "check")
    assert done.code == 2
    assert_harmless(done.out + done.err, "text")
