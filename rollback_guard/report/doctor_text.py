"""What is wrong with an installation, and how it is told: from values to findings, text and JSON.

What there is, is collected by `facts.installation`; hooks are left to `report.doctor_hooks`, exit codes to
`entry.cli.doctor`.
"""

from __future__ import annotations

from rollback_guard.facts.installation_model import Installation, Tools
from rollback_guard.report.diagnosis import Diagnosis
from rollback_guard.report.doctor_hooks import hook_diagnoses
from rollback_guard.report.visible import listed, short, visible
from rollback_guard.report.wording import branch, counted, moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.report.diagnosis import Severity

OLDEST_GIT = (2, 31)
MERGES_GIT = (2, 39)
OLDEST_SSH = (8, 2)


def diagnose(found: Installation) -> tuple[Diagnosis, ...]:
    """Everything that is wrong or worth knowing, worst first."""
    everything = (
        *hook_diagnoses(found),
        *_tools(found.tools, signatures=found.policy.signatures),
        *_clone(found),
        *_policy(found),
        *_server(found),
        *_identity(found),
        *_waivers(found),
    )
    order = ("error", "warning", "note")
    return tuple(sorted(everything, key=lambda one: order.index(one.severity)))


def healthy(diagnoses: tuple[Diagnosis, ...]) -> bool:
    """Whether nothing is wrong: warnings and notes do not count."""
    return all(one.severity != "error" for one in diagnoses)


def old_git(version: tuple[int, ...]) -> Diagnosis | None:
    """A git that is too old to work with at all."""
    if version >= OLDEST_GIT:
        return None
    message = f"git {dotted(version)} is too old: 2.31 or newer is needed, 2.39 for everything"
    return Diagnosis(id="git-too-old", severity="error", message=message, remedy="install a newer git")


def _tools(tools: Tools, *, signatures: bool) -> Iterator[Diagnosis]:
    old = old_git(tools.git)
    if old is not None:
        yield old
    elif tools.git < MERGES_GIT:
        message = f"git {dotted(tools.git)}: RG105 and the result of merges stay undetermined below 2.39"
        yield Diagnosis(id="git-old", severity="warning", message=message, remedy="install git 2.39 or newer")
    severity: Severity = "error" if signatures else "warning"
    remedy = "install OpenSSH 8.2 or newer"
    if tools.ssh is None:
        message = "there is no ssh-keygen, so nothing can be signed and no signature be verified"
        yield Diagnosis(id="ssh-keygen-missing", severity=severity, message=message, remedy=remedy)
    elif tools.ssh == (0,):
        message = "which OpenSSH this is could not be found out; signatures need 8.2 or newer"
        yield Diagnosis(id="ssh-keygen-unknown", severity="note", message=message, remedy="ssh -V")
    elif tools.ssh < OLDEST_SSH:
        message = f"OpenSSH {dotted(tools.ssh)} is too old to sign and verify"
        yield Diagnosis(id="ssh-keygen-old", severity=severity, message=message, remedy=remedy)


def _clone(found: Installation) -> Iterator[Diagnosis]:
    if found.shallow:
        message = "this clone is shallow: what a change is made of cannot be known, so verdicts stay undetermined"
        yield Diagnosis(id="shallow-clone", severity="error", message=message, remedy="git fetch --unshallow")
    if found.partial:
        message = "this is a partial clone: missing objects are fetched one by one, or are missing without a network"
        remedy = "git fetch --refetch --no-filter   # git 2.36 and newer"
        yield Diagnosis(id="partial-clone", severity="warning", message=message, remedy=remedy)
    if found.replaced:
        message = f"{found.replaced} replace refs make git show another history than the gate judges"
        remedy = "git replace -l   # and git replace -d, for each"
        yield Diagnosis(id="replace-refs", severity="warning", message=message, remedy=remedy)
    if found.grafts:
        message = "grafts make git show another history than the gate judges"
        remedy = 'rm "$(git rev-parse --git-common-dir)/info/grafts"'
        yield Diagnosis(id="grafts", severity="warning", message=message, remedy=remedy)


def _policy(found: Installation) -> Iterator[Diagnosis]:
    policy = found.policy
    if policy.branch is None:
        message = "there is no commit yet, so there is no policy either"
        yield Diagnosis(id="policy-missing", severity="error", message=message, remedy="guard init")
    elif policy.unread is not None:
        message = f"the policy on {policy.branch} cannot be read: {policy.unread[0]}"
        yield Diagnosis(id="objects-missing", severity="error", message=message, remedy=policy.unread[1])
    elif policy.error is not None:
        message = f"the policy on {policy.branch} cannot be read: {policy.error}"
        remedy = f"git show {policy.branch}:{policy.path}"
        yield Diagnosis(id="policy-broken", severity="error", message=message, remedy=remedy)
    elif policy.path is None:
        message = f"there is no policy on {policy.branch}: every change to production is denied (RG001)"
        draft = "commit rollback-guard.toml and merge it: the first policy may come by a change of its own"
        remedy = draft if policy.draft else "guard init"
        yield Diagnosis(id="policy-missing", severity="error", message=message, remedy=remedy)
    for name in policy.without:
        message = f"production branch {name} holds no policy, and it is judged by its own (RG001)"
        remedy = f"merge the policy into {name} as well"
        yield Diagnosis(id="policy-missing", severity="error", message=message, remedy=remedy)


def _server(found: Installation) -> Iterator[Diagnosis]:
    if found.bare:
        if not found.named:
            message = "who this repository is, is not known here, so RG103 cannot be judged"
            remedy = "guard install --server --name github.com/acme/shop"
            yield Diagnosis(id="server-unnamed", severity="warning", message=message, remedy=remedy)
        if not found.checks_objects:
            message = "git takes malformed objects here, such as a commit with two authors"
            remedy = (
                "git config receive.fsckObjects true   # old defects of your own: receive.fsck.<id> in git-config(1)"
            )
            yield Diagnosis(id="objects-unchecked", severity="warning", message=message, remedy=remedy)
        return
    workflow = found.policy.workflow
    for remote in found.remotes:
        if not remote.brings_evidence:
            message = f"git fetch does not bring the evidence that {remote.name} has, so sign-offs may be missed here"
            yield Diagnosis(id="evidence-not-fetched", severity="warning", message=message, remedy="guard install")
        if remote.gate == "absent":
            message = f"{remote.name} ({remote.address}) accepts whatever is pushed: it has no pre-receive of ours"
            path = remote.address.replace("'", "'\\''")
            remedy = f"guard install --server --repository '{path}'"
            yield Diagnosis(id="server-unguarded", severity="error", message=message, remedy=remedy)
        elif remote.gate == "unseen":
            seen = f"{workflow} runs the gate there" if workflow else "no workflow here runs the gate"
            message = f"whether {remote.name} ({remote.address}) enforces the policy cannot be seen from here; {seen}"
            remedy = (
                "verify in the branch protection of production that this check is required, also for administrators"
                if workflow
                else "guard init --github   # or on the server: guard install --server"
            )
            severity: Severity = "note" if workflow else "warning"
            yield Diagnosis(id="server-unseen", severity=severity, message=message, remedy=remedy)
    if not found.remotes:
        message = "this clone has no remote: nothing but these hooks enforces the policy, and --no-verify passes them"
        yield Diagnosis(id="server-none", severity="note", message=message, remedy="git remote add origin URL")


def _identity(found: Installation) -> Iterator[Diagnosis]:
    if found.bare:
        return
    if found.identity is None:
        message = "nobody is configured to commit here; git would guess or refuse"
        remedy = "git config user.name 'Your Name' && git config user.email you@example.com"
        yield Diagnosis(id="identity-missing", severity="error", message=message, remedy=remedy)
    elif found.policy.knows_identity is False:
        message = f"{found.identity} is none of the policy's people: what you commit will be refused (RG107)"
        remedy = "git config user.email ADDRESS   # one that the policy lists, or have yours added there"
        yield Diagnosis(id="identity-unknown", severity="warning", message=message, remedy=remedy)


def _waivers(found: Installation) -> Iterator[Diagnosis]:
    if found.evidence_fault is not None:
        message = f"the recorded evidence cannot be read: {found.evidence_fault[0]}"
        yield Diagnosis(id="evidence-unread", severity="error", message=message, remedy=found.evidence_fault[1])
    for one in found.unreviewed:
        incident = f" ({one.incident})" if one.incident else ""
        landed = "which landed with it" if one.landed else "which did not land with it"
        message = (
            f"a waiver of {one.rule} expired on {moment(one.expired)}, and nobody has reviewed it: signed by "
            f"{listed(one.signers)} for {short(one.head)} into {branch(one.target)}, {landed}: {one.reason}{incident}"
        )
        severity: Severity = "warning" if one.landed else "note"
        remedy = f'guard waive --review {one.id[:12]} --reason "what came of it"'
        yield Diagnosis(id="waiver-unreviewed", severity=severity, message=message, remedy=remedy)


def dotted(version: tuple[int, ...]) -> str:
    """A version as people write it.

    >>> dotted((2, 39, 5))
    '2.39.5'
    """
    return ".".join(map(str, version))


def render_text(diagnoses: tuple[Diagnosis, ...], versions: dict[str, str]) -> str:
    """The answer first, then each finding; those that one command mends stand together, above it."""
    errors = sum(one.severity == "error" for one in diagnoses)
    warnings = counted(sum(one.severity == "warning" for one in diagnoses), "warning", "warnings")
    lines = ["healthy: the gate is installed here" if warnings == "0 warnings" else f"healthy, with {warnings}"]
    if errors:
        lines = [f"{counted(errors, 'problem', 'problems')}, {warnings}"]
    groups: dict[str | int, list[Diagnosis]] = {}
    for number, one in enumerate(diagnoses):  # one without a remedy stands alone
        groups.setdefault(one.remedy or number, []).append(one)
    for group in groups.values():
        lines += [f"{one.severity}: {visible(one.message)}  [{one.id}]" for one in group]
        lines += [f"  → {visible(group[0].remedy)}"] * bool(group[0].remedy)
    lines.append("versions: " + ", ".join(f"{name} {visible(version)}" for name, version in versions.items()))
    return "\n".join(lines)


def as_json(diagnoses: tuple[Diagnosis, ...], versions: dict[str, str]) -> dict[str, object]:
    """The same for programs: format rollback-guard/doctor/1."""
    return {
        "format": "rollback-guard/doctor/1",
        "healthy": healthy(diagnoses),
        "findings": [
            {"id": one.id, "severity": one.severity, "message": visible(one.message), "remedy": visible(one.remedy)}
            for one in diagnoses
        ],
        "versions": versions,
    }
