"""Sending one branch to a remote, only if the remote still has what we think it has."""

from __future__ import annotations

from rollback_guard.errors import UsageError
from rollback_guard.git.process import decode
from rollback_guard.git.refs import HEADS
from rollback_guard.git.repository import Repository, read_config


def remote_for(repository: Repository, branch: str) -> str:
    """The remote that a branch (short name) is pushed to, as git decides it.

    Source: git-config(1), branch.<name>.pushRemote. Raises: UsageError when there is no remote, or several
    and none of them is meant.
    """
    config = read_config(repository, r"^(remote\..*|branch\..*\.(pushremote|remote))$")
    names = tuple(
        dict.fromkeys(
            key[len("remote.") : -len(".url")] for key in config if key.startswith("remote.") and key.endswith(".url")
        )
    )
    for key in (f"branch.{branch}.pushremote", "remote.pushdefault", f"branch.{branch}.remote"):
        if config.get(key, [""])[-1] in names:
            return config[key][-1]
    if len(names) == 1:
        return names[0]
    if "origin" in names:
        return "origin"
    if not names:
        raise UsageError("--push: this repository has no remote", remedy="git remote add origin URL")
    raise UsageError(
        f"--push: {branch} has no remote of its own, and there are several: {', '.join(names)}",
        remedy=f"git config branch.{branch}.pushRemote REMOTE",
    )


HOOK_LINES = 4


def push_branch(repository: Repository, remote: str, branch: str, new: str, old: str | None) -> str:
    """Move a remote's branch from `old` (None: it must not exist) to `new`; "" when done, else what git said.

    The lease makes the push fail when the remote's branch is anywhere else.
    """
    ref = HEADS + branch
    process = repository.git.run(
        "push", "--porcelain", f"--force-with-lease={ref}:{old or ''}", "--", remote, f"{new}:{ref}",
        accept=tuple(range(256)),
    )  # fmt: skip
    if process.returncode == 0:
        return ""
    said = [line.strip() for line in decode(process.stdout + process.stderr).split("\n") if line.strip()]
    telling = [line for line in said if line.startswith("!") or "rejected" in line]
    # What the other side's hook says is why: its first lines are the decision and the rule.
    hook = [line.removeprefix("remote:").strip() for line in said if line.startswith("remote:")][:HOOK_LINES]
    return "; ".join([(telling or said or ["git push failed"])[0].replace("\t", " "), *filter(None, hook)])
