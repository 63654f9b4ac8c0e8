"""People with real SSH keys, who sign and record decisions, rightly or not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.evidence.envelope import Envelope, envelope_name, pae, render_envelope
from rollback_guard.evidence.signer import sign
from rollback_guard.evidence.statement import (
    PAYLOAD_TYPE,
    SignOffStatement,
    Statement,
    WaiverStatement,
    binding_key,
    namespace_of,
    render_statement,
)
from rollback_guard.evidence.store import Entry, record
from rollback_guard.evidence.subject import Subject, subject_of
from rollback_guard.facts.model import Change, Known
from rollback_guard.facts.range import Proposal, collect_range
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.policy.keys import fingerprint_of, parse_key
from rollback_guard.policy.model import Policy
from rollback_guard.policy.read import read_policy
from tests.support.builder import PEOPLE, POLICY, RepositoryBuilder
from tests.support.signers import SHOP, key_of


def make_keys() -> dict[str, str]:
    """The path of a private key for everybody of PEOPLE."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    return {person: key_of(person) for person in PEOPLE}


def public(path: str) -> str:
    """The public key as a policy lists it."""
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


def signing_policy(keys: dict[str, str], *, options: dict[str, str] | None = None, binding: str = "result") -> str:
    """The shop's policy, with everybody's key, and signatures asked for."""
    text = POLICY.replace('proof = "trailer"', f'proof = "signature"\nbinding = "{binding}"')
    text = text.replace('branches = ["main"]', f'branches = ["main"]\nrepositories = ["{SHOP}"]')
    for person in ("jane", "omar", "quinn", "uma"):
        before = (options or {}).get(person, "")
        line = f"{before} {public(keys[person])}".strip().replace('"', '\\"')
        text = text.replace(f"[people.{person}]\n", f'[people.{person}]\nkeys = ["{line}"]\n')
    return text + '\n[waiver]\nby = ["omar", "uma"]\ncount = 2\nmax-age = "24h"\n'


class Desk:
    """A shop with a pending release, and people who sign for it."""

    def __init__(self, path: Path, keys: dict[str, str], **policy: Any) -> None:
        self.keys = keys
        self.repo = RepositoryBuilder(path)
        self.repo.write_file("rollback-guard.toml", signing_policy(keys, **policy))
        self.repo.commit("Begin the shop", app_dot_py="price = 1\n")
        self.repo.branch("release/1.4")
        self.repo.commit("Raise the price", by="jane", app_dot_py="price = 2\n")

    @property
    def repository(self) -> Repository:
        return open_repository(str(self.repo.path), os.environ)

    def policy(self, rev: str = "main") -> Policy:
        """The policy that a commit holds."""
        text = self.repo.git("show", f"{rev}:rollback-guard.toml") + "\n"
        policy = read_policy(text.encode(), path="rollback-guard.toml")
        assert policy is not None
        return policy

    def change(self, base: str = "main", head: str = "release/1.4", *, target: str = "main") -> Change:
        """What would land."""
        proposal = Proposal(
            stage="range",
            target=f"refs/heads/{target}",
            base=self.repo.head(base),
            head=self.repo.head(head),
            repository=Known(SHOP),
        )
        repository = self.repository
        return collect_range(repository, read_surroundings(repository), self.policy(base), proposal).change

    def statement(self, person: str, role: str = "qa", **overrides: Any) -> SignOffStatement:
        """What somebody would sign about the change as it is now; `change` says about which."""
        change = overrides.pop("change", None) or self.change()
        subject = subject_of(change)
        assert isinstance(subject, Subject)
        kind = overrides.pop("kind", None) or next(r.binding for r in self.policy().sign_off if r.role == role)
        fields: dict[str, Any] = {
            "role": role,
            "decision": "approve",
            "binding": subject.binding(kind, self.repository),
            "base": subject.base,
            "head": subject.head,
            "result_tree": subject.result_tree,
            "policy_digest": "sha256:" + "0" * 64,
            "signer": person,
            "time": self.repo.clock + 600,
        }
        return SignOffStatement(**{**fields, **overrides})

    def waiver(self, person: str, rule: str, **overrides: Any) -> WaiverStatement:
        """What somebody would sign to waive a rule for the change as it is now."""
        one = self.statement(person, kind="result")
        fields: dict[str, Any] = {
            **{name: getattr(one, name) for name in ("binding", "base", "head", "result_tree", "policy_digest")},
            "signer": person,
            "time": one.time,
            "rule": rule,
            "expires": one.time + 3600,
            "reason": "the shop is down",
        }
        return WaiverStatement(**{**fields, **overrides})

    def envelope(self, statement: Statement, *, key: str | None = None, namespace: str | None = None) -> bytes:
        """The statement in an envelope, signed by its signer or with another one's key."""
        payload = render_statement(statement)
        path = self.keys[key or statement.signer]
        space = namespace or namespace_of(statement)
        blob = sign(pae(PAYLOAD_TYPE, payload), key=path, namespace=space, environ=os.environ)
        fingerprint = fingerprint_of(parse_key(public(path))[1])
        return render_envelope(Envelope(payload=payload, keyid=fingerprint, sig=blob))

    def put(self, statement: Statement, data: bytes, *, ref_of: Statement | None = None) -> str:
        """Record an envelope under what a statement is bound to; its id."""
        kind = "waiver" if isinstance(statement, WaiverStatement) else "sign-off"
        place = ref_of or statement
        record(self.repository, [Entry(kind, binding_key(place.binding), place.head, data)])
        return envelope_name(data).removesuffix(".json")

    def signs(self, person: str, role: str = "qa", **overrides: Any) -> str:
        """Sign and record; the envelope's id."""
        made = {name: overrides.pop(name) for name in ("key", "namespace") if name in overrides}
        statement = self.statement(person, role, **overrides)
        return self.put(statement, self.envelope(statement, **made))
