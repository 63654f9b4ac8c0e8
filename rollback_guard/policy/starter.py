"""The files that a team starts from, rendered from what was found: policy, pre-commit entries, workflow.

Names come from strangers' commits, so each is quoted, and one that a policy cannot hold is left out or
cleaned. What is found is left to `git.survey`, writing to `entry.cli.init`.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from rollback_guard.policy.patterns import explain_fault
from rollback_guard.policy.repositories import normalise_repository

MOST_PEOPLE = 50
MOST_BRANCHES = 8  # that a comment lists
INTEGRATION = ("develop", "development", "dev", "staging", "next")
SOURCE = "https://github.com/rollback-guard/rollback_guard"
PLACEHOLDER = ("Your Name", "you@example.com")


class Found(NamedTuple):
    """What a repository shows: branches and authors by name, most active author first, and remotes' URLs."""

    production: str
    branches: tuple[str, ...] = ()
    remotes: tuple[str, ...] = ()
    authors: tuple[tuple[str, str], ...] = ()  # name, e-mail


class Starter(NamedTuple):
    """One person of the starting policy."""

    id: str
    name: str
    emails: tuple[str, ...]


def render_policy(found: Found) -> str:
    """A commented policy that `policy.read` accepts, whatever was found."""
    production = found.production if _is_branch(found.production) else "main"
    blocks = (
        _HEAD,
        _production(production, found.remotes),
        _routes(production, found.branches),
        _people(people_of(found.authors), len(found.authors)),
        _SIGN_OFFS,
    )
    return "\n".join(blocks)


_HEAD = """\
# What must be true before a change reaches production. Read it, correct it, commit it.
# It is read from the production branch itself: a change is never judged by the policy that it brings,
# but for the very first one.
#   guard policy check     is it valid?
#   guard policy show      what does it mean here?
#   guard doctor           is it enforced here?
version = 1
"""

_SIGN_OFFS = """\
# Who signs off. Nobody signs off on what they made themselves, so each team needs somebody else.
# proof = "trailer"    a line in the commit message, such as:  Reviewed-by: Jane Doe <jane@acme.example>
# proof = "signature"  a signature by a key that is listed under the person; nobody can forge that one.
#                      List keys first:  keys = ["ssh-ed25519 AAAA..."]
[[sign-off]]
role = "review"
trailer = "Reviewed-by"
by = ["@developers"]
proof = "trailer"

[[sign-off]]
role = "qa"
trailer = "QA-by"
by = ["@qa"]
proof = "trailer"

[[sign-off]]
role = "uat"
trailer = "UAT-by"
by = ["@business"]
proof = "trailer"

# How stable releases are tagged, which are what `guard revert` goes back to.
[release]
tag = "stable/{date}.{number}"
"""


def _production(branch: str, remotes: tuple[str, ...]) -> str:
    names = tuple(dict.fromkeys(name for name in map(normalise_repository, remotes) if _is_host(name)))
    repositories = (
        f"repositories = {_listed(names)}   # found as remotes: keep only those that may hold production"
        if names
        else '# repositories = ["github.com/acme/shop"]   # the authorised ones; no remote was found here'
    )
    return f"[production]\nbranches = {_listed((branch,))}   # full-match globs\n{repositories}\n"


def _routes(production: str, branches: tuple[str, ...]) -> str:
    usable = sorted({branch for branch in branches if _is_branch(branch) and branch != production})
    sources = ("release/*", "hotfix/*", *(name for name in INTEGRATION if name in usable))
    others = [name for name in usable if name not in sources and not name.startswith(("release/", "hotfix/"))]
    lines = ["# The approved ways into production: a branch that is not listed here cannot be merged."]
    if others:
        more = f" and {len(others) - MOST_BRANCHES} more" if len(others) > MOST_BRANCHES else ""
        lines.append(f"# Other branches here: {', '.join(map(quoted, others[:MOST_BRANCHES]))}{more}")
    lines += ["[[route]]", f"into = {quoted(production)}", f"from = {_listed(sources)}", ""]
    return "\n".join(lines)


def _people(people: tuple[Starter, ...], authors: int) -> str:
    lines = ["# Who is who: all addresses of one person under one name, or two of them could sign off on each other."]
    if not people:
        lines.append("# Nobody has committed here yet: put yourself in.")
        people = (Starter(id="you", name=PLACEHOLDER[0], emails=(PLACEHOLDER[1],)),)
    elif authors > MOST_PEOPLE:
        lines.append(f"# The {MOST_PEOPLE} who committed most, of {authors} authors found.")
    for person in people:
        lines += [f"[people.{person.id}]", f"name = {quoted(person.name)}", f"emails = {_listed(person.emails)}"]
        if len(person.emails) > 1:
            lines.append("# found by the same name: make sure that all of them are this person's")
        lines.append("")
    ids = tuple(person.id for person in people if "[bot]" not in person.name) or (people[0].id,)
    lines += [
        "[teams]",
        f"developers = {_listed(ids)}",
        f"qa = {_listed(ids)}         # put here who tests",
        f"business = {_listed(ids)}   # put here who accepts for the business",
        "",
    ]
    return "\n".join(lines)


def people_of(authors: tuple[tuple[str, str], ...]) -> tuple[Starter, ...]:
    """Authors as people: the same name is the same person, and no address belongs to two; at most MOST_PEOPLE."""
    names: dict[str, str] = {}  # folded name -> id
    people: dict[str, Starter] = {}
    taken: set[str] = set()
    for raw_name, email in authors:
        if not _is_email(email) or email.casefold() in taken:
            continue
        name = cleaned(raw_name) or email.partition("@")[0]
        taken.add(email.casefold())
        known = names.get(name.casefold())
        if known is not None:
            people[known] = people[known]._replace(emails=(*people[known].emails, email))
        elif len(people) < MOST_PEOPLE:
            identity = _id(name, email, people)
            names[name.casefold()] = identity
            people[identity] = Starter(id=identity, name=name, emails=(email,))
    return tuple(people.values())


def _id(name: str, email: str, taken: dict[str, Starter]) -> str:
    """A short id that nobody has: first name, whole name, address, or one with a number."""
    words = _slug(name).split("-")
    for candidate in (words[0], "-".join(words), _slug(email.partition("@")[0])):
        if candidate and candidate not in taken:
            return candidate
    base = "-".join(words) or "person"
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def _slug(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    kept = "".join(one if one.isalnum() else "-" if one in " -_." else "" for one in folded)
    return "-".join(filter(None, kept.split("-")))


def cleaned(text: str) -> str:
    """A name as a policy can hold it: without control characters and bytes that are no text, not padded."""
    kept = (one for one in text if not (one < " " or "\x7f" <= one < "\xa0" or "\ud800" <= one <= "\udfff"))
    return "".join(kept).strip()


def _is_email(text: str) -> bool:
    local, at, host = text.rpartition("@")
    return bool(at and local and host) and "@" not in local and text == cleaned(text) and not _spaced(text)


def _spaced(text: str) -> bool:
    return any(one.isspace() or one in "<>" for one in text)


def _is_branch(name: str) -> bool:
    return bool(name) and name == cleaned(name) and not explain_fault(name) and not any(one in "*?[" for one in name)


def _is_host(name: str) -> bool:
    """A repository on a host, and not a folder of this machine, a helper or something with a query."""
    plain = name == cleaned(name) and not any(one in "*?[" for one in name)
    return plain and "/" in name and not name.startswith(("/", ".", "~")) and "::" not in name


def quoted(text: str) -> str:
    r"""Text as a basic string of TOML, which is a double-quoted scalar of YAML too.

    What does not print as itself is escaped, so that a file reads as it is.

    >>> quoted('a "b"\u202e')
    '"a \\"b\\"\\u202e"'
    """
    return '"' + "".join(_escaped(one) for one in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _listed(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(map(quoted, texts)) + "]"


def render_pre_commit_entries(version: str) -> str:
    """Our entry for the `repos` of pre-commit's configuration."""
    return f"""\
  - repo: {SOURCE}
    rev: v{version}
    hooks:
      - id: guard-branch
      - id: guard-prepare-message
      - id: guard-message
      - id: guard-push
      - id: guard-policy
      - id: guard-migrations
"""


def render_pre_commit(version: str) -> str:
    """A whole configuration for pre-commit; `pre-commit install` then installs every stage that we need."""
    return (
        "default_install_hook_types: [pre-commit, pre-merge-commit, prepare-commit-msg, commit-msg, pre-push]\n"
        "repos:\n" + render_pre_commit_entries(version)
    )


def render_workflow(production: str, version: str) -> str:
    """A GitHub workflow that judges every pull request into production. Nothing of the request enters a shell line.

    Actions are pinned by commit: actions/checkout v5.0.0, actions/setup-python v6.0.0.
    """
    branch = production if _is_branch(production) else "main"
    pattern = "".join(f"\\{one}" if one in "+!{}()@" else one for one in branch)  # GitHub's filter patterns
    return _WORKFLOW.replace("@BRANCH@", quoted(pattern)).replace("@VERSION@", version)


_WORKFLOW = """\
# Judges every pull request into production. Make the check "rollback-guard" required in the branch's
# protection, for administrators too: a check that is not required stops nobody.
name: rollback-guard
on:
  pull_request:
    branches: [@BRANCH@]
permissions:
  contents: read
concurrency:
  group: rollback-guard-${{ github.event.pull_request.number }}
  cancel-in-progress: true
jobs:
  rollback-guard:
    name: rollback-guard
    runs-on: ubuntu-latest
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          ref: ${{ github.event.pull_request.head.sha }}
          fetch-depth: 0
          persist-credentials: false
      - uses: actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0
        with:
          python-version: "3.12"
      - run: python -m pip install "rollback-guard==@VERSION@"
      - run: guard check --into "$INTO" --head "$HEAD" --source "$SOURCE" --repository "$REPOSITORY" --format github
        env:
          INTO: ${{ github.base_ref }}
          HEAD: ${{ github.event.pull_request.head.sha }}
          SOURCE: ${{ github.head_ref }}
          REPOSITORY: ${{ github.server_url }}/${{ github.repository }}
"""
