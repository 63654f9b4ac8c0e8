"""What holds for any facts: nothing raises, and what is not known never helps a change."""

from __future__ import annotations

from itertools import combinations
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollback_guard.facts.backup_model import ArtefactState
from rollback_guard.facts.model import (
    Change,
    EarlierTrailer,
    Hunk,
    Identity,
    Known,
    Landing,
    Maker,
    MergeCheck,
    Message,
    MissingRevert,
    Restoration,
    RiskyMigration,
    SignedDecision,
    SignedWaiver,
    Survey,
    Touched,
    Trailer,
    Unknown,
    Unproven,
    Unrelanded,
)
from rollback_guard.gate.lookalike import coarse_key, confusable, reads_as
from rollback_guard.gate.registry import RULE_NAMES
from rollback_guard.gate.verdict import Answer, Outcome, decide, decide_all
from rollback_guard.policy.model import Backup, Production, Release, Waiver
from tests.support.examples import examples
from tests.support.facts import (
    BASE,
    HEAD,
    JANE,
    JANE_AT_HOME,
    MERGE,
    NOW,
    OMAR,
    OTHER_TREE,
    QA,
    QUINN,
    REVIEW,
    STRANGER,
    TESTED,
    TREE,
    a_change,
    a_landing,
    a_message,
    a_policy,
    a_survey,
    a_trailer,
    an_attestation,
    answers_of,
    judge,
    without,
)

MISSING = Unknown("not here")
BACKUP = Backup(name="shop", engine="sqlite", source="shop.db", by=("jane",), max_age=3600)
FACTS = (
    *("repository", "base", "head_tree", "result_tree", "source", "survey", "merges", "messages", "landings"),
    *("base_in_head", "refs", "touched", "unrelanded", "irreversible", "decisions", "waivers", "unproven", "backups"),
)
# The facts without which a rule can never say that it holds.
NEEDS = {
    "RG101": ("landings",),
    "RG102": ("landings",),
    "RG103": ("repository",),
    "RG105": ("merges",),
    "RG107": ("survey", "unproven"),
    "RG108": ("refs",),
    "RG201": ("messages", "survey"),
    "RG202": ("messages", "survey"),
    "RG203": ("messages",),
    "RG204": ("messages", "survey"),
    "RG206": ("messages",),
    "RG207": ("decisions",),
    **dict.fromkeys(("RG301", "RG302", "RG303", "RG304", "RG305", "RG306"), ("backups",)),
    "RG402": ("irreversible",),
    "RG403": ("unrelanded",),
}

identities = st.sampled_from([JANE, JANE_AT_HOME, OMAR, QUINN, STRANGER, Identity("", "")])
branches = st.lists(st.sampled_from(["main", "release/1", "hotfix/2", "feature/x", "MAIN"]), max_size=3).map(tuple)
keys = st.sampled_from(["Reviewed-by", "QA-by", "Reviewd-by", "Tested-by", "qa-by"])
signed = identities.map(lambda who: f"{who.name} <{who.email}>")
trailers = st.builds(Trailer, key=keys, value=st.one_of(signed, signed, st.text(max_size=8)))
times = st.one_of(st.none(), st.integers(NOW - 20 * 86400, NOW + 3 * 86400))
refs = st.sampled_from(["refs/heads/main", "refs/heads/MAIN", "refs/tags/main", "refs/remotes/origin/main", "refs/odd"])


def fact(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values.map(Known), values.map(Known), values.map(Known), st.just(MISSING))


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3).map(tuple)


attestations = st.builds(
    an_attestation,
    name=st.sampled_from(["shop-db", "shop-db", "shop"]),
    person=st.sampled_from(["jane", "jane", "omar", None]),
    commit=st.sampled_from([BASE, BASE, HEAD]),
    snapshot=st.integers(NOW - 7200, NOW + 600),
    level=st.sampled_from(["stored", "compared", "exercised"]),
    place=st.sampled_from(["postgresql://db.acme.example:5432/shop", "sqlite:/srv/shop.db"]),
    before=st.sampled_from([None, None, ("postgresql://db.acme.example:5432/shop", "7412"), ("x", "")]),
    fault=st.sampled_from(["", "", "the signature does not verify"]),
    artefact=st.one_of(st.none(), fact(st.builds(ArtefactState, digest=st.sampled_from([None, "2" * 64, "3" * 64])))),
)
messages = st.builds(
    Message,
    bearer=st.sampled_from(["head", "landing"]),
    trailers=some(trailers),
    text=st.sampled_from(["S\n", "S\n\nReviewed by: x\n\nmore\n", "S\n\nQA-by: Quinn Lee <quinn@acme.example>\n"]),
    commit=st.sampled_from([None, HEAD, MERGE]),
    tree=st.sampled_from([None, TREE]),
    time=times,
)
makers = st.builds(
    Maker,
    identity=identities,
    part=st.sampled_from(["author", "committer", "co-author", "pusher"]),
    commit=st.just(HEAD),
    mapped=st.one_of(st.none(), st.none(), identities),
)
surveys = st.builds(
    Survey,
    count=st.integers(0, 2),
    makers=some(makers),
    earlier=some(st.builds(EarlierTrailer, trailer=trailers, commit=st.just(MERGE))),
)
landings = st.builds(
    Landing,
    commit=st.just(MERGE),
    subject=st.just("s"),
    heads=st.sampled_from([(), (HEAD,)]),
    branches=fact(branches),
    squash_of=st.sampled_from([None, "release/1", "feature/x"]),
)
merges = st.builds(
    MergeCheck,
    commit=st.just(MERGE),
    subject=st.text(max_size=5),
    kind=st.sampled_from(["unexplained", "resolved", "octopus"]),
    hunks=some(st.builds(Hunk, path=st.text(max_size=5), line=st.integers(1, 9), added=some(st.text(max_size=5)))),
)
touched = st.builds(Touched, governing=st.sampled_from([(), (), ("rollback-guard.toml",)]), others=st.booleans())
unrelanded = st.builds(
    Unrelanded,
    commit=st.just(MERGE),
    subject=st.text(max_size=5),
    revert=st.just(BASE),
    how=st.sampled_from(["merged", "touched", "held"]),
    paths=some(st.text(max_size=5)),
)
risky = st.builds(
    RiskyMigration,
    path=st.text(max_size=5),
    id=st.text(max_size=5),
    framework=st.just("sql"),
    state=st.sampled_from(["added", "edited", "deleted", "renamed"]),
    reasons=some(st.text(max_size=5)),
    risk=st.sampled_from(["irreversible", "lossy", "taken-back"]),
    old_path=st.text(max_size=5),
)
missing_reverts = st.builds(
    MissingRevert, commit=st.just(MERGE), subject=st.text(max_size=5), revert=st.just(BASE), branch=st.just("main")
)
ids = st.sampled_from([None, "jane", "omar", "quinn", "tess", "nobody"])
decisions = st.builds(
    SignedDecision,
    role=st.sampled_from(["review", "qa", "uat"]),
    decision=st.sampled_from(["approve", "approve", "reject", "withdraw"]),
    person=ids,
    claimed=st.just("omar"),
    time=st.sampled_from([0, NOW - 60, NOW, NOW + 10**6]),
    binding=st.sampled_from(["result", "head", "change"]),
    digest=st.sampled_from(["aa", "bb"]),
    stale=st.sampled_from(["", "", "it was given elsewhere"]),
    other_base=st.booleans(),
    fault=st.sampled_from(["", "", "the signature does not verify"]),
)
waivers = st.builds(
    SignedWaiver,
    rule=st.sampled_from(["RG101", "RG201", "RG001", "RG205", "RG402"]),
    person=ids,
    claimed=st.just("omar"),
    time=st.sampled_from([0, NOW - 60, NOW + 10**6]),
    expires=st.sampled_from([0, NOW + 60, NOW + 10**7]),
    reason=st.just("the shop is down"),
    incident=st.sampled_from(["", "INC-1"]),
    digest=st.sampled_from(["aa", "bb"]),
    stale=st.sampled_from(["", "", "elsewhere"]),
    fault=st.sampled_from(["", "", "does not verify"]),
)
unproven = st.builds(
    Unproven, commit=st.just(HEAD), name=st.just("x"), email=st.just("x@y"), fault=st.just("it bears no signature")
)
changes = st.builds(
    Change,
    unproven=fact(st.one_of(st.just(()), some(unproven))),
    decisions=fact(some(decisions)),
    waivers=fact(some(waivers)),
    stage=st.sampled_from(["commit", "merge", "message", "push", "receive", "range", "landed"]),
    target=st.sampled_from(["refs/heads/main", "refs/heads/main", "refs/heads/x", "refs/tags/main"]),
    production=st.booleans(),
    repository=fact(st.sampled_from(["github.com/acme/shop", "https://example.org/x", ""])),
    base=fact(st.sampled_from([None, BASE, HEAD])),
    head=st.sampled_from([None, HEAD, HEAD]),
    head_tree=fact(st.just(TREE)),
    result_tree=fact(st.sampled_from([TREE, OTHER_TREE])),
    move=st.sampled_from(["none", "create", "forward", "forward", "rewind", "delete"]),
    source=fact(branches),
    claimed_source=st.sampled_from([None, None, "release/1", "feature/x", "-x"]),
    survey=fact(surveys),
    merges=fact(st.one_of(st.just(()), some(merges))),
    messages=fact(some(messages)),
    landings=fact(st.one_of(st.just(()), some(landings))),
    base_in_head=fact(st.booleans()),
    refs=fact(some(refs)),
    touched=fact(touched),
    tag_faults=st.one_of(st.none(), st.none(), fact(st.sampled_from([(), ("it is lightweight",)]))),
    unrelanded=fact(st.one_of(st.just(()), some(unrelanded))),
    irreversible=fact(st.one_of(st.just(()), some(risky))),
    backups=fact(some(attestations)),
    protected=st.sampled_from([None, None, BASE, HEAD]),
    missing_reverts=st.one_of(st.none(), fact(some(missing_reverts))),
    restoration=st.one_of(
        st.none(),
        st.none(),
        st.builds(Restoration, tag=st.just("t"), commit=st.just(BASE), committers=some(identities)),
    ),
)
DATABASE = Backup(name="shop-db", engine="postgresql", source="$SHOP_DATABASE_URL", by=("jane",), max_age=3600)
policies = st.one_of(
    st.none(),
    st.sampled_from(
        [
            a_policy(),
            a_policy(sign_off=(REVIEW,), release=Release()),
            a_policy(sign_off=()),
            a_policy(people=(), sign_off=(), production=Production(branches=("main",))),
            a_policy(sign_off=(REVIEW, QA._replace(proof="signature"))),
            a_policy(route=()),
            a_policy(backup=(DATABASE,)),
            a_policy(backup=(BACKUP, DATABASE), waiver=Waiver(by=("omar", "tess"), count=1)),
            a_policy(sign_off=(REVIEW, QA._replace(proof="forge")), waiver=Waiver(by=("omar", "tess"), count=1)),
        ]
    ),
)
errors = st.sampled_from(["", "", "", "line 1: wrong"])
many = settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(policies, changes, policies, errors)
def test_no_facts_make_the_gate_raise_and_every_rule_answers(policy: Any, change: Change, new: Any, error: str) -> None:
    verdict = judge(policy, change, proposed=new, proposed_error=error)
    assert tuple((outcome.rule, outcome.name) for outcome in verdict.outcomes) == RULE_NAMES
    assert verdict.decision == decide(verdict.outcomes, production=change.production)
    for outcome in verdict.outcomes:
        assert bool(outcome.findings) == (outcome.answer in ("violated", "undetermined"))


@many
@given(policies, changes, policies, errors, st.sets(st.sampled_from(FACTS), min_size=1))
def test_what_is_no_longer_known_never_makes_a_change_allowed(
    policy: Any, change: Change, new: Any, error: str, lost: set[str]
) -> None:
    if change.stage == "merge":  # which files it touches is left to commit-msg there
        lost = lost - {"touched"}
    known = judge(policy, change, proposed=new, proposed_error=error)
    less = judge(policy, without(change, *lost), proposed=new, proposed_error=error)
    assert known.decision == "allow" or less.decision != "allow"


@many
@given(policies, changes, st.sampled_from(sorted(NEEDS)))
def test_a_rule_without_a_fact_that_it_needs_is_never_satisfied(policy: Any, change: Change, rule: str) -> None:
    for lost in NEEDS[rule]:
        if lost == "unproven" and policy is not None:
            policy = policy._replace(production=policy.production._replace(signed_commits=True))
        plain = without(change, lost)._replace(restoration=None)
        assert answers_of(judge(policy, plain))[rule] != "satisfied"


STRICT = a_policy(production=a_policy().production._replace(signed_commits=True))
BACKED = STRICT._replace(backup=(DATABASE,))
STALE = an_attestation(snapshot=NOW - 7200)


def in_order(**overrides: Any) -> Change:
    return a_change(**{"backups": Known((an_attestation(),)), **overrides})


# One thing wrong with a change in order.
DEFECTS: dict[str, dict[str, Any]] = {
    "no sign-off": {"messages": Known(())},
    "signed by its maker": {"messages": Known((a_message(a_trailer("Reviewed-by", JANE), TESTED),))},
    "signed on another tree": {"base_in_head": Known(False), "result_tree": Known(OTHER_TREE)},
    "no route": {"source": Known(("feature/x",))},
    "false claim": {"claimed_source": "hotfix/1"},
    "direct": {"landings": Known((a_landing(heads=(), branches=Known(("main",))),))},
    "fork": {"repository": Known("github.com/jane/shop")},
    "evil merge": {"merges": Known((MergeCheck(commit=MERGE, subject="s", kind="unexplained"),))},
    "stranger": {"survey": Known(a_survey(Maker(STRANGER, "author", HEAD)))},
    "unsigned": {"unproven": Known((Unproven(HEAD, "Jane Doe", "jane@acme.example", "it bears no signature"),))},
    "no way back": {"irreversible": Known((RiskyMigration(path="1.sql", id="1", framework="sql", state="added"),))},
    "no backup": {"backups": Known(())},
    "old backup": {"backups": Known((STALE,))},
    "backup by somebody": {"backups": Known((an_attestation(person="omar"),))},
    "look-alike": {"refs": Known(("refs/heads/MAIN",))},
    "tag named like production": {"refs": Known(("refs/tags/main",))},
    "policy deleted": {"touched": Known(Touched(("rollback-guard.toml",)))},
    "forced": {"stage": "push", "move": "rewind"},
    "deleted": {"stage": "push", "move": "delete", "head": None},
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_not_hidden_by_any_two_facts_that_are_lost(defect: str) -> None:
    change = in_order(**DEFECTS[defect])
    policy = BACKED if "backups" in DEFECTS[defect] else STRICT
    assert judge(policy, change).decision == "deny"
    for lost in combinations(FACTS, 2):
        verdict = judge(policy, without(change, *lost))
        assert verdict.decision != "allow", lost


@pytest.mark.parametrize("lost", sorted(set(FACTS) - {"base", "head_tree", "result_tree", "base_in_head", "waivers"}))
def test_a_change_in_order_is_undetermined_without_a_fact(lost: str) -> None:
    assert judge(BACKED, in_order()).decision == "allow"
    assert judge(BACKED, in_order(**{lost: MISSING})).decision == "undetermined"


def test_commits_that_nobody_asks_to_be_signed_need_no_signature() -> None:
    for unsigned in (DEFECTS["unsigned"], {"unproven": MISSING}):
        assert judge(a_policy(), a_change(**unsigned)).decision == "allow"


answers: st.SearchStrategy[Answer] = st.sampled_from(get_args(Answer))
outcomes = st.lists(answers.map(lambda one: Outcome(rule="RG000", name="x", answer=one)), max_size=6).map(tuple)


@given(outcomes, st.booleans(), st.randoms())
def test_decisions_do_not_depend_on_order_and_get_no_better_by_more_bad_news(
    given_outcomes: tuple[Outcome, ...], production: bool, random: Any
) -> None:
    decision = decide(given_outcomes, production=production)
    shuffled = list(given_outcomes)
    random.shuffle(shuffled)
    assert decide(tuple(shuffled), production=production) == decision
    for worse in ("violated", "undetermined"):
        answer: Answer = "violated" if worse == "violated" else "undetermined"
        more = (*given_outcomes, Outcome(rule="RG000", name="x", answer=answer))
        assert decide(more, production=production) != "allow"
        assert decision != "deny" or answer == "undetermined" or decide(more, production=production) == "deny"


@given(outcomes)
def test_production_to_which_no_rule_applied_is_denied(given_outcomes: tuple[Outcome, ...]) -> None:
    silent = tuple(one for one in given_outcomes if one.answer == "not-applicable")
    assert decide(silent, production=True) == "deny"
    assert decide(silent, production=False) == "allow"


@given(st.lists(st.sampled_from(["allow", "deny", "undetermined"]), max_size=5))
def test_over_several_changes_the_worst_decides(decisions: Any) -> None:
    worst = decide_all(tuple(decisions))
    assert worst == next((one for one in ("deny", "undetermined") if one in decisions), "allow")


@given(st.text(max_size=12), st.text(max_size=12))
def test_confusable_is_symmetric_and_implies_the_same_coarse_key(one: str, other: str) -> None:
    assert confusable(one, other) == confusable(other, one)
    assert not confusable(one, other) or coarse_key(one) == coarse_key(other)


@given(st.text("rnmvwcldVW1I0oа", max_size=8), st.text("rnmvwcldVW1I0oа", max_size=8))
def test_names_that_read_alike_share_the_coarse_key(one: str, other: str) -> None:
    assert reads_as(one, other) == reads_as(other, one)
    assert not reads_as(one, other) or coarse_key(one) == coarse_key(other)
    assert reads_as(one, other) or not confusable(one, other)
