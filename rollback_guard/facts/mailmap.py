"""The .mailmap that production holds, applied to who made a change: it only ever adds a second identity.

It is read from the base, never from the change under judgement, or a change could make its author somebody else.
"""

from __future__ import annotations

from rollback_guard.errors import GuardError
from rollback_guard.facts.model import Fact, Identity, Known, Survey, Unknown
from rollback_guard.git.mailmap import map_contacts
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.trees import entry_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.git.mailmap import Contact
    from rollback_guard.git.repository import Repository

PATH = ".mailmap"
LIMIT = 1 << 20  # bytes; git's own has 20 KiB


class Mailmaps:
    """The .mailmaps of the bases of one run: each is asked once about each contact."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._known: dict[str, dict[Contact, Contact | None]] = {}

    def apply(self, survey: Fact[Survey], base: str | None, objects: ObjectReader) -> Fact[Survey]:
        """The survey, each maker with the identity that the base's .mailmap gives them, where it gives another."""
        if isinstance(survey, Unknown) or base is None:
            return survey
        try:
            blob = self._find(objects, base)
            if not blob:
                return survey
            return Known(self._mapped(survey.value, blob), survey.source)
        except GuardError as error:
            return Unknown(f"production's {PATH} cannot be read: {error.message}", error.remedy)

    def _find(self, objects: ObjectReader, base: str) -> str:
        """The oid of the file; git reads no symbolic link there either."""
        tree = objects.read(f"{base}^{{tree}}")
        entry = None if tree is None else entry_of(tree, PATH)
        if entry is None or entry.kind != "file":
            return ""
        if entry.oid not in self._known:
            objects.read(entry.oid, limit=LIMIT)
            self._known[entry.oid] = {}
        return entry.oid

    def _mapped(self, survey: Survey, blob: str) -> Survey:
        known = self._known[blob]
        contacts = {(maker.identity.name, maker.identity.email) for maker in survey.makers}
        asked = sorted(contacts - known.keys())
        found = map_contacts(self._repository, blob, asked)
        known.update((contact, found.get(contact)) for contact in asked)
        makers = []
        for maker in survey.makers:
            other = known[maker.identity.name, maker.identity.email]
            makers.append(maker if other is None else maker._replace(mapped=Identity(*other)))
        return survey._replace(makers=tuple(makers))
