"""Scenario files are read as strictly as a policy, and say what the gate says."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.errors import PolicyError
from rollback_guard.facts.model import Change, EarlierTrailer, Identity, Known, Trailer, Unknown
from rollback_guard.gate import scenario_model
from rollback_guard.gate.scenario import SCENARIO_KINDS, Mismatch, read_scenarios, run_scenario
from rollback_guard.gate.scenario_change import UNKNOWABLE, change_of
from rollback_guard.gate.scenario_model import NEW_YEAR, SCENARIO_DOCS, Scenario
from rollback_guard.policy.model import Policy
from rollback_guard.policy.problems import Problem
from rollback_guard.policy.read import read_policy
from rollback_guard.policy.structs import fields_of
from tests.support.architecture import ROOT
from tests.support.builder import POLICY as SHOP

HEAD = """\
[[scenario]]
name = "one"
expect.decision = "allow"
"""
JANE = 'author = "Jane Doe <jane@acme.example>"\n'
SIGNED = """\
trailers = [
  "Reviewed-by: Omar Haddad <omar@acme.example>",
  "QA-by: Quinn Lee <quinn@acme.example>",
  "UAT-by: Uma Patel <uma@acme.example>",
]
"""
EVIDENT = HEAD + 'source = "release/1.4"\n[[scenario.commit]]\n' + JANE + SIGNED


def shop() -> Policy:
    policy = read_policy(SHOP.encode(), path="rollback-guard.toml")
    assert policy is not None
    return policy


def read(text: str) -> Scenario:
    (scenario,) = read_scenarios(textwrap.dedent(text).encode(), "shop.toml")
    return scenario


def change(text: str, policy: Policy | None = None) -> Change:
    return change_of(read(text), policy)


def run(text: str, **proposed: Policy) -> tuple[Mismatch, ...]:
    return run_scenario(shop(), read(text), **proposed)


def problems(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(PolicyError) as caught:
        read_scenarios(textwrap.dedent(text).encode(), "shop.toml")
    found: list[tuple[int | None, str, str]] = []
    for problem in caught.value.problems:
        assert isinstance(problem, Problem)
        found.append((problem.line, problem.key, problem.nearest))
    return found


def test_everything_that_is_wrong_in_a_file_is_said_at_once() -> None:
    assert problems("""\
    polcy = "x"
    [[scenario]]
    name = "one"
    stage = "pull"
    as-of = "yesterday"
    base = "abc"
    unknown = { serveys = "shallow" }
    [[scenario.commit]]
    author = "Jane"
    message = " "
    trailers = ["Reviewed-by", 3]
    [[scenario.commit]]
    author = 3
    message = 3
    [scenario.expect]
    decision = "denied"
    violated = ["RG2"]
    """) == [
        (1, "polcy", "policy"),
        (4, "scenario[1].stage", ""),
        (5, "scenario[1].as-of", ""),
        (6, "scenario[1].base", ""),
        (7, "scenario[1].unknown.serveys", "survey"),
        (9, "scenario[1].commit[1].author", ""),
        (10, "scenario[1].commit[1].message", ""),
        (11, "scenario[1].commit[1].trailers[1]", ""),
        (11, "scenario[1].commit[1].trailers[2]", ""),
        (13, "scenario[1].commit[2].author", ""),
        (14, "scenario[1].commit[2].message", ""),
        (16, "scenario[1].expect.decision", "deny"),
        (17, "scenario[1].expect.violated[1]", ""),
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "scenario"),
        ("scenario = []\n", "scenario"),
        ("scenario = 3\n", "scenario"),
        ('[[scenario]]\nname = "x"\n', "scenario[1].expect"),
        (HEAD + "unknown = 3\n", "scenario[1].unknown"),
    ],
)
def test_a_file_without_a_whole_scenario_is_refused(text: str, key: str) -> None:
    assert [found for _, found, _ in problems(text)] == [key]


def test_the_policy_of_a_file_is_that_of_its_scenarios_but_for_those_that_name_one() -> None:
    text = 'policy = "a.toml"\n' + HEAD + HEAD + 'policy = "b.toml"\n'
    assert [scenario.policy for scenario in read_scenarios(text.encode(), "x")] == ["a.toml", "b.toml"]
    assert read(HEAD).policy is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-01-01T00:00:00Z", NEW_YEAR),
        ("2026-01-01T02:00:00+02:00", NEW_YEAR),
        ("2026-01-01T00:00:00", NEW_YEAR),
        ("2026-01-01", NEW_YEAR),
    ],
)
def test_a_moment(written: str, seconds: int) -> None:
    assert read(HEAD + f"as-of = {written}\n").as_of == seconds


def test_a_time_alone_is_no_moment() -> None:
    assert problems(HEAD + "as-of = 07:32:00\n") == [(4, "scenario[1].as-of", "")]


def test_what_is_left_out_gets_the_plainest_value() -> None:
    made = change(EVIDENT, shop())
    assert (made.stage, made.target, made.production, made.move) == ("range", "refs/heads/main", True, "none")
    assert made.base == Known("b" * 40)
    assert made.head == "a" * 40
    assert made.head_tree == made.result_tree
    assert made.source == Known(("release/1.4",))
    assert made.refs == Known(("refs/heads/main", "refs/heads/release/1.4"))
    assert isinstance(made.messages, Known)
    (message,) = made.messages.value
    assert (message.bearer, message.commit, message.time) == ("head", "a" * 40, NEW_YEAR)
    assert message.text.startswith("Change something\n\nReviewed-by: Omar")
    assert made.landings == Known(())


def test_what_is_written_is_what_the_gate_sees() -> None:
    made = change(
        HEAD
        + f"""\
stage = "receive"
target = "refs/heads/production/eu"
repository = "https://github.com/acme/shop.git"
source = "release/1.4"
claimed-source = "release/1.5"
base = "{"1" * 40}"
head-tree = "{"2" * 40}"
result-tree = "{"3" * 40}"
base-in-head = false
touched = ["rollback-guard.toml", "a.py"]
refs = ["refs/heads/x"]
missing = ["other refs"]
unknown = {{ merges = "too old a git" }}
[[scenario.commit]]
author = "Jane Doe <jane@acme.example>"
committer = "Omar <omar@acme.example>"
commit = "{"4" * 40}"
trailers = ["UAT-by: Uma <uma@acme.example>", "Co-authored-by: Eve <eve@elsewhere.example>"]
[[scenario.commit]]
author = "Jane Doe <jane@acme.example>"
tree = "{"5" * 40}"
date = 2025-12-31T00:00:00Z
[[scenario.landing]]
branches = ["release/1.4"]
trailers = ["QA-by: Quinn <quinn@acme.example>"]
[[scenario.merge]]
kind = "resolved"
paths = ["b.py"]
conflicts = ["c.py"]
[scenario.restoration]
tag = "stable/1"
committers = ["Jane Doe <jane@acme.example>"]
"""
    )
    assert made.base_in_head == Known(False)
    assert made.move == "forward"
    assert made.merges == Unknown("too old a git")
    assert made.missing == ("other refs",)
    assert isinstance(made.survey, Known)
    survey = made.survey.value
    assert survey.count == 2
    assert [maker.part for maker in survey.makers] == ["author", "committer", "co-author", "author", "committer"]
    assert survey.makers[2].identity == Identity("Eve", "eve@elsewhere.example")
    assert survey.earlier == (EarlierTrailer(Trailer("UAT-by", "Uma <uma@acme.example>"), "4" * 40),)
    assert isinstance(made.messages, Known)
    assert [(message.bearer, message.tree) for message in made.messages.value] == [
        ("landing", "c" * 40),
        ("head", "5" * 40),
    ]
    assert isinstance(made.landings, Known)
    assert made.landings.value[0].heads == (made.head,)
    assert isinstance(made.touched, Known)
    assert (made.touched.value.governing, made.touched.value.others) == (("rollback-guard.toml",), True)
    assert made.restoration is not None
    assert made.restoration.commit == "b" * 40


def test_merges_and_landings_bear_made_up_oids() -> None:
    text = HEAD + '[[scenario.merge]]\npaths = ["a"]\n[[scenario.landing]]\nmerge = false\n[[scenario.commit]]\n' + JANE
    made = change(text)
    assert isinstance(made.merges, Known)
    assert (made.merges.value[0].commit, made.merges.value[0].hunks[0].path) == (f"{1:040x}", "a")
    assert isinstance(made.landings, Known)
    assert made.landings.value[0].heads == ()
    assert isinstance(made.messages, Known)
    assert [message.bearer for message in made.messages.value] == ["landing"]


@pytest.mark.parametrize(
    ("more", "head", "bearers"),
    [
        ('stage = "commit"\n', None, ["head"]),
        ('stage = "message"\n', None, ["landing"]),
        ('stage = "message"\nsource = "x"\n', "a" * 40, ["head"]),
        ('stage = "receive"\nmove = "delete"\n', None, ["head"]),
        (f'head = "{"9" * 40}"\n', "9" * 40, ["head"]),
    ],
)
def test_the_head_and_who_bears_the_trailers(more: str, head: str | None, bearers: list[str]) -> None:
    made = change(HEAD + more + "[[scenario.commit]]\n" + JANE)
    assert made.head == head
    assert isinstance(made.messages, Known)
    assert [message.bearer for message in made.messages.value] == bearers


def test_the_message_in_the_making_has_no_commit_and_no_date() -> None:
    made = change(HEAD + 'stage = "message"\nsource = "x"\n[[scenario.commit]]\n' + JANE + "[[scenario.landing]]\n")
    assert isinstance(made.messages, Known)
    landing = made.messages.value[0]
    assert (landing.bearer, landing.commit, landing.tree, landing.time) == ("landing", None, None, None)


@pytest.mark.parametrize(
    ("more", "heads", "branches"),
    [
        ('stage = "push"\n', ((),), ((),)),
        ('stage = "push"\nsource = "release/1"\n', (), ()),
        ('stage = "landed"\nsource = "release/1"\n', (("a" * 40,),), (("release/1",),)),
    ],
)
def test_what_lands_when_nothing_is_said_of_it(more: str, heads: object, branches: object) -> None:
    made = change(HEAD + more + "[[scenario.commit]]\n" + JANE)
    assert isinstance(made.landings, Known)
    assert tuple(landing.heads for landing in made.landings.value) == heads
    assert tuple(landing.branches.value for landing in made.landings.value if isinstance(landing.branches, Known)) == (
        branches
    )


def test_the_target_is_production_when_the_policy_says_so_or_the_scenario() -> None:
    assert not change(HEAD + 'target = "jane/x"\n', shop()).production
    assert change(HEAD + 'target = "jane/x"\n').production
    assert change(HEAD + 'target = "jane/x"\nproduction = true\n', shop()).production
    assert not change(HEAD + 'target = "refs/tags/main"\n', shop()).production
    assert change(HEAD + 'move = "create"\nstage = "push"\n').base == Known(None)


@pytest.mark.parametrize("fact", sorted(UNKNOWABLE))
def test_every_fact_that_may_be_unknown_can_be(fact: str) -> None:
    made = change(HEAD + f'unknown.{fact} = "not fetched"\n')
    assert getattr(made, UNKNOWABLE[fact]) == Unknown("not fetched")


def test_a_scenario_that_comes_as_expected_has_no_mismatch() -> None:
    assert run(EVIDENT) == ()
    assert run(EVIDENT.replace("decision", "satisfied = ['RG201']\nexpect.decision")) == ()


def test_every_difference_is_told_with_what_the_rule_found() -> None:
    text = EVIDENT.replace(
        'expect.decision = "allow"',
        'expect = {decision = "deny", violated = ["RG201"], satisfied = ["RG999"], not-applicable = ["RG102"]}',
    )
    assert [mismatch[:3] for mismatch in run(text)] == [
        ("decision", "deny", "allow"),
        ("RG201", "violated", "satisfied"),
        ("RG999", "satisfied", "no such rule"),
        ("RG102", "not-applicable", "satisfied"),
    ]
    missing = EVIDENT.replace("UAT-by", "Seen-by").replace('"allow"', '"deny"\nexpect.violated = []')
    (mismatch,) = run(missing)
    assert mismatch[:3] == ("RG201", "not violated", "violated")
    assert "uat" in mismatch.detail[0]


def test_a_change_of_the_policy_is_judged_by_both() -> None:
    laxer = shop()._replace(sign_off=())
    text = EVIDENT.replace("UAT-by", "Seen-by").replace('"allow"', '"deny"') + ""
    text = text.replace("source", 'touched = ["rollback-guard.toml", "a.py"]\nsource', 1)
    text = text.replace("expect.decision", 'expect.violated = ["RG002", "RG201"]\nexpect.decision', 1)
    assert run(text, proposed=laxer) == ()
    unreadable = EVIDENT.replace('"allow"', '"deny"\nexpect.violated = ["RG002"]')
    unreadable = unreadable.replace("source", 'touched = ["rollback-guard.toml"]\nproposed-error = "odd"\nsource', 1)
    assert run(unreadable) == ()


def test_production_without_a_policy_is_refused_until_a_change_brings_one() -> None:
    text = EVIDENT.replace("source", "without-policy = true\nsource", 1)
    assert run(text.replace('"allow"', '"deny"\nexpect.violated = ["RG001"]')) == ()
    assert run(text.replace("source", 'touched = ["rollback-guard.toml"]\nsource', 1)) == ()


def test_every_key_is_described_and_every_annotation_is_a_kind_or_a_class() -> None:
    classes = {name: value for name, value in vars(scenario_model).items() if name in SCENARIO_DOCS}
    keys = {name: [field.key for field in fields_of(cls)] for name, cls in classes.items()}
    assert {name: sorted(docs) for name, docs in SCENARIO_DOCS.items()} == {n: sorted(k) for n, k in keys.items()}
    used = {field.kind for cls in classes.values() for field in fields_of(cls)}
    assert {kind for kind in used if kind not in SCENARIO_KINDS} == set(classes) - {"ScenarioFile"}
    assert set(SCENARIO_KINDS) - used == set()


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "scenarios").glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_come_as_expected(path: Path) -> None:
    for scenario in read_scenarios(path.read_bytes(), path.name):
        read_one = [
            None if name is None else read_policy((path.parent / name).read_bytes(), path=name)
            for name in (scenario.policy, scenario.proposed)
        ]
        assert run_scenario(read_one[0], scenario, proposed=read_one[1]) == (), scenario.name


@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_explained(data: bytes) -> None:
    with pytest.raises(PolicyError) as caught:
        read_scenarios(data, "x")
    assert caught.value.problems


SIGNED_POLICY = (ROOT / "examples" / "policies" / "signed.toml").read_text()


def test_what_people_signed_and_what_nobody_did() -> None:
    strict = SIGNED_POLICY.replace("[production]", "[production]\nsigned-commits = true")
    policy = read_policy(strict.encode(), path="rollback-guard.toml")
    assert policy is not None
    text = HEAD + 'source = "release/1.4"\n[[scenario.commit]]\nunsigned = true\n' + JANE
    text += "[[scenario.commit]]\n" + JANE
    text += '[[scenario.signed]]\nrole = "review"\nperson = "omar"\n'
    text += '[[scenario.signed]]\nrole = "qa"\nperson = "quinn"\n'
    text += '[[scenario.waiver]]\nrule = "RG107"\nperson = "omar"\nreviewed-by = ["quinn"]\n'
    text += "expires = 2026-01-02T00:00:00Z\n"
    found = change(text, policy)
    assert isinstance(found.decisions, Known)
    assert isinstance(found.waivers, Known)
    assert isinstance(found.unproven, Known)
    assert [(one.person, one.binding, one.time) for one in found.decisions.value] == [
        ("omar", "result", NEW_YEAR),
        ("quinn", "result", NEW_YEAR),
    ]
    assert [(one.rule, one.expires - NEW_YEAR, one.reviewers) for one in found.waivers.value] == [
        ("RG107", 86400, ("quinn",))
    ]
    assert [(one.name, one.fault) for one in found.unproven.value] == [("Jane Doe", "it bears no signature")]
    assert change(text).unproven == Known(())


def test_migrations_without_a_way_back() -> None:
    text = EVIDENT.replace("source", 'irreversible = ["db/migrations/7_less.sql"]\nsource', 1)
    found = change(text).irreversible
    assert isinstance(found, Known)
    assert [(one.path, one.id, one.state, one.risk) for one in found.value] == [
        ("db/migrations/7_less.sql", "7_less.sql", "added", "irreversible")
    ]
    assert run(text.replace('"allow"', '"deny"\nexpect.violated = ["RG402"]')) == ()


ENGINES = (
    ("postgresql", "$SHOP_DATABASE_URL", "", "postgresql:/srv/SHOP_DATABASE_URL"),
    ("postgresql", "postgresql://jane:x@db/shop", "", "postgresql://db/shop"),
    ("postgresql", "$X", 'identity = "postgresql://db/shop"', "postgresql://db/shop"),
    ("sqlite", "data/shop.db", "", "sqlite:/srv/data/shop.db"),
    ("directory", "directory:/srv/up", "", "directory:/srv/up"),
)


def backed(engine: str, source: str, more: str) -> Policy:
    text = (
        f'\n[[backup]]\nname = "db"\nengine = "{engine}"\nsource = "{source}"\nby = ["uma", "omar"]\nmax-age = "1h"\n'
    )
    policy = read_policy((SHOP + text + more).encode(), path="rollback-guard.toml")
    assert policy is not None
    return policy


@pytest.mark.parametrize(("engine", "source", "more", "place"), ENGINES)
def test_a_backup_of_which_only_the_name_is_told_is_in_order(engine: str, source: str, more: str, place: str) -> None:
    policy = backed(engine, source, more)
    text = EVIDENT.replace("source", 'backup = [{ name = "db" }]\nsource', 1)
    found = change(text, policy).backups
    assert isinstance(found, Known)
    (one,) = found.value
    assert (one.person, one.place, one.level, one.snapshot) == ("omar", place, "compared", NEW_YEAR)
    assert run_scenario(policy, read(text)) == ()
    (mismatch, *_) = run_scenario(policy, read(EVIDENT))
    assert (mismatch.subject, mismatch.found) == ("decision", "deny")
    bare = change(text).backups
    assert isinstance(bare, Known)
    assert (bare.value[0].claimed, bare.value[0].engine) == ("somebody", "directory")
    assert change_of(read(text), None).backups == bare


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ('name = "other"', "RG301"),
        ("taken = 2025-12-31T22:00:00Z", "RG302"),
        (f'commit = "{"9" * 40}"', "RG302"),
        ('level = "stored"', "RG303"),
        ('artefact = "gone"', "RG304"),
        ('artefact = "changed"', "RG304"),
        ('source = "$OTHER"', "RG305"),
        ('place = "postgresql://stage/shop", before = "postgresql://db/shop"', "RG305"),
        ('person = "jane"', "RG301, RG306"),
        ('fault = "the signature does not verify"', "RG301, RG306"),
    ],
)
def test_what_is_wrong_with_a_backup_is_found(said: str, rule: str) -> None:
    name = "" if said.startswith("name") else 'name = "db", '
    rules = ", ".join(f'"{one}"' for one in rule.split(", "))
    text = EVIDENT.replace("source", f"backup = [{{ {name}{said} }}]\nsource", 1)
    text = text.replace('"allow"', f'"deny"\nexpect.violated = [{rules}]')
    assert run_scenario(backed("postgresql", "$SHOP_DATABASE_URL", ""), read(text)) == ()


def test_a_store_that_nobody_sees_is_not_known() -> None:
    text = EVIDENT.replace("source", 'backup = [{ name = "db", artefact = "unseen" }]\nsource', 1)
    text = text.replace('"allow"', '"undetermined"\nexpect.undetermined = ["RG304"]')
    assert run_scenario(backed("sqlite", "x.db", ""), read(text)) == ()
