"""`guard sign`: what counts is recorded, what never could is refused, and nothing in between."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from rollback_guard.entry.cli import main as cli
from tests.support.builder import RepositoryBuilder, shop
from tests.support.commands import check, guard
from tests.support.servers import run_git
from tests.support.signing import (
    POLICY,
    key_folder,
    key_of,
    policy,
    public_key,
    sign,
    signed,
    signed_for_shop,
    signed_shop,
)

EVIDENCE = "refs/rollback-guard/evidence"


def recorded(repo: RepositoryBuilder) -> list[str]:
    """The sign-offs in the store."""
    return repo.git("ls-tree", "-r", "--name-only", EVIDENCE, "sign-off", check=False).splitlines()


def test_sign_offs_turn_the_verdict(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    assert check(repo.path, "--into", "main").violated == ["RG201"]
    said = sign(repo, "quinn", "qa", "--comment", "works")
    assert said.code == 0
    for part in (
        "approve as qa: release/1.4 → main",
        "made by       Jane Doe",
        "changed  app.py",
        "comment       works",
    ):
        assert part in said.out
    assert "still missing: review has 0 of 1  (guard sign review --into main --head" in said.out
    assert check(repo.path, "--into", "main").violated == ["RG201"]
    assert "still missing" not in sign(repo, "omar", "review").out
    assert check(repo.path, "--into", "main").code == 0


def test_what_is_signed_as_json(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    said = sign(repo, "quinn", "qa", "--format", "json")
    document = said.json
    assert set(document) == {
        *("format", "id", "role", "decision", "person", "key", "repository", "target", "base", "head"),
        *("result-tree", "binding", "policy", "time", "comment", "missing"),
    }
    assert document["format"] == "rollback-guard/sign-off/1"
    assert (document["person"], document["role"], document["decision"]) == ("quinn", "qa", "approve")
    assert (document["base"], document["head"]) == (repo.head("main"), repo.head("release/1.4"))
    assert document["result-tree"] == repo.tree("release/1.4")
    assert document["missing"] == [{"role": "review", "have": 0, "count": 1}]
    assert [Path(one).stem for one in recorded(repo)] == [document["id"]]
    assert "approve as qa" in said.err
    assert guard(repo.path, "evidence", "verify").code == 0


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_in_both_object_formats(path_of_repo: Path, object_format: str) -> None:
    repo = signed_for_shop(path_of_repo, object_format=object_format)
    assert check(repo.path, "--into", "main").code == 0


def test_rejection_blocks_until_it_is_withdrawn(path_of_repo: Path) -> None:
    """Each decision comes after the one before, however fast they follow."""
    repo = signed_for_shop(path_of_repo)
    assert sign(repo, "quinn", "qa", "--reject", "--comment", "loses items").code == 0
    said = check(repo.path, "--into", "main")
    assert said.violated == ["RG201", "RG207"]
    assert "loses items" in said.out
    assert sign(repo, "quinn", "qa", "--withdraw").code == 0
    assert check(repo.path, "--into", "main").violated == ["RG201"]
    again = sign(repo, "quinn", "qa", "--withdraw")
    assert again.code == 1
    assert "nothing to withdraw" in again.err
    assert sign(repo, "quinn", "qa").code == 0
    assert check(repo.path, "--into", "main").code == 0
    assert "note: the same is recorded already" in sign(repo, "quinn", "qa").out


def test_makers_may_reject_and_not_approve(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    said = sign(repo, "jane", "review")
    assert said.code == 1
    assert "made a part of this change" in said.err
    assert "Omar Haddad" in said.err
    assert recorded(repo) == []
    assert sign(repo, "jane", "review", "--reject").code == 0
    assert "RG207" in check(repo.path, "--into", "main").violated


@pytest.mark.parametrize(
    ("person", "role", "args", "reason"),
    [
        ("omar", "qa", (), "qa does not name them"),
        ("omar", "qa", ("--reject",), "qa does not name them"),
        ("omar", "reviw", (), "has no role 'reviw'"),
        ("eve", "qa", (), "is nobody's"),
        ("quinn", "qa", ("--head", "main"), "has landed on main already"),
        ("quinn", "qa", ("--base", "release/1.4"), "is at"),
        ("quinn", "qa", ("--into", "release/1.4", "--head", "main"), "no production branch"),
        ("quinn", "qa", ("--repository", "github.com/eve/shop"), "no repository that the policy authorises"),
        ("quinn", "qa", ("--withdraw",), "nothing to withdraw"),
    ],
)
def test_what_could_never_count_is_refused(
    path_of_repo: Path, person: str, role: str, args: tuple[str, ...], reason: str
) -> None:
    repo = signed_shop(path_of_repo)
    said = sign(repo, person, role, *args)
    assert said.code == 1, said.err
    assert reason in said.err
    assert "→" in said.err
    assert recorded(repo) == []


def test_conflict_is_refused(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.checkout("main")
    repo.commit("Another price", app_dot_py="price = 3\n")
    said = sign(repo, "quinn", "qa", "--head", "release/1.4")
    assert (said.code, recorded(repo)) == (1, [])
    assert "does not merge into main without conflict: app.py" in said.err


@pytest.mark.parametrize(
    ("dates", "reason"),
    [
        ('valid-before="20200101"', "expired"),
        ('valid-after="29990101"', "counts from"),
    ],
)
def test_key_out_of_its_dates_is_refused(path_of_repo: Path, dates: str, reason: str) -> None:
    line = f"{dates} {public_key('quinn')}"
    repo = signed_shop(path_of_repo, text=policy(keys={"quinn": line}))
    said = sign(repo, "quinn", "qa")
    assert (said.code, recorded(repo)) == (1, [])
    assert reason in said.err


def test_clock_set_back_is_refused(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = signed_shop(path_of_repo)
    monkeypatch.setattr("rollback_guard.entry.signing.now", lambda: 1_000_000_000)
    monkeypatch.setattr("rollback_guard.entry.cli.sign.now", lambda: 1_000_000_000)
    said = sign(repo, "quinn", "qa")
    assert (said.code, recorded(repo)) == (1, [])
    assert "clock" in said.err


def test_without_a_terminal_the_command_is_named(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    args = ("sign", "qa", "--key", key_of("quinn"), "--comment", "it's fine", "--repository", "github.com/acme/shop")
    said = guard(repo.path, *args)
    assert said.code == 2
    assert "nothing was signed" in said.err
    line = said.err.splitlines()[-1].removeprefix("→ ")
    assert line.startswith("guard sign qa ")
    assert f"--base {repo.head('main')[:12]} --head {repo.head('release/1.4')[:12]}" in line
    assert recorded(repo) == []
    import shlex

    assert guard(repo.path, *shlex.split(line)[1:]).code == 0
    assert len(recorded(repo)) == 1


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_on_a_terminal_it_asks(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    repo = signed_shop(path_of_repo)
    monkeypatch.setattr("click.confirm", lambda question, err: answer == "y")
    import io

    from rollback_guard.entry.cli import signing_options

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(signing_options, "sys", type("sys", (), {"stdin": Terminal()}))
    said = guard(repo.path, "sign", "qa", "--key", key_of("quinn"))
    assert said.code == code, said.err
    assert len(recorded(repo)) == (1 if code == 0 else 0)


def test_the_key_that_git_signs_with(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    said = guard(repo.path, "sign", "qa", "--yes")
    assert said.code == 2
    assert "no user.signingKey" in said.err
    repo.git("config", "user.signingkey", key_of("quinn"))
    assert "gpg.format is not ssh" in guard(repo.path, "sign", "qa", "--yes").err
    repo.git("config", "gpg.format", "ssh")
    said = guard(repo.path, "sign", "qa", "--yes")
    assert said.code == 0
    assert "note: git works here as Jane Doe <jane@acme.example>, but the key is Quinn Lee" in said.out


def test_no_key_where_one_is_named(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    said = guard(repo.path, "sign", "qa", "--yes", "--key", str(key_folder() / "nobody"))
    assert (said.code, recorded(repo)) == (2, [])


def test_reject_and_withdraw_exclude_each_other(path_of_repo: Path) -> None:
    assert sign(signed_shop(path_of_repo), "quinn", "qa", "--reject", "--withdraw").code == 2


def test_comment_that_nobody_could_read(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    for comment in ("x" * 2001, "a\x1b[31mb"):
        said = sign(repo, "quinn", "qa", "--comment", comment)
        assert (said.code, recorded(repo)) == (2, [])
        assert "\x1b" not in said.out + said.err
        assert "approve as qa" not in said.out  # before anything is shown


def test_no_policy_and_a_broken_one(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy="version = 1\n[production]\nbranches = 3\n")
    repo.git("config", "rollback-guard.repository", "github.com/acme/shop")
    assert sign(repo, "quinn", "qa").code == 2
    repo.checkout("main")
    repo.git("rm", "-q", "rollback-guard.toml")
    repo.commit("No policy")
    said = sign(repo, "quinn", "qa", "--head", "release/1.4")
    assert said.code == 1
    assert "has no policy" in said.err


def test_policy_without_sign_offs(path_of_repo: Path) -> None:
    text = policy(base=POLICY[: POLICY.index("[[sign-off]]")])
    said = sign(signed_shop(path_of_repo, text=text), "quinn", "qa")
    assert said.code == 1
    assert "it asks for no sign-offs" in said.err


def test_repository_without_a_name(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.git("config", "--unset", "rollback-guard.repository")
    said = sign(repo, "quinn", "qa")
    assert said.code == 4
    assert "--repository" in said.err


def test_shallow_clone_cannot_say(tmp_path: Path, path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.checkout("main")
    repo.commit("Move on", other_dot_txt="1\n")
    run_git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", f"file://{repo.path}", "clone")
    clone = tmp_path / "clone"
    run_git(clone, "config", "rollback-guard.repository", "github.com/acme/shop")
    args = ("--into", "main", "--head", "release/1.4", "--key", key_of("quinn"), "--yes")
    assert guard(clone, "sign", "qa", *args).code == 4


def test_names_that_steer_a_terminal_are_made_visible(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.commit("a\x1b[2Jb", **{"x\x1b[1m_dot_txt": "1\n"})
    said = sign(repo, "quinn", "qa")
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "\\x1b[2J" in said.out


@pytest.mark.parametrize("binding", ["result", "change", "head"])
def test_bindings_when_production_moves_on(path_of_repo: Path, binding: str) -> None:
    repo = signed_for_shop(path_of_repo, text=policy(binding=binding))
    assert check(repo.path, "--into", "main", "--head", "release/1.4").code == 0
    repo.checkout("main")
    repo.commit("Move on", other_dot_txt="1\n")
    said = check(repo.path, "--into", "main", "--head", "release/1.4")
    assert said.violated == (["RG106", "RG201"] if binding == "result" else [])
    signed(repo, "--head", "release/1.4")  # the merge is made nowhere yet
    assert check(repo.path, "--into", "main", "--head", "release/1.4").code == 0


def test_approve_then_push_and_retarget(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.git("branch", "stable", "main")
    signed(repo)
    assert "RG201" in check(repo.path, "--into", "stable").violated
    repo.commit("One more thing", app_dot_py="evil\n")
    said = check(repo.path, "--into", "main")
    assert said.violated == ["RG201", "RG204"]


def test_long_changes_are_cut(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    for number in range(25):
        repo.write_file(f"f{number}.txt", "1\n")
        repo.commit(f"Add {number}")
    said = sign(repo, "quinn", "qa")
    assert "and 7 more: git log" in said.out
    assert "and 7 more: git diff" in said.out


def test_help_is_listed() -> None:
    for name in ("sign", "waive", "evidence", "squash-message"):
        assert name in cli.COMMANDS


def test_when_it_was_signed(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    before = int(time.time())
    document = sign(repo, "quinn", "qa", "--format", "json").json
    shown = json.loads(json.dumps(document))["time"]
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(before)) <= shown


SECURITY = """
[[sign-off]]
role = "security"
trailer = "Security-by"
by = ["uma"]
proof = "signature"
"""


def changed_policy(path: Path, text: str) -> RepositoryBuilder:
    """The shop, whose release brings another policy."""
    repo = signed_shop(path)
    repo.write_file("rollback-guard.toml", text)
    repo.commit("Ask for more", by="jane")
    return repo


def test_a_role_that_the_change_itself_adds_is_signed_before_it_lands(path_of_repo: Path) -> None:
    repo = changed_policy(path_of_repo, policy(more=SECURITY))
    said = check(repo.path, "--into", "main")
    assert said.violated == ["RG002", "RG201"]
    (change,) = said.json["changes"]
    (outcome,) = [one for one in change["outcomes"] if one["rule"] == "RG002"]
    new = outcome["findings"][1]
    assert "security has 0 of 1 sign-off; may sign: Uma Patel <uma@acme.example>" in new["message"]
    way = guard(repo.path, "explain", "release/1.4", "--format", "json").json["to-allow"]
    assert [one["role"] for one in way["sign-offs"]] == ["review", "qa", "security"]
    assert way["allowed"]
    signed(repo)
    said = check(repo.path, "--into", "main")
    assert said.violated == ["RG002"]
    assert guard(repo.path, "squash-message", "--into", "main").code == 1
    assert "guard sign security" in guard(repo.path, "check", "--into", "main").out
    assert sign(repo, "quinn", "security").code == 1  # only uma may
    said = sign(repo, "uma", "security")
    assert (said.code, "still missing" in said.out) == (0, False), said.err
    assert check(repo.path, "--into", "main").code == 0
    repo.checkout("main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'release/1.4'", "release/1.4")
    (landed,) = guard(repo.path, "explain", "main", "--format", "json").json["changes"]
    assert landed["decision"] == "allow"


def test_a_binding_that_the_change_itself_alters_is_signed_both_ways(path_of_repo: Path) -> None:
    repo = changed_policy(path_of_repo, policy(binding="change"))
    said = sign(repo, "omar", "review")
    assert said.code == 0, said.err
    assert "exactly this base and this result" in said.out
    assert "what the change does" in said.out
    way = guard(repo.path, "explain", "release/1.4", "--format", "json").json["to-allow"]
    assert [one["role"] for one in way["sign-offs"]] == ["qa"]
    assert sign(repo, "quinn", "qa").code == 0
    assert check(repo.path, "--into", "main").code == 0
    assert len(recorded(repo)) == 4
    assert sign(repo, "quinn", "qa", "--withdraw").code == 0
    assert check(repo.path, "--into", "main").violated == ["RG002", "RG201"]


def test_whom_only_the_change_itself_names_signs_nothing_for_it(path_of_repo: Path) -> None:
    """Else a change could bring its own approvers, and their keys."""
    text = policy(more=SECURITY.replace("uma", "eve"))
    text = text.replace(
        "[people.uma]",
        f"[people.eve]\nname = 'Eve'\nemails = ['eve@x.example']\nkeys = ['{public_key('eve')}']\n\n[people.uma]",
    )
    repo = changed_policy(path_of_repo, text)
    signed(repo)
    said = sign(repo, "eve", "security")
    assert (said.code, "land a change that adds it" in said.err) == (1, True)
    assert check(repo.path, "--into", "main").violated == ["RG002"]


def test_commits_are_signed_before_a_policy_that_asks_for_it_lands(path_of_repo: Path) -> None:
    text = policy().replace("[production]", "[production]\nsigned-commits = true")
    repo = changed_policy(path_of_repo, text)
    signed(repo)
    said = check(repo.path, "--into", "main")
    assert said.violated == ["RG002"]
    assert "is not proven to have committed it: it bears no signature" in said.out
    config = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key_of('jane')}", "-c", "commit.gpgSign=true")
    repo.git(*config, "rebase", "-q", "--force-rebase", "main", **repo.as_person("jane"))
    signed(repo)
    assert check(repo.path, "--into", "main").code == 0


def test_whom_the_change_itself_brings_is_not_counted_on(path_of_repo: Path) -> None:
    text = policy(more=SECURITY.replace("uma", "eve"))
    people = f"[people.eve]\nname = 'Eve'\nemails = ['eve@x.example']\nkeys = ['{public_key('eve')}']\n\n[people.uma]"
    repo = changed_policy(path_of_repo, text.replace("[people.uma]", people))
    signed(repo)
    way = guard(repo.path, "explain", "release/1.4", "--format", "json").json["to-allow"]
    (role,) = way["sign-offs"]
    assert (way["allowed"], role["role"], role["people"]) == (False, "security", [])


def test_who_is_called_otherwise_by_the_change_is_the_same_person(path_of_repo: Path) -> None:
    text = policy().replace("[people.quinn]", "[people.quinn-lee]").replace('"quinn"', '"quinn-lee"')
    repo = changed_policy(path_of_repo, text)
    signed(repo)
    assert check(repo.path, "--into", "main").code == 0


def test_a_branch_that_only_its_own_policy_protects(path_of_repo: Path) -> None:
    """A server takes nothing that is signed about it, so nobody signs in vain."""
    repo = signed_shop(path_of_repo)
    repo.branch("frozen", "main")
    repo.write_file("rollback-guard.toml", policy().replace('["main", "stable"]', '["main", "stable", "frozen"]'))
    repo.commit("Protect this branch", by="uma")
    said = sign(repo, "quinn", "qa", "--head", "release/1.4", into="frozen")
    assert (said.code, "frozen is no production branch by the policy of main" in said.err) == (1, True)
    assert "adds frozen to `branches` of [production]" in said.err


@pytest.mark.parametrize("name", ["release/\udcff", "release/a\x85b"])
def test_a_branch_whose_name_no_statement_can_hold(path_of_repo: Path, name: str) -> None:
    repo = signed_shop(path_of_repo)
    repo.git(
        "update-ref", "--stdin", stdin=f"create refs/heads/{name} {repo.head()}\n".encode("utf-8", "surrogateescape")
    )
    repo.checkout("main")
    repo.git("branch", "-D", "release/1.4")
    head = repo.git("for-each-ref", "--format=%(objectname)", "refs/heads/release").split()[0]
    assert sign(repo, "quinn", "qa", "--head", head).code == 0
