"""The reference of every key, docs/policy.md and docs/scenarios.md, from the declarations that files are read by.

Writing the pages is left to docs/generate.py.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.policy import model
from rollback_guard.report.policy_text import in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

# What is written for each kind of value; a test compares it with the kinds that there are.
KIND_WORDS = {
    "Version": "the number 1",
    "Name": "name: letters, digits, `-`, `_`, `.`",
    "Text": "text",
    "Texts": "list of texts",
    "Glob": "pattern",
    "Globs": "list of patterns",
    "Keys": "list of public keys",
    "PgpKeys": "list of OpenPGP public keys",
    "Emails": "list of e-mail addresses",
    "RepositoryNames": "list of repository names or URLs",
    "TrailerKey": "trailer key",
    "Members": "list of people and `@teams`",
    "Login": "`login#id`",
    "Command": "list of words",
    "Recipients": "list of age recipients",
    "Count": "number from 1",
    "Duration": "duration: `30s`, `90m`, `36h`, `14d`, `2w`",
    "Status": "number from 100 to 599",
    "Flag": "`true` or `false`",
    "TagPattern": "tag name with `{date}` and `{number}`",
    "Teams": "table of names, each a list of people",
    "Proof": "one of " + ", ".join(f"`{value}`" for value in model.PROOFS),
    "Binding": "one of " + ", ".join(f"`{value}`" for value in model.BINDINGS),
    "Engine": "one of " + ", ".join(f"`{value}`" for value in model.ENGINES),
    "Level": "one of " + ", ".join(f"`{value}`" for value in model.LEVELS),
    "Events": "list of " + ", ".join(f"`{value}`" for value in model.EVENTS),
    "Prose": "text, lines allowed",
    "Oid": "full oid",
    "Who": "`Name <e-mail>`",
    "Whos": "list of `Name <e-mail>`",
    "Moment": "date and time",
    "RuleId": "rule id",
    "ArtefactWord": "one of `same`, `changed`, `gone`, `unseen`",
    "SignedWord": "one of `approve`, `reject`, `withdraw`",
    "RuleIds": "list of rule ids",
    "TrailerLines": "list of `Key: value`",
    "Reasons": "table of facts and reasons",
    "Stage": "stage",
    "Move": "move",
    "Decision": "decision",
    "MergeKind": "kind",
}


class Row(NamedTuple):
    """One key of a table. `below` names the class of the tables that stand there."""

    key: str
    words: str
    default: str
    about: str
    below: str


def render_policy_page() -> str:
    """docs/policy.md."""
    head = """\
# The policy file

`rollback-guard.toml` at the repository's root, or `[tool.rollback-guard]` in `pyproject.toml`. It is read from
the production branch's present tip, never from the change that is judged. Every problem is reported at once,
with its line and the nearest right name: `guard policy check`. `guard policy show` says how a policy is
understood, `guard policy schema` prints its JSON Schema, and `guard policy test` proves it on
[scenarios](scenarios.md). Complete policies are in [examples/policies](../examples/policies).

## Patterns

A pattern matches a whole short branch name, case-sensitively. `*` and `?` stay within one path segment, `**`
crosses segments, `[abc]`, `[a-z]` and `[!a]` stand for one character that is no `/`. All else is literal.

| pattern | matches | does not match |
|---|---|---|
| `main` | `main` | `Main`, `main/x` |
| `release/*` | `release/1.4` | `release/1.4/rc`, `release` |
| `release/**` | `release/1.4`, `release/1.4/rc` | `release` |
| `release/[0-9].?` | `release/1.4` | `release/1.10` |

## Repositories

A repository's name is its host and path: scheme, user, password, port, trailing slashes and `.git` are folded
away, and so is the case of the host. `https://x:y@GitHub.com/acme/shop.git/`, `git@github.com:acme/shop` and
`ssh://git@ssh.github.com:443/acme/shop` are all `github.com/acme/shop`. On github.com the case of the path is
folded too, because GitHub does so; elsewhere two names that differ in case are two repositories. A local
repository is its absolute path. Patterns are not read here.

"""
    return head + "\n".join(_table(model.Policy, vars(model), model.FIELD_DOCS, "")).rstrip() + "\n"


def render_scenario_page(root: Any, classes: Mapping[str, Any], docs: Mapping[str, Mapping[str, str]]) -> str:
    """docs/scenarios.md, from the declaration in `gate.scenario_model`."""
    head = """\
# Scenario files

A scenario is a made-up change and the verdict that a team expects of its policy. `guard policy test FILE…`
judges each by the real rules, without a repository, and ends with 0 when all came as expected, with 1 when one
did not, and with 2 when a file cannot be used. What a scenario leaves out gets the plainest value. Examples are
in [examples/scenarios](../examples/scenarios).

```toml
policy = "../policies/small-team.toml"

[[scenario]]
name = "nobody approves their own work"
source = "release/1.4"

[[scenario.commit]]
author = "Jane Doe <jane@acme.example>"
trailers = ["Reviewed-by: Jane Doe <jane@acme.example>"]

[scenario.expect]
decision = "deny"
violated = ["RG201", "RG202"]
```

"""
    return head + "\n".join(_table(root, classes, docs, "")).rstrip() + "\n"


def _table(cls: Any, classes: Mapping[str, Any], docs: Mapping[str, Mapping[str, str]], title: str) -> Iterator[str]:
    """A heading, a row a key, and the same for every table below."""
    rows = [_row(cls, name, classes, docs[cls.__name__], title) for name in cls._fields if name != "id"]
    yield f"## {f'`{title}`' if title else 'Top level'}\n"
    yield "| key | value | default | meaning |\n|---|---|---|---|"
    for row in rows:
        yield f"| `{row.key}` | {row.words} | {row.default} | {row.about} |"
    yield ""
    for row in rows:
        if row.below:
            yield from _table(classes[row.below], classes, docs, row.words.strip("`"))


def _row(cls: Any, name: str, classes: Mapping[str, Any], docs: Mapping[str, str], title: str) -> Row:
    annotation = cls.__annotations__[name]
    kind = getattr(annotation, "__forward_arg__", annotation)
    many = kind.startswith("tuple[")
    kind = kind[6:-6] if many else kind.removeprefix("Optional[").removesuffix("]")
    key = name.rstrip("_").replace("_", "-")
    required = name not in cls._field_defaults
    default = "required" if required else _default(cls._field_defaults[name], kind)
    if kind in KIND_WORDS:
        return Row(key, KIND_WORDS[kind], default, docs[key], "")
    path = f"{title.strip('[]')}.{key}" if title else key
    by_id = "id" in classes[kind]._fields
    words = f"`[{path}.ID]`" if by_id else f"`[[{path}]]`" if many else f"`[{path}]`"
    return Row(key, words, "required" if required else "", docs[key], kind)


def _default(value: Any, kind: str) -> str:
    if value is None or value == () or value == "" or kind == "Moment":
        return ""
    if kind == "Duration":
        return in_words(value)
    if isinstance(value, tuple):
        return "all" if kind == "Events" else ", ".join(f"`{one}`" for one in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
