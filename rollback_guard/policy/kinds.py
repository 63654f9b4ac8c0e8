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

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_NAME = "letters, digits, -, _ and ."
_TYPES = {"bool": "true or false", "int": "a number", "float": "a decimal number", "str": "text", "list": "a list"}


class Kind:
    """How a value is read, and the JSON Schema that accepts the same values as far as a schema can tell.

    A plain class: building a NamedTuple class costs every hook about 0.2 ms.
    """

    __slots__ = ("read", "schema")

    def __init__(self, read: Callable[[Any, Place], Any], schema: dict[str, Any]) -> None:
        self.read = read
        self.schema = schema


def type_name(value: object) -> str:
    """The TOML type of a value, in words."""
    return _TYPES.get(type(value).__name__, "a table" if isinstance(value, dict) else "a date or time")


def has_control(text: str) -> bool:
    """Whether the text holds a control character (or the surrogate of a byte that is no UTF-8)."""
    return not text.isprintable() and any(one < " " or "\x7f" <= one < "\xa0" for one in text)


def read_text(value: Any, place: Place) -> str:
    """Text that is not empty and has no control characters."""
    if not isinstance(value, str):
        return place.fail("", f"must be text, not {type_name(value)}")
    if not value.strip():
        return place.fail("", "must not be empty")
    if has_control(value):
        return place.fail("", "must not hold control characters")
    return value


def is_name(text: str) -> bool:
    """Whether the text may name a person, a team or a role."""
    return text[:1].isalnum() and text.isascii() and all(one.isalnum() or one in "-_." for one in text)


def read_name(value: Any, place: Place) -> str:
    """A name of letters, digits, `-`, `_` and `.` that begins with a letter or digit."""
    text = read_text(value, place)
    if text and not is_name(text):
        return place.fail("", f"may only hold {_NAME}, and begins with a letter or digit")
    return text


def read_glob(value: Any, place: Place) -> str:
    """A pattern over short branch names."""
    text = read_text(value, place)
    fault = patterns.explain_fault(text) if text else ""
    if fault:
        short = text.removeprefix("refs/heads/")
        return place.fail("", f"the pattern {fault}", nearest=short if short != text else "")
    return text


def read_email(value: Any, place: Place) -> str:
    """An e-mail address: something, one @, something, no white space and no brackets."""
    text = read_text(value, place)
    local, at, host = text.rpartition("@")
    if text and (not at or not local or not host or "@" in local or any(one.isspace() or one in "<>" for one in text)):
        return place.fail("", "must be an e-mail address such as jane@acme.example")
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


def read_trailer_key(value: Any, place: Place) -> str:
    """The key of a commit message trailer: letters, digits and `-`. Source: git-interpret-trailers(1)."""
    text = read_text(value, place)
    if text and not (text.isascii() and text[0].isalpha() and all(one.isalnum() or one == "-" for one in text)):
        return place.fail("", "must be a trailer's key such as Reviewed-by: letters, digits and -")
    return text


def read_member(value: Any, place: Place) -> str:
    """A person's id, or a team's name behind an @."""
    text = read_text(value, place)
    if text and not is_name(text.removeprefix("@")):
        return place.fail("", f"must be a person's id, or a team as @name: {_NAME}")
    return text


def read_login(value: Any, place: Place) -> str:
    """A GitHub login with its numeric id, which stays when somebody else takes the login: jane#1234567."""
    text = read_text(value, place)
    login, separator, number = text.partition("#")
    sound = login and all(one.isascii() and (one.isalnum() or one in "-_[]") for one in login)
    if text and not (sound and separator and number.isascii() and number.isdigit()):
        return place.fail("", "must be a login and its numeric id: jane#1234567 (gh api users/jane --jq .id)")
    return text


def read_public_key(value: Any, place: Place) -> str:
    """A public key as `policy.keys` reads it, kept as the line that it is."""
    text = read_text(value, place)
    if text:
        from rollback_guard.policy.keys import explain_fault  # only a policy that lists keys pays for it

        return place.fail("", fault) if (fault := explain_fault(text)) else text
    return ""


def read_argument(value: Any, place: Place) -> str:
    """One word of a command: any text but for NUL, which no process can be given."""
    if not isinstance(value, str):
        return place.fail("", f"must be text, not {type_name(value)}")
    return place.fail("", "must not hold a NUL character") if "\0" in value else value


def read_command(value: Any, place: Place) -> tuple[str, ...]:
    """A command as a list of words; the first names the program."""
    words = read_list(read_argument, value, place)
    if words and not words[0].strip():
        return place.fail((), "must begin with a program")
    return words


def read_version(value: Any, place: Place) -> int:
    """The format's version, which is 1."""
    if type(value) is not int:
        return place.fail(1, f"must be the whole number 1, not {type_name(value)}")
    if value != 1:
        return place.fail(1, "must be 1, the only version that this rollback_guard reads")
    return 1


def read_count(value: Any, place: Place) -> int:
    """A number of people, from 1."""
    if type(value) is not int:
        return place.fail(1, f"must be a whole number, not {type_name(value)}")
    return value if value >= 1 else place.fail(1, "must be at least 1")


def read_status(value: Any, place: Place) -> int:
    """An HTTP status."""
    if type(value) is not int:
        return place.fail(200, f"must be a whole number, not {type_name(value)}")
    return value if 100 <= value <= 599 else place.fail(200, "must be an HTTP status from 100 to 599")


def read_flag(value: Any, place: Place) -> bool:
    """True or false."""
    return value if isinstance(value, bool) else place.fail(False, f"must be true or false, not {type_name(value)}")


def read_duration(value: Any, place: Place) -> int:
    """A duration such as 90m, in seconds."""
    if isinstance(value, str):
        number, unit = value[:-1], value[-1:]
        if unit in SECONDS and number.isascii() and number.isdigit() and len(number) <= 6 and int(number) > 0:
            return int(number) * SECONDS[unit]
    return place.fail(1, "must be a duration such as 30s, 90m, 36h, 14d or 2w")


def read_tag_pattern(value: Any, place: Place) -> str:
    """The name of stable tags, in which {date} and {number} are filled in."""
    text = read_text(value, place)
    if text:
        from rollback_guard.policy.tags import explain_fault  # as above: the name is seldom written

        return place.fail("", fault) if (fault := explain_fault(text)) else text
    return ""


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
            here.fail(None, f"a team's name may only hold {_NAME}, and begins with a letter or digit")
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
_WORDS = {"type": "array", "minItems": 1, "items": {"type": "string"}}

KINDS: dict[str, Kind] = {
    "Version": Kind(read_version, {"const": 1}),
    "Name": NAME,
    "Text": TEXT,
    "Keys": many(KEY, may_be_empty=True),
    "Glob": GLOB,
    "Globs": many(GLOB),
    "Emails": many(EMAIL),
    "RepositoryNames": many(REPOSITORY),
    "TrailerKey": Kind(read_trailer_key, {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]*$"}),
    "Members": many(MEMBER),
    "Login": Kind(read_login, {"type": "string", "pattern": "^[A-Za-z0-9_\\[\\]-]+#[0-9]+$"}),
    "Command": Kind(read_command, _WORDS),
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
