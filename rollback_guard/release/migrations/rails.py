"""Migrations of Ruby on Rails: which files they are, and the class in each that does the work.

Databases beside the first have folders of their own (db/animals_migrate); schema.rb is no migration. The Ruby is
left to `ruby_syntax`, what it does to `rails_calls`.
Source: https://guides.rubyonrails.org/active_record_migrations.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Optional

from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed, Step
from rollback_guard.release.migrations.rails_calls import ways
from rollback_guard.release.migrations.rails_run import Source
from rollback_guard.release.migrations.rails_values import HARMLESS, Environment, Values, alarming
from rollback_guard.release.migrations.ruby_lexer import LIMIT, RubyError
from rollback_guard.release.migrations.ruby_nodes import Node
from rollback_guard.release.migrations.ruby_syntax import read_ruby

# Rails takes a file of its folder, however deep, by this name and leaves all others alone.
_PATH = re.compile(r"((?:.*/)?db/(?:[^/]+_)?migrate)/(?:.*/)?([0-9]+)_([_a-z0-9]*)(?:\.[_a-z0-9]*)?\.rb", re.DOTALL)
_WAYS = ("change", "up", "down")
# What Rails calls by itself on its way to `change`. Source: activerecord/lib/active_record/migration.rb.
_STEERS = frozenset(("migrate", "exec_migration"))
_CALLED = frozenset(
    ("initialize", "new", "inherited", "announce", "write", "say", "say_with_time", "suppress_messages", "connection")
    + ("method_missing", "respond_to_missing?", "run", "name", "version", "disable_ddl_transaction", "connection_pool")
)


class _Found(NamedTuple):
    """A file's migration before it is followed. `wrong`: what in it must be taken for the worst."""

    match: re.Match[str]  # of its path
    source: Source
    wrong: tuple[str, ...]


class _Rails:
    """The reader of this framework."""

    def claims(self, path: str) -> bool:
        return _PATH.fullmatch(path) is not None

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        others: dict[str, Source] = {}
        matches = [match for path in sorted(files) if (match := _PATH.fullmatch(path)) is not None]
        found = [_find(match, files[match.string], others) for match in matches]
        return tuple(_parsed(one) for one in found)


def _find(match: re.Match[str], data: bytes, others: dict[str, Source]) -> _Found:
    """Reads a file's classes, and enters its migration among the others."""
    name = "".join(part[:1].upper() + part[1:] for part in match.group(3).split("_"))
    try:
        tree = read_ruby(_decoded(data))
        methods, constants, wrong = _taken_apart(tree, name)
    except RubyError as error:
        methods, constants, wrong = {}, {}, (f"cannot be read: {error}",)
        tree = ()
    wrong = (*wrong, *_called_by_rails(tree, methods))
    defined = frozenset(node.name for node in _definitions(tree)) - set(methods)
    source = Source(methods, Values(constants, methods, defined), others)
    if not wrong:
        others.setdefault(name, source)
    return _Found(match=match, source=source, wrong=wrong)


def _called_by_rails(tree: tuple[Node, ...], methods: dict[str, Node]) -> tuple[str, ...]:
    """What is defined in place of Rails' own, so that more may run than `change`, `up` and `down` say."""
    steers = {node.name for node in _definitions(tree)} & _STEERS
    values = Values({}, methods, frozenset())
    acts = {name for name in methods.keys() & _CALLED if any(_does(one, values) for one in methods[name].parts)}
    return tuple(f"defines {name}, which Rails calls by itself" for name in sorted(steers | acts))


def _does(node: Node, values: Values) -> bool:
    return bool(alarming(node, commands=True) or values.impure(node, {}))


def _decoded(data: bytes) -> str:
    if len(data) > LIMIT:
        raise RubyError(f"it has {len(data):,} bytes; at most {LIMIT:,} are read")
    if b"\0" in data:
        raise RubyError("it is no text")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise RubyError("it is no UTF-8") from None


def _definitions(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """All methods, wherever they are defined."""
    for node in nodes:
        if node.kind == "def":
            yield node
        inner = (*node.parts, node.receiver, node.block)
        yield from _definitions(tuple(one for one in inner if one is not None))


def _taken_apart(tree: tuple[Node, ...], name: str) -> tuple[dict[str, Node], Environment, tuple[str, ...]]:
    """The methods and constants of a file's migration, and what else runs when the file is loaded."""
    methods: dict[str, Node] = {}
    constants: Environment = {}
    wrong: list[str] = []
    values = Values(constants, methods, frozenset())
    migrations = 0
    for node in tree:
        if node.kind == "class" and node.name.rpartition("::")[2].lower() == name.lower():
            migrations += 1
            above = "" if node.receiver is None else _class_above(node.receiver)
            if node.receiver is not None and "Migration" not in above:
                wrong.append(f"builds on {above or 'a class'} that is not known")
            _body(node.parts, methods, values, wrong)
        elif not _loads(node):
            wrong += _when_loaded(node, values)
    if not migrations:
        wrong.append(f"defines no class {name}")
    elif not methods.keys() & set(_WAYS) and not wrong:
        wrong.append("defines neither change nor up")
    return methods, constants, tuple(wrong)


def _class_above(node: Node) -> str:
    if node.kind == "call" and node.name == "[]" and node.receiver is not None:
        node = node.receiver
    return node.name if node.kind == "const" else ""


def _loads(node: Node) -> bool:
    return (
        node.kind == "call"
        and node.receiver is None
        and node.name in ("require", "require_relative", "require_dependency")
        and all(part.kind == "string" and not part.parts for part in node.parts)
    )


def _body(nodes: tuple[Node, ...], methods: dict[str, Node], values: Values, wrong: list[str]) -> None:
    """What stands in the class of a migration."""
    for node in nodes:
        inner = node.parts if node.kind == "call" and node.receiver is None and node.parts else (node,)
        if all(one.kind == "def" for one in inner):  # `private def …` too
            methods.update((one.name, one) for one in inner)
        elif node.kind == "class" and node.name == "self":
            _body(node.parts, methods, values, wrong)
        else:
            wrong += _when_loaded(node, values)


def _when_loaded(node: Node, values: Values) -> list[str]:
    """What a statement outside of all methods does that must be taken for the worst; it runs in both directions."""
    if node.kind == "class":
        return [found for one in node.parts for found in _when_loaded(one, values)]
    if node.kind == "def" or node.kind in ("word", "symbol", "string", "number"):
        return []
    if node.kind == "assign" and (node.receiver is None or node.receiver.receiver == Node(kind="word", name="self")):
        value = values.resolve(node.parts[0], {})
        if node.receiver is None and value.kind in ("string", "symbol", "array", "hash", "number", "word"):
            values.constants[node.name] = value
    found = alarming(node, commands=True)
    if not found and node.kind == "call" and node.receiver is None:
        return []
    found = found or values.impure(node.parts[0] if node.kind == "assign" else node, {})
    return [f"uses {found} at line {node.line}, outside of its methods"] if found and found not in HARMLESS else []


def _parsed(found: _Found) -> Parsed:
    path, version = found.match.string, found.match.group(2)
    wrong = tuple(Step(effect="unknown", what=what) for what in found.wrong)
    up: tuple[Step, ...] = wrong
    down: Optional[tuple[Step, ...]] = None
    derived, refuses = False, ""
    if not any(what.startswith("cannot be read") for what in found.wrong):
        try:
            up, down, derived, refuses = ways(found.source)
            up = (*wrong, *up)
        except RubyError as error:
            up, down = (Step(effect="unknown", what=f"cannot be read: {error}"),), None
    return Parsed(
        framework="rails",
        id=version.lstrip("0") or "0",
        path=path,
        paths=(path,),
        group=found.match.group(1),
        up=up,
        down=down,
        refuses=refuses,
        undoes_itself=derived,
    )


READER: Reader = _Rails()
