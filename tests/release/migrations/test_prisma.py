"""Prisma: one folder a migration, and a way back only where the team wrote one."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.prisma import READER

FOLDER = "prisma/migrations/20240131093015_add_profile"
SQL = b"""/*
  Warnings:

  - Added the required column `profileId` to the `User` table without a default value.

*/
-- AlterTable
ALTER TABLE "User" ADD COLUMN     "profileId" INTEGER NOT NULL;

-- CreateTable
CREATE TABLE "Profile" (
    "id" SERIAL NOT NULL,
    "bio" TEXT,

    CONSTRAINT "Profile_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Profile_userId_key" ON "Profile"("userId");

-- AddForeignKey
ALTER TABLE "Profile" ADD CONSTRAINT "f" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT;
"""
REDEFINED = b"""PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_User" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "name" TEXT);
INSERT INTO "new_User" ("id", "name") SELECT "id", "name" FROM "User";
DROP TABLE "User";
ALTER TABLE "new_User" RENAME TO "User";
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{FOLDER}/migration.sql", True),
        (f"{FOLDER}/down.sql", True),
        ("migrations/0_init/migration.sql", True),
        (f"{FOLDER}/other.sql", False),
        ("prisma/migrations/migration.sql", False),
        ("prisma/migrations/migration_lock.toml", False),
        ("prisma/schema.prisma", False),
    ],
)
def test_claims(path: str, expected: bool) -> None:
    assert READER.claims(path) is expected


def test_what_migrate_dev_writes() -> None:
    (one,) = READER.read({f"{FOLDER}/migration.sql": SQL})
    assert (one.framework, one.id, one.group) == ("prisma", "20240131093015_add_profile", "prisma/migrations")
    assert [(step.effect, step.what) for step in one.up] == [
        ("change", 'adds column "User"."profileId", which must be given and has no default'),
        ("expand", 'creates table "Profile"'),
        ("expand", 'creates unique index "Profile_userId_key" on "Profile"'),
        ("expand", 'adds a constraint to "Profile": CONSTRAINT f FOREIGN KEY ( userId ) REFERENCES …'),
    ]
    assert one.down is None


def test_a_table_made_anew_in_sqlite() -> None:
    (one,) = READER.read({f"{FOLDER}/migration.sql": REDEFINED})
    assert [step.effect for step in one.up] == ["expand", "expand", "destroy", "expand"]


@pytest.mark.parametrize("name", ["down", "rollback"])
def test_a_way_back_that_the_team_wrote(name: str) -> None:
    files = {f"{FOLDER}/migration.sql": SQL, f"{FOLDER}/{name}.sql": b'DROP TABLE "Profile";'}
    (one,) = READER.read(files)
    assert one.paths == tuple(files)
    assert [step.effect for step in one.down or ()] == ["destroy"]


def test_an_empty_one_and_one_that_is_none() -> None:
    (one,) = READER.read({f"{FOLDER}/migration.sql": b"-- This is an empty migration."})
    assert (one.up, one.down) == ((), None)
    assert READER.read({f"{FOLDER}/down.sql": b""}) == ()
