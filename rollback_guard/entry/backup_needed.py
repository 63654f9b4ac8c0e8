"""Which backups nothing may remove: those of the last stable releases, and of a restore that was cut short."""

from __future__ import annotations

from rollback_guard.backup.model import reaches
from rollback_guard.entry.backup_named import Asked
from rollback_guard.entry.backup_restore import read_open
from rollback_guard.entry.recorded_releases import recorded_of
from rollback_guard.release.stable import read_releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rollback_guard.backup.catalogue import Listing
    from rollback_guard.backup.model import Record
    from rollback_guard.policy.model import Level


def needed_in(asked: Asked, listings: Sequence[Listing] = ()) -> Callable[[Record], str]:
    """Says of a backup why it is needed, "" where it is not.

    The last one that was taken of a stable release's commit is the state that this release had, just before the next
    landing: going back to the release needs it. Of `listings`, the newest proven one of each name and commit is that,
    else the newest that is sound; without them every one is. Raises: GuardError where releases cannot be read.
    """
    production = asked.production
    recorded = recorded_of(asked.repository, production.branch)
    releases = read_releases(asked.repository, asked.policy, production.tip, recorded)
    stable = {one.commit: one.tag for one in releases if one.state in ("stable", "off-branch", "unknown", "moved")}
    open_ = {one.record: one.id for one in read_open(asked.repository)}

    last = _last(asked, listings)

    def why(record: Record) -> str:
        if record.id in open_:
            return f"the restore {open_[record.id]} was cut short"
        if record.commit in stable and last.get((record.name, record.commit), record.id) == record.id:
            return f"it is of the stable release {stable[record.commit]}"
        return ""

    return why


def _last(asked: Asked, listings: Sequence[Listing]) -> dict[tuple[str, str], str]:
    """By name and commit of production, the id of the backup that stands for what that commit had in the end."""
    levels: dict[str, Level] = {one.spec.name: one.spec.level for one in asked.named}
    proven: dict[tuple[str, str], str] = {}
    sound: dict[tuple[str, str], str] = {}
    for entry in (entry for listing in listings for entry in listing.entries):  # the newest first
        record = entry.record
        key = (record.name, record.commit)
        if entry.sound:
            sound.setdefault(key, record.id)
        if reaches(entry.level, levels.get(record.name, "restored")):
            proven.setdefault(key, record.id)
    return {**sound, **proven}
