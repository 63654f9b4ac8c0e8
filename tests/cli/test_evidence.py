"""`guard evidence`: what is recorded is listed, shown, verified and exchanged."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from rollback_guard.git.repository import open_repository
from tests.support.builder import RepositoryBuilder
from tests.support.commands import check, guard
from tests.support.servers import Server, run_git
from tests.support.signing import SHOP, key_of, policy, sign, signed, signed_for_shop, signed_shop

EVIDENCE = "refs/rollback-guard/evidence"


def put(repo: RepositoryBuilder, kind: str, data: bytes) -> str:
    """An envelope that somebody else wrote into the store; its id."""
    import os

    from rollback_guard.evidence.store import Entry, record

    record(open_repository(str(repo.path), os.environ), [Entry(kind=kind, key="0" * 64, head="1" * 40, data=data)])
    return hashlib.sha256(data).hexdigest()


def envelope(repo: RepositoryBuilder, number: int = 0) -> dict[str, object]:
    """One recorded envelope."""
    path = repo.git("ls-tree", "-r", "--name-only", EVIDENCE, "sign-off").splitlines()[number]
    found: dict[str, object] = json.loads(repo.git("show", f"{EVIDENCE}:{path}"))
    return found


def packed(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def forged(repo: RepositoryBuilder) -> str:
    """An envelope whose statement was edited after it was signed."""
    document = envelope(repo)
    payload = json.loads(base64.b64decode(str(document["payload"])))
    payload["predicate"]["comment"] = "edited"
    document["payload"] = base64.b64encode(packed(payload)).decode()
    return put(repo, "sign-off", packed(document))


def test_list_of_a_change(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    nothing = guard(repo.path, "evidence", "list", "--into", "main")
    assert (nothing.code, "No evidence about" in nothing.out) == (0, True)
    assert "Nothing is recorded here" in guard(repo.path, "evidence", "list", "--all").out
    signed(repo)
    said = guard(repo.path, "evidence", "list", "--into", "main")
    assert "2 envelopes about" in said.out
    assert "omar: approve as review  the signature verifies" in said.out
    rows = guard(repo.path, "evidence", "list", "--into", "main", "--format", "json").json
    assert rows["format"] == "rollback-guard/evidence-list/1"
    assert sorted((one["says"], one["signer"], one["verifies"]) for one in rows["evidence"]) == [
        ("approve as qa", "quinn", True),
        ("approve as review", "omar", True),
    ]
    repo.commit("One more thing", app_dot_py="price = 4\n")
    (row, _) = guard(repo.path, "evidence", "list", "--format", "json").json["evidence"]
    assert row["verifies"] is True
    assert "which is not what would land" in row["stale"]
    assert "    stale: it was given on commit" in guard(repo.path, "evidence", "list").out


def test_list_of_all(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    put(repo, "sign-off", b"{}")
    said = guard(repo.path, "evidence", "list", "--all")
    assert len(said.out.splitlines()) == 2
    document = guard(repo.path, "evidence", "list", "--all", "--format", "json").json
    assert len(document["evidence"]) == 2
    assert "verifies" not in document["evidence"][0]


def test_list_where_nobody_knows_what_would_land(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    repo.git("config", "--unset", "rollback-guard.repository")
    assert "2 envelopes" in guard(repo.path, "evidence", "list").out


def test_list_by_a_binding_from_another_head(path_of_repo: Path) -> None:
    """A rebase gives other commits; what is bound to the change is found all the same."""
    repo = signed_for_shop(path_of_repo, text=policy(binding="change"))
    repo.checkout("main")
    repo.commit("Move on", other_dot_txt="1\n")
    repo.checkout("release/1.4")
    repo.git("rebase", "-q", "main", **repo.as_person("jane"))
    rows = guard(repo.path, "evidence", "list", "--into", "main", "--format", "json").json["evidence"]
    assert [one.get("stale") for one in rows] == [None, None]
    assert check(repo.path, "--into", "main").code == 0


def test_show(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    digest = sign(repo, "quinn", "qa", "--comment", "works", "--format", "json").json["id"]
    said = guard(repo.path, "evidence", "show", digest[:12])
    assert said.code == 0
    assert said.out.startswith("approve as qa, by quinn: the signature verifies")
    for part in (digest, SHOP, repo.head(), "comment       works", "bound to      the result"):
        assert part in said.out
    document = guard(repo.path, "evidence", "show", digest, "--format", "json").json
    assert document["format"] == "rollback-guard/evidence/1"
    assert document["statement"]["predicate"]["comment"] == "works"
    assert document["envelope"] == envelope(repo)


def test_show_of_a_waiver_and_a_verdict(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    args = ("--into", "main", "--key", key_of("omar"), "--yes", "--format", "json")
    digest = guard(repo.path, "waive", "RG201", "--reason", "down", "--incident", "INC-1", *args).json["id"]
    shown = guard(repo.path, "evidence", "show", digest).out
    assert "reason        down" in shown
    assert "incident      INC-1" in shown
    other = guard(repo.path, "waive", "RG201", "--reason", "up", *args).json["id"]
    assert "incident" not in guard(repo.path, "evidence", "show", other).out
    assert check(repo.path, "--record", "--key", key_of("omar")).code == 1
    (verdict,) = repo.git("ls-tree", "-r", "--name-only", EVIDENCE, "verdict").splitlines()
    shown = guard(repo.path, "evidence", "show", Path(verdict).stem).out
    assert shown.startswith("verdict deny, by omar: the signature verifies")
    assert f"judged by     git+https://{SHOP}@{repo.head('main')}#rollback-guard.toml" in shown
    assert f"rests on      {digest}" in shown
    assert "RG201 violated" in shown


@pytest.mark.parametrize(
    ("digest", "reason"), [("abc", "is no id"), ("xyzw1234", "is no id"), ("0123456789", "there is no evidence")]
)
def test_show_of_nothing(path_of_repo: Path, digest: str, reason: str) -> None:
    repo = signed_for_shop(path_of_repo)
    said = guard(repo.path, "evidence", "show", digest)
    assert said.code == 2
    assert reason in said.err


def test_show_of_what_is_no_evidence(path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    digest = put(repo, "sign-off", b"{}")
    assert "cannot be read" in guard(repo.path, "evidence", "show", digest).err
    link = repo.git("hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    for name in ("ab" * 32, "ab" * 31 + "cd"):
        place = f"sign-off/00/{'0' * 64}/{name}.json"
        repo.git("update-index", "--add", "--cacheinfo", f"120000,{link},{place}")
    tree = repo.git("write-tree")
    repo.git("update-ref", EVIDENCE, repo.git("commit-tree", "-m", "x", tree, **repo.as_person("eve")))
    assert "a symbolic link" in guard(repo.path, "evidence", "show", "ab" * 32).err
    assert "2 ids begin with" in guard(repo.path, "evidence", "show", "abab").err


def test_verify_finds_what_was_forged(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    assert guard(repo.path, "evidence", "verify").out == "2 signatures verify\n"
    digest = forged(repo)
    broken = put(repo, "waiver", b"no json")
    said = guard(repo.path, "evidence", "verify")
    assert said.code == 1
    assert "2 signatures verify, 2 envelopes do not count" in said.out
    assert digest[:12] in said.out
    document = guard(repo.path, "evidence", "verify", "--format", "json").json
    assert (document["format"], document["verified"]) == ("rollback-guard/evidence-verify/1", 2)
    assert {one["id"] for one in document["bad"]} == {digest, broken}
    assert guard(repo.path, "evidence", "verify", digest).code == 1
    shown = guard(repo.path, "evidence", "show", digest)
    assert (shown.code, "the signature does not verify" in shown.out) == (1, True)


def test_verify_by_keys_of_the_day(path_of_repo: Path) -> None:
    """A key that left the policy still made what it made; nobody's own commit brings keys."""
    repo = signed_for_shop(path_of_repo)
    repo.checkout("main")
    repo.write_file("rollback-guard.toml", policy().replace("keys =", "#"))
    repo.commit("Nobody has keys any more")
    assert guard(repo.path, "evidence", "verify").out == "2 signatures verify\n"
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("Another beginning")
    repo.git("branch", "-f", "main")
    said = guard(repo.path, "evidence", "verify")
    assert said.code == 1
    assert "nobody of the policy has" in said.out
    repo.git("branch", "-D", "main")
    assert guard(repo.path, "evidence", "verify").code == 1


def test_commit_that_a_branch_brought_gives_no_keys(path_of_repo: Path) -> None:
    """eve lists her own key for quinn on her branch, signs on that commit, takes it back, and all of it is merged."""
    from tests.support.signing import public_key

    repo = signed_shop(path_of_repo)
    base = repo.head("main")
    repo.write_file("rollback-guard.toml", policy(keys={"quinn": public_key("eve")}))
    bad = repo.commit("Prepare", by="eve")
    repo.git("branch", "-f", "main", bad)
    repo.commit("Work", by="jane", work_dot_txt="1\n")
    said = guard(repo.path, "sign", "qa", "--into", "main", "--key", key_of("eve"), "--yes")
    assert said.code == 0, said.err
    repo.git("branch", "-f", "main", base)
    repo.write_file("rollback-guard.toml", policy())
    repo.commit("Take it back", by="eve")
    repo.checkout("main")
    repo.merge("release/1.4")
    assert guard(repo.path, "evidence", "verify").code == 1


def test_many_are_verified_in_batches() -> None:
    from rollback_guard.entry.evidence_reading import in_batches

    assert [len(one) for one in in_batches(iter([None] * 130), size=64)] == [64, 64, 2]  # type: ignore[arg-type]
    assert list(in_batches(iter(()))) == []


def test_verify_says_whose_key_it_is(path_of_repo: Path) -> None:
    """The statement names quinn, and the policy now says that the key is uma's, or that it counted never."""
    from tests.support.signing import public_key

    repo = signed_shop(path_of_repo)
    assert sign(repo, "quinn", "qa").code == 0
    document = envelope(repo)
    signature = document["signatures"]
    assert isinstance(signature, list)
    signature[0]["keyid"] = "SHA256:" + "A" * 43
    put(repo, "sign-off", packed(document))
    assert "names another key" in guard(repo.path, "evidence", "verify").out
    repo.checkout("main")
    for keys, reason in (
        ({"quinn": public_key("uma"), "uma": public_key("quinn")}, "it is signed with a key of uma"),
        ({"quinn": f'valid-before="20200101" {public_key("quinn")}'}, "expired"),
    ):
        repo.write_file("rollback-guard.toml", policy(keys=keys))
        repo.commit("Other keys")
        assert reason in guard(repo.path, "evidence", "verify").out


def test_push_and_fetch(tmp_path: Path, path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    run_git(tmp_path, "init", "-q", "--bare", "server.git")
    assert guard(repo.path, "evidence", "push").code == 2
    repo.git("remote", "add", "origin", str(tmp_path / "server.git"))
    assert "nothing is recorded here" in guard(repo.path, "evidence", "push").out
    assert "it has no evidence" in guard(repo.path, "evidence", "fetch").out
    repo.git("push", "-q", "origin", "main", "release/1.4")
    signed(repo)
    assert "origin: sent, it is at" in guard(repo.path, "evidence", "push").out
    assert "it has everything already" in guard(repo.path, "evidence", "push").out
    run_git(tmp_path, "clone", "-q", str(tmp_path / "server.git"), "clone")
    clone = tmp_path / "clone"
    run_git(clone, "config", "rollback-guard.repository", SHOP)
    args = ("--into", "main", "--head", "release/1.4")
    assert check(clone, *args).code == 1
    assert "2 new envelopes" in guard(clone, "evidence", "fetch").out
    assert check(clone, *args).code == 0
    again = guard(clone, "evidence", "fetch", "origin", "--format", "json").json
    assert (again["format"], again["remote"], again["added"]) == ("rollback-guard/evidence-fetch/1", "origin", 0)
    sent = guard(clone, "evidence", "push", "origin", "--format", "json").json
    assert (sent["format"], sent["sent"]) == ("rollback-guard/evidence-push/1", False)
    assert "nothing new" in guard(clone, "evidence", "fetch").out


def test_which_remote(tmp_path: Path, path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    for name in ("one", "two"):
        run_git(tmp_path, "init", "-q", "--bare", f"{name}.git")
    repo.git("remote", "add", "one", str(tmp_path / "one.git"))
    assert guard(repo.path, "evidence", "fetch").code == 0
    repo.git("remote", "add", "two", str(tmp_path / "two.git"))
    said = guard(repo.path, "evidence", "fetch")
    assert said.code == 2
    assert "several remotes: one, two" in said.err
    assert guard(repo.path, "evidence", "fetch", "two").code == 0
    assert guard(repo.path, "evidence", "fetch", "three").code == 2


def test_unreachable_remote_leaves_all_as_it_was(tmp_path: Path, path_of_repo: Path) -> None:
    repo = signed_shop(path_of_repo)
    repo.git("remote", "add", "origin", str(tmp_path / "nowhere.git"))
    signed(repo)
    before = repo.git("for-each-ref")
    for command in ("push", "fetch"):
        said = guard(repo.path, "evidence", command)
        assert said.code in (1, 4)
        assert "git ls-remote origin" in said.err
    assert repo.git("for-each-ref") == before


def test_verdict_is_recorded(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    said = guard(repo.path, "check", "--into", "main", "--record", "--key", key_of("jane"), "--format", "json")
    assert said.code == 0
    assert said.json["decision"] == "allow"
    assert "recorded: the verdict" in said.err
    rows = guard(repo.path, "evidence", "list", "--into", "main", "--format", "json").json["evidence"]
    assert ("verdict", "verdict allow", "jane", True) in [
        (one["kind"], one["says"], one["signer"], one["verifies"]) for one in rows
    ]


def test_verdict_that_cannot_be_recorded(path_of_repo: Path) -> None:
    repo = signed_for_shop(path_of_repo)
    for args, code in (
        (("--record", "--key", key_of("eve")), 1),
        (("--key", key_of("jane")), 2),
        (("--record", "--policy", "rollback-guard.toml"), 2),
    ):
        assert guard(repo.path, "check", "--into", "main", *args).code == code
    failed = guard(repo.path, "check", "--record", "--format", "json", "--key", key_of("eve"))
    assert failed.json["decision"] == "allow"  # one document, the verdict
    repo.git("config", "--unset", "rollback-guard.repository")
    said = guard(repo.path, "check", "--record", "--key", key_of("jane"))
    assert said.code == 4
    assert "the verdict cannot be recorded" in said.err
    assert repo.git("ls-tree", "-r", EVIDENCE, "verdict") == ""


def test_what_a_server_does_not_take_holds_up_nothing_else(tmp_path: Path) -> None:
    """Signed for a branch that the server lost meanwhile: that stays here, and the rest is sent."""
    text = policy().replace('["main", "stable"]', '["main", "line/*"]')
    repo = signed_shop(tmp_path / "repo", text=text)
    server = Server(tmp_path / "server.git")
    server.takes(repo, "main", "release/1.4")
    server.guarded()
    repo.git("remote", "add", "origin", server.url)
    repo.git("branch", "line/1", "main")
    assert sign(repo, "quinn", "qa", into="line/1").code == 0
    assert guard(repo.path, "evidence", "push").code == 1
    assert sign(repo, "quinn", "qa").code == 0
    said = guard(repo.path, "evidence", "push", "--format", "json")
    assert (said.code, said.json["sent"], len(said.json["kept"])) == (1, True, 1)
    assert "the other side refused it" in said.json["kept"][0]
    assert guard(server.path, "evidence", "list", "--all").out.count("quinn: approve as qa") == 1
    again = guard(repo.path, "evidence", "push")
    assert "kept here, it would not be taken" in again.out
    assert guard(repo.path, "evidence", "list", "--all").out.count("quinn: approve as qa") == 2
