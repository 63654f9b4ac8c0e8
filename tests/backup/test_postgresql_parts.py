"""The parts of the PostgreSQL engine that need no server: archives, connection strings, programs, what errors mean."""

from __future__ import annotations

import doctest
import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from rollback_guard.backup.engines import (
    postgresql_archive,
    postgresql_connection,
    postgresql_parameters,
    postgresql_programs,
    postgresql_swap,
)
from rollback_guard.backup.engines.postgresql_archive import Entry, Head, read_head, read_options, read_roles
from rollback_guard.backup.engines.postgresql_failures import failure
from rollback_guard.errors import UndeterminedError


@pytest.mark.parametrize(
    "module",
    [postgresql_connection, postgresql_parameters, postgresql_programs, postgresql_swap],
    ids=lambda m: m.__name__,
)
def test_examples_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


def head(*entries: tuple[str, str]) -> Head:
    """An archive that holds only what is looked for."""
    return Head(b"", "15", "15", tuple(Entry(kind, "", "", "owner", text) for kind, text in entries))


def test_roles_are_found_wherever_they_stand() -> None:
    found = read_roles(
        head(
            ("ACL", 'GRANT SELECT ON TABLE public.a TO reader;\nREVOKE ALL ON TABLE b FROM "Odd ""one""";\n'),
            ("ACL", "GRANT ALL ON SCHEMA public TO PUBLIC;\nGRANT SELECT(a) ON TABLE b TO c WITH GRANT OPTION;\n"),
            ("DEFAULT ACL", "ALTER DEFAULT PRIVILEGES FOR ROLE d IN SCHEMA s GRANT SELECT ON TABLES TO e;\n"),
            ("POLICY", 'CREATE POLICY p ON s."t t" AS RESTRICTIVE FOR SELECT TO f, "g g" USING (true);\n'),
            ("POLICY", "CREATE POLICY p ON s.t USING ((a) IN (SELECT b FROM nobody));\n"),
        )
    )
    assert found == {"owner", "reader", 'Odd "one"', "c", "d", "e", "f", "g g"}


def test_how_the_database_was_made() -> None:
    written = "CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' TABLESPACE = fast LOCALE = 'C';\n"
    assert read_options(head(("DATABASE", written))) == "TEMPLATE = template0 ENCODING = 'UTF8' LOCALE = 'C'"
    assert read_options(head(("ACL", ""))) == ""


def number(value: int) -> bytes:
    """A number as an archive has it."""
    return bytes([value < 0]) + abs(value).to_bytes(4, "little")


def text(value: bytes) -> bytes:
    return number(len(value)) + value


@pytest.mark.parametrize("minor", [13, 14, 15, 16])
def test_every_format_that_a_pg_dump_of_today_writes_or_reads(minor: int) -> None:
    written = b"PGDMP" + bytes([1, minor, 0, 4, 8, 1]) + (b"\0" if minor >= 15 else number(-1)) + number(0) * 7
    written += text(b"shop") + text(b"15.1") + text(b"15.2") + number(1)
    written += number(1) + number(1) + text(b"0") * 2 + text(b"s") + text(b"SEQUENCE SET") + number(3)
    written += text(b"SELECT pg_catalog.setval('public.s', -5, false);\n") + text(b"") * 2 + text(b"public") + text(b"")
    written += (
        (text(b"") if minor >= 14 else b"") + (number(0) if minor >= 16 else b"") + text(b"jane") + text(b"false")
    )
    written += text(b"7") + number(-1) + b"\x01" + bytes(8)
    found = read_head(io.BytesIO(written + b"data"))
    assert found == Head(written + b"data", "15.1", "15.2", found.entries)
    assert postgresql_archive.read_sequences(found) == {("public", "s"): ("-5", "false")}
    assert found.entries[0].owner == "jane"


def test_a_length_that_cannot_be() -> None:
    with pytest.raises(UndeterminedError, match="damaged"):
        read_head(io.BytesIO(b"PGDMP\x01\x0e\x00\x04\x08\x01" + number(0) * 8 + number(1 << 30)))


def test_programs_that_are_none_and_debians_wrapper_are_passed_by(tmp_path: Path) -> None:
    for folder, body in (("silent", "exit 0"), ("wrapper", "echo 'pg_dump (PostgreSQL) 99.1'"), ("broken", None)):
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / ("pg_wrapper" if folder == "wrapper" else "pg_dump")
        file.write_bytes(b"\x7fELF" if body is None else f"#!/bin/sh\n{body}\n".encode())
        file.chmod(0o755)
    (tmp_path / "wrapper" / "pg_dump").symlink_to(tmp_path / "wrapper" / "pg_wrapper")
    path = os.pathsep.join(str(tmp_path / name) for name in ("silent", "wrapper", "broken", "")) + os.pathsep
    found = postgresql_programs.find_programs("pg_dump", {"PATH": path})
    assert not [one for one in found if str(tmp_path) in one.path or one.major == 99]


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (b'pg_restore: error: could not execute query: ERROR:  role "x" does not exist\n', "a role is missing"),
        (b'ERROR:  extension "postgis" is not available\n', "an extension is missing"),
        (b"FATAL:  terminating connection due to administrator command\n", "the connection was lost"),
        (b'ERROR:  invalid input syntax for type integer: "4111 1111"\n', "is not told"),
    ],
)
def test_what_a_program_says_is_told_in_our_words(said: bytes, meaning: str) -> None:
    error = failure("pg_restore", 1, b"from TOC entry 4; 1259 5 TABLE DATA odd name jane\n" + said)
    assert error.message.startswith("pg_restore failed at TABLE DATA odd name")
    assert meaning in error.message
    assert "4111" not in error.message
    assert error.remedy


def test_errors_that_nobody_foresaw_name_their_kind_alone() -> None:
    error = postgresql_connection.meaning_of(psycopg.errors.NumericValueOutOfRange("4111"), "reading")
    assert error.message == "reading failed: NumericValueOutOfRange (22003)"
    lost = postgresql_connection.meaning_of(psycopg.OperationalError("4111"), "reading")
    assert lost.message == "reading failed: the connection was lost"


def test_a_server_is_reached_again_at_the_address_it_had() -> None:
    info = SimpleNamespace(host="db", hostaddr="10.0.0.1", port=5433, user="jane", dbname="shop", password="s3cret")
    again = postgresql_connection.fixed({"host": "a,db", "hostaddr": "x"}, SimpleNamespace(info=info))  # type: ignore[arg-type]
    assert again == {
        "host": "db",
        "hostaddr": "10.0.0.1",
        "port": "5433",
        "user": "jane",
        "dbname": "shop",
        "password": "s3cret",
    }
    assert postgresql_parameters.place_of("::1", 5432, "shop", "jane") == "postgresql://jane@[::1]:5432/shop"


def test_providers_of_collations_are_kept() -> None:
    class Rows:
        description = True

        def __init__(self, *rows: tuple[Any, ...]) -> None:
            self._rows = rows

        def fetchall(self) -> tuple[tuple[Any, ...], ...]:
            return self._rows

    answers = [Rows(("O", "i", "C", "C", "de", "&a < b")), Rows(), Rows()]
    session: Any = SimpleNamespace(execute=lambda _: answers.pop(0))
    options, statements = postgresql_swap.read_properties(session, "a", "b")
    assert options == "O LC_COLLATE = 'C' LC_CTYPE = 'C' LOCALE_PROVIDER = icu ICU_LOCALE = 'de' ICU_RULES = '&a < b'"
    assert statements == []
    with pytest.raises(UndeterminedError, match="not on its server any more"):
        postgresql_swap.read_properties(SimpleNamespace(execute=lambda _: Rows()), "a", "b")  # type: ignore[arg-type]
