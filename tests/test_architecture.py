"""The architecture holds: layers, arrows, purity, the enforcement path, sizes and names.

Each check is also shown to catch a violation, on a package made up for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import architecture_checks as checks
from tests.support.architecture import LAYERS, ROOT, Layer, Module, enforcement_path, layer_of, read_package

Check = Callable[[dict[str, Module]], list[str]]
CHECKS: tuple[Check, ...] = (
    checks.check_layers,
    checks.check_cycles,
    checks.check_standard_library,
    checks.check_third_parties,
    checks.check_purity,
    checks.check_processes,
    checks.check_packages_empty,
    checks.check_names,
    checks.check_sizes,
    checks.check_docstrings,
)


@pytest.fixture(scope="module")
def modules() -> dict[str, Module]:
    return read_package(ROOT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_package_holds_to(check: Check, modules: dict[str, Module]) -> None:
    wrong = check(modules)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", ["tests", "benchmarks"])
def test_functions_and_names_hold_outside_the_package_too(folder: str) -> None:
    found = read_package(ROOT, folder)
    assert checks.check_function_sizes(found) + checks.check_names(found) == []


def test_every_layer_lists_something_that_exists(modules: dict[str, Module]) -> None:
    used = {layer.name for name in modules if (layer := layer_of(name)) is not None}
    assert used == {layer.name for layer in LAYERS}


def test_the_enforcement_path_reaches_what_judging_needs(modules: dict[str, Module]) -> None:
    path = enforcement_path(modules)
    assert {"entry.hook", "entry.exit_codes", "policy.model", "facts.model", "gate.verdict", "git.process"} <= path
    assert not any(name.startswith("entry.cli.") for name in path)
    assert "git.survey" not in path


def made(folder: Path, files: dict[str, str]) -> dict[str, Module]:
    """A package made of these files, named without their suffix."""
    for name, text in files.items():
        path = folder / "rollback_guard" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_package(folder)


LAZY = "def f() -> None:\n    "
VIOLATIONS: tuple[tuple[Check, str, str, str], ...] = (
    (
        checks.check_layers,
        "gate/a",
        "from rollback_guard.facts.push import collect\n",
        "gate may not import facts.push",
    ),
    (checks.check_layers, "gate/a", "from rollback_guard.facts import push\n", "gate may not import facts.push"),
    (checks.check_layers, "gate/a", "from ..facts import push\n", "gate may not import facts.push"),
    (checks.check_layers, "gate/a", f"{LAZY}import rollback_guard.facts.push\n", "gate may not import facts.push"),
    (checks.check_layers, "policy/a", "from rollback_guard.git import refs\n", "policy may not import git"),
    (checks.check_layers, "git/a", "import rollback_guard.policy.model\n", "git may not import policy.model"),
    (
        checks.check_layers,
        "facts/a",
        "from rollback_guard.gate.verdict import V\n",
        "facts may not import gate.verdict",
    ),
    (checks.check_layers, "report/a", "import rollback_guard.gate.evaluate\n", "report may not import gate.evaluate"),
    (checks.check_layers, "release/a", "import rollback_guard.entry.hook\n", "release may not import entry.hook"),
    (checks.check_layers, "release/plan", "import rollback_guard.git.refs\n", "release.plan may not import git.refs"),
    (checks.check_layers, "magic/a", "", "no layer lists it"),
    (checks.check_standard_library, "entry/hook", f"{LAZY}import click\n", "the enforcement path imports click"),
    (checks.check_standard_library, "git/a", "import git\n", "the enforcement path imports git"),
    (checks.check_standard_library, "policy/a", "import tomli\n", "the enforcement path imports tomli"),
    (checks.check_standard_library, "gate/a", "__import__('click')\n", "imports by a computed name"),
    (checks.check_standard_library, "facts/a", "import importlib\nimportlib.import_module('x')\n", "computed name"),
    (checks.check_third_parties, "release/a", "import click\n", "click may not be imported here"),
    (checks.check_third_parties, "git/survey", "import git\n", "git may not be imported here"),
    (checks.check_third_parties, "entry/cli/a", "import requests\n", "requests may not be imported here"),
    (checks.check_purity, "policy/a", "import os\n", "imports os"),
    (checks.check_purity, "gate/a", f"{LAZY}from pathlib import Path\n", "imports pathlib"),
    (checks.check_purity, "gate/a", "import sys\nsys.exit(1)\n", "uses sys.exit"),
    (checks.check_purity, "report/a", "from time import time\n", "imports time time"),
    (checks.check_purity, "report/a", "import time\ntime.monotonic()\n", "uses time.monotonic"),
    (checks.check_purity, "report/a", "import time\ntime.gmtime()\n", "calls gmtime"),
    (checks.check_purity, "report/a", "from time import strftime\nstrftime('%Y')\n", "calls strftime"),
    (checks.check_purity, "gate/a", "stamp = clock.now()\n", "uses clock.now"),
    (checks.check_purity, "report/a", "print('x')\n", "calls print"),
    (checks.check_purity, "policy/a", "open('x')\n", "calls open"),
    (checks.check_purity, "release/plan", "import socket\n", "imports socket"),
    (checks.check_purity, "backup/model", "import random\n", "imports random"),
    (checks.check_processes, "facts/a", "import subprocess\n", "processes are started in"),
    (checks.check_packages_empty, "gate/__init__", "from rollback_guard.gate.a import b\n", "only a docstring"),
    (checks.check_names, "git/utils", "", "a name that says nothing"),
    (checks.check_names, "entry/cli_helpers", "", "a name that says nothing"),
    (checks.check_sizes, "git/a", "a = 1\n" * 301, "301 lines"),
    (checks.check_sizes, "git/a", "def f() -> None:\n" + "    a = 1\n" * 60, "f has 61 lines"),
    (checks.check_docstrings, "git/a", "a = 1\n", "a docstring"),
)


@pytest.mark.parametrize(("check", "name", "text", "expected"), VIOLATIONS)
def test_a_violation_is_caught(check: Check, name: str, text: str, expected: str, tmp_path: Path) -> None:
    around = {"__init__": "", "facts/push": "", "git/refs": "", "gate/evaluate": "", "gate/verdict": ""}
    found = check(made(tmp_path, {**around, name: text}))
    assert [sentence for sentence in found if expected in sentence], found


def test_a_circle_is_caught_even_when_lazy(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        {
            "git/a": "import rollback_guard.git.b\n",
            "git/b": "def f() -> None:\n    from rollback_guard.git import c\n",
            "git/c": "from rollback_guard.git.a import x\n",
        },
    )
    assert checks.check_cycles(found) == ["git.a → git.b → git.c → git.a"]


def test_what_is_allowed_is_not_reported(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        {
            "policy/read": "import sys\nif sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    import tomli\n",
            "policy/other": "try:\n    import tomllib\nexcept ModuleNotFoundError:\n    import tomli\n",
            "gate/a": "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from collections.abc import Iterable\n",
            "report/a": "from time import gmtime, strftime\nday = strftime('%Y', gmtime(0))\n",
            "git/survey": "def f() -> None:\n    import git\n",
            "entry/cli/a": "import click\nfrom rollback_guard.git.survey import f\n",
        },
    )
    for check in CHECKS[:6]:
        assert check(found) == []


def test_a_layer_table_with_a_hole_is_noticed(tmp_path: Path) -> None:
    found = made(tmp_path, {"git/a": "", "errors": ""})
    assert checks.check_layers(found, (Layer("git", ("git.*",)),)) == ["rollback_guard/errors.py: no layer lists it"]
