"""What is said of a backup and of a restore, where engines differ."""

from __future__ import annotations

import pytest

from rollback_guard.backup.model import Artefact, Difference, Fingerprint, Identity, Loss, Record, Restore
from rollback_guard.report.backup_text import Row, render_list, render_loss, render_restored, render_taken

PLACE = "postgresql://db.acme.example:5432/shop"


def record(*uncovered: str) -> Record:
    return Record(
        id="20261127T183000Z-3f9a1c",
        set="20261127T183000Z-3f9a1c",
        name="shop-db",
        identity=Identity("postgresql", PLACE),
        source="$SHOP",
        commit="",
        begun=0.0,
        snapshot=0.0,
        ended=0.0,
        position="",
        artefact=Artefact("shop-db/x.dump.zst", "0" * 64, 10, 20),
        fingerprint=Fingerprint((), uncovered),
    )


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        (PLACE, "the database failed_1 on the same server"),
        ("mariadb://localhost/shop?socket=/run/s", "the database failed_1 on the same server"),
        ("sqlite:/srv/shop.db", "/srv/shop.db.failed_1"),
        ("directory:/srv/uploads", "/srv/uploads.failed_1"),
        ("", "failed_1"),
    ],
)
def test_where_what_failed_is_now(place: str, kept: str) -> None:
    restore = Restore("shop-db-1", "20261127T183000Z-3f9a1c", "shop-db", "restored_1", "failed_1", "done", 0.0)
    said = render_restored(restore, place)
    assert said.endswith(f"\n  what was there before is kept: {kept}")
    assert "nobody could reach it" not in said
    assert "nobody could reach it" not in render_restored(restore._replace(downtime=0.0), place)  # done before
    assert "nobody could reach it for 0.25 s" in render_restored(restore._replace(downtime=0.25), place)


def test_what_is_not_covered_is_said_in_few_lines() -> None:
    few = render_taken(record("one", "two", "three"), None, "compared", "")
    assert few.count("not covered: ") == 3
    many = record("one", "two", "three", "four")
    assert render_taken(many, None, "compared", "ab" * 32).endswith(
        "  not covered: one, and 3 more: guard evidence show abababababab"
    )
    assert render_taken(many, None, "compared", "").endswith("  not covered: one, and 3 more: --format json")


def test_what_would_be_lost_is_called_by_its_kind() -> None:
    lost = Loss(
        60.0,
        (
            Difference("content", "table", "orders", "missing", (3, None)),
            Difference("content", "sequence", "orders_id", "missing"),
        ),
    )
    said = render_loss(record(), lost, PLACE)
    assert "  since then: orders is gone, it had 3 rows\n  since then: sequence orders_id is gone" in said
    unknown = render_loss(record(), Loss(60.0, ()), PLACE, known=False)
    assert unknown.endswith("what would be lost is not known")


def test_an_empty_list_says_what_to_do() -> None:
    assert render_list((), (), 0.0) == "There is no backup\n→ guard backup create"


def test_which_commit_a_backup_protects_is_said() -> None:
    taken = record()._replace(commit="ab" * 20)
    row = Row(taken, "file:/b", "compared")
    assert render_list((row,), (), 0.0).endswith("compared  good  at abababababab  file:/b")
    assert render_list((row._replace(record=record()),), (), 0.0).endswith("good  file:/b")
    assert "  taken while production was at abababababab" in render_loss(taken, Loss(0.0, ()), PLACE)


def test_of_many_tables_the_first_are_named() -> None:
    changed = tuple(Difference("content", "table", f"t{number}", "changed", (1, 2)) for number in range(13))
    said = render_loss(record(), Loss(seconds=60, differences=changed), PLACE)
    assert said.count("since then:") == 10
    assert "and 3 more" in said
