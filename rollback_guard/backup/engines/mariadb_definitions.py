"""What of a database is code: views, routines, triggers and events, read as bytes and written as SQL again.

The dump program is not asked for them. It writes `ALTER DATABASE` with the name of the source around some, which would
reach into production from beside it; it repeats a trigger that names its own database; it writes views by name, so that
one WITH CHECK OPTION comes before what it looks at, and fails; and an event would begin to run where it is restored.
Here nothing names a database, and events come up only where the session did not set `@rollback_guard_held`; what they
should be is then noted in a table `_rollback_guard`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rollback_guard.backup.engines.mariadb_connection import identifier
from rollback_guard.backup.engines.mariadb_tables import OURS
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollback_guard.backup.engines.mariadb_connection import Row, Session

ROUTINES = ("PROCEDURE", "FUNCTION", "PACKAGE", "PACKAGE BODY")
HELD = OURS[0]
_BODY = re.compile(rb"\bFOR\s+EACH\s+ROW\b", re.IGNORECASE)
_ORDER = re.compile(rb"\s*(?:FOLLOWS|PRECEDES)\s+(?:`(?:[^`]|``)+`|[^\s`]+)", re.IGNORECASE)
_STATUS = re.compile(rb"( ON COMPLETION (?:NOT )?PRESERVE )(ENABLE|DISABLE ON SLAVE|DISABLE ON REPLICA|DISABLE)( )")
_PLAIN = (
    "SET SESSION character_set_client = utf8mb4, collation_connection = utf8mb4_general_ci, sql_mode = '',"
    " time_zone = '+00:00'"
)
_WORDS = {"ENABLED": "ENABLE", "DISABLED": "DISABLE", "SLAVESIDE_DISABLED": "DISABLE ON SLAVE"}


class Definition(NamedTuple):
    """One piece of code, and the settings under which it was written. An event's statement is of one that is off."""

    kind: str  # VIEW, PROCEDURE, FUNCTION, PACKAGE, PACKAGE BODY, TRIGGER, EVENT
    name: str
    statement: bytes
    mode: str = ""  # sql_mode
    client: str = "utf8mb4"  # character_set_client
    connection: str = ""  # collation_connection
    database: str = ""  # collation of the database, when it was written
    zone: str = ""  # time_zone, of an event
    status: str = ""  # of an event: what it is meant to be
    definer: str = ""  # of an event
    table: str = ""  # of a trigger

    @property
    def drop(self) -> str:
        """The statement that removes it, if it is there."""
        return f"DROP {self.kind} IF EXISTS {identifier(self.name)}"

    @property
    def settings(self) -> str:
        """The statement that brings its settings about: one, because a swap waits for each."""
        found = [f"character_set_client = {self.client}"]
        found += [f"collation_connection = {self.connection}"] if self.connection else []
        found += [f"sql_mode = '{self.mode}'"]
        found += [f"time_zone = '{self.zone}'"] if self.zone else []
        return "SET SESSION " + ", ".join(found)

    @property
    def awake(self) -> str:
        """The statement that gives an event the status that it is meant to have; "" where it has it."""
        if self.status not in _WORDS or self.status == "DISABLED":
            return ""
        return f"ALTER DEFINER={self.definer} EVENT {identifier(self.name)} {_WORDS[self.status]}"

    def on(self, table: str) -> Definition:
        """A trigger as it would be on a table of another name."""
        was, now = (f" ON {identifier(one)} FOR EACH ROW".encode() for one in (self.table, table))
        return self._replace(statement=self.statement.replace(was, now, 1), table=table)


def collect_definitions(session: Session) -> tuple[Definition, ...]:
    """All of the session's database, in an order in which they can be written again, views last.

    Raises: UndeterminedError where this user may not read one of them.
    """
    name = session.quote(session.address.database)
    routines = session.rows(
        "SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES"
        f" WHERE ROUTINE_SCHEMA = {name} ORDER BY ROUTINE_TYPE, ROUTINE_NAME"
    )
    triggers = session.rows(
        "SELECT TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, EVENT_OBJECT_TABLE, DEFINER"
        f" FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {name}"
        " ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER"
    )
    events = session.rows(
        f"SELECT EVENT_NAME, STATUS, DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {name} ORDER BY 1"
    )
    views = session.rows(f"SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {name} ORDER BY 1")
    held = held_events(session) if events else {}
    with session.raw():
        found = [_routine(session, str(kind), str(one)) for kind, one in routines]
        found += [_trigger(session, row) for row in triggers]
        found += [_event(session, row, held) for row in events]
        found += _ordered([_view(session, str(row[0])) for row in views])
    return tuple(found)


def _ordered(views: Sequence[Definition]) -> list[Definition]:
    """Each after those that it looks at. In the server's own text a column is always told with its table."""
    uses = {}
    for one in views:
        others = [other for other in views if other is not one]
        uses[one.name] = [
            other
            for other in others
            if re.search(rb"(?<!\.)(?<! AS )" + re.escape(identifier(other.name).encode()) + rb"(?!\.)", one.statement)
        ]
    found: dict[str, Definition] = {}

    def add(one: Definition, above: frozenset[str]) -> None:
        for other in uses[one.name]:
            if other.name not in above:
                add(other, above | {one.name})
        found.setdefault(one.name, one)

    for one in views:
        add(one, frozenset({one.name}))
    return list(found.values())


def held_events(session: Session) -> dict[str, str]:
    """What events are meant to be that were put to sleep beside a source: name to status."""
    if not session.rows(f"SHOW TABLES LIKE '{HELD}'"):
        return {}
    return {str(name): str(status) for name, status in session.rows(f"SELECT name, status FROM {HELD}")}


def _shown(session: Session, kind: str, name: str) -> list[bytes]:
    """What SHOW CREATE says."""
    row = session.rows(f"SHOW CREATE {kind} {identifier(name)}")[0]
    if any(one is None for one in row):
        raise UndeterminedError(
            f"the {kind.lower()} {name} may not be read by the backup's user",
            remedy="GRANT SELECT ON mysql.proc TO the backup's user",
        )
    return [bytes(one) if isinstance(one, (bytes, bytearray)) else str(one).encode() for one in row]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _routine(session: Session, kind: str, name: str) -> Definition:
    _, mode, statement, client, connection, database = _shown(session, kind, name)[:6]
    return Definition(kind, name, statement, _text(mode), _text(client), _text(connection), _text(database))


def _trigger(session: Session, row: Row) -> Definition:
    """Its head is written anew, for the original may name the database; its place among others is the order."""
    name, timing, event, table, definer = (str(one) for one in row)
    _, mode, statement, client, connection, database = _shown(session, "TRIGGER", name)[:6]
    start = _BODY.search(statement)
    body = statement[start.end() :] if start else b""
    clause = _ORDER.match(body)
    head = f"CREATE DEFINER={_account(definer)} TRIGGER {identifier(name)} {timing} {event} ON {identifier(table)}"
    whole = head.encode() + b" FOR EACH ROW" + body[clause.end() if clause else 0 :]
    settings = (_text(mode), _text(client), _text(connection), _text(database))
    return Definition("TRIGGER", name, whole, *settings, table=table)


def _event(session: Session, row: Row, held: dict[str, str]) -> Definition:
    name, status, definer = (str(one) for one in row)
    _, mode, zone, statement, client, connection, database = _shown(session, "EVENT", name)[:7]
    whole = _STATUS.sub(rb"\1DISABLE\3", statement, count=1)
    settings = (_text(mode), _text(client), _text(connection), _text(database), _text(zone))
    return Definition("EVENT", name, whole, *settings, status=held.get(name, status), definer=_account(definer))


def _view(session: Session, name: str) -> Definition:
    _, statement, client, connection = _shown(session, "VIEW", name)[:4]
    return Definition("VIEW", name, statement, client=_text(client), connection=_text(connection))


def _account(definer: str) -> str:
    """`user@host`, or a role, as SQL has it."""
    user, at, host = definer.rpartition("@")
    return f"{identifier(user)}@{identifier(host)}" if at else identifier(definer)


def passing(definition: Definition) -> bool:
    """Whether an event removes itself at a certain time, so that a copy may lack it rightly."""
    head = definition.statement.partition(b" ON COMPLETION ")
    ends = re.search(rb" ON SCHEDULE (?:AT |.* ENDS )", head[0]) is not None
    return definition.kind == "EVENT" and ends and head[2].startswith(b"NOT ")


def render_script(definitions: Sequence[Definition], dialect: str, collation: str) -> Iterator[bytes]:
    """SQL for the client program. `collation`: what the database itself has, and has again afterwards."""
    for one in definitions:
        end = next(text for text in (";;", "//", "$$", "//guard//") if text.encode() not in one.statement)
        moved = one.database not in ("", collation)
        statements = [one.settings.encode()]
        statements += [_database(one.database)] if moved else []
        statements += [one.statement]
        statements += _conditional(one, dialect)
        statements += [_database(collation)] if moved else []
        yield f"DELIMITER {end}\n".encode()
        yield b"".join(text + f"\n{end}\n".encode() for text in statements)
        yield b"DELIMITER ;\nSET time_zone = '+00:00';\nSET NAMES utf8mb4;\n"


def _database(collation: str) -> bytes:
    return f"ALTER DATABASE COLLATE {collation}".encode()


def _conditional(event: Definition, dialect: str) -> list[bytes]:
    """An event gets up, or it is noted that it should; MySQL has conditions in routines alone."""
    if not event.awake:
        return []
    note = f"INSERT INTO {HELD} VALUES ({_hex(event.name)}, '{event.status}')"
    block = f"IF @rollback_guard_held IS NULL THEN {event.awake}; ELSE {note}; END IF"
    if dialect == "mariadb":
        return [f"BEGIN NOT ATOMIC {block}; END".encode()]
    made = f"CREATE PROCEDURE {HELD}() BEGIN {block}; END"
    return [text.encode() for text in (made, f"CALL {HELD}()", f"DROP PROCEDURE {HELD}")]


def _hex(text: str) -> str:
    return f"_utf8mb4 0x{text.encode().hex()}"


def write_definition(session: Session, definition: Definition, *, held: bool) -> None:
    """Put it into the session's database, in place of what bears its name. `held`: events sleep, and it is noted."""
    current = str(session.value("SELECT @@collation_database"))
    moved = definition.database not in ("", current)
    replaced = definition.kind in ROUTINES and session.address.dialect == "mariadb"  # dropped, its grants were lost
    if not replaced:
        session.run(definition.drop)
    try:
        if moved:
            session.run(_database(definition.database))
        session.run(definition.settings)
        statement = definition.statement
        session.run(statement.replace(b"CREATE ", b"CREATE OR REPLACE ", 1) if replaced else statement)
        if definition.awake and not held:
            session.run(definition.awake)
    finally:
        session.run(_PLAIN)
        if moved:
            session.run(_database(current))
    if definition.awake and held:
        session.run(f"REPLACE INTO {HELD} VALUES ({_hex(definition.name)}, '{definition.status}')")
