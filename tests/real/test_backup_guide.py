"""docs/backups.md: whoever runs backups follows it from top to bottom, and sees what the page shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rollback_guard.policy.read import read_policy
from tests.real.backup_guide import POLICY, Shop, policies_of
from tests.support import mariadb
from tests.support.architecture import ROOT
from tests.support.pages import Reader, sections_of
from tests.support.postgres import Server, postgres_15
from tests.support.requirements import missing

__all__ = ["postgres_15"]

PAGE = ROOT / "docs/backups.md"


@pytest.fixture
def shop(tmp_path: Path, postgres_15: Server) -> Iterator[Shop]:
    """The shop of the page, its databases gone afterwards."""
    try:
        import pyrage  # noqa: F401
    except ImportError:
        missing("pyrage", install="pip install 'rollback-guard[encrypt]'")
    found = Shop(tmp_path, postgres_15, mariadb.server("guide"))
    yield found
    found.drop_databases()


def test_the_guide_is_what_people_see(shop: Shop) -> None:
    page = PAGE.read_text(encoding="utf-8")
    clone = shop.clone(policies_of(page)[0])
    meanwhile: dict[str, Callable[[], None]] = {
        "Go back": shop.something_fails,
        "When it was cut short": shop.is_cut_short,
        "Remove old ones": shop.goes_on,
        "Encrypt": lambda: shop.encrypts(policies_of(page)[1]),
    }
    reader = Reader(clone.path, shop.env, shop.places)
    wrong: list[str] = []
    ran: list[str] = []
    for section in sections_of(page):
        meanwhile.pop(section.title, lambda: None)()
        for command in section.commands:
            wrong += reader.follow(command)
            ran.append(command.text.partition("    #")[0])
    assert wrong == [], "\n".join(wrong)
    assert (meanwhile, len(ran) > 12) == ({}, True)
    first = re.search(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert first is not None
    assert {line.partition("  ")[0] for line in first[1].splitlines()} <= set(ran)
    # What came of it, whatever was said on the way.
    assert shop.postgres.value("SELECT count(*) FROM orders", "shop") == 4200
    assert (shop.srv / "uploads/2026/7.txt").read_text().startswith("upload 7")
    assert not (shop.srv / "uploads/2026/new.txt").exists()
    assert clone.git("status", "--porcelain") == ""
    shop.restores_by_hand()


def test_every_policy_that_the_page_shows_can_be_read(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    entries = policies_of(page)
    assert len(entries) == 3
    for entry in entries:
        text = POLICY.format(name="github.com/acme/shop", jane="ssh-ed25519 AAAA", omar="ssh-ed25519 BBBB")
        text = re.sub(r"^keys = .*\n", "", text, flags=re.MULTILINE) + entry
        assert read_policy(text.encode(), path="rollback-guard.toml") is not None
