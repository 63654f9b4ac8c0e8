"""People with real SSH keys: shops whose policies ask for signatures, and people who sign for them, rightly or not."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from rollback_guard.evidence import signer as signatures
from rollback_guard.evidence.envelope import Envelope, envelope_name, pae, render_envelope
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
from tests.support import builder
from tests.support.builder import PEOPLE, RepositoryBuilder, kept_folder, told_once
from tests.support.commands import Said, guard
from tests.support.requirements import require

SHOP = "github.com/acme/shop"
TEAM = ("jane", "omar", "quinn", "uma")
PEOPLE_OF = """\
[people.{id}]
name = "{name}"
emails = ["{email}"]
keys = ['{key}']
"""
POLICY = """\
version = 1

[production]
branches = ["main", "stable"]
repositories = ["github.com/acme/shop"]

[[route]]
into = "*"
from = ["release/*", "hotfix/*"]

[teams]
developers = ["jane", "omar"]

[[sign-off]]
role = "review"
trailer = "Reviewed-by"
by = ["@developers"]
binding = "{binding}"

[[sign-off]]
role = "qa"
trailer = "QA-by"
by = ["quinn"]
binding = "{binding}"

[waiver]
by = ["omar", "quinn"]
count = 2
max-age = "24h"

[release]
by = ["jane"]
"""


@lru_cache(maxsize=1)
def key_folder() -> Path:
    """A folder with a key for everybody of PEOPLE, made once."""
    require("ssh-keygen", install="apt-get install openssh-client")
    folder = kept_folder("keys")
    for person in PEOPLE:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(folder / person)]
        subprocess.run(command, check=True)
    return folder


def key_of(person: str) -> str:
    """The path of somebody's private key."""
    return str(key_folder() / person)


def public_key(person: str) -> str:
    """The line of somebody's .pub file."""
    return (key_folder() / f"{person}.pub").read_text().strip()


def policy(*, binding: str = "result", more: str = "", keys: dict[str, str] | None = None, base: str = POLICY) -> str:
    """A policy whose people have their keys; `keys` puts other lines in their place."""
    people = [
        PEOPLE_OF.format(id=one, name=PEOPLE[one][0], email=PEOPLE[one][1], key=(keys or {}).get(one, public_key(one)))
        for one in TEAM
    ]
    return "\n".join([base.format(binding=binding), *people]) + more


def signed_shop(path: Path, *, text: str | None = None, object_format: str = "sha1") -> RepositoryBuilder:
    """A shop whose policy asks for signatures, with `release/1.4`, made by jane, checked out."""
    return _signed_shop(path, text=policy() if text is None else text, object_format=object_format)


@told_once
def _signed_shop(path: Path, *, text: str, object_format: str) -> RepositoryBuilder:
    repo = RepositoryBuilder(path, object_format=object_format)
    repo.git("config", "rollback-guard.repository", SHOP)
    repo.write_file("rollback-guard.toml", text)
    repo.commit("Begin the shop", app_dot_py="price = 1\n")
    repo.branch("release/1.4")
    repo.commit("Raise the price", by="jane", app_dot_py="price = 2\n")
    repo.commit("Release 1.4", by="jane", version_dot_txt="1.4\n")
    return repo


def sign(repo: RepositoryBuilder, person: str, role: str, *args: str, into: str = "main") -> Said:
    """`guard sign` by somebody, without questions."""
    return guard(repo.path, "sign", role, "--into", into, "--key", key_of(person), "--yes", *args)


def signed(repo: RepositoryBuilder, *args: str, into: str = "main") -> None:
    """omar reviews and quinn tests what would land."""
    for person, role in (("omar", "review"), ("quinn", "qa")):
        said = sign(repo, person, role, *args, into=into)
        assert said.code == 0, said.err


def signed_for_shop(path: Path, *, text: str | None = None, object_format: str = "sha1") -> RepositoryBuilder:
    """A shop as of `signed_shop`, in which omar has reviewed and quinn has tested what would land."""
    return _signed_for_shop(path, text=policy() if text is None else text, object_format=object_format)


@told_once
def _signed_for_shop(path: Path, *, text: str, object_format: str) -> RepositoryBuilder:
    repo = signed_shop(path, text=text, object_format=object_format)
    signed(repo)
    return repo


def make_keys() -> dict[str, str]:
    """The path of a private key for everybody of PEOPLE."""
    return {person: key_of(person) for person in PEOPLE}


def public(path: str) -> str:
    """The public key as a policy lists it."""
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


def signing_policy(keys: dict[str, str], *, options: dict[str, str] | None = None, binding: str = "result") -> str:
    """The shop's policy, with everybody's key, and signatures asked for."""
    text = builder.POLICY.replace('proof = "trailer"', f'proof = "signature"\nbinding = "{binding}"')
    text = text.replace('branches = ["main"]', f'branches = ["main"]\nrepositories = ["{SHOP}"]')
    for person in ("jane", "omar", "quinn", "uma"):
        before = (options or {}).get(person, "")
        line = f"{before} {public(keys[person])}".strip().replace('"', '\\"')
        text = text.replace(f"[people.{person}]\n", f'[people.{person}]\nkeys = ["{line}"]\n')
    return text + '\n[waiver]\nby = ["omar", "uma"]\ncount = 2\nmax-age = "24h"\n'


@told_once
def _pending(path: Path, policy: str) -> RepositoryBuilder:
    repo = RepositoryBuilder(path)
    repo.write_file("rollback-guard.toml", policy)
    repo.commit("Begin the shop", app_dot_py="price = 1\n")
    repo.branch("release/1.4")
    repo.commit("Raise the price", by="jane", app_dot_py="price = 2\n")
    return repo


class Desk:
    """A shop with a pending release, and people who sign for it."""

    def __init__(self, path: Path, keys: dict[str, str], **policy: Any) -> None:
        self.keys = keys
        self.repo = _pending(path, signing_policy(keys, **policy))

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
        blob = signatures.sign(pae(PAYLOAD_TYPE, payload), key=path, namespace=space, environ=os.environ)
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
