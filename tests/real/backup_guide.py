"""The shop that docs/backups.md is about: a server of each kind, a file, a folder, and the clone of who reads it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import time
from pathlib import Path
from unittest import mock

import zstandard

from tests.support.builder import RepositoryBuilder
from tests.support.commands import guard
from tests.support.killing import Step, kill
from tests.support.mariadb import Server as MariaDBServer
from tests.support.mariadb import opened, rows_of, url_of
from tests.support.pages import guard_on_path
from tests.support.postgres import SUPERUSER
from tests.support.postgres import Server as PostgreSQLServer
from tests.support.servers import NAME, Server
from tests.support.signing import key_of, public_key

POLICY = """\
version = 1

[production]
branches = ["main"]
repositories = ["{name}"]

[[route]]
into = "main"
from = ["release/*"]

[people.jane]
name = "Jane Doe"
emails = ["jane@acme.example"]
keys = ['{jane}']

[people.omar]
name = "Omar Haddad"
emails = ["omar@acme.example"]
keys = ['{omar}']

[teams]
release = ["jane"]

[[sign-off]]
role = "review"
trailer = "Reviewed-by"
by = ["jane", "omar"]
proof = "trailer"

[release]
by = ["@release"]

"""
_BLOCK = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def policies_of(page: str) -> list[str]:
    """The entries of a policy that a page shows."""
    return _BLOCK.findall(page)


class Shop:
    """What is backed up. `places`: paths and the like as the page has them, and as they are here."""

    def __init__(self, folder: Path, postgres: PostgreSQLServer, mariadb: MariaDBServer) -> None:
        self.folder, self.postgres, self.mariadb = folder, postgres, mariadb
        self.srv = folder / "srv"
        self.places = {
            "/srv/shop": str(self.srv),
            "/var/backups/shop": str(folder / "backups"),
            "/etc/guard": str(folder / "etc"),
            "/run/postgresql": postgres.folder,
            "/run/mysqld/mysqld.sock": mariadb.address.socket,
        }
        self.env = {
            **guard_on_path(folder / "bin"),
            "HOME": str(folder / "home"),
            "SHOP_DATABASE_URL": postgres.url("shop"),
        }
        self._sources()
        self._secrets()

    def _sources(self) -> None:
        self.postgres.run("DROP DATABASE IF EXISTS shop WITH (FORCE)", "CREATE DATABASE shop")
        self.postgres.run(
            "CREATE TABLE customer (id bigint PRIMARY KEY, name text NOT NULL)",
            "CREATE TABLE orders (id bigserial PRIMARY KEY, customer bigint REFERENCES customer, total numeric(10,2))",
            "INSERT INTO customer SELECT n, 'customer ' || n FROM generate_series(1, 50) n",
            "INSERT INTO orders (customer, total) SELECT 1 + n % 50, n * 1.1 FROM generate_series(1, 4200) n",
            database="shop",
        )
        self.mariadb.run("DROP DATABASE IF EXISTS legacy", "CREATE DATABASE legacy CHARACTER SET utf8mb4")
        self.mariadb.run(
            "CREATE TABLE invoice (id INT PRIMARY KEY AUTO_INCREMENT, total DECIMAL(10,2)) ENGINE=InnoDB",
            "INSERT INTO invoice (total) SELECT seq * 1.1 FROM seq_1_to_300",
            "CREATE PROCEDURE paid(wanted INT) DELETE FROM invoice WHERE id = wanted",
            database="legacy",
        )
        (self.srv / "uploads" / "2026").mkdir(parents=True)
        for number in range(40):
            (self.srv / "uploads" / "2026" / f"{number}.txt").write_text(f"upload {number}\n" * 20)
        self.settings("CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT)")
        self.settings("INSERT INTO setting VALUES ('currency', 'EUR'), ('theme', 'dark')")

    def _secrets(self) -> None:
        for name in ("etc", "home", "backups"):
            (self.folder / name).mkdir()
        (self.folder / "etc" / "legacy-url").write_text(url_of(self.mariadb, "legacy") + "\n")
        (self.folder / "etc" / "legacy-url").chmod(0o600)

    def settings(self, statement: str) -> None:
        """Run a statement in the SQLite database, as the application does."""
        connection = sqlite3.connect(self.srv / "settings.db")
        try:
            with connection:
                connection.execute(statement)
        finally:
            connection.close()

    def here(self, text: str) -> str:
        """A text of the page, with the paths that are here."""
        for shown, place in self.places.items():
            text = text.replace(shown, place)
        return text

    def clone(self, entries: str) -> RepositoryBuilder:
        """The clone in which the page is read, its policy being that of the page; origin is a guarded server."""
        omar = RepositoryBuilder(self.folder / "omar")
        omar.clock = int(time.time()) - 86_400
        text = POLICY.format(name=NAME, jane=public_key("jane"), omar=public_key("omar"))
        omar.write_file("rollback-guard.toml", text + self.here(entries))
        script = omar.path / "check-uploads.sh"
        script.write_text('test -s "$GUARD_SCRATCH/2026/7.txt"\n')
        omar.commit("Begin the shop", by="jane", app_dot_py="price = 1\n")
        omar.stable_tag("stable/2026.11.20.1", "main")
        server = Server(self.folder / "server.git")
        server.takes(omar, "main", "refs/tags/*")
        server.guarded()
        omar.git("clone", "-q", server.url, str(self.folder / "shop"))
        self.jane = jane = RepositoryBuilder(self.folder / "shop")
        jane.clock = int(time.time()) - 600
        settings = {
            "gpg.format": "ssh",
            "user.signingKey": key_of("jane"),
            "user.name": "Jane Doe",
            "user.email": "jane@acme.example",
            "rollback-guard.repository": NAME,
        }
        for name, value in settings.items():
            jane.git("config", name, value)
        jane.branch("release/1.5")
        jane.commit("Release 1.5\n\nReviewed-by: Omar Haddad <omar@acme.example>", by="jane", app_dot_py="price = 2\n")
        jane.checkout("main")
        return jane

    def something_fails(self) -> None:
        """A release deletes what it should not, in the database and in the folder."""
        self.postgres.run(
            "DELETE FROM orders WHERE id % 3 = 0", "ALTER TABLE orders ADD COLUMN discount int", database="shop"
        )
        self.mariadb.run("DELETE FROM invoice WHERE id > 290", "DROP PROCEDURE paid", database="legacy")
        (self.srv / "uploads" / "2026" / "7.txt").unlink()
        (self.srv / "uploads" / "2026" / "new.txt").write_text("new\n")

    def is_cut_short(self) -> None:
        """Somebody pulls the plug in the middle of a restore: once the databases have changed places."""
        self.postgres.run("DELETE FROM orders", database="shop")
        step = Step("backup.engines.postgresql", "exchange", "after")
        with mock.patch.dict(os.environ, self.env):
            kill(self.jane.path, step, "backup", "restore", "shop-db", "--yes")

    def goes_on(self) -> None:
        """A release lands, is backed up twice, and the day goes on."""
        self.jane.commit("Go on", by="jane", more_dot_py="more = 1\n")
        with mock.patch.dict(os.environ, self.env):
            for _ in range(2):
                said = guard(self.jane.path, "backup", "create", "shop-db")
                assert said.code == 0, said.err

    def encrypts(self, entry: str) -> None:
        """The policy's entry for the settings is that of the page, with a key that opens it."""
        import pyrage

        key = pyrage.x25519.Identity.generate()
        path = self.folder / "etc" / "restore-key.txt"
        path.write_text(f"# public key: {key.to_public()}\n{key}\n")
        path.chmod(0o600)
        before = self.jane.path.joinpath("rollback-guard.toml").read_text()
        own = re.compile(r'^\[\[backup\]\]\nname = "settings"\n.*?(?=^\[\[|\Z)', re.MULTILINE | re.DOTALL)
        recipient = re.sub(r"age1\w+", str(key.to_public()), self.here(entry))
        self.jane.write_file("rollback-guard.toml", own.sub(recipient + "\n", before))
        self.jane.commit("Encrypt what settings hold", by="jane")

    def restores_by_hand(self) -> None:
        """The newest artefacts are what the databases' own programs read, without us."""
        self.postgres.run("CREATE DATABASE restored_by_hand")
        command = [f"{self.postgres.programs}/pg_restore", "--exit-on-error", "--no-owner", "-d", "restored_by_hand"]
        self._pour("shop-db", ".dump.zst", [*command, "-h", self.postgres.folder, "-U", SUPERUSER])
        assert self.postgres.value("SELECT count(*) FROM orders", "restored_by_hand") == 4200
        self.mariadb.run("CREATE DATABASE restored_by_hand")
        socket = f"--socket={self.mariadb.address.socket}"
        self._pour("legacy", ".sql.zst", ["mariadb", "--no-defaults", socket, "-uroot", "restored_by_hand"])
        assert rows_of(self.mariadb, "restored_by_hand", "SELECT count(*) FROM invoice") == [(300,)]
        folder = self.folder / "again"
        folder.mkdir()
        self._pour("uploads", ".tar.zst", ["tar", "-x", "-C", str(folder)])
        assert (folder / "2026" / "7.txt").read_bytes() == (self.srv / "uploads/2026/7.txt").read_bytes()

    def _pour(self, name: str, suffix: str, command: list[str]) -> None:
        newest = max((self.folder / "backups" / name).glob(f"*{suffix}"))
        with newest.open("rb") as file:
            content = zstandard.ZstdDecompressor().stream_reader(file).read()
        subprocess.run(command, input=content, stderr=subprocess.DEVNULL, check=True)

    def drop_databases(self) -> None:
        """What stays of the restores."""
        for name in self.postgres_databases():
            self.postgres.run(f'DROP DATABASE "{name}" WITH (FORCE)')
        with opened(self.mariadb) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW DATABASES")
            for (name,) in cursor.fetchall():
                if name == "legacy" or name.startswith(("restored_", "failed_")):
                    cursor.execute(f"DROP DATABASE `{name}`")

    def postgres_databases(self) -> list[str]:
        """Databases of the shop on the server."""
        found = self.postgres.value(
            "SELECT string_agg(datname, ' ') FROM pg_database WHERE datname ~ '^(shop$|restored_|failed_)'"
        )
        return str(found or "").split()
