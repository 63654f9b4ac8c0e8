"""Which branches may be the default one, whose policy may say which others are production.

Apart from `entry.question`, because a revert, which only names a branch, needs nothing of the gate.
"""

from __future__ import annotations

from rollback_guard.git.refs import HEADS
from rollback_guard.git.repository import current_branch
from rollback_guard.policy.paths import DEFAULT_BRANCHES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.entry.question import Question
    from rollback_guard.git.repository import Repository


def general_branches(repository: Repository) -> tuple[str, ...]:
    """Full names of the branches whose policy may name any production branch, likeliest first.

    In a bare repository what is below refs/remotes is what somebody pushed there.
    """
    if not repository.bare:
        return DEFAULT_BRANCHES
    own = current_branch(repository)
    return (*((own,) if own else ()), *(name for name in DEFAULT_BRANCHES if name.startswith(HEADS)))


def default_branches(question: Question) -> tuple[str, ...]:
    """Full names of the branches that may be the default one, likeliest first."""
    configured = question.around.default_branch
    more = (HEADS + configured,) if configured else ()
    general = general_branches(question.repository)
    return tuple(dict.fromkeys((*general[:1], *more, *general[1:])))
