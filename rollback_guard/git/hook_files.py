"""Installing hooks of ours beside others, and taking them away: first a plan, then files.

The plan looks at everything and refuses before anything is touched. Whose hooks are whose is left to
`git.hooks`; what is said about it to `entry.cli.install`.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import NamedTuple, Optional

from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.hooks import MARKER, Hook, HooksPath, StageHooks, find_hooks
from rollback_guard.git.process import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    Action = Literal["written", "updated", "unchanged", "kept", "removed", "restored", "absent"]


class Step(NamedTuple):
    """What is done for one stage. `aside` is the rename of a hook of others, from and to, if there is one."""

    stage: str
    action: Action
    path: str
    text: Optional[bytes] = None
    aside: Optional[tuple[str, str]] = None
    beside: str = ""  # whose hook runs ours: "pre-commit" when ours is its legacy hook
    note: str = ""


class Program(NamedTuple):
    """What a hook starts: an interpreter, the package's own file, and the folders that it imports from."""

    interpreter: str
    package: str
    folders: tuple[str, ...]


def this_program() -> Program:
    """The interpreter and package that run now.

    Raises: UsageError when Python does not know its own path.
    """
    if not sys.executable:
        raise UsageError("this Python does not know where it is, so a hook cannot start it", remedy="use a venv")
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folders = [os.path.dirname(package)]
    if sys.version_info < (3, 11):
        import tomli

        folders.append(os.path.dirname(os.path.dirname(os.path.abspath(str(tomli.__file__)))))
    return Program(
        interpreter=os.path.abspath(sys.executable),
        package=os.path.join(package, "entry", "hook.py"),
        folders=tuple(dict.fromkeys(folders)),
    )


def render_hook(stage: str, program: Program) -> bytes:
    """The text of a hook. Python starts without site (-S) and without the environment's say (-I): fast, and ours.

    Our folders come last on the path, so that nothing beside the package can stand in for the standard library.
    """
    code = f"import sys; sys.path += {list(program.folders)!a}; from rollback_guard.entry.hook import run; run()"
    python, package = shlex.quote(program.interpreter), shlex.quote(program.package)
    lines = [
        "#!/bin/sh",
        MARKER,
        "# Written by `guard install`; `guard install --uninstall` takes it away again.",
        f"if [ ! -x {python} ] || [ ! -f {package} ]; then",
        "    echo 'rollback_guard: the Python that this hook was installed with is gone; run: guard install' >&2",
        "    exit 3",
        "fi",
        f'exec {python} -I -S -c {shlex.quote(code)} --self "$0" {stage} "$@"',
        "",
    ]
    return encode("\n".join(lines))


def plan_install(folder: str, stages: Sequence[str], program: Program) -> tuple[Step, ...]:
    """What it takes to have our hooks in a folder, each beside what is there.

    Raises: RefusedError when a hook of others could only be kept by losing another one.
    """
    return tuple(_install(found, render_hook(found.stage, program)) for found in find_hooks(folder, stages))


def _install(found: StageHooks, text: bytes) -> Step:
    for hook in (found.main, found.legacy):
        if hook.folder:
            raise RefusedError(
                f"{hook.path} is a folder, and git looks for a hook there",
                remedy=f"mv {shlex.quote(hook.path)} {shlex.quote(hook.path)}.d",
            )
    place = found.legacy if found.main.owner == "pre-commit" else found.main
    beside = "pre-commit" if place is found.legacy else ""
    if place.owner == "shared":
        note = "the shared hook runs here already"
        return Step(stage=found.stage, action="kept", path=place.path, beside=beside, note=note)
    if place.owner == "other":
        aside = (place.path, found.guarded.path)
        _require_free(place, found.guarded)
        return Step(stage=found.stage, action="written", path=place.path, text=text, aside=aside, beside=beside)
    if place.owner == "nobody":
        return Step(stage=found.stage, action="written", path=place.path, text=text, beside=beside)
    same = place.executable and not os.path.islink(place.path) and _read(place.path) == text
    return Step(
        stage=found.stage,
        action="unchanged" if same else "updated",
        path=place.path,
        text=None if same else text,
        beside=beside,
    )


def _require_free(place: Hook, guarded: Hook) -> None:
    if guarded.owner != "nobody":
        raise RefusedError(
            f"{place.path} was replaced after `guard install`, and the hook before it is still kept as {guarded.path}",
            remedy=f"keep one of the two: rm {shlex.quote(guarded.path)}   # or move it back, then: guard install",
        )


def plan_uninstall(folder: str, stages: Sequence[str]) -> tuple[Step, ...]:
    """What it takes to have no hook of ours in a folder, with those of others back where they were."""
    return tuple(step for found in find_hooks(folder, stages) for step in _uninstall(found))


def _uninstall(found: StageHooks) -> tuple[Step, ...]:
    stage, guarded = found.stage, found.guarded
    ours = [hook for hook in (found.main, found.legacy) if hook.owner == "guard"]
    if guarded.owner == "guard":  # a copy of ours that somebody made
        ours.append(guarded)
    kept = guarded.owner not in ("nobody", "guard")
    steps = [Step(stage=stage, action="removed", path=hook.path) for hook in ours]
    if kept and ours:
        steps[0] = Step(stage=stage, action="restored", path=ours[0].path, aside=(guarded.path, ours[0].path))
    elif kept and found.main.owner == "nobody":
        aside = (guarded.path, found.main.path)
        steps.append(Step(stage=stage, action="restored", path=found.main.path, aside=aside))
    elif kept:
        note = f"{guarded.path} is a hook from before `guard install`, and another one took its place since"
        steps.append(Step(stage=stage, action="kept", path=guarded.path, note=note))
    if found.main.owner == "shared":
        note = "the shared hook is there through core.hooksPath or a link, and not by `guard install`"
        steps.append(Step(stage=stage, action="kept", path=found.main.path, note=note))
    return tuple(steps) or (Step(stage=stage, action="absent", path=found.main.path),)


def carry_out(folder: str, steps: Sequence[Step]) -> None:
    """Do what was planned. A hook of ours is complete before its name appears.

    Raises: UsageError when the folder cannot be written.
    """
    try:
        if any(step.text is not None for step in steps):
            os.makedirs(folder, exist_ok=True)
        for step in steps:
            _carry_out(step)
    except OSError as error:
        raise UsageError(
            f"the hooks in {folder} cannot be changed: {error.strerror}",
            remedy=f"ls -ld {shlex.quote(folder)}   # who may write there",
        ) from None


def _carry_out(step: Step) -> None:
    if step.action == "removed":
        os.unlink(step.path)
    elif step.action == "restored" and step.aside is not None:
        os.replace(*step.aside)
    elif step.text is not None:
        fresh = f"{step.path}.{os.urandom(6).hex()}"
        try:
            _write(fresh, step.text)
            if step.aside is not None:
                os.rename(*step.aside)
            os.replace(fresh, step.path)
        finally:
            if os.path.lexists(fresh):
                os.unlink(fresh)


def _write(path: str, text: bytes) -> None:
    """Everybody who pushes must be able to run it: git passes silently over a hook that it may not execute."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700), "wb") as file:
        file.write(text)
        os.fchmod(file.fileno(), 0o755)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def require_own_folder(folder: str, setting: HooksPath | None) -> None:
    """Only a folder that belongs to this one repository is written to.

    Raises: RefusedError when core.hooksPath is set for every repository; UsageError when it is no folder.
    """
    if setting is not None and setting.scope in ("global", "system"):
        raise RefusedError(
            f"core.hooksPath is set for every repository ({setting.scope}: {setting.value}); "
            "hooks written there would judge all of them",
            remedy='git config --local core.hooksPath "$(git rev-parse --git-common-dir)/hooks" && guard install',
        )
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise UsageError(f"git looks for hooks in {folder}, which is no folder", remedy=_unset(setting))


def _unset(setting: HooksPath | None) -> str:
    return "git config --unset core.hooksPath && guard install" if setting is not None else "move it away"
