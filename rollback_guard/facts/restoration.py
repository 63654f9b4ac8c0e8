"""Whether a change puts production back to the tree of a stable release that it already had.

Decided from content alone: an annotated stable tag that is here already, made by somebody who may, where
production itself stood, and whose tree is exactly what the change gives. Who may go back is for the gate.
See docs/adr/0004.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.facts.kept import FROM, keeps_migrations
from rollback_guard.facts.model import Identity, Message, Restoration
from rollback_guard.git.process import decode
from rollback_guard.git.refs import TAGS, is_ancestor
from rollback_guard.git.repository import Repository
from rollback_guard.git.reverts import reverted_in_full
from rollback_guard.git.tags import fault_of, read_tag
from rollback_guard.policy.model import Policy
from rollback_guard.policy.tags import REVOKED, address_of, may_tag, name_pattern, signers_of


def stable_tags(repository: Repository, policy: Policy, *, then: int | None = None) -> tuple[tuple[str, str, str], ...]:
    """(tag, commit, tree) of every annotated tag of the policy's pattern that is not revoked.

    With `then` (Unix seconds), that was not revoked at that time: what landed is not made wrong afterwards.
    """
    layout = "--format=%(refname:lstrip=2)%00%(objecttype)%00%(*objectname)%00%(*tree)%00%(taggerdate:unix)%00"
    fields = decode(repository.git.run("for-each-ref", layout, TAGS).stdout).split("\0")
    tags = [(fields[i].lstrip("\n"), *fields[i + 1 : i + 5]) for i in range(0, len(fields) - 5, 5)]
    revoked = {
        name.removeprefix(REVOKED)
        for name, _, _, _, date in tags
        if name.startswith(REVOKED) and (then is None or not date.isdigit() or int(date) <= then)
    }
    shape = name_pattern(policy.release.tag)
    return tuple(
        (name, commit, tree)
        for name, kind, commit, tree, _ in tags
        if kind == "tag" and tree and name not in revoked and shape.fullmatch(name) is not None
    )


def find_restoration(repository: Repository, policy: Policy, *, base: str, head: str, tree: str) -> Restoration | None:
    """The stable release to which commits `base..head`, none of them a merge, go back; None when to none."""
    tags = stable_tags(repository, policy)
    exact = [one for one in tags if one[2] == tree]
    for name, commit, stable_tree in exact or _named_last(repository, tags, head):
        if not _is_sound(repository, policy, name):
            continue
        if stable_tree != tree and not keeps_migrations(repository, policy, stable=commit, begun=base, tree=tree):
            continue
        chain = _chain(repository, commit, stable_tree, base)
        out = repository.git.run("log", "-z", "--format=tformat:%cn%x00%ce%x00%T", f"{base}..{head}").stdout
        fields = decode(out).split("\0")[:-1]
        # Each step goes to where production stood before; anything else is a change of its own in between.
        steps, present = set(fields[2::3]), repository.git.text("rev-parse", f"{base}^{{tree}}")
        if chain and present != tree and steps <= {*chain.values(), stable_tree, tree}:
            people = dict.fromkeys(zip(fields[0::3], fields[1::3], strict=True))
            committers = tuple(Identity(who, email) for who, email in people)
            return Restoration(tag=name, commit=commit, committers=committers, kept=stable_tree != tree)
    return None


def find_step_back(
    repository: Repository, policy: Policy, message: Message, committer: Identity, *, tip: str
) -> Restoration | None:
    """The same for one commit that landed: one step of a way back, as `guard revert` writes it.

    The commit must have the stable release's own tree, or with its migrations kept; or exactly the tree of before the
    commit that it reverts, which production had above that release, if what follows up to `tip` goes all the way.
    """
    named = _value(message, "Rollback-To")
    if not named or message.commit is None or message.tree is None:
        return None
    for name, commit, tree in stable_tags(repository, policy, then=message.time):
        if name != named or not _is_sound(repository, policy, name):
            continue
        chain = _chain(repository, commit, tree, f"{message.commit}^1")
        if not chain or _is_revoked(repository, policy, name, message, since=commit):
            continue
        way = _Way(repository, policy, stable=commit, tree=tree, chain=chain)
        before = chain.get(reverted_in_full(message.text) or "", "")
        exact = message.tree == tree or (message.tree == before and way.arrives(message.commit, tip, name))
        if exact or way.keeps(_value(message, FROM), message.tree):
            return Restoration(tag=name, commit=commit, committers=(committer,), kept=not exact)
    return None


class _Way(NamedTuple):
    """What production had above a stable release, by the commits that came since."""

    repository: Repository
    policy: Policy
    stable: str
    tree: str
    chain: dict[str, str]

    def keeps(self, begun: str, tree: str) -> bool:
        """Whether a tree is the release's with the migrations that stay of where production stood."""
        return begun in self.chain and keeps_migrations(
            self.repository, self.policy, stable=self.stable, begun=begun, tree=tree
        )

    def arrives(self, step: str, tip: str, name: str) -> bool:
        """Whether the commits on top of a step go on to the release, and do nothing else on their way.

        One that stops before is a state that nobody looked at, and the gate lets none pass.
        """
        keys = (f"%(trailers:key={key},valueonly,separator=%x2C)" for key in ("Rollback-To", FROM))
        layout = "%x00".join(("--format=tformat:%P", "%T", *keys))
        arguments = ("log", "-z", "--first-parent", "--reverse", layout, f"{step}..{tip}", "--")
        fields = decode(self.repository.git.run(*arguments).stdout).split("\0")[:-1]
        befores = frozenset(self.chain.values())
        for parents, tree, named, begun in zip(*(fields[at::4] for at in range(4)), strict=True):
            if " " in parents or named != name:
                return False
            if tree == self.tree or self.keeps(begun, tree):
                return True
            if tree not in befores:
                return False
        return False


def _is_revoked(repository: Repository, policy: Policy, name: str, message: Message, *, since: str) -> bool:
    """Whether a release was revoked when a commit landed: not before what it builds on, whatever its own date says."""
    out = repository.git.run("log", "--first-parent", "--format=%ct", f"{since}..{message.commit}", "--").stdout
    landed = max(map(int, decode(out).split()), default=0)
    return name not in [one for one, _, _ in stable_tags(repository, policy, then=landed)]


def _value(message: Message, key: str) -> str:
    """The value of a trailer that stands there once, else ""."""
    found = [trailer.value for trailer in message.trailers if trailer.key.lower() == key.lower()]
    return found[0] if len(found) == 1 else ""


def _named_last(
    repository: Repository, tags: tuple[tuple[str, str, str], ...], head: str
) -> list[tuple[str, str, str]]:
    """The stable release that the head's message says it goes back to."""
    if not tags:
        return []
    out = repository.git.run("log", "-1", "--format=%(trailers:key=Rollback-To,valueonly)", head).stdout
    named = decode(out).split()
    return [one for one in tags if named == [one[0]]]


def _is_sound(repository: Repository, policy: Policy, name: str) -> bool:
    """Whether a tag is what it says, was made by somebody who may, and is signed where the policy asks for that."""
    record = read_tag(repository, name)
    if record is None or fault_of(repository, record, signers_of(policy)):
        return False
    return may_tag(policy, address_of(record.tagger))


def _chain(repository: Repository, stable: str, tree: str, tip: str) -> dict[str, str]:
    """Each commit of production's own chain above a stable release, with the tree that was before it.

    Empty when production never stood there: an ancestor may be the half of a branch that was merged whole.
    Production stood there if the release's commit is on the chain, or if what brought it has its very tree.
    """
    if not is_ancestor(repository, stable, tip):
        return {}
    layout = "--format=tformat:%H%x00%P%x00%T"
    out = repository.git.run("log", "-z", "--first-parent", layout, f"{stable}..{tip}").stdout
    fields = decode(out).split("\0")[:-1]
    links = [(fields[i], fields[i + 1].partition(" ")[0], fields[i + 2]) for i in range(0, len(fields), 3)]
    below = links[-1][1] if links else stable
    if below != stable and tree not in [own for _, _, own in links]:
        return {}
    trees = [own for _, _, own in links[1:]]
    if below:
        trees.append(repository.git.text("rev-parse", f"{below}^{{tree}}"))
    found = {commit: before for (commit, _, _), before in zip(links, trees, strict=False)}
    return {**found, stable: tree}
