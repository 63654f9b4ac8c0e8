"""The shop that docs/release-and-revert.md is about: what stands when a lead opens it, and what others do meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.builder import POLICY, RepositoryBuilder
from tests.support.servers import NAME, Server
from tests.support.signing import key_of, public_key

BY_OMAR = """
Reviewed-by: Jane Doe <jane@acme.example>
QA-by: Quinn Lee <quinn@acme.example>
UAT-by: Uma Patel <uma@acme.example>
"""
SMOKE = '\n[[smoke]]\nname = "front-page"\nrun = ["sh", "check.sh"]\n'
MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{before}]
    operations = [{does}]
"""
COLUMN = 'migrations.AddField("order", "discount", models.IntegerField(null=True))'
INDEX = 'migrations.AddIndex("order", models.Index(fields=["discount"], name="order_discount"))'
TABLE = 'migrations.CreateModel("Order", [("id", models.BigAutoField(primary_key=True))])'


def migration(does: str, before: str = "") -> str:
    """A migration of Django's."""
    return MIGRATION.format(before=f'("shop", "{before}")' if before else "", does=does)


def production_policy() -> str:
    """Two production branches, signed releases, a smoke test; sign-offs are trailers."""
    text = POLICY.replace('branches = ["main"]', f'branches = ["main", "legacy"]\nrepositories = ["{NAME}"]')
    text = text.replace('into = "main"', 'into = "*"')
    text = text.replace("[people.jane]\n", f"[people.jane]\nkeys = ['{public_key('jane')}']\n")
    return text + "signed = true\n" + SMOKE


class Shop:
    """The server, omar's clone, and the clone of jane, who reads the page."""

    def __init__(self, folder: Path) -> None:
        self.omar = RepositoryBuilder(folder / "omar")
        self.omar.clock = int(time.time()) - 86_400
        self._long_ago()
        self.server = Server(folder / "server.git")
        self.server.takes(self.omar, "main", "legacy", "release/1.4", "refs/tags/*")
        self.server.guarded()
        self.omar.git("remote", "add", "origin", self.server.url)
        self.omar.git("clone", "-q", self.server.url, str(folder / "shop"))
        self.jane = RepositoryBuilder(folder / "shop")
        settings = {"gpg.format": "ssh", "user.signingKey": key_of("jane"), "rollback-guard.repository": NAME}
        for name, value in settings.items():
            self.jane.git("config", name, value)
        self.jane.git("branch", "-q", "legacy", "origin/legacy")

    def _long_ago(self) -> None:
        """Merges within merges, a squash, a request that was rebased, and two releases that were stable then."""
        repo = self.omar
        repo.write_file("rollback-guard.toml", production_policy())
        repo.write(check_dot_sh="grep -q price app.py\n")
        repo.write_file("shop/migrations/__init__.py", "")
        repo.write_file("shop/migrations/0001_initial.py", migration(TABLE))
        repo.commit("Begin the shop", app_dot_py="price = 1\n")
        repo.branch("legacy")
        repo.commit("Keep the old shop open", by="jane", legacy_dot_py="open = True\n")
        self._tag("Old", "stable/2026.10.1.1")
        repo.commit("Close the old shop\n" + BY_OMAR, by="omar", legacy_dot_py="open = False\n")
        repo.checkout("main")
        repo.branch("release/1.3")
        repo.commit("Begin a basket", by="omar", basket_dot_py="items = []\n")
        repo.branch("feature/inner")
        repo.commit("Add to the basket", by="jane", add_dot_py="add = True\n")
        repo.checkout("release/1.3")
        repo.commit("Go on with the basket", by="omar", basket_dot_py="items = [1]\n")
        repo.merge("feature/inner", by="omar")
        repo.checkout("main")
        repo.merge("release/1.3", message="Merge branch 'release/1.3'\n" + BY_OMAR, by="omar")
        self._tag("First", "stable/2026.10.2.1")
        repo.commit("Round prices (#119)\n" + BY_OMAR, by="omar", round_dot_py="round = True\n")  # squashed
        self._lands("release/1.4", "Merge branch 'release/1.4'", app_dot_py="price = 100\n")

    def _tag(self, message: str, name: str) -> None:
        signing = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key_of('jane')}")
        self.omar.git(*signing, "tag", "-s", "-m", message, name, **self.omar.as_person("jane"))

    def _lands(self, branch: str, message: str, **files: str) -> None:
        repo = self.omar
        repo.checkout("main")
        repo.branch(branch)
        repo.commit(f"Work on {branch.rpartition('/')[2]}", by="omar", **files)
        repo.checkout("main")
        repo.merge(branch, message=f"{message}\n{BY_OMAR}", by="omar")

    def _arrives(self, branch: str) -> None:
        """omar pushes through the server's hook."""
        self.omar.git("push", "-q", "origin", branch)
        self.omar.git("push", "-q", "origin", "main")

    def two_releases_fail(self) -> None:
        """A release with two migrations, a squashed request, and one more merge."""
        repo = self.omar
        repo.git("fetch", "-q", "--tags", "origin")
        second, third = "shop/migrations/0002_discount.py", "shop/migrations/0003_discount_index.py"
        repo.write_file(second, migration(COLUMN, "0001_initial"))
        repo.write_file(third, migration(INDEX, "0002_discount"))
        repo.git("stash", "-q", "--include-untracked")
        repo.checkout("main")
        repo.branch("release/1.5")
        repo.git("stash", "pop", "-q")
        repo.commit("Discounts", by="omar", app_dot_py="price = 100\ndiscount = 100\n")
        repo.checkout("main")
        repo.merge("release/1.5", message="Merge branch 'release/1.5'\n" + BY_OMAR, by="omar")
        self._arrives("release/1.5")
        repo.branch("hotfix/sort")
        repo.commit("Sort the basket", by="omar", basket_dot_py="items = sorted([1])\n")
        repo.commit("Sort it twice", by="omar", basket_dot_py="items = sorted(sorted([1]))\n")
        repo.checkout("main")
        repo.git("merge", "-q", "--squash", "hotfix/sort")
        repo.commit("Sort the basket (#127)\n" + BY_OMAR, by="omar")
        self._arrives("hotfix/sort")
        self._lands("hotfix/rounding", "Merge pull request #128 from acme/hotfix/rounding", round_dot_py="round = 2\n")
        self._arrives("hotfix/rounding")

    def more_lands(self) -> None:
        """After the way back: two requests, of which the second changes what the first did."""
        repo = self.omar
        repo.git("fetch", "-q", "origin")
        repo.checkout("main")
        repo.git("merge", "-q", "--ff-only", "origin/main")
        self._lands("release/1.6", "Merge pull request #131 from acme/release/1.6", basket_dot_py="items = [1, 2]\n")
        self._arrives("release/1.6")
        self._lands("hotfix/price", "Merge pull request #132 from acme/hotfix/price", app_dot_py="price = 90\n")
        self._arrives("hotfix/price")
        self._lands("hotfix/again", "Merge pull request #133 from acme/hotfix/again", app_dot_py="price = 95\n")
        self._arrives("hotfix/again")
