"""What each command of a Rails migration does to a database, and what Rails runs to reverse it in `change`.

Source of what Rails reverses: https://api.rubyonrails.org/classes/ActiveRecord/Migration/CommandRecorder.html.
The names are left to `rails_table`; which commands run, and in which order, to `rails_run`; SQL to `sql`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Optional

from rollback_guard.release.migrations.model import Effect, Step
from rollback_guard.release.migrations.ruby_nodes import Node

UNREADABLE = "…"  # stands for a name that is not literal


class Done(NamedTuple):
    """What a command does. `back`: what its reversal does; None where Rails refuses to reverse it, with `why`."""

    steps: tuple[Step, ...]
    back: Optional[tuple[Step, ...]]
    why: str = ""
    rows_only: bool = False  # it writes rows and leaves tables as they are


class Arguments(NamedTuple):
    """Arguments whose variables have been replaced. `whole`: all keys of the options are known."""

    places: tuple[Node, ...]
    options: dict[str, Node]
    whole: bool
    block: bool

    def name(self, index: int) -> str:
        """The table, column or the like at a place, for people."""
        return spelled(self.places[index]) if index < len(self.places) else UNREADABLE

    def names(self, start: int) -> tuple[str, ...]:
        return tuple(spelled(place) for place in self.places[start:])

    def column(self, index: int = 1) -> str:
        return f"{self.name(0)}.{self.name(index)}"

    def is_true(self, option: str) -> bool:
        """Whether an option may switch something on: it is there, and not literally off."""
        node = self.options.get(option)
        return node is not None and not _off(node)

    def has(self, *options: str) -> bool:
        return all(option in self.options for option in options)


def arguments(parts: tuple[Node, ...], *, block: bool) -> Arguments:
    """Takes a call's arguments apart."""
    options: dict[str, Node] = {}
    whole = True
    if parts and parts[-1].kind == "hash":
        for pair in parts[-1].parts:
            if pair.kind == "pair" and pair.name:
                options[pair.name] = pair.parts[-1]
            else:
                whole = False
        parts = parts[:-1]
    if any(part.kind == "splat" for part in parts):
        whole = False
    return Arguments(places=parts, options=options, whole=whole, block=block)


def spelled(node: Node) -> str:
    """A name for people; what is not literal is not guessed at."""
    if node.kind in ("symbol", "string", "number") and not node.parts:
        return node.name.strip() or UNREADABLE
    if node.kind == "array" and node.parts:
        return ", ".join(spelled(part) for part in node.parts)
    return UNREADABLE


def _off(node: Node) -> bool:
    return node.kind == "word" and node.name in ("false", "nil")


def step(effect: Effect, what: str) -> tuple[Step, ...]:
    return (Step(effect=effect, what=what),)


def new_column(given: Arguments) -> Effect:
    """Whether rows that the older code writes stumble over a new column."""
    fixed = given.options.get("null")
    required = fixed is not None and not (fixed.kind == "word" and fixed.name == "true")
    default = given.options.get("default")
    if not given.whole or (required and (default is None or (_off(default) and default.name == "nil"))):
        return "change"
    index = given.options.get("index")
    unique = index is not None and index.kind == "hash" and any(pair.name == "unique" for pair in index.parts)
    limits = ("foreign_key", "primary_key", "polymorphic_unique")
    return "change" if unique or any(given.is_true(option) for option in limits) else "expand"


def create_table(given: Arguments) -> Done:
    table = given.name(0)
    steps = step("expand", f"creates table {table}")
    if given.is_true("force") or not given.whole:
        steps = (*step("destroy", f"drops table {table} where it exists"), *steps)
    return Done(steps=steps, back=step("destroy", f"drops table {table}"))


def create_join_table(given: Arguments) -> Done:
    named = given.options.get("table_name")
    table = spelled(named) if named is not None else "_".join(sorted((given.name(0), given.name(1))))
    steps = step("expand", f"creates table {table}")
    if given.is_true("force") or not given.whole:
        steps = (*step("destroy", f"drops table {table} where it exists"), *steps)
    return Done(steps=steps, back=step("destroy", f"drops table {table}"))


def drop_table(given: Arguments) -> Done:
    steps = tuple(Step(effect="destroy", what=f"drops table {name}") for name in given.names(0) or (UNREADABLE,))
    if len(given.places) == 1 and (given.block or set(given.options) - {"if_exists"}):
        return Done(steps=steps, back=step("expand", f"creates table {given.name(0)}"))
    return Done(steps=steps, back=None, why="drop_table without the table's columns")


def drop_join_table(given: Arguments) -> Done:
    table = "_".join(sorted((given.name(0), given.name(1))))
    return Done(steps=step("destroy", f"drops table {table}"), back=step("expand", f"creates table {table}"))


def add_column(given: Arguments) -> Done:
    column = given.column()
    effect = "change" if given.name(2) == "primary_key" else new_column(given)
    return Done(steps=step(effect, f"adds column {column}"), back=step("destroy", f"drops column {column}"))


def add_columns(given: Arguments) -> Done:
    effect = new_column(given)
    steps = tuple(Step(effect=effect, what=f"adds column {given.name(0)}.{name}") for name in given.names(1))
    return Done(steps=steps, back=None, why="add_columns")


def remove_column(given: Arguments) -> Done:
    column = given.column()
    steps = step("destroy", f"drops column {column}")
    if len(given.places) > 2:
        return Done(steps=steps, back=step("expand", f"adds column {column}"))
    return Done(steps=steps, back=None, why="remove_column without a type")


def remove_columns(given: Arguments) -> Done:
    names = given.names(1) or (UNREADABLE,)
    steps = tuple(Step(effect="destroy", what=f"drops column {given.name(0)}.{name}") for name in names)
    if given.has("type"):
        return Done(steps=steps, back=step("expand", f"adds columns {', '.join(names)} to {given.name(0)}"))
    return Done(steps=steps, back=None, why="remove_columns without a type")


def change_column(given: Arguments) -> Done:
    what = f"changes the type of {given.column()} to {given.name(2)}"
    return Done(steps=step("destroy", what), back=None, why="change_column")


def change_null(given: Arguments) -> Done:
    column = given.column()
    value = given.places[2] if len(given.places) > 2 else None
    allowed = value is not None and value.kind == "word" and value.name == "true"
    what = f"lets {column} be NULL" if allowed else f"demands a value in {column}"
    steps = step("change", what)
    if len(given.places) > 3 and not _off(given.places[3]):
        steps = (*step("destroy", f"fills the rows whose {column} is NULL"), *steps)
    back = f"demands a value in {column}" if allowed else f"lets {column} be NULL"
    return Done(steps=steps, back=step("change", back))


def change_default(given: Arguments) -> Done:
    steps = step("change", f"changes the default of {given.column()}")
    if given.has("from", "to"):
        return Done(steps=steps, back=steps)
    return Done(steps=steps, back=None, why="change_column_default without from and to")


def change_comment(given: Arguments) -> Done:
    steps = step("expand", f"comments {given.name(0)}")
    if given.has("from", "to"):
        return Done(steps=steps, back=steps)
    return Done(steps=steps, back=None, why="a comment without from and to")


def rename_thing(given: Arguments) -> Done:
    old, new = given.name(0), given.name(1)
    return Done(
        steps=step("change", f"renames {old} to {new}"),
        back=step("change", f"renames {new} to {old}"),
    )


def rename_within(given: Arguments) -> Done:
    table, old, new = given.name(0), given.name(1), given.name(2)
    return Done(
        steps=step("change", f"renames {table}.{old} to {new}"),
        back=step("change", f"renames {table}.{new} to {old}"),
    )


def add_reference(given: Arguments) -> Done:
    column = f"{given.column()}_id"
    return Done(
        steps=step(new_column(given), f"adds column {column}"),
        back=step("destroy", f"drops column {column}"),
    )


def remove_reference(given: Arguments) -> Done:
    column = f"{given.column()}_id"
    return Done(steps=step("destroy", f"drops column {column}"), back=step("expand", f"adds column {column}"))


def add_timestamps(given: Arguments) -> Done:
    options = given.options if given.has("null") else {**given.options, "null": Node(kind="word", name="false")}
    table = given.name(0)
    return Done(
        steps=step(new_column(given._replace(options=options)), f"adds columns created_at and updated_at to {table}"),
        back=step("destroy", f"drops columns created_at and updated_at of {table}"),
    )


def remove_timestamps(given: Arguments) -> Done:
    table = given.name(0)
    return Done(
        steps=step("destroy", f"drops columns created_at and updated_at of {table}"),
        back=step("expand", f"adds columns created_at and updated_at to {table}"),
    )


def add_index(given: Arguments) -> Done:
    unique = given.is_true("unique") or not given.whole
    effect: Effect = "change" if unique else "expand"
    what = f"{'unique ' if unique else ''}index on {given.column()}"
    return Done(steps=step(effect, f"adds {what}"), back=step("change", f"drops {what}"))


def remove_index(given: Arguments) -> Done:
    steps = step("change", f"drops an index of {given.name(0)}")
    if len(given.places) > 1 or given.has("column"):
        return Done(steps=steps, back=step("change", f"adds an index on {given.name(0)}"))
    return Done(steps=steps, back=None, why="remove_index without a column")


def add_unique(given: Arguments) -> Done:
    done = constraint("unique constraint", adds=True)(given)
    if given.has("using_index"):
        return done._replace(back=None, why="add_unique_constraint with using_index")
    return done


def constraint(what: str, *, adds: bool, least: int = 1, option: str = "", why: str = "") -> Callable[..., Done]:
    """A command that adds or removes a limit to what rows may hold. `least`: places without which Rails refuses."""

    def command(given: Arguments) -> Done:
        there = step("change", f"adds a {what} to {given.name(0)}")
        gone = step("change", f"drops a {what} of {given.name(0)}")
        if adds:
            return Done(steps=there, back=gone)
        if len(given.places) >= least or (option and given.has(option)):
            return Done(steps=gone, back=there)
        return Done(steps=gone, back=None, why=why)

    return command


def reversed_pair(effect: Effect, what: str, back_effect: Effect, back: str) -> Callable[..., Done]:
    """A command of one name that Rails reverses without asking for more."""

    def command(given: Arguments) -> Done:
        name = given.name(0)
        return Done(steps=step(effect, f"{what} {name}"), back=step(back_effect, f"{back} {name}"))

    return command
