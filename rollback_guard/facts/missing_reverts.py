"""What a stable tag that is pushed would call stable although a production branch took it back."""

from __future__ import annotations

from rollback_guard.errors import GuardError
from rollback_guard.facts.model import Fact, Known, MissingRevert, Unknown
from rollback_guard.facts.survey import shallow_unknown
from rollback_guard.git.missing_reverts import find_missing_reverts
from rollback_guard.git.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def collect_missing_reverts(
    repository: Repository, commit: str, branches: Iterable[tuple[str, str]], scratch_folder: str
) -> Fact[tuple[MissingRevert, ...]]:
    """Each commit that a production branch (short name, tip) took back and that the tagged one still has."""
    if repository.shallow:
        return shallow_unknown()
    try:
        found = find_missing_reverts(repository, commit, branches, scratch_folder)
    except GuardError as error:
        return Unknown(error.message, error.remedy)
    return Known(tuple(MissingRevert(**one._asdict()) for one in found), "git log")
