"""Migration files that stay must be able to load beside the release's code."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.release.migrations import keepable
from rollback_guard.release.migrations.collect import collect_migrations
from rollback_guard.release.migrations.keepable import kept_paths
from rollback_guard.release.migrations.own_code import imported_from, missing_for
from tests.release.stories import opened
from tests.support.builder import RepositoryBuilder, told_once

MIGRATION = """from django.db import migrations, models
{imports}

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial"){more}]
    operations = [migrations.CreateModel("Order", fields=[("id", models.BigAutoField(primary_key=True))])]
"""
FIRST = "shop/migrations/0001_initial.py"
SECOND = "shop/migrations/0002_order.py"


@told_once
def shop(path: Path) -> RepositoryBuilder:
    repo = RepositoryBuilder(path)
    for name in ("shop/__init__.py", "shop/migrations/__init__.py", "billing/__init__.py"):
        repo.write_file(name, "")
    repo.write_file("shop/types.py", "class Price: ...\n")
    repo.write_file(FIRST, MIGRATION.format(imports="", more="").replace('("shop", "0001_initial")', ""))
    repo.commit("Begin")
    return repo


def kept(repo: RepositoryBuilder, text: str, path: str = SECOND, **more: str) -> tuple[tuple[str, ...], str]:
    """What stays of a migration that lands now, with other files."""
    before = repo.head()
    repo.write_file(path, text)
    for name, other in more.items():
        repo.write_file(name.replace("__", "/") + ".py", other)
    repo.commit("Order")
    report = collect_migrations(opened(repo), before, "HEAD")
    assert report.decision == "code-only", report
    return kept_paths(opened(repo), report, before, repo.head())


def test_what_needs_nothing_new_stays(path_of_repo: Path) -> None:
    imports = (
        "import shop.types\nfrom shop.types import Price\nfrom .. import types\nfrom ..types import Price\nimport os"
    )
    assert kept(shop(path_of_repo), MIGRATION.format(imports=imports, more="")) == ((SECOND,), "")


@pytest.mark.parametrize(
    ("imports", "more", "lacking"),
    [
        ("import shop.validators", "", "shop/validators.py"),
        ("from shop.validators import positive", "", "shop/validators.py"),
        ("from shop import validators", "", "shop/validators.py"),
        ("from ..validators import positive", "", "shop/validators.py"),
        ("from .. import validators", "", "shop/validators.py"),
        ("from shop.types import Money", "", "Money in shop/types.py"),
        ("", ', ("billing", "0001_initial")', "billing/migrations/0001_initial.py"),
    ],
)
def test_what_needs_what_comes_with_it_goes(path_of_repo: Path, imports: str, more: str, lacking: str) -> None:
    repo = shop(path_of_repo)
    others = {"shop__validators": "def positive(x): ...\n", "shop__types": "class Price: ...\nclass Money: ...\n"}
    if "billing" in more:
        repo.write_file("billing/migrations/0001_initial.py", "raise SystemExit\n")  # no migration that is read
    paths, why = kept(repo, MIGRATION.format(imports=imports, more=more), **others)
    assert (paths, f"would not find {lacking}, which the release has not" in why) == ((), True), why


def test_a_folder_that_is_no_package_at_the_release(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    text = MIGRATION.format(imports="", more="").replace('("shop", "0001_initial")', "")
    repo.write_file("ads/migrations/__init__.py", "")
    paths, why = kept(repo, text, "ads/migrations/0001_initial.py")
    assert paths == ()
    assert "ads/migrations, which is no package there" in why


def test_what_cannot_be_read_is_not_kept() -> None:
    assert missing_for("a/migrations/1.py", "def (", [], []) == "what it imports, which cannot be read"
    assert missing_for("a/1.sql", "SELECT", [], []) == ""
    assert imported_from("a/1.py", "def (", []) == ()
    assert imported_from("a/1.sql", "from x import y", ["x.py"]) == ()
    assert (
        missing_for("a/1.py", "from . import *\nfrom ... import x\nx = (1, 'a'), ('a', 1)", ["a/1.py"], ["a/1.py"])
        == ""
    )


def test_a_file_that_is_too_large_has_nothing_in_it(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = shop(path_of_repo)
    monkeypatch.setattr(keepable, "LIMIT", 10)
    paths, _ = kept(repo, MIGRATION.format(imports="from shop.types import Money", more=""))
    assert paths == (SECOND,)  # nothing of it is read: it imports nothing


def test_a_file_that_is_not_here_has_nothing_in_it(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    old = repo.git("rev-parse", "HEAD:shop/types.py")
    before = repo.head()
    kept(repo, MIGRATION.format(imports="from shop.types import Price", more=""), shop__types="class Price: ...\n#\n")
    report = collect_migrations(opened(repo), before, "HEAD")
    (repo.path / ".git" / "objects" / old[:2] / old[2:]).unlink()
    paths, why = kept_paths(opened(repo), report, before, repo.head())
    assert (paths, "Price in shop/types.py" in why) == ((), True)
