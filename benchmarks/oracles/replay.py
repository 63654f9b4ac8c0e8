"""Reverts that people made, made again: by `git revert` in a work tree, and by the guard's `only` without one.

Each is made where it was made: on the parent of the commit whose message says "This reverts commit …".
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.oracles.peer import Found, Peer
from rollback_guard.errors import GuardError, RefusedError
from rollback_guard.git.process import encode
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.release.model import OnlyPlan
from rollback_guard.release.only import Undoing, plan_only
from rollback_guard.release.only_units import read_units

SAYS = "This reverts commit"
NAMES = re.compile(rb"This\s+reverts\s+commit\s+([0-9a-f]{7,64})\b")
FORMAT = "--format=tformat:%H %P%x00%T%x00%B%x00%x01"


class Made(NamedTuple):
    """A revert as somebody made it: `commit`, on `onto`, naming `reverted`; `alone`: it names no other."""

    commit: str
    onto: str
    tree: str
    reverted: str
    alone: bool


class Replay(NamedTuple):
    """One revert made again by both. `difference` is "" where they agree.

    `author`: whether the person's own revert has the tree of a clean one, "same" or "different"; "" where that cannot
    be told.
    """

    made: Made
    git: Found
    ours: Found
    difference: str
    author: str = ""
    closed: str = ""  # of a conflict: what git made of the set that ours says can be undone together


class Reverts(NamedTuple):
    """The reverts of a history, and how many name a commit that it does not have."""

    made: tuple[Made, ...]
    messages: int
    unknown: int


def find_reverts(peer: Peer, revisions: tuple[str, ...]) -> Reverts:
    """The commits with one parent whose message says that they revert another one, oldest first."""
    out = peer.git("log", "--reverse", "--no-merges", "--fixed-strings", f"--grep={SAYS}", FORMAT, *revisions, "--")
    found, messages, unknown = [], 0, 0
    for record in out.split(b"\0\x01"):
        if not record.strip():
            continue
        ids, tree, message = record.strip(b"\n").split(b"\0", 2)
        commit, *parents = ids.decode().split()
        names = list(dict.fromkeys(NAMES.findall(message)))
        if not names or not parents:
            continue
        messages += 1
        for name in names:
            reverted = _commit_of(peer, name.decode())
            if reverted is None:
                unknown += 1
                continue
            alone = len(names) == 1
            found.append(Made(commit=commit, onto=parents[0], tree=tree.decode(), reverted=reverted, alone=alone))
    return Reverts(made=tuple(found), messages=messages, unknown=unknown)


def _commit_of(peer: Peer, name: str) -> str | None:
    try:
        return peer.text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except subprocess.CalledProcessError:
        return None


def replay(peer: Peer, reverts: tuple[Made, ...], *, closed: bool) -> Iterator[Replay]:
    """Make each again by both. `closed`: where there are conflicts, try by git what ours proposes instead."""
    repository = open_repository(peer.folder, peer.env, program=peer.program)
    with tempfile.TemporaryDirectory(prefix="oracle-") as scratch:
        for made in reverts:
            merge = len(peer.text("rev-list", "--parents", "-1", made.reverted).split()) > 2
            theirs = peer.revert(made.onto, made.reverted, mainline=merge)
            ours, plan = undo(repository, scratch, made, closed=closed and theirs.kind == "conflict")
            one = Replay(made=made, git=theirs, ours=ours, difference=compare(peer, made, theirs, ours, merge=merge))
            if theirs.kind == "clean" and made.alone:
                one = one._replace(author="same" if theirs.tree == made.tree else "different")
            if plan is not None and plan.closed:
                wrong = try_closed(peer, made, plan)
                one = one._replace(closed=wrong or "same", difference=one.difference or wrong)
            yield one


def undo(repository: Repository, scratch: str, made: Made, *, closed: bool) -> tuple[Found, OnlyPlan | None]:
    """What the guard says of undoing the commit alone; the plan, too, where a set to undo is looked for."""
    try:
        with Undoing(repository, made.onto, scratch) as undoing:
            units = read_units(undoing.git, [made.reverted], made.onto, "this branch")
            (one,) = undoing.undo(units)
            plan = None
            if closed:
                plan = plan_only(undoing, branch="oracle", target="refs/heads/oracle", units=units)
    except RefusedError as error:
        return Found("refused", said=error.message), None
    except GuardError as error:
        return Found("failed", said=str(error)), None
    if one.open:
        return Found("conflict", paths=tuple(sorted(encode(path.path) for path in one.conflicts))), plan
    return Found("nothing" if one.empty else "clean", tree=one.tree), plan


def compare(peer: Peer, made: Made, theirs: Found, ours: Found, *, merge: bool) -> str:
    """What is different between both, in words; "" where nothing is."""
    if ours.kind == "refused":
        return "" if _must_refuse(peer, made, merge=merge) else f"ours refused: {ours.said}"
    if _must_refuse(peer, made, merge=merge):
        return "ours should have refused it: the branch does not have the commit, or not on its own line"
    if theirs.kind == "failed":  # nothing to compare with; it is counted
        return ""
    if theirs.kind != ours.kind:
        return f"git: {theirs.kind} {_short(theirs)}; ours: {ours.kind} {_short(ours)}"
    if theirs.tree != ours.tree or theirs.paths != ours.paths:
        return f"{theirs.kind}: git {_short(theirs)}; ours {_short(ours)}"
    return ""


def _short(found: Found) -> str:
    return found.tree or found.said or b", ".join(found.paths).decode("utf-8", "backslashreplace")


def _must_refuse(peer: Peer, made: Made, *, merge: bool) -> bool:
    """Whether the contract refuses it: not in the branch's history, or a merge beside the branch's own line."""
    if not peer.has(made.onto, made.reverted):
        return True
    return merge and made.reverted not in peer.text("rev-list", "--first-parent", made.onto).split()


def try_closed(peer: Peer, made: Made, plan: OnlyPlan) -> str:
    """Undo by git, one after the other, the set that ours says goes together; "" where that is clean, to its end."""
    peer.stand_at(made.onto)
    for commit in plan.closed:
        parents = len(peer.text("rev-list", "--parents", "-1", commit).split()) - 1
        args = ["revert", "--no-edit", *(["-m", "1"] if parents > 1 else []), commit]
        done = subprocess.run([peer.program, *args], cwd=peer.folder, env=peer.env, capture_output=True)
        if peer.git("ls-files", "-z", "--unmerged"):
            return f"the closed set {' '.join(plan.closed)} conflicts in git at {commit}"
        if done.returncode not in (0, 1):
            return f"git could not undo {commit} of the closed set: {done.stderr[-200:]!r}"
        if done.returncode == 1:  # nothing was left of it
            peer.git("reset", "-q", "--hard")
    return ""
