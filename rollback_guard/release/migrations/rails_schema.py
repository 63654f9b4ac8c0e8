"""What the commands of a Rails migration do where they stand: with tables, their columns, and SQL as text.

What a command does is left to `rails_table`, which ones are run to `rails_calls`, SQL to `sql`.
"""

from __future__ import annotations

import re
from abc import abstractmethod

from rollback_guard.release.migrations.model import Step
from rollback_guard.release.migrations.rails_commands import Done, arguments, spelled, step
from rollback_guard.release.migrations.rails_run import Direction, Run
from rollback_guard.release.migrations.rails_table import COLUMN_TYPES, OF_TABLE, describe
from rollback_guard.release.migrations.rails_values import ALARMING, Environment
from rollback_guard.release.migrations.ruby_nodes import Node
from rollback_guard.release.migrations.sql import read_steps

_ROWS = re.compile(r"(?:update|insert|delete)\b", re.IGNORECASE)


class Schema(Run):
    """Commands on tables."""

    @abstractmethod
    def way(self, direction: Direction, *, recorded: bool = False) -> Schema:
        """Another way through what is inside a call."""

    def arguments_only(self, node: Node, known: Environment) -> None:
        for part in node.parts:
            if found := self.values.impure(part, known):
                self.unknown(f"uses {found} at line {node.line} in a way that is not read")

    def schema(self, node: Node, known: Environment) -> None:
        """A command that has a name in the table of all."""
        self.arguments_only(node, known)
        parts = tuple(self.values.resolve(part, known) for part in node.parts)
        done = describe(node.name, arguments(parts, block=node.block is not None))
        if done is None:
            self.unknown(f"calls {node.name}, which is not known")
            return
        self.add(done)
        if node.block is not None:
            table = parts[0] if parts else Node(kind="string")
            self.columns(node.block, table, known)

    def columns(self, block: Node, table: Node, known: Environment) -> None:
        """The block of `create_table` and its like: columns of a new table do nothing more; all else is followed."""
        inner = self.way(self.direction)
        inner.walk(block.parts, {**known, **bound(block, (Node(kind="new table", name=spelled(table)),))})
        if inner.done:
            self.add(Done(steps=inner.steps(), back=inner.left_over()))

    def change_table(self, node: Node, block: Node, known: Environment) -> None:
        self.arguments_only(node, known)
        table = self.values.resolve(node.parts[0], known) if node.parts else Node(kind="string")
        self.walk(block.parts, {**known, **bound(block, (Node(kind="table", name=spelled(table)),))})

    def on_table(self, node: Node, table: Node, known: Environment) -> None:
        """What is called on the table that a block was handed."""
        self.arguments_only(node, known)
        if node.block is not None or node.name in ALARMING:
            self.unknown(f"calls {node.name} on table {table.name}")
            return
        if table.kind == "new table":
            return
        place = Node(kind="string", name=table.name)
        parts = tuple(self.values.resolve(part, known) for part in node.parts)
        options = tuple(part for part in parts if part.kind == "hash")
        names = [part for part in parts if part.kind != "hash"]
        calls: list[tuple[str, tuple[Node, ...]]]
        if node.name in COLUMN_TYPES:
            calls = [("add_column", (place, name, Node(kind="symbol", name=node.name))) for name in names]
        elif node.name in ("references", "belongs_to", "remove_references", "remove_belongs_to"):
            calls = [(OF_TABLE[node.name], (place, name)) for name in names]
        elif node.name in OF_TABLE:
            calls = [(OF_TABLE[node.name], (place, *names))]
        else:
            self.unknown(f"calls {node.name} on table {table.name}, which is not known")
            return
        for name, places in calls:
            done = describe(name, arguments((*places, *options), block=False))
            self.add(Done(steps=(), back=()) if done is None else done)

    def sql(self, node: Node, known: Environment) -> None:
        """SQL as text. Rails does not reverse it."""
        text = self.values.resolve(node.parts[0], known) if node.parts else Node(kind="group")
        why = f"{node.name} in change"
        if text.kind != "string" or text.parts or node.block is not None:
            self.arguments_only(node, known)
            self.add(Done(steps=step("unknown", "runs SQL that cannot be read"), back=None, why=why))
            return
        for part in node.parts[1:]:
            if found := self.values.impure(part, known):
                self.unknown(f"uses {found} at line {node.line} in a way that is not read")
        rows_only = _ROWS.match(text.name.strip()) is not None and ";" not in text.name.strip().rstrip(";")
        self.add(Done(steps=read_steps(text.name), back=None, why=why, rows_only=rows_only))

    def left_over(self) -> tuple[Step, ...]:
        """What stays when this way up has no way back. New things and rows may; what older code stumbles over not."""
        if all(one.effect == "expand" for one in self.steps()) or all(done.rows_only for done in self.done):
            return ()
        first = next(one.what for one in self.steps() if one.effect != "expand")
        return step("unknown", f"leaves undone what is done on the way up only ({first})")


def bound(block: Node, values: tuple[Node, ...]) -> Environment:
    """A block's parameters with what they are given; those that are given nothing known are of no known value."""
    names = block.params
    if "?" in names:
        return {name: Node(kind="value", name=name) for name in names}
    return {name: values[i] if i < len(values) else Node(kind="value", name=name) for i, name in enumerate(names)}
