"""A migration without a way back on its way to production: beside others, in a merge, renamed, as a revert."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.collect import FILE_LIMIT
from tests.attacks.conftest import Scene
from tests.support.builder import POLICY

MORE = "ALTER TABLE orders ADD COLUMN note text;\n"
LESS = "ALTER TABLE orders DROP COLUMN note;\n"
EXPANDS = "db/migrations/001_more.sql"
BACKUP = """
[[backup]]
name = "shop-db"
engine = "sqlite"
source = "shop.db"
by = ["jane"]
max-age = "1h"
"""


@pytest.fixture
def shop(scene: Scene) -> Scene:
    """Production has one migration, which only expands, and has merged release/1.4; release/1.5 is checked out."""
    scene.repo.checkout("main")
    scene.repo.write_file(EXPANDS, MORE)
    scene.repo.commit("More", by="uma")
    scene.repo.merge("release/1.4", by="jane")
    scene.admin("main")
    scene.repo.branch("release/1.5")
    return scene


def merged(scene: Scene, *branches: str) -> None:
    """Push the branches, and merge them into main, which is checked out then."""
    scene.taken(*branches)
    scene.repo.checkout("main")
    for branch in branches:
        scene.repo.merge(branch, by="jane")


def bring(scene: Scene, message: str = "Release 1.5", **files: str) -> None:
    """A signed commit with these files below db/migrations (`__` is a slash), and the merge of its branch into main."""
    for name, text in files.items():
        scene.repo.write_file(f"db/migrations/{name.replace('__', '/')}.sql", text)
    scene.signed(message)
    merged(scene, scene.repo.git("branch", "--show-current"))


def test_plainly(shop: Scene) -> None:
    bring(shop, **{"002_less": LESS})
    done = shop.refused("main", rules=("RG402",))
    assert "db/migrations/002_less.sql" in done.err


def test_what_can_be_undone_is_taken(shop: Scene) -> None:
    bring(shop, **{"002_more": MORE, "003_less": LESS, "003_less.down": MORE})
    shop.taken("main")


def test_with_a_reason_in_the_file_that_only_the_hook_reads(shop: Scene) -> None:
    bring(shop, **{"002_less": f"-- guard: irreversible because nobody reads it\n{LESS}"})
    shop.refused("main", rules=("RG402",))


def test_in_one_of_several_merges_of_a_push_and_taken_out_by_the_last(shop: Scene) -> None:
    repo = shop.repo
    shop.signed("Release 1.5", version_dot_txt="1.5\n")
    merged(shop, "release/1.5")
    for number, text in ((6, LESS), (7, None)):
        repo.branch(f"release/1.{number}")
        if text is None:
            repo.git("rm", "-q", "db/migrations/002_less.sql")
        else:
            repo.write_file("db/migrations/002_less.sql", text)
        shop.signed(f"Release 1.{number}", version_dot_txt=f"1.{number}\n")
        merged(shop, f"release/1.{number}")
    shop.refused("main", rules=("RG402",))


def test_in_the_merge_commit_itself(shop: Scene) -> None:
    repo = shop.repo
    shop.signed("Release 1.5", version_dot_txt="1.5\n")
    merged(shop, "release/1.5")
    repo.write_file("db/migrations/002_less.sql", LESS)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "--no-edit", **repo.as_person("jane"))
    shop.refused("main", rules=("RG105", "RG402"))


@pytest.mark.parametrize("folder", ["schema", ".github/actions", "db"])
def test_with_its_folder_renamed(shop: Scene, folder: str) -> None:
    """That alone is nothing to a database; what comes with it is."""
    repo = shop.repo
    if folder != "db":
        (repo.path / folder).mkdir(parents=True)
        repo.git("mv", "db/migrations", f"{folder}/migrations")
        repo.commit("Move")
    repo.write_file(f"{folder}/migrations/002_less.sql", LESS)
    shop.signed("Release 1.5")
    merged(shop, "release/1.5")
    done = shop.refused("main", rules=("RG402",))
    assert f"{folder}/migrations/002_less.sql" in done.err


def test_as_an_edit_of_one_that_landed(shop: Scene) -> None:
    bring(shop, **{"001_more": MORE + LESS})
    done = shop.refused("main", rules=("RG402",))
    assert f"git show main:{EXPANDS} > {EXPANDS}" in done.err
    shop.repo.git("reset", "-q", "--hard", "release/1.5")
    shop.repo.checkout("release/1.5")
    shop.repo.write_file(EXPANDS, shop.repo.git("show", f"main~1:{EXPANDS}") + "\n")
    shop.signed("As it was", version_dot_txt="1.5\n")
    shop.taken("release/1.5")


@pytest.mark.parametrize("path", ["db/V1__more.sql", "db/V1__others.sql", "db/V01__more.sql"])
def test_deleted_and_added_again_under_the_same_id(scene: Scene, path: str) -> None:
    repo = scene.repo
    repo.write_file("db/V1__more.sql", MORE)
    repo.commit("More", by="uma")
    scene.admin("main")
    repo.branch("release/1.5")
    repo.git("rm", "-q", "db/V1__more.sql")
    repo.commit("This reverts commit " + repo.head("main") + ".")
    repo.write_file(path, LESS)
    scene.signed("Release 1.5")
    merged(scene, "release/1.5")
    scene.refused("main", rules=("RG402",))


@pytest.mark.parametrize("data", [b"\0\xff\xfe" * 1000, LESS.encode() + b" " * FILE_LIMIT, b"\xff\xfe" + b"D\0" * 99])
def test_as_something_that_cannot_be_read(shop: Scene, data: bytes) -> None:
    (shop.repo.path / "db" / "migrations" / "002_x.sql").write_bytes(data)
    shop.signed("Release 1.5")
    merged(shop, "release/1.5")
    done = shop.refused("main", rules=("RG402",))
    assert "db/migrations/002_x.sql" in done.err


@pytest.mark.parametrize("name", ["002_a\nb.sql", "002_\x1b[31m.sql", "002_é\udcff.sql", "002_::error::x.sql"])
def test_under_an_odd_name(shop: Scene, name: str) -> None:
    repo = shop.repo
    blob = repo.git("hash-object", "-w", "--stdin", stdin=LESS.encode())
    entry = b"100644 %s\tdb/migrations/%s\0" % (blob.encode(), name.encode("utf-8", "surrogateescape"))
    repo.git("update-index", "-z", "--index-info", stdin=entry)
    tree = repo.git("write-tree")
    text = repo.git("log", "-1", "--format=%B", "release/1.4")
    head = shop.commit_tree(tree, text, repo.head("release/1.5"))
    shop.taken(f"{head}:refs/heads/release/1.5")
    merge = shop.commit_tree(tree, "Merge branch 'release/1.5'", repo.head("main"), head)
    shop.refused(f"{merge}:refs/heads/main", rules=("RG402",))


def test_with_a_policy_that_asks_for_backups_from_now_on(shop: Scene) -> None:
    shop.repo.write_file("rollback-guard.toml", POLICY + BACKUP)
    bring(shop, **{"002_less": LESS})
    shop.refused("main", rules=("RG002", "RG402"))


def test_with_a_policy_whose_backups_nobody_took(shop: Scene) -> None:
    shop.policy(POLICY + BACKUP)
    shop.repo.checkout("release/1.5")
    shop.repo.git("merge", "-q", "main", **shop.repo.as_person("jane"))
    bring(shop, **{"002_less": LESS})
    shop.refused("main", rules=("RG301", "RG402"))


def revert(scene: Scene, message: str) -> None:
    """release/1.6 deletes what landed first, with this message; merged into main."""
    scene.repo.branch("release/1.6", "main")
    scene.repo.git("rm", "-q", EXPANDS)
    scene.repo.commit(message.format(landing=scene.repo.head("main~1"), later=scene.repo.head("main^2")))
    scene.signed("Release 1.6", version_dot_txt="1.6\n")
    merged(scene, "release/1.6")


def test_as_a_deletion_that_is_called_a_revert_of_something_else(shop: Scene) -> None:
    revert(shop, 'Revert "More"\n\nThis reverts commit {later}.\nReverts #1')
    done = shop.refused("main", rules=("RG402",))
    assert f"git restore --source=main -- {EXPANDS}" in done.err


def test_a_revert_of_what_brought_it_is_taken(shop: Scene) -> None:
    revert(shop, 'Revert "More"\n\nThis reverts commit {landing}.')
    shop.taken("main")


def test_brought_again_after_its_revert(shop: Scene) -> None:
    """Somebody answered for it once. That it was taken back does not mean that it may come again."""
    repo = shop.repo
    bring(shop, **{"002_less": LESS})
    shop.admin("main")
    repo.branch("release/1.6")
    repo.git("revert", "--no-edit", "-m", "1", "main", **repo.as_person("jane"))
    shop.signed("Release 1.6")
    merged(shop, "release/1.6")
    shop.taken("main")
    repo.branch("release/1.7")
    repo.git("revert", "--no-edit", "release/1.6~1", **repo.as_person("jane"))
    shop.signed("Release 1.7")
    merged(shop, "release/1.7")
    shop.refused("main", rules=("RG402",))
