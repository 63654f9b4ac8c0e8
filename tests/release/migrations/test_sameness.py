"""What counts as an edit: everything that a database might see, and nothing that it surely does not."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.sameness import same_text

DJANGO = """from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunSQL("DELETE FROM a")]
"""


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.xml", "<a/>\n", "<a/>\n"),
        ("a.xml", "<a>\n</a>\n", "<a>\r\n</a>\r\n\r\n"),
        ("a.xml", "<a/>", "\ufeff<a/>"),
        ("a.py", "x = 1\n", "# why\nx  =  1  # so\n"),
        ("a.py", 'def up():\n    """Old."""\n    run(1)\n', 'def up():\n    """New."""\n    run(1)\n'),
        ("a.py", r"x = '\d'", r"x = '\d' # raw"),
        ("a.py", DJANGO, DJANGO.replace('[("shop", "0001_initial")]', '[("shop", "0001_squashed_0005")]')),
        ("a.py", DJANGO, DJANGO.replace("    dep", '    replaces = [("shop", "0002")]\n    initial = True\n    dep')),
        ("A.SQL", "DROP TABLE a;", "-- gone\nDROP  TABLE\n\ta; /* really\n */"),
        ("a.sql", "SELECT 'a -- b';", "SELECT 'a -- b'; -- c"),
        ("a.sql", "SELECT $x$ -- a $x$;", "SELECT $x$ -- a $x$; -- b"),
        ("a.sql", "SELECT `a`, \"b\", 1.5, é, 'it''s';", "SELECT `a`, \"b\", 1.5,\n é, 'it''s';"),
        ("a.sql", "DROP TABLE a;", "-- guard: irreversible because it was empty\nDROP TABLE a;"),
        ("a.rb", "class A\n  def up; end\nend\n", "# frozen_string_literal: true\n\nclass A\n    def up; end\n\nend\n"),
    ],
)
def test_no_edit(path: str, old: str, new: str) -> None:
    assert same_text(path, old.encode(), new.encode())
    assert same_text(path, new.encode(), old.encode())


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.xml", "<a/>", "<a></a>"),
        ("a", "x", "y"),
        ("a.py", "x = 1", "x = 2"),
        ("a.py", "x = 'a'", "x = 'b'"),
        ("a.py", "x = (", "x = ( # more"),
        ("a.py", "x = 1\0", "x = 1\0 #"),
        ("a.py", "if a:\n    b()\nc()\n", "if a:\n    b()\n    c()\n"),
        ("a.py", DJANGO, DJANGO.replace('[("shop", "0001_initial")]', "[drop_everything()]")),
        ("a.py", DJANGO, DJANGO.replace("dependencies", "operations")),
        ("a.py", DJANGO, DJANGO.replace("    dep", "    atomic = False\n    dep")),
        ("a.py", DJANGO, DJANGO.replace("    dep", "    x.replaces = []\n    dep")),
        ("a.py", "class A:\n    dependencies = []\n", "class A:\n    dependencies = [1]\n"),
        ("a.py", "(" * 5000 + ")" * 5000, "(" * 5000 + ")" * 5000 + "#"),
        ("a.sql", "DROP TABLE a;", "DROP TABLE b;"),
        ("a.sql", "SELECT 'a  b';", "SELECT 'a b';"),
        ("a.sql", "SELECT 'a' 'b';", "SELECT 'a''b';"),
        ("a.sql", "/*! DROP TABLE a */;", "/*! DROP TABLE b */;"),
        ("a.sql", "SELECT 5--1;", "SELECT 5--2;"),
        ("a.sql", "-- migrate:up\nSELECT 1;", "-- migrate:down\nSELECT 1;"),
        ("a.sql", "-- +goose Up\nSELECT 1;", "-- +goose Down\nSELECT 1;"),
        ("a.sql", "--rollback a", "--rollback b"),
        ("a.sql", "-- rollback a", "-- rollback b"),
        ("a.sql", "SELECT 1;\n-- @UNDO\n", "SELECT 1;\n"),
        ("a.sql", "SELECT 1;\n---- create above / drop below ----\n", "SELECT 1;\n-- ==== DOWN ====\n"),
        ("a.sql", r"SELECT 'a\' -- ', 'x';", r"SELECT 'a\' -- ', 'y';"),
        ("a.sql", "SELECT E'\\n'; -- a", "SELECT E'\\n'; -- b"),
        ("a.sql", "# don't\nSELECT 'a -- b'", "# don't\nSELECT 'a -- c'"),
        ("a.sql", "SELECT $x$ -- a", "SELECT $x$ -- b"),
        ("a.sql", "SELECT $x$ -- a $x$;", "SELECT $x$ -- b $x$;"),
        ("a.sql", "/* /* */ DROP TABLE a; -- */", "/* /* */ DROP TABLE b; -- */"),
        ("a.sql", "SELECT 'a", "SELECT 'a -- "),
        ("a.sql", "ab", "a b"),
        ("a.sql", "-- a\rDROP TABLE a", "-- a\rDROP TABLE b"),
        ("a.sql", "SELECT [a -- b];", "SELECT [a -- c];"),
        ("a.sql", "SELECT a\u00a0b;", "SELECT a b;"),
        ("a.sql", "ab", "a/**/b"),
        ("a.rb", "up do\nend", "up do\n  x\nend"),
        ("a.rb", "execute <<~SQL\n  # a\nSQL", "execute <<~SQL\n  # b\nSQL"),
        ("a.rb", 'execute "\n# a\n"', 'execute "\n# b\n"'),
        ("a.rb", 'x = \'a"\'"\n# a\n"', 'x = \'a"\'"\n# b\n"'),
        ("a.rb", "execute 'it\\'\n# a\n'", "execute 'it\\'\n# b\n'"),
        ("a.rb", "execute %(\n# a\n)", "execute %(\n# b\n)"),
        ("a.rb", "execute `\n# a\n`", "execute `\n# b\n`"),
    ],
)
def test_an_edit(path: str, old: str, new: str) -> None:
    assert not same_text(path, old.encode(), new.encode())
    assert not same_text(path, new.encode(), old.encode())


def test_bytes_of_no_encoding_are_compared_as_they_are() -> None:
    assert same_text("a.sql", b"\xff\r\n", b"\xff")
    assert not same_text("a.sql", b"\xff -- a", b"\xff -- b")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", ["/*", "$a$b", "'", "--", "/* *", "a'b'", "$", "(", "\n", "-- \n"])
def test_much_of_anything_takes_no_longer(piece: str) -> None:
    text = (piece * (1 << 17))[: 1 << 17].encode()
    for path in ("a.sql", "a.rb", "a.py"):
        same_text(path, text, text + b" x")


def test_many_dollar_quotes_that_never_end() -> None:
    text = "".join(f"$a{number}$ " for number in range(100_000)).encode()
    assert not same_text("a.sql", text, text + b"-- x")
