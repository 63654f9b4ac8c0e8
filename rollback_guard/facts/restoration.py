"""Whether a change puts production back to the tree of a stable release that it already had.

Decided from content alone: an annotated stable tag that is here already, whose commit production holds, and
whose tree is exactly what the change gives. Who may do so is for the gate. See docs/adr/0004.
"""

from __future__ import annotations

from rollback_guard.facts.model import Identity, Message, Restoration
from rollback_guard.git.process import decode
from rollback_guard.git.refs import TAGS, is_ancestor
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.tags import REVOKED, name_pattern

REVERTS = "This reverts commit "


def stable_tags(repository: Repository, policy: Policy) -> tuple[tuple[str, str, str], ...]:
    """(tag, commit, tree) of every annotated tag of the policy's pattern that was not revoked."""
    layout = "--format=%(refname:lstrip=2)%00%(objecttype)%00%(*objectname)%00%(*tree)%00"
    fields = decode(repository.git.run("for-each-ref", layout, TAGS).stdout).split("\0")
    tags = [(fields[i].lstrip("\n"), *fields[i + 1 : i + 4]) for i in range(0, len(fields) - 4, 4)]
    revoked = {name.removeprefix(REVOKED) for name, *_ in tags if name.startswith(REVOKED)}
    shape = name_pattern(policy.release.tag)
    return tuple(
        (name, commit, tree)
        for name, kind, commit, tree in tags
        if kind == "tag" and tree and name not in revoked and shape.fullmatch(name) is not None
    )


def find_restoration(repository: Repository, policy: Policy, *, base: str, head: str, tree: str) -> Restoration | None:
    """The stable release to which commits `base..head`, none of them a merge, go back; None when to none."""
    for name, commit, stable_tree in stable_tags(repository, policy):
        if stable_tree == tree and is_ancestor(repository, commit, base):
            out = repository.git.run("log", "-z", "--format=tformat:%cn%x00%ce", f"{base}..{head}").stdout
            return Restoration(tag=name, commit=commit, committers=_identities(decode(out)))
    return None


def find_step_back(repository: Repository, policy: Policy, message: Message, committer: Identity) -> Restoration | None:
    """The same for one commit that landed: one step of a way back, as `guard revert` writes it.

    The commit must have exactly the tree of before the commit that it reverts, which production had above
    that stable release; or the stable release's own tree.
    """
    named = [trailer.value for trailer in message.trailers if trailer.key.lower() == "rollback-to"]
    if len(named) != 1 or message.commit is None:
        return None
    for name, commit, tree in stable_tags(repository, policy):
        if name != named[0] or not is_ancestor(repository, commit, message.commit):
            continue
        if tree == message.tree or _undoes(repository, message, commit):
            return Restoration(tag=name, commit=commit, committers=(committer,))
    return None


def _undoes(repository: Repository, message: Message, stable: str) -> bool:
    reverted = _reverted(message.text)
    if reverted is None:
        return False
    names = (f"{reverted}^1^{{tree}}", f"{reverted}^{{commit}}")
    for name in names:
        if repository.git.run("rev-parse", "--verify", "--quiet", name, accept=(0, 1, 128)).returncode != 0:
            return False
    before = decode(repository.git.run("rev-parse", names[0]).stdout).strip()
    return (
        before == message.tree
        and is_ancestor(repository, reverted, str(message.commit))
        and is_ancestor(repository, stable, reverted)
    )


def _reverted(text: str) -> str | None:
    """The oid after `This reverts commit `."""
    for line in text.splitlines():
        if line.startswith(REVERTS):
            oid = line[len(REVERTS) :].rstrip(".,").split(",")[0].split(" ")[0]
            if len(oid) in (40, 64) and not oid.strip("0123456789abcdef"):
                return oid
    return None


def _identities(text: str) -> tuple[Identity, ...]:
    fields = text.split("\0")[:-1]
    pairs = dict.fromkeys((fields[i], fields[i + 1]) for i in range(0, len(fields), 2))
    return tuple(Identity(name, email) for name, email in pairs)
