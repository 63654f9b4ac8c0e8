"""Migrations as values: what one does to a database, whether it can be undone, and what a range of them asks for.

How each framework is read is left to its own module, how two trees are compared to `compare`, how files are had from
a repository to `collect`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

Framework = Literal[
    "alembic", "django", "rails", "flyway", "liquibase", "prisma", "golang-migrate", "dbmate", "goose", "sql"
]
# expand: what was there before is as it was, and code that does not know of the new does not stumble over it.
# change: code that does not know of it may stumble; nothing that was stored is gone, so it can be turned back.
# destroy: something that was stored is gone or altered, and no statement brings it back.
# unknown: could not be read.
Effect = Literal["expand", "change", "destroy", "unknown"]
# expand-only: the older code runs on it as it is. reversible: its way back loses nothing that was there before it.
# lossy-down: it has a way back, which does not bring back what it destroyed. irreversible: there is no way back, or
# none that can be relied on; what cannot be read is this.
Verdict = Literal["expand-only", "reversible", "lossy-down", "irreversible"]
State = Literal["added", "edited", "deleted", "renamed"]
# none: no migration is in the range. code-only: the database stays as it is. down-migration: the ways back are run.
# restore: the backup is restored.
Decision = Literal["none", "code-only", "down-migration", "restore"]

VERDICTS: tuple[Verdict, ...] = ("expand-only", "reversible", "lossy-down", "irreversible")  # from best to worst
DECISIONS: dict[Verdict, Decision] = {
    "expand-only": "code-only",
    "reversible": "down-migration",
    "lossy-down": "restore",
    "irreversible": "restore",
}


class Step(NamedTuple):
    """One thing that a migration does. `what` is a short predicate for people: "drops column orders.total"."""

    effect: Effect
    what: str


class Parsed(NamedTuple):
    """One migration as its framework reads it, in one tree.

    `group`: what has one newest migration, an application or a folder; with `parents` it makes the graph.
    `parents`: ids (of any group, as `group:id` where it is another group) that this one builds on; None where the
    framework orders by number alone. `down`: the steps of its way back; None where it has none. `refuses`: why its
    way back stops, where the author said so; `undoes_itself`: the framework derives the way back from `up`.
    """

    framework: Framework
    id: str
    path: str  # the file that names it; bytes that are no UTF-8 as surrogates
    paths: tuple[str, ...]  # all files that it is made of
    group: str
    up: tuple[Step, ...]
    down: Optional[tuple[Step, ...]]
    parents: Optional[tuple[str, ...]] = None
    refuses: str = ""
    undoes_itself: bool = False
    replaces: tuple[str, ...] = ()  # ids that a squashed migration stands for
    repeatable: bool = False  # the framework runs it again whenever it was edited
    body: str = ""  # what counts as its content, where its files hold more than it: one change set of a changelog


class Migration(NamedTuple):
    """One migration that differs between two trees. `state` is told from the tree gone back to: "added" since then."""

    framework: Framework
    id: str
    path: str
    paths: tuple[str, ...]
    state: State
    verdict: Verdict
    reasons: tuple[str, ...] = ()  # why it is not better, worst first
    down: bool = False  # a way back is there
    old_path: str = ""  # where a renamed or moved one was

    @property
    def expands(self) -> bool:
        """Whether the older code runs on it as it is."""
        return self.verdict == "expand-only"


class Report(NamedTuple):
    """All migrations of a range, in the order in which they are applied, and what is wrong with their graph."""

    migrations: tuple[Migration, ...] = ()
    problems: tuple[str, ...] = ()  # sentences: two newest migrations, a parent that is missing, a number used twice

    @property
    def verdict(self) -> Optional[Verdict]:
        """The worst of all; None where there is no migration."""
        if not self.migrations:
            return None
        return max((one.verdict for one in self.migrations), key=VERDICTS.index)

    @property
    def decision(self) -> Decision:
        """What going back over the range asks for."""
        verdict = self.verdict
        return "none" if verdict is None else DECISIONS[verdict]
