"""What Ruby values in a migration say without running anything: literals, variables, and calls that change nothing.

What is not known to change nothing is named, so that its caller can judge it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Optional

from rollback_guard.release.migrations.rails_table import COMMANDS
from rollback_guard.release.migrations.ruby_lexer import RubyError
from rollback_guard.release.migrations.ruby_nodes import Node

MOST_WORK = 200_000  # values looked at for one migration
MOST_TEXT = 1024 * 1024  # characters of a string that values are put together to
Environment = dict[str, Node]
# stable: the same on the way up and back. state: told by what is in the database. other: by anything else.
Kind = Literal["stable", "state", "other"]
_KINDS: tuple[Kind, ...] = ("stable", "state", "other")

STATES = frozenset(
    ("table_exists?", "column_exists?", "index_exists?", "index_name_exists?", "foreign_key_exists?", "view_exists?")
    + ("check_constraint_exists?", "unique_constraint_exists?", "data_source_exists?", "extension_enabled?")
    + ("schema_exists?", "type_exists?", "enum_exists?")
)
_STABLE = frozenset(
    ("adapter_name", "connection", "env", "production?", "development?", "test?", "staging?", "[]", "fetch", "key?")
    + ("present?", "blank?", "nil?", "include?", "to_s", "to_sym", "to_i", "to_f", "downcase", "upcase", "match?")
    + ("start_with?", "end_with?", "strip", "postgresql?", "mysql?", "sqlite?", "version", "freeze", "dup", "config")
    + (
        "gem_version",
        "database_version",
        "connection_db_config",
        "adapter",
        "current_adapter",
        "split",
        "first",
        "last",
    )
    + ("supports_json?", "supports_extensions?", "supports_bulk_alter?", "squish", "strip_heredoc", "chomp", "root")
    + ("keys", "values", "count", "size", "length", "zip", "join", "configurations", "env_name", "defined?", "sub")
)
_READS = frozenset(
    ("where", "exists?", "find_by", "find", "pluck", "ids", "all", "not", "joins", "select", "order", "limit", "none?")
    + ("any?", "empty?", "columns_hash", "column_names", "columns", "tables", "indexes", "foreign_keys", "table_name")
    + ("quoted_table_name", "quote", "quote_table_name", "quote_column_name", "now", "current", "ago", "from_now")
    + ("today", "day", "days", "hour", "hours", "minute", "minutes", "second", "seconds", "week", "weeks", "month")
    + ("months", "year", "years", "logger", "info", "debug", "warn", "error", "new", "primary_key", "exist?", "sum")
    + ("minimum", "maximum", "distinct", "group", "having", "includes", "lambda", "proc", "class", "name", "megabytes")
    + (
        "reset_column_information",
        "schema_cache",
        "clear!",
        "data_source_exists?",
        "unscoped",
        "kilobytes",
        "gigabytes",
    )
)
_PLAIN = frozenset(
    (
        "type",
        "zone",
        "configuration",
        "generators",
        "options",
        "orm",
        "application",
        "credentials",
        "dig",
        "presence",
        "try",
        "merge",
    )
    + ("slice", "except", "map", "select", "reject", "filter_map", "flat_map", "sort", "sort_by", "uniq", "compact")
    + ("flatten", "to_a", "to_h", "min", "max", "tr", "gsub", "match", "format", "sprintf", "hex", "uuid", "service")
    + ("reverse", "index_by", "group_by", "each_with_object", "inject", "reduce", "partition", "take", "drop", "abs")
    + ("supports_datetime_with_precision?", "underscore", "camelize", "pluralize", "singularize", "tableize", "at")
    + ("classify", "humanize", "titleize", "parse", "strftime", "beginning_of_day", "end_of_day", "utc", "iso8601")
)
HARMLESS = _PLAIN | STATES | _STABLE | _READS
# What runs text as code, or leaves Ruby: nothing around it can be read.
ALARMING = frozenset(
    ("eval", "instance_eval", "class_eval", "module_eval", "instance_exec", "class_exec", "send", "public_send")
    + ("__send__", "system", "exec", "spawn", "fork", "load", "define_method", "method", "instance_method", "binding")
    + ("const_get", "constantize", "safe_constantize", "instance_variable_set", "at_exit", "trap", "popen", "popen3")
    + ("capture3", "capture2", "capture2e", "syscall", "alias_method", "undef_method", "remove_method", "prepend")
)
_OUTSIDE = frozenset(
    {"Kernel", "Object", "IO", "File", "Dir", "FileUtils", "Process", "Open3", "PTY", "Marshal", "Rake"}
)


MOST_CALLS = 20  # of own methods in one another
_SURROUNDINGS = frozenset({"Rails", "ENV", "ActiveRecord", "Gem", "RUBY_VERSION", "RUBY_ENGINE"})


class Values:
    """Variables and constants that are known, and how much work may still be done on them."""

    def __init__(self, constants: Environment, methods: dict[str, Node], defined: frozenset[str]) -> None:
        self.constants = constants
        self.methods = methods  # the migration's own
        self.defined = defined  # methods that the file defines elsewhere, whatever their names promise
        self.calls = 0
        self.work = MOST_WORK

    def spend(self, amount: int = 1) -> None:
        """Counts work.

        Raises: RubyError when there was too much.
        """
        self.work -= amount
        if self.work < 0:
            raise RubyError("it does more than is followed")

    def resolve(self, node: Node, known: Environment) -> Node:
        """The value with its variables replaced; what is not known stays as it is."""
        self.spend()
        if node.kind == "const":
            return self.constants.get(node.name, node)
        if node.kind == "string" or node.kind == "symbol":
            return self._joined(node, known) if node.parts else node
        if node.kind in ("array", "hash", "pair", "splat"):
            return node._replace(parts=tuple(self.resolve(part, known) for part in node.parts))
        if node.kind == "group":
            return self._group(node, known)
        if node.kind == "call" and node.block is None:
            return self._call(node, known)
        return node

    def _joined(self, node: Node, known: Environment) -> Node:
        pieces = []
        for part in node.parts:
            inner = part.parts[0] if part.kind == "group" and len(part.parts) == 1 else part
            value = self.resolve(inner, known)
            if value.kind not in ("string", "symbol", "number") or value.parts:
                return node
            pieces.append(value.name)
        return self._text("".join(pieces), node)

    def _text(self, text: str, node: Node) -> Node:
        self.spend(len(text) // 1000)
        if len(text) > MOST_TEXT:
            raise RubyError("it puts together a text that is too long")
        return Node(kind="symbol" if node.kind == "symbol" else "string", name=text, line=node.line)

    def _group(self, node: Node, known: Environment) -> Node:
        parts = [self.resolve(part, known) for part in node.parts]
        if node.name == "+" and all(part.kind == "string" and not part.parts for part in parts):
            return self._text("".join(part.name for part in parts), node)
        return parts[0] if node.name == "()" and len(parts) == 1 else node._replace(parts=tuple(parts))

    def _call(self, node: Node, known: Environment) -> Node:
        if node.receiver is None:
            if not node.parts and node.name in known:
                return known[node.name]
            if node.name in ("quote_table_name", "quote_column_name") and len(node.parts) == 1:
                return self.resolve(node.parts[0], known)
            return node
        value = self.resolve(node.receiver, known)
        literal = value.kind in ("string", "symbol", "array", "number", "hash") and not node.parts
        if node.name in ("quote_table_name", "quote_column_name") and len(node.parts) == 1:
            return self.resolve(node.parts[0], known)
        if not literal or node.name in self.defined:
            return node._replace(receiver=value) if value.kind != node.receiver.kind else node
        if node.name in ("freeze", "dup", "strip_heredoc", "html_safe", "deep_dup"):
            return value
        if value.kind in ("array", "hash") or value.parts:
            return node
        if node.name in ("to_s", "to_str", "strip", "chomp"):
            return self._text(value.name if node.name.startswith("to") else value.name.strip(), node)
        if node.name == "squish":  # a comment in SQL now swallows what stood on the lines below
            return self._text(" ".join(value.name.split()), node)
        if node.name == "to_sym":
            return Node(kind="symbol", name=value.name, line=node.line)
        return node

    def impure(self, node: Optional[Node], known: Environment) -> str:
        """What in a value may change something; empty where nothing does."""
        if node is None:
            return ""
        self.spend()
        if node.kind == "opaque":
            return node.name or "what is not read"
        if node.kind in ("def", "class"):
            return "a definition"
        if node.kind == "group" and "<<" in node.name.split():
            return "<<"
        if node.kind == "const" and node.name.partition("::")[0] in _OUTSIDE:
            return node.name
        inside = known if node.kind != "block" else {**known, **dict.fromkeys(node.params, node)}
        if node.kind == "call":
            own = self.methods.get(node.name) if node.receiver is None else None
            variable = node.receiver is None and not node.parts and node.block is None and node.name in known
            if own is not None and not variable:
                return self._own(own) or next((found for part in node.parts if (found := self.impure(part, known))), "")
            asks = node.name in HARMLESS or (node.name.endswith("?") and node.block is None)
            if not variable and (not asks or node.name in self.defined):
                return node.name
        if node.kind == "assign" and node.receiver is not None:
            return f"{node.receiver.name}="
        parts = (*node.parts, node.receiver, node.block)
        return next((found for one in parts if (found := self.impure(one, inside))), "")

    def _own(self, method: Node) -> str:
        """What in a method of the migration's own may change something."""
        self.calls += 1
        known = {name: Node(kind="value", name=name) for name in (*method.params, *assigned(method))}
        found = method.name if self.calls > MOST_CALLS else ""
        for part in () if found else method.parts:
            found = found or self.impure(part, known)
        self.calls -= 1
        return found

    def condition(self, node: Node, known: Environment) -> Kind:
        """By what a condition is decided."""
        self.spend()
        if node.kind in ("word", "symbol", "string", "number", "regex", "array", "pair", "hash", "group"):
            return self._worst(node.parts, known)
        if node.kind == "const":
            known_one = node.name in self.constants or node.name.partition("::")[0] in _SURROUNDINGS
            return "stable" if known_one else "other"
        if node.kind != "call" or node.block is not None:
            return "other"
        if node.receiver is None and not node.parts and node.name in known:
            return "stable"
        inner = self._worst(node.parts + ((node.receiver,) if node.receiver is not None else ()), known)
        if inner == "other" or node.name in self.defined:
            return "other"
        if node.name in STATES:
            return "state"
        rooted = node.receiver is not None or node.name in ("adapter_name", "connection")
        fixed = node.name in _STABLE or node.name.startswith("supports_")
        return inner if fixed and rooted else "other"

    def _worst(self, nodes: tuple[Node, ...], known: Environment) -> Kind:
        return max((self.condition(one, known) for one in nodes), key=_KINDS.index, default="stable")


def alarming(node: Optional[Node], *, commands: bool = False) -> str:
    """What in Ruby that runs unread makes it unreadable: code made of text, other programs; `commands` too if asked."""
    if node is None:
        return ""
    if node.kind == "opaque":
        return node.name
    if node.kind == "const" and node.name.partition("::")[0] in _OUTSIDE:
        return node.name
    asked = node.name in ALARMING or (commands and (node.name in COMMANDS or node.name.startswith("exec")))
    if node.kind == "call" and asked:
        return node.name
    inner = (*node.parts, node.receiver, node.block)
    return next((found for one in inner if (found := alarming(one, commands=commands))), "")


def assigned(node: Node) -> Iterator[str]:
    """The variables that are set anywhere inside."""
    if node.kind == "assign":
        yield node.name
    elif node.kind == "assigns":
        yield from node.params
    for one in (*node.parts, node.receiver, node.block):
        if one is not None:
            yield from assigned(one)


def root(node: Node) -> Node:
    """What a chain of calls begins with."""
    while node.kind == "call" and node.receiver is not None:
        node = node.receiver
    return node


def truth(node: Node) -> Optional[bool]:
    """What a condition comes to where it is a literal."""
    if node.kind == "word" and node.name in ("true", "false", "nil"):
        return node.name == "true"
    return None


def unlined(node: Node) -> Node:
    """The same without its place, to be compared."""
    return node._replace(
        line=0,
        parts=tuple(unlined(part) for part in node.parts),
        receiver=None if node.receiver is None else unlined(node.receiver),
        block=None if node.block is None else unlined(node.block),
    )
