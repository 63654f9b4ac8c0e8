"""The messages of revert commits: git's own form, then `Rollback-To:` and `Reason:` trailers. Pure.

Source of the form: git's sequencer.c, do_pick_commit (2.43 and up for `Reapply`).
"""

from __future__ import annotations

import json

from rollback_guard.errors import UsageError
from rollback_guard.release.model import Bring, Keep, Plan, Revert, Undo


def fold_reason(reason: str | None) -> str:
    """The reason on one line, each run of white space folded into one blank; "" when none is given.

    Raises: UsageError for control characters, which have no place in a trailer, and for a blank reason.
    """
    if reason is None:
        return ""
    folded = " ".join(reason.split())
    if not folded:
        raise UsageError("--reason is empty", remedy='say why, for example: --reason "checkout fails since 1.4"')
    if any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in folded):
        raise UsageError("--reason has control characters in it", remedy="write it as plain text")
    return folded


def revert_subject(subject: str) -> str:
    """The first line of the commit that reverts one with this first line.

    A revert of a revert is a `Reapply`; anything deeper is not counted, exactly as git does it.
    """
    opening = 'Revert "'
    if subject.startswith(opening) and not subject.startswith(opening * 2):
        return 'Reapply "' + subject[len(opening) :]
    return f'{opening}{subject}"'


def reverts_line(revert: Revert | Undo) -> str:
    """git's sentence: which commit is reverted, and for a merge against which parent."""
    if revert.mainline is None:
        return f"This reverts commit {revert.commit}."
    return f"This reverts commit {revert.commit}, reversing\nchanges made to {revert.parent}."


def revert_message(revert: Revert, tag: str, reason: str) -> bytes:
    """The whole message of one revert commit."""
    return _message(revert_subject(revert.subject), reverts_line(revert), tag, reason)


def undo_message(undo: Undo, reason: str) -> bytes:
    """The whole message of a commit that undoes one commit alone, or makes one again that was undone with others."""
    if undo.again:
        return _message(f'Reapply "{undo.subject}"', f"This reapplies commit {undo.commit}.", "", reason)
    return _message(revert_subject(undo.subject), reverts_line(undo), "", reason)


def bring_message(bring: Bring, tag: str, reason: str) -> bytes:
    """The message of the commit that brings a stable release's tree from beside the branch."""
    body = f"This brings the tree of commit {bring.commit},\nwhich going back along this branch does not reach."
    return _message(f"Bring back {tag}", body, tag, reason)


def keep_message(plan: Plan, keep: Keep, reason: str) -> bytes:
    """The message of the commit that puts migration files back whose work stays in the database."""
    body = "The database keeps what these did, so they stay:\n\n" + "\n".join(_shown(path) for path in keep.paths)
    return _message(_KEEP, body, plan.stable.tag, reason, kept=(plan.tip, keep))


_KEEP = "Keep the migrations that the database has"


def _shown(path: str) -> str:
    """A path on a line of its own, quoted where it could be taken for something else."""
    plain = path.isprintable() and path == path.strip() and not path.startswith('"')
    return path if plain else json.dumps(path)


def single_message(plan: Plan, reason: str) -> bytes:
    """The message of the one commit of mode `single`: it names every commit that goes."""
    tag = plan.stable.tag
    if len(plan.reverts) == 1 and plan.bring is None and plan.keep is None:
        return revert_message(plan.reverts[0], tag, reason)
    lines = [reverts_line(revert) for revert in plan.reverts]
    if plan.bring is not None:
        lines.append(f"This brings the tree of commit {plan.bring.commit}.")
    count = len(plan.reverts)
    kept = None if plan.keep is None else (plan.tip, plan.keep)
    subject = f"Revert {count} commit{'' if count == 1 else 's'}, back to {tag}"
    return _message(subject, "\n".join(lines), tag, reason, kept=kept)


def merge_message(source: str, target: str, reason: str) -> bytes:
    """The message of the merge that brings what a branch has more, as git writes it."""
    kind = "remote-tracking branch" if source.startswith("origin/") else "branch"
    return _message(f"Merge {kind} '{source}' into {target}", "", "", reason)


def _message(subject: str, body: str, tag: str, reason: str, *, kept: tuple[str, Keep] | None = None) -> bytes:
    trailers = f"Rollback-To: {tag}\n" if tag else ""
    if kept is not None:
        trailers += f"Rollback-From: {kept[0]}\n"
        trailers += "".join(f"Kept-Migration: {_shown(path)}\n" for path in kept[1].paths)
    trailers += f"Reason: {reason}\n" if reason else ""
    parts = (f"{subject}\n", f"{body}\n" if body else "", trailers)
    return "\n".join(filter(None, parts)).encode("utf-8", "surrogateescape")
