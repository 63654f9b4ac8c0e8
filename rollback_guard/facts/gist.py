"""The gist of a policy, remembered: which branches are production, and which trailers count.

A hook runs at every commit, and nearly all commits are on branches that are no production. To know that,
only the gist of the policy is needed; understanding the whole file again would cost more than everything
else together. The gist is kept beside the repository's own data under the oid of the file that it was read
from, so it cannot be out of date. It is only ever used to end early on a branch that is not production:
whatever allows or refuses a change to production reads the policy itself. Servers, `guard check` and
`guard audit` do not use it. See docs/adr/0006.
"""

from __future__ import annotations

import os

from rollback_guard import __version__
from rollback_guard.git.objects import ObjectReader
from rollback_guard.policy.paths import POLICY_PATHS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.git.repository import Repository

    # production patterns, folded trailer keys
    Gist = tuple[tuple[str, ...], tuple[str, ...]]

FOLDER = os.path.join("rollback-guard", "gists")
LIMIT = 1 << 18  # bytes; a larger policy is an error that the reader explains


class NoGist(Exception):
    """The gist cannot be had quickly: the policy is broken, or too large. The whole reader must say why."""


def read_gists(repository: Repository, objects: ObjectReader, revs: tuple[str, ...]) -> list[Gist]:
    """The gists of the different policies that revisions hold; revisions without one are left out.

    Raises: NoGist when one of the policies cannot be understood.
    """
    folder = os.path.join(repository.common_dir, FOLDER)
    found: dict[str, Gist] = {}
    for rev in revs:
        for path in POLICY_PATHS:
            blob = objects.read(f"{rev}:{path}", limit=LIMIT)
            if blob is None or blob.type != "blob":
                continue
            key = f"{blob.oid}.{path}"
            if key not in found:
                gist = _remembered(folder, key) or _understood(folder, key, blob.data, path)
                if gist is None:
                    continue
                found[key] = gist
            break
    return list(found.values())


def _name(folder: str, key: str) -> str:
    return os.path.join(folder, f"{key}.{__version__}")


def _remembered(folder: str, key: str) -> Gist | None:
    try:
        with open(_name(folder, key), "rb") as file:
            return _parsed(key, file.read(LIMIT))
    except OSError:
        return None


def _render(key: str, gist: Gist) -> bytes:
    """A gist as lines, `b` before a pattern and `k` before a key, with a checksum above them."""
    branches, keys = gist
    body = "".join(f"{line}\n" for line in (key, *(f"b {one}" for one in branches), *(f"k {one}" for one in keys)))
    data = body.encode("utf-8", "surrogatepass")
    return _checksum(data) + b"\n" + data


def _checksum(body: bytes) -> bytes:
    """Enough to tell what a crash or a bad disk left; `zlib` would cost an import at every commit."""
    return b"%x.%x" % (len(body), sum(body))


def _parsed(key: str, data: bytes) -> Gist | None:
    """What `_render` made; None for everything else."""
    checksum, _, body = data.partition(b"\n")
    if checksum != _checksum(body):
        return None
    lines = body.decode("utf-8", "surrogatepass").split("\n")
    branches = tuple(line[2:] for line in lines if line.startswith("b "))
    keys = tuple(line[2:] for line in lines if line.startswith("k "))
    return (branches, keys) if lines[0] == key and branches else None


def _understood(folder: str, key: str, data: bytes, path: str) -> Gist | None:
    """Read the whole policy once, and remember its gist; None when the file holds no policy."""
    from rollback_guard.errors import PolicyError
    from rollback_guard.policy.read import read_policy

    try:
        policy = read_policy(data, path=path)
    except PolicyError:
        raise NoGist from None
    if policy is None:
        return None
    gist = (policy.production.branches, tuple(sorted({role.trailer.lower() for role in policy.sign_off})))
    _remember(folder, key, gist)
    return gist


def _remember(folder: str, key: str, gist: Gist) -> None:
    """Keep a gist; where nothing can be written it is understood again next time."""
    scratch = _name(folder, f"{key}.{os.getpid()}")
    try:
        os.makedirs(folder, exist_ok=True)
        with open(scratch, "wb") as file:
            file.write(_render(key, gist))
        os.replace(scratch, _name(folder, key))
    except OSError:
        pass
