"""The shop of `guard demo`: its policy, its migrations, its people."""

from __future__ import annotations

POLICY = """\
version = 1

[production]
branches = ["main"]

[[route]]
into = "main"
from = ["release/*", "hotfix/*"]

[people.jane]
name = "Jane Doe"
emails = ["jane@acme.example"]

[people.omar]
name = "Omar Haddad"
emails = ["omar@acme.example", "omar@home.example"]

[people.quinn]
name = "Quinn Lee"
emails = ["quinn@acme.example"]

[people.uma]
name = "Uma Patel"
emails = ["uma@acme.example"]

[teams]
developers = ["jane", "omar"]
qa = ["quinn"]
business = ["uma"]

[[sign-off]]
role = "review"
trailer = "Reviewed-by"
by = ["@developers"]
proof = "trailer"

[[sign-off]]
role = "qa"
trailer = "QA-by"
by = ["@qa"]
proof = "trailer"

[[sign-off]]
role = "uat"
trailer = "UAT-by"
by = ["@business"]
proof = "trailer"

[release]
by = ["jane"]
"""
SMOKE = """
[[smoke]]
name = "front-page"
run = ["grep", "-q", "^price = ", "app.py"]
"""
# Relative paths are so to the clone and to the server's repository, which lie beside one another.
BACKUPS = """
[[backup]]
name = "shop-db"
engine = "sqlite"
source = "../production/shop.db"
by = ["jane"]
max-age = "1h"
store = "file:../backups"

[[backup]]
name = "uploads"
engine = "directory"
source = "../production/uploads"
by = ["jane"]
max-age = "1h"
store = "file:../backups"
"""
MIGRATION = "db/migrations/20261122120000_no_prices.sql"
NO_PRICES = """\
-- migrate:up
UPDATE orders SET price = 0;
-- migrate:down
"""
MIGRATE = """\
import sqlite3, sys

text = open(sys.argv[1]).read().partition("-- migrate:down")[0]
with sqlite3.connect("../production/shop.db") as database:
    database.executescript(text)
"""
FIRST = "db/migrations/20260101120000_orders.sql"
CREATE_TABLE = """\
-- migrate:up
CREATE TABLE orders (id bigint PRIMARY KEY, price integer NOT NULL);
-- migrate:down
DROP TABLE orders;
"""
SIGN_OFFS = (
    "Reviewed-by: Omar Haddad <omar@acme.example>",
    "QA-by: Quinn Lee <quinn@acme.example>",
    "UAT-by: Uma Patel <uma@acme.example>",
)
PEOPLE = ("jane", "omar", "quinn", "uma")
SIGNERS = (("omar", "review"), ("quinn", "qa"), ("uma", "uat"))


def signing_policy(keys: dict[str, str]) -> str:
    """The policy with everybody's public key, where roles and stable releases ask for signatures."""
    text = POLICY.replace('proof = "trailer"', 'proof = "signature"') + "signed = true\n"
    for person, key in keys.items():
        text = text.replace(f"[people.{person}]\n", f"[people.{person}]\nkeys = ['{key}']\n")
    return text + BACKUPS + SMOKE
