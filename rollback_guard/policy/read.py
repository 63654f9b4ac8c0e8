"""From the bytes of a policy file to a `Policy`, or to everything that is wrong with them, all at once.

Where the bytes come from (a commit, a file, stdin) is left to `facts.policy_source` and the commands.
"""

from __future__ import annotations

from typing import Optional

from rollback_guard.policy import model
from rollback_guard.policy.checks import check_policy
from rollback_guard.policy.kinds import KINDS
from rollback_guard.policy.problems import Place, Problem, Problems
from rollback_guard.policy.structs import Declaration, read_struct
from rollback_guard.policy.toml import LIMIT, parse_toml, refusal

__all__ = ["LIMIT", "POLICY", "Problem", "read_policy"]

POLICY = Declaration(classes=vars(model), kinds=KINDS)
TOOL = "rollback-guard"
REMEDY = "guard policy check   # lists every problem; guard policy schema says what is allowed"


def read_policy(data: bytes, *, path: str) -> Optional[model.Policy]:
    """The policy in a file's bytes; None for a pyproject.toml without [tool.rollback-guard].

    `path` tells the two forms apart by its last part, and stands in the messages.
    Raises: PolicyError with `problems`, a tuple of `Problem`, each with its line and the nearest right name.
    """
    prefix: tuple[str, ...] = ()
    if path.replace("\\", "/").rpartition("/")[2] == "pyproject.toml":
        if TOOL.encode() not in data:
            return None
        prefix = ("tool", TOOL)
    table, text = parse_toml(data, path=path, remedy=REMEDY)
    for part in prefix:
        inner = table.get(part)
        if inner is None or (part == "tool" and not isinstance(inner, dict)):
            return None
        table = inner
    problems = Problems()
    place = Place(problems)
    policy: model.Policy = read_struct(model.Policy, table, place, POLICY)
    check_policy(policy, place)
    if problems.found:
        from rollback_guard.policy.locate import located

        raise refusal(located(problems, file=path, text=text, prefix=prefix), REMEDY)
    return policy
