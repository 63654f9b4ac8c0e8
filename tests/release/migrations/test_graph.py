"""The order of migrations, and what is wrong with their graph."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.release.migrations.graph import build, in_order, natural, problems_of
from rollback_guard.release.migrations.model import Parsed
from tests.release.migrations.values import parsed

ORDER = ("alembic", "django", "rails")


def linked(name: str, *parents: str, **fields: object) -> Parsed:
    fields = {"framework": "django", "group": "shop", **fields}
    return parsed(name, up=(), parents=parents, **fields)


def order(*migrations: Parsed) -> list[str]:
    done, circle = in_order(build(migrations), ORDER)
    assert circle == []
    return [name for _, _, name in done]


def problems(*migrations: Parsed) -> tuple[str, ...]:
    return problems_of(migrations, ORDER)


def test_numbers_are_numbers() -> None:
    assert order(parsed("10"), parsed("9_b"), parsed("9_a"), parsed("0008")) == ["0008", "9_a", "9_b", "10"]
    assert natural("1.10") > natural("1.9")
    assert natural("1" * 9999) > natural("2")
    assert natural("V1__x") == natural("V01__x")


def test_parents_come_first_and_frameworks_stay_together() -> None:
    migrations = (
        parsed("0"),
        linked("1_last", "2"),
        linked("2", "other:9"),
        linked("9", group="other"),
        parsed("x", framework="alembic", parents=()),
    )
    assert order(*migrations) == ["x", "9", "2", "1_last", "0"]


def test_a_framework_that_nobody_listed_comes_last() -> None:
    assert order(parsed("0", framework="flyway"), parsed("1")) == ["1", "0"]


def test_repeatable_ones_run_after_all_others() -> None:
    assert order(parsed("0", repeatable=True), parsed("1")) == ["1", "0"]


def test_one_newest_migration_is_no_problem() -> None:
    assert problems(linked("1"), linked("2", "1"), linked("3", "1"), linked("4", "2", "3")) == ()
    assert problems(linked("1"), linked("1", group="other")) == ()
    assert problems(linked("1"), parsed("1"), parsed("2")) == ()


def test_two_heads() -> None:
    assert problems(linked("1"), linked("2_a", "1"), linked("2_b", "1")) == (
        "django in shop has 2 newest migrations: 2_a, 2_b",
    )
    many = [linked(f"m{number}") for number in range(7)]
    assert problems(*many) == ("django in shop has 7 newest migrations: m0, m1, m2, m3, m4 and 2 more",)


def test_what_another_group_builds_on_is_newest_all_the_same() -> None:
    assert problems(linked("1"), linked("2", "1"), linked("9", "shop:1", group="other")) == ()


def test_a_squashed_migration_has_the_place_of_what_it_replaces() -> None:
    squash = linked("1_squashed_2", replaces=("1", "2"))
    assert problems(linked("1"), linked("2", "1"), squash, linked("3", "2")) == ()
    assert problems(linked("1"), linked("2", "1"), squash) == ()
    assert problems(squash, linked("3", "2")) == ()
    assert order(squash, linked("0_first", "2")) == ["1_squashed_2", "0_first"]
    again = linked("1_squashed_3", replaces=("1_squashed_2", "3"))
    assert problems(linked("1"), linked("2", "1"), squash, linked("3", "2"), again, linked("4", "3")) == ()


def test_squashes_of_each_other_come_to_an_end() -> None:
    one, other = linked("a", "b", replaces=("b", "a")), linked("b", "a", replaces=("a",))
    assert problems(one, other) != ()


def test_a_missing_parent() -> None:
    assert problems(linked("2", "1")) == ("django in shop: 2 builds on 1, which is not there",)
    assert problems(linked("2", "auth:0001_initial")) == ()  # a library's: its group is not here
    assert problems(linked("2", "other:7"), linked("1", group="other")) == (
        "django in shop: 2 builds on other:7, which is not there",
    )


def test_a_circle() -> None:
    migrations = (linked("a", "c"), linked("b", "a"), linked("c", "b"), linked("d"))
    assert problems(*migrations) == ("django: no order can be given to a, b, c: their parents make a circle",)
    assert in_order(build(migrations), ORDER)[1] == [("django", "shop", name) for name in "abc"]
    assert "circle" in problems(linked("a", "a"))[0]


def test_a_number_that_is_used_twice() -> None:
    one, other = parsed("0007_a", path="db/0007_a"), parsed("7_b", path="db/7_b")
    assert problems(one, other) == ("rails in db uses 7 for 2 migrations: db/0007_a, db/7_b",)
    assert problems(one, other._replace(repeatable=True)) == ()
    assert problems(one, other._replace(group="elsewhere")) == ()
    assert problems(parsed("2019-02-26-002946_a"), parsed("2019-02-27-170003_b")) == ()  # a date is one number
    assert problems(parsed("1.10"), parsed("1.1")) == ()
    assert problems(parsed("0", group=""), parsed("0", path="x", group="")) == (
        "rails uses 0 for 2 migrations: db/0.toy, x",
    )


def test_a_name_that_is_used_twice() -> None:
    one = linked("1")
    assert problems(one, one._replace(path="elsewhere")) == (
        "django in shop uses 1 for 2 migrations: db/1.toy, elsewhere",
    )
    prisma = parsed("2026_a", framework="prisma")
    assert problems(prisma, prisma._replace(id="2026_b")) == ()


names = st.sampled_from([f"n{number}" for number in range(6)] + ["other:n1", ":", ""])
graphs = st.lists(
    st.tuples(names, st.lists(names, max_size=3), st.lists(names, max_size=2), st.sampled_from(("shop", "other"))),
    max_size=10,
)


@given(graphs)
def test_any_graph_is_ordered_whole_and_parents_first(
    drawn: list[tuple[str, list[str], list[str], str]],
) -> None:
    migrations = [linked(name, *up, replaces=tuple(old), group=group) for name, up, old, group in drawn]
    graph = build(migrations)
    done, circle = in_order(graph, ORDER)
    assert sorted((*done, *circle)) == sorted(graph.nodes)
    place = {node: index for index, node in enumerate(done)}
    for node in done:
        for parent in graph.parents[node]:
            assert place[parent if parent in place else graph.stands_for[parent]] < place[node]
    problems_of(migrations, ORDER)
