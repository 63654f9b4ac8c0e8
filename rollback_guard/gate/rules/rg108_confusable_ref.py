"""RG108: a ref's name is taken for another's: by case, look-alike letters, or a tag named like production."""

from __future__ import annotations

from rollback_guard.facts.model import Change, Unknown
from rollback_guard.gate.lookalike import Lookalikes, coarse_key, hidden_characters, reads_as
from rollback_guard.gate.routes import claimed_name
from rollback_guard.gate.rule import Case, Rule, judge, undetermined
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import HEADS, TAGS, listed, quoted, short_name
from rollback_guard.policy.model import Policy
from rollback_guard.policy.patterns import is_literal, literal_prefix, matches_any

ID = "RG108"
NAME = "confusable-ref"

_REMOTES = "refs/remotes/"
_GITS_OWN = frozenset(["HEAD", "@", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD"])
_USUAL_REMOTES = frozenset(["origin", "upstream"])


def evaluate(case: Case) -> Outcome:
    """Look at the names that the change brings, then at those that exist."""
    change, refs = case.change, case.change.refs
    existing = () if isinstance(refs, Unknown) else refs.value
    named = _named(change)
    production = _production_names(case.policy, change)
    findings = [finding for ref in named for finding in _bad_name(ref, case.policy, production, existing)]
    if change.stage == "receive" and change.target.startswith(_REMOTES):
        message = f"{change.target} says where another repository's branches stand; on a server nobody keeps that"
        findings.append(_finding(change.target, message))
    if change.production:
        findings += _beside(change.target, existing, production)
        findings += _as_source(change, named, existing, production)
    elif change.target.startswith(HEADS):
        findings += _collisions(change.target, existing, production)
        findings += _protected(change.target, existing, production, case.policy)
    elif change.target.startswith(TAGS) and case.policy is not None:
        findings += _like_stable(change.target, case.policy)
    if isinstance(refs, Unknown) and not findings:
        return undetermined(ID, NAME, refs, short_name(change.target))
    return judge(ID, NAME, tuple(dict.fromkeys(findings)))


def _named(change: Change) -> tuple[str, ...]:
    claimed = claimed_name(change)
    return (change.target,) if claimed is None else (change.target, HEADS + claimed)


def _production_names(policy: Policy | None, change: Change) -> tuple[str, ...]:
    """The production branches that are known by name."""
    literal = [glob for glob in policy.production.branches if is_literal(glob)] if policy else []
    return tuple(dict.fromkeys(([short_name(change.target)] if change.production else []) + literal))


def _bad_name(ref: str, policy: Policy | None, production: tuple[str, ...], existing: tuple[str, ...]) -> list[Finding]:
    """What is wrong with one name that the change brings, whatever else exists."""
    name = short_name(ref)
    found = []
    unseen = hidden_characters(ref)
    if unseen:
        found.append(_finding(ref, f"the name {name} holds characters that nobody sees: {listed(unseen)}"))
    space = ref.split("/")[1] if ref.count("/") > 1 else ""
    if space.casefold() in ("heads", "tags", "remotes") and space not in ("heads", "tags", "remotes"):
        found.append(_finding(ref, f"{ref} is taken for refs/{space.casefold()}/ where case does not count"))
    if space in ("refs", "remotes") and any(ref.endswith(f"/{own}") for own in production):
        found.append(_finding(ref, f"{ref} is taken for the production branch {ref.rpartition('/')[2]}"))
    if ref.startswith("refs/replace/"):
        found.append(_finding(ref, f"{ref} makes git show another object in place of the one that is judged"))
    if name.startswith("-"):
        found.append(_finding(ref, f"the name {name} is read as an option"))
    if name in _GITS_OWN:
        found.append(_finding(ref, f"{name} is a name of git's own"))
    shadowed = _shadowed(name, policy, production, existing) if ref.startswith((HEADS, TAGS)) else ""
    if shadowed:
        found.append(_finding(ref, f"{name} is taken for {shadowed}"))
    for own in production:
        if ref.startswith(TAGS) and name == own:
            found.append(_finding(ref, f"the tag {name} bears the name of the production branch {own}"))
        elif ref.startswith((HEADS, TAGS)) and reads_as(name, own) and not (policy and _is_production(policy, ref)):
            kind = "tag" if ref.startswith(TAGS) else "branch"
            found.append(_finding(ref, f"the {kind} {name} is taken for the production branch {own}"))
    return found


def _is_production(policy: Policy, ref: str) -> bool:
    return ref.startswith(HEADS) and matches_any(policy.production.branches, short_name(ref))


def _shadowed(name: str, policy: Policy | None, production: tuple[str, ...], existing: tuple[str, ...]) -> str:
    """What git or a reader would take a name for that begins like a longer ref name, or ""."""
    first, _, rest = name.partition("/")
    if first == "refs":
        return name
    if first in ("heads", "tags", "remotes"):
        first, rest = (rest.partition("/")[0], rest.partition("/")[2]) if first == "remotes" else ("", rest)
    elif first not in _USUAL_REMOTES and not any(ref.startswith(f"{_REMOTES}{first}/") for ref in existing):
        return ""
    globs = policy.production.branches if policy else production
    known = rest in production or (bool(rest) and matches_any(globs, rest))
    return f"the production branch {rest}{' of ' + first if first else ''}" if known else ""


def _beside(target: str, existing: tuple[str, ...], production: tuple[str, ...]) -> list[Finding]:
    """Other refs that are taken for production: look-alikes of the target, and tags that bear its name."""
    own = short_name(target)
    found = []
    for ref in _alike(own, existing):
        found.append(_finding(ref, f"{_branch_of(ref)} exists and is taken for the production branch {own}"))
    lookalikes = [(name, Lookalikes(name)) for name in production]
    for ref in existing:
        if ref.startswith(TAGS):
            tag = ref[len(TAGS) :]
            for name, like in lookalikes:
                if tag == name or like.has(tag):
                    found.append(
                        _finding(ref, f"the tag {tag} exists and bears the name of the production branch {name}")
                    )
    return found


def _as_source(
    change: Change, named: tuple[str, ...], existing: tuple[str, ...], production: tuple[str, ...]
) -> list[Finding]:
    return [finding for ref in named if ref != change.target for finding in _collisions(ref, existing, production)]


def _collisions(ref: str, existing: tuple[str, ...], production: tuple[str, ...]) -> list[Finding]:
    """Existing branches that a name is taken for; likeness to production is `_bad_name`'s to say."""
    name = short_name(ref)
    others = [other for other in _alike(name, existing) if _branch_of(other) not in production]
    return [_finding(ref, f"{name} is taken for {_branch_of(other)}, which exists") for other in others]


def _protected(
    ref: str, existing: tuple[str, ...], production: tuple[str, ...], policy: Policy | None
) -> list[Finding]:
    """Branches of an approved route, or production by a pattern, that a name reads as, when it is neither itself."""
    routes = policy.route if policy else ()
    globs = (*(policy.production.branches if policy else ()), *(glob for route in routes for glob in route.from_))
    name = short_name(ref)
    if matches_any(globs, name):
        return []
    begins = tuple(literal_prefix(glob) for glob in globs)  # most refs begin otherwise, and are quickly passed over
    key, like = coarse_key(name), Lookalikes(name)
    others = {_branch_of(one) for one in existing} - {name, *production}
    return [
        _finding(ref, f"{name} is taken for {other}, which is production or may come to it")
        for other in sorted(other for other in others if other.startswith(begins) and coarse_key(other) == key)
        if reads_as(name, other) and not like.has(other) and matches_any(globs, other)
    ]


def _like_stable(ref: str, policy: Policy) -> list[Finding]:
    """A tag that is no stable release's by its name, and that people read as one."""
    import re

    from rollback_guard.policy.tags import name_pattern

    name, tag = short_name(ref), policy.release.tag
    if name_pattern(tag).fullmatch(name) is not None:
        return []
    digit = f"[{''.join(sorted(set(map(coarse_key, '0123456789'))))}]"
    number = {"{date}": rf"{digit}+(?:\.{digit}+)*", "{number}": f"{digit}+"}
    parts = (number.get(part) or re.escape(coarse_key(part)) for part in re.split(r"(\{date\}|\{number\})", tag))
    if re.fullmatch("".join(parts), coarse_key(name)) is None:
        return []
    return [_finding(ref, f"the tag {name} is taken for a stable release's, {tag}")]


def _alike(name: str, existing: tuple[str, ...]) -> list[str]:
    """The branches, here or as a remote has them, whose names are taken for this one; each name once."""
    like = Lookalikes(name)
    found: dict[str, str] = {}
    for ref in existing:
        other = _branch_of(ref)
        if other and other != name and like.has(other):
            found.setdefault(other, ref)
    return list(found.values())


def _branch_of(ref: str) -> str:
    """The short name of a branch here or of a remote's; "" for any other ref."""
    if ref.startswith(HEADS):
        return ref[len(HEADS) :]
    return ref[len(_REMOTES) :].partition("/")[2] if ref.startswith(_REMOTES) else ""


def _finding(ref: str, message: str) -> Finding:
    name = quoted(short_name(ref))
    if ref.startswith(TAGS):
        remedy = f"git tag -d -- {name}   # here; on the remote: git push origin --delete {quoted(ref)}"
    elif ref.startswith(_REMOTES):
        remote, _, branch = ref[len(_REMOTES) :].partition("/")
        remedy = f"git push {quoted(remote)} --delete {quoted(HEADS + branch)}"
    else:
        remedy = f"git branch -m -- {name} another-name"
    return Finding(subject=ref, message=message, remedy=remedy)


RULE = Rule(
    id=ID,
    name=NAME,
    title="a ref's name is taken for another's, or a tag bears a production branch's name",
    why="""People approve names. `MAIN`, `maın`, `rnain` and a tag called `main` look like `main` on a screen, become
the same file on some disks, or make git itself pick one of the two. A deploy script that says `git checkout main`
then takes what somebody else put there.

Two letters that look like one (rn and m, vv and w, cl and d) stand in many honest names. They count only where the
name reads as a production branch, as a branch that is here and that a route approves, or as a stable release's tag,
and is not that itself.

A server refuses every ref below `refs/remotes/` as well: it would say there where another repository's branches
stand, which is what a clone believes of its own remote.""",
    example="""Somebody pushes a tag `main`: from then on `git rev-parse main` means the tag. Or a branch
`mаin` with a Cyrillic а, or `re1ease/1.4` beside `release/1.4`.""",
    needs=("the names that the change brings", "the names of the refs that exist"),
    offline=True,
    remedy="""Rename or delete the other ref: `git branch -m MAIN another-name`, `git push origin --delete
refs/tags/main`. Deleting a ref that is not production is never refused by this rule.""",
    evaluate=evaluate,
)
