"""Huge input: it is judged or refused in bounded time, and never let through."""

from __future__ import annotations

import time

import pytest

from rollback_guard.git.log import LogFormat
from rollback_guard.policy.patterns import matches
from tests.attacks.conftest import Scene
from tests.support.builder import POLICY, SIGNED


def timed(scene: Scene, *args: str) -> float:
    start = time.monotonic()
    scene.refused(*args, code=None)
    return time.monotonic() - start


@pytest.mark.parametrize(
    ("shape", "size"), [("line", 10_000_000), ("lines", 10_000_000), ("trailers", 2_000_000), ("near", 2_000_000)]
)
def test_message_of_megabytes(scene: Scene, shape: str, size: int) -> None:
    """The time may grow with the message, by less than 18 seconds for each megabyte, and not with its square."""
    text = {
        "line": "x" * size,
        "lines": "Reviewed by nobody: x\n" * (size // 22),
        "trailers": "X\n\n" + "Reviewed-by: x\n" * (size // 15),
        "near": "X\n\n" + "Reviewd-by: Omar <omar@acme.example>\n" * (size // 37),
    }[shape]
    repo = scene.repo
    head = scene.raw_commit(
        f"tree {repo.tree('release/1.4')}\nparent {repo.head('main')}\nauthor J <jane@acme.example> 1780100000 +0000\n"
        f"committer J <jane@acme.example> 1780100000 +0000\n\n{text}\n"
    )
    scene.push(f"{head}:refs/heads/release/2")
    assert timed(scene, f"{head}:refs/heads/main") < 18 * size / 1_000_000


def test_trailer_folded_over_hundreds_of_thousands_of_lines() -> None:
    """10 MB of them must not take minutes: time is proportional to the message."""
    start = time.monotonic()
    LogFormat().trailers(b"Reviewed-by: x\n" + b" y\n" * 400_000)
    assert time.monotonic() - start < 2


def test_many_refs_in_one_push_beside_a_direct_commit(scene: Scene) -> None:
    """The time for each ref must not grow with the number of refs; 20,000 shall be a matter of a minute."""
    tip = scene.repo.head("main")
    counts = (250, 1000)
    times = []
    for count in counts:
        names = "".join(f"create refs/heads/many/{count}/{n} {tip}\n" for n in range(count))
        scene.repo.git("update-ref", "--stdin", stdin=names.encode())
        start = time.monotonic()
        scene.taken(f"refs/heads/many/{count}/*:refs/heads/many/{count}/*")
        times.append((time.monotonic() - start) / count)
    assert times[1] < 0.003, f"{times[1] * 20_000:.0f} seconds for 20,000 refs"


def test_hundreds_of_direct_commits(scene: Scene) -> None:
    stream = ["feature done\nreset refs/heads/many\nfrom refs/heads/main^0\n"]
    for number in range(1000):
        stream.append(
            f"commit refs/heads/many\ncommitter J <jane@acme.example> {1780100000 + number} +0000\ndata 1\nx\n"
            f"M 644 inline f{number}\ndata 1\nx\n"
        )
    scene.repo.git("fast-import", "--quiet", stdin="".join([*stream, "done\n"]).encode())
    assert timed(scene, "many:main") < 20


def test_a_hundred_merges(scene: Scene) -> None:
    repo = scene.repo
    stream = [f"feature done\nreset refs/heads/side\nfrom {repo.head('release/1.4')}\n"]
    stream.append(f"reset refs/heads/many\nfrom {repo.head('main')}\n")
    for number in range(100):
        who = f"committer J <jane@acme.example> {1780100000 + number} +0000\ndata 1\nx\n"
        stream.append(f"commit refs/heads/side\nmark :{2 * number + 1}\n{who}M 644 inline f{number}\ndata 1\nx\n")
        stream.append(f"commit refs/heads/many\n{who}merge :{2 * number + 1}\nM 644 inline f{number}\ndata 1\nx\n")
    repo.git("fast-import", "--quiet", stdin="".join([*stream, "done\n"]).encode())
    scene.push("side:refs/heads/release/many")
    assert timed(scene, "many:main") < 40


def test_policy_of_ten_thousand_people(scene: Scene) -> None:
    people = "".join(f'[people.p{n}]\nname = "P"\nemails = ["p{n}@acme.example"]\n' for n in range(10_000))
    repo = scene.repo
    repo.checkout("release/1.4")
    repo.write_file("rollback-guard.toml", POLICY + people)
    repo.commit(f"Many people\n\n{SIGNED}")
    scene.push("release/1.4")
    assert timed(scene, "release/1.4:main") < 20


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("*a" * 16, "a" * 250 + "b"), ("**/" * 8 + "x", "a/" * 120 + "y"), ("[a-z]*" * 16 + "b", "a" * 250 + "!")],
)
def test_catastrophic_glob(pattern: str, name: str) -> None:
    start = time.monotonic()
    assert not matches(pattern, name)
    assert time.monotonic() - start < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 50_000,
        "x = " + "{a=" * 50_000,
        ".".join("a" * 50_000) + " = 1",
        "".join(f"[a{'.b' * 60}.c{n}]\n" for n in range(1500)),
        "x = " + "9" * 200_000,
        'x = "' + "\\u0041" * 40_000 + '"',
        "[[x]]\n" * 40_000,
        "x = 1\n" * 40_000,
    ],
    ids=["arrays", "tables", "dots", "headers", "digits", "escapes", "table-arrays", "duplicates"],
)
def test_bomb_of_toml(scene: Scene, text: str) -> None:
    scene.repo.write_file("rollback-guard.toml", text)
    start = time.monotonic()
    assert scene.guard("policy", "check").code == 2
    assert time.monotonic() - start < 20


def test_bomb_of_toml_on_the_branch_that_is_pushed(scene: Scene) -> None:
    repo = scene.repo
    repo.checkout("release/1.4")
    repo.write_file("rollback-guard.toml", "x = " + "[" * 50_000)
    scene.signed("Bomb")
    scene.push("release/1.4")
    scene.refused("release/1.4:main", rules=("RG002",))
    scene.taken("main:refs/heads/feature/still-works")
