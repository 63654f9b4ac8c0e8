"""Which branch a command is about: under which names it may be found here, and what it is when none was named.

`guard release` and `guard revert`, which change things, are stricter in what they take: see `entry.production`.
"""

from __future__ import annotations

from rollback_guard.entry.default_branch import default_branches
from rollback_guard.errors import UsageError
from rollback_guard.facts.policy_source import literal_branches, policies_for, tips_of
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode
from rollback_guard.git.refs import HEADS, REMOTES, short_branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollback_guard.entry.question import Question


def names_of(branch: str, remotes: Iterable[str], *, here_first: bool = False) -> tuple[str, ...]:
    """Full names of the refs under which a branch may be found, the likeliest first; a full name stands for itself.

    What a remote has is nearer to the truth, and origin before others; `here_first` asks for the local one.
    `origin/main` stands for the branch main as last seen there, unless a branch is really called that.
    """
    if branch.startswith((HEADS, REMOTES)):
        return (branch,)
    remotes = tuple(remotes)
    seen = (REMOTES + branch,) if any(branch.startswith(f"{remote}/") for remote in remotes) else ()
    tracking = tuple(f"{REMOTES}{remote}/{branch}" for remote in sorted(remotes, key=lambda one: one != "origin"))
    return (HEADS + branch, *tracking, *seen) if here_first else (*tracking, HEADS + branch, *seen)


def require_branch(question: Question, name: str, *, here_first: bool = False) -> tuple[str, str]:
    """The full name that a branch has where it belongs, and its tip as seen here.

    Raises: UsageError when there is no such branch.
    """
    repository, remotes = question.repository, question.around.remotes
    for found, tip in tips_of(repository, *names_of(name, remotes, here_first=here_first)).items():
        if short_branch(found, remotes) != "HEAD":  # of a remote, it only stands for another one
            return HEADS + short_branch(found, remotes), tip
    raise UsageError(
        f"there is no branch {name!r} here, neither local nor as last seen on a remote",
        remedy="git fetch --all   # or look at: git branch --all",
    )


def find_target(question: Question, into: str | None) -> tuple[str, str]:
    """Full name and tip of the branch that is asked about: as named, or the policy's one, or the default branch.

    Raises: UsageError when there is no such branch, or no way to choose one.
    """
    if into is not None:
        return require_branch(question, into)
    candidates = default_branches(question)
    with ObjectReader(question.repository.git) as objects:
        policies = policies_for(objects, *candidates, "HEAD")
    if question.what_if is not None:
        named = list(literal_branches(question.what_if.policy))
    else:
        named = [name for found in policies if found.policy is not None for name in literal_branches(found.policy)]
    for name in dict.fromkeys(named):
        try:
            return require_branch(question, name)
        except UsageError:
            continue
    for candidate, tip in tips_of(question.repository, *candidates).items():
        return HEADS + short_branch(_followed(question, candidate), question.around.remotes), tip
    raise UsageError("no production branch is here to check against", remedy="guard check --into BRANCH")


def _followed(question: Question, name: str) -> str:
    """The branch that refs/remotes/origin/HEAD stands for; any other name as it is."""
    process = question.repository.git.run("symbolic-ref", "--quiet", name, accept=(0, 1, 128))
    return decode(process.stdout).strip() or name


def ref_at(question: Question, target: str, tip: str) -> str:
    """The ref that stands for a target here and is at that tip: the local branch, else one as seen on a remote."""
    names = names_of(short_branch(target), question.around.remotes, here_first=True)
    return next((name for name, found in tips_of(question.repository, *names).items() if found == tip), target)
