"""People with real keys: a shop whose policy asks for signatures, and `guard` called as each of them."""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from tests.support.builder import PEOPLE, RepositoryBuilder
from tests.support.commands import Said, guard

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
    import atexit

    folder = Path(mkdtemp(prefix="rollback-guard-keys-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
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
    repo = RepositoryBuilder(path, object_format=object_format)
    repo.git("config", "rollback-guard.repository", SHOP)
    repo.write_file("rollback-guard.toml", policy() if text is None else text)
    repo.commit("Begin the shop", app_dot_py="price = 1\n")
    repo.branch("release/1.4")
    repo.commit("Raise the price", by="jane", app_dot_py="price = 2\n")
    repo.commit("Release 1.4", by="jane", version_dot_txt="1.4\n")
    return repo


def sign(repo: RepositoryBuilder, person: str, role: str, *args: str, into: str = "main") -> Said:
    """`guard sign` by somebody, without questions."""
    return guard(repo.path, "sign", role, "--into", into, "--key", key_of(person), "--yes", *args)


def signed(repo: RepositoryBuilder, *args: str) -> None:
    """omar reviews and quinn tests what would land."""
    for person, role in (("omar", "review"), ("quinn", "qa")):
        said = sign(repo, person, role, *args)
        assert said.code == 0, said.err
