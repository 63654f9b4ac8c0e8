"""`guard squash-message`, and the message that git is given for a merge: those whose signatures count are named."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.builder import RepositoryBuilder
from tests.support.commands import call_hook, check, guard
from tests.support.signing import POLICY, policy, sign, signed, signed_for_shop, signed_shop

BOTH = ("Reviewed-by: Omar Haddad <omar@acme.example>", "QA-by: Quinn Lee <quinn@acme.example>")


def test_block_of_a_complete_change(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    said = guard(repo.path, "squash-message", "--into", "main")
    assert (said.code, said.out.splitlines(), said.err) == (0, list(BOTH), "")
    document = guard(repo.path, "squash-message", "--format", "json").json
    assert document["format"] == "rollback-guard/squash-message/1"
    assert document["text"].splitlines() == list(BOTH)
    assert document["trailers"][0] == {"key": "Reviewed-by", "value": "Omar Haddad <omar@acme.example>"}
    assert document["missing"] == []


def test_what_is_missing_is_said(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    nothing = guard(repo.path, "squash-message")
    assert (nothing.code, nothing.out) == (1, "")
    assert sign(repo, "quinn", "qa").code == 0
    said = guard(repo.path, "squash-message")
    assert (said.code, said.out.splitlines()) == (1, [BOTH[1]])
    assert "review has 0 of 1  (guard sign review" in said.err
    missing = guard(repo.path, "squash-message", "--format", "json").json["missing"]
    assert missing == [{"role": "review", "have": 0, "count": 1}]


def test_what_cannot_be_seen(path_of_repo: Path) -> None:
    text = policy(base=POLICY.replace('by = ["quinn"]\nbinding', 'by = ["quinn"]\nproof = "forge"\nbinding'))
    repo = signed_shop(path_of_repo, text=text)
    said = guard(repo.path, "squash-message")
    assert said.code == 4
    assert "reviews of a forge" in said.err


def test_squash_that_bears_the_block_is_allowed(path_of_repo: Path) -> None:
    """The forge's squash commit has the tree that was signed, on the base that was signed."""
    repo = signed_for_shop(path_of_repo)
    block = guard(repo.path, "squash-message", "--into", "main").out
    base = repo.head("main")
    repo.checkout("main")
    repo.git("merge", "-q", "--squash", "release/1.4")
    repo.commit(f"Release 1.4\n\n{block}", by="jane")
    said = check(repo.path, "--into", "main", "--base", base, "--head", "main")
    assert said.answers["RG201"] == "satisfied"
    assert said.answers["RG205"] == "satisfied"


def merging(repo: RepositoryBuilder, text: str = "Merge branch 'release/1.4'\n") -> Path:
    """A merge of the release into main that waits for its message."""
    repo.checkout("main")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "release/1.4")
    path = repo.path / ".git" / "MERGE_MSG"
    path.write_text(text)
    return path


def prepare(repo: RepositoryBuilder, path: Path, *, edited: bool = False) -> list[str]:
    said = call_hook(
        repo.path, "prepare-commit-msg", str(path), "merge", environ={"GIT_EDITOR": "vi" if edited else ":"}
    )
    assert said.code == 0, said.err
    return path.read_text().splitlines()


def test_merge_message_names_who_signed(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    assert sign(repo, "quinn", "qa", "--reject").code == 0
    path = merging(repo)
    assert prepare(repo, path) == ["Merge branch 'release/1.4'", "", BOTH[0]]
    said = call_hook(repo.path, "commit-msg", str(path))
    assert said.code == 1
    assert "RG207" in said.err


def test_filled_message_is_allowed_and_filled_once(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    path = merging(repo)
    for _ in range(2):
        assert prepare(repo, path) == ["Merge branch 'release/1.4'", "", *BOTH]
    assert call_hook(repo.path, "commit-msg", str(path)).code == 0


def test_nobody_is_named_who_signed_something_else(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    repo.commit("One more thing", app_dot_py="price = 4\n")
    assert prepare(repo, merging(repo)) == ["Merge branch 'release/1.4'"]


def test_trailer_of_the_head_is_not_copied_where_it_is_no_proof(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.commit(f"Release\n\n{BOTH[1]}", by="jane", b_dot_txt="1\n")
    assert prepare(repo, merging(repo)) == ["Merge branch 'release/1.4'"]


def test_what_is_missing_stands_in_the_editor(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    assert sign(repo, "quinn", "qa").code == 0
    lines = prepare(repo, merging(repo), edited=True)
    head = repo.head("release/1.4")[:12]
    hint = f"# rollback-guard: review is missing; by somebody who may: guard sign review --into main --head {head}"
    assert lines[2:] == [BOTH[1], hint]


@pytest.mark.parametrize("place", ["evidence", "survey"])
def test_what_cannot_be_read_fills_in_nothing(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    from rollback_guard.errors import GitError
    from rollback_guard.facts.model import Change, Unknown

    repo = signed_for_shop(path_of_repo)
    path = merging(repo)

    def about(self: object, policy: object, change: Change, *, as_of: int) -> Change:
        if place == "evidence":
            raise GitError("the disk is gone")
        return change._replace(survey=Unknown("shallow"))

    monkeypatch.setattr("rollback_guard.evidence.collect.EvidenceBook.about", about)
    assert prepare(repo, path) == ["Merge branch 'release/1.4'"]


def test_one_sign_off_is_asked_for_where_the_head_has_it(path_of_repo: Path) -> None:
    """A trailer of the head counts only for the tree that it was given on."""
    text = policy(base=POLICY.replace("binding = ", 'proof = "trailer"\nbinding = '))
    repo = signed_shop(path_of_repo, text=text)
    repo.commit(f"Release\n\n{BOTH[0]}", by="jane", b_dot_txt="1\n")
    assert sign(repo, "quinn", "qa").code == 0
    assert prepare(repo, merging(repo)) == ["Merge branch 'release/1.4'", "", *BOTH]
    repo.git("merge", "--abort")
    repo.commit("Move on", other_dot_txt="1\n")
    lines = prepare(repo, merging(repo), edited=True)
    assert lines[:1] + lines[-1:] == [
        "Merge branch 'release/1.4'",
        "# rollback-guard: qa is missing; once given, add: QA-by: Name <e-mail>",
    ]


def test_message_that_cannot_be_read(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    path = merging(repo)
    path.unlink()
    said = call_hook(repo.path, "prepare-commit-msg", str(path), "merge")
    assert said.code == 2
    assert "cannot be read" in said.err


@pytest.mark.parametrize("binding", ["result", "change", "head"])
def test_merge_that_no_branch_holds_yet(path_of_repo: Path, binding: str) -> None:
    """Production moved on, the result was signed as it would be, and is what the merge has."""
    repo = signed_shop(path_of_repo, text=policy(binding=binding))
    repo.checkout("main")
    repo.commit("Move on", other_dot_txt="1\n")
    signed(repo, "--head", "release/1.4")
    path = merging(repo)
    assert prepare(repo, path) == ["Merge branch 'release/1.4'", "", *BOTH]
    assert call_hook(repo.path, "commit-msg", str(path)).code == 0
    who: Any = {**repo.as_person("omar"), "GIT_COMMITTER_DATE": f"@{int(time.time())} +0000"}
    repo.git("commit", "-q", "--no-verify", "-F", str(path), **who)
    said = guard(repo.path, "explain", "main", "--format", "json")
    assert said.answers["RG201"] == "satisfied"
    assert said.answers["RG205"] == "satisfied"
