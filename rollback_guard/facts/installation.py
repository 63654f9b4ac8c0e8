"""Collects what `guard doctor` reports on: hooks, tools, the clone's shape, the policy, what remotes run.

Nothing is changed and nothing is fetched. What is wrong with it is left to `report.doctor_text`.
"""

from __future__ import annotations

import os

from rollback_guard.errors import GitError, GuardError
from rollback_guard.facts.installation_model import (
    Folder,
    Installation,
    PolicySeen,
    RemoteSeen,
    StageSeen,
    Tools,
)
from rollback_guard.facts.policy_source import PolicyFound, literal_branches, read_policy_at
from rollback_guard.facts.surroundings import Surroundings, read_surroundings
from rollback_guard.git.hooks import (
    CLIENT_STAGES,
    SERVER_STAGES,
    Hook,
    StageHooks,
    find_hooks,
    hooks_folder,
    hooks_path,
)
from rollback_guard.git.objects import PARTIAL, ObjectReader, TooLargeError
from rollback_guard.git.process import decode, read_version
from rollback_guard.git.refs import HEADS, REMOTES, list_refs, resolve_commit
from rollback_guard.git.refspecs import plan_refspecs
from rollback_guard.git.repository import Repository, git_version, open_repository, read_config
from rollback_guard.git.server_settings import checks_objects
from rollback_guard.policy.paths import DEFAULT_BRANCHES, POLICY_PATHS
from rollback_guard.policy.repositories import normalise_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

# pre-commit's and prek's configuration files, in the order in which they are looked for.
CONFIG_FILES = (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml")
SKIPPING = ("PRE_COMMIT_ALLOW_NO_CONFIG", "PREK_ALLOW_NO_CONFIG")
SKIP_LISTS = ("SKIP", "PREK_SKIP")
WORKFLOWS = ".github/workflows/"
GATE_IN_WORKFLOW = (b"guard check", b"guard action", b"guard-action", b"rollback_guard@")
LARGEST = 1 << 20  # bytes of a configuration or workflow file that are read


def collect_installation(repository: Repository, environ: Mapping[str, str]) -> Installation:
    """Look at one clone, or at one bare server repository."""
    around = read_surroundings(repository)
    config, ids = _pre_commit_config(repository)
    identity = None if repository.bare else configured_identity(repository)
    folder, stages = _hooks(repository)
    return Installation(
        bare=repository.bare,
        tools=_tools(repository, environ),
        folder=folder,
        stages=stages,
        policy=_policy(repository, around, identity),
        config=config,
        config_ids=ids,
        shallow=repository.shallow,
        partial=bool(read_config(repository, PARTIAL)),
        replaced=len(list_refs(repository, "refs/replace/")),
        grafts=_size(os.path.join(repository.common_dir, "info", "grafts")) > 0,
        skips=_skips(environ),
        identity=identity,
        remotes=() if repository.bare else _remotes(repository, around, environ),
        named=bool(around.name),
        checks_objects=not repository.bare or checks_objects(repository),
    )


def _hooks(repository: Repository) -> tuple[Folder, tuple[StageSeen, ...]]:
    stages = SERVER_STAGES if repository.bare else CLIENT_STAGES
    path, default = hooks_folder(repository), os.path.join(repository.common_dir, "hooks")
    setting = hooks_path(repository)
    active = find_hooks(path, stages)
    elsewhere: tuple[str, ...] = ()
    if os.path.realpath(path) != os.path.realpath(default):
        there = {found.stage for found in find_hooks(default, stages) if found.ours is not None}
        elsewhere = tuple(found.stage for found in active if found.ours is None and found.stage in there)
    folder = Folder(path=path, default=default, scope=setting.scope if setting else None, elsewhere=elsewhere)
    return folder, tuple(map(_stage, active))


def _stage(found: StageHooks) -> StageSeen:
    ours = found.ours
    return StageSeen(
        stage=found.stage,
        path=found.main.path if ours is None else ours.path,
        owner=found.main.owner,
        executable=found.main.executable,
        ours=None if ours is None else "native" if ours is found.main else "legacy",
        ours_executable=ours is not None and ours.executable,
        gone=None if ours is None else _gone(ours),
    )


def _gone(hook: Hook) -> str | None:
    if hook.interpreter is not None and not os.access(hook.interpreter, os.X_OK):
        return hook.interpreter
    if hook.package is not None and not os.path.isfile(hook.package):
        return hook.package
    return None


def _tools(repository: Repository, environ: Mapping[str, str]) -> Tools:
    import shutil

    path = environ.get("PATH")
    python = shutil.which("python3", path=path)
    ssh = None
    if shutil.which("ssh-keygen", path=path) is not None:
        ssh = _ssh_version(shutil.which("ssh", path=path))
    check = "import sys; print('version', '.'.join(map(str, sys.version_info[:2])))"
    found = (0,) if python is None else read_version(_said(python, "-I", "-S", "-c", check))
    return Tools(git=git_version(repository.git), ssh=ssh, python=found >= (3, 10))


def _ssh_version(ssh: str | None) -> tuple[int, ...]:
    """ssh-keygen does not tell its version; ssh of the same package does: `OpenSSH_9.2p1 Debian-2, …`."""
    said = _said(ssh, "-V") if ssh is not None else ""
    _, _, rest = said.partition("OpenSSH_")
    number = rest.split("p")[0].split(",")[0].split(" ")[0].strip()
    return read_version(number)


def _said(*command: str) -> str:
    """What a program prints on either stream; nothing when it does not answer."""
    import subprocess

    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return decode(done.stdout + done.stderr)


def _pre_commit_config(repository: Repository) -> tuple[str | None, tuple[str, ...]]:
    """pre-commit's configuration file and our hook ids in it, read as lines: no YAML reader is needed."""
    import re

    for name in CONFIG_FILES:
        try:
            with open(os.path.join(repository.work_tree or repository.git_dir, name), "rb") as file:
                text = decode(file.read(LARGEST))
        except OSError:
            continue
        lines = (line.partition(" #")[0] for line in text.splitlines() if not line.lstrip().startswith("#"))
        ids = re.findall(r"""\bid["']?\s*[:=]\s*["']?(guard-[a-z-]+)""", "\n".join(lines))
        return name, tuple(dict.fromkeys(ids))
    return None, ()


def configured_identity(repository: Repository) -> str | None:
    """Who would commit here, as it is configured and not as git would guess it from the machine."""
    config = ("-c", "user.useConfigOnly=true")
    process = repository.git.run("var", "GIT_AUTHOR_IDENT", config=config, accept=(0, 1, 128))
    return decode(process.stdout).rpartition(">")[0] + ">" if process.returncode == 0 else None


def _policy(repository: Repository, around: Surroundings, identity: str | None) -> PolicySeen:
    branch = default_branch(repository, around)
    if branch is None:
        return PolicySeen(branch=None)
    try:
        with ObjectReader(repository.git) as objects:
            found = read_policy_at(objects, branch)
            workflow = _workflow(repository, objects, branch)
            without = _without(repository, objects, found)
    except GitError as error:  # an object that is not here: everything else can be looked at all the same
        return PolicySeen(branch=branch, unread=(error.message, error.remedy))
    policy = found.policy
    knows = None
    if policy is not None and identity is not None:
        knows = policy.person_of(identity.rpartition("<")[2].rstrip(">")) is not None
    return PolicySeen(
        branch=branch,
        path=found.path,
        error=None if found.error is None else found.error.message,
        signatures=policy is not None
        and (policy.release.signed or any(one.proof == "signature" for one in policy.sign_off)),
        knows_identity=knows,
        without=without,
        draft=repository.work_tree is not None and _size(os.path.join(repository.work_tree, POLICY_PATHS[0])) > 0,
        workflow=workflow,
    )


def default_branch(repository: Repository, around: Surroundings) -> str | None:
    """Full name of the ref that is taken for production before a policy says which one is; None without commits."""
    process = repository.git.run("symbolic-ref", "-q", "refs/remotes/origin/HEAD", accept=(0, 1))
    names = [decode(process.stdout).strip()]
    if around.default_branch:
        names += [f"{REMOTES}origin/{around.default_branch}", HEADS + around.default_branch]
    for name in (*names, *DEFAULT_BRANCHES, "HEAD"):
        if name and resolve_commit(repository, name) is not None:
            return name
    return None


def _without(repository: Repository, objects: ObjectReader, found: PolicyFound) -> tuple[str, ...]:
    """Production branches that exist, here or as last seen on origin, and whose own tip holds no policy."""
    if found.policy is None:
        return ()
    absent = []
    for name in literal_branches(found.policy):
        refs = [ref for ref in (f"{REMOTES}origin/{name}", HEADS + name) if resolve_commit(repository, ref)]
        if refs and read_policy_at(objects, refs[0]).path is None:
            absent.append(name)
    return tuple(absent)


def _workflow(repository: Repository, objects: ObjectReader, branch: str) -> str | None:
    out = repository.git.run("ls-tree", "-z", "--name-only", "--full-tree", branch, WORKFLOWS).stdout
    for path in filter(None, decode(out).split("\0")):
        try:
            blob = objects.read(f"{branch}:{path}", limit=LARGEST)
        except TooLargeError:
            continue
        if blob is not None and any(mark in blob.data for mark in GATE_IN_WORKFLOW):
            return path
    return None


def _remotes(repository: Repository, around: Surroundings, environ: Mapping[str, str]) -> tuple[RemoteSeen, ...]:
    found = []
    without = {step.remote for step in plan_refspecs(repository) if step.add}
    for name in around.remotes:
        process = repository.git.run("remote", "get-url", "--push", name, accept=(0, 2, 128))
        url = decode(process.stdout).strip() or around.urls[name]
        path = local_path(url, repository.git.cwd)
        seen = _behind(path, environ)
        gate: Literal["runs", "absent", "unseen"] = "unseen" if seen is None else "runs" if seen else "absent"
        address = _address(path, url)
        found.append(RemoteSeen(name=name, address=address, gate=gate, brings_evidence=name not in without))
    return tuple(found)


def _address(path: str | None, url: str) -> str:
    """Where a person finds a remote: its folder on this machine, else its name."""
    folders = (path, f"{path}.git") if path is not None else ()
    return next((one for one in folders if os.path.isdir(one)), normalise_repository(url))


def _behind(path: str | None, environ: Mapping[str, str]) -> bool | None:
    """Whether the repository at a path of this machine runs our pre-receive; None when it cannot be looked at."""
    for folder in (path, f"{path}.git"):
        if path is None or folder is None or not os.path.isdir(folder):
            continue
        try:
            # Only this very folder: a repository further up is another one.
            server = open_repository(folder, {**environ, "GIT_CEILING_DIRECTORIES": os.path.dirname(folder)})
            (found,) = find_hooks(hooks_folder(server), SERVER_STAGES)
        except GuardError:
            continue
        return found.ours is not None and found.ours.executable
    return None


def local_path(url: str, top: str) -> str | None:
    """The folder that a remote's address names on this machine; None when it names another machine.

    Source: git-fetch(1), "GIT URLS".
    """
    if url.startswith("file://"):
        from urllib.parse import unquote

        return unquote(url[len("file://") :], errors="surrogateescape")
    head = url.partition("/")[0]
    if ":" in head:  # a scheme, host:path, or a remote helper
        return None
    return os.path.normpath(os.path.join(top, url))


def _skips(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables by which pre-commit or prek would pass over our hooks."""
    found = []
    for name in SKIP_LISTS:
        ours = [one.strip() for one in environ.get(name, "").split(",") if one.strip().startswith("guard-")]
        if ours:
            found.append(f"{name}={','.join(ours)}")
    return (*found, *(f"{name}={environ[name]}" for name in SKIPPING if environ.get(name)))


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
