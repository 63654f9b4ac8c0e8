"""A policy as it is understood, for people and for programs; and what is wrong with one.

Teams are resolved to people, durations are said in words, and every pattern stands with the branches that it
matches. Which branches there are, and where the policy was read, is the caller's to find out.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.policy.model import Backup, Person, Policy, SignOff, Smoke
from rollback_guard.report.visible import inert, listed, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rollback_guard.report.terminal import Problem

SHOW_FORMAT = "rollback-guard/policy/1"
CHECK_FORMAT = "rollback-guard/policy-check/1"
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_MOST = 8  # branches that one pattern is shown with


class Shown(NamedTuple):
    """A policy and where it was read. `matches` are the branches of each pattern, None outside a repository."""

    policy: Policy
    path: str
    rev: Optional[str] = None
    matches: Optional[Mapping[str, tuple[str, ...]]] = None


def patterns_of(policy: Policy) -> tuple[str, ...]:
    """Every pattern of the policy, each once."""
    found = [*policy.production.branches]
    for route in policy.route:
        found += [route.into, *route.from_]
    return tuple(dict.fromkeys(found))


def in_words(seconds: int) -> str:
    """A duration in the largest unit that divides it: `36 hours`, `1 day`."""
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    number = seconds // size
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def problem_line(problem: Problem) -> str:
    """`file:line: key: message (did you mean nearest?)`, safe to show."""
    place = visible(problem.file) + (f":{problem.line}" if problem.line else "")
    hint = f" (did you mean {visible(problem.nearest)}?)" if problem.nearest else ""
    parts = (place, visible(problem.key), visible(problem.message))
    return inert(": ".join(part for part in parts if part) + hint)


def check_document(path: str, problems: tuple[Problem, ...]) -> dict[str, Any]:
    """What `guard policy check` found, in the form `rollback-guard/policy-check/1`."""
    return {
        "format": CHECK_FORMAT,
        "path": path,
        "valid": not problems,
        "problems": [
            {
                "file": problem.file,
                "line": problem.line,
                "key": problem.key,
                "message": problem.message,
                "nearest": problem.nearest or None,
            }
            for problem in problems
        ],
    }


def show_document(shown: Shown) -> dict[str, Any]:
    """A policy in the form `rollback-guard/policy/1`: keys as in TOML, durations in seconds, patterns with matches."""
    policy = shown.policy
    document: dict[str, Any] = {"format": SHOW_FORMAT, "path": shown.path, "rev": shown.rev, **_plain(policy)}
    document["production"]["branches"] = [_matched(shown, pattern) for pattern in policy.production.branches]
    for entry, route in zip(document["route"], policy.route, strict=True):
        entry["into"] = _matched(shown, route.into)
        entry["from"] = [_matched(shown, pattern) for pattern in route.from_]
    document["teams"] = {team: list(members) for team, members in policy.teams}
    for entry in (*document["sign-off"], *document["backup"], document["waiver"], document["release"]):
        if entry is not None:
            entry["people"] = sorted(policy.members_of(tuple(entry["by"])))
    return document


def _plain(value: Any) -> Any:
    """NamedTuples as tables with TOML's keys, tuples as lists."""
    if hasattr(value, "_asdict"):
        return {name.rstrip("_").replace("_", "-"): _plain(one) for name, one in value._asdict().items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _matched(shown: Shown, pattern: str) -> dict[str, Any]:
    return {"pattern": pattern, "matches": None if shown.matches is None else list(shown.matches[pattern])}


def render_policy_text(shown: Shown) -> str:
    """A policy in lines for people."""
    where = f" at {visible(shown.rev)}" if shown.rev else ""
    lines = [f"{visible(shown.path)}{where}: version {shown.policy.version}, valid"]
    for title, entries in _sections(shown):
        lines += ["", title, *(f"  {entry}" for entry in entries)]
    return "\n".join(inert(line) for line in lines)


def _sections(shown: Shown) -> Iterator[tuple[str, list[str]]]:
    policy = shown.policy
    repositories = policy.production.repositories
    held = ", ".join(map(visible, repositories)) if repositories else "any (none is listed)"
    branches = [_pattern(shown, pattern) for pattern in policy.production.branches]
    yield "production", [*branches, f"repositories: {held}"]
    yield "routes", list(_routes(shown)) or ["none: nothing may come into production"]
    yield "people", [_person(person) for person in policy.people] or ["none"]
    if policy.teams:
        yield "teams", [f"@{visible(team)}: {', '.join(map(visible, members))}" for team, members in policy.teams]
    yield "sign-offs", [_sign_off(policy, role) for role in policy.sign_off] or ["none are asked for"]
    if policy.backup:
        yield "backups", [_backup(policy, backup) for backup in policy.backup]
    waiver = policy.waiver
    granted = "nobody may grant one"
    if waiver is not None:
        granted = f"{_counted(policy, waiver.by, waiver.count)}; good for {in_words(waiver.max_age)} at most"
    yield "waivers", [granted]
    yield "after a failure", list(_afterwards(policy))


def _pattern(shown: Shown, pattern: str) -> str:
    if shown.matches is None:
        return visible(pattern)
    found = shown.matches[pattern]
    if not found:
        return f"{visible(pattern)}  !! matches no branch that is here"
    return f"{visible(pattern)}  matches {listed(map(visible, found), most=_MOST)}"


def _routes(shown: Shown) -> Iterator[str]:
    for route in shown.policy.route:
        yield f"into {_pattern(shown, route.into)}"
        for pattern in route.from_:
            yield f"  from {_pattern(shown, pattern)}"


def _person(person: Person) -> str:
    parts = [f"{visible(person.name)} <{'>, <'.join(map(visible, person.emails))}>"]
    if person.github:
        parts.append(f"GitHub {visible(person.github)}")
    if person.keys:
        parts.append("1 key" if len(person.keys) == 1 else f"{len(person.keys)} keys")
    return f"{visible(person.id)}: {', '.join(parts)}"


def _counted(policy: Policy, by: tuple[str, ...], count: int) -> str:
    people = sorted(policy.members_of(by))
    return f"{count} of {', '.join(map(visible, people))}"


def _sign_off(policy: Policy, role: SignOff) -> str:
    age = "of any age" if role.max_age is None else f"at most {in_words(role.max_age)} old"
    who = _counted(policy, role.by, role.count)
    proof = f"proof {role.proof}, bound to {role.binding}, {age}"
    return f"{visible(role.role)}: {who}; as {visible(role.trailer)}; {proof}"


def _backup(policy: Policy, backup: Backup) -> str:
    who = _counted(policy, backup.by, 1)
    proof = f"proven {backup.level}, at most {in_words(backup.max_age)} old"
    # The source may hold a password; only the variable that it is taken from is shown.
    source = visible(backup.source) if backup.source.startswith("$") else "its source"
    return f"{visible(backup.name)}: {backup.engine} from {source}; {proof}; attested by {who}"


def _afterwards(policy: Policy) -> Iterator[str]:
    release = policy.release
    who = ", ".join(map(visible, sorted(policy.members_of(release.by)))) or "everybody among the people"
    signed = "signed " if release.signed else ""
    yield f"stable releases: {signed}tags {visible(release.tag)}, by {who}"
    redeploy = policy.rollback.redeploy
    yield f"redeploy: {' '.join(map(visible, redeploy)) if redeploy else 'nothing is run'}"
    for smoke in policy.smoke:
        yield f"smoke test {visible(smoke.name)}: {_smoke(smoke)}, within {in_words(smoke.timeout)}"
    for notify in policy.notify:
        yield f"tell {visible(notify.name)}: {', '.join(notify.on)}"


def _smoke(smoke: Smoke) -> str:
    if smoke.run is not None:
        return f"run {' '.join(map(visible, smoke.run))}"
    expected = [f"answers {smoke.expect_status}"] if smoke.expect_status is not None else []
    expected += [f"contains {visible(smoke.expect_text)}"] if smoke.expect_text is not None else []
    return f"{visible(smoke.url or '')} {' and '.join(expected)}".rstrip()
