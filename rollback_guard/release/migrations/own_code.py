"""What of a project's own code a Python migration needs to be loaded at all. Pure.

A migration that stays while the code goes back must find what it imports, and what it depends on, in the older code.
"""

from __future__ import annotations

import ast
import posixpath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PACKAGE = "__init__.py"


def missing_for(path: str, source: str, now: Collection[str], then: Collection[str]) -> str:
    """What a kept file would not find among the paths of `then`, of what is there among those of `now`; or "".

    Both are all paths of a tree; `then` with everything that is kept. What is in neither is a library's.
    """
    if not path.endswith(".py"):
        return ""
    folder = posixpath.dirname(path)
    own = posixpath.join(folder, PACKAGE)
    if own in now and own not in then:
        return f"{folder}, which is no package there"
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "what it imports, which cannot be read"
    for names in _candidates(tree, path):
        here = [name for name in names if name in now]
        if here and not any(name in then for name in here):
            return here[0]
    return ""


def imported_from(path: str, source: str, now: Collection[str]) -> tuple[tuple[str, str], ...]:
    """The project's own files from which a migration imports names: (file, name)."""
    try:
        tree = ast.parse(source) if path.endswith(".py") else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for file in _files(_module(node, path), path, package_too=True):
                if file in now:
                    found += [(file, alias.name) for alias in node.names]
    return tuple(found)


def _candidates(tree: ast.AST, path: str) -> Iterator[list[str]]:
    """For each thing that is needed, the paths of which one must be there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _files(alias.name, path)
        elif isinstance(node, ast.ImportFrom):
            module = _module(node, path)
            yield _files(module, path)
            for alias in node.names:
                yield _files(f"{module}.{alias.name}" if module else alias.name, path)
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:  # a dependency of Django: (app, name)
            pair = [one.value for one in node.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if len(pair) == 2:
                yield _files(f"{pair[0]}.migrations.{pair[1]}", path)


def _module(node: ast.ImportFrom, path: str) -> str:
    if not node.level:
        return node.module or ""
    folder = path.split("/")[:-1]
    above = folder[: len(folder) - node.level + 1]
    return "/" + ".".join([*above, *([node.module] if node.module else [])])


def _files(module: str, path: str, *, package_too: bool = True) -> list[str]:
    """Where a module's file may lie: below any folder above the migration, or for a relative one in its place."""
    if not module or module == "/":
        return []
    relative = module.startswith("/")
    place = module.strip("/").replace(".", "/")
    folders = [""] if relative else _above(path)
    return [
        posixpath.join(folder, name)
        for folder in folders
        for name in (f"{place}.py", *((f"{place}/{PACKAGE}",) if package_too else ()))
    ]


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts) + 1)]
