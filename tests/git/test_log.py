"""History as a stream: whatever a message holds, every record has its fields and its own trailers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollback_guard.git import log
from rollback_guard.git.log import LogFormat, read_log, trailer_finder
from rollback_guard.git.process import decode
from rollback_guard.git.repository import Repository
from tests.support.gits import GITS, initialise, opened, use_git


@pytest.fixture(params=GITS)
def git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each git in turn."""
    use_git(request.param, monkeypatch)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository."""
    return opened(initialise(tmp_path / "repo"))


def commit(repository: Repository, message: bytes, *parents: str, encoding: str = "", author: bytes = b"Jane") -> str:
    """A commit of the empty tree whose message is exactly that."""
    tree = repository.git.text("hash-object", "-t", "tree", "-w", "--stdin", stdin=b"")
    lines = [b"tree " + tree.encode(), *(b"parent " + parent.encode() for parent in parents)]
    lines += [b"author " + author + b" <jane@acme.example> 1780000000 +0200"]
    lines += [b"committer Omar Haddad <omar@acme.example> 1780000060 +0000"]
    lines += [b"encoding " + encoding.encode()] if encoding else []
    raw = b"\n".join([*lines, b"", message])
    return repository.git.text("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)


def records(repository: Repository, *args: str) -> list[list[bytes]]:
    """All records, with the whole message."""
    return list(read_log(repository.git, LogFormat(text=True), *args))


def trailers(record: list[bytes]) -> tuple[tuple[str, str], ...]:
    """The trailers of a record."""
    return LogFormat().trailers(record[log.TRAILERS])


@pytest.mark.usefixtures("git")
def test_the_fields_of_a_record(repository: Repository) -> None:
    first = commit(repository, b"First\n")
    second = commit(repository, b"Second\nline\n\nBody\n\nReviewed-by: O <o@x>\n", first)
    newer, older = records(repository, second)
    assert newer[log.COMMIT] == second.encode()
    assert newer[log.PARENTS] == first.encode()
    assert older[log.PARENTS] == b""
    assert [decode(field) for field in newer[log.AUTHOR : log.TRAILERS]] == [
        "Jane",
        "jane@acme.example",
        "Omar Haddad",
        "omar@acme.example",
        "1780000060",
        "Second line",
    ]
    assert newer[log.TEXT] == b"Second\nline\n\nBody\n\nReviewed-by: O <o@x>\n"
    assert trailers(newer) == (("Reviewed-by", "O <o@x>"),)
    assert trailers(older) == ()
    short = list(read_log(repository.git, LogFormat(), second))
    assert short == [newer[:-1], older[:-1]]


@pytest.mark.usefixtures("git")
def test_what_is_excluded_options_and_standard_input(repository: Repository) -> None:
    first = commit(repository, b"First\n")
    second = commit(repository, b"Second\n", first)
    third = commit(repository, b"Third\n", second)
    layout = LogFormat()

    def subjects(*args: str, stdin: bytes | None = None) -> list[bytes]:
        return [record[log.SUBJECT] for record in read_log(repository.git, layout, *args, stdin=stdin)]

    assert subjects(third, f"^{first}") == [b"Third", b"Second"]
    assert subjects("--reverse", third, f"^{first}") == [b"Second", b"Third"]
    assert subjects("--no-walk=unsorted", first, third) == [b"First", b"Third"]
    assert subjects("--topo-order", stdin=f"{third}\n^{first}\n".encode()) == [b"Third", b"Second"]
    assert subjects("--topo-order", second, stdin=f"^{first}\n".encode()) == [b"Second"]


@pytest.mark.usefixtures("git")
def test_a_file_named_like_a_commit_stops_nothing(tmp_path: Path, repository: Repository) -> None:
    first = commit(repository, b"First\n")
    second = commit(repository, b"Second\n", first)
    for oid in (first, second):
        (tmp_path / "repo" / oid).write_text("")
    assert len(records(repository, second, f"^{first}")) == 1
    assert len(list(read_log(repository.git, LogFormat(), "--topo-order", stdin=f"{second}\n".encode()))) == 2


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"S\n\nKey : value\n", (("Key", "value"),)),
        (b"S\n\nKey:value\nkey:\tother  value \n", (("Key", "value"), ("key", "other value"))),
        (b"S\n\nA: one\n two\n\tthree\nB: x\n", (("A", "one two three"), ("B", "x"))),
        (b"S\r\n\r\nBody\r\n\r\nA: one\r\nB: two\r\n", (("A", "one"), ("B", "two"))),
        (b"S\n\nA: before\n\n---\nB: after\n", ()),
        (b"S\n\n---\n\nB: after\n", (("B", "after"),)),
        (b"S\n\nA: before\n---\nfile | 1 +\n", ()),
        (b"S\n\nA: x\x1eB: y\nC: \x1dz\n", (("A", "x B: y"), ("C", "z"))),
        (b"S\n\nA: x\xe2\x80\xa8B: y\n", (("A", "x B: y"),)),
        (b"S\n\nA: \xff\xe9\n", (("A", "\udcff\udce9"),)),
        (b"S\n\nA:\n", (("A", ""),)),
        (b"A: subject\n", ()),
        (b"", ()),
        (b"\n\n\nS\n\nA: x\n\n\n", (("A", "x"),)),
        (b"S\n\nSigned-off-by: J\nno trailer\n no continuation\nA: x\n", (("Signed-off-by", "J"), ("A", "x"))),
        (b"S\n\nSigned-off-by: J\n\x1b[31mB: y\nC\xc3\xa9: z\n-: x\n", (("Signed-off-by", "J"),)),
        (b"S\n\nA: x\n\x1b[31mB: y\n", ()),
    ],
)
def test_trailers_as_people_write_them(
    message: bytes, expected: tuple[tuple[str, str], ...], repository: Repository
) -> None:
    oid = commit(repository, message)
    (record,) = records(repository, oid)
    assert trailers(record) == expected
    assert record[log.TEXT].strip(b"\n") == message.strip(b"\n")
    assert record[log.COMMIT] == oid.encode()


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize(
    ("encoding", "raw", "text"),
    [
        ("ISO-8859-1", b"Caf\xe9", "Caf\u00e9"),
        ("ISO-8859-1", b"\x85\xa0", "\x85\xa0"),
        ("", "Caf\u00e9".encode(), "Caf\u00e9"),
        ("", b"Caf\xe9", "Caf\udce9"),
        ("no-such-encoding", b"Caf\xe9", "Caf\udce9"),
        ("UTF-8", b"\xff\xfe", "\udcff\udcfe"),
    ],
)
def test_messages_in_other_encodings(encoding: str, raw: bytes, text: str, repository: Repository) -> None:
    message = raw + b"\n\nReviewed-by: " + raw + b" <o@x>\n"
    oid = commit(repository, message, encoding=encoding, author=raw)
    (record,) = records(repository, oid)
    assert decode(record[log.SUBJECT]) == text
    assert decode(record[log.AUTHOR]) == text
    assert trailers(record) == (("Reviewed-by", " ".join(f"{text} <o@x>".split())),)


@pytest.mark.usefixtures("git")
def test_large_messages_and_many_trailers(repository: Repository) -> None:
    many = b"".join(b"Key-%d: value %d\n" % (number, number) for number in range(1000))
    first = commit(repository, b"S\n\n" + b"x" * 10_000_000 + b"\n\nA: large\n")
    second = commit(repository, b"Many\n\n" + many, first)
    newer, older = records(repository, second)
    assert len(older[log.TEXT]) == 10_000_000 + len(b"S\n\n\n\nA: large\n")
    assert trailers(older) == (("A", "large"),)
    assert trailers(newer) == tuple((f"Key-{number}", f"value {number}") for number in range(1000))


@pytest.mark.usefixtures("git")
def test_control_characters_move_no_field(repository: Repository) -> None:
    every = bytes(number for number in range(1, 256) if number != 10)
    oid = commit(repository, b"S " + every + b"\n\n" + every + b"\n\nA: " + every + b"\n")
    (record,) = records(repository, oid)
    assert len(record) == len(LogFormat(text=True).pretty.split("%x00"))
    ((key, value),) = trailers(record)
    assert key == "A"
    assert len(value) > 200


@pytest.mark.usefixtures("git")
def test_settings_of_the_repository_do_not_change_what_is_read(tmp_path: Path, repository: Repository) -> None:
    ran = tmp_path / "ran"
    oid = commit(repository, "Caf\u00e9\n\nR: Omar <o@x>\nReviewed-by: Q <q@x>\n".encode(), author=b"Jane")
    subprocess.run(["git", "update-ref", "HEAD", oid], cwd=tmp_path / "repo", check=True)
    (tmp_path / "repo" / ".mailmap").write_text("Eve <eve@x> <jane@acme.example>\n")
    before = records(repository, oid)
    hostile = {
        "trailer.separators": "=",
        "trailer.review.key": "Reviewed-by",
        "trailer.Reviewed-by.key": "Nobody: ",
        "trailer.Reviewed-by.command": f"touch {ran}",
        "log.showSignature": "true",
        "gpg.program": f"touch {ran};",
        "log.mailmap": "true",
        "log.date": "relative",
        "log.decorate": "full",
        "log.showRoot": "true",
        "log.abbrevCommit": "true",
        "format.pretty": "oneline",
        "i18n.logOutputEncoding": "UTF-16",
        "i18n.commitEncoding": "ISO-8859-1",
        "color.ui": "always",
        "color.diff": "always",
        "core.pager": f"touch {ran};",
        "pager.log": f"touch {ran};",
        "alias.log": f"!touch {ran}",
        "core.abbrev": "4",
        "notes.displayRef": "refs/notes/*",
        "core.commentChar": "R",
        "diff.external": f"touch {ran};",
    }
    for name, value in hostile.items():
        subprocess.run(["git", "config", name, value], cwd=tmp_path / "repo", check=True)
    assert records(repository, oid) == before
    assert trailers(before[0]) == (("R", "Omar <o@x>"), ("Reviewed-by", "Q <q@x>"))
    assert not ran.exists()


@pytest.mark.usefixtures("git")
def test_replace_refs_and_grafts_do_not_change_history(tmp_path: Path, repository: Repository) -> None:
    first = commit(repository, b"First\n")
    second = commit(repository, b"Second\n", first)
    other = commit(repository, b"Other\n\nReviewed-by: Nobody\n")
    before = records(repository, second)
    subprocess.run(["git", "update-ref", f"refs/replace/{second}", other], cwd=tmp_path / "repo", check=True)
    (tmp_path / "repo" / ".git" / "info").mkdir(exist_ok=True)
    (tmp_path / "repo" / ".git" / "info" / "grafts").write_text(f"{second} {other}\n")
    assert records(repository, second) == before
    assert [record[log.SUBJECT] for record in before] == [b"Second", b"First"]


KEYS = st.text(st.sampled_from("abcxyzABCXYZ019-"), min_size=1, max_size=12).filter(lambda key: key.strip("-"))
VALUES = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=20).map(
    lambda word: f"x{word}"
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(st.tuples(KEYS, st.lists(VALUES, min_size=1, max_size=3)), min_size=1, max_size=8))
def test_what_git_writes_as_trailers_is_read_back(written: list[tuple[str, list[str]]], repository: Repository) -> None:
    expected = tuple((key, " ".join(words)) for key, words in written)
    arguments = [part for key, value in expected for part in ("--trailer", f"{key}: {value}")]
    options = ("--if-exists=add", "--no-divider")
    message = repository.git.run("interpret-trailers", *options, *arguments, stdin=b"Subject\n\nBody\n").stdout
    (record,) = records(repository, commit(repository, message))
    assert trailers(record) == expected


PIECES = st.sampled_from(
    ["Reviewed-by", "reviewed-BY", "QA-by", "Fixes", "X", ":", ": ", " ", "\t", "\r", "\n", "\n", "\n ", "Omar <o@x>"]
    + ["-", "\u212a", "\u2028", "\xa0", "Jos\xe9", "\udcff"]
)


@given(text=st.lists(PIECES, max_size=30).map("".join))
def test_the_finder_finds_what_the_whole_reading_finds(text: str) -> None:
    keys = frozenset(["reviewed-by", "qa-by"])
    field = text.encode("utf-8", "surrogateescape")
    whole = tuple(pair for pair in LogFormat().trailers(field) if pair[0].lower() in keys)
    assert trailer_finder(keys)(field) == whole
