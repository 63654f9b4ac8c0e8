"""The starting files: valid whatever strangers called themselves and their branches."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.policy.model import Policy
from rollback_guard.policy.read import read_policy
from rollback_guard.policy.starter import (
    MOST_PEOPLE,
    PLACEHOLDER,
    Found,
    cleaned,
    people_of,
    quoted,
    render_policy,
    render_pre_commit,
    render_workflow,
)

HOSTILE = (
    '"\n[production]\nbranches = ["*"]\n#',
    "\\",
    '"""',
    "'''",
    "a\x1b[31m",
    "\u202eevil",
    "\udcff",
    "",
    " ",
    "é",
    "\x85",
)
text = st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE))
email = st.one_of(st.emails(), text)
found_anything = st.builds(
    Found,
    production=text,
    branches=st.lists(text, max_size=12).map(tuple),
    remotes=st.lists(text, max_size=4).map(tuple),
    authors=st.lists(st.tuples(text, email), max_size=8).map(tuple),
)


def understood(found: Found) -> Policy:
    """The policy that is rendered, as the reader understands it."""
    policy = read_policy(render_policy(found).encode(), path="rollback-guard.toml")
    assert policy is not None
    return policy


@given(found=found_anything)
def test_a_starting_policy_is_always_valid(found: Found) -> None:
    policy = understood(found)
    assert len(policy.production.branches) == 1
    assert {one.proof for one in policy.sign_off} == {"trailer"}
    assert [one.role for one in policy.sign_off] == ["review", "qa", "uat"]


@given(name=st.text(min_size=1, max_size=40), address=st.emails())
def test_names_come_back_as_they_were(name: str, address: str) -> None:
    found = Found(production="main", authors=((name, address),))
    (person,) = understood(found).people
    assert person.name == (cleaned(name) or address.partition("@")[0])
    assert person.emails == (address,)


@given(text=st.text())
def test_a_quoted_text_is_printable_and_means_itself(text: str) -> None:
    assert quoted(text).isprintable()
    if not any(ord(one) > 0xFFFF for one in text):
        assert json.loads(quoted(text)) == text


def test_a_hostile_branch_stays_text() -> None:
    name = '"]\nrepositories=[]#'
    policy = understood(Found(production=name, branches=(name, 'x"y')))
    assert policy.production.branches == ("main",)
    policy = understood(Found(production='x"]#'))
    assert policy.production.branches == ('x"]#',)


def test_what_is_found_is_taken_over() -> None:
    found = Found(
        production="live",
        branches=("live", "develop", "release/1.4", "feat/x"),
        remotes=(
            "https://jane:secret@GitHub.com/Acme/Shop.git",
            "git@github.com:acme/shop.git",
            "/srv/x",
            "ext::sh -c y",
        ),
        authors=(("Jane Doe", "jane@acme.example"), ("jane doe", "jd@home.example"), ("Jané", "j2@acme.example")),
    )
    text = render_policy(found)
    policy = understood(found)
    assert policy.production.branches == ("live",)
    assert policy.production.repositories == ("github.com/acme/shop",)
    assert policy.route[0].from_ == ("release/*", "hotfix/*", "develop")
    assert [(one.id, one.emails) for one in policy.people] == [
        ("j2", ("j2@acme.example",)),
        ("jane", ("jane@acme.example", "jd@home.example")),
    ]
    assert "secret" not in text
    assert '# Other branches here: "feat/x"\n' in text
    assert "make sure that all of them are this person's" in text


def test_an_address_belongs_to_one_person_only() -> None:
    people = people_of((("Jane", "j@x.example"), ("Eve", "J@X.example"), ("Eve", "not an address")))
    assert [(one.name, one.emails) for one in people] == [("Jane", ("j@x.example",))]


def test_ids_never_collide() -> None:
    authors = tuple(("李", f"a{number}+@x.example") for number in range(2)) + (
        ("a0", "a0@y.example"),
        ("A0", "z@y.example"),
    )
    names = (("Jane Doe", "jane@a.example"), ("Jane Roe", "jane@b.example"), ("Jane-Doe", "jane@c.example"))
    more = (("Jane. Doe", "jane@d.example"), ("!", "?@e.example"), ("¡", "!@e.example"))
    ids = [one.id for one in people_of((*authors, *names, *more))]
    assert len(set(ids)) == len(ids)
    assert ids == ["a0", "a0-2", "jane", "jane-roe", "jane-doe", "jane-doe-2", "person-2", "person-3"]


def test_a_crowd_is_cut_and_said() -> None:
    authors = tuple((f"N{number}", f"n{number}@x.example") for number in range(MOST_PEOPLE + 5))
    found = Found(production="main", authors=authors, branches=tuple(f"b{n}" for n in range(20)))
    text = render_policy(found)
    assert len(understood(found).people) == MOST_PEOPLE
    assert f"The {MOST_PEOPLE} who committed most, of {MOST_PEOPLE + 5}" in text
    assert " and 12 more\n" in text


def test_nobody_yet() -> None:
    (person,) = understood(Found(production="main")).people
    assert (person.name, *person.emails) == PLACEHOLDER


def test_bots_are_people_but_in_no_team() -> None:
    found = Found(production="main", authors=(("dependabot[bot]", "b@x.example"), ("Jane", "j@x.example")))
    policy = understood(found)
    assert len(policy.people) == 2
    assert dict(policy.teams)["developers"] == ("jane",)


@pytest.mark.parametrize(("branch", "shown"), [("main", '["main"]'), ("a+b", '["a\\\\+b"]'), ("x\ny", '["main"]')])
def test_the_workflow_names_the_branch_and_nothing_of_the_request_in_a_shell_line(branch: str, shown: str) -> None:
    text = render_workflow(branch, "1.2.3")
    assert f"branches: {shown}" in text
    assert "rollback-guard==1.2.3" in text
    for line in text.splitlines():
        if "run:" in line:
            assert "${{" not in line
        if "uses:" in line:
            assert len(line.partition("@")[2].partition(" ")[0]) == 40
    assert "permissions:\n  contents: read\n" in text
    assert "fetch-depth: 0" in text


def test_pre_commit_installs_every_stage() -> None:
    text = render_pre_commit("1.2.3")
    assert "rev: v1.2.3" in text
    for stage in ("pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "pre-push"):
        assert stage in text.splitlines()[0]
