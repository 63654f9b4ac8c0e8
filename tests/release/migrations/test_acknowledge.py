"""What a file may say about itself: in a comment, with a reason."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.acknowledge import acknowledged, remedies_for
from rollback_guard.release.migrations.model import Migration, State

SAID = "guard: irreversible because it only fills a cache"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", f"x = 1\n  # {SAID}\n"),
        ("a.rb", f"#{SAID}"),
        ("a.sql", f"DROP TABLE a;\r\n-- {SAID}\r\n"),
        ("A.SQL", f"/* {SAID} */"),
        ("a.xml", f"<a>\n  <!-- {SAID} -->\n</a>"),
        ("a.yaml", f"a: 1\n# {SAID}"),
        ("a.yml", f"# {SAID}"),
        ("a.go", f"// {SAID}"),
        ("a.py", f"# guard: irreversible because   \n# {SAID}"),
        ("a.sql", f"\udcff\n-- {SAID}"),
    ],
)
def test_said(path: str, text: str) -> None:
    assert acknowledged(path, text.encode("utf-8", "surrogateescape")) == "it only fills a cache"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", ""),
        ("a.py", "# guard: irreversible because"),
        ("a.py", "# guard: irreversible because   \n# more"),
        ("a.py", "# guard: irreversible because ..."),
        ("a.py", "# guard: irreversible because -"),
        ("a.py", "# guard: irreversible"),
        ("a.py", f"// {SAID}"),
        ("a.py", f"x = '# {SAID}'"),
        ("a.py", SAID),
        ("a.sql", f"# {SAID}"),
        ("a.sql", f"/* {SAID}\n*/"),
        ("a.sql", "/* guard: irreversible because */ x yz"),
        ("a.xml", f"<!-- {SAID}"),
        ("a.json", f"# {SAID}"),
        ("a", f"# {SAID}"),
    ],
)
def test_not_said(path: str, text: str) -> None:
    assert acknowledged(path, text.encode()) == ""


def test_a_megabyte_of_beginnings_is_read_at_once() -> None:
    text = b"-- guard: irreversible because \n" * 30_000 + b"/* guard: irreversible because " * 3000
    assert acknowledged("a.sql", text) == ""


def migration(path: str, state: State, old_path: str = "") -> Migration:
    return Migration("sql", "1", path, (path,), state, "irreversible", ("has no way back",), old_path=old_path)


@pytest.mark.parametrize(
    ("path", "state", "remedies"),
    [
        (
            "a.py",
            "added",
            ("write the way back", "or say in the file why that is right: # guard: irreversible because REASON"),
        ),
        (
            "a.xml",
            "added",
            ("write the way back", "or say in the file why that is right: <!-- guard: irreversible because REASON -->"),
        ),
        ("a.json", "added", ("write the way back",)),
        ("a b's.sql", "deleted", ("""git restore --source=HEAD --staged --worktree -- 'a b'"'"'s.sql'""",)),
        (
            "a.json",
            "edited",
            ("git restore --source=HEAD --staged -- a.json   # and let a new migration do it",),
        ),
    ],
)
def test_remedy(path: str, state: State, remedies: tuple[str, ...]) -> None:
    assert remedies_for(migration(path, state)) == remedies


def test_what_was_moved_and_edited_is_restored_where_it_was() -> None:
    assert " -- old.rb " in remedies_for(migration("new.rb", "edited", "old.rb"))[0]
