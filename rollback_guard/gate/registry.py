"""The rules that there are: one literal list, in the order of their ids, which are never reused.

A rule's module is imported when the rule is asked: a commit on an ordinary branch concerns one rule, and a
hook has no time for the others. RULES has them all.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.gate.rule import Rule

    RULES: tuple[Rule, ...]

RULE_NAMES: tuple[tuple[str, str], ...] = (
    ("RG001", "policy-missing"),
    ("RG002", "policy-weakened"),
    ("RG101", "direct-commit"),
    ("RG102", "unapproved-route"),
    ("RG103", "unauthorised-repository"),
    ("RG104", "rewritten-production"),
    ("RG105", "evil-merge"),
    ("RG106", "stale-base"),
    ("RG107", "unknown-identity"),
    ("RG108", "confusable-ref"),
    ("RG201", "sign-off-missing"),
    ("RG202", "sign-off-self"),
    ("RG203", "sign-off-unauthorised"),
    ("RG204", "sign-off-stale"),
    ("RG205", "sign-off-unproven"),
    ("RG206", "malformed-trailer"),
    ("RG207", "vetoed"),
    ("RG301", "backup-missing"),
    ("RG302", "backup-stale"),
    ("RG303", "backup-unproven"),
    ("RG304", "backup-tampered"),
    ("RG305", "backup-wrong-source"),
    ("RG306", "attestation-invalid"),
    ("RG401", "stable-tag-moved"),
    ("RG402", "migration-irreversible"),
    ("RG403", "unrelanded-merge"),
    ("RG404", "missing-revert"),
)


def load_rule(rule: str) -> Rule:
    """The rule of an id that is in RULE_NAMES.

    Raises: KeyError for any other.
    """
    match rule:
        case "RG001":
            from rollback_guard.gate.rules.rg001_policy_missing import RULE
        case "RG002":
            from rollback_guard.gate.rules.rg002_policy_weakened import RULE
        case "RG101":
            from rollback_guard.gate.rules.rg101_direct_commit import RULE
        case "RG102":
            from rollback_guard.gate.rules.rg102_unapproved_route import RULE
        case "RG103":
            from rollback_guard.gate.rules.rg103_unauthorised_repository import RULE
        case "RG104":
            from rollback_guard.gate.rules.rg104_rewritten_production import RULE
        case "RG105":
            from rollback_guard.gate.rules.rg105_evil_merge import RULE
        case "RG106":
            from rollback_guard.gate.rules.rg106_stale_base import RULE
        case "RG107":
            from rollback_guard.gate.rules.rg107_unknown_identity import RULE
        case "RG108":
            from rollback_guard.gate.rules.rg108_confusable_ref import RULE
        case "RG201":
            from rollback_guard.gate.rules.rg201_sign_off_missing import RULE
        case "RG202":
            from rollback_guard.gate.rules.rg202_sign_off_self import RULE
        case "RG203":
            from rollback_guard.gate.rules.rg203_sign_off_unauthorised import RULE
        case "RG204":
            from rollback_guard.gate.rules.rg204_sign_off_stale import RULE
        case "RG205":
            from rollback_guard.gate.rules.rg205_sign_off_unproven import RULE
        case "RG206":
            from rollback_guard.gate.rules.rg206_malformed_trailer import RULE
        case "RG207":
            from rollback_guard.gate.rules.rg207_vetoed import RULE
        case "RG401":
            from rollback_guard.gate.rules.rg401_stable_tag_moved import RULE
        case "RG402":
            from rollback_guard.gate.rules.rg402_migration_irreversible import RULE
        case "RG403":
            from rollback_guard.gate.rules.rg403_unrelanded_merge import RULE
        case "RG404":
            from rollback_guard.gate.rules.rg404_missing_revert import RULE
        case _:
            return _load_backup_rule(rule)
    return RULE


def _load_backup_rule(rule: str) -> Rule:
    match rule:
        case "RG301":
            from rollback_guard.gate.rules.rg301_backup_missing import RULE
        case "RG302":
            from rollback_guard.gate.rules.rg302_backup_stale import RULE
        case "RG303":
            from rollback_guard.gate.rules.rg303_backup_unproven import RULE
        case "RG304":
            from rollback_guard.gate.rules.rg304_backup_tampered import RULE
        case "RG305":
            from rollback_guard.gate.rules.rg305_backup_wrong_source import RULE
        case "RG306":
            from rollback_guard.gate.rules.rg306_attestation_invalid import RULE
        case _:
            raise KeyError(rule)
    return RULE


def find_rule(id_or_name: str) -> Rule | None:
    """The rule of that id (`RG201`) or name (`sign-off-missing`), whatever the case, or None."""
    wanted = id_or_name.strip().casefold()
    return next((load_rule(rule) for rule, name in RULE_NAMES if wanted in (rule.casefold(), name)), None)


def __getattr__(name: str) -> tuple[Rule, ...]:
    if name != "RULES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    rules = tuple(load_rule(rule) for rule, _ in RULE_NAMES)
    globals()["RULES"] = rules
    return rules
