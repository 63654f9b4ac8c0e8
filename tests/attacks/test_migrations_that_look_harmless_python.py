"""Python migrations that read as if they did little, or as if they could be undone, and cannot."""

from __future__ import annotations

import time

import pytest

from rollback_guard.release.migrations import alembic, django
from rollback_guard.release.migrations.model import Parsed

HEAD = """from alembic import op
import sqlalchemy as sa
revision = "a1"
down_revision = None
"""
DOWN = "\ndef downgrade():\n    op.drop_column('users', 'note')\n"
UP = "\ndef upgrade():\n    op.add_column('users', sa.Column('note', sa.Text()))\n    op.drop_index('old')\n"
DJANGO = "from django.db import connection, migrations, models\n"


def alembic_read(text: str) -> Parsed:
    """The one revision in a file."""
    (found,) = alembic.READER.read({"alembic/versions/a1_x.py": text.encode()})
    return found


def django_read(text: str) -> Parsed:
    """The one migration in a file."""
    (found,) = django.READER.read({"shop/migrations/0002_x.py": (DJANGO + text).encode()})
    return found


def worst(parsed: Parsed) -> str:
    """The worst effect of the way forward."""
    order = ("expand", "change", "destroy", "unknown")
    return max((step.effect for step in parsed.up), key=order.index, default="nothing")


def unread(parsed: Parsed) -> bool:
    """Whether the way back cannot be relied on."""
    return parsed.down is None or bool(parsed.refuses) or any(step.effect == "unknown" for step in parsed.down)


DROPS = (
    "x = op.drop_table\n    x('users')",
    "getattr(op, 'drop_' + 'table')('users')",
    "getattr(op, 'drop_{}'.format('table'))('users')",
    "[op.drop_table(t) for t in ('users', 'orders')]",
    "sa.Column('x', sa.Text(), default=op.drop_table('users'))",
    "print(op.drop_table('users'))",
    "(lambda t: op.drop_table(t))('users')",
    "tables = []\n    others = tables\n    others.append('users')\n    for t in tables:\n        op.drop_table(t)",
    "if False or op.drop_table('users'):\n        pass",
    "assert op.drop_table('users') is None",
    "f = {'a': op.drop_table}\n    f['a']('users')",
    "x = [op]\n    x[0].drop_table('users')",
    "with op.batch_alter_table('users') as b:\n        b.drop_column('name')",
    "op.execute('SELECT 1; DROP TABLE users')",
    "op.execute(sa.text('DROP TABLE users').execution_options(autocommit=True))",
    "op.get_bind().exec_driver_sql('DROP TABLE users')",
    "op.get_bind().execute(sa.select(sa.column('a')).where(sa.exists(sa.delete(sa.table('users')))))",
    "sa.MetaData().drop_all(op.get_bind())",
    "sa.Table('users', sa.MetaData()).drop(op.get_bind())",
    "try:\n        pass\n    finally:\n        op.drop_table('users')",
    "while True:\n        op.drop_table('users')\n        break",
    "match 1:\n        case 1:\n            op.drop_table('users')",
    "def inner(*, t=op.drop_table('users')):\n        pass",
    "class X:\n        y = op.drop_table('users')",
    "x = op.drop_table('users') if op else 0",
    "x: int = op.drop_table('users')",
    "def inner() -> op.drop_table('users'):\n        pass",
    "def inner(*a, b: op.drop_table('users') = 1, **c):\n        pass",
    "class X:\n        y: op.drop_table('users') = 1",
    "d = {}\n    d['x'] = op.drop_table('users')",
    "op.alter_column('t', 'c', type_=sa.String(5), existing_type=sa.String(50))",
    "globals()['_drop']()",
)


@pytest.mark.parametrize("body", DROPS)
def test_a_drop_is_seen_however_it_is_called(body: str) -> None:
    text = HEAD + f"def upgrade():\n    {body}\n" + DOWN + "\ndef _drop():\n    op.drop_table('users')\n"
    assert worst(alembic_read(text)) == "destroy"


UNREAD = (
    "from evil import op\n    op.add_column('a', sa.Column('b'))",
    "from evil import run\n    run()",
    "from evil import Drop\n    Drop('users')",
    "exec('op.drop_table(1)')",
    "eval('op.drop_table(1)')",
    "__import__('os').system('dropdb')",
    "import os\n    os.system('dropdb shop')",
    "import importlib\n    importlib.import_module('alembic.op').drop_table('users')",
    "import functools\n    functools.partial(op.drop_table, 'users')()",
    "list(map(op.drop_table, ['users']))",
    "setattr(op, 'add_column', op.drop_column)",
    "op.add_column = op.drop_column",
    "op.__getattribute__('drop_table')('users')",
    "op.drop_table.__call__('users')",
    "op.invoke(x)",
    "op.execute(open('x.sql').read())",
    "op.execute(f'DELETE FROM {x}')",
    "op.execute(sa.select(sa.func.delete_everything()))",
    "op.execute('CALL wipe()')",
    "tables = ['a']\n    tables.clear()",
    "sqls = ['SELECT 1', 'DROP TABLE users']\n    sqls.pop(0)\n    op.execute(sqls[0])",
    "vars(op)['drop_table']('users')",
    "from evil import *",
    "global x\n    x = 1",
    "class X:\n        def __del__(self):\n            op.drop_table('x')\n    X()",
    "class X:\n        @property\n        def y(self):\n            op.drop_table('x')\n    X().y",
    "def f():\n        f()\n    f()",
    "sql = 'SELECT 1'\n    if x():\n        sql = 'DROP TABLE users'\n    op.execute(sql)",
    "sql = 'SELECT 1'\n    for sql in x:\n        pass\n    op.execute(sql)",
    "sql = 'SELECT 1'\n    sa.text('a') and (sql := 'DROP TABLE users')\n    op.execute(sql)",
    "raise ValueError('stop')",
    "s = 'x'\n    for i in range(900):\n        s = s + s\n",
    "x = [1]\n    for i in x:\n        x.append(i)",
    "from atexit import register\n    register(_drop)",
    "op.run_async(_drop)",
    "from evil import Runner\n    x = Runner(op)",
    "from evil import Runner\n    x = Runner(op.drop_table, 'users')",
    "max('users', 'orders', key=op.drop_table)",
    "try:\n        from evil import op\n    except ImportError:\n        from alembic import op\n    op.f2()",
    "op.alter_column('a', 'b', **x)",
)


@pytest.mark.parametrize("body", UNREAD)
def test_what_cannot_be_followed_is_never_taken_for_harmless(body: str) -> None:
    text = HEAD + f"def upgrade():\n    {body}\n" + DOWN + "\ndef _drop():\n    op.drop_table('users')\n"
    assert worst(alembic_read(text)) == "unknown"


AT_LOADING = (
    "op.drop_table('users')\n",
    "upgrade = decorate(upgrade)\n",
    "from evil import upgrade\n",
    "del upgrade\n",
    "@wrap\ndef upgrade():\n    pass\n",
    "import os\nos.system('dropdb')\n",
    "from alembic import op as other\nother.drop_table('x')\n",
)


@pytest.mark.parametrize("text", AT_LOADING)
def test_what_a_file_does_as_it_is_loaded_counts(text: str) -> None:
    assert worst(alembic_read(HEAD + UP + DOWN + text)) == "unknown"


NO_WAY_BACK = (
    "op.drop_column('users', 'note')\n    yield",
    "(op.drop_column(t, 'note') for t in ('a', 'b'))",
    "async def inner():\n        op.drop_column('users', 'note')\n    inner()",
    "if x:\n        op.drop_column('users', 'note')",
    "x and op.drop_column('users', 'note')",
    "if x:\n        return\n    op.drop_column('users', 'note')",
    "for t in x:\n        op.drop_column(t, 'note')",
    "while x:\n        op.drop_column('a', 'note')",
    "try:\n        op.drop_column('users', 'note')\n    except Exception:\n        pass",
    "op.drop_column('users', 'note')\n    raise RuntimeError('no')",
    "if x:\n        raise RuntimeError('no')\n    op.drop_column('users', 'note')",
    "assert x\n    op.drop_column('users', 'note')",
    "assert False",
    "if op.get_bind().dialect.name == 'oracle':\n        op.drop_column('users', 'note')",
    "[op.drop_column(t, 'note') for t in x]",
    "op.drop_column('users', 'note') if x else None",
    "x()",
    "raise NotImplementedError",
)


@pytest.mark.parametrize("body", NO_WAY_BACK)
def test_a_way_back_that_may_not_be_taken_is_none(body: str) -> None:
    assert unread(alembic_read(HEAD + UP + f"\ndef downgrade():\n    {body}\n"))


@pytest.mark.parametrize(
    "body", ["pass", "return\n    op.drop_column('users', 'note')", "'''nothing'''", "print(1)", "..."]
)
def test_a_way_back_that_does_nothing_has_no_steps(body: str) -> None:
    assert alembic_read(HEAD + UP + f"\ndef downgrade():\n    {body}\n").down == ()


SHARED = "    x = y = [1]\n    for i in range(200):\n        x = [x, x]\n        y = [y, y]\n"
SHARING = (
    "op.alter_column('t', 'c', existing_type=sa.Enum(x), type_=sa.Enum(y))",
    "op.alter_column('t', 'c', existing_type=sa.Enum(k=x), type_=sa.Enum(k=y))",
    "op.execute(sa.select(x, y))",
    "op.execute(x)",
    "op.drop_table(x)",
    "assert x == y",
    "t = x == y\n    for i in range(200):\n        t = not (t == t)\n    if t:\n        op.drop_index('i')",
    "f = sa.Text\n    for i in range(20_000):\n        f = f()\n    op.drop_index(f)",
    "s = sa.text('SELECT 1;' * 10)\n    for i in range(900):\n        op.execute(s)",
    "s = sa.text('" + "SELECT 1;" * 5_000 + "')\n    for i in range(900):\n        op.execute(s)",
)


@pytest.mark.parametrize("body", SHARING)
def test_values_that_share_their_parts_take_no_time_without_end(body: str) -> None:
    begun = time.monotonic()
    alembic_read(HEAD + f"def upgrade():\n{SHARED}    {body}\n" + DOWN)
    assert time.monotonic() - begun < 120


def test_a_name_in_a_class_is_not_taken_for_the_one_outside() -> None:
    text = (
        HEAD
        + "op2 = op\nclass X:\n    op2 = None\n    def f():\n        op2.drop_table('a')\ndef upgrade():\n    X.f()\n"
    )
    assert worst(alembic_read(text)) == "destroy"


DJANGO_UNREAD = (
    "class Migration(migrations.Migration):\n    operations = build()\n",
    "from evil import Migration\n",
    "class Migration(Base):\n    operations = []\n",
    "class Migration(migrations.Migration, Base):\n    operations = []\n",
    "class Migration(migrations.Migration):\n    operations = []\n    def apply(self, *a):\n        pass\n",
    "class Migration(migrations.Migration):\n    operations = []\n    def __init__(self):\n        pass\n",
    "class Op(migrations.RunSQL):\n    pass\nclass Migration(migrations.Migration):\n    operations = [Op('', '')]\n",
    "import evil\nclass Migration(migrations.Migration):\n    operations = [evil.AddField('a')]\n",
    "class Migration(migrations.Migration):\n    operations = []\nMigration.operations = evil()\n",
    "class Migration(migrations.Migration):\n    operations = []\nMigration.operations += evil()\n",
    "class Migration(migrations.Migration):\n    operations = []\nsetattr(Migration, 'operations', x)\n",
    "class Migration(migrations.Migration):\n    operations = []\nconnection.cursor().execute('DROP')\n",
    "x = connection.cursor().execute('DROP TABLE a')\nclass Migration(migrations.Migration):\n    operations = []\n",
    "class Migration(migrations.Migration):\n    if x:\n        operations = []\n",
    "@wrap\nclass Migration(migrations.Migration):\n    operations = []\n",
    "class Migration(migrations.Migration, metaclass=Evil):\n    operations = []\n",
    "class Migration(migrations.Migration):\n    operations = [*more]\n",
    "class Migration(migrations.Migration):\n    operations = [migrations.RunSQL(open('x').read(), '')]\n",
    "class Migration(migrations.Migration):\n    operations = [migrations.RunSQL(f'DROP TABLE {x}', '')]\n",
    "class Migration(migrations.Migration):\n    operations = [migrations.AddField(**x)]\n",
    "class Migration(migrations.Migration):\n    operations = [migrations.operations.base.Operation()]\n",
    "class Migration(migrations.Migration):\n    operations = []\nmigrations.AddField.database_forwards = evil\n",
    "exec('x')\nclass Migration(migrations.Migration):\n    operations = []\n",
    "class Migration(migrations.Migration):\n    operations = []\nMigration = wrap(Migration)\n",
    "class Migration(migrations.Migration):\n    operations = [migrations.RunPython(x(), y)]\n",
    "def f(a, b):\n    raise X\nclass Migration(migrations.Migration):\n    operations = [migrations.RunPython(f)]\n",
)


@pytest.mark.parametrize("text", DJANGO_UNREAD)
def test_a_django_migration_that_is_not_written_out_is_not_taken_for_harmless(text: str) -> None:
    assert worst(django_read(text)) == "unknown"


def operations(*given: str) -> Parsed:
    """A Django migration with these operations, and a function to run."""
    body = "def f(apps, schema_editor):\n    apps.get_model('a', 'B').objects.all().delete()\n\n"
    body += "def nothing(apps, schema_editor):\n    '''Nothing.'''\n    return\n    f(apps, schema_editor)\n\n"
    body += "def refuse(apps, schema_editor):\n    raise NotImplementedError('the old names are gone')\n\n"
    return django_read(body + f"class Migration(migrations.Migration):\n    operations = [{', '.join(given)}]\n")


def test_what_the_state_alone_is_told_hides_nothing_of_the_database() -> None:
    inner = "migrations.SeparateDatabaseAndState(database_operations=[migrations.DeleteModel('A')])"
    parsed = operations(f"migrations.SeparateDatabaseAndState([{inner}], state_operations=[])")
    assert [step.what for step in parsed.up] == ["drops model A"]


def test_an_operation_appended_afterwards_counts() -> None:
    text = "class Migration(migrations.Migration):\n    operations = []\n"
    text += "Migration.operations.append(migrations.DeleteModel('A'))\n"
    assert worst(django_read(text)) == "destroy"


def test_python_without_a_reverse_has_no_way_back() -> None:
    assert operations("migrations.AddField('a', 'b', models.TextField())", "migrations.RunPython(f)").down is None
    assert operations("migrations.RunSQL('UPDATE a SET b = 1')").down is None


def test_python_whose_reverse_does_nothing_is_not_undone() -> None:
    for reverse in ("migrations.RunPython.noop", "nothing", "lambda apps, editor: None"):
        parsed = operations(f"migrations.RunPython(f, {reverse})")
        assert worst(parsed) == "destroy"
        assert parsed.down == ()


def test_python_whose_reverse_stops_refuses() -> None:
    assert operations("migrations.RunPython(f, refuse)").refuses == "NotImplementedError: the old names are gone"


def test_a_default_of_django_is_none_of_the_database() -> None:
    parsed = operations("migrations.AddField('a', 'b', models.IntegerField(default=0))")
    assert [step.effect for step in parsed.up] == ["change"]
