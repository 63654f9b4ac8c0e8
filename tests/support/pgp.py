"""OpenPGP keys of people, made by gpg in a home of their own; without gpg the tests that need one skip."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests.support.builder import PEOPLE
from tests.support.requirements import require

# A key that was thrown away, as gpg --armor --export-options export-minimal --export prints it.
JANE_FINGERPRINT = "DB3E107AF1D7BB9944187DD372FBCF8B46D3DB75"
JANE_BLOCK = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawkPDhYJKwYBBAHaRw8BAQdARLrsNm8nX2It80hJ1evggRFJImvLu7imZkUX
gOa+Mj20HEphbmUgRG9lIDxqYW5lQGFjbWUuZXhhbXBsZT6IkAQTFggAOBYhBNs+
EHrx17uZRBh903L7z4tG09t1BQJrCQ8OAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4B
AheAAAoJEHL7z4tG09t1tOcBAIpMYhAUD2IboLEk5O1qu+CyWMdVd9SW1R6PypMR
L0FGAP4zdplwp3VvP8sP3GPsHT0DEqKDrvoUSY/5QqnkfpRJBA==
=n9R2
-----END PGP PUBLIC KEY BLOCK-----
"""
LONG_AGO = "20200101T000000"


@lru_cache(maxsize=1)
def pgp_home() -> Path:
    """A GNUPGHOME with a key for everybody of PEOPLE, and two more of Quinn's: `expired@…` and `revoked@…`."""
    require("gpg", install="apt-get install gpg")
    folder = Path(mkdtemp(prefix="rg-gpg-", dir="/tmp"))  # a socket's path must be short
    folder.chmod(0o700)
    atexit.register(_end, folder)
    for name, email in PEOPLE.values():
        gpg(folder, "--quick-gen-key", f"{name} <{email}>", "ed25519", "sign", "never")
    old = ("--faked-system-time", LONG_AGO)
    gpg(folder, *old, "--quick-gen-key", "Quinn Lee <expired@acme.example>", "ed25519", "sign", "30d")
    gpg(folder, "--quick-gen-key", "Quinn Lee <revoked@acme.example>", "ed25519", "sign", "never")
    return folder


def _end(folder: Path) -> None:
    subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, "GNUPGHOME": str(folder)}, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def gpg(home: Path, *args: str, stdin: bytes = b"") -> str:
    """Run gpg without asking anybody; what it prints."""
    command = ["gpg", "--batch", "--quiet", "--no-tty", "--passphrase", "", *args]
    done = subprocess.run(command, env={**os.environ, "GNUPGHOME": str(home)}, input=stdin, capture_output=True)
    if done.returncode:
        raise AssertionError(done.stderr.decode(errors="replace"))
    return done.stdout.decode()


def pgp_block(email: str) -> str:
    """The public key of an address, armoured."""
    return gpg(pgp_home(), "--armor", "--export-options", "export-minimal", "--export", email)


def revoked_block(email: str) -> str:
    """The same key with its revocation, from a copy of the home: there it is revoked, here it still signs."""
    home = pgp_home()
    copy = Path(mkdtemp(prefix="rg-gpg-", dir="/tmp"))
    try:
        copy.chmod(0o700)
        gpg(copy, "--import", stdin=gpg(home, "--armor", "--export", email).encode())
        listed = gpg(copy, "--with-colons", "--list-keys", email)
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        text = (home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
        gpg(copy, "--import", stdin=text.replace(":-----BEGIN", "-----BEGIN").encode())
        return gpg(copy, "--armor", "--export", email)
    finally:
        _end(copy)


def signs_with(email: str) -> tuple[str, ...]:
    """git's settings by which somebody signs with that key."""
    return ("-c", "gpg.format=openpgp", "-c", f"user.signingKey={email}")


def path_without_gpg(folder: Path) -> str:
    """A PATH of git and ssh-keygen alone, in a new folder."""
    folder.mkdir()
    for one in os.environ["PATH"].split(os.pathsep):
        for name in ("git", "ssh-keygen"):
            if os.access(os.path.join(one, name), os.X_OK) and not (folder / name).exists():
                (folder / name).symlink_to(os.path.join(one, name))
    return str(folder)


def pgp_env() -> dict[str, Any]:
    """What git needs to find the private keys."""
    return {"GNUPGHOME": str(pgp_home())}
