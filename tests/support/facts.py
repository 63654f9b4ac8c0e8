"""A policy and a change in which everything is in order, to be changed in the one respect that a test is about."""

from __future__ import annotations

from typing import Any

from rollback_guard.facts.backup_model import ArtefactState, Attestation
from rollback_guard.facts.model import (
    Change,
    EarlierTrailer,
    Identity,
    Known,
    Landing,
    Maker,
    Message,
    Survey,
    Trailer,
    Unknown,
)
from rollback_guard.gate.evaluate import evaluate_change
from rollback_guard.gate.verdict import ChangeVerdict, Outcome, PolicyUsed
from rollback_guard.policy.model import Person, Policy, Production, Release, Route, SignOff

NOW = 1_795_000_000  # Unix seconds
DAY = 86400
BASE, HEAD, MERGE = "b" * 40, "a" * 40, "c" * 40
TREE, OTHER_TREE = "d" * 40, "e" * 40
USED = PolicyUsed(commit=BASE, path="rollback-guard.toml", digest="sha256:00")
SHALLOW = Unknown("the history is shallow", "git fetch --unshallow")

JANE = Identity(name="Jane Doe", email="jane@acme.example")
JANE_AT_HOME = Identity(name="Jane", email="jane@home.example")
OMAR = Identity(name="Omar Haddad", email="omar@acme.example")
QUINN = Identity(name="Quinn Lee", email="quinn@acme.example")
TESS = Identity(name="Tess Ng", email="tess@acme.example")
STRANGER = Identity(name="Mallory", email="mallory@evil.example")

PEOPLE = (
    Person(id="jane", name="Jane Doe", emails=("jane@acme.example", "Jane@Home.example")),
    Person(id="omar", name="Omar Haddad", emails=("omar@acme.example",)),
    Person(id="quinn", name="Quinn Lee", emails=("quinn@acme.example",)),
    Person(id="tess", name="Tess Ng", emails=("tess@acme.example",)),
)
REVIEW = SignOff(role="review", trailer="Reviewed-by", by=("@developers",), proof="trailer", binding="result")
QA = SignOff(role="qa", trailer="QA-by", by=("quinn", "tess"), proof="trailer", binding="head", max_age=14 * DAY)


def a_policy(**overrides: Any) -> Policy:
    """main is production, reached from release/* and hotfix/*, with a review and QA's sign-off."""
    fields: dict[str, Any] = {
        "version": 1,
        "production": Production(branches=("main",), repositories=("github.com/acme/shop",)),
        "route": (Route(into="main", from_=("release/*", "hotfix/*")),),
        "people": PEOPLE,
        "teams": (("developers", ("jane", "omar")), ("release", ("jane",))),
        "sign_off": (REVIEW, QA),
        "release": Release(by=("@release",)),
    }
    return Policy(**{**fields, **overrides})


def a_trailer(key: str, who: Identity) -> Trailer:
    """`Key: Name <email>`."""
    return Trailer(key=key, value=f"{who.name} <{who.email}>")


def a_message(*trailers: Trailer, **overrides: Any) -> Message:
    """The head's message, a day old, with these trailers in its last paragraph."""
    block = "\n".join(f"{one.key}: {one.value}" for one in trailers)
    fields: dict[str, Any] = {
        "bearer": "head",
        "trailers": trailers,
        "text": f"Repair the cart\n\nIt lost items.\n\n{block}\n",
        "commit": HEAD,
        "tree": TREE,
        "time": NOW - DAY,
    }
    return Message(**{**fields, **overrides})


def a_landing(**overrides: Any) -> Landing:
    """A merge on production, brought by release/1.4."""
    fields: dict[str, Any] = {
        "commit": MERGE,
        "subject": "Merge release 1.4",
        "heads": (HEAD,),
        "branches": Known(("release/1.4",)),
    }
    return Landing(**{**fields, **overrides})


def a_survey(*makers: Maker, earlier: tuple[EarlierTrailer, ...] = (), count: int = 3) -> Survey:
    """Three commits by Jane, or by the makers given."""
    by_jane = (
        Maker(identity=JANE, part="author", commit=HEAD),
        Maker(identity=JANE, part="committer", commit=HEAD),
    )
    return Survey(count=count, makers=makers or by_jane, earlier=earlier)


REVIEWED = a_trailer("Reviewed-by", OMAR)
TESTED = a_trailer("QA-by", QUINN)


def a_change(**overrides: Any) -> Change:
    """release/1.4 would be merged into main; everything is known, and signed on the head."""
    fields: dict[str, Any] = {
        "stage": "range",
        "target": "refs/heads/main",
        "production": True,
        "repository": Known("git@github.com:Acme/shop.git"),
        "base": Known(BASE),
        "head": HEAD,
        "head_tree": Known(TREE),
        "result_tree": Known(TREE),
        "source": Known(("main", "release/1.4")),
        "survey": Known(a_survey()),
        "merges": Known(()),
        "messages": Known((a_message(REVIEWED, TESTED),)),
        "base_in_head": Known(True),
        "unrelanded": Known(()),
        "refs": Known(("refs/heads/main", "refs/heads/release/1.4", "refs/remotes/origin/main", "refs/tags/v1")),
    }
    return Change(**{**fields, **overrides})


def an_attestation(**overrides: Any) -> Attestation:
    """jane attests a backup of a minute ago of what production is at, compared, whose artefact is there."""
    fields: dict[str, Any] = {
        "name": "shop-db",
        "person": "jane",
        "claimed": "jane",
        "time": NOW - 30,
        "digest": "1" * 64,
        "commit": BASE,
        "snapshot": NOW - 60,
        "engine": "postgresql",
        "source": "$SHOP_DATABASE_URL",
        "place": "postgresql://db.acme.example:5432/shop" if "engine" not in overrides else "sqlite:/srv/shop.db",
        "server": "7412",
        "level": "compared",
        "file": "shop-db/1.zst",
        "file_digest": "2" * 64,
        "file_size": 10,
        "artefact": Known(ArtefactState(digest="2" * 64, size=10)),
    }
    return Attestation(**{**fields, **overrides})


def without(change: Change, *facts: str) -> Change:
    """The change with these facts lost."""
    lost: dict[str, Any] = dict.fromkeys(facts, Unknown("not here"))
    return change._replace(**lost)


def judge(policy: Policy | None, change: Change, **overrides: Any) -> ChangeVerdict:
    """The verdict as of NOW."""
    return evaluate_change(policy, change, **{"as_of": NOW, "used": USED, **overrides})


def outcome_of(verdict: ChangeVerdict, rule: str) -> Outcome:
    """One rule's outcome."""
    return next(outcome for outcome in verdict.outcomes if outcome.rule == rule)


def answers_of(verdict: ChangeVerdict) -> dict[str, str]:
    """Every rule's answer, by id."""
    return {outcome.rule: outcome.answer for outcome in verdict.outcomes}
