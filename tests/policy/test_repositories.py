"""One repository has one name, two have two, and no name holds a credential."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.policy.repositories import normalise_repository

SHOP = "github.com/acme/shop"


@pytest.mark.parametrize(
    "url",
    [
        "github.com/acme/shop",
        "https://github.com/acme/shop",
        "https://x:y@GitHub.com/acme/shop.git/",
        "https://github.com:443/Acme/Shop.GIT",
        "http://github.com./acme//shop",
        "https://www.github.com/acme/shop",
        "git@github.com:acme/shop.git",
        "github.com:acme/shop",
        "[git@github.com:22]:acme/shop",
        "[github.com:22]:acme/shop",
        "ssh://git@github.com:22/acme/shop",
        "ssh://git@ssh.github.com:443/acme/shop.git",
        "git+ssh://git@github.com/acme/shop",
        "git://github.com/acme/./x/../shop.git.git",
        "  https://github.com/acme/shop.git\n",
        "git@github.com/acme/shop",
    ],
)
def test_all_spellings_of_one_repository_are_one(url: str) -> None:
    assert normalise_repository(url) == SHOP


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/srv/git/shop.git", "/srv/git/shop"),
        ("file:///srv/git/shop.git", "/srv/git/shop"),
        ("file://localhost/srv/git/shop/.git", "/srv/git/shop"),
        ("/srv//git/./shop/", "/srv/git/shop"),
        ("/", "/"),
        ("~/shop.git", "~/shop"),
        ("../shop.git", "./../shop"),
        ("./github.com/acme/shop", "./github.com/acme/shop"),
        ("", "."),
        ("C:\\git\\shop.git", "C:/git/shop"),
        ("c:/git/shop", "C:/git/shop"),
        ("file:///C:/git/shop.git", "C:/git/shop"),
        ("\\\\server\\git\\shop", "/server/git/shop"),
        ("https://git.acme.example:8443/Team/Shop.git", "git.acme.example/Team/Shop"),
        ("[::1]:shop", "[::1]/shop"),
        ("ssh://git@[2001:DB8::1]:22/shop", "[2001:db8::1]/shop"),
        ("https://git.acme.example/git?p=shop", "git.acme.example/git?"),
        ("https://git.acme.example?p=shop", "git.acme.example/?"),
        ("https://git.acme.example/shop#readme", "git.acme.example/shop?"),
        ("ext::sh -c 'cat key'", "ext::"),
        ("https:///acme/shop", "?/acme/shop"),
        ("https://-x/acme/shop", "?/acme/shop"),
        ("ssh://[::x]/shop", "?/shop"),
    ],
)
def test_a_name_is_host_and_path_or_an_absolute_path(url: str, name: str) -> None:
    assert normalise_repository(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com@evil.example/acme/shop",
        "https://github.com\\@evil.example/acme/shop",
        "https://evil.example/?github.com/acme/shop",
        "https://evil.example/github.com/acme/shop",
        "https://github.com.evil.example/acme/shop",
        "x:@github.com:acme/shop",
        "./github.com/acme/shop",
        "file://github.com/acme/shop",
        "/github.com/acme/shop",
        "ext::github.com/acme/shop",
        "github.com/acme/shop/x",
        "https://github.com/acme/shop?x",
        "https://github.com/acme/../evil/shop",
    ],
)
def test_another_repository_is_never_taken_for_it(url: str) -> None:
    assert normalise_repository(url) != SHOP


@pytest.mark.parametrize(
    "url",
    [
        "https://jane:hunter2@github.com/acme/shop",
        "https://hunter2@github.com/acme/shop",
        "https://jane:p/hunter2@github.com/acme/shop",
        "jane:hunter2@github.com:acme/shop",
        "jane:hunter2@github.com/acme/shop",
        "https://github.com/acme/shop?token=hunter2",
        "ext::curl -u jane:hunter2 https://github.com",
        "https://a@hunter2@github.com/acme/shop",
    ],
)
def test_no_name_holds_a_credential(url: str) -> None:
    assert "hunter2" not in normalise_repository(url)


@given(
    st.one_of(
        st.text(max_size=30),
        st.text(alphabet="ab.:/@[]?#\\~ gitCG", max_size=16),
        st.tuples(
            st.sampled_from(["https://", "ssh://", "file://", "git@", "C:", "~", "x::"]),
            st.text(alphabet="ab.:/@[]?#\\~ git", max_size=14),
        ).map("".join),
    )
)
def test_a_name_is_its_own_name(url: str) -> None:
    name = normalise_repository(url)
    assert normalise_repository(name) == name
