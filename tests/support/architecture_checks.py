"""The checks of the architecture: each takes the modules that were read and returns what is wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support.architecture import (
    CLOCK_ARGUMENTS,
    CLOCK_ATTRIBUTES,
    IMPURE_CALLS,
    LAYERS,
    MAXIMUM_FILE,
    MAXIMUM_FUNCTION,
    PROCESSES,
    PURE_IMPORTS,
    PURE_NAMES,
    STDLIB,
    THIRD_PARTIES,
    VAGUE_NAMES,
    Layer,
    Module,
    enforcement_path,
    layer_of,
    matches,
)

Modules = dict[str, Module]


def check_layers(modules: Modules, layers: tuple[Layer, ...] = LAYERS) -> list[str]:
    """Every module is listed by a layer, and imports only what its layer may."""
    wrong = []
    for module in modules.values():
        layer = layer_of(module.name, layers)
        if layer is None:
            wrong.append(f"{module.path}: no layer lists it")
            continue
        for one in module.imports:
            target = one.target[1:]
            if not one.target.startswith(":") or layer_of(target, layers) is layer:
                continue
            if not matches(target, layer.may):
                wrong.append(f"{module.path}:{one.line}: {layer.name} may not import {target or 'the package'}")
    return wrong


def check_cycles(modules: Modules) -> list[str]:
    """No circle of imports, lazy ones included."""
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> list[str]:
        if name in trail:
            return [" → ".join((*trail[trail.index(name) :], name))]
        if name in done or name not in modules:
            return []
        targets = sorted(
            {i.target[1:] for i in modules[name].imports if i.target.startswith(":") and not i.place.typing}
        )
        found = [circle for target in targets for circle in walk(target, (*trail, name))]
        done.add(name)
        return found

    return [circle for name in sorted(modules) for circle in walk(name, ())]


def check_standard_library(modules: Modules) -> list[str]:
    """The enforcement path imports the standard library only, lazily too; tomli where Python has no tomllib."""
    wrong = []
    for name in sorted(enforcement_path(modules)):
        module = modules[name]
        for one in module.imports:
            top = one.target.partition(".")[0]
            if one.target.startswith(":") or top in STDLIB or (top == "tomli" and one.place.versioned):
                continue
            wrong.append(f"{module.path}:{one.line}: the enforcement path imports {top}")
        wrong += [
            f"{module.path}:{node.lineno}: the enforcement path imports by a computed name"
            for node in _calls(module.tree)
            if _last_name(node) in ("__import__", "import_module")
            and ast.unparse(node.func) in ("__import__", "importlib.import_module", "import_module")
        ]
    return wrong


def check_third_parties(modules: Modules) -> list[str]:
    """Outside the enforcement path, each third party stays where it is used, and lazy where that is asked."""
    wrong = []
    for module in modules.values():
        for one in module.imports:
            top = one.target.partition(".")[0]
            if one.target.startswith(":") or top in STDLIB or (top == "tomli" and one.place.versioned):
                continue
            where, lazily = THIRD_PARTIES.get(top, ((), False))
            if not matches(module.name, where) or (lazily and not (one.place.lazy or one.place.typing)):
                wrong.append(f"{module.path}:{one.line}: {top} may not be imported here")
    return wrong


def check_purity(modules: Modules) -> list[str]:
    """Pure layers and every model.py and plan.py use no clock, file, process, environment or network."""
    return [sentence for module in modules.values() if _is_pure(module) for sentence in _impurities(module)]


def _is_pure(module: Module) -> bool:
    layer = layer_of(module.name)
    return (layer is not None and layer.pure) or module.name.rpartition(".")[2].endswith(("model", "plan"))


def _impurities(module: Module) -> Iterator[str]:
    for one in module.imports:
        if one.place.typing or one.target.startswith(":"):
            continue
        top = one.target.partition(".")[0]
        names = PURE_NAMES.get(top)
        if not {top, one.target} & PURE_IMPORTS and (names is None or not set(one.names) <= names):
            yield f"{module.path}:{one.line}: a pure module imports {one.target} {' '.join(one.names)}".rstrip()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            allowed = PURE_NAMES.get(node.value.id) if isinstance(node.value, ast.Name) else None
            if node.attr in CLOCK_ATTRIBUTES or (allowed is not None and node.attr not in allowed):
                yield f"{module.path}:{node.lineno}: a pure module uses {ast.unparse(node)}"
    for call in _calls(module.tree):
        name = _last_name(call)
        bare = isinstance(call.func, ast.Name)
        if (bare and name in IMPURE_CALLS) or len(call.args) < CLOCK_ARGUMENTS.get(name, 0):
            yield f"{module.path}:{call.lineno}: a pure module calls {name}"


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _last_name(call: ast.Call) -> str:
    """`c` of `a.b.c()`, `a` of `a()`; "" where what is called has no name."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def check_processes(modules: Modules) -> list[str]:
    """Processes are started behind the door that is there for them."""
    return [
        f"{module.path}:{one.line}: processes are started in {', '.join(PROCESSES)} only"
        for module in modules.values()
        for one in module.imports
        if one.target.partition(".")[0] in ("subprocess", "pty", "multiprocessing")
        and not one.place.typing
        and not matches(module.name, PROCESSES)
    ]


def check_packages_empty(modules: Modules) -> list[str]:
    """A folder's `__init__` runs nothing, so that importing one module imports no other."""
    return [
        f"{module.path}: only a docstring may stand here"
        for module in modules.values()
        if module.name
        and module.path.endswith("/__init__.py")
        and any(not isinstance(node, ast.Expr) for node in module.tree.body)
    ]


def check_names(modules: Modules) -> list[str]:
    """No module bears a name that says nothing."""
    return [
        f"{module.path}: a name that says nothing"
        for module in modules.values()
        if VAGUE_NAMES & set(module.name.replace("_", ".").split("."))
    ]


def check_sizes(modules: Modules) -> list[str]:
    """Files stay short enough to be read in one go, and so do functions."""
    wrong = [f"{m.path}: {m.lines} lines; at most {MAXIMUM_FILE}" for m in modules.values() if m.lines > MAXIMUM_FILE]
    return wrong + check_function_sizes(modules)


def check_function_sizes(modules: Modules) -> list[str]:
    """Functions stay short enough to be read at once."""
    wrong = []
    for module in modules.values():
        for node in _statements(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAXIMUM_FUNCTION:
                    wrong.append(f"{module.path}:{node.lineno}: {node.name} has {length} lines; at most 60")
    return wrong


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below a node but expressions, in which no function is defined."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield child
            yield from _statements(child)


def check_docstrings(modules: Modules) -> list[str]:
    """Every module that holds code says what it is responsible for."""
    return [
        f"{module.path}: a docstring says what it is responsible for"
        for module in modules.values()
        if module.tree.body and ast.get_docstring(module.tree) is None
    ]
