"""Objects by name, through one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.errors import GitError
from rollback_guard.git.objects import Blob, ObjectReader, TooLargeError
from tests.git.test_process import children, script
from tests.support.builder import RepositoryBuilder
from tests.support.gits import GITS, Node, initialise, opened, plant, use_git


@pytest.fixture(params=GITS)
def git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each git in turn."""
    use_git(request.param, monkeypatch)


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_objects_of_every_kind_through_one_process(object_format: str, tmp_path: Path) -> None:
    repo = RepositoryBuilder(tmp_path / "repo", object_format=object_format)
    commit = repo.commit("Begin", a_dot_txt="a\n\0b")
    repo.stable_tag("v1")
    before = children()
    with ObjectReader(opened(repo.path).git) as objects:
        assert children() == before
        blob = objects.read("HEAD:a.txt")
        assert blob == Blob(oid=repo.git("rev-parse", "HEAD:a.txt"), type="blob", data=b"a\n\0b")
        assert len(children()) == len(before) + 1
        found = [objects.read(name) for name in ("HEAD", "HEAD^{tree}", "v1")]
        assert [one.type for one in found if one] == ["commit", "tree", "tag"]
        assert found[0] is not None
        assert found[0].oid == commit
        assert len(children()) == len(before) + 1
    assert children() == before


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize(
    "name",
    [
        "HEAD:none",
        "none",
        "",
        "1" * 40,
        "x blob 5",
        "HEAD:a\nHEAD",
        "--all",
        "HEAD:caf\udce9",
        "HEAD^{bad",
        "x missing",
    ],
)
def test_what_is_not_there(name: str, tmp_path: Path) -> None:
    repo = RepositoryBuilder(tmp_path / "repo")
    repo.commit("Begin", a="a")
    with ObjectReader(opened(repo.path).git) as objects:
        assert objects.read(name) is None
        assert objects.read("HEAD:a") is not None


@pytest.mark.usefixtures("git")
def test_a_path_that_is_no_text(tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo")
    (commit,) = plant(folder, Node({"caf\udce9 x": b"1", "a": b""}))
    with ObjectReader(opened(folder).git) as objects:
        for path, data in (("caf\udce9 x", b"1"), ("a", b"")):
            found = objects.read(f"{commit}:{path}")
            assert found is not None
            assert found.data == data


def test_a_name_that_two_objects_have(tmp_path: Path) -> None:
    git = script(tmp_path, 'while read name; do echo "$name ambiguous"; done')
    with ObjectReader(git) as objects:
        assert objects.read("ab") is None


def test_what_is_too_large_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo")
    (commit,) = plant(folder, Node({"large": b"x" * 1_000_000, "exact": b"x" * 10}))
    before = children()
    with ObjectReader(opened(folder).git) as objects:
        with pytest.raises(TooLargeError, match=r"large has 1,000,000 bytes; at most 10 are read") as raised:
            objects.read(f"{commit}:large", limit=10)
        assert raised.value.size == 1_000_000
        assert children() == before
        assert objects.read(f"{commit}:exact", limit=10) is not None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("exit 1", "ended while it looked for x"),
        ("exec <&-; exec >&-; exec sleep 0", "ended while it looked for x"),
        ('read name; printf "abc blob"', "ended while it looked for x"),
        ('read name; printf "abc blob 10\\nshort"', "ended in the middle of x"),
        ('read name; printf "abc blob 5\\nshort"', "ended in the middle of x"),
    ],
)
def test_a_git_that_breaks_off(body: str, said: str, tmp_path: Path) -> None:
    before = children()
    objects = ObjectReader(script(tmp_path, body))
    with pytest.raises(GitError, match=said):
        objects.read("x")
    assert children() == before
    objects.close()


def test_a_git_that_is_gone_before_it_is_asked(tmp_path: Path) -> None:
    objects = ObjectReader(script(tmp_path, "read name; echo abc blob 0; echo"))
    assert objects.read("x") == Blob(oid="abc", type="blob", data=b"")
    assert objects._process is not None
    objects._process.wait()
    with pytest.raises(GitError, match="ended while it looked for y"):
        objects.read("y")


def test_object_that_a_partial_clone_cannot_get(tmp_path: Path) -> None:
    body = 'case "$*" in *get-regexp*) echo remote.origin.promisor true;; *) exit 128;; esac'
    with pytest.raises(GitError, match="partial clone") as raised:
        ObjectReader(script(tmp_path, body)).read("x")
    assert raised.value.remedy.startswith("git fetch --refetch")


def test_git_that_cannot_even_say_whether_the_clone_is_partial(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="ended while it looked for x"):
        ObjectReader(script(tmp_path, "exit 2")).read("x")
