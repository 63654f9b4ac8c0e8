"""Somebody commits in the name of a colleague, pushes that, and signs off as themselves; the server knows it."""

from __future__ import annotations

import base64
import subprocess
import threading
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.git import push_log
from rollback_guard.git.push_log import FILE, new_commits, note_pushes, pusher_of, read_pushes
from rollback_guard.git.repository import open_repository
from tests.attacks.conftest import scene_of
from tests.support.builder import RepositoryBuilder
from tests.support.commands import guard
from tests.support.signing import SHOP, Desk, make_keys, sign

NEED = (("omar", "review"), ("quinn", "qa"), ("uma", "uat"))


class Office(Desk):
    """A guarded server that has production only; nobody has pushed the release yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "clone", make_keys())
        self.scene = scene_of(folder, self.repo, name=SHOP)
        self.scene.admin("main")

    def everybody_signs(self) -> None:
        for person, role in NEED:
            self.signs(person, role)
        done = self.scene.push(f"{EVIDENCE}:{EVIDENCE}")
        assert done.code == 0, done.err

    def lands(self, **env: str) -> Any:
        self.repo.checkout("main")
        self.repo.merge("release/1.4", message="Merge branch 'release/1.4'")
        return self.scene.push("main", **env)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_who_pushed_the_branch_signs_nothing(office: Office) -> None:
    """All commits bear jane's name; quinn made them."""
    assert office.scene.push("release/1.4", REMOTE_USER="quinn").code == 0
    office.everybody_signs()
    office.repo.checkout("main")
    office.repo.merge("release/1.4", message="Merge branch 'release/1.4'")
    done = office.scene.refused("main", rules=("RG201", "RG202"), REMOTE_USER="uma")
    assert "Quinn Lee <quinn@acme.example> signed as qa, but made or pushed a part of it" in " ".join(
        done.err.replace("remote:", "").split()
    )


def test_who_pushed_it_as_a_tag_before_somebody_made_a_branch_of_it(office: Office) -> None:
    office.repo.git("tag", "wip", "release/1.4")
    assert office.scene.push("wip", REMOTE_USER="quinn").code == 0
    assert office.scene.push("release/1.4", REMOTE_USER="jane").code == 0
    office.everybody_signs()
    assert "Quinn Lee <quinn@acme.example> signed as qa" in _said(office.lands(REMOTE_USER="uma"))


def test_who_pushed_it_below_commits_that_were_thrown_away(office: Office) -> None:
    office.repo.branch("scrap", "release/1.4")
    office.repo.commit("Scrap", by="quinn", scrap_dot_txt="x")
    assert office.scene.push("scrap", REMOTE_USER="quinn").code == 0
    assert office.scene.push("release/1.4", REMOTE_USER="jane").code == 0
    office.everybody_signs()
    assert "Quinn Lee <quinn@acme.example> signed as qa" in _said(office.lands(REMOTE_USER="uma"))


def test_who_pushes_a_squash_in_anothers_name(office: Office) -> None:
    """Nobody has noted that commit before it is judged; an audit afterwards would know."""
    assert office.scene.push("release/1.4", REMOTE_USER="jane").code == 0
    office.everybody_signs()
    office.repo.checkout("main")
    office.repo.git("merge", "-q", "--squash", "release/1.4")
    office.repo.git("commit", "-q", "-m", "Raise the price", **office.repo.as_person("jane"))
    assert "Quinn Lee <quinn@acme.example> signed as qa" in _said(office.scene.push("main", REMOTE_USER="quinn"))
    assert office.scene.push("main", REMOTE_USER="jane").code == 0
    landed = guard(office.scene.server, "audit", "main", "--format", "json").json["commits"][0]
    assert landed["decision"] == "allow"


def _said(done: Any) -> str:
    assert done.code != 0
    return " ".join(done.err.replace("remote:", "").split())


@pytest.mark.parametrize("name", ["QUINN@acme.example", "Quinn Lee", "quinn"])
def test_by_whatever_name_the_server_knows_them(office: Office, name: str) -> None:
    office.scene.on_server("config", "rollback-guard.pusher", "OUR_USER")
    assert office.scene.push("release/1.4", OUR_USER=name, REMOTE_USER="jane").code == 0
    office.everybody_signs()
    assert office.lands(OUR_USER="jane").code != 0


def test_who_only_merges_or_pushes_again_what_is_there_made_nothing(office: Office) -> None:
    assert office.scene.push("release/1.4", REMOTE_USER="jane").code == 0
    assert office.scene.push("release/1.4:refs/heads/release/1.5", REMOTE_USER="quinn").code == 0
    office.everybody_signs()
    done = office.lands(REMOTE_USER="omar")
    assert done.code == 0, done.err
    audit = office.scene.on_server
    said = subprocess.run(
        ["git", "for-each-ref"], cwd=office.scene.server, capture_output=True, text=True, check=True
    ).stdout
    assert "release/1.5" in said
    assert audit("log", "-1", "--format=%s", "main") == "Merge branch 'release/1.4'"
    landed = guard(office.scene.server, "audit", "main", "--format", "json").json["commits"][0]
    assert (landed["decision"], landed["commit"]) == ("allow", office.repo.head("main"))


def test_a_stranger_who_pushes_is_nobody_and_a_refused_push_notes_nothing(office: Office) -> None:
    office.repo.branch("MAIN", "release/1.4")
    office.scene.refused("MAIN", rules=("RG108",), REMOTE_USER="quinn")
    assert not (office.scene.server / FILE).exists()
    assert office.scene.push("release/1.4", REMOTE_USER="a robot").code == 0
    office.everybody_signs()
    assert office.lands(REMOTE_USER="a robot").code == 0


def test_names_and_files_that_are_odd(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = RepositoryBuilder(path_of_repo)
    first = repo.commit("Begin")
    repo.branch("x")
    repo.git("checkout", "-q", "--detach")
    new = repo.commit("New")
    repository = open_repository(str(repo.path), {})
    assert pusher_of(repository, {"GL_USER": " a\tb\n c ", "PUSHER": "x"}) == "a b c"
    assert pusher_of(repository, {"REMOTE_USER": " "}) == ""
    assert len(pusher_of(repository, {"PUSHER": "x" * 1000})) == 200
    assert new_commits(repository, [first]) == new_commits(repository, []) == ()
    assert read_pushes(repository, {}) == {}
    repo.git("checkout", "-q", "x")
    newer = repo.git("commit-tree", "-p", new, "-m", "Newer", f"{new}^{{tree}}")
    tag = repo.git("mktag", stdin=f"object {newer}\ntype commit\ntag t\ntagger J <j@x> 1 +0000\n\nm\n".encode())
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"x")
    brought = new_commits(repository, [tag, blob, repo.tree(), newer])
    assert brought == (newer.encode(), new.encode())
    monkeypatch.setattr(push_log, "BATCH", 1)
    for name in ("jane", "omar", "jane"):
        note_pushes(repository, name, brought)
    note_pushes(repository, "nobody", ())
    assert read_pushes(repository, {}) == dict.fromkeys(brought, ("jane", "omar"))
    assert read_pushes(repository, {brought[0]: "quinn"})[brought[0]] == ("quinn", "jane", "omar")
    Path(repository.common_dir, FILE).unlink()
    Path(repository.common_dir, FILE).mkdir()
    note_pushes(repository, "jane", brought)
    assert read_pushes(repository, {}) == {}


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        return


def _serve(root: Path) -> Any:
    """git over HTTP with names and passwords: what git-http-backend says of who it is comes from the server."""

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[2]
        user = base64.b64decode(given).decode().partition(":")[0] if given else ""
        if not user:
            start("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="git"')])
            return [b""]
        passed = ("PATH_INFO", "QUERY_STRING", "REQUEST_METHOD", "CONTENT_TYPE", "CONTENT_LENGTH", "REMOTE_ADDR")
        env = {name: str(environ.get(name, "")) for name in passed}
        env.update({"GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": user})
        env.update({"PATH": environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"})
        env.update({name: value for name, value in environ.items() if name.startswith("HTTP_CONTENT")})
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        start(status, [one for one in headers if one[0] != "Status"])
        return [content]

    return make_server("127.0.0.1", 0, app, handler_class=_Quiet)


def test_over_http_the_server_says_who_it_is_whatever_the_client_sets(office: Office) -> None:
    office.scene.on_server("config", "http.receivepack", "true")
    with _serve(office.scene.server.parent) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            url = f"http://quinn:secret@127.0.0.1:{server.server_port}/server.git"
            office.repo.git("-c", "http.postBuffer=10000000", "push", "-q", url, "release/1.4", REMOTE_USER="jane")
        finally:
            server.shutdown()
            thread.join()
    commits = office.repo.git("rev-list", "main..release/1.4").split()
    assert (office.scene.server / FILE).read_text() == "".join(f"{one} quinn\n" for one in commits)


def test_who_pushes_a_merge_that_they_resolved_by_hand_made_it(office: Office) -> None:
    """It bears jane's name, and what it holds beyond what git merged is quinn's."""
    repo = office.repo
    repo.checkout("main")
    repo.commit("Another price", by="uma", app_dot_py="price = 3\n")
    office.scene.admin("main")
    assert office.scene.push("release/1.4", REMOTE_USER="jane").code == 0
    repo.git("merge", "-q", "--no-ff", "--no-commit", "release/1.4", check=False)
    repo.write(app_dot_py="price = 666\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "Merge branch 'release/1.4'", **repo.as_person("jane"))
    merge = repo.head()
    for person, role in NEED:
        said = sign(repo, person, role, "--head", "release/1.4")
        assert said.code in (0, 1)  # the conflict keeps them from signing the branch
    repo.git("branch", "-f", "release/1.5", merge)
    repo.git("update-ref", "refs/heads/main", "main~1")
    assert office.scene.push("release/1.5", REMOTE_USER="quinn").code == 0
    repo.checkout("release/1.5")
    for person, role in NEED:
        assert sign(repo, person, role, "--head", "release/1.5").code == 0
    assert office.scene.push(f"{EVIDENCE}:{EVIDENCE}").code == 0
    done = office.scene.push("release/1.5:main", REMOTE_USER="uma")
    assert "Quinn Lee <quinn@acme.example> signed as qa" in _said(done)


def test_where_it_cannot_be_noted_who_pushed_the_server_says_so(office: Office) -> None:
    (office.scene.server / FILE).mkdir(parents=True)
    done = office.scene.push("release/1.4", REMOTE_USER="jane")
    assert done.code == 0
    assert "who pushed could not be noted" in done.err


def test_what_is_noted_may_be_written_by_whoever_may_write_objects(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin")
    repository = open_repository(str(repo.path), {})
    (repo.path / ".git/objects").chmod(0o2775)
    assert note_pushes(repository, "jane", (b"1" * 40,)) == ""
    assert oct((repo.path / ".git" / FILE).stat().st_mode & 0o777) == "0o664"
    assert oct((repo.path / ".git" / FILE).parent.stat().st_mode & 0o2777) == "0o2775"
