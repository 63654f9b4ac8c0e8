"""Tags as they are stored: annotated or not, by whom, whether they are what their name says, and signatures.

Which of them is a stable release is left to `release.stable`.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.openpgp import PGP_SIGNATURE, verify_openpgp
from rollback_guard.git.process import decode, encode, read_version, require_version
from rollback_guard.git.refs import TAGS
from rollback_guard.git.repository import Repository, read_config
from rollback_guard.git.scratch import private_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SSH_SIGNATURE = "-----BEGIN SSH SIGNATURE-----"
# Where git takes a signature to begin, of whatever kind. Source: git's gpg-interface.c.
SIGNATURES = (
    SSH_SIGNATURE,
    PGP_SIGNATURE,
    "-----BEGIN PGP MESSAGE-----",
    "-----BEGIN SIGNED MESSAGE-----",
)
OPENPGP = "openpgp"  # before an OpenPGP key's fingerprint and the base64 of its packets
SSH_TAG_GIT = (2, 34)  # the first that signs and verifies with SSH keys
DATED_KEY_GIT = (2, 35)  # the first that asks whether a key was valid when the tag was made
NAMESPACE = 'namespaces="git"'  # what git signs cannot be anything else, and the other way round
LIMIT = 1 << 20  # bytes of one tag object
DAY = 86400  # seconds; clocks may differ by this much


class TagRecord(NamedTuple):
    """One tag. `kind` is "tag" for an annotated one, else the type of what it names, or "missing"."""

    name: str  # without refs/tags/
    object: str
    kind: str
    target: str = ""
    target_kind: str = ""
    own_name: str = ""  # the name written inside the tag object
    tagger: str = ""  # Name <email>
    date: int = 0
    message: str = ""  # without a signature
    ssh_signed: bool = False
    pgp_signed: bool = False

    @property
    def signed(self) -> bool:
        """Whether it bears a signature that can be checked; not whether it is a good one."""
        return self.ssh_signed or self.pgp_signed


def read_tags(repository: Repository, prefix: str = "") -> tuple[TagRecord, ...]:
    """All tags whose name begins with whole parts `prefix`, through two processes; damaged ones included."""
    out = repository.git.run("for-each-ref", "--format=%(refname)%00%(objectname)%00", TAGS + prefix).stdout
    fields = [field.lstrip("\n") for field in decode(out).split("\0")]
    with ObjectReader(repository.git) as objects:
        return tuple(_records(objects, fields))


def read_tag(repository: Repository, name: str) -> TagRecord | None:
    """The tag of exactly that name (with or without refs/tags/), or None."""
    short = name[len(TAGS) :] if name.startswith(TAGS) else name
    return next((record for record in read_tags(repository, short) if record.name == short), None)


def read_tag_object(repository: Repository, name: str, oid: str) -> TagRecord:
    """What a tag of that name would be if it named that object."""
    with ObjectReader(repository.git) as objects:
        return next(_records(objects, [TAGS + name, oid]))


def _records(objects: ObjectReader, fields: list[str]) -> Iterator[TagRecord]:
    for name, oid in zip(fields[0::2], fields[1::2], strict=False):
        short = name[len(TAGS) :]
        try:
            stored = objects.read(oid, limit=LIMIT)
        except TooLargeError:
            yield TagRecord(name=short, object=oid, kind="too large")
            continue
        if stored is None:
            yield TagRecord(name=short, object=oid, kind="missing")
        elif stored.type != "tag":
            yield TagRecord(name=short, object=oid, kind=stored.type)
        else:
            yield parse_tag(short, oid, decode(stored.data))


def parse_tag(name: str, oid: str, text: str) -> TagRecord:
    """A tag object's fields. Source: git's builtin/mktag.c and tag.c."""
    head, _, body = text.partition("\n\n")
    headers = dict(line.partition(" ")[::2] for line in head.split("\n"))
    tagger, _, when = headers.get("tagger", "").rpartition("> ")
    seconds = when.partition(" ")[0]
    lines = body.split("\n")
    marks = [number for number, line in enumerate(lines) if line.startswith(SIGNATURES)]
    # git checks what the last mark begins; with several of them nobody can tell what was signed as what.
    kind = lines[marks[0]] if len(marks) == 1 else ""
    return TagRecord(
        name=name,
        object=oid,
        kind="tag",
        target=headers.get("object", ""),
        target_kind=headers.get("type", ""),
        own_name=headers.get("tag", ""),
        tagger=f"{tagger}>" if tagger else "",
        date=int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 16 else 0,
        message="\n".join(lines[: marks[0]] if marks else lines).strip(),
        ssh_signed=kind.startswith(SSH_SIGNATURE),
        pgp_signed=kind.startswith(PGP_SIGNATURE),
    )


def check_tag_name(repository: Repository, name: str) -> None:
    """Raises: UsageError when git would not take it as a tag's name; TagTakenError when there is such a tag."""
    bad = name.startswith("-") or any(character in name for character in "\0\n")
    if bad or repository.git.run("check-ref-format", TAGS + name, accept=(0, 1)).returncode != 0:
        raise UsageError(f"{name!r} is no name for a tag", remedy="guard release --tag stable/2026.11.22.1")
    if read_tag(repository, name) is not None:
        raise TagTakenError(
            f"the tag {name} exists already, and tags are never moved",
            remedy="take another name, or leave --tag out: the next number is taken",
        )


def write_tag(
    repository: Repository,
    name: str,
    target: str,
    message: str,
    *,
    sign: bool,
    key: str | None,
    openpgp: bool = False,
) -> str:
    """Make an annotated tag that did not exist; the oid of its object. `key`: path of an SSH key to sign with.

    `openpgp`: without a key, sign with OpenPGP if git is set so here; else always with SSH.
    Raises: TagTakenError when there is such a tag by now; RefusedError when git cannot make or sign it.
    """
    config = _signing(repository, key, openpgp=openpgp) if sign else ()
    kind = ("-s",) if sign else ("-a", "--no-sign")
    process = repository.git.run(
        "tag", *kind, "--cleanup=whitespace", "-F", "-", "--", name, target,
        stdin=encode(message), config=config, accept=(0, 1, 128, 129),
    )  # fmt: skip
    made = read_tag(repository, name)
    if process.returncode == 0 and made is not None and (made.signed or not sign):
        return made.object
    if process.returncode == 0 and made is not None:  # git 2.39 tags all the same when ssh-keygen fails
        delete_tag(repository, name, made.object)
    elif made is not None:
        raise TagTakenError(f"the tag {name} was made by somebody else meanwhile", remedy="git fetch --tags")
    said = decode(process.stderr).strip().splitlines()
    raise RefusedError(
        "git could not make the tag" + (f": {said[0]}" if said else ""),
        remedy="ssh-add -l   # is the key there, and readable?" if sign else "git fsck --connectivity-only",
    )


def _signing(repository: Repository, key: str | None, *, openpgp: bool) -> tuple[str, ...]:
    """The settings by which git signs a tag. Raises: UsageError without a key; UndeterminedError below git 2.34."""
    settings = read_config(repository, r"^(user\.signingkey|gpg\.format|gpg\.ssh\.defaultkeycommand)$")
    if key is None and openpgp and settings.get("gpg.format", ["openpgp"])[-1] == "openpgp":
        return ("-c", "gpg.format=openpgp")
    require_version(read_version(repository.git.text("version")), SSH_TAG_GIT, "to sign with an SSH key")
    if key is not None:
        return ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}")
    if not settings.keys() - {"gpg.format"}:
        raise UsageError(
            "there is no key to sign the tag with",
            remedy="guard release --key ~/.ssh/id_ed25519   # or: git config user.signingKey ~/.ssh/id_ed25519",
        )
    return ("-c", "gpg.format=ssh")


class TagTakenError(RefusedError):
    """Somebody made a tag of that name first."""


def delete_tag(repository: Repository, name: str, oid: str) -> None:
    """Remove a tag of ours that is still the object that we made."""
    repository.git.run("update-ref", "-d", TAGS + name, oid)


def fault_of(repository: Repository, record: TagRecord, signers: tuple[str, ...] | None, *, of: str = "commit") -> str:
    """Why a tag cannot be a stable release, or "": `signers` are the public keys of which one must have signed.

    `of`: what it must name; a revocation is the tag of a tag.
    """
    if record.kind in ("missing", "too large"):
        return f"its object is {record.kind}"
    if record.kind != "tag":
        return "it is a lightweight tag: nobody says who made it, and when"
    if record.own_name != record.name:
        return f"it was moved or copied: inside, it is called {record.own_name}"
    if record.target_kind != of:
        return f"it is the tag of a {record.target_kind}, not of a {of}"
    if not record.tagger or not record.date:
        return "it does not say who made it, and when"
    if signers is not None and not record.signed:
        return "it bears no signature, and the policy asks for one"
    if signers is not None and not verify_tag(repository, record, signers):
        return "its signature does not verify with a key of somebody who may release"
    return ""


def fault_of_date(record: TagRecord, now: float) -> str:
    """Why a tag cannot be the newest one at a time (Unix seconds), or "": it says that it was made later."""
    return "it is dated in the future" if record.date > now + DAY else ""


def verify_tag(repository: Repository, record: TagRecord, keys: tuple[str, ...]) -> bool:
    """Whether a tag bears a signature, valid when it was made, by one of the public keys (`policy.tags`).

    Raises: UndeterminedError when git or gpg cannot say.
    """
    if record.pgp_signed:
        from binascii import a2b_base64

        words = [key.split(" ") for key in keys if key.startswith(OPENPGP + " ")]
        listed = {fingerprint: a2b_base64(packets) for _, fingerprint, packets in words}
        return bool(listed) and not verify_openpgp(repository.git, "tag", record.object, listed).fault
    ssh = tuple(key for key in keys if not key.startswith(OPENPGP + " "))
    return record.ssh_signed and verify_ssh_tag(repository, record.object, ssh)


def verify_ssh_tag(repository: Repository, oid: str, keys: tuple[str, ...]) -> bool:
    """Whether the tag bears an SSH signature, valid when it was made, by one of the public keys.

    A key is `[options ]type base64`, with the dates between which it counts in UTC (`policy.keys.render_signer`).
    Raises: UndeterminedError when git is too old to say.
    """
    lines = []
    dated = False
    for number, key in enumerate(keys):
        *options, kind, data = key.split(" ")
        dated = dated or bool(options)
        lines.append(f"key-{number} {','.join([NAMESPACE, *options])} {kind} {data}\n")
    wanted, purpose = (DATED_KEY_GIT, " by keys with dates") if dated else (SSH_TAG_GIT, "")
    require_version(read_version(repository.git.text("version")), wanted, "to verify SSH signatures" + purpose)
    with private_folder() as folder:
        signers = os.path.join(folder, "allowed-signers")
        with open(signers, "w", encoding="utf-8") as file:
            file.write("".join(lines))
        pinned = {
            "gpg.format": "ssh",
            "gpg.ssh.program": "ssh-keygen",
            "gpg.ssh.allowedSignersFile": signers,
            "gpg.minTrustLevel": "fully",
        }
        config = [part for name, value in pinned.items() for part in ("-c", f"{name}={value}")]
        # git tells ssh-keygen the tag's date as local time, and the keys' dates are UTC.
        process = repository.git.with_env(TZ="UTC0").run("verify-tag", oid, config=config, accept=tuple(range(256)))
    return process.returncode == 0
