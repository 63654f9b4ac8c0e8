"""What `guard explain` says that a pending change still needs, and of whom: tried out, and then done."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.support.builder import RepositoryBuilder, shop
from tests.support.commands import check, guard
from tests.support.signing import POLICY, key_of, policy, sign, signed_shop


def way(repo: RepositoryBuilder, rev: str = "release/1.4") -> dict[str, object]:
    """The part of the document that says what is needed."""
    found: dict[str, object] = guard(repo.path, "explain", rev, "--format", "json").json["to-allow"]
    return found


def test_doing_what_is_said_lets_it_land(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    said = guard(repo.path, "explain", "release/1.4")
    assert said.code == 1
    assert "With 2 more signatures this would land:" in said.out
    assert "  review: Omar Haddad <omar@acme.example>\n  → guard sign review --into main --head" in said.out
    found = way(repo)
    assert (found["allowed"], found["other-rules"]) == (True, [])
    keys = {"review": "omar", "qa": "quinn"}
    needed = found["sign-offs"]
    assert isinstance(needed, list)
    for one in needed:
        assert one["count"] == 1
        command = shlex.split(one["command"])[1:]
        assert guard(repo.path, *command, "--yes", "--key", key_of(keys[one["role"]])).code == 0
    assert check(repo.path, "--into", "main").code == 0
    assert "to-allow" not in guard(repo.path, "explain", "release/1.4", "--format", "json").json


def test_who_said_no_must_say_otherwise(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    assert sign(repo, "jane", "review", "--reject").code == 0
    assert sign(repo, "quinn", "qa", "--reject").code == 0
    text = guard(repo.path, "explain", "release/1.4").out
    assert "With 3 more signatures this would land:" in text
    assert "  review: Jane Doe <jane@acme.example> (rejected it)\n" in text
    assert f"--head {repo.head()[:12]} --withdraw" in text
    assert "  qa: Quinn Lee <quinn@acme.example> (rejected it)\n" in text
    assert way(repo)["allowed"] is True


def test_some_of_several_people(path_of_repo: Path) -> None:
    text = policy(base=POLICY.replace('by = ["quinn"]', 'by = ["quinn", "uma", "omar"]\ncount = 2'))
    repo = signed_shop(path_of_repo, text=text)
    shown = guard(repo.path, "explain", "release/1.4").out
    assert "qa: 2 of Omar Haddad <omar@acme.example>, Quinn Lee" in shown


def test_nobody_is_left(path_of_repo: Path) -> None:
    text = policy(base=POLICY.replace('by = ["quinn"]', 'by = ["quinn", "jane"]\ncount = 2'))
    repo = signed_shop(path_of_repo, text=text)
    shown = guard(repo.path, "explain", "release/1.4").out
    assert "qa: 2 needed, and only Quinn Lee <quinn@acme.example> may still sign" in shown
    assert "more is in the way" in shown
    text = policy(base=POLICY.replace('by = ["quinn"]', 'by = ["jane"]'))
    other = signed_shop(path_of_repo / "other", text=text)
    assert "qa: 1 needed, and nobody may still sign" in guard(other.path, "explain", "release/1.4").out


def test_what_no_signature_helps_against(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.git("branch", "-m", "feature/x")
    assert way(repo, "feature/x")["other-rules"] == ["RG102"]
    assert "No sign-off helps against RG102 unapproved-route" in guard(repo.path, "explain", "feature/x").out
    for person, role in (("omar", "review"), ("quinn", "qa")):
        assert sign(repo, person, role).code == 0
    shown = guard(repo.path, "explain", "feature/x").out
    assert "signature" not in shown.split("judged by")[1]
    assert "No sign-off helps against RG102" in shown


def test_nothing_is_said_where_nothing_is_known(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("checkout", "-q", "--orphan", "policyless")
    repo.git("rm", "-rqf", ".")
    repo.commit("Begin", a_dot_txt="1\n")
    repo.git("branch", "-f", "main")
    repo.branch("release/2")
    repo.commit("More", b_dot_txt="1\n")
    assert "to-allow" not in guard(repo.path, "explain", "release/2", "--into", "main", "--format", "json").json
