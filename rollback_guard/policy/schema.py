"""The JSON Schema of the policy file, from the same declaration that the reader is driven by.

A schema cannot say all that the reader checks: names that must exist, counts that must be possible.
"""

from __future__ import annotations

from typing import Any

from rollback_guard.policy.model import FIELD_DOCS, Policy
from rollback_guard.policy.read import POLICY
from rollback_guard.policy.structs import schema_of


def render_schema() -> dict[str, Any]:
    """A JSON Schema, draft 2020-12, for rollback-guard.toml."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://rollback-guard.example/schema/policy-1.json",
        "title": "rollback-guard policy",
        **schema_of(Policy, POLICY, FIELD_DOCS),
    }
