"""Addresses that a forge makes of a login: whose they are, although no policy lists them. Pure.

Source: GitHub's "Email addresses reference", noreply addresses: `ID+LOGIN@users.noreply.github.com`, and
`LOGIN@users.noreply.github.com` for accounts from before July 2017.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollback_guard.policy.model import Person

NOREPLY = "@users.noreply.github.com"


def noreply_owner(people: Iterable[Person], folded: str) -> Person | None:
    """The person whose login a noreply address (folded by case) bears, by its number where it has one."""
    if not folded.endswith(NOREPLY):
        return None
    number, plus, _ = folded[: -len(NOREPLY)].partition("+")
    for person in people:
        own_login, _, own_number = (person.github or "").casefold().partition("#")
        if own_login and (own_number.lstrip("0") == number.lstrip("0") if plus else own_login == number):
            return person
    return None
