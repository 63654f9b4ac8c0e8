"""Migrations of Rails and Liquibase that look as if the database could stay, or be migrated down, and it cannot."""

from __future__ import annotations

import time

import pytest

from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.judge import judge
from rollback_guard.release.migrations.liquibase import READER as LIQUIBASE
from rollback_guard.release.migrations.model import VERDICTS, Verdict
from rollback_guard.release.migrations.rails import READER as RAILS

ADDS = "    add_column :users, :a, :string\n"
HEAD = "class AddX < ActiveRecord::Migration[7.1]\n"
RENAMES = "  def up\n    rename_table :a, :b\n  end\n"
RUBY = "db/migrate/20240101000000_add_x.rb"
XML = '<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">'
TABLE = '<createTable tableName="a"><column name="b" type="int"/></createTable>'


def worst(reader: Reader, files: dict[str, bytes]) -> Verdict:
    found = reader.read(files)
    assert found, "nothing was seen"
    return max((judge(one)[0] for one in found), key=VERDICTS.index)


def ruby(text: str) -> Verdict:
    return worst(RAILS, {RUBY: text.encode()})


def change(body: str) -> Verdict:
    return ruby(f"{HEAD}  def change\n{ADDS}{body}\n  end\nend\n")


HIDDEN = {
    "in an interpolation": "say \"#{execute('DROP TABLE users')}\"",
    "in an interpolation with a brace in a string": 'say "#{"}" + execute(\'DROP TABLE users\')}"',
    "in a symbol's interpolation": "add_column :users, :\"#{execute 'DROP TABLE users'}\", :string",
    "in a list with interpolations": "say %W[#{execute('DROP TABLE users')}]",
    "in the block of a new table": "create_table :b do |t|\n  execute 'DROP TABLE users'\nend",
    "as an argument": "say execute('DROP TABLE users')",
    "as a column's type": "create_table(:b) { |t| t.string execute('DROP TABLE users') }",
    "as an option": "add_column :users, :b, :string, default: execute('DROP TABLE users')",
    "behind and": "say('x') and execute('DROP TABLE users')",
    "behind an operator": "true && drop_table(:users)",
    "in a condition": "say 'x' if execute('DROP TABLE users')",
    "in a ternary": "x = true ? drop_table(:users) : nil",
    "in a default of a parameter": "[1].each { |x, y = execute('DROP TABLE users')| say x }",
    "by another program": "`dropdb shop`",
    "by another program, spelled out": "%x(dropdb shop)",
    "by system": "system 'dropdb shop'",
    "by send": "send(:drop_table, :users)",
    "by send on a connection": "connection.send(:execute, 'DROP TABLE users')",
    "by public_send on itself": "self.public_send(:drop_table, :users)",
    "by a method object": "method(:drop_table).call(:users)",
    "by eval": "eval 'drop_table :users'",
    "by instance_eval in a block": "User.instance_eval { connection.execute('DROP TABLE users') }",
    "by Kernel": "Kernel.system('dropdb shop')",
    "by a file": "execute File.read('drop.sql')",
    "by a rake task": "Rake::Task['db:drop'].invoke",
    "by an alias of the connection": "c = ActiveRecord::Base.connection\nc.execute('DROP TABLE users')",
    "in a loop over the tables": "connection.tables.each { |t| drop_table t }",
    "in a while": "while true do drop_table :users end",
    "in a for": "for t in %w[users] do drop_table t end",
    "in a then": "users.then { drop_table :users }",
    "in a lambda": "-> { drop_table :users }.call",
    "in a rescue": "begin\n  say 'x'\nrescue\n  drop_table :users\nend",
    "in a modifier's rescue": "raise('x') rescue drop_table(:users)",
    "in an ensure": "begin\n  say 'x'\nensure\n  drop_table :users\nend",
    "in a statement behind a comment": "say 'x' # fine\ndrop_table :users",
    "behind =begin and =end": "say 'x'\n=begin\nnothing\n=end\ndrop_table :users",
    "in a heredoc of the same line": "say(<<~A); execute(<<~B)\n  hello\nA\n  DROP TABLE users\nB",
    "in a heredoc that another seems to close": "execute <<~SQL\n  SELECT 1;\n  -- SQL\n  DROP TABLE users\nSQL",
    "by a variable that is set twice": "sql = 'SELECT 1'\nsql = 'DROP TABLE users' if ENV['X']\nexecute sql",
    "by a variable that is set in a block": "q = 'SELECT 1'\nsay_with_time('x') { q = 'DROP TABLE users' }\nexecute q",
    "by a variable of the next round": "s = 'SELECT 1'\n[1, 2].each { execute s; s = 'DROP TABLE users' }",
    "by a variable that grows": "sql = +'SELECT 1'\nsql << '; DROP TABLE users'\nexecute sql",
    "by a string that is replaced": "sql = 'SELECT 1'\nsql.replace('DROP TABLE users')\nexecute sql",
    "by an instance's variable": "@sql = 'DROP TABLE users'\nexecute @sql",
    "with a value that is not known": "execute \"#{ENV['WHAT']} TABLE users\"",
    "spelled out": 'execute "\\x44\\u0052OP TABLE users"',
    "spelled out in octal": 'execute "\\104ROP TABLE users"',
    "with a conditional comment": "execute '/*! DROP TABLE users */'",
    "in a reversible without a way down": "reversible { |dir| dir.up { drop_table :users } }",
    "in a reversible with an empty way down": "reversible do |d|\n  d.up { rename_table :a, :b }\n  d.down {}\nend",
    "in up_only": "up_only { drop_table :users }",
    "only where it is not there yet": "rename_column :a, :b, :c if column_exists?(:a, :b)",
    "with a return that the way back takes": "return if table_exists?(:z)\nrename_table :a, :b",
    "by options that are not known": "create_table :users, **table_options",
    "by a block that is not known": "create_table :users, &definition",
    "on another's connection": "User.connection.rename_table :a, :b",
    "by a superclass's method": "super",
    "in an END": "END { drop_table :users }",
    "by a gem's unknown command": "nuke_everything!",
    "by a setter of a model": "User.table_name = 'x'\nUser.first.name = 'x'",
    "by a table's unknown method": "change_table(:a) { |t| t.obliterate }",
    "by eval on a table": "create_table(:a) { |t| t.instance_eval 'x' }",
    "by what a direction is asked": "reversible { |dir| dir.instance_eval('x') }",
}


@pytest.mark.parametrize("body", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_drop_hidden_in_change(body: str) -> None:
    assert change(body) == "irreversible"


AROUND = {
    "at the file's top": f"ActiveRecord::Base.connection.execute('DROP TABLE users')\n{HEAD}  def change; end\nend",
    "in the class": f"{HEAD}  ActiveRecord::Base.connection.execute('DROP TABLE users')\n  def change; end\nend",
    "in a model's class": f"{HEAD}  class User < Base; delete_all if true; end\n  def change; end\nend",
    "in a constant": f"{HEAD}  GONE = User.delete_all\n  def change; end\nend",
    "in a condition of the class": f"{HEAD}  if true\n    def change\n      drop_table :a\n    end\n  end\nend",
    "in a method made at run time": f"{HEAD}  define_method(:change) {{ drop_table :users }}\nend",
    "in an alias": f"{HEAD}  def gone; drop_table :a; end\n  alias change gone\nend",
    "in an alias by method": f"{HEAD}  def a; end\n  alias_method :change, :a\nend",
    "in a base class": "class AddX < Destroyer\nend",
    "in another's up": "class Other < ActiveRecord::Migration[7.0]\n  def change; end\nend\nclass Wrong; end",
    "in a command that is defined anew": (
        f"{HEAD}  def add_column(*)\n    drop_table :users\n  end\n  def change\n{ADDS}  end\nend"
    ),
    "in a module's command": (
        "module Evil\n  def add_column(*args)\n    super\n  end\nend\n"
        f"{HEAD}  include Evil\n  def change\n{ADDS}  end\nend"
    ),
    "in a method of its own": f"{HEAD}  def change\n    hi\n  end\n  private def hi; drop_table :users; end\nend",
    "in a method that calls itself": f"{HEAD}  def change\n    on\n  end\n  def on; on; drop_table :a; end\nend",
    "in what Rails calls first": f"{HEAD}  def change\n{ADDS}  end\n  def migrate(way); drop_table :a; end\nend",
    "in what Rails calls on the class": f"{HEAD}  def change\n{ADDS}  end\n  def self.migrate(*) = up\nend",
    "in what a module gives it to call": (
        f"module Evil\n  def exec_migration(*); yield; end\nend\n{HEAD}  include Evil\n  def change\n{ADDS}  end\nend"
    ),
    "in its own connection": f"{HEAD}  def change\n{ADDS}  end\n  def connection; User.delete_all; end\nend",
    "in what it says": f"{HEAD}  def change\n{ADDS}  end\n  def announce(*); drop_table :a; end\nend",
    "behind up": f"{HEAD}  def up\n{ADDS}  end\n  def change\n    drop_table :users\n  end\nend",
    "by an opened class": f"{HEAD}  def change; end\nend\nclass AddX\n  def change\n    drop_table :users\n  end\nend",
    "behind a return": f"{HEAD}{RENAMES}  def down\n    return\n    rename_table :b, :a\n  end\nend",
    "behind if false": f"{HEAD}{RENAMES}  def down\n    rename_table :b, :a if false\n  end\nend",
    "for development only": (
        f"{HEAD}{RENAMES}  def down\n    rename_table :b, :a if Rails.env.development?\n  end\nend"
    ),
    "by a down that calls up": f"{HEAD}{RENAMES}  def down\n    up\n  end\nend",
    "by a down of comments": (f"{HEAD}{RENAMES}  def down\n    execute '-- rename back'\n  end\nend"),
    "by a down squeezed into a comment": (
        f"{HEAD}{RENAMES}"
        "  def down\n    execute <<~SQL.squish\n      -- back\n      ALTER TABLE b RENAME TO a\n    SQL\n  end\nend"
    ),
}


@pytest.mark.parametrize("text", AROUND.values(), ids=AROUND.keys())
def test_ruby_around_the_commands(text: str) -> None:
    assert ruby(text) == "irreversible"


NOT_RUBY = {
    "binary": b"\x7fELF\x00\x01",
    "a NUL": f"{HEAD}\0end".encode(),
    "Latin-1": f"{HEAD}  # caf\xe9\n  def change; end\nend".encode("latin-1"),
    "UTF-16": f"{HEAD}  def change; end\nend".encode("utf-16"),
    "empty": b"",
    "an open string": f'{HEAD}  def change\n    say "x\n  end\nend'.encode(),
    "an open heredoc": f"{HEAD}  def change\n    execute <<~SQL\n  end\nend".encode(),
    "an open interpolation": f'{HEAD}  def change\n    say "#{{x'.encode(),
    "an open block": f"{HEAD}  def change\n    create_table :a do |t|\n".encode(),
    "an end too many": f"{HEAD}end\nend".encode(),
    "deep brackets": f"{HEAD}  X = {'[' * 30_000}".encode(),
    "deep blocks": (HEAD + "foo { " * 30_000).encode(),
    "deep interpolations": (HEAD + '"#{' * 30_000).encode(),
    "deep modifiers": f"{HEAD}  x{' if x' * 30_000}".encode(),
    "deep calls": f"{HEAD}  x{'.x' * 30_000}".encode(),
    "deep elsif": (HEAD + "if x\n" + "elsif x\n" * 30_000).encode(),
    "strings beside each other": (HEAD + "say " + '"a" ' * 30_000).encode(),
    "many negations": (HEAD + "x = " + "!" * 30_000).encode(),
    "many lines": (HEAD + "\n" * 300_000).encode(),
    "many comments": (HEAD + "# x\n" * 100_000).encode(),
    "open heredocs": (HEAD + "x <<~A\n" * 30_000).encode(),
    "5 MB": b"# x\n" * 1_250_000,
}


@pytest.mark.parametrize("data", NOT_RUBY.values(), ids=NOT_RUBY.keys())
def test_what_is_no_ruby_is_irreversible_and_soon_told(data: bytes) -> None:
    start = time.monotonic()
    assert worst(RAILS, {RUBY: data}) == "irreversible"
    assert time.monotonic() - start < 120


@pytest.mark.parametrize(
    "body",
    [
        "a0 = 'xx'\n" + "".join(f"a{n + 1} = a{n} + a{n}\n" for n in range(60)) + "execute a60",
        "a0 = %w[x]\n" + "".join(f"a{n + 1} = [a{n}, a{n}]\n" for n in range(60)) + "say a60",
        "[1, 2].each { |a| " * 30 + "say 'x'" + " }" * 30,
        "".join(f"[1, 2, 3, 4, 5, 6, 7, 8, 9].each do |a{n}|\n" for n in range(20)) + "say 'x'\n" + "end\n" * 20,
    ],
    ids=["texts that double", "lists that double", "loops in loops", "more loops in loops"],
)
def test_ruby_that_grows_without_end(body: str) -> None:
    start = time.monotonic()
    assert change(body) == "irreversible"
    assert time.monotonic() - start < 120


def test_methods_that_call_one_another_without_end() -> None:
    methods = "".join(f"  def m{n}; m{n + 1}; m{n + 1}; end\n" for n in range(60))
    start = time.monotonic()
    assert ruby(f"{HEAD}  def change; m0; end\n{methods}end\n") == "irreversible"
    assert time.monotonic() - start < 120


def log(changeset: str) -> bytes:
    return f"{XML}<changeSet id='1' author='a'>{changeset}</changeSet></databaseChangeLog>".encode()


NOT_LIQUIBASE: dict[str, tuple[str, bytes]] = {
    "a type that ends the statement": (
        "xml",
        log('<addColumn tableName="a"><column name="b" type="int; DROP TABLE a"/></addColumn>'),
    ),
    "a rollback that does nothing": ("xml", log('<renameTable oldTableName="a" newTableName="b"/><rollback/>')),
    "an entity": ("xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + log("<sql>&a;</sql>")),
    "entities that grow": (
        "xml",
        b"<!DOCTYPE x [<!ENTITY a0 'aaaaaaaaaa'>"
        + b"".join(b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
        + b"]>"
        + log("<sql>&a11;</sql>"),
    ),
    "an entity from elsewhere": (
        "xml",
        b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + log("<sql>&a;</sql>"),
    ),
    "an open tag": ("xml", XML.encode() + b"<changeSet"),
    "deep tags": ("xml", XML.encode() + b"<a>" * 100_000),
    "an unknown encoding": ("xml", b"<?xml version='1.0' encoding='klingon'?>" + log(TABLE)),
    "a NUL in XML": ("xml", XML.encode() + b"\0"),
    "a root of another name in it": ("xml", b"<databaseChangeLog>" + XML.encode()),
    "a key spelled out": (
        "json",
        b'{"databaseChange\\u004cog": [{"changeSet": {"id": 1, "dropTable": {"tableName": "a"}}}]}',
    ),
    "a key spelled out in YAML": (
        "yaml",
        b'"databaseChange\\x4cog":\n- changeSet:\n    id: 1\n    dropTable: {tableName: a}\n',
    ),
    "a key twice": ("json", b'{"databaseChangeLog": [], "databaseChangeLog": []}'),
    "deep JSON": ("json", b'{"databaseChangeLog": ' + b"[" * 100_000),
    "deep lists in JSON": ("json", b'{"databaseChangeLog": ' + b"[" * 100 + b"]" * 100 + b"}"),
    "a number of many digits": ("json", b'{"databaseChangeLog": [' + b"9" * 100_000),
    "YAML in UTF-16": ("yaml", "databaseChangeLog: []".encode("utf-16")),
    "YAML in Latin-1": ("yaml", "databaseChangeLog: []  # caf\xe9".encode("latin-1")),
    "an anchor": ("yaml", b"a: &x {dropTable: {tableName: a}}\ndatabaseChangeLog: [*x]"),
    "deep YAML": ("yaml", b"databaseChangeLog:\n" + b"- " * 100_000),
    "YAML of many spaces": ("yaml", b"databaseChangeLog:\n  - a" + b" " * 1_000_000 + b"\n\tb: c"),
    "SQL in UTF-16": ("sql", "--liquibase formatted sql\n--changeset a:1\ndrop table a;".encode("utf-16")),
    "SQL with a NUL": ("sql", b"--liquibase formatted sql\n--changeset a:1\nselect 1\0;"),
    "SQL behind empty lines": ("sql", b"\xef\xbb\xbf\n\n  -- LIQUIBASE FORMATTED SQL\n--changeset a:1\ndrop table a;"),
    "a changeset of many spaces": ("sql", b"--liquibase formatted sql\n--changeset " + b" " * 1_000_000),
    "many words": ("sql", b"--liquibase formatted sql\n--changeset a:1 " + b"x" * 1_000_000 + b"\ndrop table a;"),
    "a rollback in a comment": (
        "sql",
        b"--liquibase formatted sql\n--changeset a:1\ndrop table a;\n-- no rollback create table a (b int)",
    ),
    "a rollback without its space": (
        "sql",
        b"--liquibase formatted sql\n--changeset a:1\ndrop table a;\n--rollbackcreate table a (b int)",
    ),
    "lines ignored without an end": (
        "sql",
        b"--liquibase formatted sql\n--changeset a:1\ndrop table a;\n--ignoreLines:start\n",
    ),
    "5 MB": ("xml", log(TABLE + "<!-- -->" * 650_000)),
}


@pytest.mark.parametrize(("kind", "data"), NOT_LIQUIBASE.values(), ids=NOT_LIQUIBASE.keys())
def test_changelogs_that_hide_or_harm(kind: str, data: bytes) -> None:
    start = time.monotonic()
    assert worst(LIQUIBASE, {f"db/changelog/a.{kind}": data}) == "irreversible"
    assert time.monotonic() - start < 120


def test_a_placeholder_that_grows() -> None:
    value = "x" * 10_000
    many = "${a}" * 10_000
    changeset = f'<changeSet id="1" author="a"><sql>{many}</sql></changeSet>'
    text = f'{XML}<property name="a" value="{value}"/>{changeset}</databaseChangeLog>'
    assert worst(LIQUIBASE, {"db/changelog/a.xml": text.encode()}) == "irreversible"
