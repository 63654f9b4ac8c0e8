"""Names that everything agrees on: where a policy may lie, which files govern, which branch is the default one. Pure.

Kept apart from the facts' values because every hook needs it, and most end before they need those.
"""

from __future__ import annotations

POLICY_PATHS = ("rollback-guard.toml", "pyproject.toml")
GOVERNING_FILES = (
    "rollback-guard.toml",
    "pyproject.toml",
    ".pre-commit-config.yaml",
    ".gitlab-ci.yml",
    "Jenkinsfile",
)
GOVERNING_FOLDERS = (".github/workflows/", ".github/actions/", ".githooks/")


def governs(path: str) -> bool:
    """Whether a file decides how changes are judged: policy, hook configuration, workflows.

    Source: design, rules RG001 and RG002.
    """
    return path in GOVERNING_FILES or path.startswith(GOVERNING_FOLDERS)


HEADS = "refs/heads/"
REMOTE = "refs/remotes/origin/"
OURS = "refs/rollback-guard/"  # evidence lies below it
# The branches that may be the default one, likeliest first; without any policy they stand for production.
DEFAULT_BRANCHES = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/heads/main",
    "refs/remotes/origin/master",
    "refs/heads/master",
)
