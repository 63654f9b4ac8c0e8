"""How each kind of value in the policy is read, and what its JSON Schema is.

A kind is named by the annotation of a field in `policy.model`. A reader returns the value, or notes what is
wrong at its place and returns something harmless so that the rest of the file is read too. What one value
means for another (a team that does not exist, a name used twice) is left to `policy.checks`.
"""

from __future__ import annotations

from typing import Any, Callable

from rollback_guard.policy import model, patterns
from rollback_guard.policy.problems import Place
from rollback_guard.policy.repositories import normalise_repository
from rollback_guard.policy.scalars import (
    NAME_SIGNS,
    is_name,
    read_argument,
    read_count,
    read_duration,
    read_email,
    read_flag,
    read_login,
    read_member,
    read_name,
    read_openpgp_key,
    read_public_key,
    read_recipient,
    read_status,
    read_tag_pattern,
    read_text,
    read_trailer_key,
    read_version,
    type_name,
)


class Kind:
    """How a value is read, and the JSON Schema that accepts the same values as far as a schema can tell.

    A plain class: building a NamedTuple class costs every hook about 0.2 ms.
    """

    __slots__ = ("read", "schema")

    def __init__(self, read: Callable[[Any, Place], Any], schema: dict[str, Any]) -> None:
        self.read = read
        self.schema = schema


def read_glob(value: Any, place: Place) -> str:
    """A pattern over short branch names."""
    text = read_text(value, place)
    fault = patterns.explain_fault(text) if text else ""
    if fault:
        short = text.removeprefix("refs/heads/")
        return place.fail("", f"the pattern {fault}", nearest=short if short != text else "")
    return text


def read_repository(value: Any, place: Place) -> str:
    """A repository's name or URL, normalised."""
    text = read_text(value, place)
    if text and any(one in "*?[" for one in text):
        return place.fail("", "must be one repository's name: patterns are not read here")
    name = normalise_repository(text) if text else ""
    if name.startswith((".", "~")) or name.endswith("::"):
        return place.fail("", "must be a name such as github.com/acme/shop, or an absolute path")
    return name


def read_command(value: Any, place: Place) -> tuple[str, ...]:
    """A command as a list of words; the first names the program."""
    words = read_list(read_argument, value, place)
    if words and not words[0].strip():
        return place.fail((), "must begin with a program")
    return words


def read_list(
    read: Callable[[Any, Place], Any], value: Any, place: Place, *, may_be_empty: bool = False
) -> tuple[Any, ...]:
    """A list, not empty unless that can do no harm; entries that are wrong are left out and noted."""
    if not isinstance(value, list):
        return place.fail((), f"must be a list, not {type_name(value)}")
    if not value and not may_be_empty:
        return place.fail((), "must not be empty")
    entries = (read(entry, place.at(index)) for index, entry in enumerate(value))
    return tuple(entry for entry in entries if entry != "")


def read_teams(value: Any, place: Place) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Teams by name, each a list of people's ids."""
    if not isinstance(value, dict):
        return place.fail((), f"must be a table, not {type_name(value)}")
    teams = []
    for name, members in value.items():
        here = place.at(name)
        if not is_name(name):
            here.fail(None, f"a team's name may only hold {NAME_SIGNS}, and begins with a letter or digit")
        teams.append((name, read_list(_read_team_member, members, here)))
    return tuple(sorted(teams))


def _read_team_member(value: Any, place: Place) -> str:
    if isinstance(value, str) and value.startswith("@"):
        return place.fail("", "a team lists people, not other teams")
    return read_name(value, place)


def choices(values: tuple[str, ...]) -> Kind:
    """A kind that takes one of a few words."""

    def read(value: Any, place: Place) -> str:
        if isinstance(value, str) and value in values:
            return value
        return place.fail(values[0], f"must be one of {', '.join(values)}", wrong=value, names=values)

    return Kind(read, {"enum": list(values)})


def many(kind: Kind, *, may_be_empty: bool = False) -> Kind:
    """A kind that takes a list of another kind."""

    def read(value: Any, place: Place) -> tuple[Any, ...]:
        return read_list(kind.read, value, place, may_be_empty=may_be_empty)

    least = {} if may_be_empty else {"minItems": 1}
    return Kind(read, {"type": "array", **least, "items": kind.schema})


_VISIBLE = "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$"
NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]*$"
TEXT = Kind(read_text, {"type": "string", "pattern": _VISIBLE})
NAME = Kind(read_name, {"type": "string", "pattern": NAME_PATTERN})
GLOB = Kind(
    read_glob,
    {
        "type": "string",
        "maxLength": 512,
        "pattern": "^(?!refs/)[^/ ~^:\\\\\\u0000-\\u001f]+(/[^/ ~^:\\\\\\u0000-\\u001f]+)*$",
    },
)
EMAIL = Kind(read_email, {"type": "string", "pattern": "^[^@\\s<>]+@[^@\\s<>]+$"})
REPOSITORY = Kind(read_repository, {"type": "string", "pattern": "^[^*?\\[\\u0000-\\u001f]+$"})
MEMBER = Kind(read_member, {"type": "string", "pattern": "^@?[A-Za-z0-9][A-Za-z0-9._-]*$"})
_DATE = 'valid-(after|before)="[0-9]{8}([0-9]{4}([0-9]{2})?)?Z?"'
_KEY = "(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\\.com) +AAAA"
_KEY = f"^ *({_DATE}(,{_DATE})? +)?{_KEY}[A-Za-z0-9+/]+={{0,2}}( [^\\u0000-\\u001f\\u007f-\\u009f]*)?$"
KEY = Kind(read_public_key, {"type": "string", "pattern": _KEY})
PGP_KEY = Kind(read_openpgp_key, {"type": "string", "pattern": "^\\s*-----BEGIN PGP PUBLIC KEY BLOCK-----"})
RECIPIENT = Kind(
    read_recipient,
    {"type": "string", "pattern": "^(age1[02-9ac-hj-np-z]{58}|ssh-(ed25519|rsa) AAAA[A-Za-z0-9+/]+={0,2})$"},
)
_WORDS = {"type": "array", "minItems": 1, "items": {"type": "string"}}

KINDS: dict[str, Kind] = {
    "Version": Kind(read_version, {"const": 1}),
    "Name": NAME,
    "Text": TEXT,
    "Keys": many(KEY, may_be_empty=True),
    "PgpKeys": many(PGP_KEY, may_be_empty=True),
    "Glob": GLOB,
    "Globs": many(GLOB),
    "Emails": many(EMAIL),
    "RepositoryNames": many(REPOSITORY),
    "TrailerKey": Kind(read_trailer_key, {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]*$"}),
    "Members": many(MEMBER),
    "Login": Kind(read_login, {"type": "string", "pattern": "^[A-Za-z0-9_\\[\\]-]+#[0-9]+$"}),
    "Command": Kind(read_command, _WORDS),
    "Recipients": many(RECIPIENT),
    "Count": Kind(read_count, {"type": "integer", "minimum": 1}),
    "Duration": Kind(read_duration, {"type": "string", "pattern": "^0*[1-9][0-9]*[smhdw]$"}),
    "Status": Kind(read_status, {"type": "integer", "minimum": 100, "maximum": 599}),
    "Flag": Kind(read_flag, {"type": "boolean"}),
    "TagPattern": Kind(read_tag_pattern, {"type": "string", "pattern": "\\{number\\}"}),
    "Teams": Kind(
        read_teams,
        {
            "type": "object",
            "propertyNames": {"pattern": NAME_PATTERN},
            "additionalProperties": {"type": "array", "minItems": 1, "items": NAME.schema},
        },
    ),
    "Proof": choices(model.PROOFS),
    "Binding": choices(model.BINDINGS),
    "Engine": choices(model.ENGINES),
    "Level": choices(model.LEVELS),
    "Events": many(choices(model.EVENTS)),
}
