"""Two trees side by side: what was added, edited, deleted, renamed, squashed, and what that asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.release.migrations.compare import DELETED, EDITED, NOT_READ, compare, read_all
from rollback_guard.release.migrations.model import Report
from tests.release.migrations.values import ToyReader, parsed

EXPAND = "up expand creates table a\n"
CHANGE = "up change renames column a.b to a.c\ndown change renames column a.c to a.b\n"
DROP = "up destroy drops table a\n"
READERS = (ToyReader("django", ".py"), ToyReader("rails", ".rb"), ToyReader("flyway"))


def report(before: dict[str, str], after: dict[str, str]) -> Report:
    return compare(
        {path: text.encode() for path, text in before.items()},
        {path: text.encode() for path, text in after.items()},
        READERS,
    )


def told(found: Report) -> list[tuple[str, str, str]]:
    return [(one.id, one.state, one.verdict) for one in found.migrations]


def test_nothing_differs() -> None:
    found = report({"db/1.rb": DROP}, {"db/1.rb": DROP})
    assert found == Report()
    assert (found.verdict, found.decision) == (None, "none")


@pytest.mark.parametrize(
    ("text", "verdict", "decision", "down"),
    [
        (EXPAND, "expand-only", "code-only", False),
        (CHANGE, "reversible", "down-migration", True),
        (DROP + "down expand creates table a", "lossy-down", "restore", True),
        (DROP, "irreversible", "restore", False),
    ],
)
def test_added(text: str, verdict: str, decision: str, down: bool) -> None:
    found = report({}, {"db/1.rb": text})
    assert told(found) == [("1", "added", verdict)]
    assert found.decision == decision
    assert found.migrations[0].down is down
    assert found.migrations[0].expands is (verdict == "expand-only")


def test_the_worst_decides() -> None:
    found = report({}, {"db/1.rb": EXPAND, "db/2.rb": DROP, "db/3.rb": CHANGE})
    assert found.verdict == "irreversible"
    assert [one.id for one in found.migrations] == ["1", "2", "3"]


def test_edited() -> None:
    found = report({"db/1.rb": EXPAND}, {"db/1.rb": EXPAND + CHANGE})
    assert told(found) == [("1", "edited", "irreversible")]
    assert found.migrations[0].reasons == (EDITED,)
    assert (found.migrations[0].down, found.migrations[0].old_path) == (True, "")


def test_the_same_steps_in_other_words_are_an_edit_but_a_comment_is_none() -> None:
    assert told(report({"db/1.sql": EXPAND}, {"db/1.sql": EXPAND + "values 1"})) == [("1", "edited", "irreversible")]
    assert report({"db/1.sql": EXPAND}, {"db/1.sql": EXPAND + "-- why\r\n"}) == Report()


def test_edited_and_moved() -> None:
    found = report({"db/1_a.rb": EXPAND}, {"db/1_b.rb": CHANGE})
    assert told(found) == [("1", "edited", "irreversible")]
    assert found.migrations[0].old_path == "db/1_a.rb"


def test_deleted() -> None:
    found = report({"db/1.rb": CHANGE, "db/2.rb": EXPAND}, {"db/2.rb": EXPAND})
    assert told(found) == [("1", "deleted", "irreversible")]
    assert found.migrations[0].reasons == (DELETED,)
    assert found.migrations[0].down is False


@pytest.mark.parametrize("path", ["db/1_other.rb", "backend/db/1_a.rb"])
def test_renamed_or_moved(path: str) -> None:
    found = report({"db/1_a.rb": DROP}, {path: DROP})
    assert told(found) == [("1", "renamed", "expand-only")]
    assert (found.migrations[0].path, found.migrations[0].old_path) == (path, "db/1_a.rb")


def test_moved_and_edited_is_another() -> None:
    found = report({"db/1.rb": DROP}, {"backend/db/1.rb": DROP + "#"})
    assert sorted(told(found)) == [("1", "added", "irreversible"), ("1", "deleted", "irreversible")]


def test_another_application_of_django_has_other_migrations() -> None:
    found = report({"shop/1.py": EXPAND}, {"store/1.py": EXPAND})
    assert sorted(told(found)) == [("1", "added", "expand-only"), ("1", "deleted", "irreversible")]
    assert told(report({"shop/1.py": DROP}, {"apps/shop/1.py": DROP})) == [("1", "renamed", "expand-only")]


def test_another_changelog_of_liquibase_has_other_migrations() -> None:
    readers = (ToyReader("liquibase", ".xml"),)
    found = compare({"a/1.xml": b"x"}, {"b/1.xml": b"x"}, readers)
    assert sorted(told(found)) == [("1", "added", "expand-only"), ("1", "deleted", "irreversible")]


def test_a_number_used_twice_hides_nothing() -> None:
    found = report({"db/1_a.rb": EXPAND}, {"db/1_a.rb": EXPAND, "db/1_b.rb": DROP})
    assert [(one.path, one.verdict) for one in found.migrations] == [("db/1_b.rb", "irreversible")]
    assert found.problems == ("rails in db uses 1 for 2 migrations: db/1_a.rb, db/1_b.rb",)
    found = report({"db/1_a.rb": EXPAND, "db/1_b.rb": DROP}, {"db/1_c.rb": DROP, "db/1_d.rb": CHANGE})
    assert sorted((one.path, one.old_path, one.state) for one in found.migrations) == [
        ("db/1_c.rb", "db/1_b.rb", "renamed"),
        ("db/1_d.rb", "db/1_a.rb", "edited"),
    ]
    found = report({"db/1_a.rb": EXPAND, "db/1_b.rb": EXPAND}, {"db/1_a.rb": EXPAND})
    assert [(one.path, one.state) for one in found.migrations] == [("db/1_b.rb", "deleted")]


def test_repeatable() -> None:
    found = report({"db/R.sql": "again\n" + CHANGE}, {"db/R.sql": "again\n" + CHANGE + "values 2"})
    assert told(found) == [("R", "edited", "reversible")]
    assert found.migrations[0].down is True
    found = report({"db/R.sql": "again\n" + CHANGE}, {"db/R.sql": "again\n" + DROP})
    assert told(found) == [("R", "edited", "lossy-down")]
    found = report({"db/R.sql": "again\nup unknown calls f"}, {"db/R.sql": "again\n" + CHANGE})
    assert told(found) == [("R", "edited", "irreversible")]
    assert told(report({"db/R.sql": CHANGE}, {"db/R.sql": "again\n" + CHANGE})) == [("R", "edited", "irreversible")]
    assert told(report({"db/R.sql": "again\n" + CHANGE}, {})) == [("R", "deleted", "irreversible")]


ONE, TWO = "after\n" + EXPAND, "after 1\n" + DROP
SQUASH = "after\nreplaces 1\nreplaces 2\n" + EXPAND + DROP


def test_squashed() -> None:
    both = {"shop/1.py": ONE, "shop/2.py": TWO}
    assert told(report(both, {**both, "shop/S.py": SQUASH})) == [("S", "added", "expand-only")]
    assert told(report(both, {"shop/S.py": SQUASH})) == [
        ("1", "deleted", "expand-only"),
        ("2", "deleted", "expand-only"),
        ("S", "added", "expand-only"),
    ]
    assert report(both, {**both, "shop/S.py": SQUASH}).problems == ()


def test_squashed_and_forgotten() -> None:
    """Once it has run everywhere, the replaced ones go and the squashed one is a plain one."""
    before = {"shop/1.py": ONE, "shop/2.py": TWO, "shop/S.py": SQUASH}
    found = report(before, {"shop/S.py": SQUASH.replace("replaces 1\nreplaces 2\n", "")})
    assert {(one.id, one.state, one.verdict) for one in found.migrations} >= {
        ("1", "deleted", "expand-only"),
        ("2", "deleted", "expand-only"),
    }


def test_squashed_within_the_range() -> None:
    """What it stands for never was in the older tree, or is not here to be judged: then it is what it is itself."""
    assert told(report({}, {"shop/S.py": SQUASH})) == [("S", "added", "irreversible")]
    assert told(report({"shop/1.py": ONE}, {"shop/S.py": SQUASH})) == [
        ("1", "deleted", "expand-only"),
        ("S", "added", "irreversible"),
    ]
    found = report({"shop/1.py": ONE}, {"shop/1.py": ONE, "shop/2.py": TWO, "shop/S.py": SQUASH})
    assert sorted(told(found)) == [("2", "added", "irreversible"), ("S", "added", "expand-only")]
    found = report({}, {"shop/1.py": ONE, "shop/2.py": TWO, "shop/S.py": SQUASH})
    assert ("S", "added", "irreversible") in told(found)


def test_a_squash_that_is_gone_again_stands_for_nothing() -> None:
    found = report({"shop/1.py": ONE, "shop/S.py": SQUASH}, {})
    assert {verdict for _, _, verdict in told(found)} == {"irreversible"}


def test_deleted_ones_stand_where_they_ran() -> None:
    before = {"shop/1.py": ONE, "shop/2.py": "after 1\n", "shop/3.py": "after 2\n"}
    after = {"shop/1.py": ONE + "#x", "shop/4.py": "after 1\n" + EXPAND}
    assert [one.id for one in report(before, after).migrations] == ["1", "2", "3", "4"]


def test_two_heads_are_told_of_where_the_range_made_them() -> None:
    one, two, other = {"shop/1.py": "after\n"}, {"shop/2.py": "after 1\n"}, {"shop/3.py": "after 1\n"}
    sentence = "django in shop has 2 newest migrations: 2, 3"
    assert report({**one, **two}, {**one, **two, **other}).problems == (sentence,)
    assert report({**one, **two, **other}, {**one, **two, **other}).problems == ()


def test_a_circle_is_told_whole() -> None:
    found = report({}, {"shop/1.py": "after 2\n" + DROP, "shop/2.py": "after 1\n" + EXPAND})
    assert [one.id for one in found.migrations] == ["1", "2"]
    assert found.problems[-1] == "django: no order can be given to 1, 2: their parents make a circle"


def test_all_that_make_something_of_a_file_are_believed_but_for_numbered_sql() -> None:
    readers = (ToyReader("goose"), ToyReader("dbmate"), ToyReader("sql"))
    files = {"db/1.sql": b"plain", "db/2.sql": DROP.encode()}
    found = [(one.parsed.framework, one.parsed.id) for one in read_all(files, readers)]
    assert found == [("goose", "2"), ("dbmate", "2")]
    found = [(one.parsed.framework, one.parsed.id) for one in read_all(files, readers, plain=frozenset({"db"}))]
    assert found == [("goose", "2"), ("dbmate", "2"), ("sql", "2")]


class Pairs(ToyReader):
    """Migrations of two files, as golang-migrate has them; the content is the naming file's."""

    def read(self, files):  # type: ignore[no-untyped-def]
        for path in files:
            if path.endswith(".up.sql"):
                down = path.replace(".up.", ".down.")
                other = (down,) if down in files else ()
                name = path.rpartition("/")[2].split("_")[0]
                yield parsed(name, path=path, paths=(path, *other), framework="golang-migrate")


def test_a_way_back_that_was_edited_is_no_edit_of_the_migration() -> None:
    before = {"db/1_a.up.sql": b"x", "db/1_a.down.sql": b"y"}
    for after in (
        {"db/1_a.up.sql": b"x", "db/1_a.down.sql": b"z"},
        {"db/1_a.up.sql": b"x"},
        {"db/1_a.up.sql": b"x -- a", "db/1_a.down.sql": b""},
    ):
        assert compare(before, after, (Pairs(),)) == Report()
        assert compare(after, before, (Pairs(),)) == Report()
    (one,) = compare(before, {**before, "db/1_a.up.sql": b"w"}, (Pairs(),)).migrations
    assert one.state == "edited"


def test_a_folder_does_not_make_a_way_back() -> None:
    before = {"down/1_a.up.sql": b"x", "down/1_a.down.sql": b"y"}
    (one,) = compare(before, {**before, "down/1_a.up.sql": b"w"}, (Pairs(),)).migrations
    assert one.state == "edited"


def test_folders_of_ways_forth_and_back() -> None:
    class Folders(ToyReader):
        def read(self, files):  # type: ignore[no-untyped-def]
            return (parsed("1", path="db/up/1.sql", paths=tuple(sorted(files, reverse=True)), framework="sql"),)

    before = {"db/up/1.sql": b"x", "db/down/1.sql": b"y"}
    assert compare(before, {**before, "db/down/1.sql": b"z"}, (Folders(),)) == Report()
    (one,) = compare(before, {**before, "db/up/1.sql": b"z"}, (Folders(),)).migrations
    assert one.state == "edited"


def test_a_name_does_not_make_a_way_back() -> None:
    before = {"db/1_undo.up.sql": b"x", "db/1_undo.down.sql": b"y"}
    (one,) = compare(before, {**before, "db/1_undo.up.sql": b"w"}, (Pairs(),)).migrations
    assert one.state == "edited"


class Changelog(ToyReader):
    """Many migrations in one file, one a line."""

    def read(self, files):  # type: ignore[no-untyped-def]
        return tuple(
            parsed(line.split()[0], path=path, framework="liquibase", body=line)
            for path, data in files.items()
            for line in data.decode().splitlines()
        )


def test_change_sets_of_one_file_are_edited_one_by_one() -> None:
    found = compare({"db.sql": b"1 a\n2 b\n"}, {"db.sql": b"1 a\n2 c\n3 d\n"}, (Changelog(),))
    assert told(found) == [("2", "edited", "irreversible"), ("3", "added", "expand-only")]


def test_a_file_that_was_not_read_is_unknown() -> None:
    found = compare({}, {"db/1.rb": NOT_READ + b"ab"}, READERS)
    assert [(one.verdict, one.reasons[0]) for one in found.migrations] == [("irreversible", "was not read")]
    found = compare({"db/1.rb": NOT_READ + b"ab"}, {"db/1.rb": NOT_READ + b"cd"}, READERS)
    assert told(found) == [("1", "edited", "irreversible")]


texts = st.sampled_from((EXPAND, CHANGE, DROP, "after 1\n", "after 2\nreplaces 1\n", "again\n", "plain"))
paths = st.sampled_from(
    [f"{group}/{name}.{end}" for group in "ab" for name in ("1", "2_x", "2_y") for end in ("py", "rb")]
)
trees = st.dictionaries(paths, texts, max_size=6)


@given(trees, trees)
def test_whatever_differs_is_told_once_and_nothing_else(before: dict[str, str], after: dict[str, str]) -> None:
    found = report(before, after)
    assert len({(one.framework, one.path, one.state) for one in found.migrations}) == len(found.migrations)
    for one in found.migrations:
        assert before.get(one.old_path or one.path) != after.get(one.path) or one.old_path
    assert report(after, after) == Report()
    for path in after.keys() - before.keys():
        if after[path] != "plain":
            assert any(path in one.paths for one in found.migrations)
