"""Production's .mailmap: it adds identities to the makers of a change, and takes none away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.facts import mailmap
from rollback_guard.facts.mailmap import Mailmaps
from rollback_guard.facts.model import Identity, Known, Maker, Survey, Unknown
from rollback_guard.git.mailmap import map_contacts
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.repository import Repository, open_repository
from tests.support.builder import RepositoryBuilder
from tests.support.commands import check, guard
from tests.support.signing import policy, sign, signed_shop

MAP = """\
# people of old
Jane Doe <jane@acme.example> <JD@old.example>
Omar Haddad <omar@acme.example> Oh <shared@old.example>
<quinn@acme.example> <shared@old.example>
Uma Patel <uma@acme.example>
"""


def opened(repo: RepositoryBuilder) -> Repository:
    return open_repository(str(repo.path), os.environ)


def maker(name: str, email: str) -> Maker:
    return Maker(Identity(name, email), "author", "1" * 40)


def mapped(repo: RepositoryBuilder, *makers: Maker) -> Any:
    with ObjectReader(opened(repo).git) as objects:
        return Mailmaps(opened(repo)).apply(Known(Survey(makers=makers)), repo.head(), objects)


def test_contacts_are_mapped_as_git_maps_them(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", _dot_mailmap=MAP)
    blob = repo.git("rev-parse", "HEAD:.mailmap")
    repo.write_file(".mailmap", "Eve <eve@elsewhere.example> <nobody@x>\n")  # what lies in the work tree counts nothing
    other = path_of_repo / "theirs"
    other.write_text("Eve <eve@elsewhere.example> <nobody@x>\n")
    repo.git("config", "mailmap.file", str(other))
    contacts = [("J", "jd@OLD.example"), ("Oh", "shared@old.example"), ("Who", "shared@old.example"), ("N", "nobody@x")]
    contacts += [("U", "uma@acme.example"), ("", ""), ("<x>", "jd@old.example"), ("a\nb", "jd@old.example")]
    assert map_contacts(opened(repo), blob, contacts) == {
        contacts[0]: ("Jane Doe", "jane@acme.example"),
        contacts[1]: ("Omar Haddad", "omar@acme.example"),
        contacts[2]: ("Who", "quinn@acme.example"),
    }
    assert map_contacts(opened(repo), blob, [("", "")]) == {}


def test_makers_keep_their_own_identity_and_get_the_other_one(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", _dot_mailmap=MAP)
    found = mapped(repo, maker("J", "jd@old.example"), maker("Eve", "eve@x"))
    assert found == Known(
        Survey(
            makers=(
                maker("J", "jd@old.example")._replace(mapped=Identity("Jane Doe", "jane@acme.example")),
                maker("Eve", "eve@x"),
            )
        )
    )


def test_each_contact_is_asked_for_once(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", _dot_mailmap=MAP)
    asked: list[Any] = []

    def noted(repository: Repository, blob: str, contacts: Any) -> dict[Any, Any]:
        asked.append(contacts)
        return {}

    monkeypatch.setattr(mailmap, "map_contacts", noted)
    maps = Mailmaps(opened(repo))
    with ObjectReader(opened(repo).git) as objects:
        for _ in range(2):
            maps.apply(Known(Survey(makers=(maker("J", "jd@old.example"),))), repo.head(), objects)
    assert asked == [[("J", "jd@old.example")], []]


def test_where_there_is_none_nothing_is_mapped(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin")
    survey = Known(Survey(makers=(maker("J", "jd@old.example"),)))
    assert mapped(repo, maker("J", "jd@old.example")) == survey
    unknown = Unknown("shallow")
    with ObjectReader(opened(repo).git) as objects:
        assert Mailmaps(opened(repo)).apply(unknown, repo.head(), objects) is unknown
        assert Mailmaps(opened(repo)).apply(survey, None, objects) is survey
        assert Mailmaps(opened(repo)).apply(survey, "1" * 40, objects) is survey


def test_a_link_is_no_mailmap(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    (path_of_repo / ".mailmap").symlink_to("elsewhere")
    repo.commit("Begin", elsewhere=MAP)
    assert mapped(repo, maker("J", "jd@old.example")).value.makers == (maker("J", "jd@old.example"),)


def test_a_huge_one_is_unknown(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailmap, "LIMIT", 10)
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", _dot_mailmap=MAP)
    found = mapped(repo, maker("J", "jd@old.example"))
    assert isinstance(found, Unknown)
    assert "production's .mailmap cannot be read" in found.reason


OLD = {"GIT_AUTHOR_NAME": "Omar", "GIT_AUTHOR_EMAIL": "oh@old.example"}


@pytest.fixture
def shop(path_of_repo: Path) -> RepositoryBuilder:
    """A release of which omar made a part, under an address that only production's .mailmap knows."""
    repo = signed_shop(path_of_repo, text=policy())
    repo.checkout("main")
    repo.commit("Addresses of old", _dot_mailmap="Omar Haddad <omar@acme.example> <oh@old.example>\n")
    repo.checkout("release/1.4")
    repo.merge("main")
    env: dict[str, Any] = {**repo.as_person("jane"), **OLD}
    repo.git("commit", "-q", "--allow-empty", "-m", "By omar", **env)
    return repo


def test_who_made_a_part_under_an_old_address_is_known_and_signs_nothing(shop: RepositoryBuilder) -> None:
    said = check(shop.path, "--into", "main")
    assert said.answers["RG107"] == "satisfied"
    refused = sign(shop, "omar", "review")
    assert (refused.code, "made a part of this change" in refused.err) == (1, True)


def test_a_change_cannot_bring_its_own_mailmap(shop: RepositoryBuilder) -> None:
    shop.commit("Nobody is omar", _dot_mailmap="Uma Patel <uma@acme.example> <oh@old.example>\n")
    assert sign(shop, "omar", "review").code == 1


def test_the_audit_reads_the_mailmap_of_the_day(shop: RepositoryBuilder) -> None:
    shop.checkout("main")
    shop.merge("release/1.4")
    said = guard(shop.path, "audit", "main", "--format", "json")
    rules = {one["commit"]: {o["rule"]: o["outcome"] for o in one["outcomes"]} for one in said.json["commits"]}
    assert rules[shop.head()]["RG107"] == "satisfied"
