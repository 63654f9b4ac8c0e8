"""`guard init`: the files that a team starts from. What exists is never written over.

What the repository shows is left to `git.survey`, what the files say to `policy.starter`.
"""

from __future__ import annotations

import json
import os
from typing import Literal, NamedTuple, Optional

import click

from rollback_guard import __version__
from rollback_guard.entry.wiring import say
from rollback_guard.errors import UsageError
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.policy.repositories import normalise_repository
from rollback_guard.policy.starter import (
    Found,
    render_policy,
    render_pre_commit,
    render_pre_commit_entries,
    render_workflow,
)
from rollback_guard.report.visible import visible

POLICY = "rollback-guard.toml"
PYPROJECT = "pyproject.toml"
PRE_COMMIT = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/rollback-guard.yml"


class File(NamedTuple):
    """One file: written now, or kept as it was, then with what to add to it by hand."""

    path: str
    action: Literal["written", "kept"]
    add: Optional[str] = None
    note: str = ""


@click.command("init")
@click.option("--github/--no-github", default=None, help="Write the workflow; else only with a remote on GitHub.")
@click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(github: bool | None, layout: str) -> int:
    """Write a commented policy from this repository's branches, remotes and authors, and what runs it.

    Files that exist are kept as they are. Nothing is committed.

    \b
    Example:
      guard init
      guard init --github
    """
    from rollback_guard.git.survey import survey

    repository = open_repository(os.getcwd(), os.environ)
    if repository.work_tree is None:
        raise UsageError(
            f"{repository.git_dir} is a bare repository: there is no work tree to write files into",
            remedy="run guard init in a clone of it, then here: guard install --server",
        )
    seen = survey(repository)
    found = Found(
        production=seen.production,
        branches=seen.branches,
        remotes=seen.remotes,
        authors=seen.authors or _configured(repository),
    )
    if github is None:
        github = any(normalise_repository(url).startswith("github.com/") for url in found.remotes)
    files = _write_all(repository.work_tree, found, github=github)
    say(_json(files) if layout == "json" else _text(files))
    return 0


def _configured(repository: Repository) -> tuple[tuple[str, str], ...]:
    """Whoever is configured to commit here, when nobody has yet."""
    from rollback_guard.facts.installation import configured_identity

    identity = configured_identity(repository)
    if identity is None:
        return ()
    name, _, email = identity.rpartition(" <")
    return ((name, email.removesuffix(">")),)


def _write_all(top: str, found: Found, *, github: bool) -> tuple[File, ...]:
    files = [_policy(top, found), _pre_commit(top)]
    if github:
        files.append(_write(top, WORKFLOW, render_workflow(found.production, __version__)))
    return tuple(files)


def _policy(top: str, found: Found) -> File:
    table = _read(os.path.join(top, PYPROJECT))
    if any(line.strip().startswith(("[tool.rollback-guard", "[[tool.rollback-guard")) for line in table.splitlines()):
        return File(path=PYPROJECT, action="kept", note="it holds a policy")
    return _write(top, POLICY, render_policy(found))


def _pre_commit(top: str) -> File:
    file = _write(top, PRE_COMMIT, render_pre_commit(__version__))
    if file.action == "written" or "id: guard-" in _read(os.path.join(top, PRE_COMMIT)):
        return file
    return file._replace(add=render_pre_commit_entries(__version__), note="add below `repos:`")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def _write(top: str, name: str, text: str) -> File:
    """Write a file that is not there yet; a link to nowhere counts as there.

    Raises: UsageError when it cannot be written.
    """
    path = os.path.join(top, name)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return File(path=name, action="kept")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", remedy=f"ls -ld '{top}'") from None
    return File(path=name, action="written")


def _next(files: tuple[File, ...]) -> tuple[str, ...]:
    paths = " ".join(file.path for file in files)
    return (
        f"{files[0].path}: correct the people, teams and routes in it",
        "guard policy check",
        f"git add {paths}   # and commit it on a branch of its own",
        "guard install",
        "guard doctor",
    )


def _text(files: tuple[File, ...]) -> str:
    written = sum(file.action == "written" for file in files)
    lines = [f"{written} of {len(files)} files written" if written else "nothing written: everything is here already"]
    for file in files:
        lines.append(f"  {file.action:<8} {visible(file.path)}" + (f": {file.note}" if file.note else ""))
        if file.add is not None:
            lines.append(file.add.rstrip("\n"))
    lines += ["next:", *(f"  → {visible(step)}" for step in _next(files))]
    return "\n".join(lines)


def _json(files: tuple[File, ...]) -> str:
    value = {
        "format": "rollback-guard/init/1",
        "files": [{"path": file.path, "action": file.action, "add": file.add} for file in files],
        "next": list(_next(files)),
    }
    return json.dumps(value, indent=2, ensure_ascii=False)
