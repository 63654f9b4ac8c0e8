"""What every field of a statement must be, whether it is about to be signed or was read.

The values and their bytes are left to `evidence.statement`. Pure.
"""

from __future__ import annotations

from typing import Any

from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.statement_scalars import (
    LAST,
    MOST_LISTED,
    MOST_WORD,
    check_digest,
    check_free,
    check_hex,
    check_line,
    check_moment,
    check_number,
    check_oid,
    check_order,
    check_reason,
    check_rule,
    check_tag,
    check_target,
    check_text,
    check_word,
)
from rollback_guard.policy.model import ENGINES, LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rollback_guard.evidence.statement_model import Binding, Statement

CLOCK = 300  # seconds by which the clocks of a database and of whoever signs may differ
_DECISIONS = {
    "SignOffStatement": ("approve", "reject", "withdraw"),
    "VerdictStatement": ("allow", "deny", "undetermined"),
    "ReleaseStatement": ("release", "revoke"),
}


def check(statement: Statement) -> None:
    """Raises: FormatError when a field is not what it must be, or two do not fit each other."""
    for name, value in zip(statement._fields, statement, strict=True):
        _CHECKS[name](value, name.replace("_", " "))
    own = statement._asdict()
    decisions = _DECISIONS.get(type(statement).__name__)
    if decisions and own["decision"] not in decisions:
        raise FormatError(f"the decision is none of {', '.join(decisions)}")
    if "waivers" in own:  # a review says what came of it
        check_reason(own["comment"], "comment")
    if "tag_object" in own:
        _fit_of_release(own)
    if "artefact" in own:
        _fit_of_backup(own)
    if own.get("expires", LAST) < statement.time:
        raise FormatError("it expires before it is signed")
    if len({len(statement.base), len(statement.head), len(statement.result_tree)}) != 1:
        raise FormatError("its object ids are of different lengths")
    _check_fit(statement)


def _about_one_commit(own: dict[str, Any]) -> None:
    if own["binding"].kind != "head" or own["base"] != own["head"] or own["binding"].object != own["result_tree"]:
        raise FormatError("it is bound to something else than the commit that it names")


def _fit_of_backup(own: dict[str, Any]) -> None:
    """Nothing lands, and the numbers bear out what is claimed."""
    _about_one_commit(own)
    proof = own["proof"]
    reached = LEVELS.index(proof.level)
    if own["ended"] < own["begun"]:
        raise FormatError("it ended before it began")
    if max(own["snapshot"], own["ended"]) > own["time"] + CLOCK:
        raise FormatError("it is signed before it was taken")
    if (own["previous"] is None) != (own["since_previous"] is None):
        raise FormatError("it says how long ago the one before was, or which that is, and not both")
    if reached >= LEVELS.index("restored") and proof.seconds is None:
        raise FormatError(f"the level {proof.level} asks for a restore, and it says of none how long it took")
    if reached >= LEVELS.index("schema") and proof.differences is None:
        raise FormatError(f"the level {proof.level} asks for a comparison, and it says nothing of one")
    if reached >= LEVELS.index("compared") and proof.differences:
        raise FormatError(f"the level {proof.level} allows no differences")
    if proof.level == "exercised" and {outcome for _, outcome in proof.checks} != {"passed"}:
        raise FormatError("the level exercised asks for checks that passed")


def _fit_of_release(own: dict[str, Any]) -> None:
    """Nothing lands: a release speaks of one commit, and only a revocation says why."""
    _about_one_commit(own)
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
        check_oid(binding.object, "the binding's object")
        if len(binding.object) != len(statement.head):
            raise FormatError("its object ids are of different lengths")
    else:
        check_digest(binding.object, "the binding's object")


def _binding(binding: Binding, name: str) -> None:
    if binding.kind not in ("result", "change", "head"):
        raise FormatError("the binding is none of result, change and head")
    check_line(binding.repository, "the repository")
    check_target(binding.target)
    if binding.base is not None:
        check_oid(binding.base, "the binding's base")


def _source(ref: Any, name: str) -> None:
    if ref is not None:
        check_target(ref, name)


def _rules(value: Any, name: str) -> None:
    for rule, outcome in value:
        check_rule(rule, name)
        check_word(outcome, name)
    check_order(value, name)


def _smoke(value: Any, name: str) -> None:
    for check, outcome in value:
        check_word(check, name)
        if outcome not in ("passed", "failed"):
            raise FormatError(f"{name}: {check} neither passed nor failed")
    check_order(value, name)


def _inputs(value: Any, name: str) -> None:
    for digest in value:
        check_hex(digest, name)
    check_order(value, name)


def _waivers(value: Any, name: str) -> None:
    _inputs(value, name)
    if not value:
        raise FormatError("it names no waiver")


def _origin(value: Any, name: str) -> None:
    if value.engine not in ENGINES:
        raise FormatError(f"the engine is none of {', '.join(ENGINES)}")
    check_line(value.place, "the place")
    for key in ("source", "server", "version"):
        check_free(getattr(value, key), f"the {key}")


def _artefact(value: Any, name: str) -> None:
    check_line(value.store, "the store")
    check_line(value.file, "the file")
    if any(part in ("", ".", "..") for part in value.file.split("/")) or "\\" in value.file:
        raise FormatError("the file does not lie in the store")
    check_hex(value.digest, "the artefact's digest")
    for key in ("size", "content"):
        check_number(getattr(value, key), f"the artefact's {key}")
    for key in ("compression", "encryption"):
        check_text(getattr(value, key), f"the {key}", most=MOST_WORD, breaks="")


def _content(value: Any, name: str) -> None:
    check_hex(value.digest, "the content's digest")
    check_number(value.items, "the number of items")
    check_number(value.rows, "the number of rows")
    if len(value.uncovered) > MOST_LISTED:
        raise FormatError(f"what is not covered are more than {MOST_LISTED}")
    for one in value.uncovered:
        check_line(one, "what is not covered")


def _proof(value: Any, name: str) -> None:
    if value.level not in LEVELS:
        raise FormatError(f"the level is none of {', '.join(LEVELS)}")
    _smoke(value.checks, "the checks")
    for number, what in ((value.differences, "the number of differences"), (value.seconds, "the restore's seconds")):
        if number is not None:
            check_number(number, what)


def _tools(value: Any, name: str) -> None:
    for tool, version in value:
        check_line(tool, "a tool's name")
        check_free(version, "a tool's version")
    check_order(value, name)


_CHECKS: dict[str, Callable[[Any, str], None]] = {
    "role": check_word,
    "decision": check_word,
    "binding": _binding,
    "base": check_oid,
    "head": check_oid,
    "result_tree": check_oid,
    "policy_digest": check_digest,
    "signer": check_word,
    "time": check_moment,
    "comment": check_text,
    "source": _source,
    "rule": check_rule,
    "expires": check_moment,
    "reason": check_reason,
    "incident": lambda value, name: check_text(value, name, most=MOST_WORD * 2, breaks=""),
    "policy_uri": check_line,
    "rules": _rules,
    "inputs": _inputs,
    "waivers": _waivers,
    "tag": check_tag,
    "tag_object": check_oid,
    "smoke": _smoke,
    "name": check_word,
    "backup": check_word,
    "set": check_word,
    "origin": _origin,
    "snapshot": check_moment,
    "position": check_free,
    "begun": check_moment,
    "ended": check_moment,
    "artefact": _artefact,
    "content": _content,
    "proof": _proof,
    "tools": _tools,
    "skew": check_number,
    "previous": lambda value, name: None if value is None else check_hex(value, name),
    "since_previous": lambda value, name: None if value is None else check_number(value, name),
}
