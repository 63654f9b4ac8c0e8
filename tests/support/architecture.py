"""Reads the package's imports and shapes from its source, and says what breaks the architecture.

The table LAYERS is the contract that CONTRIBUTING.md tells in words. Each `check_…` returns
sentences, one a violation; nothing of the package is imported. What the results are used for is left to
`tests/test_architecture.py` and `tests.support.coverage_gate`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

PACKAGE = "rollback_guard"
ROOT = Path(__file__).resolve().parents[2]
MAXIMUM_FILE = 300
MAXIMUM_FUNCTION = 60
VAGUE_NAMES = frozenset({"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"})
STDLIB = sys.stdlib_module_names | {"tomllib"}


class Layer(NamedTuple):
    """Modules that stand together, and which others they may import. Patterns are relative to the package."""

    name: str
    modules: tuple[str, ...]
    may: tuple[str, ...] = ()
    pure: bool = False


# A module belongs to the first layer that names it; within a layer everything may import everything.
LAYERS = (
    Layer("package", ("",)),
    Layer("errors", ("errors",), pure=True),
    Layer("policy", ("policy", "policy.*"), ("errors",), pure=True),
    Layer("git.reverts", ("git.reverts",), pure=True),
    Layer("git", ("git", "git.*"), ("errors", "git.reverts")),
    Layer("facts.model", ("facts.model", "facts.*_model"), ("policy.model",), pure=True),
    Layer(
        "facts",
        ("facts", "facts.*"),
        ("", "errors", "policy", "policy.*", "git", "git.*", "facts.model", "facts.*_model")
        + ("release.migrations", "release.migrations.*", "backup.stored"),
    ),
    Layer(
        "evidence",
        ("evidence", "evidence.*"),
        ("errors", "policy", "policy.*", "git", "git.*", "facts.model", "facts.backup_model"),
    ),
    Layer(
        "gate",
        ("gate", "gate.*"),
        ("errors", "policy", "policy.*", "facts.model", "facts.backup_model"),
        pure=True,
    ),
    Layer(
        "report",
        ("report", "report.*"),
        (
            "",
            "errors",
            "policy.model",
            "policy.paths",
            "facts.model",
            "facts.*_model",
            "gate.verdict",
            "gate.rule",
            "gate.registry",
        )
        + ("release.model", "release.plan", "release.sentences", "release.migrations.model", "backup.model"),
        pure=True,
    ),
    Layer(
        "release.migrations.model",
        ("release.migrations.model",),
        pure=True,
    ),
    Layer(
        "release.migrations.collect",
        ("release.migrations.collect", "release.migrations.keepable"),
        ("errors", "git", "git.*", "release.migrations", "release.migrations.*"),
    ),
    Layer(
        "release.migrations",
        ("release.migrations", "release.migrations.*"),
        ("errors", "release.migrations.model"),
        pure=True,
    ),
    Layer(
        "release.plan",
        ("release.plan", "release.only_plan", "release.reland_plan", "release.model", "release.explained")
        + ("release.sentences",),
        ("errors", "policy.model", "git.reverts", "release.migrations.model", "release.migrations.document"),
        pure=True,
    ),
    Layer(
        "release",
        ("release", "release.*"),
        ("errors", "policy", "policy.*", "git", "git.*", "release.plan", "release.only_plan", "release.model")
        + ("release.explained", "release.migrations", "release.migrations.*"),
    ),
    Layer("backup.model", ("backup.model",), ("policy.model",), pure=True),
    Layer("backup.stored", ("backup.stored",), ("errors",)),
    Layer(
        "backup.engines",
        ("backup.engine", "backup.source", "backup.fingerprints", "backup.engines", "backup.engines.*"),
        ("errors", "policy.sources", "backup.model"),
    ),
    Layer(
        "backup",
        ("backup", "backup.*"),
        (
            "errors",
            "policy.model",
            "policy.sources",
            "backup.model",
            "backup.engine",
            "backup.source",
            "backup.stored",
            "backup.engines",
            "backup.engines.*",
            "evidence.canonical",
            "policy.scalars",
        ),
    ),
    Layer("rollback", ("rollback", "rollback.*"), ("errors", "policy.model")),
    Layer("entry", ("entry", "entry.*"), ("*",)),
)
# What runs when a commit, push or receive is judged. Only the standard library is trusted there.
ENFORCEMENT = (
    *("policy.*", "facts.*", "evidence.*", "gate.*", "git.*", "report.*", "release.migrations.*"),
    *("entry.hook", "entry.judge", "entry.question", "entry.exit_codes"),
)
# The one module of `git` that may use GitPython; nothing of the enforcement path may import it.
OUTSIDE_ENFORCEMENT = ("git.survey",)
# Third parties: where each may be imported, and whether only inside functions.
THIRD_PARTIES = {
    "click": (("entry.cli", "entry.cli.*"), False),
    "git": (("git.survey",), True),
    "zstandard": (("backup.*",), True),
    "psycopg": (("backup.engines.postgresql*",), True),
    "pymysql": (("backup.engines.mariadb*",), True),
    "fsspec": (("backup.storage*",), True),
    "pyrage": (("backup.sealing",), True),
}
# Who may start processes: git's own door; what asks other programs for their version; and the entries.
PROCESSES = (
    "git.*",
    "facts.installation",
    "evidence.signer",
    "evidence.verifier",
    "rollback.smoke",
    "backup.*",
    "entry.*",
)
PURE_IMPORTS = frozenset(
    ("__future__", "abc", "ast", "base64", "bisect", "calendar", "collections", "difflib", "enum", "functools")
    + ("hashlib", "heapq", "html", "itertools", "json", "math", "operator", "re", "string", "textwrap", "tomli")
    + ("tomllib", "typing", "unicodedata", "urllib.parse", "warnings", "xml.parsers")
)
# Of these only names that need no clock and no machine.
PURE_NAMES = {
    "posixpath": frozenset({"basename", "dirname", "join", "normpath", "splitext"}),
    "sys": frozenset({"version_info"}),
    "time": frozenset({"gmtime", "strftime"}),
}
CLOCK_ARGUMENTS = {"gmtime": 1, "strftime": 2}  # with fewer they read the clock
IMPURE_CALLS = frozenset({"open", "input", "print", "exec", "eval", "compile", "__import__", "breakpoint"})
CLOCK_ATTRIBUTES = frozenset({"now", "utcnow", "today", "getenv", "environ"})


class Place(NamedTuple):
    """Under what an import stands."""

    lazy: bool = False  # inside a function
    typing: bool = False  # only for the type checker
    versioned: bool = False  # under a check of Python's version, or where an import may fail


class Import(NamedTuple):
    """One imported module; for one of ours, a colon and its name relative to the package."""

    target: str
    names: tuple[str, ...]
    line: int
    place: Place


class Module(NamedTuple):
    """One source file. `name` is relative to the package: "" for its `__init__`."""

    name: str
    path: str
    tree: ast.Module
    lines: int
    imports: tuple[Import, ...]


def read_package(root: Path, package: str = PACKAGE) -> dict[str, Module]:
    """All modules below a package's folder, by name relative to the package; a folder `out` is no source."""
    folder = root / package
    paths = (path for path in sorted(folder.rglob("*.py")) if "out" not in path.relative_to(folder).parts)
    names = {_name_of(path, folder): path for path in paths}
    found = {}
    for name, path in names.items():
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        parents = name.split(".") if path.name == "__init__.py" and name else name.split(".")[:-1]
        imports = tuple(_imports(tree, package, tuple(parents), frozenset(names)))
        shown = path.relative_to(root).as_posix()
        found[name] = Module(name=name, path=shown, tree=tree, lines=text.count("\n"), imports=imports)
    return found


def _name_of(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.Module, package: str, parents: tuple[str, ...], known: frozenset[str]) -> Iterator[Import]:
    for node, place in _statements(tree, Place()):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(target=_ours(alias.name, package), names=(), line=node.lineno, place=place)
            continue
        source = node.module or ""
        if node.level:
            above = parents[: len(parents) - node.level + 1]
            source = ".".join((package, *above, *([source] if source else [])))
        ours = _ours(source, package)
        others = []
        for alias in node.names:
            inner = f"{ours[1:]}.{alias.name}".lstrip(".")
            if ours.startswith(":") and inner in known:
                yield Import(target=f":{inner}", names=(), line=node.lineno, place=place)
            else:
                others.append(alias.name)
        if others:
            yield Import(target=ours, names=tuple(others), line=node.lineno, place=place)


def _ours(name: str, package: str) -> str:
    """Names of our own modules begin with a colon, so that no third party can look like one."""
    if name == package or name.startswith(package + "."):
        return ":" + name[len(package) + 1 :]
    return name


def _statements(node: ast.AST, place: Place) -> Iterator[tuple[ast.Import | ast.ImportFrom, Place]]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield node, place
    elif isinstance(node, ast.If):
        tested = ast.unparse(node.test)
        place = place._replace(versioned=place.versioned or "version_info" in tested)
        typing = place._replace(typing=place.typing or tested.endswith("TYPE_CHECKING"))
        for statement in node.body:
            yield from _statements(statement, typing)
        for statement in node.orelse:
            yield from _statements(statement, place)
    else:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            place = place._replace(lazy=True)
        elif isinstance(node, ast.ExceptHandler) and node.type is not None:
            missing = ast.unparse(node.type) in ("ImportError", "ModuleNotFoundError")
            place = place._replace(versioned=place.versioned or missing)
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr):  # no statement stands within an expression
                yield from _statements(child, place)


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a module's relative name is one of the patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def layer_of(name: str, layers: tuple[Layer, ...] = LAYERS) -> Layer | None:
    """The layer that lists a module."""
    return next((layer for layer in layers if matches(name, layer.modules)), None)


def enforcement_path(modules: dict[str, Module]) -> frozenset[str]:
    """Names of the modules that judging runs: the roots, and everything of ours that they import."""
    waiting = [n for n in modules if matches(n, ENFORCEMENT) and not matches(n, OUTSIDE_ENFORCEMENT)]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in found or name not in modules:
            continue
        found.add(name)
        waiting += [i.target[1:] for i in modules[name].imports if i.target.startswith(":") and not i.place.typing]
    return frozenset(found)
