"""Client hooks as `guard install` writes them, called by a real git: what may be committed and merged where."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.builder import POLICY, SIGNED, RepositoryBuilder, shop
from tests.support.commands import Said
from tests.support.servers import install_hooks, run_git

pytestmark = pytest.mark.measured


@pytest.fixture
def guarded(path_of_repo: Path) -> RepositoryBuilder:
    """The shop with native hooks; release/1.4 is checked out."""
    repo = shop(path_of_repo)
    install_hooks(repo.path)
    return repo


def merge(repo: RepositoryBuilder, *args: str) -> Said:
    """Merge into main, hooks and all."""
    repo.checkout("main")
    return run_git(repo.path, "merge", "--no-ff", *args)


def edit(repo: RepositoryBuilder, text: str, name: str = "app.py") -> None:
    repo.write_file(name, text)
    repo.git("add", name)


def conflicting(repo: RepositoryBuilder) -> None:
    """main moves on in the line that the release changes, past the hooks; the release is merged up to a conflict."""
    repo.checkout("main")
    repo.commit("Hotfix", app_dot_py="price = 7\n", other_dot_py="1\n2\n3\n")
    run_git(repo.path, "merge", "--no-ff", "release/1.4")


def test_commit_on_production_is_refused_with_a_way_out(guarded: RepositoryBuilder) -> None:
    guarded.checkout("main")
    before = guarded.head()
    edit(guarded, "price = 3\n")
    said = run_git(guarded.path, "commit", "-m", "Quick fix")
    assert said.code == 1
    assert guarded.head() == before
    assert "RG101" in said.err
    assert "git switch --create hotfix/" in said.err


def test_commit_on_a_branch_is_none_of_our_business(guarded: RepositoryBuilder) -> None:
    edit(guarded, "price = 3\n")
    said = run_git(guarded.path, "commit", "-m", "More")
    assert (said.code, said.err) == (0, "")


def test_commit_on_a_detached_head(guarded: RepositoryBuilder) -> None:
    guarded.git("checkout", "-q", "--detach", "main")
    edit(guarded, "price = 3\n")
    assert run_git(guarded.path, "commit", "-m", "Anything").code == 0


def test_signed_merge_into_production(guarded: RepositoryBuilder) -> None:
    """The head's sign-offs are brought along, because the merge has the very tree that they vouch for."""
    said = merge(guarded, "--no-edit", "release/1.4")
    assert (said.code, said.err) == (0, "")
    message = guarded.git("log", "-1", "--format=%B")
    assert message.startswith("Merge branch 'release/1.4'\n\nReviewed-by: Omar Haddad")
    assert message.count("UAT-by") == 1


def test_merge_without_sign_offs_is_refused(guarded: RepositoryBuilder) -> None:
    before = guarded.head("main")
    said = merge(guarded, "-m", "Merge", "release/1.4~1")
    assert said.code != 0
    assert guarded.head("main") == before
    assert "RG201" in said.err
    guarded.git("merge", "--abort")
    said = merge(guarded, "-m", f"Merge\n\n{SIGNED}", "release/1.4~1")
    assert (said.code, said.err) == (0, "")


def test_merge_of_a_branch_of_no_route_is_refused_before_its_message(guarded: RepositoryBuilder) -> None:
    guarded.git("branch", "-m", "feature/cart")
    said = merge(guarded, "-m", f"Merge\n\n{SIGNED}", "feature/cart")
    assert said.code != 0
    assert "RG102" in said.err


def test_merge_that_takes_in_what_production_has_meanwhile(guarded: RepositoryBuilder) -> None:
    """No conflict, but what lands is not what was signed; nor are the trailers brought along."""
    guarded.checkout("main")
    guarded.commit("Hotfix", other_dot_py="1\n")
    said = merge(guarded, "--no-edit", "release/1.4")
    assert said.code != 0
    assert "RG106" in said.err
    assert "Reviewed-by" not in (guarded.path / ".git" / "MERGE_MSG").read_text()
    guarded.git("merge", "--abort")
    assert merge(guarded, "-m", f"Merge\n\n{SIGNED}", "release/1.4").code == 0


def test_conflict_resolved_by_hand_and_signed(guarded: RepositoryBuilder) -> None:
    conflicting(guarded)
    edit(guarded, "price = 8\n")
    said = run_git(guarded.path, "commit", "-m", "Merge")
    assert said.code == 1
    assert "RG106" in said.err or "RG201" in said.err
    assert "could not" not in said.err
    said = run_git(guarded.path, "commit", "-m", f"Merge\n\n{SIGNED}")
    assert (said.code, said.err) == (0, "")


def test_change_slipped_into_a_conflict_s_resolution(guarded: RepositoryBuilder) -> None:
    conflicting(guarded)
    edit(guarded, "price = 8\n")
    edit(guarded, "1\n2\nbackdoor\n", "other.py")
    said = run_git(guarded.path, "commit", "-m", f"Merge\n\n{SIGNED}")
    assert said.code == 1
    assert "RG105" in said.err
    assert "other.py:3" in said.err


def test_policy_weakened_in_a_conflict_s_resolution(guarded: RepositoryBuilder) -> None:
    """The policy that counts is the one that is staged, not the one of the branch."""
    more = '\n[[sign-off]]\nrole = "law"\ntrailer = "Law-by"\nby = ["uma"]\nproof = "trailer"\n'
    guarded.write_file("rollback-guard.toml", POLICY + "# one\n")
    guarded.commit("One")
    guarded.checkout("main")
    guarded.write_file("rollback-guard.toml", POLICY + "# two\n")
    guarded.commit("Two")
    run_git(guarded.path, "merge", "--no-ff", "release/1.4")
    edit(guarded, POLICY + more, "rollback-guard.toml")
    said = run_git(guarded.path, "commit", "-m", f"Merge\n\n{SIGNED}")
    assert said.code == 1
    assert "RG002" in said.err


def test_change_slipped_into_a_clean_merge(guarded: RepositoryBuilder) -> None:
    merge(guarded, "--no-commit", "release/1.4")
    edit(guarded, "price = 0\n")
    said = run_git(guarded.path, "commit", "-m", f"Merge\n\n{SIGNED}")
    assert said.code == 1
    assert "RG105" in said.err


def test_octopus_into_production(guarded: RepositoryBuilder) -> None:
    for number in (1, 2):
        guarded.git("checkout", "-q", "-b", f"hotfix/{number}", "main")
        guarded.commit(f"Fix {number}", **{f"fix{number}_dot_py": "1\n"})
    said = merge(guarded, "-m", f"Merge both\n\n{SIGNED}", "hotfix/1", "hotfix/2")
    assert said.code != 0
    assert "RG105" in said.err
    assert "one after the other" in said.err


def test_squash_merge_and_amend_on_production_are_commits_like_any_other(guarded: RepositoryBuilder) -> None:
    guarded.checkout("main")
    guarded.git("merge", "-q", "--squash", "release/1.4")
    said = run_git(guarded.path, "commit", "-m", f"Squashed\n\n{SIGNED}")
    assert said.code == 1
    assert "RG101" in said.err
    guarded.git("reset", "-q", "--hard")
    said = run_git(guarded.path, "commit", "--amend", "-m", "Other words")
    assert said.code == 1
    assert "RG101" in said.err


@pytest.mark.parametrize("command", ["cherry-pick", "rebase"])
def test_cherry_pick_and_rebase_run_no_hook_that_may_refuse(command: str, guarded: RepositoryBuilder) -> None:
    """git calls neither pre-commit nor commit-msg for them; the push is where they are stopped."""
    guarded.checkout("main")
    args = ["release/1.4~1"] if command == "cherry-pick" else ["release/1.4"]
    assert run_git(guarded.path, command, *args).code == 0


def test_editor_is_shown_what_is_missing(guarded: RepositoryBuilder, tmp_path: Path) -> None:
    """The comments go away with the other comments; what was signed on the head is filled in."""
    seen = tmp_path / "seen"
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\ncp "$1" {seen}\n')
    editor.chmod(0o755)
    guarded.commit("One more\n\nReviewed-by: Omar Haddad <omar@acme.example>\nQA-by: Eve <eve@elsewhere.example>")
    said = run_git(guarded.path, "checkout", "-q", "main")
    said = run_git(guarded.path, "merge", "--no-ff", "--edit", "release/1.4", GIT_EDITOR=str(editor))
    assert said.code != 0
    text = seen.read_text()
    assert "\nReviewed-by: Omar Haddad" in text
    assert "eve@elsewhere" not in text
    comments = [line for line in text.splitlines() if line.startswith("# rollback-guard: ")]
    assert [line.split()[2] for line in comments] == ["qa", "uat"]


def test_message_is_not_filled_twice(guarded: RepositoryBuilder) -> None:
    said = merge(guarded, "-m", f"Merge\n\n{SIGNED}", "release/1.4")
    assert said.code == 0
    assert guarded.git("log", "-1", "--format=%B").count("QA-by") == 1


MISSPELT = "More\n\nReveiwed-by: Omar Haddad <omar@acme.example>\n"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (MISSPELT, 1),
        ("More\n\nReviewed by: Omar Haddad <omar@acme.example>\n", 1),
        ("More\n\nR e v i e w e d - b y: Omar Haddad <omar@acme.example>\n", 1),
        (MISSPELT.replace("\n", "\r\n"), 1),
        (f"More\n# {MISSPELT.splitlines()[2]}\n", 0),
        ("More\n\n# ------------------------ >8 ------------------------\n" + MISSPELT, 0),
        ("More\n\nSigned-off-by: Omar Haddad <omar@acme.example>\n", 0),
        ("More\n\nQA-by: Quinn Lee <quinn@acme.example>\n", 0),
        ("More\n\nQA-by: Quinn\n", 1),
    ],
)
def test_malformed_trailers_are_refused_on_any_branch(message: str, code: int, guarded: RepositoryBuilder) -> None:
    (guarded.path / "message").write_bytes(message.encode())
    args = ("commit", "--allow-empty", "--cleanup=scissors" if ">8" in message else "--cleanup=strip", "-F", "message")
    said = run_git(guarded.path, *args)
    assert said.code == code, said.err
    assert ("RG206" in said.err) == (code == 1)


def test_other_comment_character(guarded: RepositoryBuilder) -> None:
    guarded.git("config", "core.commentChar", ";")
    (guarded.path / "message").write_text("More\n\n; Reveiwed-by: Omar Haddad <omar@acme.example>\n")
    assert run_git(guarded.path, "commit", "--allow-empty", "--cleanup=strip", "-F", "message").code == 0
    (guarded.path / "message").write_text(MISSPELT)
    assert run_git(guarded.path, "commit", "--allow-empty", "-F", "message").code == 1


def test_message_that_is_no_utf8(guarded: RepositoryBuilder) -> None:
    guarded.git("config", "i18n.commitEncoding", "ISO-8859-1")
    (guarded.path / "message").write_bytes(MISSPELT.replace("More", "Caf\xe9").encode("latin-1"))
    said = run_git(guarded.path, "commit", "--allow-empty", "-F", "message")
    assert said.code == 1
    assert "RG206" in said.err
    (guarded.path / "message").write_bytes("Caf\xe9\n".encode("latin-1"))
    assert run_git(guarded.path, "commit", "--allow-empty", "-F", "message").code == 0


def test_policy_may_ask_for_signed_off_by(path_of_repo: Path) -> None:
    """A trailer with a meaning of its own elsewhere is judged when a role uses it."""
    repo = shop(path_of_repo, policy=POLICY.replace('"Reviewed-by"', '"Signed-off-by"'))
    install_hooks(repo.path)
    said = run_git(repo.path, "commit", "--allow-empty", "-m", "More\n\nSigned-off-by: Omar")
    assert said.code == 1
    assert "RG206" in said.err


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_linked_work_tree(object_format: str, tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop", object_format=object_format)
    install_hooks(repo.path)
    repo.git("worktree", "add", "-q", str(tmp_path / "production"), "main")
    there = tmp_path / "production"
    (there / "app.py").write_text("price = 3\n")
    assert run_git(there, "commit", "-am", "Fix").code == 1
    run_git(there, "checkout", "-q", "--", ".")
    said = run_git(there, "merge", "--no-ff", "--no-edit", "release/1.4")
    assert (said.code, said.err) == (0, "")


def test_submodule_has_hooks_of_its_own(tmp_path: Path) -> None:
    inner = shop(tmp_path / "inner")
    outer = RepositoryBuilder(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "shop")
    module = outer.path / "shop"
    install_hooks(module)
    run_git(module, "checkout", "-q", "-b", "main", "origin/main")
    (module / "app.py").write_text("price = 3\n")
    said = run_git(module, "commit", "-am", "Fix")
    assert said.code == 1
    assert "RG101" in said.err
    assert run_git(outer.path, "commit", "-q", "-m", "Outer").code == 0


def test_only_a_part_is_committed(guarded: RepositoryBuilder) -> None:
    """`git commit PATH` and `-a` use an index of their own."""
    guarded.checkout("main")
    (guarded.path / "app.py").write_text("price = 3\n")
    for args in (("commit", "-am", "Fix"), ("commit", "-m", "Fix", "app.py")):
        assert run_git(guarded.path, *args).code == 1


def test_repository_without_a_policy(path_of_repo: Path) -> None:
    """The first commit is free; after it, only the policy may be begun on the default branch."""
    repo = RepositoryBuilder(path_of_repo)
    install_hooks(repo.path)
    edit(repo, "1\n")
    assert run_git(repo.path, "commit", "-m", "Begin").code == 0
    edit(repo, "2\n")
    said = run_git(repo.path, "commit", "-m", "More")
    assert said.code == 1
    assert "RG001" in said.err
    assert "guard init" in said.err
    repo.git("reset", "-q", "--hard")
    assert run_git(repo.path, "commit", "--allow-empty", "-m", "Nothing").code == 1
    repo.git("checkout", "-q", "-b", "topic")
    edit(repo, "2\n")
    assert run_git(repo.path, "commit", "-m", "More").code == 0
    repo.checkout("main")
    edit(repo, POLICY, "rollback-guard.toml")
    assert run_git(repo.path, "commit", "-m", "Bring a policy").code == 0
    assert run_git(repo.path, "commit", "--allow-empty", "-m", "More").code == 1


def test_broken_policy_stops_everything_and_says_where(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy=POLICY.replace("into =", "intoo ="))
    install_hooks(repo.path)
    said = run_git(repo.path, "commit", "--allow-empty", "-m", "More")
    assert said.code == 1
    assert "rollback-guard.toml:6" in said.err or "line 6" in said.err
    assert "into" in said.err
    assert run_git(repo.path, "commit", "--allow-empty", "--no-verify", "-m", "Past the gate").code == 0
    edit(repo, POLICY, "rollback-guard.toml")
    assert run_git(repo.path, "commit", "-m", "Mend the policy").code == 0


def test_broken_policy_is_not_mended_on_production_itself(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy="version = 7\n")
    install_hooks(repo.path)
    repo.checkout("main")
    edit(repo, POLICY, "rollback-guard.toml")
    said = run_git(repo.path, "commit", "-m", "Mend the policy")
    assert said.code == 1
    assert "RG101" in said.err


def test_policy_of_the_branch_is_broken_but_not_that_of_production(path_of_repo: Path) -> None:
    """What is written on a branch does not switch the gate off on production, nor stop the branch."""
    repo = shop(path_of_repo)
    repo.write_file("rollback-guard.toml", "version = 7\n")
    repo.commit("Break it")
    install_hooks(repo.path)
    assert run_git(repo.path, "commit", "--allow-empty", "-m", "More").code == 0
    repo.checkout("main")
    assert run_git(repo.path, "commit", "--allow-empty", "-m", "More").code == 1


def test_production_by_the_policy_of_the_remote(path_of_repo: Path, tmp_path: Path) -> None:
    """A branch that leaves the file out does not get out of the rules."""
    repo = shop(path_of_repo)
    repo.git("checkout", "-q", "--orphan", "fresh")
    repo.git("rm", "-rfq", "--cached", ".")
    (repo.path / "rollback-guard.toml").unlink()
    repo.commit("Without a policy")
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    repo.git("branch", "-D", "main")
    repo.git("branch", "-m", "main")
    install_hooks(repo.path)
    said = run_git(repo.path, "commit", "--allow-empty", "-m", "More")
    assert said.code == 1
    assert "RG101" in said.err
