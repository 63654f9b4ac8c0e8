"""What the calls of a Rails migration do, and which of them Rails runs on the way up, the way down, or both.

What a command does is left to `rails_table`, the order of statements to `rails_run`.
Source: https://api.rubyonrails.org/classes/ActiveRecord/Migration.html.
"""

from __future__ import annotations

from typing import Optional

from rollback_guard.release.migrations.model import Step
from rollback_guard.release.migrations.rails_commands import UNREADABLE, Done, step
from rollback_guard.release.migrations.rails_run import Direction, Source, Stopped
from rollback_guard.release.migrations.rails_schema import Schema, bound
from rollback_guard.release.migrations.rails_values import HARMLESS, MOST_CALLS, Environment, alarming, root
from rollback_guard.release.migrations.ruby_nodes import Node

_WRAPPERS = frozenset(
    ("say_with_time", "suppress_messages", "safety_assured", "transaction", "with_lock_retries", "execute_block")
    + (
        "with_statement_timeout",
        "disable_statement_timeout",
        "with_lock",
        "silence",
        "without_transaction",
        "synchronize",
    )
)
_SPEAKS = frozenset({"say", "puts", "p", "print", "pp", "announce", "sleep", "require", "require_relative", "warn"})
_SQL = frozenset(
    ("execute", "exec_query", "exec_update", "exec_delete", "exec_insert", "exec", "update", "delete", "insert")
    + (
        "select_all",
        "select_value",
        "select_values",
        "select_rows",
        "select_one",
        "query",
        "query_value",
        "exec_command",
    )
)
_EACH = frozenset({"each", "each_pair", "each_with_index"})


class Way(Schema):
    """The calls of one way through a migration."""

    def way(self, direction: Direction, *, recorded: bool = False) -> Way:
        """Another way through what is inside a call."""
        inner = Way(self.source, direction, recorded=recorded)
        inner.calls = self.calls
        return inner

    def call(self, node: Node, known: Environment) -> bool:
        name = node.name
        receiver = None if node.receiver is None else self.values.resolve(node.receiver, known)
        if receiver is not None and receiver.kind == "word" and receiver.name == "self":
            receiver = None
        if receiver is None:
            if name in ("raise", "fail", "abort"):
                return self.raised(node)
            return self.command(node, known)
        if receiver.kind == "direction":
            if name in ("up", "down") and node.block is not None:
                return self.walk(node.block.parts, known) if name == receiver.name else False
            self.unknown(f"asks its direction for {name} at line {node.line}")
        elif receiver.kind in ("table", "new table"):
            self.on_table(node, receiver, known)
        elif name == "transaction":
            self.command(node, known)
        elif _is_connection(receiver):
            self.on_connection(node, receiver, known)
        elif name in _EACH and node.block is not None and receiver.kind in ("array", "hash"):
            self.each(receiver, node, node.block, known)
        else:
            self.ruby(node, known)
        return False

    def raised(self, node: Node) -> bool:
        why = node.parts[0] if node.parts else None
        said = next((part.name for part in node.parts[:2] if part.kind == "string"), "")
        if self.direction == "down" and self.stopped is None:
            name = "an error" if why is None or why.kind != "const" else why.name.rpartition("::")[2]
            self.stopped = Stopped(why=" ".join(f"raises {name}{': ' if said else ''}{said}".split()))
        return True

    def command(self, node: Node, known: Environment) -> bool:
        name = node.name
        method = self.source.methods.get(name)
        if method is not None and name not in ("up", "down", "change"):
            self.own(method, node, known)
        elif name in self.values.defined:
            self.unknown(f"calls {name}, which the file defines anew")
        elif name in known and not node.parts and node.block is None:
            pass
        elif name in ("reversible", "up_only", "revert"):
            self.steering(node, known)
        elif name in _WRAPPERS and node.block is not None:
            self.arguments_only(node, known)
            self.walk(node.block.parts, known)
        elif name in _SQL:
            self.sql(node, known)
        elif name == "change_table" and node.block is not None:
            self.change_table(node, node.block, known)
        elif name in _SPEAKS or (name in HARMLESS and node.block is None):
            self.arguments_only(node, known)
        else:
            self.schema(node, known)
        return False

    def own(self, method: Node, node: Node, known: Environment) -> None:
        """A method that the migration defines, with what it is given."""
        self.arguments_only(node, known)
        self.calls += 1
        if self.calls > MOST_CALLS or "?" in method.params or node.block is not None:
            self.unknown(f"calls {node.name} in a way that is not followed")
        else:
            given = [self.values.resolve(part, known) for part in node.parts]
            self.walk(method.parts, dict(zip(method.params, given, strict=False)))
        self.calls -= 1

    def on_connection(self, node: Node, receiver: Node, known: Environment) -> None:
        """What is called on a connection: Rails notes it only on the migration's own."""
        if self.recorded and root(receiver).kind == "const":
            inner = self.way(self.direction)
            inner.command(node, known)
            back = step("unknown", f"runs line {node.line} as on the way up") if inner.done else ()
            self.add(Done(steps=inner.steps(), back=back))
        else:
            self.command(node, known)

    def each(self, values: Node, node: Node, block: Node, known: Environment) -> None:
        """A loop over literal values, followed once for each."""
        self.arguments_only(node, known)
        for index, value in enumerate(values.parts):
            items: tuple[Node, ...] = (value,)
            if value.kind == "pair":
                key = Node(kind="symbol", name=value.name) if value.name else value.parts[0]
                items = (key, value.parts[-1])
            elif value.kind == "array" and len(block.params) > 1 and node.name == "each":
                items = value.parts
            if node.name == "each_with_index":
                items = (value, Node(kind="number", name=str(index)))
            if self.walk(block.parts, {**known, **bound(block, items)}) and self.stopped:
                return

    def steering(self, node: Node, known: Environment) -> None:
        """`reversible`, `up_only` and `revert`: who decides by the direction."""
        block = node.block
        if node.name == "revert":
            self.revert(node, known)
        elif block is None:
            self.unknown(f"calls {node.name} without a block")
        elif not self.recorded:  # nothing is reversed, in a `down` neither
            self.walk(block.parts, {**known, **bound(block, (Node(kind="direction", name="up"),))})
        else:
            self.both_ways(node, block, known)

    def both_ways(self, node: Node, block: Node, known: Environment) -> None:
        """In `change`: what the block does up is done up, what it does down is done down, as it stands there."""
        up, down = self.way("up"), self.way("down")
        up.walk(block.parts, {**known, **bound(block, (Node(kind="direction", name="up"),))})
        if node.name == "reversible":
            down.walk(block.parts, {**known, **bound(block, (Node(kind="direction", name="down"),))})
        self.stopped = self.stopped or down.stopped
        back = down.steps()
        self.add(Done(steps=up.steps(), back=back or up.left_over()))

    def revert(self, node: Node, known: Environment) -> None:
        """Migrations by name, then a block: each is done the other way round."""
        for part in node.parts:
            other = self.source.others.get(part.name.rpartition("::")[2]) if part.kind == "const" else None
            if other is None or other.active:
                self.unknown(f"reverts {part.name or UNREADABLE}, which is not found")
                continue
            other.active = True
            up, down, _, refuses = ways(other)
            other.active = False
            if down is None or refuses:
                self.unknown(f"reverts {part.name}, which has no way back")
            else:
                self.add(Done(steps=down, back=up))
        if node.block is not None:
            inner = self.way("up", recorded=True)
            inner.walk(node.block.parts, dict(known))
            if inner.refused():
                self.unknown(f"reverts what Rails cannot reverse: {inner.refused()}")
            else:
                self.add(Done(steps=inner.reversal(), back=inner.steps()))

    def ruby(self, node: Node, known: Environment) -> None:
        """A call on something else: a model, a record, another library."""
        if not self.values.impure(node, known):
            return
        if found := alarming(node, commands=True):
            self.unknown(f"uses {found} at line {node.line}, which runs what cannot be read")
            return
        name = root(node).name or UNREADABLE
        steps = step("destroy", f"runs Ruby that may change data ({name}.{node.name})")
        back = step("unknown", f"runs line {node.line} as on the way up")
        self.add(Done(steps=steps, back=back, rows_only=True))


def ways(source: Source) -> tuple[tuple[Step, ...], Optional[tuple[Step, ...]], bool, str]:
    """What a migration does up and down, whether Rails derives the way down, and why that stops."""
    if (change := source.methods.get("change")) is not None:
        run = Way(source, "up", recorded=True)
        run.walk(change.parts, {})
        stopped = run.stopped.why if run.stopped is not None else ""
        if why := run.refused():
            return run.steps(), None, True, stopped or f"Rails cannot reverse {why}"
        return run.steps(), run.reversal(), True, stopped
    up, down = source.methods.get("up"), source.methods.get("down")
    there = Way(source, "up")
    there.walk(() if up is None else up.parts, {})
    if down is None:
        return there.steps(), None, False, ""
    back = Way(source, "down")
    back.walk(down.parts, {})
    return there.steps(), back.steps(), False, "" if back.stopped is None else back.stopped.why


def _is_connection(node: Node) -> bool:
    if node.kind == "variable":
        return node.name == "@connection"
    return node.kind == "call" and node.name in ("connection", "lease_connection") and not node.parts
