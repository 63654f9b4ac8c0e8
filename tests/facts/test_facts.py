"""Facts where they are not plain: what is not known says why, what is odd is still told right."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.errors import UndeterminedError, UsageError
from rollback_guard.facts import commit as commit_module
from rollback_guard.facts import range as range_module
from rollback_guard.facts.brought import touched_by
from rollback_guard.facts.commit import merge_commit, merge_heads, read_message
from rollback_guard.facts.model import Change, Fact, Known, Survey, Unknown
from rollback_guard.facts.policy_source import (
    PolicyFound,
    is_production,
    literal_branches,
    policies_for,
    read_policy_at,
    tips_of,
)
from rollback_guard.facts.push import move_of, move_of_production, read_pre_commit_push, read_push, read_receive
from rollback_guard.facts.range import Proposal, collect_range
from rollback_guard.facts.restoration import stable_tags
from rollback_guard.facts.surroundings import absolute, read_surroundings, repository_of
from rollback_guard.facts.survey import read_identity, read_messages, with_squashed
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.read import read_policy
from tests.support.builder import POLICY, SIGNED, RepositoryBuilder, shop


def parsed() -> Policy:
    policy = read_policy(POLICY.encode(), path="rollback-guard.toml")
    assert policy is not None
    return policy


PARSED = parsed()


def opened(repo: RepositoryBuilder) -> Repository:
    return open_repository(str(repo.path), os.environ)


def known(fact: Fact[object]) -> object:
    assert isinstance(fact, Known), fact
    return fact.value


def proposed(repo: RepositoryBuilder, head: str = "HEAD", base: str | None = "main") -> Change:
    repository = opened(repo)
    proposal = Proposal(
        stage="range", target="refs/heads/main", base=None if base is None else repo.head(base), head=repo.head(head)
    )
    return collect_range(repository, read_surroundings(repository), PARSED, proposal).change


def test_known_and_unknown_are_values() -> None:
    assert Known(1, "a") == Known(1, "b")
    assert Known(1) != Known(2)
    assert Known(1) != 1
    assert len({Known(1), Known(1, "x"), Unknown("a"), Unknown("a", "b"), Unknown("c")}) == 3
    assert (repr(Known(1, "x")), repr(Unknown("why"))) == ("Known(1, source='x')", "Unknown('why')")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_lines_of_a_push(object_format: str) -> None:
    size = 40 if object_format == "sha1" else 64
    one, two, zero = "1" * size, "2" * size, "0" * size
    text = f"refs/heads/a {one} refs/heads/b {two}\n(delete) {zero} refs/heads/c {one}\nHEAD {one} refs/heads/d {zero}"
    moved, deleted, created = read_push(text.encode())
    assert (moved.ref, moved.old, moved.new, moved.local) == ("refs/heads/b", two, one, "refs/heads/a")
    assert (deleted.ref, deleted.old, deleted.new) == ("refs/heads/c", one, None)
    assert (created.old, created.new, created.local) == (None, one, "HEAD")
    (received,) = read_receive(f"{one} {two} refs/heads/\xff\n".encode("latin-1"))
    assert (received.ref, received.old, received.new, received.local) == ("refs/heads/\udcff", one, two, None)


def test_move_of_a_ref(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repository, old, new = opened(repo), repo.head("main"), repo.head()
    assert move_of(repository, None, new) == "create"
    assert move_of(repository, old, None) == "delete"
    assert move_of(repository, old, new) == "forward"
    assert move_of(repository, new, old) == "rewind"
    assert move_of_production(repository, new, old, begins=new) == "rewind"
    assert move_of_production(repository, old, new, begins=old) == "forward"
    assert move_of_production(repository, None, new, begins=old) == "create"
    assert move_of_production(repository, None, old, begins=new) == "aside"
    turned = repo.git("commit-tree", "-p", new, "-p", old, "-m", "Turned", "HEAD^{tree}")
    root = repo.git("commit-tree", "-m", "Root", "HEAD^{tree}")
    aside = repo.git("commit-tree", "-p", root, "-p", old, "-m", "Aside", "HEAD^{tree}")
    assert move_of_production(repository, old, turned, begins=old) == "forward"
    assert move_of_production(repository, old, aside, begins=old) == "aside"


def test_pre_commit_s_variables(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("update-ref", "refs/remotes/up/main", "main")
    env = {"PRE_COMMIT_TO_REF": repo.head(), "PRE_COMMIT_REMOTE_BRANCH": "main", "PRE_COMMIT_REMOTE_NAME": "up"}
    (update,) = read_pre_commit_push(opened(repo), env)
    assert (update.ref, update.old, update.new, update.local) == (
        "refs/heads/main",
        repo.head("main"),
        repo.head(),
        None,
    )
    (update,) = read_pre_commit_push(opened(repo), {**env, "PRE_COMMIT_REMOTE_NAME": "other"})
    assert update.old is None
    assert read_pre_commit_push(opened(repo), {**env, "PRE_COMMIT_REMOTE_BRANCH": ""}) == ()


def test_pre_commit_s_variables_of_a_push_of_everything(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    env = {"PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main", "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/release/1.4"}
    (update,) = read_pre_commit_push(opened(repo), env)
    assert (update.old, update.new) == (None, repo.head("release/1.4"))
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    (update,) = read_pre_commit_push(opened(repo), env)
    assert (update.old, update.new) == (repo.head("main"), repo.head("release/1.4"))
    for local in ("refs/heads/gone", ""):
        with pytest.raises(UsageError, match="no such commit"):
            read_pre_commit_push(opened(repo), {**env, "PRE_COMMIT_LOCAL_BRANCH": local})


def test_whose_repository_it_is(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    assert isinstance(repository_of(read_surroundings(opened(repo))), Unknown)
    repo.git("remote", "add", "upstream", "git@github.com:acme/shop.git")
    assert known(repository_of(read_surroundings(opened(repo)))) == "github.com/acme/shop"
    repo.git("remote", "add", "fork", "https://github.com/eve/shop")
    assert isinstance(repository_of(read_surroundings(opened(repo))), Unknown)
    assert known(repository_of(read_surroundings(opened(repo)), remote="fork")) == "github.com/eve/shop"
    repo.git("remote", "add", "origin", "https://github.com/omar/shop")
    assert known(repository_of(read_surroundings(opened(repo)))) == "github.com/omar/shop"
    repo.git("config", "rollback-guard.repository", "github.com/acme/other")
    assert known(repository_of(read_surroundings(opened(repo)))) == "github.com/acme/other"
    assert known(repository_of(read_surroundings(opened(repo)), claimed="a.example/b/c")) == "a.example/b/c"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("../shop.git", "/srv/shop.git"),
        (".", "/srv/git"),
        ("./x", "/srv/git/x"),
        ("x", "x"),
        ("https://h/x", "https://h/x"),
    ],
)
def test_address_that_is_a_relative_path(url: str, path: str) -> None:
    assert absolute(url, "/srv/git") == path


def test_policies_of_several_commits(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("branch", "again")
    repo.write_file("rollback-guard.toml", POLICY.replace('["main"]', '["main", "live/*"]'))
    repo.commit("Other")
    repo.git("rm", "-q", "rollback-guard.toml")
    repo.commit("None")
    with ObjectReader(opened(repo).git) as objects:
        found = policies_for(objects, "main", "again", "HEAD", "HEAD~1", "no/such")
    assert [one.at for one in found] == ["main", "HEAD~1"]
    assert is_production(found, "live/1")
    assert not is_production(found[:1], "live/1")
    assert not is_production((PolicyFound(at="x"),), "main")
    assert [literal_branches(one.policy) for one in found if one.policy] == [("main",), ("main",)]


def test_files_that_hold_no_policy(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.write_file("pyproject.toml", "[project]\nname = 'x'\n")
    repo.write_file("rollback-guard.toml/file", "")
    repo.commit("Odd")
    with ObjectReader(opened(repo).git) as objects:
        assert read_policy_at(objects, "HEAD") == PolicyFound(at="HEAD")


@pytest.mark.parametrize(
    ("mode", "path", "wrong"),
    [
        ("120000", "rollback-guard.toml", "rollback-guard.toml is a symbolic link; a policy is read from an ordinary"),
        ("160000", "rollback-guard.toml", "rollback-guard.toml is a submodule; a policy is read from an ordinary"),
        ("120000", "pyproject.toml", "pyproject.toml is a symbolic link; a policy is read from an ordinary"),
        ("160000", "pyproject.toml", ""),
    ],
)
def test_a_policy_is_an_ordinary_file(path_of_repo: Path, mode: str, path: str, wrong: str) -> None:
    repo = RepositoryBuilder(path_of_repo)
    text = f"[tool.rollback-guard]\n{POLICY}"
    oid = repo.git("hash-object", "-w", "--stdin", stdin=text.encode())
    commit = repo.commit("Begin")
    repo.git("update-index", "--add", "--cacheinfo", f"{mode},{commit if mode == '160000' else oid},{path}")
    tree = repo.git("write-tree")
    with ObjectReader(opened(repo).git) as objects:
        found = read_policy_at(objects, tree)
        assert read_policy_at(objects, "") is not None  # the index; what is committed is what counts
    assert found.policy is None
    assert (found.error.message if found.error else "").startswith(wrong)
    assert found.error is None or f"git add {path}" in found.error.remedy


def test_pyproject_that_is_a_link_and_has_nothing_to_do_with_policies(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    (path_of_repo / "pyproject.toml").symlink_to("conf/pyproject.toml")
    repo.commit("Link")
    with ObjectReader(opened(repo).git) as objects:
        assert read_policy_at(objects, "HEAD") == PolicyFound(at="HEAD")


def test_refs_are_taken_by_their_full_names_only(path_of_repo: Path) -> None:
    """git itself would find refs/tags/refs/heads/live for refs/heads/live."""
    repo = shop(path_of_repo)
    repo.git("update-ref", "refs/tags/refs/heads/live", "HEAD")
    repo.git("update-ref", "refs/refs/heads/live", "HEAD")
    repo.git("update-ref", "refs/heads/deep/er", "HEAD")
    repository = opened(repo)
    assert tips_of(repository, "refs/heads/live", "refs/heads/deep", "refs/heads/main") == {
        "refs/heads/main": repo.head("main")
    }


def test_stable_tags_are_annotated_and_of_the_policy_s_form(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.stable_tag("stable/2026.05.28.1", "main")
    repo.stable_tag("other/1", "main")
    repo.git("tag", "stable/2026.05.28.2", "main")
    repo.git("tag", "-a", "-m", "a tree", "stable/2026.05.28.3", "HEAD^{tree}")
    assert [name for name, *_ in stable_tags(opened(repo), PARSED)] == ["stable/2026.05.28.1"]


def test_everything_lands_where_there_is_no_base(path_of_repo: Path) -> None:
    change = proposed(shop(path_of_repo), base=None)
    survey = change.survey
    assert isinstance(survey, Known)
    assert survey.value.count == 3
    touched = change.touched
    assert isinstance(touched, Known)
    assert touched.value.governing == ("rollback-guard.toml",)
    assert touched.value.others
    assert change.base == Known(None)


def test_conflict_leaves_the_result_unknown(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.checkout("main")
    repo.commit("Other", app_dot_py="price = 7\n")
    change = proposed(repo, "release/1.4")
    assert isinstance(change.result_tree, Unknown)
    assert "app.py" in change.result_tree.reason
    assert "git merge main" in change.result_tree.remedy


def test_paths_with_newlines_and_other_bytes_count_as_touched(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    for name in (b"a\nb", b"\xff\xfe", b".github/workflows/x\n.yml"):
        path = os.fsencode(str(repo.path)) + b"/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"x")
    repo.commit("Odd")
    touched = touched_by(opened(repo).git, repo.head("HEAD~1"), repo.tree())
    assert isinstance(touched, Known)
    assert touched.value.governing == (".github/workflows/x\n.yml",)
    assert touched.value.others
    assert isinstance(touched_by(opened(repo).git, repo.head(), "0" * 40), Unknown)


def test_merges_that_cannot_be_made_again_are_unknown(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_old(*args: object) -> None:
        raise UndeterminedError("git is too old", remedy="a newer one")

    repo = shop(path_of_repo)
    repo.checkout("main")
    repo.commit("Other", other_dot_py="1\n")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "release/1.4")
    monkeypatch.setattr(range_module, "MergeAgain", too_old)
    change = proposed(repo, "release/1.4")
    for fact in (change.merges, change.result_tree):
        assert isinstance(fact, Unknown)
        assert fact.reason == "git is too old"
    monkeypatch.undo()
    monkeypatch.setattr(commit_module, "MergeAgain", too_old)
    change = in_the_making(repo)
    assert isinstance(change.merges, Unknown)
    monkeypatch.setattr(range_module, "MergeAgain", too_old)
    assert in_the_making(repo).merges == Unknown("git is too old")


def in_the_making(repo: RepositoryBuilder, *, message: bool = False) -> Change:
    repository = opened(repo)
    (repo.path / "message").write_text(f"Merge\n\n{SIGNED}")
    return merge_commit(
        repository,
        read_surroundings(repository),
        PARSED,
        stage="message" if message else "merge",
        target="refs/heads/main",
        base=repo.head("main"),
        heads=merge_heads(repository, {}),
        message=read_message(repository, "message") if message else None,
        name=Known("x"),
    ).change


def test_merge_in_the_making_is_what_is_staged(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.checkout("main")
    repo.commit("Other", app_dot_py="price = 7\n")
    repo.git("merge", "-q", "--no-ff", "release/1.4", check=False)
    assert isinstance(in_the_making(repo).merges, Unknown), "paths are unmerged still"
    repo.write_file("app.py", "price = 8\n")
    repo.git("add", "app.py")
    change = in_the_making(repo, message=True)
    assert change.result_tree == Known(repo.git("write-tree"))
    (merge,) = change.merges.value if isinstance(change.merges, Known) else ()
    assert (merge.kind, merge.conflicts) == ("resolved", ("app.py",))
    messages = change.messages
    assert isinstance(messages, Known)
    assert [one.bearer for one in messages.value] == ["landing", "head"]
    assert [one.key for one in messages.value[0].trailers] == ["Reviewed-by", "QA-by", "UAT-by"]


def test_heads_of_a_merge(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repository, oid = opened(repo), repo.head()
    assert merge_heads(repository, {}) == ()
    assert merge_heads(repository, {f"GITHEAD_{oid}": "release", "GITHEAD_x": "y", f"GITHEAD_{'1' * 40}": "z"}) == (
        oid,
    )
    (repo.path / ".git" / "MERGE_HEAD").write_text(f"{oid}\n")
    assert merge_heads(repository, {f"GITHEAD_{repo.head('main')}": "main"}) == (oid,)
    (repo.path / ".git" / "MERGE_HEAD").write_bytes(b"\xff")
    assert merge_heads(repository, {}) == ()


def test_message_of_a_commit_in_the_making(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    (repo.path / "message").write_bytes(f"Merge caf\xe9\r\n\r\n{SIGNED}# a comment\n".encode("latin-1"))
    message = read_message(opened(repo), "message")
    assert (message.commit, message.tree, message.time) == (None, None, None)
    assert len(message.trailers) == 3
    assert message.text.startswith("Merge caf\udce9\n")
    with pytest.raises(UsageError):
        read_message(opened(repo), "gone")


@pytest.mark.parametrize(
    ("value", "identity"),
    [
        ("Jane Doe <jane@x>", ("Jane Doe", "jane@x")),
        ("<jane@x>", ("", "jane@x")),
        ("Jane Doe", ("Jane Doe", "")),
        ("Jane <jane@x", ("Jane <jane@x", "")),
        ("", ("", "")),
    ],
)
def test_identity(value: str, identity: tuple[str, str]) -> None:
    assert read_identity(value) == identity


def test_no_messages_need_no_process(path_of_repo: Path) -> None:
    assert read_messages(opened(shop(path_of_repo)).git, []) == ()


def test_makers_are_authors_committers_and_co_authors_once_each(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.commit("Together\n\nCo-authored-by: Omar Haddad <omar@acme.example>\nco-authored-BY: Uma", committer="quinn")
    repo.commit(f"Earlier\n\n{SIGNED}")
    repo.commit("Head")
    survey = proposed(repo).survey
    assert isinstance(survey, Known)
    makers = [(one.identity.name, one.part) for one in survey.value.makers]
    assert sorted(makers) == [
        ("Jane Doe", "author"),
        ("Jane Doe", "committer"),
        ("Omar Haddad", "co-author"),
        ("Quinn Lee", "committer"),
        ("Uma", "co-author"),
    ]
    assert sorted({one.trailer.key for one in survey.value.earlier}) == ["QA-by", "Reviewed-by", "UAT-by"]


def test_evil_merge_octopus_and_resolved_merge_of_a_branch(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    for number in (1, 2, 3):
        repo.git("checkout", "-q", "-b", f"part/{number}", "main")
        repo.commit(f"Part {number}", **{f"part{number}_dot_py": "1\n"})
    repo.checkout("release/1.4")
    repo.merge("part/1", "part/2")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "part/3")
    repo.commit("Merge part/3", version_dot_txt="6.6\n")
    merges = proposed(repo).merges
    assert isinstance(merges, Known)
    assert [(one.subject, one.kind) for one in merges.value] == [
        ("Merge part/3", "unexplained"),
        ("Merge branch 'part/1'", "octopus"),
    ]
    assert merges.value[0].hunks[0].path == "version.txt"


def test_replaced_environment_does_not_move_scratch_objects_into_the_repository(path_of_repo: Path) -> None:
    """Merges are made again in a scratch store: nothing of them stays."""
    repo = shop(path_of_repo)
    repo.checkout("main")
    repo.commit("Other", other_dot_py="1\n")
    before = repo.git("count-objects", "-v")
    assert isinstance(proposed(repo, "release/1.4").result_tree, Known)
    assert repo.git("count-objects", "-v") == before


def test_scratch_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert range_module.scratch_folder() == str(tmp_path)
    monkeypatch.setenv("TMPDIR", "")
    assert range_module.scratch_folder() == "/tmp"


def test_squash_of_what_is_not_known(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    unknown: Fact[Survey] = Unknown("shallow")
    assert with_squashed(opened(repo), unknown, tip=repo.head(), base=repo.head("main"), keys=frozenset()) == unknown
