"""The migrations of a change after which a database cannot be had back as it was, and those that a revert takes back.

How one is judged is left to `release.migrations`; whether that is wrong for the gate.
"""

from __future__ import annotations

from itertools import islice

from rollback_guard.errors import GuardError
from rollback_guard.facts.model import Fact, Known, RiskyMigration, Unknown
from rollback_guard.git.listing import Change, changed_between, empty_tree
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode, encode
from rollback_guard.git.repository import Repository
from rollback_guard.git.standing import read_reverts
from rollback_guard.release.migrations.collect import collect_migrations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.migrations.model import Migration, Report

_RISKY = ("irreversible", "lossy-down")
REVERTS_FOLLOWED = 100  # commits that the change says it reverts; a way back of more gives an older tree as a whole


def collect_irreversible(
    repository: Repository, base: str | None, head: str, tree: str
) -> Fact[tuple[RiskyMigration, ...]]:
    """What a tree brings to a base (None: to nothing) that has no way back, or none without loss.

    `head` is the commit that is proposed: its history, without the base's, says what is reverted.
    """
    try:
        before = empty_tree(repository) if base is None else base
        report = collect_migrations(repository, before, tree)
        risky = tuple(_explained(one, report) for one in report.migrations if one.verdict in _RISKY)
        gone = any(one.state in ("deleted", "edited") and one.verdict == "irreversible" for one in risky)
        back = _taken_back(repository, base, head, tree) if gone and base is not None else {}
    except GuardError as error:
        return Unknown(error.message, error.remedy)
    return Known(tuple(_told(one, back) for one in risky), "git diff-tree")


def _explained(one: Migration, report: Report) -> Migration:
    """With why its files were not read, where that is so: the report tells that of files, not of migrations."""
    why = tuple(
        said.removeprefix(f"{path} ")
        for path in dict.fromkeys((*one.paths, one.old_path))
        for said in report.problems
        if said.startswith((f"{path} was not read", f"{path} is a symbolic link"))
    )
    return one._replace(reasons=(*why, *(reason for reason in one.reasons if not why or reason != "was not read")))


def _told(one: Migration, back: dict[str, bool]) -> RiskyMigration:
    files = [back[path] for path in (*one.paths, one.old_path) if path in back]
    told = RiskyMigration(path=one.path, id=one.id, framework=one.framework, state=one.state, reasons=one.reasons)
    if one.verdict == "lossy-down":
        return told._replace(risk="lossy")
    if one.state in ("deleted", "edited") and files and all(files):
        return told._replace(risk="taken-back")
    return told._replace(old_path=one.old_path)


def _taken_back(repository: Repository, base: str, head: str, tree: str) -> dict[str, bool]:
    """Of each path that changes: whether the change gives it back what it was before production got what is there.

    That is so where the whole tree is one that production had; else where the change says of commits of production
    that it reverts them, and undoing these, one after the other, leads to just what is there afterwards.
    """
    changes = {change.path: change for change in changed_between(repository.git, base, tree)}
    if _production_had(repository, base, tree):
        return dict.fromkeys(changes, True)
    state = {path: change.old for path, change in changes.items()}
    for undone in _reverted(repository, base, head):
        if undone.path in state and state[undone.path] == undone.new:
            state[undone.path] = undone.old
    return {path: state[path] == change.new for path, change in changes.items()}


def _production_had(repository: Repository, base: str, tree: str) -> bool:
    trees = repository.git.run("log", "--first-parent", "--format=%T", base, "--").stdout
    return tree in decode(trees).split()


def _reverted(repository: Repository, base: str, head: str) -> list[Change]:
    """What the commits brought of which the change says that it reverts them, in the order in which it does.

    Only what lies in production's own history can have been there; of a merge, what its first parent got by it.
    """
    said = dict.fromkeys(oid for one in reversed(read_reverts(repository, head, base)) for oid in one.reverts)
    if not said:
        return []
    stdin = encode("".join(f"{oid}\n" for oid in (*said, f"^{base}")))
    beyond = frozenset(decode(repository.git.run("rev-list", "--stdin", stdin=stdin).stdout).split())
    with ObjectReader(repository.git) as objects:
        found: list[Change] = []
        for oid in islice((oid for oid in said if oid not in beyond), REVERTS_FOLLOWED):
            first = objects.read(f"{oid}^1^{{tree}}")
            before = empty_tree(repository) if first is None else first.oid
            found += changed_between(repository.git, before, oid)
    return found
