"""What a backup's source says of where it is: told without secrets, compared with a place."""

from __future__ import annotations

import pytest

from rollback_guard.policy.sources import fits_place, is_place, named_source, without_secrets

DB = "postgresql://db.acme.example:5432/shop"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("$SHOP_DATABASE_URL", "$SHOP_DATABASE_URL"),
        ("$(vault read --field=url db)", "$(vault read --field=url db)"),
        ("postgresql://jane:s3cret@db.acme.example/shop?sslpassword=x#y", "postgresql://db.acme.example/shop"),
        ("postgresql://jane:s3@cret@db.acme.example", "postgresql://db.acme.example"),
        ("host=db user=jane password=s3cret", ""),
        ("/srv/uploads", "/srv/uploads"),
    ],
)
def test_a_source_is_told_without_secrets(written: str, told: str) -> None:
    assert named_source(written) == told
    assert "s3cret" not in without_secrets(told)


@pytest.mark.parametrize(
    ("written", "place", "fits"),
    [
        ("postgresql://jane:x@DB.acme.example/shop", DB, True),
        ("postgres://db.acme.example:5432/shop", DB, True),
        ("postgresql://db.acme.example:5433/shop", DB, False),
        ("postgresql://db.acme.example/stage", DB, False),
        ("postgresql://stage.acme.example/shop", DB, False),
        ("postgresql://one,db.acme.example/shop", DB, True),
        ("postgresql:///shop", DB, True),
        ("postgresql:///stage", DB, False),
        ("postgresql://db.acme.example", DB, True),
        ("postgresql://db.acme.example/sh%6Fp", DB, True),
        ("postgresql://[::1]/shop", "postgresql://[::1]:5432/shop", True),
        ("postgresql://db.acme.example:/shop", DB, True),
        ("postgresql://%2Frun%2Fpg/shop", "postgresql://%2Frun%2Fpg:5432/shop", True),
        ("postgresql://db.acme.example/shop", "mariadb://db.acme.example:5432/shop", False),
        ("postgresql://db.acme.example/shop", "nonsense", False),
        ("mysql://db.acme.example/shop", "mariadb://db.acme.example:3306/shop", True),
        ("postgresql:///shop?host=/run/pg&user=x", DB, None),
        ("postgresql://?service=shop", DB, None),
        ("postgresql://", DB, None),
        ("service=shop", DB, None),
        ("$SHOP_DATABASE_URL", DB, None),
        ("/srv/shop.db", "sqlite:/srv/shop.db", True),
        ("sqlite:///srv/./shop.db", "sqlite:/srv/shop.db", True),
        ("/srv/stage.db", "sqlite:/srv/shop.db", False),
        ("./data/shop.db", "sqlite:/home/ci/data/shop.db", True),
        ("../data/shop.db", "sqlite:/home/ci/data/shop.db", True),
        ("p.db", "sqlite:/srv/shop.db", False),
        ("shop.db", "directory:/srv/shop.db", False),
        ("..", "sqlite:/srv/shop.db", None),
        (".", "sqlite:/srv/shop.db", None),
        ("$HOME", "sqlite:/srv/shop.db", None),
    ],
)
def test_what_a_source_says_of_its_place(written: str, place: str, fits: bool | None) -> None:
    engine = "sqlite" if "sqlite" in place or "directory" in place else written.partition(":")[0]
    engine = {"postgres": "postgresql", "mysql": "mariadb"}.get(engine, engine)
    engine = engine if engine in ("sqlite", "mariadb") else "postgresql"
    assert fits_place(place, engine, written) is fits


@pytest.mark.parametrize(
    ("engine", "text", "complete"),
    [
        ("postgresql", DB, True),
        ("postgresql", "postgresql://db.acme.example", True),
        ("postgresql", "postgresql:///shop", True),
        ("postgresql", "postgresql://", False),
        ("postgresql", "postgresql://jane@db/shop", False),
        ("postgresql", "postgresql://db/shop?x=1", False),
        ("postgresql", "mariadb://db/shop", False),
        ("sqlite", "sqlite:/srv/shop.db", True),
        ("sqlite", "sqlite:shop.db", False),
        ("directory", "directory:/", False),
        ("directory", "directory:/a\nb", False),
    ],
)
def test_what_is_a_place(engine: str, text: str, complete: bool) -> None:
    assert is_place(engine, text) is complete
