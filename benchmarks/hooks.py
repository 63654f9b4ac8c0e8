"""Hooks as whole processes, on one repository with one message file, ours beside the peers'."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import NamedTuple

from benchmarks import repositories
from benchmarks.places import Places
from benchmarks.repositories import PLAIN, SIGNED, git
from benchmarks.table import Row, timed
from benchmarks.timing import Contender, Timing, measure

SUBJECT = "Hooks"
YARDSTICK = "no-commit-to-branch --branch main"
SHORT = "no-commit-to-branch"
ALLOWED = 1.3  # times the yardstick
TARGET = f"≤ {ALLOWED}, and below every other peer"


class Scene(NamedTuple):
    """Clones of one server: on a working branch, on main, and with a merge into main begun."""

    working: str
    main: str
    merging: str
    plain: str  # path of a message
    signed: str  # path of a message
    push: bytes  # what git writes to pre-push for the working branch
    landing: bytes  # and for a merge that goes to main


def build(places: Places) -> Scene:
    """A server with a policy and a release, and the clones that the hooks run in."""
    folder, env = os.path.join(places.out, "hooks"), places.env
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    server = repositories.write(
        os.path.join(folder, "shop.git"), env, repositories.merged(50, 200, nearer=10), bare=True
    )
    plain, signed = os.path.join(folder, "plain"), os.path.join(folder, "signed")
    for path, text in ((plain, PLAIN), (signed, SIGNED)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    clones = [os.path.join(folder, name) for name in ("working", "main", "merging", "landing")]
    for clone in clones:
        git(folder, env, "clone", "-q", server, clone)
        git(clone, env, "config", "gc.auto", "0")
    working, on_main, merging, landing = clones
    git(working, env, "switch", "-q", "-c", "release/next")
    for clone in (merging, landing):
        git(clone, env, "switch", "-q", "-c", "release/next")
        _change(clone, env)
        git(clone, env, "commit", "-q", "-F", signed)
        git(clone, env, "switch", "-q", "main")
    _change(working, env)
    git(working, env, "commit", "-q", "-F", plain)
    _change(on_main, env)
    git(merging, env, "merge", "-q", "--no-ff", "--no-commit", "release/next")
    git(
        landing,
        env,
        "merge",
        "-q",
        "--no-ff",
        "-m",
        f"Merge branch 'release/next'\n\n{repositories.SIGN_OFFS}",
        "release/next",
    )
    git(working, env, "fetch", "-q", landing, "main:refs/heads/landed", "release/next:refs/heads/release/done")
    with open(os.path.join(working, "commitlint.config.cjs"), "w", encoding="utf-8") as file:
        file.write("module.exports = {extends: [process.env.COMMITLINT_CONFIG]};\n")
    tip, zero = git(working, env, "rev-parse", "HEAD"), "0" * 40
    landed, before = git(working, env, "rev-parse", "landed"), git(working, env, "rev-parse", "origin/main")
    return Scene(
        working=working,
        main=on_main,
        merging=merging,
        plain=plain,
        signed=signed,
        push=f"refs/heads/release/next {tip} refs/heads/release/next {zero}\n".encode(),
        landing=f"refs/heads/landed {landed} refs/heads/main {before}\n".encode(),
    )


def _change(clone: str, env: dict[str, str]) -> None:
    with open(os.path.join(clone, "src/0/file0.py"), "a", encoding="utf-8") as file:
        file.write("more = 1\n")
    git(clone, env, "add", "-A")


def ours(places: Places, scene: Scene) -> list[Contender]:
    """Our hooks where nothing is to be refused: what every commit and push pays."""
    remote = ("origin", git(scene.working, places.env, "remote", "get-url", "origin"))
    calls = {
        "guard-hook pre-commit": (places.hook("pre-commit"), b""),
        "guard-hook pre-merge-commit": (places.hook("pre-merge-commit"), b""),
        "guard-hook prepare-commit-msg": (places.hook("prepare-commit-msg", scene.plain, "message"), b""),
        "guard-hook commit-msg, plain": (places.hook("commit-msg", scene.plain), b""),
        "guard-hook commit-msg, trailers": (places.hook("commit-msg", scene.signed), b""),
        "guard-hook pre-push, working branch": (places.hook("pre-push", *remote), scene.push),
        "guard-hook policy": (places.hook("policy", "rollback-guard.toml"), b""),
    }
    git_says = _installed(places, scene.working)
    natives = {
        "native pre-commit": ((os.path.join(git_says, "pre-commit"),), b""),
        "native commit-msg, trailers": ((os.path.join(git_says, "commit-msg"), scene.signed), b""),
        "native pre-push, working branch": ((os.path.join(git_says, "pre-push"), *remote), scene.push),
    }
    return [
        Contender(name, command, scene.working, places.env, stdin=stdin)
        for name, (command, stdin) in {**calls, **natives}.items()
    ]


def _installed(places: Places, clone: str) -> str:
    """The folder of the native hooks, after `guard install`."""
    subprocess.run(places.guard("install"), cwd=clone, env=places.env, check=True, stdout=subprocess.DEVNULL)
    return os.path.join(clone, ".git", "hooks")


def peers(places: Places, scene: Scene) -> list[Contender]:
    """What others run on the same commit, in the same clone, on the same message."""
    message = scene.signed
    commands = {
        YARDSTICK: places.peer("no-commit-to-branch", "--branch", "main"),
        "gitlint --msg-filename": places.peer("gitlint", "--msg-filename", message),
        "cz check --commit-msg-file": places.peer("cz", "check", "--commit-msg-file", message),
        "commit-check --message": places.peer("commit-check", "--message", message),
        "commit-check --branch": places.peer("commit-check", "--branch"),
        "conventional-pre-commit": places.peer("conventional-pre-commit", message),
    }
    env = dict(places.env)
    if places.commitlint is not None:
        modules = os.path.dirname(os.path.dirname(places.commitlint))
        env["COMMITLINT_CONFIG"] = os.path.join(modules, "@commitlint/config-conventional/lib/index.js")
        commands["commitlint --edit"] = (places.commitlint, "--edit", message)
    return [Contender(name, command, scene.working, env) for name, command in commands.items()]


def informative(places: Places, scene: Scene) -> list[Contender]:
    """What production pays, where the whole gate judges, and what nothing at all costs here."""
    remote = ("origin", git(scene.working, places.env, "remote", "get-url", "origin"))
    python = os.path.join(places.ours, "python")
    env = places.env
    return [
        Contender("pre-commit refused on main", places.hook("pre-commit"), scene.main, env, expect=(1,)),
        Contender(
            "commit-msg of a merge into main", places.hook("commit-msg", scene.signed), scene.merging, env, expect=(0,)
        ),
        Contender(
            "pre-push of a merge to main", places.hook("pre-push", *remote), scene.working, env, scene.landing, (0,)
        ),
        Contender("python -c pass", (python, "-c", "pass"), scene.working, env),
        Contender("python -I -S -c pass", (python, "-I", "-S", "-c", "pass"), scene.working, env),
        Contender("git symbolic-ref HEAD", ("git", "symbolic-ref", "HEAD"), scene.working, env),
    ]


def run(places: Places, runs: int) -> tuple[list[Row], list[Timing]]:
    """Time all of them in one go."""
    scene = build(places)
    mine, others, more = ours(places, scene), peers(places, scene), informative(places, scene)
    timings = measure([*mine, *others, *more], runs)
    yardstick = timings[YARDSTICK].median
    fastest = min(timings[one.name].median for one in others if one.name != YARDSTICK)
    rows = []
    for one in mine:
        median = timings[one.name].median
        met = median <= ALLOWED * yardstick and median < fastest
        rows.append(_row(timings[one.name], "ours", yardstick)._replace(target=TARGET, met=met))
    rows += [_row(timings[one.name], "peer", yardstick) for one in others]
    rows += [_row(timings[one.name], "information", yardstick) for one in more]
    if places.left_out:
        print(places.left_out, file=sys.stderr)
    return rows, list(timings.values())


def _row(timing: Timing, kind: str, yardstick: float) -> Row:
    return timed(SUBJECT, kind, timing)._replace(ratio=timing.median / yardstick, against=SHORT)
