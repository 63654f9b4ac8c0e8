"""Smoke checks against a real web server and real commands: what passes, and why the others do not."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rollback_guard.policy.model import Smoke
from rollback_guard.rollback.smoke import SmokeResult, run_smoke


class Shop(BaseHTTPRequestHandler):
    """A shop with a login page, a page that redirects, one that is broken, one that never ends, and one that lies."""

    def do_GET(self) -> None:
        if self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(200):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        elif self.path == "/lies":
            self.wfile.write(b"no status line at all\r\n\r\n")
        elif self.path == "/old":
            self.send_response(302)
            self.send_header("Location", "/login")
            self.end_headers()
        elif self.path == "/file":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        else:
            self.send_response({"/login": 200, "/broken": 500}.get(self.path, 404))
            self.end_headers()
            self.wfile.write("Sign in, Zürich".encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def one(check: Smoke, folder: Path = Path("/"), **env: str) -> SmokeResult:
    (result,) = run_smoke([check], {**os.environ, **env}, str(folder))
    assert result.name == check.name
    assert result.passed == (result.detail == "")
    return result


def test_an_address_that_answers(url: str) -> None:
    assert one(Smoke(name="login", url=f"{url}/login", expect_status=200, expect_text="Zürich")).passed
    assert one(Smoke(name="login", url=f"{url}/old")).passed
    assert one(Smoke(name="gone", url=f"{url}/nothing", expect_status=404)).passed
    assert one(Smoke(name="login", url="$SHOP/login"), SHOP=url).passed
    assert one(Smoke(name="login", url="${SHOP}/login"), SHOP=url).seconds > 0


def test_an_address_that_does_not(url: str) -> None:
    assert one(Smoke(name="x", url=f"{url}/broken")).detail == "it answers 500, not 200 to 299"
    assert one(Smoke(name="x", url=f"{url}/login", expect_status=201)).detail == "it answers 200, not 201"
    wrong = one(Smoke(name="x", url=f"{url}/login", expect_text="Welcome"))
    assert wrong.detail == "its answer does not hold 'Welcome'"
    assert one(Smoke(name="x", url=f"{url}/lies")).detail.startswith("it does not answer: ")
    assert not one(Smoke(name="x", url=f"{url}/file")).passed
    refused = one(Smoke(name="x", url="http://127.0.0.1:1/"))
    assert refused.detail == "it does not answer: Connection refused"
    assert one(Smoke(name="x", url="http://[::1/")).detail.startswith("it does not answer: ")


def test_a_secret_of_the_environment_is_not_told() -> None:
    said = one(Smoke(name="x", url="http://127.0.0.1:1/$TOKEN"), TOKEN="s3cret")
    assert "s3cret" not in said.detail
    assert one(Smoke(name="x", url="$NOWHERE_SET/$NOWHERE_SET")).detail == "the environment has no NOWHERE_SET"
    assert one(Smoke(name="x", url="file:///etc/passwd")).detail == "its url is no http or https address"


def test_a_server_that_never_ends(url: str) -> None:
    begun = time.monotonic()
    assert one(Smoke(name="x", url=f"{url}/slow", timeout=1)).detail == "there was no whole answer after 1 s"
    assert time.monotonic() - begun < 9  # the page itself takes ten


def test_commands(tmp_path: Path) -> None:
    script = tmp_path / "smoke.sh"
    script.write_text('#!/bin/sh\necho "$GREETING"\necho >&2 "it is $1"\nexit $2\n')
    script.chmod(0o755)
    assert one(Smoke(name="x", run=("./smoke.sh", "fine", "0")), tmp_path).passed
    failed = one(Smoke(name="x", run=("./smoke.sh", "broken", "3")), tmp_path, GREETING="hello")
    assert failed.detail == "it ended with 3: it is broken"
    assert one(Smoke(name="x", run=("./none.sh",)), tmp_path).detail == (
        "./none.sh could not be started: No such file or directory"
    )
    assert one(Smoke(name="x", run=("sh", "-c", "kill -9 $$")), tmp_path).detail == "it was ended by signal 9"
    assert one(Smoke(name="x", run=("false",)), tmp_path).detail == "it ended with 1"
    assert "could not be started" in one(Smoke(name="x", run=("a\0b",)), tmp_path).detail


def test_a_command_that_does_not_end_goes_with_all_that_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    check = Smoke(name="x", run=("sh", "-c", f"sleep 60 & echo $! > {mark}; echo waiting; wait"), timeout=1)
    assert one(check, tmp_path).detail == "it had not ended after 1 s"
    child = int(mark.read_text())
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "\nState:\tZ" in Path(f"/proc/{child}/status").read_text():
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child still runs")


def test_a_command_that_leaves_something_behind_holds_nobody_up(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert one(Smoke(name="x", run=("sh", "-c", "sleep 60 & echo done"), timeout=20), tmp_path).passed
    assert time.monotonic() - begun < 50


def test_what_a_command_says_is_not_kept(tmp_path: Path) -> None:
    flood = "i=0; while [ $i -lt 3000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done; exit 1"
    said = one(Smoke(name="x", run=("sh", "-c", flood)), tmp_path)
    assert len(said.detail) < 100
    silent = one(Smoke(name="x", run=("sh", "-c", "printf '\\xff\\n\\n'; exit 2")), tmp_path)
    assert silent.detail.startswith("it ended with 2: ")


def test_all_are_run_in_order(tmp_path: Path) -> None:
    results = run_smoke(
        [Smoke(name="a", run=("false",)), Smoke(name="b", run=("true",))], dict(os.environ), str(tmp_path)
    )
    assert [(one.name, one.passed) for one in results] == [("a", False), ("b", True)]
