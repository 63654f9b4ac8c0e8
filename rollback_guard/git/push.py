"""Sending branches and tags to a remote, only if the remote still has what we think it has."""

from __future__ import annotations

import shlex
import threading
from typing import NamedTuple, Optional

from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.complaint import telling_line
from rollback_guard.git.process import decode, stop
from rollback_guard.git.refs import TAGS
from rollback_guard.git.repository import Repository, read_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence


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
GITS_OWN = ("error:", "fatal:", "hint:", "warning:", "To ", "Done")  # how lines of git itself begin


class Pushed(NamedTuple):
    """One ref (full name) to be moved on a remote from `old` (None: it must not exist there) to `new`."""

    ref: str
    new: str
    old: Optional[str]


def remote_tags(repository: Repository, remote: str) -> dict[str, str]:
    """The short names of a remote's tags, each with the object that it names. Raises: RefusedError."""
    process = repository.git.run("ls-remote", "--tags", "--refs", "--", remote, accept=(0, 1, 2, 128))
    if process.returncode != 0:
        said = telling_line(process.stderr)
        raise RefusedError(f"{remote} cannot be asked for its tags: {said}", remedy=f"git ls-remote --tags {remote}")
    return {ref.removeprefix(TAGS): oid for ref, oid in _listed(process.stdout)}


def remote_branches(repository: Repository, remote: str) -> dict[str, str]:
    """The full names of a remote's branches, each with its commit. Raises: RefusedError."""
    process = repository.git.run("ls-remote", "--heads", "--", remote, accept=(0, 1, 2, 128))
    if process.returncode != 0:
        said = telling_line(process.stderr)
        raise RefusedError(
            f"{remote} cannot be asked for its branches: {said}", remedy=f"git ls-remote --heads {shlex.quote(remote)}"
        )
    return dict(_listed(process.stdout))


def _listed(out: bytes) -> list[tuple[str, str]]:
    lines = (line.partition("\t") for line in decode(out).split("\n") if line)
    return [(ref, oid) for oid, _, ref in lines]


def push_refs(
    repository: Repository, remote: str, moves: Sequence[Pushed], tell: Callable[[str], object] | None = None
) -> str:
    """Move refs of a remote, all or none; "" when done, else what git said.

    The leases make the push fail when one of them is anywhere else. `tell` hears how far it has come.
    """
    leases = [f"--force-with-lease={one.ref}:{one.old or ''}" for one in moves]
    refs = [f"{one.new}:{one.ref}" for one in moves]
    atomic = ["--atomic"] if len(moves) > 1 else []
    progress = ["--progress"] if tell is not None else []
    process = repository.git.start("push", "--porcelain", *progress, *atomic, *leases, "--", remote, *refs)
    try:
        out, err = _listen(process, tell)
        done = process.wait() == 0
    finally:
        stop(process)
    if done:
        return ""
    said = [line.strip() for line in decode(out + b"\n" + err).split("\n") if line.strip()]
    telling = [line for line in said if line.startswith("!") or "rejected" in line]
    # What the other side's hook says is why: its first lines are the decision and the rule.
    hook = [line.removeprefix("remote:").strip() for line in said if line.startswith("remote:")]
    if not telling and not hook:  # nothing left this side: our own hook spoke
        hook = [line for line in said if not line.startswith(GITS_OWN)]
    first = telling[0] if telling else telling_line(err) or "git push failed"
    return "; ".join([first.replace("\t", " "), *filter(None, hook[:HOOK_LINES])])


def _listen(process: subprocess.Popen[bytes], tell: Callable[[str], object] | None) -> tuple[bytes, bytes]:
    """Both streams of a process to their ends; lines of progress, which end with a return, are told as they come."""
    assert process.stdout is not None
    assert process.stderr is not None
    kept: list[bytes] = []

    def read() -> None:
        rest = b""
        assert process.stderr is not None
        while piece := process.stderr.read1(1 << 16):  # type: ignore[attr-defined]
            *lines, rest = (rest + piece).replace(b"\r", b"\r\n").split(b"\n")
            for line in lines:
                if tell is not None and b"%" in line and line.endswith((b"\r", b"done.")):
                    tell(decode(line.strip()))
                else:
                    kept.append(line.rstrip(b"\r"))
        kept.append(rest)

    listener = threading.Thread(target=read)
    listener.start()
    out = process.stdout.read()
    listener.join()
    return out, b"\n".join(kept)
