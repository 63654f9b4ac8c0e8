"""Commits and tags written so that who verifies the signature and who reads the name see two people."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.evidence.test_commit_proof import Signed, policy_text, ssh
from tests.support.builder import RepositoryBuilder
from tests.support.commands import guard
from tests.support.pgp import JANE_BLOCK, JANE_FINGERPRINT
from tests.support.signing import key_of, public_key

JANE, OMAR = "Jane Doe <jane@acme.example>", "Omar Haddad <omar@acme.example>"
X509 = "-----BEGIN SIGNED MESSAGE-----\nMIIB\n-----END SIGNED MESSAGE-----\n"
HEADERS = {
    "two-committers": "committer {omar} {at}\ncommitter {jane} {at}\n",
    "two-addresses": "committer Jane Doe <jane@acme.example> <omar@acme.example> {at}\n",
    "an-address-in-the-name": "committer <omar@acme.example> <jane@acme.example> {at}\n",
    "another-signature-header": "committer {jane} {at}\ngpgsig-sha512 AA\n",
    "utf-7": "committer {omar} {at}\nencoding UTF-7\nx-note a+AAo-committer {jane} {at}\n",
    "nul": "committer {jane} {at}\nx-note a\0b\n",
    "two-encodings": "committer {jane} {at}\nencoding UTF-8\nencoding UTF-7\n",
}


def forged(shop: Signed, header: str, signer: str = "jane") -> str:
    """A commit with that header, truly signed by somebody; what `git commit` would never write."""
    at = f"{shop.repo.clock + 60} +0000"
    names = {"jane": JANE, "omar": OMAR, "at": at}
    head = f"tree {shop.repo.tree('release/1')}\nparent {shop.repo.head('release/1')}\nauthor {JANE} {at}\n"
    head += header.format(**names)
    command = ["ssh-keygen", "-Y", "sign", "-f", key_of(signer), "-n", "git"]
    payload = f"{head}\nRaise the price\n".encode()
    said = subprocess.run(command, input=payload, capture_output=True, check=True).stdout.decode().strip()
    data = f"{head}gpgsig {said.replace(chr(10), chr(10) + ' ')}\n\nRaise the price\n".encode()
    return shop.repo.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=data)


@pytest.fixture
def shop(tmp_path: Path) -> Signed:
    made = Signed(tmp_path / "r", policy_text(jane=(public_key("jane"),), omar=(public_key("omar"),)))
    made.commit(*ssh("jane"))
    return made


@pytest.mark.parametrize("header", HEADERS.values(), ids=list(HEADERS))
def test_a_header_in_which_two_readers_see_two_people(shop: Signed, header: str) -> None:
    for signer in ("jane", "omar"):
        oid = forged(shop, header, signer)
        shop.repo.git("update-ref", "refs/heads/release/1", oid)
        assert oid in shop.faults(), signer
        said = guard(shop.repo.path, "check", "--into", "main", "--repository", "github.com/acme/shop")
        assert said.code == 1


def test_the_forger_of_these_tests_makes_good_commits_too(shop: Signed) -> None:
    shop.repo.git("update-ref", "refs/heads/release/1", forged(shop, "committer {jane} {at}\nencoding ISO-8859-1\n"))
    assert shop.faults() == {}


def believing_gpgsm(folder: Path, repo: RepositoryBuilder) -> None:
    """An X.509 program that finds everything good, and signed by jane's OpenPGP key at that: the worst case."""
    program = folder / "gpgsm"
    valid = f"[GNUPG:] VALIDSIG {JANE_FINGERPRINT} 2026-01-01 1767225600 0 4 0 22 8 00 {JANE_FINGERPRINT}"
    program.write_text(f'#!/bin/sh\necho "[GNUPG:] GOODSIG 1 Jane"\necho "{valid}"\nexit 0\n')
    program.chmod(0o755)
    repo.git("config", "gpg.x509.program", str(program))


def test_a_commit_that_anybodys_certificate_signed(tmp_path: Path) -> None:
    shop = Signed(tmp_path / "r", policy_text(jane=(JANE_BLOCK,)))
    believing_gpgsm(tmp_path, shop.repo)
    text = shop.repo.git("cat-file", "commit", shop.commit()) + "\n"
    head, _, body = text.partition("\n\n")
    data = f"{head}\ngpgsig {X509.strip().replace(chr(10), chr(10) + ' ')}\n\n{body}".encode()
    oid = shop.repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=data)
    shop.repo.git("update-ref", "refs/heads/release/1", oid)
    assert shop.faults()[oid] == "it bears a signature of a kind that is not read"


@pytest.mark.parametrize("before", ["", "-----BEGIN PGP SIGNATURE-----\n", "-----BEGIN SSH SIGNATURE-----\n"])
def test_a_stable_tag_that_anybodys_certificate_signed(tmp_path: Path, before: str) -> None:
    text = policy_text(jane=(JANE_BLOCK,)) + '\n[release]\nby = ["jane"]\nsigned = true\n'
    shop = Signed(tmp_path / "r", text.replace("signed-commits = true\n", ""))
    believing_gpgsm(tmp_path, shop.repo)
    name = "stable/2026.11.22.1"
    head = f"object {shop.repo.head('main')}\ntype commit\ntag {name}\ntagger {JANE} 1795000000 +0000\n\nStable\n"
    oid = shop.repo.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=f"{head}{before}{X509}".encode())
    shop.repo.git("update-ref", f"refs/tags/{name}", oid)
    (release,) = guard(shop.repo.path, "release", "list", "--format", "json").json["releases"]
    assert release["state"] == "broken"
    assert guard(shop.repo.path, "revert", "--branch", "main", "--plan", "--to", name).code == 1
