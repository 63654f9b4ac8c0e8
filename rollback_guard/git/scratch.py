"""A private folder for files that another program must be given, gone afterwards."""

from __future__ import annotations

from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tempfile import TemporaryDirectory


def private_folder() -> TemporaryDirectory[str]:
    """A folder that only this user can enter. Raises: UndeterminedError when none can be made."""
    import tempfile

    try:
        return tempfile.TemporaryDirectory(prefix="rollback-guard-")
    except OSError as error:
        raise unwritable(error) from None


def unwritable(error: OSError) -> UndeterminedError:
    """The error for a temporary file or folder that cannot be written."""
    return UndeterminedError(
        f"no temporary file could be written: {error.strerror}",
        remedy="df -h   # is the disk full? or point TMPDIR at a folder that can be written",
    )
