"""Text into statements, as each dialect takes it apart."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.sql_lexer import MYSQL, POSTGRESQL, SQLITE, Dialect, split_statements

BODY = "BEGIN IF a THEN UPDATE b SET c = 1; END IF; WHILE x DO SET y = 1; END WHILE; SELECT CASE WHEN 1 THEN 2 END; END"


def split(text: str, dialect: Dialect = POSTGRESQL) -> list[str]:
    """Each statement's tokens with one blank between, and its problem behind an exclamation mark."""
    found = split_statements(text, dialect)
    return [" ".join(token.text for token in one.tokens) + (f" ! {one.problem}" * bool(one.problem)) for one in found]


@pytest.mark.parametrize(
    ("text", "dialect", "expected"),
    [
        ("", POSTGRESQL, []),
        (" ;; \n;", POSTGRESQL, []),
        ("a; b", POSTGRESQL, ["a", "b"]),
        ("a 'x;y' \"p;q\" `r;s`; b", POSTGRESQL, ["a x;y p;q r;s", "b"]),
        ("a 'it''s'; b", POSTGRESQL, ["a it's", "b"]),
        (r"a 'x\'; b '", POSTGRESQL, ["a x\\", "b ! a quoted text is not closed"]),
        (r"a 'x\'; b'", MYSQL, [r"a x\'; b"]),
        (r"a E'x\'; b'", POSTGRESQL, [r"a x\'; b"]),
        (r"a B'0;1' n'x'", POSTGRESQL, ["a 0;1 x"]),
        (r'a "x\"; b"', MYSQL, [r"a x\"; b"]),
        ("a -- b; c\nd; -- e", POSTGRESQL, ["a d"]),
        ("a -- b\r; c", POSTGRESQL, ["a", "c"]),
        ("a --b; c", MYSQL, ["a - - b", "c"]),
        ("a --b; c", SQLITE, ["a"]),
        ("a # b; c\nd", MYSQL, ["a d"]),
        ("a # b; c", POSTGRESQL, ["a # b", "c"]),
        ("a /* b /* c */ d; */ e", POSTGRESQL, ["a e"]),
        ("a /* b /* c */ d; e", SQLITE, ["a d", "e"]),
        ("a /* b", SQLITE, ["a ! a comment is not closed"]),
        ("a /*!50100 b; */ c", MYSQL, ["a b", "c"]),
        ("a /*M! b */ c", MYSQL, ["a b c"]),
        ("a /*! b */ c", POSTGRESQL, ["a c"]),
        ("a /*! b", MYSQL, ["a b ! a comment that is run is not closed"]),
        ("a */ b", MYSQL, ["a ! a comment is closed that was not opened"]),
        ("a $$ b; $$; c", POSTGRESQL, ["a  b; ", "c"]),
        ("a $x$ b; $$ $x$; c", POSTGRESQL, ["a  b; $$ ", "c"]),
        ("a $x$ b;", POSTGRESQL, ["a ! a quoted text is not closed"]),
        ("a b$$; c $$", POSTGRESQL, ["a b$$", "c ! a quoted text is not closed"]),
        ("a é$$; c", POSTGRESQL, ["a é$$", "c"]),
        ("a $$; b", MYSQL, ["a $$", "b"]),
        ("a [b;c]; d", SQLITE, ["a b;c", "d"]),
        ("a [b;c", SQLITE, ["a ! a name in brackets is not closed"]),
        ("a ${b.c}; d", POSTGRESQL, ["a ${b.c}", "d"]),
        ("a (b; c", POSTGRESQL, ["a ( b ! a parenthesis is not closed", "c"]),
        ("a b); c", POSTGRESQL, ["a b ) ! a parenthesis is closed that was not opened"]),
        ("a 12e3.4 $1", POSTGRESQL, ["a 12e3.4 $ 1"]),
        ("a\n  GO  \nb\nGO", POSTGRESQL, ["a", "b"]),
        ("a GO\nb", POSTGRESQL, ["a GO b"]),
        ("GO a", POSTGRESQL, ["GO a"]),
        ("DELIMITER //\na; b //\nc//\nDELIMITER ;\nd; e", MYSQL, ["a", "b", "c", "d", "e"]),
        ("delimiter $$\na$$ b$$", MYSQL, ["a", "b"]),
        ("DELIMITER\na", MYSQL, ["DELIMITER a"]),
        ("a DELIMITER $$ b", MYSQL, ["a DELIMITER $$ b"]),
        ("DELIMITER x", POSTGRESQL, ["DELIMITER x"]),
        ("\0 a", POSTGRESQL, ["\0 a"]),
    ],
)
def test_statements(text: str, dialect: Dialect, expected: list[str]) -> None:
    assert split(text, dialect) == expected


@pytest.mark.parametrize(
    "head",
    [
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW",
        "CREATE DEFINER=`a`@`b` PROCEDURE p()",
        "CREATE FUNCTION f() RETURNS int DETERMINISTIC",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO",
        "CREATE FUNCTION f() LANGUAGE SQL RETURNS int l:",
    ],
)
@pytest.mark.parametrize("dialect", [POSTGRESQL, MYSQL, SQLITE])
def test_a_body_is_one_statement(head: str, dialect: Dialect) -> None:
    found = split_statements(f"{head} {BODY}; DROP TABLE b;", dialect)
    assert [len(one.tokens) for one in found][1:] == [3]
    assert [one.problem for one in found] == ["", ""]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET x = begin; DROP TABLE b; SELECT end", 3),
        ("CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET x = f(begin); DROP TABLE b; SELECT end", 3),
        ("CREATE TABLE function (a int) begin; DROP TABLE b; SELECT end", 3),
        ("CREATE nothing begin; DROP TABLE b; SELECT end", 3),
        ("BEGIN; DROP TABLE b; END", 3),
        ("CREATE PROCEDURE p() BEGIN SELECT NEW.end; SELECT NEW.case; END; DROP TABLE b", 2),
        ("CREATE PROCEDURE p() BEGIN IF(a, 1, 2); SELECT REPEAT('x', 2); END; DROP TABLE b", 1),
        ("CREATE PROCEDURE p() BEGIN CASE a WHEN 1 THEN SELECT 1; END CASE; END; DROP TABLE b", 2),
        ("CREATE PROCEDURE p() BEGIN SELECT 1; END", 1),
    ],
)
def test_what_only_looks_like_a_body(text: str, count: int) -> None:
    assert len(split_statements(text, MYSQL)) == count


def test_a_body_without_an_end_is_a_problem() -> None:
    found = split_statements("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; DROP TABLE b;", SQLITE)
    assert [one.problem for one in found] == ["a body has no END"]
