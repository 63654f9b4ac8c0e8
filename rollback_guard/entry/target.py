"""Which branch a command is about, when a person names it short or as a remote has it."""

from __future__ import annotations

from rollback_guard.errors import UsageError
from rollback_guard.facts.policy_source import tips_of
from rollback_guard.git.refs import HEADS, REMOTES, short_branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.entry.judge import Question


def require_branch(question: Question, name: str) -> tuple[str, str]:
    """Full name and tip of a target branch: as last seen on the remote, else as it is here.

    Raises: UsageError when there is no such branch.
    """
    repository, around = question.repository, question.around
    if name.startswith((HEADS, REMOTES)):
        candidates = [name]
    else:
        tracking = [f"{REMOTES}{remote}/{name}" for remote in sorted(around.remotes, key=lambda r: r != "origin")]
        candidates = [*tracking, HEADS + name]
    for candidate, tip in tips_of(repository, *candidates).items():
        if short_branch(candidate, around.remotes) != "HEAD":  # of a remote, it only stands for another one
            return HEADS + short_branch(candidate, around.remotes), tip
    raise UsageError(
        f"there is no branch {name!r} here, neither local nor as last seen on a remote",
        remedy="git fetch --all   # or look at: git branch --all",
    )
