"""Who a commit's names and addresses stand for by a .mailmap, as git itself reads one.

Only a .mailmap that a named commit holds is asked, never the work tree's or a setting's. What follows from it is
left to the gate. Source: gitmailmap(5), git-check-mailmap(1).
"""

from __future__ import annotations

from rollback_guard.git.process import Git, decode, encode
from rollback_guard.git.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Contact = tuple[str, str]  # name, e-mail


def map_contacts(repository: Repository, blob: str, contacts: Sequence[Contact]) -> dict[Contact, Contact]:
    """What a .mailmap of that blob's oid makes of each contact; those that it leaves as they are are left out."""
    asked = [one for one in contacts if one[1] and not any(sign in part for part in one for sign in "<>\n")]
    if not asked:
        return {}
    # In a bare repository git looks at no .mailmap but the one that it is told of.
    git = Git(
        cwd=repository.git_dir, env=repository.git.env, git_dir=repository.git_dir, program=repository.git.program
    )
    config = ("-c", "core.bare=true", "-c", "mailmap.file=", "-c", f"mailmap.blob={blob}")
    stdin = encode("".join(f"{name} <{email}>\n" for name, email in asked))
    lines = decode(git.run("check-mailmap", "--stdin", stdin=stdin, config=config).stdout).split("\n")
    found = {}
    for contact, line in zip(asked, lines, strict=False):
        name, _, rest = line.rpartition("<")
        mapped = (name.strip(), rest.removesuffix(">"))
        if mapped[1].casefold() != contact[1].casefold():
            found[contact] = mapped
    return found
