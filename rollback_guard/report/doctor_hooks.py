"""What is wrong with the hooks of an installation: missing, not ours, passed over, bypassed.

What there is, is collected by `facts.installation`; everything else that can be wrong is left to
`report.doctor_text`.
"""

from __future__ import annotations

from rollback_guard.facts.installation_model import Installation, StageSeen
from rollback_guard.report.diagnosis import Diagnosis
from rollback_guard.report.visible import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.report.diagnosis import Severity

# The hook of pre-commit that stands for each stage. Source: .pre-commit-hooks.yaml.
HOOK_IDS = {
    "pre-commit": "guard-branch",
    "pre-merge-commit": "guard-branch",
    "prepare-commit-msg": "guard-prepare-message",
    "commit-msg": "guard-message",
    "pre-push": "guard-push",
}


def hook_diagnoses(found: Installation) -> Iterator[Diagnosis]:
    """Everything about hooks."""
    yield from _stages(found)
    yield from _folder(found)
    yield from _shared(found)


def _stages(found: Installation) -> Iterator[Diagnosis]:
    for seen in found.stages:
        diagnosis = _ours(seen) if seen.ours is not None else _not_ours(seen, found)
        if diagnosis is not None:
            yield diagnosis


def _ours(seen: StageSeen) -> Diagnosis | None:
    remedy = "guard install --server" if seen.stage == "pre-receive" else "guard install"
    if not (seen.executable and seen.ours_executable):
        return _ignored(seen, "error", remedy)
    if seen.gone is not None:
        message = f"{seen.stage}: the hook was installed for {seen.gone}, which is gone; it refuses everything"
        return Diagnosis(id="hook-outlived", severity="error", message=message, remedy=remedy)
    return None


def _not_ours(seen: StageSeen, found: Installation) -> Diagnosis | None:
    severity: Severity = "warning" if seen.stage == "prepare-commit-msg" else "error"  # it only fills trailers in
    configured = HOOK_IDS.get(seen.stage) in found.config_ids
    install = "guard install --server" if found.bare else "guard install"
    if seen.owner == "pre-commit":
        return _through_pre_commit(seen, found, severity) if seen.executable else _ignored(seen, severity, install)
    if seen.owner == "other":
        message = f"{seen.stage}: a hook is here, and it is not ours: {seen.path}"
        return Diagnosis(
            id="hook-not-ours", severity=severity, message=message, remedy=f"{install}   # keeps it, and runs it after"
        )
    if configured:
        message = f"{seen.stage}: {found.config} has our hook, but pre-commit is not installed for this stage"
        remedy = f"pre-commit install --hook-type {seen.stage}   # or: guard install"
        return Diagnosis(id="pre-commit-not-installed", severity=severity, message=message, remedy=remedy)
    message = f"{seen.stage}: there is no hook"
    return Diagnosis(id="hook-missing", severity=severity, message=message, remedy=install)


def _ignored(seen: StageSeen, severity: Severity, remedy: str) -> Diagnosis:
    message = f"{seen.stage}: the hook cannot be executed, so it is passed over in silence"
    return Diagnosis(id="hook-not-executable", severity=severity, message=message, remedy=remedy)


def _through_pre_commit(seen: StageSeen, found: Installation, severity: Severity) -> Diagnosis | None:
    hook = HOOK_IDS.get(seen.stage, "")
    if hook not in found.config_ids:
        where = found.config or "its configuration, which is missing here,"
        message = f"{seen.stage}: pre-commit runs here, but {where} does not list {hook}"
        remedy = f"guard install   # or add {hook} to .pre-commit-config.yaml; guard init prints the block"
        return Diagnosis(id="pre-commit-without-guard", severity=severity, message=message, remedy=remedy)
    if seen.stage != "pre-push":
        return None
    message = "pre-push: under pre-commit alone only one ref of a push is seen, and no deletion"
    return Diagnosis(id="push-coverage", severity="warning", message=message, remedy="guard install")


def _folder(found: Installation) -> Iterator[Diagnosis]:
    folder = found.folder
    if folder.elsewhere:
        yield Diagnosis(
            id="hooks-bypassed",
            severity="error",
            message=f"git looks for hooks in {folder.path}; ours for {listed(folder.elsewhere)} lie in "
            f"{folder.default} and never run",
            remedy="git config --show-origin core.hooksPath   # then unset it there, or: guard install",
        )
    if folder.scope in ("global", "system"):
        yield Diagnosis(
            id="hooks-path-global",
            severity="warning",
            message=f"core.hooksPath is set for every repository ({folder.scope}): hooks of single ones never run",
            remedy='git config --local core.hooksPath "$(git rev-parse --git-common-dir)/hooks" && guard install',
        )
    for skip in found.skips:
        yield Diagnosis(
            id="hooks-skipped",
            severity="error" if "SKIP=" in skip else "warning",
            message=f"the environment has {skip}: pre-commit passes over hooks",
            remedy=f"unset {skip.partition('=')[0]}",
        )


def _shared(found: Installation) -> Iterator[Diagnosis]:
    if not found.tools.python and any(seen.owner == "shared" for seen in found.stages):
        message = "shared hooks start python3 from the PATH, and there is none of 3.10 or newer"
        yield Diagnosis(id="python-missing", severity="error", message=message, remedy="install Python 3.10 or newer")
