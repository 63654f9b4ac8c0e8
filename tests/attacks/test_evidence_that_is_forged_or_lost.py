"""Evidence that an attacker makes, moves, replays or takes away: the server counts none of it, and loses none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.evidence.envelope import read_envelope, render_envelope
from rollback_guard.evidence.statement import render_statement
from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.facts.model import Known
from tests.attacks.conftest import Scene, scene_of
from tests.support.signing import SHOP, Desk, make_keys, public, signing_policy

NEED = (("omar", "review"), ("quinn", "qa"), ("uma", "uat"))


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    return make_keys()


class Office(Desk):
    """The desk of a shop whose guarded server has the policy, and the release branch, and no sign-off yet."""

    def __init__(self, folder: Path, keys: dict[str, str], **policy: Any) -> None:
        super().__init__(folder / "clone", keys, **policy)
        self.scene: Scene = scene_of(folder, self.repo, name=SHOP)
        self.scene.admin("main", "release/1.4")

    def merged(self) -> str:
        """The release, merged here as the approvers saw it."""
        self.repo.checkout("main")
        return self.repo.merge("release/1.4", message="Merge branch 'release/1.4'")

    def everybody_signs(self, **overrides: Any) -> None:
        for person, role in NEED:
            self.signs(person, role, **overrides)

    def send(self) -> None:
        """Push the evidence, which must be taken."""
        done = self.scene.push(f"{EVIDENCE}:{EVIDENCE}")
        assert done.code == 0, done.err

    def smuggle(self, said: str) -> None:
        """Push evidence that is refused, for that reason; then have it on the server all the same.

        Its administrator could put it there, or a server that had no gate then: it must not count even so.
        """
        done = self.scene.refused(f"{EVIDENCE}:{EVIDENCE}", rules=("RG306",))
        assert said in " ".join(done.err.replace("remote:", "").split()), done.err
        self.scene.admin(f"{EVIDENCE}:{EVIDENCE}")


@pytest.fixture
def office(tmp_path: Path, keys: dict[str, str]) -> Office:
    return Office(tmp_path, keys)


def test_signed_by_everybody_it_lands(office: Office) -> None:
    office.everybody_signs()
    office.send()
    merge = office.merged()
    done = office.scene.push("main")
    assert done.code == 0, done.err
    assert office.scene.refs()["refs/heads/main"] == merge


def test_without_signatures_trailers_do_not_land(office: Office) -> None:
    office.repo.checkout("main")
    office.repo.merge(
        "release/1.4",
        message="Merge\n\nReviewed-by: Omar Haddad <omar@acme.example>\n"
        "QA-by: Quinn Lee <quinn@acme.example>\nUAT-by: Uma Patel <uma@acme.example>\n",
    )
    office.scene.refused("main", rules=("RG201", "RG205"))


def test_evidence_that_was_not_sent_does_not_count(office: Office) -> None:
    office.everybody_signs()
    office.merged()
    office.scene.refused("main", rules=("RG201",))


def test_author_signs_under_the_names_of_others_with_her_own_key(office: Office) -> None:
    for person, role in NEED:
        office.signs(person, role, key="jane")
    office.smuggle("signed with a key of jane")
    office.merged()
    office.scene.refused("main", rules=("RG201",))


def test_author_signs_with_a_second_key_of_hers(tmp_path: Path, keys: dict[str, str]) -> None:
    """Both keys are Jane's in the policy: she is one person."""
    text = signing_policy(keys).replace('by = ["@qa"]', 'by = ["@qa", "jane"]')
    office = Office(tmp_path, keys)
    office.repo.checkout("main")
    office.repo.write_file("rollback-guard.toml", text)
    office.repo.commit("Jane may test", by="uma")
    office.scene.admin("main")
    for person, role in (("omar", "review"), ("jane", "qa"), ("uma", "uat")):
        office.signs(person, role)
    office.send()
    office.merged()
    office.scene.refused("main", rules=("RG202", "RG201"))


def test_one_person_signs_for_a_role_of_somebody_else(office: Office) -> None:
    for role in ("review", "qa", "uat"):
        office.signs("omar", role)
    office.send()
    office.merged()
    office.scene.refused("main", rules=("RG203", "RG201"))


def test_approved_then_pushed(office: Office) -> None:
    office.everybody_signs()
    office.send()
    office.repo.checkout("release/1.4")
    office.repo.commit("Slip something in", by="jane", more_dot_py="evil\n")
    office.merged()
    office.scene.refused("main", rules=("RG201", "RG204"))


def test_signed_before_production_moved_on(office: Office) -> None:
    office.everybody_signs()
    office.send()
    office.repo.checkout("main")
    office.repo.commit("Hotfix", by="uma", other_dot_py="1\n")
    office.scene.admin("main")
    office.merged()
    office.scene.refused("main", rules=("RG106", "RG201"))


def test_signed_for_another_branch(office: Office) -> None:
    office.repo.git("branch", "support", "main")
    office.everybody_signs(change=office.change("support", target="support"))
    office.smuggle("support is no production branch by the policy of main")
    office.merged()
    office.scene.refused("main", rules=("RG201", "RG204"))


def test_signed_for_another_repository(office: Office) -> None:
    office.everybody_signs(change=office.change()._replace(repository=Known("github.com/acme/other")))
    office.send()
    office.merged()
    office.scene.refused("main", rules=("RG201", "RG204"))


def test_a_rejection_made_into_an_approval(office: Office) -> None:
    for person, role in NEED:
        no = office.envelope(office.statement(person, role, decision="reject"))
        yes = office.statement(person, role)
        office.put(yes, render_envelope(read_envelope(no)._replace(payload=render_statement(yes))))
    office.smuggle("does not verify")
    office.merged()
    office.scene.refused("main", rules=("RG201", "RG205"))


def test_signatures_of_git_itself_are_no_sign_offs(office: Office) -> None:
    office.everybody_signs(namespace="git")
    office.smuggle("does not verify")
    office.merged()
    office.scene.refused("main", rules=("RG201", "RG205"))


def test_signatures_of_one_role_are_none_of_another(office: Office) -> None:
    for person, role in NEED:
        office.signs(person, role, namespace="rollback-guard.sign-off.ops")
    office.smuggle("does not verify")
    office.merged()
    office.scene.refused("main", rules=("RG201", "RG205"))


def test_a_clock_that_was_set_back_to_when_the_key_still_counted(tmp_path: Path, keys: dict[str, str]) -> None:
    """Quinn's key expired before the commit was made; she dates her signature to before that."""
    office = Office(tmp_path, keys, options={"quinn": 'valid-before="20260501"'})
    for person, role in (("omar", "review"), ("uma", "uat")):
        office.signs(person, role)
    office.signs("quinn", "qa", time=1_770_000_000)
    office.send()
    office.merged()
    office.scene.refused("main", rules=("RG201",))


def test_a_key_that_the_policy_lost_counts_no_more(office: Office) -> None:
    office.everybody_signs()
    office.send()
    office.repo.checkout("main")
    text = office.repo.git("show", "main:rollback-guard.toml")
    lost = "\n".join(line for line in text.splitlines() if not ("keys" in line and "ssh-" in line)) + "\n"
    office.repo.write_file("rollback-guard.toml", lost)
    office.repo.commit("All keys were stolen", by="uma")
    office.scene.admin("main")
    office.merged()
    office.scene.refused("main", rules=("RG201",))


def test_a_policy_that_names_the_author_in_the_same_push(office: Office) -> None:
    office.repo.checkout("release/1.4")
    text = office.repo.git("show", "main:rollback-guard.toml").replace('qa = ["quinn"]', 'qa = ["quinn", "omar"]')
    office.repo.write_file("rollback-guard.toml", text + "\n")
    office.repo.commit("Omar may test", by="jane")
    for person, role in (("omar", "review"), ("omar", "qa"), ("uma", "uat")):
        office.signs(person, role)
    office.send()
    office.merged()
    office.scene.refused("main", rules=("RG201",))


def test_evidence_is_never_deleted(office: Office) -> None:
    office.signs("quinn", "qa", decision="reject")
    office.send()
    office.scene.refused(f":{EVIDENCE}", rules=("RG306",))


def test_evidence_is_never_written_anew(office: Office) -> None:
    office.signs("quinn", "qa", decision="reject")
    office.send()
    empty = office.repo.git("mktree", stdin=b"")
    fresh = office.repo.git("commit-tree", "-m", "x", empty)
    office.scene.refused("--force", f"{fresh}:{EVIDENCE}", rules=("RG306",))
    above = office.repo.git("commit-tree", "-m", "x", "-p", EVIDENCE, empty)
    office.scene.refused(f"{above}:{EVIDENCE}", rules=("RG306",))


def test_a_rejection_stands_after_an_attempt_to_lose_it(office: Office) -> None:
    office.everybody_signs()
    office.signs("quinn", "qa", decision="reject", time=office.repo.clock + 700, comment="loses items")
    office.send()
    office.scene.refused(f":{EVIDENCE}", rules=("RG306",))
    office.merged()
    done = office.scene.refused("main", rules=("RG207",))
    assert "loses items" in done.err


@pytest.mark.parametrize("mode", ["120000", "100755"])
def test_links_and_programs_are_no_evidence(mode: str, office: Office) -> None:
    statement = office.statement("quinn")
    name = office.put(statement, office.envelope(statement))
    listed = office.repo.git("ls-tree", "-r", EVIDENCE).splitlines()
    oid = listed[0].split()[2]
    index: dict[str, Any] = {"GIT_INDEX_FILE": str(office.repo.path / ".git/evil")}
    for line in listed:
        office.repo.git("update-index", "--add", "--cacheinfo", f"{mode},{oid},{line.split(chr(9))[1]}", **index)
    tree = office.repo.git("write-tree", **index)
    commit = office.repo.git("commit-tree", "-m", "x", tree)
    office.scene.refused(f"{commit}:{EVIDENCE}", rules=("RG306",))
    assert name


def test_what_is_no_statement_is_no_evidence(office: Office) -> None:
    statement = office.statement("quinn")
    office.put(statement, b'{"payload": "', ref_of=statement)
    office.scene.refused(f"{EVIDENCE}:{EVIDENCE}", rules=("RG306",))


def test_a_branch_whose_own_policy_lists_the_attackers_key(office: Office) -> None:
    """Anybody may push a branch with such a policy; evidence bound to it would fill up the folder of another's head."""
    repo, head = office.repo, office.repo.head("release/1.4")
    repo.branch("support", "main")
    policy = repo.git("show", "main:rollback-guard.toml").replace('"main"', '"support"')
    repo.write_file("rollback-guard.toml", policy.replace(public(office.keys["quinn"]), public(office.keys["eve"])))
    repo.commit("Ours now", by="jane")
    assert office.scene.push("support").code == 0
    office.signs("quinn", change=office.change(base="support", head=head, target="support"), key="eve")
    office.smuggle("support is no production branch by the policy of main")


def test_a_huge_file_is_no_evidence(office: Office) -> None:
    blob = office.repo.git("hash-object", "-w", "--stdin", stdin=b"x" * 200_000)
    key = "0" * 64
    tree = office.repo.git("mktree", stdin=f"100644 blob {blob}\t{'1' * 64}.json\n".encode())
    for name in (key, key[:2], "sign-off"):
        tree = office.repo.git("mktree", stdin=f"040000 tree {tree}\t{name}\n".encode())
    commit = office.repo.git("commit-tree", "-m", "x", tree)
    office.scene.refused(f"{commit}:{EVIDENCE}", rules=("RG306",))


def test_nothing_lies_beside_the_evidence(office: Office) -> None:
    office.signs("quinn")
    office.scene.refused(f"{EVIDENCE}:refs/rollback-guard/remotes/origin/evidence", rules=("RG306",))


def test_a_waiver_by_too_few_or_for_something_else(office: Office) -> None:
    for person, rule in (("omar", "RG201"), ("uma", "RG202"), ("quinn", "RG201"), ("jane", "RG201")):
        statement = office.waiver(person, rule)
        office.put(statement, office.envelope(statement))
    office.send()
    office.merged()
    office.scene.refused("main", rules=("RG201",))


def test_a_forgotten_ssh_keygen_is_never_good_news(office: Office, tmp_path: Path) -> None:
    office.everybody_signs()
    office.send()
    office.merged()
    lean = tmp_path / "bin"
    lean.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for name in ("git", "sh", "git-receive-pack", "git-upload-pack", "env", "uname"):
            found = os.path.join(folder, name)
            if os.access(found, os.X_OK) and not (lean / name).exists():
                (lean / name).symlink_to(found)
    assert shutil.which("ssh-keygen", path=str(lean)) is None
    office.scene.refused("main", rules=("ssh-keygen",), code=4, PATH=str(lean))


@pytest.mark.parametrize("head", ["refs/heads/trunk", "refs/heads/master"])
def test_a_default_branch_that_somebody_else_makes(office: Office, head: str) -> None:
    """The server's HEAD names a branch that nobody has made yet; its policy would say what is production."""
    repo, name = office.repo, head.removeprefix("refs/heads/")
    office.scene.on_server("symbolic-ref", "HEAD", head)
    for branches in (f'["{name}", "play"]', '["nothing"]'):
        repo.git("checkout", "-q", "--orphan", "evil", "main")
        policy = repo.git("show", "main:rollback-guard.toml").replace('"main"', '"*"', 1).replace('["*"]', branches)
        repo.write_file("rollback-guard.toml", policy)
        repo.commit("Ours now", by="jane")
        done = office.scene.push(f"evil:{head}")
        assert done.code != 0, done.err
        repo.checkout("main")
        repo.git("branch", "-D", "evil")
    office.everybody_signs()
    office.send()


def test_an_unguarded_default_branch_says_nothing_of_production(office: Office) -> None:
    """HEAD is a branch that anybody may push to, as with git-flow."""
    repo = office.repo
    repo.branch("develop", "main")
    office.scene.admin("develop")
    office.scene.on_server("symbolic-ref", "HEAD", "refs/heads/develop")
    policy = repo.git("show", "main:rollback-guard.toml").replace('"main"', '"play"')
    repo.write_file("rollback-guard.toml", policy)
    repo.commit("Ours now", by="jane")
    assert office.scene.push("develop").code == 0
    office.everybody_signs()
    office.send()
