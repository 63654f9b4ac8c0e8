"""The story that `guard demo` tells, by running git and guard for real, each command shown before its output.

Nothing is acted: a refused push is refused by the installed hook, a verdict is the gate's.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import time

from rollback_guard.entry.demo_shop import (
    CREATE_TABLE,
    FIRST,
    MIGRATE,
    MIGRATION,
    NO_PRICES,
    PEOPLE,
    SIGNERS,
    signing_policy,
)
from rollback_guard.entry.demo_story import Story
from rollback_guard.errors import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def tell(folder: str, echo: Callable[[str], None]) -> None:
    """The whole story in a folder. Raises: RefusedError when a step does not end as the story says."""
    began = time.monotonic()
    story = Story(folder, echo)
    echo("A shop, its Git server and one clone; production is main.")
    _begin(story)
    _direct_commit_is_refused(story)
    _release(story)
    merged = _failure(story)
    _back(story)
    _restore(story)
    _afterwards(story, merged)
    echo(f"\nthe whole story in {time.monotonic() - began:.1f} seconds")


def _make_keys(story: Story) -> dict[str, str]:
    """A new SSH key for everybody, in a folder beside the clone; the public ones. Raises: RefusedError."""
    folder = os.path.join(story.folder, "keys")
    os.mkdir(folder)
    found = {}
    for person in PEOPLE:
        path = os.path.join(folder, person)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", path]
        try:
            subprocess.run(command, env=story.env, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            remedy = "install OpenSSH, for example: apt-get install openssh-client"
            raise RefusedError("ssh-keygen could not make keys for the demo", remedy=remedy) from None
        with open(f"{path}.pub", encoding="ascii") as file:
            found[person] = " ".join(file.read().split()[:2])
    return found


def _everybody_signs(story: Story, *, brief: bool) -> None:
    for number, (person, role) in enumerate(SIGNERS):
        story.guard("sign", role, "--into", "main", "--yes", "--key", f"../keys/{person}", brief=brief or number > 0)
    story.guard("evidence", "push")


def _begin(story: Story) -> None:
    story.chapter("A policy on production, hooks in the clone, a gate on the server")
    os.mkdir(story.clone)
    story.git("init", "-q", "--initial-branch=main", ".", show=False)
    story.git("init", "-q", "--bare", "--initial-branch=main", story.server, show=False)
    story.write("app.py", "price = 100\n")
    story.write(FIRST, CREATE_TABLE)
    story.write("migrate.py", MIGRATE)
    story.git("add", "-A", show=False)
    story.git("commit", "-q", "-m", "The shop opens", show=False)
    _open_shop(story)
    story.write("rollback-guard.toml", signing_policy(_make_keys(story)))
    story.git("add", "-A", show=False)
    story.git("commit", "-q", "-m", "Write down how production is changed", show=False)
    story.git("remote", "add", "origin", story.server, show=False)
    story.git("push", "-q", "origin", "main", show=False)
    # Jane releases, and goes back: the policy wants that signed.
    story.git("config", "gpg.format", "ssh", show=False)
    story.git("config", "user.signingKey", os.path.join(story.folder, "keys", "jane"), show=False)
    story.guard("policy", "check")
    story.guard("install")
    story.guard("install", "--server", "--name", story.server, where=story.server)


def _open_shop(story: Story) -> None:
    """What runs in production: a database with orders, and what customers uploaded."""
    folder = os.path.join(story.folder, "production")
    os.makedirs(os.path.join(folder, "uploads"))
    with open(os.path.join(folder, "uploads", "photo.txt"), "w", encoding="ascii") as file:
        file.write("a photo\n")
    story.python("migrate.py", FIRST, show=False)
    connection = sqlite3.connect(os.path.join(folder, "shop.db"))
    with connection:
        connection.executemany("INSERT INTO orders VALUES (?, ?)", [(number, 90) for number in range(1, 101)])
    connection.close()


def _earned(story: Story) -> int:
    connection = sqlite3.connect(os.path.join(story.folder, "production", "shop.db"))
    try:
        return int(connection.execute("SELECT sum(price) FROM orders").fetchone()[0])
    finally:
        connection.close()


def _direct_commit_is_refused(story: Story) -> None:
    story.chapter("A commit on production itself is refused")
    story.write("app.py", "price = 90\n")
    story.git("commit", "-q", "-am", "Quick fix", expect=(1,))
    story.git("switch", "-q", "-c", "release/1.1")
    story.git("commit", "-q", "-am", "Lower the price")


def _release(story: Story) -> None:
    story.chapter("A merge without sign-offs is refused")
    story.guard("check", "--into", "main", expect=(1,))
    story.git("push", "-q", "origin", "release/1.1")
    story.git("push", "-q", "origin", "release/1.1:main", expect=(1,))
    story.chapter("Reviewed, tested and accepted: signed, by three people, on exactly what will land")
    _everybody_signs(story, brief=False)
    story.guard("check", "--into", "main", expect=(1,))
    story.chapter("Backed up: database and files, each proven by restoring it, and signed for")
    story.guard("backup", "create")
    story.guard("evidence", "push", show=False)
    story.guard("check", "--into", "main")
    story.chapter("Merged, smoke-tested, and tagged as a stable release, which is signed for as well")
    story.git("switch", "-q", "main")
    story.git("merge", "-q", "--no-ff", "--no-edit", "release/1.1")
    story.git("log", "-1", "--format=%B")
    story.git("push", "-q", "origin", "main")
    story.guard("release", "--push")
    story.guard("evidence", "push")


def _failure(story: Story) -> str:
    """The merge that fails."""
    story.chapter("The next release lands by the book, with a migration that has no way back, and fails in production")
    story.git("switch", "-q", "-c", "release/1.2")
    story.write("app.py", "price = 0  # the shop gives everything away\n")
    story.write(MIGRATION, NO_PRICES)
    story.git("add", "-A", show=False)
    story.git("commit", "-q", "-m", "New prices, for every order")
    story.git("push", "-q", "origin", "release/1.2")
    _everybody_signs(story, brief=True)
    story.guard("backup", "create", brief=True)
    story.guard("evidence", "push", brief=True)
    story.git("switch", "-q", "main")
    story.git("merge", "-q", "--no-ff", "--no-edit", "release/1.2")
    story.git("push", "-q", "origin", "main")
    story.python("migrate.py", MIGRATION)
    return story.git("rev-parse", "--short=12", "main", show=False)


def _back(story: Story) -> None:
    story.chapter("Back to the last known stable release: first the code, by revert commits, proven")
    why = "The shop gives everything away"
    plan = story.guard("revert", "--plan", "--reason", why)
    digest = re.search("^digest: (.*)$", plan, re.MULTILINE)
    story.guard("revert", "--reason", why, "--push", "--execute", digest[1] if digest else "")
    story.git("diff", "--name-status", _tag(story), "main")
    with open(os.path.join(story.clone, "app.py"), encoding="utf-8") as file:
        price = file.read().strip()
    if price != "price = 90":
        raise RefusedError(f"the demo expected app.py to say 'price = 90' again, it says {price!r}")


def _restore(story: Story) -> None:
    story.chapter("Then the database, as it was before that release; what failed is kept")
    story.guard("backup", "list")
    before = _earned(story)
    story.guard("backup", "restore", "shop-db", "--yes")
    if (before, _earned(story)) != (0, 9000):
        raise RefusedError(f"the demo expected the orders to be worth 9000 again, they are worth {_earned(story)}")
    story.guard("release", "list")


def _tag(story: Story) -> str:
    """The stable release's tag."""
    return story.git("describe", "--tags", "--abbrev=0", "main", show=False)


def _afterwards(story: Story, merged: str) -> None:
    tag = _tag(story)
    story.chapter("Nobody moves what production goes back to")
    real = story.git("rev-parse", f"refs/tags/{tag}", show=False)
    story.git("tag", "-f", "-a", "-m", "Better here", tag, merged)
    story.git("push", "-q", "--no-verify", "--force", "origin", f"refs/tags/{tag}", expect=(1,))
    story.git("update-ref", f"refs/tags/{tag}", real, show=False)
    story.chapter("When it is mended, it comes back whole, on a branch that goes the ordinary way")
    story.guard("reland", merged, "--plan")
    story.chapter("What production holds now, and what the trail says")
    story.git("log", "--first-parent", "--format=%h %s", "-3")
    story.guard("audit", "main", "--since", "main~3", "--verbose")
