"""A commit that adds files to what its parents hold, written in one `git fast-import`, however large that is.

Only the folders on the way to a new file are read and written anew. The objects lie loose in a quarantine until
they are kept; few as they are, a pack for each commit would slow every command of git down. Moving a ref to the
commit is left to `git.refs`.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Optional

from rollback_guard.errors import GitError
from rollback_guard.git.fast_import import ROOMY, SCRATCH, Quarantine, identity, keep_file, sync
from rollback_guard.git.process import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNPACKED = 100  # objects up to which they are kept loose; above, they stay a pack. git's own default.


class NewFile(NamedTuple):
    """A file to be written: its path of plain ASCII, and its content, or the oid of a blob that is here already."""

    path: str
    data: bytes = b""
    oid: Optional[str] = None


class LooseQuarantine(Quarantine):
    """A quarantine whose loose objects are kept as well."""

    def keep(self) -> None:
        """Move everything into the repository, each file synced before it gets its name there."""
        folders = [name for name in sorted(os.listdir(self.path)) if len(name) == 2]
        for folder in folders:
            source, target = os.path.join(self.path, folder), os.path.join(self.home, folder)
            if not os.path.isdir(target):
                os.makedirs(target, exist_ok=True)
                os.chmod(target, os.stat(source).st_mode)  # as core.sharedRepository has it: git made the other one
            for name in sorted(os.listdir(source)):
                sync(os.path.join(source, name))
                keep_file(os.path.join(source, name), os.path.join(target, name))
            sync(target)
        sync(self.home)
        super().keep()


def write_files(quarantine: Quarantine, parents: Sequence[str], files: Iterable[NewFile], message: bytes) -> str:
    """Write a commit that has what its first parent has, and these files; its oid.

    With more parents it is a merge. Author and committer are who git says is working here.
    Raises: UsageError when git does not know that; GitError when a parent or blob is missing.
    """
    author, committer = identity(quarantine, "GIT_AUTHOR_IDENT"), identity(quarantine, "GIT_COMMITTER_IDENT")
    stream = [
        b"reset %s\ncommit %s\nmark :1\nauthor %s\ncommitter %s\n" % (SCRATCH, SCRATCH, author, committer),
        b"data %d\n%s\n" % (len(message), message),
        *(b"%s %s\n" % (b"merge" if place else b"from", encode(oid)) for place, oid in enumerate(parents)),
    ]
    for file in files:
        if file.oid is not None:
            stream.append(b"M 100644 %s %s\n" % (encode(file.oid), encode(file.path)))
        else:
            stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (encode(file.path), len(file.data), file.data))
    stream.append(b"\nget-mark :1\nreset %s\n\ndone\n" % SCRATCH)
    process = quarantine.git.with_env(**ROOMY).run(
        "fast-import",
        "--done",
        "--quiet",
        "--date-format=raw",
        stdin=b"".join(stream),
        config=("-c", f"fastimport.unpackLimit={UNPACKED}", "-c", "pack.packSizeLimit=0"),
    )
    oid = decode(process.stdout).strip()
    if len(oid) not in (40, 64):
        raise GitError("git fast-import did not say what it wrote", remedy="git --version   # 2.31 or newer is needed")
    return oid
