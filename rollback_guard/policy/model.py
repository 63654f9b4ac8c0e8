"""What a team wrote down, as values. The one declaration of the policy's fields.

A field's name is its TOML key with `_` for `-` (a trailing `_` only avoids a Python keyword), its
annotation names its kind in `policy.kinds`, and a field without a default must be written. The reader
(`policy.read`) and the JSON Schema (`policy.schema`) are both driven by these classes, and `FIELD_DOCS`
describes every field once. NamedTuples, not dataclasses: see docs/adr/0002.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

from rollback_guard.policy.identities import noreply_owner

# The names below are kinds: `policy.kinds` maps each to how it is read and to its JSON Schema.
Version = int
Name = str
Text = str
Glob = str
Globs = tuple[str, ...]
Emails = tuple[str, ...]
RepositoryNames = tuple[str, ...]
TrailerKey = str
Members = tuple[str, ...]
Keys = tuple[str, ...]
PgpKeys = tuple[str, ...]
Command = tuple[str, ...]
Recipients = tuple[str, ...]
Count = int
Duration = int  # seconds
Status = int
Flag = bool
TagPattern = str
Proof = Literal["trailer", "forge", "signature"]
Binding = Literal["result", "change", "head"]
Engine = Literal["postgresql", "mariadb", "sqlite", "directory"]
Level = Literal["stored", "digest", "readable", "restored", "schema", "compared", "exercised"]
Login = str  # login#numeric-id
Teams = tuple[tuple[str, tuple[str, ...]], ...]
Events = tuple[Literal["rollback-started", "rollback-finished", "rollback-failed"], ...]

PROOFS: tuple[Proof, ...] = ("trailer", "forge", "signature")
BINDINGS: tuple[Binding, ...] = ("result", "change", "head")
ENGINES: tuple[Engine, ...] = ("postgresql", "mariadb", "sqlite", "directory")
LEVELS: tuple[Level, ...] = ("stored", "digest", "readable", "restored", "schema", "compared", "exercised")
EVENTS: Events = ("rollback-started", "rollback-finished", "rollback-failed")


class Production(NamedTuple):
    branches: Globs
    repositories: Optional[RepositoryNames] = None
    signed_commits: Flag = False


class Route(NamedTuple):
    into: Glob
    from_: Globs


class Person(NamedTuple):
    id: str
    name: Text
    emails: Emails
    github: Optional[Login] = None
    keys: Keys = ()
    openpgp: PgpKeys = ()


class SignOff(NamedTuple):
    role: Name
    trailer: TrailerKey
    by: Members
    count: Count = 1  # type: ignore[assignment]
    proof: Proof = "signature"
    binding: Binding = "result"
    max_age: Optional[Duration] = None


class Backup(NamedTuple):
    name: Name
    engine: Engine
    source: Text
    by: Members
    max_age: Duration
    level: Level = "compared"
    store: Text = "file:backups"
    identity: Optional[Text] = None
    exercise: Optional[Command] = None
    encrypt_to: Recipients = ()
    lock: Optional[Duration] = None


class Waiver(NamedTuple):
    by: Members
    count: Count = 1  # type: ignore[assignment]
    max_age: Duration = 86400


class Release(NamedTuple):
    tag: TagPattern = "stable/{date}.{number}"
    by: Members = ()
    keep_migrations: Flag = True
    signed: Flag = False


class Rollback(NamedTuple):
    redeploy: Command = ()


class Smoke(NamedTuple):
    name: Name
    url: Optional[Text] = None
    expect_status: Optional[Status] = None
    expect_text: Optional[Text] = None
    run: Optional[Command] = None
    timeout: Duration = 30


class Notify(NamedTuple):
    name: Name
    url: Text
    on: Events = ("rollback-started", "rollback-finished", "rollback-failed")


class Policy(NamedTuple):
    """A whole policy. `people` is sorted by id; `a `by` list is resolved by `members_of`."""

    version: Version
    production: Production
    route: tuple[Route, ...] = ()
    people: tuple[Person, ...] = ()
    teams: Teams = ()
    sign_off: tuple[SignOff, ...] = ()
    backup: tuple[Backup, ...] = ()
    waiver: Optional[Waiver] = None
    release: Release = Release()
    rollback: Rollback = Rollback()
    smoke: tuple[Smoke, ...] = ()
    notify: tuple[Notify, ...] = ()

    def members_of(self, by: tuple[str, ...]) -> frozenset[str]:
        """The ids of the people whom a `by` list names, teams (`@team`) resolved."""
        teams = dict(self.teams)
        found: set[str] = set()
        for one in by:
            found.update(teams.get(one[1:], ()) if one.startswith("@") else (one,))
        return frozenset(found)

    def person_of(self, email: str) -> Person | None:
        """The person whom an e-mail address belongs to, folded by case, or None."""
        folded = email.strip().casefold()
        for person in self.people:
            if any(folded == known.casefold() for known in person.emails):
                return person
        return noreply_owner(self.people, folded)


# One sentence a field, for the JSON Schema and `guard policy schema`. Keyed by class, then by TOML key.
FIELD_DOCS: dict[str, dict[str, str]] = {
    "Policy": {
        "version": "Version of this file's format; 1.",
        "production": "The branches that are production, and the repositories that may hold it.",
        "route": "An approved way into a production branch.",
        "people": "Who is who: e-mail addresses, logins and keys that belong to one person.",
        "teams": "Named groups of people; written @name where people are asked for.",
        "sign-off": "A role that must sign off before a change lands.",
        "backup": "A backup that must be fresh and proven before a change lands.",
        "waiver": "Who may sign an exception, and how long it lasts.",
        "release": "How stable releases are tagged, and by whom.",
        "rollback": "What a rollback runs.",
        "smoke": "A check of what the business lives on, after a rollback.",
        "notify": "Whom a rollback tells.",
    },
    "Production": {
        "branches": "Full-match globs of production branches: * within one path segment, ** across them.",
        "repositories": "Authorised repositories, such as github.com/acme/shop.",
        "signed-commits": "Every commit that lands must bear a signature by a key of its committer.",
    },
    "Route": {
        "into": "Full-match glob of the production branch that this route leads into.",
        "from": "Full-match globs of the branches that a change may come from.",
    },
    "Person": {
        "name": "The person's name as people say it.",
        "emails": "Every e-mail address that the person commits or signs with.",
        "github": "GitHub login and numeric id: login#1234567.",
        "keys": 'SSH public keys that the person signs with, each a line of a .pub file; valid-after="YYYYMMDD" and '
        'valid-before="YYYYMMDD" in UTC, joined by a comma, may stand before one.',
        "openpgp": "OpenPGP public keys that the person signs commits and tags with, each as gpg --armor --export "
        "prints it.",
    },
    "SignOff": {
        "role": "The role's name, such as review, qa or uat.",
        "trailer": "The commit message trailer that records this sign-off.",
        "by": "Who may sign: people, or @teams.",
        "count": "How many different people must sign.",
        "proof": "The least proof accepted: trailer, forge or signature.",
        "binding": "What a sign-off is tied to: result (base and result tree), change (survives a clean "
        "rebase) or head (the head's tree).",
        "max-age": "How old a sign-off may be, such as 14d, 36h or 90m.",
    },
    "Backup": {
        "name": "The backup's name.",
        "engine": "What is backed up: postgresql, mariadb, sqlite or directory.",
        "source": "Connection or path; $NAME takes it from the environment.",
        "by": "Who may attest this backup.",
        "max-age": "How old the backup may be when the change lands.",
        "level": "The least proof that it can be restored.",
        "store": "Where backups are kept: file: or any fsspec URL.",
        "identity": "Which database or directory it must be, without user and password, such as "
        "postgresql://db.acme.example:5432/shop or directory:/srv/uploads; else what source says of it, or what it "
        "was before.",
        "exercise": "The command that is run on the restored copy at level exercised; 0 is good.",
        "encrypt-to": "Whose keys open the backup: age recipients (age1…) or SSH public keys.",
        "lock": "How long nobody can remove a backup, such as 30d, where the store is a bucket with object lock.",
    },
    "Waiver": {
        "by": "Who may sign a waiver.",
        "count": "How many different people must sign one.",
        "max-age": "How long a waiver lasts at most.",
    },
    "Release": {
        "tag": "Name of stable tags; {date} is year.month.day in UTC, {number} counts up from 1.",
        "by": "Who may tag and revoke stable releases; nobody listed means everybody listed in people.",
        "keep-migrations": "Keep deployed migration files when code goes back.",
        "signed": "Stable tags must bear a signature.",
    },
    "Rollback": {"redeploy": "The command that deploys a commit; {commit} is replaced."},
    "Smoke": {
        "name": "The check's name.",
        "url": "A URL to fetch.",
        "expect-status": "The HTTP status that the URL must answer with.",
        "expect-text": "Text that the answer must contain.",
        "run": "A command to run instead of fetching a URL.",
        "timeout": "How long the check may take.",
    },
    "Notify": {
        "name": "The receiver's name.",
        "url": "An Apprise URL; $NAME takes it from the environment.",
        "on": "The events that are sent.",
    },
}
