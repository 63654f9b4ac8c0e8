"""The contract of the git layer, on every kind of repository, with the system's git and a newer one.

Each kind holds the same story: a base, our side, their side and a merge that resolves a conflict, with
files of unusual names. What is read must be the same everywhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import rollback_guard
from rollback_guard.errors import GitError, GuardError, UndeterminedError, UsageError
from rollback_guard.git import log
from rollback_guard.git.log import LogFormat, read_log
from rollback_guard.git.merges import MergeAgain, Recorded
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.patch import read_paths
from rollback_guard.git.process import decode
from rollback_guard.git.refs import HEADS, REMOTES, is_ancestor, list_refs, require_commit, resolve_commit
from rollback_guard.git.repository import Repository, current_branch, open_repository
from tests.support.gits import FORMATS, GITS, Files, Node, initialise, opened, plant, use_git

NAMES = ["with space", "co:lon", 'qu"ote', "new\nline", "caf\udce9", "\u00e9t\u00e9", "back\\slash", "-option", "sub/a"]
SIDE = "Their side\n\nReviewed-by: Omar Haddad\n <omar@acme.example>\n"


class Story(NamedTuple):
    """The repository that all kinds are made of, and its commits."""

    folder: Path
    base: str
    ours: str
    theirs: str
    merge: str


class Place(NamedTuple):
    """Where somebody stands, and what the environment says there."""

    folder: Path
    env: dict[str, str]
    bare: bool = False
    shallow: bool = False
    hook: bool = False


def run(folder: Path, *command: str, stdin: bytes | None = None) -> str:
    """A command that must succeed."""
    done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def told(folder: Path, object_format: str) -> Story:
    """A work tree with the story in it, `main` checked out, the other branch called `side`."""
    initialise(folder, f"--object-format={object_format}")
    files: Files = dict.fromkeys(NAMES, b"1\n2\n3\n4\n5\n6\n7\n")
    ours = dict.fromkeys(NAMES, b"1\n2\n3\nour\n5\n6\n7\n")
    theirs = dict.fromkeys(NAMES, b"1\n2\n3\ntheir\n5\n6\n7\n")
    both = dict.fromkeys(NAMES, b"1\n2\n3\nboth\n5\n6\n7\n")
    oids = plant(folder, Node(files), Node(ours, (0,)), Node(theirs, (0,)), Node(both, (1, 2)))
    raw = run(folder, "git", "cat-file", "commit", oids[2])
    theirs_oid = run(folder, "git", "hash-object", "-t", "commit", "-w", "--stdin", stdin=f"{raw}\n\n{SIDE}".encode())
    merge = run(folder, "git", "cat-file", "commit", oids[3]).replace(oids[2], theirs_oid)
    merge_oid = run(folder, "git", "hash-object", "-t", "commit", "-w", "--stdin", stdin=f"{merge}\n\nMerge\n".encode())
    run(folder, "git", "update-ref", "refs/heads/side", theirs_oid)
    run(folder, "git", "reset", "-q", "--hard", merge_oid)
    return Story(folder, oids[0], oids[1], theirs_oid, merge_oid)


def work_tree(story: Story, _: Path) -> Place:
    return Place(story.folder, {})


def subfolder(story: Story, _: Path) -> Place:
    return Place(story.folder / "sub", {})


def odd_folder(story: Story, tmp_path: Path) -> Place:
    folder = tmp_path / 'a: "b"\nc \udce9'
    story.folder.rename(folder)
    return Place(folder, {})


def bare(story: Story, tmp_path: Path) -> Place:
    run(tmp_path, "git", "clone", "-q", "--bare", str(story.folder), "bare.git")
    return Place(tmp_path / "bare.git", {}, bare=True)


def linked(story: Story, tmp_path: Path) -> Place:
    run(story.folder, "git", "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    run(tmp_path / "linked", "git", "checkout", "-q", "--ignore-other-worktrees", "main")
    return Place(tmp_path / "linked", {})


def shallow(story: Story, tmp_path: Path) -> Place:
    run(tmp_path, "git", "clone", "-q", "--depth=3", "--no-single-branch", f"file://{story.folder}", "shallow")
    run(tmp_path / "shallow", "git", "fetch", "-q", "--depth=2", "origin", "side:side")
    run(tmp_path / "shallow", "git", "fetch", "-q", "--depth=3")
    (tmp_path / "shallow" / ".git" / "shallow").write_text(story.base + "\n")
    return Place(tmp_path / "shallow", {}, shallow=True)


def partial(story: Story, tmp_path: Path) -> Place:
    for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        run(story.folder, "git", "config", setting, "true")
    run(tmp_path, "git", "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{story.folder}", "partial")
    run(tmp_path / "partial", "git", "branch", "-q", "side", "origin/side")
    return Place(tmp_path / "partial", {})


def submodule(story: Story, tmp_path: Path) -> Place:
    outer = initialise(tmp_path / "outer", f"--object-format={opened(story.folder).object_format}")
    own = outer / ".git" / "modules" / "sub"
    own.parent.mkdir()
    run(outer, "git", "clone", "-q", f"--separate-git-dir={own}", str(story.folder), "sub")
    (outer / "sub" / ".git").write_text("gitdir: ../.git/modules/sub\n")
    run(outer, "git", f"--git-dir={own}", "config", "core.worktree", "../../../sub")
    run(outer / "sub", "git", "branch", "-q", "side", "origin/side")
    return Place(outer / "sub", {})


def git_dir_set(story: Story, tmp_path: Path) -> Place:
    """As `git commit` calls a hook: from the top, with relative names."""
    other = initialise(tmp_path / "other")
    env = {"GIT_DIR": os.path.relpath(story.folder / ".git", other), "GIT_WORK_TREE": str(story.folder)}
    return Place(other, {**env, "GIT_INDEX_FILE": f"{env['GIT_DIR']}/index", "GIT_PREFIX": ""}, hook=True)


def quarantine(story: Story, tmp_path: Path) -> Place:
    """A push that is not accepted yet: the new objects are in a quarantine that only the hook sees."""
    server = initialise(tmp_path / "server.git", "--bare", f"--object-format={opened(story.folder).object_format}")
    for name, oid in (("main", story.ours), ("side", story.base)):
        run(story.folder, "git", "push", "-q", str(server), f"{oid}:refs/heads/{name}")
    hook = server / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    kept = tmp_path / "quarantine"
    hook.write_text(f'#!/bin/sh\ncp -R "$GIT_QUARANTINE_PATH" "{kept}"\nenv >"{tmp_path}/env"\nexit 1\n')
    hook.chmod(0o755)
    push = ["git", "push", "-q", str(server), "main:main", "side:side"]
    assert subprocess.run(push, cwd=story.folder, capture_output=True, check=False).returncode == 1
    hook.unlink()
    told = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    os.rename(kept, server / told["GIT_OBJECT_DIRECTORY"])
    names = ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
    return Place(server, {name: told[name] for name in names}, bare=True, hook=True)


KINDS: tuple[Callable[[Story, Path], Place], ...] = (
    work_tree,
    subfolder,
    odd_folder,
    bare,
    linked,
    shallow,
    partial,
    submodule,
    git_dir_set,
    quarantine,
)


@pytest.fixture(params=GITS)
def git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each git in turn."""
    use_git(request.param, monkeypatch)
    return str(request.param)


@pytest.fixture(params=FORMATS)
def story(request: pytest.FixtureRequest, git: str, tmp_path: Path) -> Story:
    """The story in both object formats."""
    return told(tmp_path / "story", request.param)


def enter(place: Place) -> Repository:
    """The repository of a place."""
    return open_repository(str(place.folder), {**os.environ, **place.env}, hook=place.hook)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_every_kind_of_repository_tells_the_same_story(
    kind: Callable[[Story, Path], Place], story: Story, tmp_path: Path
) -> None:
    place = kind(story, tmp_path)
    repository = enter(place)
    assert (repository.bare, repository.shallow) == (place.bare, place.shallow)
    assert len(repository.zero) == len(story.base)
    assert current_branch(repository) == "refs/heads/main"
    check_refs(repository, story, received=kind is not quarantine)
    check_log(repository, story)
    check_objects(repository, story)
    if kind is not shallow:
        assert is_ancestor(repository, story.base, story.merge)
    assert not is_ancestor(repository, story.merge, story.base)
    check_merge(repository, story, tmp_path)
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == []


def check_refs(repository: Repository, story: Story, *, received: bool) -> None:
    """Both branches are there; what is in quarantine is not named by a ref yet."""
    commits = {ref.name: ref.commit for ref in list_refs(repository, HEADS, REMOTES)}
    assert commits["refs/heads/main"] == (story.merge if received else story.ours)
    assert commits["refs/heads/side"] == (story.theirs if received else story.base)
    assert resolve_commit(repository, "main") == commits["refs/heads/main"]
    assert require_commit(repository, story.merge, "--head") == story.merge
    assert resolve_commit(repository, "no-such-branch") is None


def check_log(repository: Repository, story: Story) -> None:
    layout = LogFormat(text=True)
    found = {decode(record[log.COMMIT]): record for record in read_log(repository.git, layout, story.merge)}
    assert set(found) == {story.base, story.ours, story.theirs, story.merge}
    assert found[story.merge][log.PARENTS].decode().split() == [story.ours, story.theirs]
    side = found[story.theirs]
    assert layout.trailers(side[log.TRAILERS]) == (("Reviewed-by", "Omar Haddad <omar@acme.example>"),)
    assert side[log.TEXT] == SIDE.encode()


def check_objects(repository: Repository, story: Story) -> None:
    with ObjectReader(repository.git) as objects:
        for name in NAMES:
            found = objects.read(f"{story.merge}:{name}")
            if "\n" in name:
                assert found is None  # a line is all that `cat-file --batch` is asked with
                continue
            assert found is not None
            assert b"both" in found.data
    pairs = [(story.base, story.ours), (story.ours, story.ours)]
    assert read_paths(repository.git, pairs, ("sub/", "new\nline", "caf\udce9")) == [
        ("caf\udce9", "new\nline", "sub/a"),
        (),
    ]


def check_merge(repository: Repository, story: Story, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    with MergeAgain(repository, str(tmp_path / "scratch")) as again:
        tree = repository.git.text("rev-parse", f"{story.merge}^{{tree}}")
        ours = repository.git.text("rev-parse", f"{story.ours}^{{tree}}")
        honest = Recorded(commit=story.merge, ours=story.ours, theirs=story.theirs, tree=tree)
        (found,) = again.differences([honest])
        assert found.unexplained == ()
        assert sorted(found.resolved) == sorted(NAMES)
        empty = repository.git.text("hash-object", "-t", "tree", "--stdin", stdin=b"")
        (evil,) = again.differences([honest._replace(tree=empty)])
        assert {path for path, _ in evil.unexplained} == set(NAMES)
        (side,) = again.differences([honest._replace(tree=ours)])
        assert side.unexplained == ()


HOOK = """\
import os, sys, tempfile
sys.path.insert(0, {package!r})
from rollback_guard.git.log import LogFormat, read_log
from rollback_guard.git.merges import MergeAgain, Recorded
from rollback_guard.git.refs import list_refs
from rollback_guard.git.repository import open_repository
repository = open_repository(os.getcwd(), os.environ, hook=True)
for line in sys.stdin:
    old, new, ref = line.split()
    count = sum(1 for _ in read_log(repository.git, LogFormat(), new))
    tree = repository.git.text("rev-parse", new + "^{{tree}}")
    with MergeAgain(repository, {scratch!r}) as again:
        merge = Recorded(commit=new, ours=new + "^1", theirs=new + "^2", tree=tree)
        ours, theirs = (repository.git.text("rev-parse", name) for name in (merge.ours, merge.theirs))
        (found,) = again.differences([merge._replace(ours=ours, theirs=theirs)])
    print("told", count, len(found.resolved), len(found.unexplained), os.environ["GIT_QUARANTINE_PATH"] != "")
"""


def test_a_real_pre_receive_reads_its_quarantine(story: Story, tmp_path: Path) -> None:
    server = initialise(tmp_path / "ser:ver.git", "--bare", f"--object-format={opened(story.folder).object_format}")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    package = str(Path(rollback_guard.__file__).parent.parent)
    (tmp_path / "hook.py").write_text(HOOK.format(package=package, scratch=str(scratch)))
    hook = server / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/hook.py"\n')
    hook.chmod(0o755)
    push = ["git", "push", str(server), "main:main"]
    done = subprocess.run(push, cwd=story.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"told 4 {len(NAMES)} 0 True" in done.stderr
    assert list(scratch.iterdir()) == []


@pytest.mark.usefixtures("git")
def test_a_shallow_history_ends_where_it_was_cut(tmp_path: Path) -> None:
    story = told(tmp_path / "story", "sha1")
    run(tmp_path, "git", "clone", "-q", "--depth=1", f"file://{story.folder}", "shallow")
    repository = opened(tmp_path / "shallow")
    assert repository.shallow
    (record,) = read_log(repository.git, LogFormat(), story.merge)
    assert record[log.PARENTS] == b""
    with MergeAgain(repository, str(tmp_path)) as again, pytest.raises(GitError):
        list(again.merge([(story.ours, story.theirs)]))


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize("locale", ["de_DE.UTF-8", "fr_FR.ISO-8859-1", "C", "tr_TR.UTF-8"])
def test_the_language_of_the_machine_does_not_matter(locale: str, tmp_path: Path) -> None:
    story = told(tmp_path / "story", "sha1")
    language = {"LANG": locale, "LC_ALL": locale, "LC_MESSAGES": locale, "LANGUAGE": locale[:2]}
    repository = open_repository(str(story.folder), {**os.environ, **language})
    check_log(repository, story)
    check_merge(repository, story, tmp_path)
    with pytest.raises(GitError, match="fatal: ambiguous argument 'none': unknown revision"):
        repository.git.run("rev-parse", "none")


@pytest.mark.usefixtures("git")
def test_hostile_settings_run_nothing_and_change_nothing(tmp_path: Path) -> None:
    story = told(tmp_path / "story", "sha1")
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >>"{ran}"\n')
    program.chmod(0o755)
    (story.folder / ".gitattributes").write_text("* diff=evil merge=evil filter=evil\n")
    settings = ["core.fsmonitor", "core.pager", "diff.external", "diff.evil.command", "diff.evil.textconv"]
    settings += ["merge.evil.driver", "filter.evil.clean", "filter.evil.smudge", "gpg.program", "core.editor"]
    settings += ["pager.log", "pager.diff-tree", "interactive.diffFilter", "credential.helper", "core.askPass"]
    for name in settings:
        run(story.folder, "git", "config", name, str(program))
    for name in ("log", "diff-tree", "merge-tree", "cat-file", "for-each-ref", "rev-parse", "interpret-trailers"):
        run(story.folder, "git", "config", f"alias.{name}", f"!{program}")
    repository = opened(story.folder)
    check_refs(repository, story, received=True)
    check_log(repository, story)
    check_objects(repository, story)
    check_merge(repository, story, tmp_path)
    assert not ran.exists()


@pytest.mark.usefixtures("git")
def test_replaced_and_grafted_commits_are_read_as_they_are(tmp_path: Path) -> None:
    story = told(tmp_path / "story", "sha1")
    run(story.folder, "git", "replace", story.theirs, story.ours)
    run(story.folder, "git", "replace", f"{story.merge}:co:lon", f"{story.base}:co:lon")
    (story.folder / ".git" / "info").mkdir(exist_ok=True)
    (story.folder / ".git" / "info" / "grafts").write_text(f"{story.merge} {story.base}\n")
    repository = opened(story.folder)
    check_log(repository, story)
    check_objects(repository, story)
    check_merge(repository, story, tmp_path)
    assert is_ancestor(repository, story.theirs, story.merge)


@pytest.mark.parametrize(
    ("version", "family"),
    [(None, UsageError), ("git version 1.8.3.1", UndeterminedError), ("git version 2.30.2", UndeterminedError)],
)
def test_a_git_that_is_missing_or_old(
    version: str | None, family: type[GuardError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    if version is not None:
        (tmp_path / "bin" / "git").write_text(f"""#!/bin/sh
for word; do [ "$word" = version ] && echo "{version}" && exit 0; done
echo "error: unknown option" >&2
exit 129
""")
        (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(GuardError) as raised:
        opened(tmp_path)
    assert type(raised.value) is family
    assert raised.value.remedy.startswith(("install", "install git"))
