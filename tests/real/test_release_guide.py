"""docs/release-and-revert.md: a lead follows it from top to bottom, and sees what the page shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.real.release_guide import Shop
from tests.support.architecture import ROOT
from tests.support.pages import Reader, guard_on_path, sections_of

PAGE = ROOT / "docs/release-and-revert.md"


def test_the_guide_is_what_a_lead_sees(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    shop = Shop(tmp_path)
    meanwhile: dict[str, Callable[[], None]] = {
        "Plan, then go back": shop.two_releases_fail,
        "Undo some commits alone": shop.more_lands,
    }
    reader = Reader(shop.jane.path, guard_on_path(tmp_path / "bin"))
    wrong: list[str] = []
    ran: list[str] = []
    for section in sections_of(page):
        meanwhile.pop(section.title, lambda: None)()
        for command in section.commands:
            wrong += reader.follow(command)
            ran.append(command.text)
    assert wrong == [], "\n".join(wrong)
    assert (meanwhile, len(ran) > 15) == ({}, True)
    short = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert {line.partition("    #")[0] for block in short for line in block.splitlines()} <= set(ran)
    assert len(short) == 1
    # What came of it, whatever was said on the way.
    assert shop.server.tip() == shop.jane.head("main")
    assert shop.server.tip("refs/heads/legacy") == shop.jane.head("legacy")
    assert shop.jane.tree("legacy") == shop.jane.tree("stable/2026.10.1.1")
    assert shop.server.tip("refs/heads/hotfix/undo-131") == shop.jane.head("hotfix/undo-131")
    assert shop.jane.git("status", "--porcelain") == ""
