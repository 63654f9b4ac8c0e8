"""Sends evidence to a remote and gets it from there; neither side ever loses any.

A remote's evidence is kept as it was last seen in a ref of its own, and joined to ours by `evidence.store_merge`.
Nothing is forced on a remote: where it has more than we know, that is fetched and joined first.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple, Optional

from rollback_guard.errors import GitError, RefusedError, UsageError
from rollback_guard.evidence.store import note_fetched
from rollback_guard.evidence.store_fit import Fit, choose_fit
from rollback_guard.evidence.store_merge import merge
from rollback_guard.evidence.store_moves import pause, read_tip
from rollback_guard.evidence.store_paths import EVIDENCE, TRACKING
from rollback_guard.git.process import decode
from rollback_guard.git.refs import list_refs, update_refs
from rollback_guard.git.repository import Repository, read_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.evidence.store_fit import Unfit

ATTEMPTS = 100  # how often others may be faster before a push gives up
STUCK = 3  # how often a remote may refuse although its evidence did not move meanwhile
UNREACHABLE = 128  # the status of git when a conversation did not even come about
TIMEOUT = 600.0  # seconds for one conversation with a remote
TOLD = 4  # lines of what the other side says


class Fetched(NamedTuple):
    """What a remote had, and where our store is now; None where there is nothing."""

    theirs: Optional[str]
    tip: Optional[str]
    added: int = 0  # as in `Merged`
    skipped: tuple[str, ...] = ()  # what was not taken over, and why


class Pushed(NamedTuple):
    """Where our store and the remote's are now; `sent` is False when the remote had everything."""

    tip: Optional[str]
    sent: bool
    skipped: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # what no server would take, and why


def tracking_ref(remote: str) -> str:
    """The ref that holds what was last seen of a remote's evidence."""
    return f"{TRACKING}{remote}/evidence"


def fetch(repository: Repository, remote: str) -> Fetched:
    """Get a remote's evidence and join it to ours. A remote that has none is no error.

    No hook of the work tree runs but git's own of a moved ref, and nothing else is fetched. Raises: UsageError when
    there is no such remote; GitError when it cannot be reached; RefusedError when nothing can be written here.
    """
    _require_remote(repository, remote)
    theirs = _fetch(repository, remote)
    if theirs is None:
        note_fetched(repository)
        return Fetched(theirs=None, tip=read_tip(repository))
    merged = merge(repository, theirs, name=remote)
    return Fetched(theirs=theirs, tip=merged.tip, added=merged.added, skipped=merged.skipped)


def push(repository: Repository, remote: str, unfit: Unfit | None = None) -> Pushed:
    """Send our evidence to a remote, joined with what it has. What others push meanwhile is joined as well.

    `unfit` says of each envelope why a server does not take it, or "". It is asked when one took none: that, and what
    the server names, stays here then and holds up no others.
    The hook pre-push is not run: what it judges is no evidence. Raises: as `fetch`; RefusedError when the remote
    does not take it, with what it says.
    """
    _require_remote(repository, remote)
    skipped: tuple[str, ...] = ()
    seen, refused, attempts = _seen(repository, remote), 0, 0
    tip, named, sift = read_tip(repository), set[str](), False
    while tip is not None:
        fit = choose_fit(repository, seen, tip, unfit, named) if sift and unfit is not None else Fit(tip)
        if fit.commit is None:
            return Pushed(tip=tip, sent=False, skipped=skipped, kept=fit.kept)
        answer = _push(repository, remote, fit.commit)
        if answer.taken:
            return Pushed(tip=tip, sent=answer.sent, skipped=skipped, kept=fit.kept)
        if answer.final and unfit is not None and (not sift or answer.named - named):
            named |= answer.named
            sift = True
            continue
        theirs = _fetch(repository, remote)
        attempts, refused = attempts + 1, refused + 1 if theirs == seen else 0
        if refused == STUCK or attempts == ATTEMPTS or (refused and answer.final):
            raise RefusedError(
                f"{remote} did not take our evidence: {answer.said}", remedy=f"git ls-remote {shlex.quote(remote)}"
            )
        if theirs is not None:
            merged = merge(repository, theirs, join=True, name=remote)
            seen, tip, skipped = theirs, merged.tip, merged.skipped
        pause()
    return Pushed(tip=None, sent=False)


def _require_remote(repository: Repository, remote: str) -> None:
    keys = read_config(repository, r"^remote\..*\.(url|pushurl)$")
    names = dict.fromkeys(key[len("remote.") :].rpartition(".")[0] for key in keys)
    if remote not in names:
        known = f"; there are: {', '.join(names)}" if names else ""
        raise UsageError(f"there is no remote {remote!r} here{known}", remedy="git remote -v")


def _seen(repository: Repository, remote: str) -> str | None:
    """The commit in a remote's tracking ref; None when there is no such ref."""
    tracking = tracking_ref(remote)
    found = next((ref for ref in list_refs(repository, tracking) if ref.name == tracking), None)
    if found is not None and found.commit != found.oid:
        raise RefusedError(
            f"{EVIDENCE} of {remote} is no commit, so it is no evidence",
            remedy=f"git ls-remote {shlex.quote(remote)} {EVIDENCE}   # somebody put something else there",
        )
    return found.oid if found is not None else None


def _fetch(repository: Repository, remote: str) -> str | None:
    """Have what the remote has in its tracking ref; the commit there, None when it never had any.

    The glob makes a remote without evidence no error. Nothing is pruned: what was seen once stays.
    """
    tracking = tracking_ref(remote)
    strays = [ref for ref in list_refs(repository, tracking) if ref.name != tracking]
    if strays:  # some other ref of a remote, fetched by name; beside it, the tracking ref could not be written
        updates = tuple((ref.name, repository.zero, ref.oid) for ref in strays)
        update_refs(repository, updates, reason="guard: evidence")
    attempts = 0
    while True:
        process = repository.git.run(
            "fetch", "--quiet", "--atomic", "--no-tags", "--no-prune", "--no-write-fetch-head",
            "--no-auto-maintenance", "--no-recurse-submodules", "--no-show-forced-updates", "--no-filter",
            "--refmap=", "--", remote, f"+{EVIDENCE}*:{tracking}*", f"^{EVIDENCE}/*",
            accept=tuple(range(256)), timeout=TIMEOUT,
        )  # fmt: skip
        if process.returncode == 0:
            return _seen(repository, remote)
        attempts += 1
        if process.returncode == UNREACHABLE or attempts == STUCK:
            raise GitError(
                f"the evidence of {remote} could not be fetched: {_told(process.stderr)}",
                remedy=f"git ls-remote {shlex.quote(remote)}   # whether it can be reached; then run this again",
                status=process.returncode,
            )
        pause()  # another fetch in this clone holds the tracking ref


class _Answer(NamedTuple):
    """What came of a push: `final` when it makes no sense to ask the same again."""

    taken: bool
    sent: bool
    final: bool
    said: str
    named: frozenset[str] = frozenset()  # the beginnings of the ids that our hook there names


def _push(repository: Repository, remote: str, tip: str) -> _Answer:
    process = repository.git.run(
        "push", "--porcelain", "--no-progress", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", "--",
        remote, f"{tip}:{EVIDENCE}",
        accept=tuple(range(256)), timeout=TIMEOUT,
    )  # fmt: skip
    lines = decode(process.stdout).split("\n")
    about = next((line for line in lines if line.endswith(")") and f":{EVIDENCE}\t" in line), "")
    taken = process.returncode == 0
    sent = taken and not any(line.startswith("=") for line in lines)
    # receive-pack gives a hook's refusal that name; anything else may be somebody who is faster.
    final = not about or about.endswith("hook declined)")
    reason = about.rpartition("\t")[2]
    said = "; ".join(filter(None, (reason, _told(process.stderr))))
    return _Answer(taken=taken, sent=sent, final=final, said=said, named=_named(process.stderr))


def _named(stderr: bytes) -> frozenset[str]:
    """The envelopes that our hook on the other side refuses, by the first digits of their ids. See `admission`."""
    import re

    said = " ".join(decode(stderr).replace("remote:", " ").split())
    return frozenset(re.findall(r"\b([0-9a-f]{12}), in the name of ", said))


def _told(stderr: bytes) -> str:
    """The first lines of what git or the other side said, without the password of an address."""
    import re

    lines = [line.removeprefix("remote:").strip() for line in decode(stderr).split("\n")]
    shown = [line for line in lines if line and not line.startswith(("To ", "error: failed to push"))]
    return re.sub(r"//[^/@\s]*@", "//", "; ".join(shown[:TOLD])) or "git said nothing"
