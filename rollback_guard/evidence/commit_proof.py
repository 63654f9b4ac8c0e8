"""Signed commits as proof of who made a change, where the policy says `signed-commits = true`.

A commit is proven when it bears a signature by a key of the person who committed it, SSH or OpenPGP, by the keys
of the policy that judges, as they counted when the commit says that it was made. What follows is left to RG107.
"""

from __future__ import annotations

from rollback_guard.errors import GuardError
from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.keys import fault_at, keys_of, pgp_keys_of
from rollback_guard.evidence.sshsig import read_sshsig, unarmored
from rollback_guard.evidence.verifier import Check
from rollback_guard.facts.model import Change, Known, Unknown, Unproven
from rollback_guard.git.commit_signatures import ODD, SignedCommit, read_signed_commit
from rollback_guard.git.log import COMMIT, COMMITTER_EMAIL, LogFormat, read_log
from rollback_guard.git.objects import Blob, ObjectReader
from rollback_guard.git.openpgp import verify_openpgp
from rollback_guard.git.process import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.evidence.verifier import Verifier
    from rollback_guard.facts.model import Fact
    from rollback_guard.git.repository import Repository
    from rollback_guard.policy.keys import Key
    from rollback_guard.policy.model import Policy

NAMESPACE = "git"  # what git signs by; nothing of ours does
BATCH = 256  # signatures that are checked together
TOLD = 20  # commits that are named
NOBODYS = "it is signed with a key that nobody of the policy has"


class CommitProof:
    """Asks of the commits of one change who proves to have made them."""

    def __init__(self, repository: Repository, policy: Policy, verifier: Verifier) -> None:
        self._repository = repository
        self._policy = policy
        self._verifier = verifier
        self._keys: dict[bytes, Key] = keys_of(policy)
        self._pgp = pgp_keys_of(policy)
        self._people: dict[str, frozenset[str]] = {}

    def unproven(self, change: Change) -> Fact[tuple[Unproven, ...]]:
        """The commits of a change that nobody proves to have made, the newest ones first, at most TOLD."""
        revs = _revs(change)
        if isinstance(revs, Unknown):
            return revs
        self._know(change)
        found: list[Unproven] = []
        try:
            batch: list[SignedCommit] = []
            for commit in self._commits(revs):
                batch.append(commit)
                if len(batch) == BATCH:
                    found += self._faulty(batch)
                    batch = []
                    if len(found) >= TOLD:
                        break
            found += self._faulty(batch)
        except GuardError as error:
            return Unknown(f"who signed the commits cannot be told: {error.message}", error.remedy)
        return Known(tuple(found[:TOLD]), "signatures of commits")

    def fault_of(self, commit: str) -> str:
        """Why one commit does not prove who committed it, or "". Raises: GuardError when that cannot be told."""
        faults = self._faulty(list(self._commits((commit, f"^{commit}^@"))))
        return faults[0].fault if faults else ""

    def _know(self, change: Change) -> None:
        """Whose the addresses of the change are, those that production's .mailmap knows included."""
        if not isinstance(change.survey, Known):
            return
        for maker in change.survey.value.makers:
            people = (self._policy.person_of(one.email) for one in (maker.identity, maker.mapped) if one is not None)
            before = self._people.get(maker.identity.email, frozenset())
            self._people[maker.identity.email] = before | {one.id for one in people if one is not None}

    def _commits(self, revs: tuple[str, ...]) -> Iterator[SignedCommit]:
        """The commits as they are stored, each held against who git itself says has committed it."""
        layout = LogFormat()
        stdin = "".join(f"{rev}\n" for rev in revs).encode()
        with ObjectReader(self._repository.git) as objects:
            for record in read_log(self._repository.git, layout, stdin=stdin):
                stored = objects.read(decode(record[COMMIT]))
                found = read_signed_commit(stored or Blob(oid=decode(record[COMMIT]), type="", data=b""))
                same = found.email == decode(record[COMMITTER_EMAIL])
                yield found if same or found.odd else found._replace(odd=ODD)

    def _faulty(self, commits: list[SignedCommit]) -> list[Unproven]:
        looked = [self._look(one) for one in commits]
        answers = iter(self._verifier.verify([one for one in looked if isinstance(one, Check)]))
        found = []
        for commit, one in zip(commits, looked, strict=True):
            fault = one if isinstance(one, str) else "" if next(answers) else "the signature does not verify"
            if fault:
                found.append(Unproven(commit=commit.commit, name=commit.name, email=commit.email, fault=fault))
        return found

    def _look(self, commit: SignedCommit) -> Check | str:
        """What is left to check of a commit's signature, or why it proves nothing, or "" when it is good."""
        if commit.odd:
            return commit.odd
        if not commit.signature:
            return "it bears no signature"
        if commit.by_openpgp:
            return self._look_openpgp(commit)
        if not commit.by_ssh:
            return "it bears a signature of a kind that is not read"
        try:
            blob = unarmored(commit.signature)
            key = self._keys.get(read_sshsig(blob).public_key)
        except FormatError as fault:
            return fault.reason
        if key is None:
            return NOBODYS
        fault_of_key = self._not_of(commit, key.person) or fault_at(key, commit.time)
        return fault_of_key or Check(data=commit.payload, blob=blob, namespace=NAMESPACE, key=key)

    def _look_openpgp(self, commit: SignedCommit) -> str:
        if not self._pgp:
            return NOBODYS
        keys = {fingerprint: packets for fingerprint, (_, packets) in self._pgp.items()}
        signed = verify_openpgp(self._repository.git, "commit", commit.commit, keys)
        return signed.fault or self._not_of(commit, self._pgp[signed.fingerprint][0])

    def _not_of(self, commit: SignedCommit, person: str) -> str:
        if commit.email not in self._people:
            one = self._policy.person_of(commit.email)
            self._people[commit.email] = frozenset() if one is None else frozenset((one.id,))
        return "" if person in self._people[commit.email] else f"it is signed with a key of {person}"


def _revs(change: Change) -> tuple[str, ...] | Unknown:
    """The commits that a change brings, those that land it included where they are made already."""
    if isinstance(change.base, Unknown):
        return change.base
    landings = change.landings.value if isinstance(change.landings, Known) else ()
    heads = dict.fromkeys([*([change.head] if change.head else []), *(landing.commit for landing in landings)])
    return (*heads, *([f"^{change.base.value}"] if change.base.value else []))
