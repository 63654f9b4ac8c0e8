"""Migrations as values for tests, and a framework of few words that stands for any: one line a step, one file each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from rollback_guard.release.migrations.model import Effect, Framework, Parsed, Step


def step(effect: Effect, what: str = "does something") -> Step:
    return Step(effect=effect, what=what)


def parsed(name: str = "1", *, up: tuple[Step, ...] = (), **fields: object) -> Parsed:
    """A migration of one file; without steps and without a way back unless given."""
    path = str(fields.pop("path", f"db/{name}.toy"))
    values = {"framework": "rails", "group": "db", "paths": (path,), "down": None, **fields}
    return Parsed(id=name, path=path, up=up, **values)  # type: ignore[arg-type]


class ToyReader:
    """Reads `up EFFECT WORDS`, `down EFFECT WORDS`, `nothing`, `after ID`, `replaces ID`, `refuses WORDS`, `again`.

    The id is the file's name to the first dot or underscore, the group its folder; lines with `--` are comments.
    """

    def __init__(self, framework: Framework = "rails", ending: str = ".sql") -> None:
        self.framework = framework
        self.ending = ending

    def claims(self, path: str) -> bool:
        return path.endswith(self.ending)

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        return tuple(self._read(path, data) for path, data in files.items() if not data.startswith(b"plain"))

    def _read(self, path: str, data: bytes) -> Parsed:
        folder, _, name = path.rpartition("/")
        lines = [line.strip().split(" ", 2) for line in data.decode("utf-8", "replace").splitlines()]
        said = {word: [line[1:] for line in lines if line[0] == word] for word in {line[0] for line in lines}}
        down = tuple(Step(cast(Effect, effect), what) for effect, what in said.get("down", ()))
        return Parsed(
            framework=self.framework,
            id=name.split(".")[0].split("_")[0],
            path=path,
            paths=(path,),
            group=folder,
            up=tuple(Step(cast(Effect, effect), what) for effect, what in said.get("up", ())),
            down=down if down or "nothing" in said else None,
            parents=tuple(one[0] for one in said["after"] if one) if "after" in said else None,
            replaces=tuple(one[0] for one in said.get("replaces", ())),
            refuses=" ".join(said.get("refuses", [[""]])[0]),
            repeatable="again" in said,
        )
