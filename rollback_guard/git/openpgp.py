"""OpenPGP signatures of commits and tags, checked by the gpg that git runs, against named keys and no others.

gpg is given a keyring that holds only the keys of one question, and nothing of the user's. Who may sign what is
left to whoever asks. Source: GnuPG's doc/DETAILS, "Format of the status-fd output"; git-verify-commit(1).
"""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.errors import UndeterminedError
from rollback_guard.git.process import Git, decode
from rollback_guard.git.scratch import private_folder, unwritable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

MARK = "[GNUPG:] "
PGP_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
# Nobody's settings choose the program, and a signature of another kind has none that could speak for it.
PINNED = {
    "gpg.program": "gpg",
    "gpg.openpgp.program": "gpg",
    "gpg.x509.program": "rollback-guard-reads-no-x509",
    "gpg.minTrustLevel": "undefined",
}
# In GnuPG's older form a keyring is the packets of its keys, one after the other; gpg 2 reads it where no other is.
KEYRING = "pubring.gpg"
_REFUSED = {
    "BADSIG": "the signature does not verify",
    "EXPSIG": "the signature itself has expired",
    "REVKEYSIG": "the key was revoked",
    "ERRSIG": "the signature is made with a key that nobody of the policy has, or in a way that gpg does not check",
}


class PgpSignature(NamedTuple):
    """What gpg says of one signature: the primary key's fingerprint, when it was made, and why it does not count."""

    fingerprint: str = ""
    time: int = 0  # Unix seconds, as the signature says
    fault: str = ""


def verify_openpgp(git: Git, kind: Literal["commit", "tag"], oid: str, keys: Mapping[str, bytes]) -> PgpSignature:
    """Who signed a commit or tag, of those whose keys are given: packets, by the primary key's fingerprint.

    Only for an object whose signature begins with PGP_SIGNATURE. Raises: UndeterminedError when git cannot run gpg.
    """
    with private_folder() as folder:
        try:
            with open(os.path.join(folder, KEYRING), "wb") as file:
                file.write(b"".join(keys.values()))
        except OSError as error:
            raise unwritable(error) from None
        config = tuple(part for name, value in PINNED.items() for part in ("-c", f"{name}={value}"))
        isolated = git.with_env(GNUPGHOME=folder)
        process = isolated.run(f"verify-{kind}", "--raw", oid, config=config, accept=tuple(range(256)))
    lines = decode(process.stderr).splitlines()
    said = [line[len(MARK) :].split(" ") for line in lines if line.startswith(MARK)]
    if not said:
        raise UndeterminedError(
            "git could not have gpg check an OpenPGP signature",
            remedy="gpg --version   # install GnuPG 2, for example: apt-get install gpg",
        )
    found = _read(said)
    return found if found.fault or found.fingerprint in keys else PgpSignature(fault=_REFUSED["ERRSIG"])


def _read(said: list[list[str]]) -> PgpSignature:
    for word, fault in _REFUSED.items():
        if any(line[0] == word for line in said):
            return PgpSignature(fault=fault)
    valid = [line for line in said if line[0] == "VALIDSIG" and len(line) > 3]
    if len(valid) != 1:
        return PgpSignature(fault="it does not bear exactly one signature")
    words = valid[0]
    made = int(words[3]) if words[3].isdigit() else 0
    expired = [line[1] for line in said if line[0] == "KEYEXPIRED" and len(line) > 1]
    # gpg says what is true now; a signature that was made before the key expired stays good.
    late = any(not when.isdigit() or made > int(when) for when in expired)
    if late or (not expired and any(line[0] == "EXPKEYSIG" for line in said)):
        return PgpSignature(fault="the key had expired when it was made")
    return PgpSignature(fingerprint=words[-1].upper(), time=made)
