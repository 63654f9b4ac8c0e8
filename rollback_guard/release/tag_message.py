"""What a stable release's tag says: who, on which verdict and policy, with which smoke tests and evidence. Pure."""

from __future__ import annotations

from rollback_guard.release.model import Proof

MOST_EVIDENCE = 50  # ids that are written; the others are found by the commit


def render_tag_message(name: str, message: str | None, proof: Proof, tagger: str, branch: str) -> str:
    """The message of a tag: `message` or a line that names it, then trailers that a reader or `git` can take apart."""
    lines = [message.strip() if message is not None else f"Stable release {name}", ""]
    lines += [f"Released-By: {tagger}", f"Branch: {branch}"]
    lines += [f"Verdict: {proof.verdict}"] if proof.verdict else []
    lines += [f"Policy: {proof.policy}"] if proof.policy else []
    for check, passed, seconds in proof.smoke:
        lines.append(f"Smoke: {check} {'passed' if passed else 'failed'} in {seconds:.1f} s")
    lines += [f"Smoke: none, {proof.smoke_note}"] if proof.smoke_note else []
    lines += [f"Evidence: {one}" for one in proof.evidence[:MOST_EVIDENCE]]
    return "\n".join(lines) + "\n"
