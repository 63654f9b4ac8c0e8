"""One migration's verdict, from the steps that its reader found, with the reasons in words.

Which steps a file is made of is left to its framework's reader, what a range of migrations asks for to `model`.
"""

from __future__ import annotations

from rollback_guard.release.migrations.model import Effect, Parsed, Step, Verdict

MOST = 12  # reasons of one kind that are told; a person reads no more
NO_WAY_BACK = "has no way back"
DOES_NOTHING = "the way back does nothing"


def judge(parsed: Parsed) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and why it is not better, worst first: predicates such as "drops table orders"."""
    unread = _told(parsed.up, "unknown")
    if not unread and all(step.effect == "expand" for step in parsed.up):
        return "expand-only", ()
    broken = _broken(parsed)
    destroyed = tuple(f"{what}, which no way back brings back" for what in _told(parsed.up, "destroy"))
    reasons = (*_few(unread), *_few(broken), *_few(destroyed), *_few(_told(parsed.up, "change")))
    if unread or broken:
        return "irreversible", reasons
    return ("lossy-down" if destroyed else "reversible"), reasons


def goes_back(parsed: Parsed) -> bool:
    """Whether there is a way back that can be run, whatever it loses."""
    return not _broken(parsed)


def _broken(parsed: Parsed) -> tuple[str, ...]:
    """What is wrong with the way back; nothing where it can be relied on."""
    if parsed.refuses:
        return (f"the way back stops: {parsed.refuses}",)
    unread = tuple(f"the way back {what}" for what in _told(parsed.down or (), "unknown"))
    if parsed.undoes_itself or unread:
        return unread
    if parsed.down is None:
        return (NO_WAY_BACK,)
    return (DOES_NOTHING,) if parsed.up and not parsed.down else ()


def _told(steps: tuple[Step, ...], effect: Effect) -> tuple[str, ...]:
    """What the steps of one effect do, each said once, in their order."""
    return tuple(dict.fromkeys(step.what for step in steps if step.effect == effect))


def _few(reasons: tuple[str, ...]) -> tuple[str, ...]:
    if len(reasons) <= MOST:
        return reasons
    return (*reasons[: MOST - 1], f"and {len(reasons) - MOST + 1} more of the kind")
