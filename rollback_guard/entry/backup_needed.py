"""Which backups nothing may remove: those of the last stable releases, and of a restore that was cut short."""

from __future__ import annotations

from rollback_guard.entry.backup_named import Asked
from rollback_guard.entry.backup_restore import read_open
from rollback_guard.entry.recorded_releases import recorded_of
from rollback_guard.release.stable import read_releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rollback_guard.backup.model import Record


def needed_in(asked: Asked) -> Callable[[Record], str]:
    """Says of a backup why it is needed, "" where it is not.

    One that was taken of a stable release's commit is the state that this release had, just before the next landing:
    going back to the release needs it. Raises: GuardError where releases cannot be read.
    """
    production = asked.production
    recorded = recorded_of(asked.repository, production.branch)
    releases = read_releases(asked.repository, asked.policy, production.tip, recorded)
    stable = {one.commit: one.tag for one in releases if one.state in ("stable", "off-branch", "unknown", "moved")}
    open_ = {one.record: one.id for one in read_open(asked.repository)}

    def why(record: Record) -> str:
        if record.id in open_:
            return f"the restore {open_[record.id]} was cut short"
        if record.commit in stable:
            return f"it is of the stable release {stable[record.commit]}"
        return ""

    return why
