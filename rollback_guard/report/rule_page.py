"""A rule's page: markdown for docs/rules/, and plain text for `guard explain`. Both drawn from the rule itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.gate.rule import Rule

_NOTICE = "<!-- Generated from rollback_guard/gate/rules by docs/generate.py; edit the rule, not this page. -->"
_UNKNOWN = "A fact that cannot be had makes the rule undetermined, which blocks too."


def render_rule_page(rule: Rule) -> str:
    """The page docs/rules/<id>.md of a rule, in markdown, with a final newline."""
    needs = "\n".join(f"- {need}" for need in rule.needs)
    parts = (
        f"# {rule.id} {rule.name}",
        _NOTICE,
        f"Violated when {rule.title}.",
        f"## Why\n\n{_flowing(rule.why)}",
        f"## Example\n\n{_flowing(rule.example)}",
        f"## Facts that it needs\n\n{needs}\n\n{_UNKNOWN}",
        f"## Works offline\n\n{_offline(rule)}",
        f"## What to do\n\n{_flowing(rule.remedy)}",
    )
    return "\n\n".join(parts) + "\n"


def render_rule_text(rule: Rule, *, width: int = 96) -> str:
    """The same for a terminal: wrapped at `width` columns, no colour, no final newline."""
    import textwrap

    def wrapped(text: str) -> str:
        return textwrap.fill(
            _flowing(text),
            width,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )

    parts = (
        f"{rule.id} {rule.name}",
        wrapped(f"Violated when {rule.title}."),
        "Why\n" + wrapped(rule.why),
        "Example\n" + wrapped(rule.example),
        "Facts that it needs\n" + "\n".join(f"  - {need}" for need in rule.needs),
        "Works offline\n" + wrapped(_offline(rule)),
        "What to do\n" + wrapped(rule.remedy),
    )
    return "\n\n".join(parts)


def _offline(rule: Rule) -> str:
    return "Yes: everything is read from this clone." if rule.offline else "No: it asks a server."


def _flowing(text: str) -> str:
    """One paragraph in one line; rules are written with lines of the source's width."""
    return " ".join(text.split())
