"""The story that `guard demo` tells, by running git and guard for real, each command shown before its output.

Nothing is acted: a refused push is refused by the installed hook, a verdict is the gate's.
"""

from __future__ import annotations

import os
import re
import subprocess
import time

from rollback_guard.entry.demo_story import Story
from rollback_guard.errors import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

POLICY = """\
version = 1

[production]
branches = ["main"]

[[route]]
into = "main"
from = ["release/*", "hotfix/*"]

[people.jane]
name = "Jane Doe"
emails = ["jane@acme.example"]

[people.omar]
name = "Omar Haddad"
emails = ["omar@acme.example", "omar@home.example"]

[people.quinn]
name = "Quinn Lee"
emails = ["quinn@acme.example"]

[people.uma]
name = "Uma Patel"
emails = ["uma@acme.example"]

[teams]
developers = ["jane", "omar"]
qa = ["quinn"]
business = ["uma"]

[[sign-off]]
role = "review"
trailer = "Reviewed-by"
by = ["@developers"]
proof = "trailer"

[[sign-off]]
role = "qa"
trailer = "QA-by"
by = ["@qa"]
proof = "trailer"

[[sign-off]]
role = "uat"
trailer = "UAT-by"
by = ["@business"]
proof = "trailer"

[release]
by = ["jane"]
"""
SMOKE = """
[[smoke]]
name = "front-page"
run = ["grep", "-q", "^price = ", "app.py"]
"""
MIGRATION = "db/migrations/20261122120000_discount.sql"
ADD_COLUMN = """\
-- migrate:up
ALTER TABLE orders ADD COLUMN discount integer;
-- migrate:down
ALTER TABLE orders DROP COLUMN discount;
"""
FIRST = "db/migrations/20260101120000_orders.sql"
CREATE_TABLE = """\
-- migrate:up
CREATE TABLE orders (id bigint PRIMARY KEY, price integer NOT NULL);
-- migrate:down
DROP TABLE orders;
"""
SIGN_OFFS = (
    "Reviewed-by: Omar Haddad <omar@acme.example>",
    "QA-by: Quinn Lee <quinn@acme.example>",
    "UAT-by: Uma Patel <uma@acme.example>",
)
PEOPLE = ("jane", "omar", "quinn", "uma")
SIGNERS = (("omar", "review"), ("quinn", "qa"), ("uma", "uat"))


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
    _afterwards(story, merged)
    echo(f"\nthe whole story in {time.monotonic() - began:.1f} seconds")


def signing_policy(keys: dict[str, str]) -> str:
    """The policy with everybody's public key, where roles and stable releases ask for signatures."""
    text = POLICY.replace('proof = "trailer"', 'proof = "signature"') + "signed = true\n"
    for person, key in keys.items():
        text = text.replace(f"[people.{person}]\n", f"[people.{person}]\nkeys = ['{key}']\n")
    return text + SMOKE


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
    story.git("add", "-A", show=False)
    story.git("commit", "-q", "-m", "The shop opens", show=False)
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
    story.chapter("The next release lands by the book, with a migration, and fails in production")
    story.git("switch", "-q", "-c", "release/1.2")
    story.write("app.py", "price = 0  # the shop gives everything away\n")
    story.write(MIGRATION, ADD_COLUMN)
    story.git("add", "-A", show=False)
    story.git("commit", "-q", "-m", "New prices, and a discount for each order")
    story.git("push", "-q", "origin", "release/1.2")
    _everybody_signs(story, brief=True)
    story.git("switch", "-q", "main")
    story.git("merge", "-q", "--no-ff", "--no-edit", "release/1.2")
    story.git("push", "-q", "origin", "main")
    return story.git("rev-parse", "--short=12", "main", show=False)


def _back(story: Story) -> None:
    story.chapter("Back to the last known stable release: the code goes, the database and its migration stay")
    why = "The shop gives everything away"
    plan = story.guard("revert", "--plan", "--reason", why)
    digest = re.search("^digest: (.*)$", plan, re.MULTILINE)
    story.guard("revert", "--reason", why, "--push", "--execute", digest[1] if digest else "")
    story.git("diff", "--name-status", _tag(story), "main")
    with open(os.path.join(story.clone, "app.py"), encoding="utf-8") as file:
        price = file.read().strip()
    if price != "price = 90":
        raise RefusedError(f"the demo expected app.py to say 'price = 90' again, it says {price!r}")


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
    story.git("log", "--first-parent", "--format=%h %s", "-4")
    story.guard("audit", "main", "--since", "main~4", "--verbose")
