"""What every field of a statement must be, whether it is about to be signed or was read.

The values and their bytes are left to `evidence.statement`. Pure.
"""

from __future__ import annotations

from typing import Any

from rollback_guard.evidence.canonical import FormatError
from rollback_guard.policy.scalars import is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rollback_guard.evidence.statement_model import Binding, Statement

MOST_TEXT = 2000  # characters of a comment or a reason
MOST_NAME = 1024  # characters of a repository, a ref or a URI
MOST_WORD = 100  # characters of a role or a person's id
MOST_LISTED = 200  # rules or inputs of a verdict
LAST = 253402300799  # the last second of the year 9999
_HEX = frozenset("0123456789abcdef")
_DECISIONS = {
    "SignOffStatement": ("approve", "reject", "withdraw"),
    "VerdictStatement": ("allow", "deny", "undetermined"),
    "ReleaseStatement": ("release", "revoke"),
}
_REF_SIGNS = frozenset(" ~^:?*[\\")


def check(statement: Statement) -> None:
    """Raises: FormatError when a field is not what it must be, or two do not fit each other."""
    for name, value in zip(statement._fields, statement, strict=True):
        _CHECKS[name](value, name.replace("_", " "))
    own = statement._asdict()
    decisions = _DECISIONS.get(type(statement).__name__)
    if decisions and own["decision"] not in decisions:
        raise FormatError(f"the decision is none of {', '.join(decisions)}")
    if "waivers" in own:  # a review says what came of it
        _reason(own["comment"], "comment")
    if "tag_object" in own:
        _fit_of_release(own)
    if own.get("expires", LAST) < statement.time:
        raise FormatError("it expires before it is signed")
    if len({len(statement.base), len(statement.head), len(statement.result_tree)}) != 1:
        raise FormatError("its object ids are of different lengths")
    _check_fit(statement)


def _fit_of_release(own: dict[str, Any]) -> None:
    """Nothing lands: a release speaks of one commit, and only a revocation says why."""
    if own["binding"].kind != "head" or own["base"] != own["head"] or own["binding"].object != own["result_tree"]:
        raise FormatError("it is bound to something else than the commit that it names")
    if len(own["tag_object"]) != len(own["head"]):
        raise FormatError("its object ids are of different lengths")
    if (own["decision"] == "revoke") != bool(own["comment"].strip()):
        raise FormatError("a revocation says why, and nothing else does")


def _check_fit(statement: Statement) -> None:
    """The binding is about the same objects as the statement."""
    binding = statement.binding
    if binding.kind == "result":
        if (binding.base, binding.object) != (statement.base, statement.result_tree):
            raise FormatError("it is bound to another base or result tree than it names")
    elif binding.base is not None:
        raise FormatError(f"a binding to the {binding.kind} has no base")
    elif binding.kind == "head":
        _oid(binding.object, "the binding's object")
        if len(binding.object) != len(statement.head):
            raise FormatError("its object ids are of different lengths")
    else:
        _digest(binding.object, "the binding's object")


def _binding(binding: Binding, name: str) -> None:
    if binding.kind not in ("result", "change", "head"):
        raise FormatError("the binding is none of result, change and head")
    _line(binding.repository, "the repository")
    _target(binding.target)
    if binding.base is not None:
        _oid(binding.base, "the binding's base")


def is_branch(ref: str) -> bool:
    """Whether a statement can name a branch (full name)."""
    try:
        _target(ref)
    except FormatError:
        return False
    return True


def _source(ref: Any, name: str) -> None:
    if ref is not None:
        _target(ref, name)


def _target(ref: Any, name: str = "target") -> None:
    _line(ref, f"the {name}")
    if not _is_ref(ref, "heads"):
        raise FormatError(f"the {name} is no branch: refs/heads/…")


def _tag(ref: Any, name: str) -> None:
    _line(ref, f"the {name}")
    if not _is_ref(ref, "tags"):
        raise FormatError(f"the {name} is none: refs/tags/…")


def _is_ref(ref: str, space: str) -> bool:
    parts = ref.split("/")
    odd = any(not part or part.startswith(".") or part.endswith((".", ".lock")) or ".." in part for part in parts)
    return parts[:2] == ["refs", space] and len(parts) > 2 and not (odd or "@{" in ref or _REF_SIGNS & set(ref))


def _oid(value: Any, name: str) -> None:
    if not isinstance(value, str) or len(value) not in (40, 64) or not _HEX.issuperset(value):
        raise FormatError(f"{name} is no object id")


def _digest(value: Any, name: str) -> None:
    if not isinstance(value, str) or value[:7] != "sha256:":
        raise FormatError(f"{name} is no sha256:…")
    _hex(value[7:], name)


def _hex(value: Any, name: str) -> None:
    if not isinstance(value, str) or len(value) != 64 or not _HEX.issuperset(value):
        raise FormatError(f"{name} is no SHA-256 in hex")


def _word(value: Any, name: str) -> None:
    if not isinstance(value, str) or not is_name(value) or len(value) > MOST_WORD:
        raise FormatError(f"{name} is no name of letters, digits, -, _ and .")


def _rule(value: Any, name: str) -> None:
    sound = isinstance(value, str) and len(value) == 5 and value.isascii()
    if not sound or value[:2] != "RG" or not value[2:].isdigit():
        raise FormatError(f"{name} is no rule's id such as RG201")


def _when(value: Any, name: str) -> None:
    if type(value) is not int or not 0 <= value <= LAST:
        raise FormatError(f"{name} is no moment from 1970 to 9999")


def check_text(value: Any, name: str, *, most: int = MOST_TEXT, breaks: str = "\n\t") -> None:
    """Text that any reader can write down: UTF-8, no control characters but line breaks and tabs."""
    if not isinstance(value, str):
        raise FormatError(f"{name} is no text")
    if len(value) > most:
        raise FormatError(f"{name} has {len(value):,} characters; at most {most:,} are read")
    if any((one < " " and one not in breaks) or "\x7f" <= one < "\xa0" or "\ud800" <= one < "\ue000" for one in value):
        raise FormatError(f"{name} holds control characters or is no UTF-8")


def _line(value: Any, name: str) -> None:
    check_text(value, name, most=MOST_NAME, breaks="")
    if not value.strip():
        raise FormatError(f"{name} is empty")


def _reason(value: Any, name: str) -> None:
    check_text(value, name)
    if not value.strip():
        raise FormatError(f"{name} is empty")


def _rules(value: Any, name: str) -> None:
    for rule, outcome in value:
        _rule(rule, name)
        _word(outcome, name)
    _sorted(value, name)


def _smoke(value: Any, name: str) -> None:
    for check, outcome in value:
        _word(check, name)
        if outcome not in ("passed", "failed"):
            raise FormatError(f"{name}: {check} neither passed nor failed")
    _sorted(value, name)


def _inputs(value: Any, name: str) -> None:
    for digest in value:
        _hex(digest, name)
    _sorted(value, name)


def _waivers(value: Any, name: str) -> None:
    _inputs(value, name)
    if not value:
        raise FormatError("it names no waiver")


def _sorted(value: tuple[Any, ...], name: str) -> None:
    if len(value) > MOST_LISTED:
        raise FormatError(f"{name} are more than {MOST_LISTED}")
    if list(value) != sorted(set(value)):
        raise FormatError(f"{name} are not sorted, each once")


_CHECKS: dict[str, Callable[[Any, str], None]] = {
    "role": _word,
    "decision": _word,
    "binding": _binding,
    "base": _oid,
    "head": _oid,
    "result_tree": _oid,
    "policy_digest": _digest,
    "signer": _word,
    "time": _when,
    "comment": check_text,
    "source": _source,
    "rule": _rule,
    "expires": _when,
    "reason": _reason,
    "incident": lambda value, name: check_text(value, name, most=MOST_WORD * 2, breaks=""),
    "policy_uri": _line,
    "rules": _rules,
    "inputs": _inputs,
    "waivers": _waivers,
    "tag": _tag,
    "tag_object": _oid,
    "smoke": _smoke,
}
