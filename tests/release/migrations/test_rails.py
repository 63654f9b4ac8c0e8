"""Rails: what its commands do, what it reverses itself, and how the Ruby around them is followed."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.judge import judge
from rollback_guard.release.migrations.model import Parsed
from rollback_guard.release.migrations.rails import READER

PATH = "db/migrate/20240101000000_add_x.rb"


def migration(body: str, *, above: str = "ActiveRecord::Migration[7.1]") -> str:
    """A class of the right name around methods."""
    return f"# frozen_string_literal: true\n\nclass AddX < {above}\n{body}\nend\n"


def change(body: str) -> Parsed:
    """What a `change` of these commands does."""
    return parsed(migration(f"  def change\n{body}\n  end"))


def parsed(text: str, path: str = PATH) -> Parsed:
    (found,) = READER.read({path: text.encode()})
    return found


def effects(steps: tuple[object, ...] | None) -> list[str]:
    return [str(getattr(step, "effect", "")) for step in steps or ()]


@pytest.mark.parametrize(
    ("path", "claimed"),
    [
        ("db/migrate/20240101000000_create_users.rb", True),
        ("db/animals_migrate/20240101000000_create_dogs.rb", True),
        ("db/post_migrate/2024_x.rb", True),
        ("engines/blog/db/migrate/001_create_posts.rb", True),
        ("db/migrate/2024/20240101000000_x.rb", True),
        ("db/migrate/20240101000000_create_active_storage_tables.active_storage.rb", True),
        ("db/schema.rb", False),
        ("db/animals_schema.rb", False),
        ("db/structure.sql", False),
        ("db/seeds.rb", False),
        ("db/migrate/concerns.rb", False),
        ("db/migrate/20240101000000_CreateUsers.rb", False),
        ("db/migrate/20240101000000_create_users.rb.bak", False),
        ("lib/db_migrate/20240101000000_x.rb", False),
    ],
)
def test_which_files_rails_takes_for_migrations(path: str, claimed: bool) -> None:
    assert READER.claims(path) is claimed


def test_what_a_migration_is_called() -> None:
    text = migration("  def change\n  end").encode()
    files = {"db/migrate/0012_add_x.rb": text, "db/a_migrate/sub/20240101000000_add_x.rb": text, "db/schema.rb": b"x"}
    found = READER.read(files)
    assert [(one.framework, one.id, one.group, one.path) for one in found] == [
        ("rails", "20240101000000", "db/a_migrate", "db/a_migrate/sub/20240101000000_add_x.rb"),
        ("rails", "12", "db/migrate", "db/migrate/0012_add_x.rb"),
    ]
    assert all(one.paths == (one.path,) and one.parents is None for one in found)


EXPANDING = {
    "create_table": "create_table :users, id: :uuid do |t|\n  t.string :name, null: false\n  t.timestamps\nend",
    "references": "create_table :a do |t|\n  t.references :b, null: false, foreign_key: { to_table: :c }\nend",
    "create_table without a block": "create_table :users, if_not_exists: true",
    "create_join_table": "create_join_table :products, :categories do |t|\n  t.index :product_id\nend",
    "named join table": "create_join_table :products, :categories, table_name: :sorting",
    "add_column": "add_column :users, :age, :integer",
    "array": "add_column :users, :tags, :string, array: true, default: []",
    "with default": "add_column :users, :on, :boolean, null: false, default: false",
    "computed default": 'add_column :users, :at, :datetime, null: false, default: -> { "CURRENT_TIMESTAMP" }',
    "add_columns": "add_columns :users, :a, :b, type: :string",
    "add_reference": "add_reference :books, :author",
    "add_belongs_to": "add_belongs_to :books, :author, polymorphic: true, index: { algorithm: :concurrently }",
    "add_index": "add_index :users, %i[first last], name: 'by_name', algorithm: :concurrently",
    "add_timestamps": "add_timestamps :users, null: true",
    "extension": "enable_extension 'pgcrypto'",
    "enum": "create_enum :mood, %w[happy sad]\nadd_enum_value :mood, 'bored'",
    "schema": "create_schema :audit",
    "virtual table": 'create_virtual_table :searchables, :fts5, ["content"]',
    "view": "create_view :search_results, version: 1",
    "function": "create_function :f",
    "comments": "change_table_comment :users, 'people'\nchange_column_comment :users, :a, from: 'x', to: 'y'",
    "change_table": "change_table :users, bulk: true do |t|\n  t.string :a, :b\n  t.references :c\n  t.index :a\nend",
    "validate": "validate_foreign_key :a, :b\nvalidate_check_constraint :a, name: 'c'",
    "speaks": "say 'hello'\nputs \"#{1 + 1}\"\nUser.reset_column_information\nRails.logger.info('x')",
    "execute": "execute 'CREATE TABLE a (b int)'",
    "wrapped": "safety_assured { add_column :a, :b, :string }\nsay_with_time('x') { add_column :a, :c, :string }",
    "in transaction": "ActiveRecord::Base.transaction do\n  add_column :a, :b, :string\nend",
    "if not there": "add_column :a, :b, :string unless column_exists?(:a, :b)",
    "returns": "return if table_exists?(:a)\ncreate_table :a",
    "each": "[:a, :b].each { |name| add_column :t, name, :string }",
    "loop of pairs": "{ a: :string, 'b' => :text }.each { |name, type| add_column :t, name, type }",
    "loop of arrays": "[[:a, :string], [:b, :text]].each do |name, type|\n  add_column :t, name, type\nend",
    "loop with index": '%w[a b].each_with_index { |name, i| add_index :t, name, name: "i_#{i}" }',
    "case": "case connection.adapter_name\nwhen 'PostgreSQL', 'x' then enable_extension 'a'\nelse create_table :b\nend",
    "ensure": "begin\n  create_table :a\nrescue StandardError => e\n  puts e\nensure\n  puts 'x'\nend",
    "nothing": "",
}


@pytest.mark.parametrize("body", EXPANDING.values(), ids=EXPANDING.keys())
def test_older_code_runs_on(body: str) -> None:
    assert judge(change(body)) == ("expand-only", ())


REVERSIBLE = {
    "generated reference": "add_reference :products, :user, null: false, foreign_key: true",
    "required column": "add_column :users, :name, :string, null: false",
    "unique reference": "add_reference :a, :b, index: { unique: true }",
    "default of nil": "add_column :users, :name, :string, null: false, default: nil",
    "rename_column": "rename_column :users, :name, :title",
    "rename_table": "rename_table :users, :people",
    "rename_index": "rename_index :users, 'a', 'b'",
    "unique index": "add_index :users, :email, unique: true",
    "remove_index": "remove_index :users, :email\nremove_index :users, column: :name",
    "foreign key": "add_foreign_key :a, :b\nremove_foreign_key :a, :c\nremove_foreign_key :a, to_table: :d",
    "checks": "add_check_constraint :a, 'x > 0', name: 'c'\nremove_check_constraint :a, 'x > 0', name: 'c'",
    "exclusion": "add_exclusion_constraint :a, 'x WITH ='\nremove_exclusion_constraint :a, 'x WITH ='",
    "unique constraint": "add_unique_constraint :a, [:b]\nremove_unique_constraint :a, [:b]",
    "null": "change_column_null :users, :name, false\nchange_column_null :users, :title, true",
    "default": "change_column_default :users, :state, from: nil, to: 'new'",
    "timestamps": "add_timestamps :users",
    "enum": "rename_enum :mood, :temper\nrename_enum_value :mood, from: 'a', to: 'b'",
    "views": "update_view :v, version: 2, revert_to_version: 1\ndrop_view :w, revert_to_version: 3",
    "index switched": "disable_index :a, :i\nenable_index :a, :j",
    "both ways": (
        "reversible do |dir|\n  dir.up { execute 'ALTER TABLE a RENAME TO b' }\n"
        "  dir.down { execute 'ALTER TABLE b RENAME TO a' }\nend"
    ),
    "old form": (
        "reversible do |dir|\n  change_table :a do |t|\n    dir.up { t.rename :b, :c }\n"
        "    dir.down { t.rename :c, :b }\n  end\nend"
    ),
    "change_table": (
        "change_table :a do |t|\n  t.rename :b, :c\n  t.column :d, :string, null: false\n  t.timestamps\n"
        "  t.change_null :e, false\n  t.foreign_key :f\n  t.check_constraint 'a > 0'\nend"
    ),
    "by adapter": "rename_column :a, :b, :c if connection.adapter_name == 'PostgreSQL'",
    "by version": "rename_column :a, :b, :c unless ActiveRecord::VERSION::MAJOR >= 7 && Rails.env.production?",
    "reverts": "revert do\n  rename_column :a, :b, :c\nend",
    "new things stay": "rename_table :a, :b\nreversible { |dir| dir.up { execute 'CREATE INDEX i ON a (b)' } }",
    "direct index": "User.connection.transaction do\n  rename_table :a, :b\nend",
}


@pytest.mark.parametrize("body", REVERSIBLE.values(), ids=REVERSIBLE.keys())
def test_goes_back_without_a_loss(body: str) -> None:
    found = change(body)
    assert judge(found)[0] == "reversible", found
    assert found.undoes_itself
    assert found.down


LOSSY = {
    "remove_column": "remove_column :users, :name, :string",
    "remove_columns": "remove_columns :users, :a, :b, type: :string",
    "remove in a table": "change_table(:users) { |t| t.remove :a, :b, type: :string }",
    "remove_reference": "remove_reference :a, :b, foreign_key: true\nremove_belongs_to :a, :c",
    "remove_timestamps": "remove_timestamps :users, null: true",
    "references in a table": "change_table(:a) { |t| t.remove_references :b\n t.remove_timestamps\n }",
    "drop_table": "drop_table :users do |t|\n  t.string :name\nend",
    "drop_table with options": "drop_table :users, id: :uuid",
    "drop_join_table": "drop_join_table :a, :b",
    "drop_enum": "drop_enum :mood, %w[a b]",
    "drop_schema": "drop_schema :a",
    "drop virtual": 'drop_virtual_table :s, :fts5, ["a"]',
    "disable_extension": "disable_extension 'hstore'",
    "null with fill": "change_column_null :users, :name, false, 'x'",
    "filled in": "add_column :p, :on, :boolean, default: false\nup_only { execute \"update p set on = 'true'\" }",
    "backfilled": "add_column :p, :on, :boolean\nreversible { |dir| dir.up { Post.update_all(on: true) } }",
    "force": "create_table :users, force: true",
    "force join": "create_join_table :a, :b, force: :cascade",
    "types both ways": (
        "reversible do |direction|\n  direction.up { change_column :a, :b, :string }\n"
        "  direction.down { change_column :a, :b, :integer }\nend"
    ),
    "reverts a new table": "revert { create_table :a }",
}


@pytest.mark.parametrize("body", LOSSY.values(), ids=LOSSY.keys())
def test_goes_back_with_a_loss(body: str) -> None:
    found = change(body)
    assert judge(found)[0] == "lossy-down", found


REFUSED = {
    "remove_column :users, :name": "remove_column without a type",
    "remove_column :users, :name, if_exists: true": "remove_column without a type",
    "remove_columns :users, :a, :b": "remove_columns without a type",
    "change_table(:a) { |t| t.remove :b }": "remove_columns without a type",
    "change_table(:a) { |t| t.change :b, :text }": "change_column",
    "change_table(:a) { |t| t.change_default :b, 1 }": "change_column_default without from and to",
    "change_column :users, :name, :text": "change_column",
    "change_column_default :users, :name, 'x'": "change_column_default without from and to",
    "drop_table :users": "drop_table without the table's columns",
    "drop_table :users, if_exists: true": "drop_table without the table's columns",
    "drop_table :a, :b": "drop_table without the table's columns",
    "execute 'DROP TABLE users'": "execute in change",
    "execute <<~SQL.squish\n  UPDATE a SET b = 1\nSQL": "execute in change",
    "remove_index :users, name: 'x'": "remove_index without a column",
    "remove_foreign_key :a, column: :b": "remove_foreign_key without the other table",
    "remove_check_constraint :a, name: 'x'": "remove_check_constraint without an expression",
    "remove_exclusion_constraint :a, name: 'x'": "remove_exclusion_constraint without an expression",
    "remove_unique_constraint :a, name: 'x'": "remove_unique_constraint without columns",
    "add_unique_constraint :a, using_index: 'i'": "add_unique_constraint with using_index",
    "rename_table :a, :b\nadd_columns :a, :b, type: :string": "add_columns",
    "drop_enum :mood": "drop_enum without its values",
    "drop_virtual_table :a": "drop_virtual_table without options",
    "rename_enum_value :mood, 'a'": "rename_enum_value without from and to",
    "rename_table :a, :b\nchange_table_comment :a, 'x'": "a comment without from and to",
    "update_view :v, version: 2": "a replaced view without revert_to_version",
    "drop_trigger :v": "a dropped trigger without revert_to_version",
    "truncate :users": "truncate",
}


@pytest.mark.parametrize(("body", "why"), REFUSED.items(), ids=REFUSED.values())
def test_rails_refuses_to_reverse(body: str, why: str) -> None:
    found = change(body)
    assert (found.refuses, found.down) == (f"Rails cannot reverse {why}", None)
    assert judge(found)[0] == "irreversible"


def test_the_way_back_is_the_other_way_round() -> None:
    found = change("create_table :a\nrename_table :b, :c\nadd_column :d, :e, :string")
    assert [step.what for step in found.down or ()] == [
        "drops column d.e",
        "renames c to b",
        "drops table a",
    ]


UP_AND_DOWN = """
  disable_ddl_transaction!

  class User < ApplicationRecord
    self.table_name = "users"
    has_many :posts, -> { where(a: 1) }
    scope :active, -> { where(active: true) }
    enum :state, { on: 1 }
    validates :name, presence: true
    def full_name
      "#{first} #{last}"
    end
  end

  NAMES = %w[first last].freeze

  def up
    add_column :users, :name, :string
    User.reset_column_information
    User.find_each do |user|
      user.update!(name: user.full_name)
    end
    NAMES.each { |name| remove_column :users, name }
    change_column_null :users, :name, false
  end

  def down
    NAMES.each { |name| add_column :users, name, :string } unless column_exists?(:users, :first)
    remove_column :users, :name
  end
"""


def test_up_and_down_with_a_model() -> None:
    found = parsed(migration(UP_AND_DOWN))
    assert [step.what for step in found.up] == [
        "adds column users.name",
        "runs Ruby that may change data (User.find_each)",
        "drops column users.first",
        "drops column users.last",
        "demands a value in users.name",
    ]
    assert effects(found.down) == ["expand", "expand", "destroy"]
    assert judge(found)[0] == "lossy-down"
    assert not found.undoes_itself


def test_methods_of_the_class_itself_as_they_were_written_long_ago() -> None:
    old = "  def self.up\n    rename_table :a, :b\n  end\n  def self.down\n    rename_table :b, :a\n  end"
    assert judge(parsed(migration(old, above="ActiveRecord::Migration")))[0] == "reversible"
    inside = "  class << self\n    def up = rename_table(:a, :b)\n    def down = rename_table(:b, :a)\n  end"
    assert judge(parsed(migration(inside)))[0] == "reversible"


def test_no_down() -> None:
    found = parsed(migration("  def up\n    rename_table :a, :b\n  end"))
    assert (found.down, judge(found)) == (None, ("irreversible", ("has no way back", "renames a to b")))


def test_an_empty_down_does_nothing() -> None:
    found = parsed(migration("  def up\n    rename_table :a, :b\n  end\n\n  def down; end"))
    assert judge(found) == ("irreversible", ("the way back does nothing", "renames a to b"))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise ActiveRecord::IrreversibleMigration", "raises IrreversibleMigration"),
        ("raise ActiveRecord::IrreversibleMigration, 'rows are gone'", "raises IrreversibleMigration: rows are gone"),
        ("raise IrreversibleMigration.new('x')", "raises an error"),
        ("fail 'never'", "raises an error: never"),
        ("raise", "raises an error"),
        ("rename_table :b, :a\nraise ActiveRecord::IrreversibleMigration if a?", "raises IrreversibleMigration"),
    ],
)
def test_the_author_refuses(body: str, why: str) -> None:
    found = parsed(migration(f"  def up\n    rename_table :a, :b\n  end\n  def down\n    {body}\n  end"))
    assert found.refuses == why
    assert judge(found)[0] == "irreversible"


def test_the_author_refuses_inside_of_change() -> None:
    found = change("rename_table :a, :b\nreversible { |d| d.down { raise ActiveRecord::IrreversibleMigration } }")
    assert found.refuses == "raises IrreversibleMigration"


def test_a_migration_that_reverts_another_by_name() -> None:
    first = "class MakeA < ActiveRecord::Migration[7.0]\n  def change\n    create_table :a\n  end\nend\n"
    second = "require_relative '1_make_a'\n" + migration("  def change\n    revert MakeA\n  end")
    found = READER.read({"db/migrate/1_make_a.rb": first.encode(), "db/migrate/2_add_x.rb": second.encode()})
    assert [step.what for step in found[1].up] == ["drops table a"]
    assert [step.what for step in found[1].down or ()] == ["creates table a"]


@pytest.mark.parametrize("method", ["def up\n revert AddX\nend", "def change\n revert Other\nend"])
def test_a_migration_that_reverts_what_is_not_there_or_itself(method: str) -> None:
    assert judge(parsed(migration(method)))[0] == "irreversible"


def test_a_migration_that_reverts_one_without_a_way_back() -> None:
    first = "class MakeA < ActiveRecord::Migration[7.0]\n  def up\n    drop_table :a\n  end\nend\n"
    second = migration("  def change\n    revert MakeA\n  end")
    found = READER.read({"db/migrate/1_make_a.rb": first.encode(), "db/migrate/2_add_x.rb": second.encode()})
    assert [step.what for step in found[1].up] == ["reverts MakeA, which has no way back"]


STORAGE = """
  def change
    # Use the configured type for keys
    primary_key_type, foreign_key_type = primary_and_foreign_key_types

    create_table :active_storage_blobs, id: primary_key_type do |t|
      t.string   :key, null: false
      t.bigint   :byte_size, null: false

      if connection.supports_datetime_with_precision?
        t.datetime :created_at, precision: 6, null: false
      else
        t.datetime :created_at, null: false
      end

      t.index [ :key ], unique: true
    end

    create_table :active_storage_attachments, id: primary_key_type do |t|
      t.references :record, null: false, polymorphic: true, index: false, type: foreign_key_type
      t.foreign_key :active_storage_blobs, column: :blob_id
    end
  end

  private
    def primary_and_foreign_key_types
      config = Rails.configuration.generators
      setting = config.options[config.orm][:primary_key_type]
      primary_key_type = setting || :primary_key
      foreign_key_type = setting || :bigint
      [ primary_key_type, foreign_key_type ]
    end
"""


def test_what_active_storage_installs_is_read_fully() -> None:
    found = parsed(migration(STORAGE, above="ActiveRecord::Migration[7.0]"))
    assert [step.what for step in found.up] == [
        "creates table active_storage_blobs",
        "creates table active_storage_attachments",
    ]
    assert judge(found) == ("expand-only", ())


@pytest.mark.parametrize(
    "body",
    [
        "sql = 'CREATE TABLE a'.freeze\nexecute sql + ' (b int)'",
        "execute \"CREATE TABLE #{quote_table_name('a')} (b int)\"",
        'execute "CREATE TABLE #{connection.quote_table_name(:a)} (b int)".strip',
        "name = 'a'.to_sym\ncreate_table name.to_s",
        "execute ' CREATE TABLE a (b int) '.chomp",
        "x = 'y'.upcase\nz = %w[a b].first\nsay x\nx",
        "say [1, 2].map { |n| n.to_s }.join(', ')",
        "create_table :a if x = Rails.env.test?",
        "create_table :a unless [1, 2].include?(3) && 'x' == \"y\"",
        "kind = 1\ncreate_table :a if kind == 1",
        "say 'x'\n'y'",
        "return puts('x')",
        "@connection.create_table :a",
        "up_only { connection.create_table :a }",
        "a, b = 1, 2\nsay a",
        "begin\n  a, b = 1, 2\nend\nsay 'x' if (c, d = 1, 2)",
        "if User.exists? then create_table :a end",
        "create_table :a if -> { true }.present?",
        "helper(1)",
        "say_with_time('x') { q = 1 }",
        "execute 'CREATE TABLE a (b int)', 'name', 'more'",
    ],
)
def test_values_that_are_read(body: str) -> None:
    methods = f"  def change\n{body}\n  end\n\n  def helper(name)\n    create_table :a if name\n  end"
    assert judge(parsed(migration(methods))) == ("expand-only", ())


@pytest.mark.parametrize(
    "body",
    [
        "a, b = execute('DROP TABLE x'), 1",
        "x = helper(execute('DROP TABLE x'))",
        "say helper(execute('DROP TABLE x'))",
        "say helper",
        "say twice",
        "say Kernel",
        "say(1, ->(x) { execute 'DROP TABLE x' })",
        "execute 'SELECT 1', drop_table(:x)",
        "rename_column :a, :b, :c if (@x = 1; User.count > 1)",
        "rename_column :a, :b, :c if User.all.map { |u| u.name }.any?",
        "def inner; end",
        "revert { change_column :a, :b, :text }",
        "reversible(&block)",
        "[1].each { |(a, b)| drop_table a }",
        "x = def inner; end",
        "y = (User.table_name = 'x')",
        "if a? then rename_table :a, :b end",
        "return drop_table(:a)",
    ],
)
def test_values_that_are_not(body: str) -> None:
    helpers = "  def helper(name = nil)\n    drop_table :a\n  end\n\n  def twice\n    twice\n  end".replace(
        " = nil", ""
    )
    assert judge(parsed(migration(f"  def change\n{body}\n  end\n\n{helpers}")))[0] == "irreversible"


def test_a_class_without_a_way() -> None:
    assert judge(parsed(migration("  def helper; end")))[1][0] == "defines neither change nor up"


def test_a_loop_that_raises_on_the_way_back() -> None:
    found = parsed(
        migration("  def up\n    rename_table :a, :b\n  end\n  def down\n    [1, 2].each { raise 'x' }\n  end")
    )
    assert found.refuses == "raises an error: x"


def test_reversible_inside_of_up_and_down_goes_up() -> None:
    """Nothing is being reversed there, so that Rails runs what is for the way up."""
    inside = "reversible { |d| d.up { rename_table :a, :b }\n d.down { rename_table :b, :a } }"
    found = parsed(migration(f"  def up\n    {inside}\n  end\n  def down\n    {inside}\n  end"))
    assert [step.what for step in (*found.up, *(found.down or ()))] == ["renames a to b", "renames a to b"]
