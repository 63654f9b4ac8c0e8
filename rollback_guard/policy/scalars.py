"""How single values of the policy are read: text, names, addresses, keys, numbers.

A reader returns the value, or notes what is wrong at its place and returns something harmless so that the rest of the
file is read too. Lists, tables and the JSON Schema are left to `policy.kinds`. Pure.
"""

from __future__ import annotations

from typing import Any

from rollback_guard.policy.problems import Place

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BECH32 = frozenset("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
NAME_SIGNS = "letters, digits, -, _ and ."
_TYPES = {"bool": "true or false", "int": "a number", "float": "a decimal number", "str": "text", "list": "a list"}


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
        return place.fail("", f"may only hold {NAME_SIGNS}, and begins with a letter or digit")
    return text


def read_email(value: Any, place: Place) -> str:
    """An e-mail address: something, one @, something, no white space and no brackets."""
    text = read_text(value, place)
    local, at, host = text.rpartition("@")
    if text and (not at or not local or not host or "@" in local or any(one.isspace() or one in "<>" for one in text)):
        return place.fail("", "must be an e-mail address such as jane@acme.example")
    return text


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
        return place.fail("", f"must be a person's id, or a team as @name: {NAME_SIGNS}")
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


def read_openpgp_key(value: Any, place: Place) -> str:
    """An OpenPGP public key as `policy.openpgp` reads it, kept as the block that it is."""
    if not isinstance(value, str):
        return place.fail("", f"must be text, not {type_name(value)}")
    from rollback_guard.policy.openpgp import explain_fault  # as above

    return place.fail("", fault) if (fault := explain_fault(value)) else value


def read_recipient(value: Any, place: Place) -> str:
    """Somebody whose key opens what is encrypted: an age recipient, or the first two words of an SSH public key."""
    text = read_text(value, place)
    kind, _, data = text.partition(" ")
    body = data.rstrip("=")
    ssh = kind in ("ssh-ed25519", "ssh-rsa") and body.startswith("AAAA") and len(data) - len(body) <= 2
    sound = (ssh and not set(body) - _BASE64) or (
        text.startswith("age1") and len(text) == 62 and not set(text[4:]) - _BECH32
    )
    fault = "must be an age recipient (age1…), or ssh-ed25519 or ssh-rsa and a key, without a comment"
    return text if sound or not text else place.fail("", fault)


def read_argument(value: Any, place: Place) -> str:
    """One word of a command: any text but for NUL, which no process can be given."""
    if not isinstance(value, str):
        return place.fail("", f"must be text, not {type_name(value)}")
    return place.fail("", "must not hold a NUL character") if "\0" in value else value


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
    seconds = seconds_of(value) if isinstance(value, str) else None
    return place.fail(1, "must be a duration such as 30s, 90m, 36h, 14d or 2w") if seconds is None else seconds


def seconds_of(text: str) -> int | None:
    """The seconds of a duration such as 90m; None for anything else."""
    number, unit = text[:-1], text[-1:]
    if unit in SECONDS and number.isascii() and number.isdigit() and len(number) <= 6 and int(number) > 0:
        return int(number) * SECONDS[unit]
    return None


def read_tag_pattern(value: Any, place: Place) -> str:
    """The name of stable tags, in which {date} and {number} are filled in."""
    text = read_text(value, place)
    if text:
        from rollback_guard.policy.tags import explain_fault  # as above: the name is seldom written

        return place.fail("", fault) if (fault := explain_fault(text)) else text
    return ""
