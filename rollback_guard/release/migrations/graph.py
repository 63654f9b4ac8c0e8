"""The graph that a tree's migrations make: the order in which they are applied, and what is wrong with it.

Which of it the range brought is left to `compare`. Everything here is linear in the number of migrations and parents,
but for sorting them.
"""

from __future__ import annotations

import heapq
import re
from typing import NamedTuple

from rollback_guard.release.migrations.model import Parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Node = tuple[str, str, str]  # framework, group, id
_NUMBER = re.compile(r"\d+", re.ASCII)
_LEADING = re.compile(r"[vV]?(\d[\d._-]*)", re.ASCII)
MOST_DIGITS = 40  # a number of a file's name that has more is compared as text
SHOWN = 5  # names in one sentence


class Graph(NamedTuple):
    """Each migration once, by what names it; its parents that are there, and those that are not."""

    nodes: dict[Node, Parsed]
    parents: dict[Node, tuple[Node, ...]]
    missing: dict[Node, tuple[str, ...]]
    stands_for: dict[Node, Node]  # a replaced migration: the one of `nodes` that replaces it


def node_of(parsed: Parsed) -> Node:
    """What names a migration, whichever file it is in."""
    return parsed.framework, parsed.group, parsed.id


def named(parsed: Parsed, name: str) -> Node:
    """Whom a migration means by a name: `id` of its own group, or `group:id`."""
    group, colon, rest = name.rpartition(":")
    return parsed.framework, group if colon else parsed.group, rest


def build(migrations: Iterable[Parsed]) -> Graph:
    """The graph of some migrations; of several with one name the first stands for all."""
    nodes: dict[Node, Parsed] = {}
    for one in migrations:
        nodes.setdefault(node_of(one), one)
    stands_for: dict[Node, Node] = {}
    for node, one in nodes.items():
        stands_for.update((named(one, name), node) for name in one.replaces if named(one, name) != node)
    groups = {node[:2] for node in nodes}
    parents, missing = {}, {}
    for node, one in nodes.items():
        meant = {name: named(one, name) for name in one.parents or ()}
        there = {name for name, parent in meant.items() if parent in nodes or parent in stands_for}
        parents[node] = tuple(parent for name, parent in meant.items() if name in there)
        # Of a group that is not here, a library's, nothing is known, nor wrong.
        missing[node] = tuple(name for name in meant if name not in there and meant[name][:2] in groups)
    return Graph(nodes=nodes, parents=parents, missing=missing, stands_for=stands_for)


def in_order(graph: Graph, frameworks: Sequence[str]) -> tuple[list[Node], list[Node]]:
    """The migrations as they are applied, parents first, and those that no order can be given: they are in a circle."""
    waiting = dict.fromkeys(graph.nodes, 0)
    children: dict[Node, list[Node]] = {node: [] for node in graph.nodes}
    for node, parents in graph.parents.items():
        for parent in {parent if parent in children else graph.stands_for[parent] for parent in parents}:
            children[parent].append(node)
            waiting[node] += 1
    place = {framework: index for index, framework in enumerate(frameworks)}

    def rank(node: Node) -> tuple[int, str, list[tuple[int, int, str]], str, Node]:
        repeated = "\uffff" if graph.nodes[node].repeatable else ""  # those run after all others
        return place.get(node[0], len(place)), repeated, natural(node[2]), node[1], node

    ready = [rank(node) for node, count in waiting.items() if not count]
    heapq.heapify(ready)
    done: list[Node] = []
    while ready:
        node = heapq.heappop(ready)[-1]
        done.append(node)
        for child in children[node]:
            waiting[child] -= 1
            if not waiting[child]:
                heapq.heappush(ready, rank(child))
    return done, sorted(node for node, count in waiting.items() if count)


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts names with numbers in them as people do: 9 before 10."""
    key: list[tuple[int, int, str]] = []
    at = 0
    for match in _NUMBER.finditer(text):
        if match.start() > at:
            key.append((1, 0, text[at : match.start()]))
        digits = match[0].lstrip("0")
        key.append((0, int(digits or "0"), "") if len(digits) <= MOST_DIGITS else (1, 0, match[0]))
        at = match.end()
    if at < len(text):
        key.append((1, 0, text[at:]))
    return key


def problems_of(migrations: Sequence[Parsed], frameworks: Sequence[str]) -> tuple[str, ...]:
    """What is wrong with a tree's migrations, as sentences."""
    graph = build(migrations)
    _, circle = in_order(graph, frameworks)
    return (*_twice(migrations), *_heads(graph), *_missing(graph), *_circles(circle))


def _twice(migrations: Sequence[Parsed]) -> Iterator[str]:
    """One name for two migrations; or one number, where the number alone gives the order."""
    named: dict[tuple[str, str, str], list[str]] = {}
    for one in migrations:
        number = _number_of(one)
        named.setdefault((one.framework, one.group, number or one.id), []).append(one.path)
    for (framework, group, name), paths in named.items():
        if len(paths) > 1:
            yield f"{_place(framework, group)} uses {name} for {len(paths)} migrations: {_list(sorted(set(paths)))}"


def _number_of(parsed: Parsed) -> str:
    """The number that a migration's place comes from; "" where it has a parent, or none."""
    match = _LEADING.match(parsed.id) if parsed.parents is None and not parsed.repeatable else None
    if match is None or parsed.framework in ("prisma", "liquibase"):  # named by all of the name
        return ""
    return match[1].strip("._-").lstrip("0") or "0"


def _heads(graph: Graph) -> Iterator[str]:
    """Several newest migrations of one group. A replaced one is none: what replaces it has its place."""
    inner = {
        _last(graph, parent)
        for node, parents in graph.parents.items()
        for parent in parents
        if parent[:2] == node[:2]  # what another group builds on it does not make it an older one
    }
    heads: dict[tuple[str, str], list[str]] = {}
    for node, one in graph.nodes.items():
        if one.parents is not None and node not in inner and node not in graph.stands_for:
            heads.setdefault(node[:2], []).append(node[2])
    for (framework, group), ids in heads.items():
        if len(ids) > 1:
            yield f"{_place(framework, group)} has {len(ids)} newest migrations: {_list(sorted(ids))}"


def _last(graph: Graph, node: Node) -> Node:
    """What stands for a migration in the end: a squashed one may be squashed again, or, if hostile, in a circle."""
    seen = {node}
    while node in graph.stands_for and graph.stands_for[node] not in seen:
        node = graph.stands_for[node]
        seen.add(node)
    return node


def _missing(graph: Graph) -> Iterator[str]:
    """What is built on something that is not there, though its group is."""
    for (framework, group, name), parents in graph.missing.items():
        if parents:
            yield f"{_place(framework, group)}: {name} builds on {_list(parents)}, which is not there"


def _circles(circle: list[Node]) -> Iterator[str]:
    """Those that no order can be given: in a circle, or built on one."""
    by_framework: dict[str, list[str]] = {}
    for framework, _, name in circle:
        by_framework.setdefault(framework, []).append(name)
    for framework, names in by_framework.items():
        yield f"{framework}: no order can be given to {_list(names)}: their parents make a circle"


def _place(framework: str, group: str) -> str:
    return f"{framework} in {group}" if group else framework


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
