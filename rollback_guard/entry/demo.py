"""The story that `guard demo` tells, by running git and guard for real, each command shown before its output.

Nothing is acted: a refused push is refused by the installed hook, a verdict is the gate's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

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
SIGN_OFFS = (
    "Reviewed-by: Omar Haddad <omar@acme.example>",
    "QA-by: Quinn Lee <quinn@acme.example>",
    "UAT-by: Uma Patel <uma@acme.example>",
)
PEOPLE = ("jane", "omar", "quinn", "uma")
SIGNERS = (("omar", "review"), ("quinn", "qa"), ("uma", "uat"))
GUARD = [sys.executable, "-c", "from rollback_guard.entry.cli.main import run; run()"]


class Story:
    """Runs commands in the demo's folders and shows them. Every step says which exit codes it expects."""

    def __init__(self, folder: str, echo: Callable[[str], None]) -> None:
        self.folder = folder
        self.clone = os.path.join(folder, "clone")
        self.server = os.path.join(folder, "server.git")
        self._echo = echo
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
        self.env = {
            **kept,
            "HOME": folder,
            "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", "")))),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Jane Doe",
            "GIT_AUTHOR_EMAIL": "jane@acme.example",
            "GIT_COMMITTER_NAME": "Jane Doe",
            "GIT_COMMITTER_EMAIL": "jane@acme.example",
            "GIT_EDITOR": "true",
            "NO_COLOR": "1",
        }

    def chapter(self, title: str) -> None:
        """A heading."""
        self._echo(f"\n── {title}")

    def git(self, *args: str, show: bool = True, expect: tuple[int, ...] = (0,), where: str = "") -> str:
        """Run git."""
        return self._run(["git", *args], "git", args, show, expect, where or self.clone)

    def guard(self, *args: str, expect: tuple[int, ...] = (0,), where: str = "", brief: bool = False) -> str:
        """Run guard; `brief` shows the command alone, where its like was shown before."""
        if brief:
            self._echo("$ " + " ".join(["guard", *(_quoted(arg) for arg in args)]))
        return self._run([*GUARD, *args], "guard", args, not brief, expect, where or self.clone)

    def write(self, name: str, text: str) -> None:
        """Write a file of the clone."""
        with open(os.path.join(self.clone, name), "w", encoding="utf-8") as file:
            file.write(text)

    def _run(
        self, command: list[str], name: str, args: tuple[str, ...], show: bool, expect: tuple[int, ...], where: str
    ) -> str:
        if show:
            self._echo("$ " + " ".join([name, *(_quoted(arg) for arg in args)]))
        done = subprocess.run(
            command, cwd=where, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        text = done.stdout.decode("utf-8", "replace").replace(self.folder + os.sep, "").rstrip()
        if show and text:
            self._echo("\n".join(f"  {line.rstrip()}" for line in text.splitlines()))
        if done.returncode not in expect and not show:
            self._echo(text)
        if done.returncode not in expect:
            raise RefusedError(
                f"the demo expected {name} {args[0]} to end with {expect[0]}, but it ended with {done.returncode}",
                remedy="this is a bug in rollback_guard or in this machine's git: guard doctor",
            )
        return text


def _quoted(argument: str) -> str:
    if "\n" in argument:
        argument = argument.split("\n", 1)[0] + " …"
    return f'"{argument}"' if any(character in argument for character in " <>…*") else argument


def tell(folder: str, echo: Callable[[str], None]) -> None:
    """The whole story in a folder. Raises: RefusedError when a step does not end as the story says."""
    began = time.monotonic()
    story = Story(folder, echo)
    echo("A shop, its Git server and one clone; production is main.")
    _begin(story)
    _direct_commit_is_refused(story)
    _release(story)
    _failure(story)
    _afterwards(story)
    echo(f"\nthe whole story in {time.monotonic() - began:.1f} seconds")


def signing_policy(keys: dict[str, str]) -> str:
    """The policy with everybody's public key, where roles and stable releases ask for signatures."""
    text = POLICY.replace('proof = "trailer"', 'proof = "signature"') + "signed = true\n"
    for person, key in keys.items():
        text = text.replace(f"[people.{person}]\n", f"[people.{person}]\nkeys = ['{key}']\n")
    return text


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
    story.git("add", "-A", show=False)
    story.git("commit", "-q", "-m", "The shop opens", show=False)
    story.write("rollback-guard.toml", signing_policy(_make_keys(story)))
    story.git("add", "-A", show=False)
    story.git("commit", "-q", "-m", "Write down how production is changed", show=False)
    story.git("remote", "add", "origin", story.server, show=False)
    story.git("push", "-q", "origin", "main", show=False)
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
    story.chapter("Merged, pushed, and tagged as a stable release")
    story.git("switch", "-q", "main")
    story.git("merge", "-q", "--no-ff", "--no-edit", "release/1.1")
    story.git("log", "-1", "--format=%B")
    story.git("push", "-q", "origin", "main")
    story.guard("release", "--key", "../keys/jane")
    story.git("push", "-q", "origin", "--tags")


def _failure(story: Story) -> None:
    story.chapter("The next release lands by the book, and fails in production")
    story.git("switch", "-q", "-c", "release/1.2")
    story.write("app.py", "price = 0  # the shop gives everything away\n")
    story.git("commit", "-q", "-am", "New prices")
    story.git("push", "-q", "origin", "release/1.2")
    _everybody_signs(story, brief=True)
    story.git("switch", "-q", "main")
    story.git("merge", "-q", "--no-ff", "--no-edit", "release/1.2")
    story.git("push", "-q", "origin", "main")
    story.chapter("Back to the last known stable release, by revert commits")
    story.guard("revert", "--plan", "--reason", "The shop gives everything away")
    story.guard("revert", "--yes", "--reason", "The shop gives everything away")
    story.git("push", "-q", "origin", "main")


def _afterwards(story: Story) -> None:
    story.chapter("What production holds now, and what the trail says")
    story.git("log", "--first-parent", "--format=%h %s", "-3")
    with open(os.path.join(story.clone, "app.py"), encoding="utf-8") as file:
        price = file.read().strip()
    if price != "price = 90":
        raise RefusedError(f"the demo expected app.py to say 'price = 90' again, it says {price!r}")
    story.guard("audit", "main", "--since", "main~3", "--verbose")
