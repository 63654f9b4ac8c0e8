"""How many examples a property is tried with: a third of them in an ordinary run, all under GUARD_THOROUGH=1.

For the properties whose examples take the longest. No line is left to them to cover: each has a test of its own.
"""

from __future__ import annotations

import os


def examples(most: int) -> int:
    """The number for Hypothesis' `max_examples`."""
    return most if os.environ.get("GUARD_THOROUGH") == "1" else most // 3
