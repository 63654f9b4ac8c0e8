"""What one part of a policy means for another: names that must exist, names that must be one person's only.

It runs on what could be read, after each value was looked at by itself (`policy.kinds`), and says nothing
about values that were already found wrong.
"""

from __future__ import annotations

from rollback_guard.policy.identities import NOREPLY
from rollback_guard.policy.patterns import is_literal, matches, matches_any
from rollback_guard.policy.problems import Place, dotted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from rollback_guard.policy.model import Backup, Person, Policy, Smoke


def check_policy(policy: Policy, place: Place) -> None:
    """Note everything in which the policy contradicts itself."""
    unread = _unread(place)
    _check_teams(policy, place.at("teams"), unread)
    _check_members(policy, place, unread)
    _check_counts(policy, place, unread)
    _check_people(policy, place.at("people"))
    _check_routes(policy, place.at("route"))
    roles = [(entry.role, place.at("sign-off").at(index).at("role")) for index, entry in enumerate(policy.sign_off)]
    _check_unique(roles, "the role {} has a sign-off already")
    trailers = [
        (entry.trailer, place.at("sign-off").at(index).at("trailer")) for index, entry in enumerate(policy.sign_off)
    ]
    _check_unique(trailers, "the trailer {} belongs to another role already")
    for key, names in (
        ("backup", [backup.name for backup in policy.backup]),
        ("smoke", [smoke.name for smoke in policy.smoke]),
        ("notify", [notify.name for notify in policy.notify]),
    ):
        named = [(name, place.at(key).at(index).at("name")) for index, name in enumerate(names)]
        _check_unique(named, "there is another one called {} already")
    for index, backup in enumerate(policy.backup):
        _check_backup(backup, place.at("backup").at(index))
    for index, smoke in enumerate(policy.smoke):
        _check_smoke(smoke, place.at("smoke").at(index))


def _unread(place: Place) -> frozenset[str]:
    """What could not be read, so that nothing may be said of who is in it: `people`, `teams`, and teams as `@name`.

    A place's own path is empty: the keys of a policy are counted from its table.
    """
    paths = [path for path, _, _ in place.problems.found]
    whole = {str(path[0]) for path in paths if len(path) == 1}
    return frozenset(whole.union(f"@{path[1]}" for path in paths if len(path) > 1 and path[0] == "teams"))


def _check_teams(policy: Policy, place: Place, unread: frozenset[str]) -> None:
    if "people" in unread:
        return
    people = {person.id: None for person in policy.people}
    for team, members in policy.teams:
        for member in members:
            if member not in people:
                place.at(team).fail(None, f"there is no person {member}", wrong=member, names=people)


def _grants(policy: Policy, place: Place) -> Iterator[tuple[tuple[str, ...], Place]]:
    """Every `by` list that was written, with its place."""
    for index, sign_off in enumerate(policy.sign_off):
        yield sign_off.by, place.at("sign-off").at(index).at("by")
    for index, backup in enumerate(policy.backup):
        yield backup.by, place.at("backup").at(index).at("by")
    if policy.waiver is not None:
        yield policy.waiver.by, place.at("waiver").at("by")
    yield policy.release.by, place.at("release").at("by")


def _check_members(policy: Policy, place: Place, unread: frozenset[str]) -> None:
    names = {person.id: None for person in policy.people}
    names.update({f"@{team}": None for team, _ in policy.teams})
    for by, here in _grants(policy, place):
        for member in by:
            whole = "teams" if member.startswith("@") else "people"
            if member not in names and not unread & {whole, member}:
                what = f"there is no team {member[1:]}" if member.startswith("@") else f"there is no person {member}"
                here.fail(None, what, wrong=member, names=names, nearest=_same_name(member, names))


def _same_name(member: str, names: Container[str]) -> str:
    """The team of a person's name, or the person of a team's name, when only the @ is wrong."""
    other = member[1:] if member.startswith("@") else f"@{member}"
    return other if other in names else ""


def _check_counts(policy: Policy, place: Place, unread: frozenset[str]) -> None:
    """More signatures than there are people who could give them could never be had."""
    wanted = [(entry.by, entry.count, place.at("sign-off").at(index)) for index, entry in enumerate(policy.sign_off)]
    if policy.waiver is not None:
        wanted.append((policy.waiver.by, policy.waiver.count, place.at("waiver")))
    faulty = {path[: len(here.path)] for _, _, here in wanted for path, _, _ in place.problems.found}
    for by, count, here in wanted:
        able = len(policy.members_of(by))
        unknown = unread & {"teams", "people", *by}
        if count > able and here.path not in faulty and not unknown:
            here.at("count").fail(None, f"asks for {count} people, but only {able} may sign")


def _check_people(policy: Policy, place: Place) -> None:
    """Identities collapse into one person, so nothing that identifies may belong to two."""
    owners: dict[str, tuple[str, Place]] = {}
    for person in policy.people:
        here = place.at(person.id)
        for what, folded, spot in _identities(person, here):
            owner, other = owners.setdefault(folded, (person.id, spot))
            if owner != person.id:
                spot.fail(None, f"{what} belongs to {owner} already ({dotted(other.path)})")
            elif what == "this key" and spot is not other:  # with other dates it would count by which is read first
                spot.fail(None, f"this key is listed already ({dotted(other.path)})")


def _identities(person: Person, place: Place) -> Iterator[tuple[str, str, Place]]:
    for index, email in enumerate(person.emails):
        folded = email.strip().casefold()
        yield email, f"mailto:{folded}", place.at("emails").at(index)
        if folded.endswith(NOREPLY):  # it bears a login, which may be another person's
            number, plus, _ = folded[: -len(NOREPLY)].partition("+")
            yield email, f"id:{number.lstrip('0')}" if plus else f"login:{number}", place.at("emails").at(index)
    if person.github:
        login, _, number = person.github.partition("#")
        yield f"the login {login}", f"login:{login.casefold()}", place.at("github")
        yield f"the GitHub id {number}", f"id:{number.lstrip('0')}", place.at("github")
    for index, key in enumerate(person.keys):
        data = next((word for word in key.split(" ") if word.startswith("AAAA")), key)
        yield "this key", f"key:{data}", place.at("keys").at(index)
    for index, block in enumerate(person.openpgp):
        from rollback_guard.policy.openpgp import read_pgp_key

        yield "this key", f"openpgp:{read_pgp_key(block).fingerprint}", place.at("openpgp").at(index)


def _check_routes(policy: Policy, place: Place) -> None:
    production = policy.production.branches
    literal = bool(production) and all(is_literal(pattern) for pattern in production)
    for index, route in enumerate(policy.route):
        if not route.into or not production:
            continue
        if is_literal(route.into):
            reached = matches_any(production, route.into)
        else:
            reached = not literal or any(matches(route.into, branch) for branch in production)
        if not reached:
            here = place.at(index).at("into")
            here.fail(None, f"{route.into} is no production branch", wrong=route.into, names=production)


def _check_unique(names: Iterable[tuple[str, Place]], message: str) -> None:
    seen = set()
    for name, place in names:
        folded = name.casefold()
        if folded in seen and name:
            place.fail(None, message.format(name))
        seen.add(folded)


def _check_backup(backup: Backup, place: Place) -> None:
    if backup.level == "exercised" and not backup.exercise and not _is_noted(place.at("exercise")):
        place.at("exercise").fail(None, "is missing: the level exercised asks for a command that is run on the copy")
    if backup.identity is not None and not _is_noted(place.at("identity")) and not _is_noted(place.at("engine")):
        from rollback_guard.policy.sources import PORTS, is_place

        example = "://db.acme.example/shop" if backup.engine in PORTS else ":/srv/shop"
        if not is_place(backup.engine, backup.identity):
            fault = f"must say where it is, without user and password, such as {backup.engine}{example}"
            place.at("identity").fail(None, fault)


def _is_noted(place: Place) -> bool:
    """Whether something is wrong there already."""
    return any(path[: len(place.path)] == place.path for path, _, _ in place.problems.found)


def _check_smoke(smoke: Smoke, place: Place) -> None:
    if smoke.url is not None and smoke.run is not None:
        place.fail(None, "has both url and run: one check does one thing")
    elif smoke.url is None and smoke.run is None:
        place.fail(None, "has neither url nor run: nothing would be checked")
    elif smoke.url is None:
        for key, value in (("expect-status", smoke.expect_status), ("expect-text", smoke.expect_text)):
            if value is not None:
                place.at(key).fail(None, "is about the answer of a url, and this check has none")
