"""Has git check every object that a server receives, and puts the setting back when the guard leaves.

A commit with two author lines is one person's to some programs and another's to others; git itself refuses it
where `receive.fsckObjects` is on. Only the repository's own configuration counts: another account that people
push with has other settings. Hooks are left to `git.hook_files`.
"""

from __future__ import annotations

from rollback_guard.git.process import decode
from rollback_guard.git.repository import Repository

SETTING = "receive.fsckObjects"
BEFORE = "rollback-guard.fsckObjectsBefore"  # what SETTING was before the guard came, or NOTHING
NOTHING = "unset"


def checks_objects(repository: Repository) -> bool:
    """Whether git refuses malformed objects that are pushed to this repository. Source: git-config(1)."""
    own = _local(repository, SETTING, "--type=bool")
    return (own if own is not None else _local(repository, "transfer.fsckObjects", "--type=bool")) == "true"


def will_switch_on(repository: Repository) -> bool:
    """Whether `switch_on` has something to do. What somebody switched off after the guard came stays off."""
    return not checks_objects(repository) and _local(repository, BEFORE) is None


def switch_on(repository: Repository) -> None:
    """Have git check what is received, and note what the setting was."""
    if will_switch_on(repository):
        before = _local(repository, SETTING)
        repository.git.run("config", "--local", BEFORE, NOTHING if before is None else before)
        repository.git.run("config", "--local", "--replace-all", SETTING, "true")


def put_back(repository: Repository) -> None:
    """Undo `switch_on`, unless somebody set it otherwise since."""
    before = _local(repository, BEFORE)
    if before is None:
        return
    if _local(repository, SETTING) == "true":
        if before == NOTHING:
            repository.git.run("config", "--local", "--unset-all", SETTING)
        else:
            repository.git.run("config", "--local", "--replace-all", SETTING, before)
    repository.git.run("config", "--local", "--unset-all", BEFORE)


def _local(repository: Repository, key: str, *options: str) -> str | None:
    """The last value in the repository's own configuration; None when there is none, or none that git understands."""
    process = repository.git.run("config", "--local", *options, "--get", key, accept=(0, 1, 128))
    return decode(process.stdout).rstrip("\n") if process.returncode == 0 else None
