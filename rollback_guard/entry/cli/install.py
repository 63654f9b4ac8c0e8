"""`guard install`: native hooks for this clone, or pre-receive for a server's repository.

Where hooks lie and whose they are is left to `git.hooks`, writing them to `git.hook_files`; what has `git fetch`
bring evidence, to `git.refspecs`.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

import click

from rollback_guard.entry.wiring import say
from rollback_guard.errors import UsageError
from rollback_guard.git.hook_files import (
    Step,
    carry_out,
    plan_install,
    plan_uninstall,
    require_own_folder,
    this_program,
)
from rollback_guard.git.hooks import CLIENT_STAGES, SERVER_STAGES, hooks_folder, hooks_path
from rollback_guard.git.refspecs import RefspecStep, change_refspecs, plan_refspecs
from rollback_guard.git.repository import Repository, open_repository, read_config
from rollback_guard.git.server_settings import SETTING, put_back, switch_on, will_switch_on
from rollback_guard.policy.repositories import normalise_repository
from rollback_guard.report.visible import visible

NAME_KEY = "rollback-guard.repository"
# What makes git itself refuse, should the hook ever be away. Source: git-config(1), receive.*.
SERVER_SETTINGS = ("receive.denyDeletes", "receive.denyNonFastForwards")


class Done(NamedTuple):
    """What was done, or would be: the folder, the steps, what is fetched, what a person should know besides."""

    folder: str
    steps: tuple[Step, ...]
    refspecs: tuple[RefspecStep, ...]
    notes: tuple[str, ...]
    dry_run: bool


@click.command("install")
@click.option("--server", is_flag=True, help="Install pre-receive, in the bare repository that people push to.")
@click.option("--uninstall", is_flag=True, help="Take our hooks away and put those of others back.")
@click.option("--repository", "path", default=".", metavar="PATH", help="The repository; else the one you are in.")
@click.option("--name", metavar="NAME", help="With --server: who this repository is, as github.com/acme/shop.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(server: bool, uninstall: bool, path: str, name: str | None, dry_run: bool, layout: str) -> int:
    """Install Git hooks that judge commits and pushes, beside the hooks that are here already.

    A hook that was here before runs after ours, with the same arguments and input. Beside pre-commit or
    prek ours is its legacy hook, so that a push is seen in full. Run it again after an update, and after a
    remote was added: git fetch brings recorded evidence from then on.

    On a server, git is also told to refuse malformed objects (receive.fsckObjects).

    \b
    Example:
      guard install
      guard install --server --repository /srv/git/shop.git --name github.com/acme/shop
      guard install --uninstall
    """
    repository = open_repository(os.path.abspath(path), os.environ)
    _require_fitting(repository, server=server, name=name)
    folder = hooks_folder(repository)
    require_own_folder(folder, hooks_path(repository))
    stages = SERVER_STAGES if server else CLIENT_STAGES
    steps = plan_uninstall(folder, stages) if uninstall else plan_install(folder, stages, this_program())
    refspecs = () if server else plan_refspecs(repository, wanted=not uninstall)
    identity = _name(repository, server=server, uninstall=uninstall, name=name)
    checking = server and not uninstall and will_switch_on(repository)
    if not dry_run:
        carry_out(folder, steps)
        change_refspecs(repository, refspecs)
        _store(repository, identity)
        if server:
            (put_back if uninstall else switch_on)(repository)
    notes = (
        *_checking(checking, dry_run),
        *_shared_folder(repository, folder),
        *_server_notes(repository, server and not uninstall, identity),
    )
    done = Done(folder=folder, steps=steps, refspecs=refspecs, notes=notes, dry_run=dry_run)
    say(_json(done) if layout == "json" else _text(done))
    return 0


def _require_fitting(repository: Repository, *, server: bool, name: str | None) -> None:
    if repository.bare and not server:
        raise UsageError(
            f"{repository.git_dir} is a bare repository: nobody commits there, people push to it",
            remedy="guard install --server",
        )
    if name is not None and not server:
        raise UsageError("--name is for --server", remedy="guard install --server --name github.com/acme/shop")
    if name is not None and "/" not in name.strip("/"):
        raise UsageError(
            f"--name {name}: not the name of a repository", remedy="guard install --server --name github.com/acme/shop"
        )


def _name(repository: Repository, *, server: bool, uninstall: bool, name: str | None) -> str | None:
    """The name to store: "" to forget the one that is stored, None to leave everything as it is."""
    if uninstall:
        return "" if server and NAME_KEY in _local(repository) else None
    return normalise_repository(name) if name is not None else None


def _local(repository: Repository) -> tuple[str, ...]:
    out = repository.git.text("config", "--local", "--name-only", "--list")
    return tuple(out.splitlines())


def _store(repository: Repository, identity: str | None) -> None:
    if identity is None:
        return
    if identity:
        repository.git.run("config", "--local", "--replace-all", NAME_KEY, identity)
    else:
        repository.git.run("config", "--local", "--unset-all", NAME_KEY)


def _checking(switched: bool, dry_run: bool) -> tuple[str, ...]:
    if not switched:
        return ()
    done = "would be" if dry_run else "was"
    return (f"{SETTING} {done} switched on: git refuses malformed objects; uninstalling puts it back as it was",)


def _shared_folder(repository: Repository, folder: str) -> tuple[str, ...]:
    """A hook holds paths of this machine, so it does not belong into a commit."""
    top = repository.work_tree
    if top is None or folder.startswith(repository.common_dir + os.sep) or not folder.startswith(top + os.sep):
        return ()
    return (f"{os.path.relpath(folder, top)} lies in the work tree: do not commit these hooks, they are this clone's",)


def _server_notes(repository: Repository, server: bool, identity: str | None) -> tuple[str, ...]:
    if not server:
        return ()
    notes = []
    config = read_config(repository, r"^(receive|rollback-guard)\.")
    if identity is None and NAME_KEY not in config:
        notes.append(
            "who this repository is, is not known, so RG103 cannot be judged: "
            "guard install --server --name github.com/acme/shop"
        )
    absent = [setting for setting in SERVER_SETTINGS if config.get(setting.lower(), ["false"])[-1] == "false"]
    if absent:
        notes.append("git itself can refuse as well: " + " && ".join(f"git config {one} true" for one in absent))
    return tuple(notes)


def _text(done: Done) -> str:
    changed = [step for step in done.steps if step.action not in ("absent", "kept", "unchanged")]
    begin = "nothing to do" if not changed and not done.refspecs else "would be done" if done.dry_run else "done"
    lines = [f"{begin}: hooks in {visible(done.folder)}"]
    for step in done.steps:
        lines.append(f"  {step.stage:<20}{step.action}{_manner(step)}")
    lines += [f"  fetch of {visible(one.remote):<11}{_fetching(one)}" for one in done.refspecs]
    lines += [f"note: {visible(note)}" for note in done.notes]
    return "\n".join(lines)


def _manner(step: Step) -> str:
    parts = []
    if step.beside:
        parts.append(f" as {os.path.basename(step.path)}, which {step.beside} runs")
    if step.text is not None and step.aside is not None:
        parts.append(f"; the hook that was here is now {os.path.basename(step.aside[1])} and runs after ours")
    if step.note:
        parts.append(f": {visible(step.note)}")
    return "".join(parts)


def _fetching(step: RefspecStep) -> str:
    return "brings recorded evidence along" if step.add else f"no longer asks for {visible(step.value)}"


def _json(done: Done) -> str:
    hooks = [
        {
            "stage": step.stage,
            "action": step.action,
            "path": visible(step.path),
            "moved": None if step.aside is None else {"from": visible(step.aside[0]), "to": visible(step.aside[1])},
            "note": step.note or None,
        }
        for step in done.steps
    ]
    return json.dumps(
        {
            "format": "rollback-guard/install/1",
            "dry-run": done.dry_run,
            "folder": visible(done.folder),
            "hooks": hooks,
            "refspecs": [
                {
                    "remote": visible(one.remote),
                    "action": "added" if one.add else "removed",
                    "value": visible(one.value),
                }
                for one in done.refspecs
            ],
            "notes": [visible(note) for note in done.notes],
        },
        indent=2,
        ensure_ascii=False,
    )
