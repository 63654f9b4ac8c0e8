"""`guard waive`: as many signatures as the policy asks for let one rule pass, for one change, for a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.builder import RepositoryBuilder
from tests.support.commands import Said, check, guard
from tests.support.signing import POLICY, key_of, policy, signed_for_shop, signed_shop


def waive(repo: RepositoryBuilder, person: str, rule: str = "RG201", *args: str) -> Said:
    """`guard waive` by somebody, without questions."""
    reason = () if "--reason" in args else ("--reason", "nobody can log in")
    return guard(repo.path, "waive", rule, "--into", "main", "--key", key_of(person), "--yes", *reason, *args)


def test_two_people_waive_a_rule(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    first = waive(repo, "omar", "RG201", "--incident", "INC-42")
    assert first.code == 0, first.err
    for part in ("waive RG201 sign-off-missing", "review has 0 of 1", "nobody can log in", "INC-42", "1 of 2 people"):
        assert part in first.out
    assert check(repo.path, "--into", "main").code == 1
    second = waive(repo, "quinn", "sign-off-missing", "--expires", "4h", "--format", "json")
    document = second.json
    assert (document["format"], document["rule"], document["outcome"]) == ("rollback-guard/waiver/1", "RG201", "waived")
    assert (document["person"], document["reason"]) == ("quinn", "nobody can log in")
    assert document["time"] < document["expires"]
    said = check(repo.path, "--into", "main")
    assert said.code == 0
    assert said.answers["RG201"] == "waived"
    assert guard(repo.path, "evidence", "verify").code == 0
    repo.commit("One more thing", app_dot_py="evil\n")
    assert check(repo.path, "--into", "main").violated == ["RG201"]


@pytest.mark.parametrize(
    ("person", "rule", "args", "code", "reason"),
    [
        ("omar", "RG001", (), 1, "nobody can waive RG001"),
        ("omar", "RG002", (), 1, "nobody can waive RG002"),
        ("omar", "rewritten-production", (), 1, "nobody can waive RG104"),
        ("omar", "RG999", (), 2, "there is no rule"),
        ("omar", "RG201", ("--reason", "  "), 2, "--reason is empty"),
        ("omar", "RG201", ("--expires", "soon"), 2, "must be a duration"),
        ("omar", "RG201", ("--expires", "2d"), 1, "the policy allows 1d"),
        ("uma", "RG201", (), 1, "does not let them waive"),
        ("eve", "RG201", (), 1, "is nobody's"),
        ("omar", "RG201", ("--head", "main"), 1, "has landed"),
    ],
)
def test_what_could_never_count_is_refused(
    path_of_repo: Path, person: str, rule: str, args: tuple[str, ...], code: int, reason: str
) -> None:
    repo = signed_shop(path_of_repo)
    said = waive(repo, person, rule, *args)
    assert said.code == code, said.err
    assert reason in said.err
    assert repo.git("for-each-ref", "refs/rollback-guard") == ""


def test_makers_waive_nothing_for_their_own_change(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.commit("Help out", by="omar", help_dot_txt="1\n")
    said = waive(repo, "omar")
    assert said.code == 1
    assert "cannot waive anything for it" in said.err


def test_policy_without_waivers(path_of_repo: Path) -> None:
    repo = signed_shop(
        path_of_repo, text=policy(base=POLICY.replace("[waiver]", "[rollback]\n#").split('by = ["omar"')[0])
    )
    said = waive(repo, "omar")
    assert said.code == 1
    assert "no [waiver]" in said.err


def test_rule_that_holds_is_said_to(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    assert "RG201 is not violated by this change now" in waive(repo, "omar").out


def test_without_a_terminal_the_command_is_named(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    args = ("--reason", "it's down", "--incident", "INC-1", "--expires", "1h", "--key", key_of("omar"))
    said = guard(repo.path, "waive", "RG201", *args, "--format", "json")
    assert said.code == 2
    assert said.json["exit-code"] == 2
    import shlex

    line = said.err.splitlines()[-1].removeprefix("→ ")
    assert guard(repo.path, *shlex.split(line)[1:]).code == 0
