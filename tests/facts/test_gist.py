"""The gist of a policy: never narrower than the rules that it stands before, and never trusted when it is damaged."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollback_guard.facts import gist
from rollback_guard.facts.gist import NoGist, read_gists
from rollback_guard.facts.model import Known, Message, Trailer
from rollback_guard.gate.rule import Case
from rollback_guard.gate.rules import rg206_malformed_trailer as rg206
from rollback_guard.gate.spelling import is_plain, may_be_trailer
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import Git, decode
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.git.trailers import clean_message, read_trailers
from rollback_guard.policy.model import Policy, SignOff
from tests.support.builder import POLICY, RepositoryBuilder, shop
from tests.support.commands import call_hook
from tests.support.examples import examples
from tests.support.facts import a_change, a_policy

KEYS = ("Reviewed-by", "QA-by", "UAT-by", "Signed-off-by", "Signed-off-bye", "Changeid", "Co-authored-by", "OK")
LETTERS = "abdeoruvwyQARSBY-_ :=#<>@.\t\r\n\x0b\x0c\x1c\x85\u2028>|\u017f\u0130\ufeff;"


def policy_with(*keys: str) -> Policy:
    return a_policy(sign_off=tuple(SignOff(role=f"r{n}", trailer=key, by=("jane",)) for n, key in enumerate(keys)))


@st.composite
def misspelt(draw: st.DrawFn) -> str:
    """A line that is a trailer of a role, more or less."""
    key = draw(st.sampled_from(KEYS))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(key)))
        cut = draw(st.integers(0, 2))
        key = key[:place] + draw(st.text(LETTERS, max_size=2)) + key[place + cut :]
    if draw(st.booleans()):
        key = draw(st.sampled_from([key.upper(), key.replace("-", " "), key.replace("-", ""), " ".join(key)]))
    value = draw(st.sampled_from([" Omar <omar@acme.example>", "Omar", " <a@b>", " Omar <omar@acme.example", ""]))
    return (
        draw(st.sampled_from(["", "", "", "> ", "# ", " ", "; "]))
        + key
        + draw(st.sampled_from([":", " :", "=", "#"]))
        + value
    )


MESSAGES = st.lists(st.one_of(misspelt(), st.text(LETTERS, max_size=30), st.just("")), max_size=6).map("\n".join)


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    builder = RepositoryBuilder(tmp_path_factory.mktemp("any") / "repo")
    return open_repository(str(builder.path), os.environ).git


def found_by_rule(policy: Policy, message: Message) -> bool:
    case = Case(policy=policy, change=a_change(messages=Known((message,))), as_of=0)
    return bool(rg206.evaluate(case).findings)


@given(text=MESSAGES, keys=st.sets(st.sampled_from(KEYS), min_size=1, max_size=3))
@example(text="Reviewed - by: Omar <o@x.example>", keys={"Reviewed-by"})
@example(text="R e v i e w e d - b y: Omar <o@x.example>", keys={"Reviewed-by"})
@example(text="x\x0bReviewed by: Omar <o@x.example>", keys={"Reviewed-by"})
@example(text="x\u2028Reviewed by: Omar <o@x.example>", keys={"Reviewed-by"})
@example(text="o\x1c:", keys={"OK"})
@example(text="Signed-off by: Omar <o@x.example>", keys={"Signed-off-by"})
@example(text="Change-Id: x", keys={"Changeid"})
@example(text="Signed_off-by: Omar <o@x.example>", keys={"Signed-off-bye"})
@settings(max_examples=examples(400), deadline=None)
def test_lines_that_the_rule_finds_are_never_passed_over(text: str, keys: set[str]) -> None:
    """Over the text alone, as the rule takes a message apart by itself."""
    policy = policy_with(*sorted(keys))
    folded = tuple(key.lower() for key in sorted(keys))
    passed_over = not any(may_be_trailer(line, folded) for line in text.splitlines())
    parsed = tuple(
        Trailer(key.strip(), value.strip())
        for key, colon, value in (line.partition(":") for line in text.split("\n"))
        if colon and key and key.replace("-", "").rstrip(" \t").isalnum() and key.isascii()  # as git has it
    )
    for trailers in ((), parsed):
        if found_by_rule(policy, Message(bearer="landing", trailers=trailers, text=text)):
            assert not passed_over


SIGN_OFF = "Reviewed-by: Omar <o@x.example>"
SIGNED = st.lists(
    st.sampled_from(
        [SIGN_OFF, "QA-by: Q <q@x.example>", "Fixes: #1", "Fixes:", "Subject", "", "", " ", "\xa0", "# a", "; a", "---"]
        + ["QA-by: Q <q @x.example>", "QA-by: Q <q\x1f@x.example>", "QA-by: Q <<q@x.example>>", "QA-by: <q@x.example>"]
        + ["QA-by: Q", "QA-by : Q <q@x.example>", " folded", "Reveiwed-by: Omar <o@x.example>", "\x0c", "a\rb"]
        + ["# ------------------------ >8 ------------------------", "Reviewed by: Omar <o@x.example>"]
    ),
    max_size=6,
).map("\n".join)


@given(text=st.one_of(MESSAGES, SIGNED))
@example(text=f"# only a comment\n\n{SIGN_OFF}\n")
@example(text=f"Subject\n\nbody\n\xa0\n{SIGN_OFF}\n")
@example(text=SIGN_OFF)
@settings(max_examples=150, deadline=None)
def test_messages_as_git_takes_them_apart(text: str, git: Git) -> None:
    """The hook looks at the raw file, the rule at what git makes of it."""
    raw = text.encode("utf-8", "surrogatepass")
    clean = clean_message(git, raw)
    trailers = tuple(Trailer(key, value) for key, value in read_trailers(git, clean))
    policy = policy_with("Reviewed-by", "QA-by")
    if found_by_rule(policy, Message(bearer="landing", trailers=trailers, text=decode(clean))):
        as_read = raw.decode("utf-8", "replace").replace("\r\n", "\n")
        assert not is_plain(as_read, ("reviewed-by", "qa-by"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Subject\n", True),
        (f"Subject\n\nbody\n\n{SIGN_OFF}\n", True),
        (f"Subject\n\nFixes: #1\n{SIGN_OFF}", True),
        (f"Subject\n\n{SIGN_OFF}\n\nmore\n", False),
        (f"Subject\n{SIGN_OFF}\n", False),
        (f"Subject\n\n{SIGN_OFF}\n# Please enter the commit message\n", False),
        (f"Subject\r\n\r\n{SIGN_OFF}\r\n", False),
        ("Subject\n\nReviewed-by: Omar\n", False),
        ("Subject\n\nReviewed-by: Omar <o@x> and more\n", False),
        ("Subject\n\nReviewed-bye: Omar <o@x.example>\n", False),
        ("Subject\n\nReviewed-by: <o@x.example>\n", False),
        ("Subject\n\nReviewed-by: Omar <o x@x.example>\n", False),
    ],
)
def test_which_messages_need_no_rule(text: str, plain: bool) -> None:
    assert is_plain(text, ("reviewed-by",)) is plain


@pytest.mark.parametrize("line", ["Add a basket", "", ":", "Signed-off-by: Jane <j@x>", "fix(cart-total): three"])
def test_ordinary_lines_are_passed_over(line: str) -> None:
    assert not may_be_trailer(line, ("reviewed-by", "uat-by"))


def opened(repo: RepositoryBuilder) -> Repository:
    return open_repository(str(repo.path), os.environ)


def gists_of(repo: RepositoryBuilder, *revs: str) -> list[gist.Gist]:
    repository = opened(repo)
    with ObjectReader(repository.git) as objects:
        return read_gists(repository, objects, revs or ("HEAD",))


def kept(repo: RepositoryBuilder) -> list[Path]:
    return sorted((repo.path / ".git" / gist.FOLDER).iterdir())


def test_remembered_and_the_same_the_second_time(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = shop(path_of_repo)
    first = gists_of(repo, "main", "HEAD", "no/such")
    assert first == [(("main",), ("qa-by", "reviewed-by", "uat-by"))]
    (file,) = kept(repo)
    assert repo.git("rev-parse", "HEAD:rollback-guard.toml") in file.name

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(gist, "_understood", never)
    assert gists_of(repo) == first


def test_another_policy_has_another_gist(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    gists_of(repo)
    repo.write_file("rollback-guard.toml", POLICY.replace('["main"]', '["main", "live/*"]'))
    repo.commit("Other")
    assert [branches for branches, _ in gists_of(repo, "main", "HEAD")] == [("main",), ("main", "live/*")]


def test_policy_in_pyproject_and_none(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.write_file("pyproject.toml", "[project]\nname = 'x'\n")
    (repo.path / "rollback-guard.toml").mkdir()
    repo.write_file("rollback-guard.toml/file", "")
    repo.commit("A folder of that name")
    assert gists_of(repo) == []
    table = '[tool.rollback-guard]\nversion = 1\n[tool.rollback-guard.production]\nbranches = ["live"]\n'
    repo.write_file("pyproject.toml", table)
    repo.commit("A table")
    assert gists_of(repo) == [(("live",), ())]


def test_broken_policy_has_no_gist(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy="version = 7\n")
    with pytest.raises(NoGist):
        gists_of(repo)


DAMAGE = [
    b"",
    b"\0" * 200,
    b"0.0\n",
    b"\xff" * 50,
    b"([\xff\xff\xff\x7f",
    b")\x02)\x01\xda\x05other)\x00",
]


@pytest.mark.parametrize("data", DAMAGE)
def test_damaged_gist_never_crashes_and_never_lets_a_commit_onto_production(data: bytes, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.checkout("main")
    assert call_hook(repo.path, "pre-commit").code == 1
    (file,) = kept(repo)
    whole = file.read_bytes()
    for damaged in (data, whole + data if data else whole[:-3], data + whole):
        if damaged != whole:
            file.write_bytes(damaged)
            assert call_hook(repo.path, "pre-commit").code == 1
            assert file.read_bytes() == whole, "it is written again"


def test_random_damage(path_of_repo: Path) -> None:
    """Cut anywhere, or with one byte changed anywhere: thrown away."""
    repo = shop(path_of_repo)
    right = gists_of(repo)
    (file,) = kept(repo)
    whole = file.read_bytes()
    key = file.name.rpartition(".toml")[0] + ".toml"
    assert gist._parsed(key, whole) == right[0]
    assert gist._parsed("another", whole) is None
    dice = random.Random(7)
    for length in range(len(whole)):
        assert gist._parsed(key, whole[:length]) is None
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << dice.randrange(8)
        assert gist._parsed(key, bytes(changed)) is None
    for _ in range(500):
        assert gist._parsed(key, dice.randbytes(dice.randrange(300))) is None


@pytest.mark.parametrize("obstacle", ["file", "folder", "read-only"])
def test_where_nothing_can_be_kept_it_is_understood_each_time(obstacle: str, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    place = repo.path / ".git" / "rollback-guard"
    if obstacle == "file":
        place.write_text("in the way")
    elif obstacle == "folder":
        oid = repo.git("rev-parse", "HEAD:rollback-guard.toml")
        (Path(gist._name(str(place / "gists"), f"{oid}.rollback-guard.toml")) / "x").mkdir(parents=True)
    else:
        (repo.path / ".git").chmod(0o500)
    try:
        assert call_hook(repo.path, "pre-commit").code == 0
        assert [branches for branches, _ in gists_of(repo)] == [("main",)]
    finally:
        (repo.path / ".git").chmod(0o700)
