"""What people get when they install the package: all files, working programs, and hooks that need nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from rollback_guard import __version__
from tests.support.architecture import ROOT, enforcement_path, read_package
from tests.support.builder import shop
from tests.support.installed import Built, Environment, build, install, run

HOOKS = ("commit-msg", "pre-commit", "pre-merge-commit", "pre-push", "pre-receive", "prepare-commit-msg")
pytestmark = pytest.mark.xdist_group("installed")  # one worker builds, once
needs_toml_reader = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 has no TOML reader of its own: tomli must be installed"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(tmp_path_factory.mktemp("wheel") / "venv", str(built.wheel))


@pytest.fixture(scope="module")
def editable(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(tmp_path_factory.mktemp("editable") / "venv", "--editable", str(ROOT))


def test_the_wheel_holds_the_hooks_the_rule_pages_and_the_licence(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
        for hook in HOOKS:
            inside = f"rollback_guard/hooks/{hook}"
            assert wheel.read(inside) == (ROOT / "hooks" / hook).read_bytes()
            assert wheel.getinfo(inside).external_attr >> 16 & 0o111 == 0o111, f"{hook} is not executable"
        licence = f"rollback_guard-{__version__}.dist-info/licenses/LICENSE"
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
        metadata = wheel.read(f"rollback_guard-{__version__}.dist-info/METADATA").decode()
    pages = {f"rollback_guard/docs/rules/{page.name}" for page in (ROOT / "docs" / "rules").glob("*.md")}
    assert pages
    assert pages <= names
    assert {f"rollback_guard/{module}" for module in _sources()} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/")) or "__pycache__" in name]
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.10" in metadata


def _sources() -> set[str]:
    folder = ROOT / "rollback_guard"
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}


def test_the_sdist_holds_what_the_tests_need(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = {"LICENSE", "README.md", "Makefile", "pyproject.toml", ".pre-commit-hooks.yaml", "tests/conftest.py"}
    assert wanted | {f"hooks/{hook}" for hook in HOOKS} <= names
    assert not [name for name in names if name.startswith((".venv/", ".git/", "benchmarks/out/"))]


def test_the_licence_is_the_whole_text_of_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.lstrip().startswith("Apache License\n                           Version 2.0, January 2004")
    assert "END OF TERMS AND CONDITIONS" in text


def test_programs_of_the_wheel_start(installed: Environment, tmp_path: Path) -> None:
    assert run(installed.program("guard"), "--version", cwd=tmp_path) == f"guard, version {__version__}\n"
    assert "Commands:" in run(installed.program("guard"), "--help", cwd=tmp_path)
    place = run(
        installed.program("python"), "-c", "import rollback_guard; print(rollback_guard.__file__)", cwd=tmp_path
    )
    assert Path(place.strip()).is_relative_to(installed.root)


def test_guard_hook_of_the_wheel_knows_its_stages(installed: Environment, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed.program("guard-hook"), "no-such-stage"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage: guard-hook STAGE")
    assert "Traceback" not in done.stderr


def test_an_editable_install_runs_the_checkout(editable: Environment, tmp_path: Path) -> None:
    place = run(editable.program("python"), "-c", "import rollback_guard; print(rollback_guard.__file__)", cwd=tmp_path)
    assert Path(place.strip()).parent == ROOT / "rollback_guard"
    assert run(editable.program("guard"), "--version", cwd=tmp_path) == f"guard, version {__version__}\n"


@needs_toml_reader
def test_hooks_of_the_wheel_judge(installed: Environment, tmp_path: Path) -> None:
    judges(installed.packages / "rollback_guard" / "hooks", tmp_path)


@needs_toml_reader
def test_hooks_of_a_bare_checkout_judge_with_nothing_installed(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for module in _sources():
        target = checkout / "rollback_guard" / module
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / "rollback_guard" / module).read_bytes())
    (checkout / "hooks").mkdir()
    for hook in HOOKS:
        target = checkout / "hooks" / hook
        target.write_bytes((ROOT / "hooks" / hook).read_bytes())
        target.chmod(0o755)
    judges(checkout / "hooks", tmp_path)


def judges(hooks: Path, folder: Path) -> None:
    """A commit on a route's branch passes these hooks; one on production is refused by RG101."""
    interpreters = folder / "interpreters"
    interpreters.mkdir()
    (interpreters / "python3").symlink_to(os.path.realpath(sys.executable))
    env = {**os.environ, "PATH": f"{interpreters}{os.pathsep}{os.environ['PATH']}"}
    repo = shop(folder / "shop")
    repo.git("config", "core.hooksPath", str(hooks))
    (repo.path / "app.py").write_text("price = 3\n")
    commit = ["git", "commit", "-q", "-a", "-m", "Raise the price again"]
    done = subprocess.run(commit, cwd=repo.path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    repo.git("checkout", "-q", "main")
    before = repo.head()
    (repo.path / "app.py").write_text("price = 4\n")
    done = subprocess.run(commit, cwd=repo.path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "RG101" in done.stderr
    assert repo.head() == before


@needs_toml_reader
def test_the_enforcement_path_imports_without_any_installed_package() -> None:
    names = sorted(f"rollback_guard.{name}".rstrip(".") for name in enforcement_path(read_package(ROOT)))
    code = (
        "import importlib, sys\n"
        f"sys.path.append({str(ROOT)!r})\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print([n for n, m in sys.modules.items() if 'site-packages' in (getattr(m, '__file__', '') or '')])\n"
    )
    assert run(sys.executable, "-I", "-S", "-c", code) == "[]\n"
