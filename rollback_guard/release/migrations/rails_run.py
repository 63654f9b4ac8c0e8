"""Follows the statements of one Rails migration in one direction, without running them.

What its calls do is left to `rails_calls`, what a value says to `rails_values`, files and classes to `rails`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Literal, NamedTuple, Optional

from rollback_guard.release.migrations.model import Step
from rollback_guard.release.migrations.rails_commands import Done, step
from rollback_guard.release.migrations.rails_values import Environment, Values, assigned, root, truth, unlined
from rollback_guard.release.migrations.ruby_nodes import Node

Direction = Literal["up", "down"]


class Stopped(NamedTuple):
    """Why a way stops, where the author said so."""

    why: str


class Source:
    """What all ways through one migration share."""

    def __init__(self, methods: dict[str, Node], values: Values, others: dict[str, Source]) -> None:
        self.methods = methods
        self.values = values
        self.others = others  # migrations by the name of their class, for `revert`
        self.guards: set[Node] = set()  # conditions of the way up
        self.active = False  # followed already, so that migrations that revert each other come to an end


class Run(ABC):
    """One way through a migration. `recorded`: Rails notes the commands of `change`, to reverse them."""

    def __init__(self, source: Source, direction: Direction, *, recorded: bool = False) -> None:
        self.source = source
        self.values = source.values
        self.direction = direction
        self.recorded = recorded
        self.done: list[Done] = []
        self.stopped: Optional[Stopped] = None
        self.unsure = ""  # the condition under which what comes is done
        self.calls = 0

    def steps(self) -> tuple[Step, ...]:
        return tuple(one for done in self.done for one in done.steps)

    def refused(self) -> str:
        """Why Rails does not reverse what was recorded."""
        return next((done.why for done in self.done if done.back is None), "")

    def reversal(self) -> tuple[Step, ...]:
        """What Rails does to reverse what was recorded, the last first."""
        return tuple(one for done in reversed(self.done) for one in done.back or ())

    def add(self, done: Done) -> None:
        if self.unsure and done.back is not None:
            done = done._replace(back=step("unknown", f"depends on {self.unsure}, which may differ on the way back"))
        self.done.append(done)

    def unknown(self, what: str) -> None:
        steps = step("unknown", what)
        self.add(Done(steps=steps, back=steps))

    def walk(self, nodes: Iterable[Node], known: Environment) -> bool:
        """Follows statements. True where what stands behind them is not reached."""
        unsure = self.unsure
        for node in nodes:
            self.values.spend()
            if self.statement(node, known):
                self.unsure = unsure
                return True
        self.unsure = unsure
        return False

    def statement(self, node: Node, known: Environment) -> bool:
        if node.kind == "control":
            ended = self.control(node, known)
            forget(node, known)
            return ended
        if node.kind == "assign":
            self.assign(node, known)
        elif node.kind == "assigns":
            for part in node.parts:
                if self.values.impure(part, known):
                    self.statement(part, known)
            known.update((name, Node(kind="value", name=name)) for name in node.params)
        elif node.kind == "call":
            if node.block is not None:
                forget(node.block, known)  # before it is followed: it may run more than once
            return self.call(node, known)
        elif found := self.values.impure(node, known) or ("" if node.kind not in ("def", "class") else node.kind):
            self.unknown(f"uses {found} at line {node.line} in a way that is not read")
        return False

    def assign(self, node: Node, known: Environment) -> None:
        value = self.values.resolve(node.parts[0], known)
        if self.values.impure(value, known):
            self.statement(node.parts[0], known)
            known.pop(node.name, None)
        elif node.receiver is not None and root(node.receiver).kind != "word":
            self.unknown(f"sets {node.receiver.name} of something else at line {node.line}")
        elif value.kind in ("string", "symbol", "array", "number", "hash", "word"):
            known[node.name] = value
        else:
            known[node.name] = Node(kind="value", name=node.name)

    def control(self, node: Node, known: Environment) -> bool:
        if node.name in ("return", "next", "break"):
            if node.receiver is not None:
                self.statement(node.receiver, known)
            return True
        if node.name in ("begin", "rescue"):
            ended = [self.walk(branch.parts, known) for branch in node.parts]
            return ended[0]
        condition = node.receiver
        if node.name not in ("if", "unless", "case") or condition is None:
            self.unknown(f"repeats what it does at line {node.line} in a way that is not read")
            return False
        if found := self.values.impure(condition, known):
            self.unknown(f"decides by {found} at line {node.line}, which may change something")
        set_inside(condition, known)
        decided = truth(self.values.resolve(condition, known))
        if node.name != "case" and decided is not None:
            taken = 0 if decided == (node.name == "if") else 1
            return self.walk(node.parts[taken].parts, known) if taken < len(node.parts) else False
        before = self.unsure
        unsure = self.guard(node, condition, known) or before
        ended = []
        for branch in node.parts:
            self.unsure = unsure
            ended.append(self.walk(branch.parts, known))
        self.unsure = unsure if any(ended) else before  # where a branch returns, the rest depends on it
        return len(ended) > 1 and all(ended) and node.name != "case"

    def guard(self, node: Node, condition: Node, known: Environment) -> str:
        """What is unsure behind a condition; empty where it decides alike both ways, or by what is there."""
        kind = self.values.condition(condition, known)
        key = Node(kind=node.name, parts=(unlined(condition),))
        if self.direction == "up":
            self.source.guards.add(key)
        if self.recorded:
            return "" if kind == "stable" else f"a condition at line {node.line}"
        if self.direction == "up" or kind == "state" or key in self.source.guards:
            return ""
        self.unknown(f"goes back only under a condition, at line {node.line}")
        return ""

    @abstractmethod
    def call(self, node: Node, known: Environment) -> bool:
        """Follows a call. True where what stands behind it is not reached."""


def forget(node: Node, known: Environment) -> None:
    """Whatever is set inside may have either value behind it."""
    for name in assigned(node):
        if name in known:
            known[name] = Node(kind="value", name=name)


def set_inside(node: Node, known: Environment) -> None:
    """Variables that a condition sets are there, with any value."""
    known.update((name, Node(kind="value", name=name)) for name in assigned(node))
