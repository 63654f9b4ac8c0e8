"""What of our store a server would take, where it would not take all: one envelope holds up no others.

Why an envelope is unfit is left to whoever asks; pushing is left to `evidence.remote`.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.store_moves import Step, write_step
from rollback_guard.evidence.store_paths import ABOUT, Sieve, differing_folders, root_of
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.tree_writes import NewFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from rollback_guard.git.repository import Repository

    Unfit = Callable[[Sequence[Opened]], Sequence[str]]

REFUSED = "the other side refused it"
TOLD = 20  # envelopes that are named


class Fit(NamedTuple):
    """The commit to send; None where there is nothing but what is kept here, and why that is."""

    commit: Optional[str]
    kept: tuple[str, ...] = ()


def choose_fit(repository: Repository, theirs: str | None, tip: str, unfit: Unfit, named: Collection[str]) -> Fit:
    """Our store's tip, or, where something in it is unfit, a commit that adds only the rest to what they have.

    `named` are the first digits of envelopes that a server refused.
    """
    files: list[NewFile] = []
    opened: dict[str, Opened] = {}
    with ObjectReader(repository.git) as objects:
        sieve = Sieve(objects)
        before = None if theirs is None else root_of(objects, theirs)
        for folder in differing_folders(objects, before, root_of(objects, tip)):
            for name, item in folder.new.items():
                if folder.old.get(name) == item or sieve.fault(folder.path, item):
                    continue
                files.append(NewFile(path=f"{folder.path}/{name}", oid=item.oid))
                found = open_envelope(sieve.read(item)[1])
                if isinstance(found, Opened) and not folder.path.startswith(f"{ABOUT}/"):
                    opened[found.id] = found
    said = dict(zip(opened, unfit(tuple(opened.values())), strict=True))
    bad = {name: why or REFUSED for name, why in said.items() if why or name[:12] in named}
    if not bad:
        return Fit(tip)
    kept = tuple(f"{name[:12]}: {why}" for name, why in list(bad.items())[:TOLD])
    good = tuple(file for file in files if file.path.rpartition("/")[2].partition(".")[0] not in bad)
    if not good:
        return Fit(None, kept)
    parents = () if theirs is None else (theirs,)
    step = Step(parents=parents, files=good, message="evidence: what a server takes of another store\n")
    return Fit(write_step(repository, step), kept)
