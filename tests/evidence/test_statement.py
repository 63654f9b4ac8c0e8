"""A statement has one spelling, and whatever else claims to be one is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.evidence.canonical import read_json, render_json
from rollback_guard.evidence.statement import (
    Binding,
    BindingKind,
    Decision,
    Statement,
    StatementError,
    backup_key,
    binding_key,
    namespace_of,
    read_statement,
    render_statement,
    store_key,
)
from rollback_guard.evidence.statement_model import DAY, MOST_BYTES
from rollback_guard.evidence.statement_model import SIGN_OFF as SIGN_OFF_TYPE
from rollback_guard.policy.model import LEVELS
from tests.evidence.values import (
    BACKUP,
    BASE,
    BINDING,
    FIRST_BACKUP,
    HEAD,
    NOW,
    RELEASE,
    REVIEW,
    REVOCATION,
    SIGN_OFF,
    TREE,
    VERDICT,
    WAIVER,
)

ALL: tuple[Statement, ...] = (SIGN_OFF, WAIVER, REVIEW, VERDICT, RELEASE, REVOCATION, BACKUP, FIRST_BACKUP)


def refused(payload: bytes) -> str:
    with pytest.raises(StatementError) as caught:
        read_statement(payload)
    assert str(caught.value) == caught.value.reason
    return caught.value.reason


def changed(statement: Statement, *path: str | int, to: Any = None, drop: bool = False) -> bytes:
    """The statement's bytes with one value of its document changed or dropped, in the one spelling."""
    document = json.loads(render_statement(statement))
    here = document
    for part in path[:-1]:
        here = here[part]
    if drop:
        del here[path[-1]]
    else:
        here[path[-1]] = to
    return render_json(document)


def test_the_bytes_of_a_sign_off() -> None:
    document = json.loads(render_statement(SIGN_OFF._replace(source="refs/heads/release/1.4")))
    assert document == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "github.com/acme/shop refs/heads/main", "digest": {"gitTree": TREE}},
            {"name": "head", "digest": {"gitCommit": HEAD}},
        ],
        "predicateType": "https://github.com/rollback-guard/rollback_guard/evidence/sign-off/v1",
        "predicate": {
            "role": "qa",
            "decision": "approve",
            "binding": {
                "kind": "result",
                "repository": "github.com/acme/shop",
                "target": "refs/heads/main",
                "base": BASE,
                "object": TREE,
            },
            "base": BASE,
            "head": HEAD,
            "resultTree": TREE,
            "policyDigest": "sha256:" + "a" * 64,
            "signer": "jane",
            "time": "2026-11-23T00:00:00Z",
            "comment": "All 14 cases pass.\nZürich too.",
            "source": "refs/heads/release/1.4",
        },
    }
    assert render_statement(SIGN_OFF).startswith(b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"base":"1')


def test_a_verdict_is_a_verification_summary() -> None:
    predicate = json.loads(render_statement(VERDICT))["predicate"]
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("PASSED", ["ROLLBACK_GUARD_ALLOWED"])
    assert predicate["resourceUri"] == "git+https://github.com/acme/shop@refs/heads/main"
    assert predicate["inputAttestations"] == [{"digest": {"sha256": "b" * 64}}, {"digest": {"sha256": "c" * 64}}]
    assert predicate["rollbackguard_gate"]["rules"] == {"RG101": "satisfied", "RG301": "waived"}
    local = BINDING._replace(repository="/srv/git/shop one")
    denied = json.loads(render_statement(VERDICT._replace(decision="deny", binding=local)))["predicate"]
    assert (denied["verificationResult"], denied["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert denied["resourceUri"] == "git+file:///srv/git/shop%20one@refs/heads/main"


@pytest.mark.parametrize("statement", ALL, ids=lambda one: type(one).__name__)
def test_what_was_written_is_read(statement: Statement) -> None:
    assert read_statement(render_statement(statement)) == statement


def test_each_kind_and_role_has_a_namespace_of_its_own() -> None:
    names = [namespace_of(statement) for statement in (*ALL, SIGN_OFF._replace(role="uat"))]
    assert names == [
        "rollback-guard.sign-off.qa",
        "rollback-guard.waiver",
        "rollback-guard.waiver-review",
        "rollback-guard.verdict",
        "rollback-guard.release",
        "rollback-guard.release",
        "rollback-guard.backup",
        "rollback-guard.backup",
        "rollback-guard.sign-off.uat",
    ]


def test_a_binding_key_tells_every_part() -> None:
    """No two bindings share one, so that evidence on another tree, base, branch or repository is elsewhere."""
    others = [
        BINDING,
        BINDING._replace(kind="head"),
        BINDING._replace(repository="github.com/acme/other"),
        BINDING._replace(target="refs/heads/maintenance"),
        BINDING._replace(base="4" * 40),
        BINDING._replace(base=None),
        BINDING._replace(object="4" * 40),
        BINDING._replace(target="refs/heads/\udcff"),
    ]
    keys = {binding_key(binding) for binding in others}
    assert len(keys) == len(others)
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)
    assert binding_key(BINDING) == KEY  # the store's paths must never change


KEY = "60ff5c761416b5e75f8f22e2e7622533ab6f6e7719261cffa75655c1270515ed"
SPELLINGS = [
    (lambda text: text.replace('{"_type"', '{"_type":"https://in-toto.io/Statement/v0.1","_type"'), "has a key twice"),
    (lambda text: text.replace('"role":"qa"', '"role":"qa","role":"uat"'), "has a key twice"),
    (lambda text: text.replace(",", ", "), "not written in the one way"),
    (lambda text: text + "\n", "not written in the one way"),
    (lambda text: text.replace("\\u00fc", "ü"), "not written in the one way"),
    (lambda text: text.replace("\\u00fc", "\\u00FC"), "not written in the one way"),
    (lambda text: text.replace('"qa"', '"\\u0071a"'), "not written in the one way"),
    (lambda text: "\ufeff" + text, "is no JSON"),
    (lambda text: text[:-1], "is no JSON"),
    (lambda text: text + text, "is no JSON"),
    (lambda text: text.replace('"qa"', "NaN"), "holds the number NaN"),
    (lambda text: text.replace('"qa"', "-Infinity"), "holds the number -Infinity"),
    (lambda text: text.replace('"qa"', "1.0"), "holds the number 1.0"),
    (lambda text: text.replace('"qa"', "1e400"), "holds the number 1e400"),
    (lambda text: text.replace('"qa"', "9" * 5000), "holds a number that is too large"),
    (lambda text: text.replace('"qa"', "[" * 5000 + "]" * 5000), "nested too deeply"),
    (lambda text: text.replace('"qa"', '{"a":' * 5000 + "1" + "}" * 5000), "nested too deeply"),
    (lambda text: "[" * 20000, "nested too deeply"),
    (lambda text: "[]", "is no JSON object"),
    (lambda text: "", "is no JSON"),
    (lambda text: " " * MOST_BYTES + text, "at most 32,768 are read"),
]


@pytest.mark.parametrize(("change", "reason"), SPELLINGS)
def test_another_spelling_is_refused(change: Any, reason: str) -> None:
    text = render_statement(SIGN_OFF).decode()
    assert change(text) != text
    assert reason in refused(change(text).encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    assert refused(render_statement(SIGN_OFF).replace(b"qa", b"\xff\xfe")) == "is no UTF-8"


SHAPES = [
    (("_type",), "https://in-toto.io/Statement/v0.1", "only https://in-toto.io/Statement/v1 is read"),
    (("_type",), ["x"], "only https://in-toto.io/Statement/v1 is read"),
    (("predicateType",), SIGN_OFF_TYPE.replace("/v1", "/v2"), "which is not read here"),
    (("predicateType",), "https://in-toto.io/attestation/test-result/v0.1", "which is not read here"),
    (("predicateType",), {}, "which is not read here"),
    (("predicateType",), SIGN_OFF_TYPE.replace("sign-off", "waiver"), "the waiver lacks rule"),
    (("more",), 1, "the statement has the unknown key more"),
    (("predicate", "more"), 1, "the sign-off has the unknown key more"),
    (("predicate", "binding", "more"), 1, "the binding has the unknown key more"),
    (("predicate",), [], "the sign-off is no object"),
    (("predicate", "binding"), "x", "the binding is no object"),
    (("subject",), [], "says in one place what it does not say in another"),
    (("subject", 0, "digest", "gitTree"), "4" * 40, "says in one place"),
    (("subject", 0, "name"), "github.com/acme/shop refs/heads/other", "says in one place"),
    (("subject", 1, "digest", "gitCommit"), "4" * 40, "says in one place"),
    (("predicate", "role"), "", "role is no name"),
    (("predicate", "role"), "q a", "role is no name"),
    (("predicate", "role"), 1, "role is no name"),
    (("predicate", "role"), "q" * 101, "role is no name"),
    (("predicate", "decision"), "approved", "none of approve, reject, withdraw"),
    (("predicate", "decision"), ["approve"], "decision is no name"),
    (("predicate", "decision"), "allow", "none of approve, reject, withdraw"),
    (("predicate", "signer"), None, "signer is no name"),
    (("predicate", "time"), NOW, "a time is not written as"),
    (("predicate", "time"), "2026-11-23T00:00:00+", "is no date"),
    (("predicate", "time"), "2026-11-23 00:00:00Z", "is no date"),
    (("predicate", "time"), "20261123000000ZZZZZZ", "says in one place"),
    (("predicate", "time"), "2026-02-30T00:00:00Z", "no such day"),
    (("predicate", "time"), "2026-11-23T00:00:60Z", "no such day"),
    (("predicate", "head"), HEAD[:-1], "head is no object id"),
    (("predicate", "head"), "A" * 40, "head is no object id"),
    (("predicate", "head"), 3, "head is no object id"),
    (("predicate", "head"), "3" * 64, "of different lengths"),
    (("predicate", "base"), "4" * 40, "bound to another base or result tree"),
    (("predicate", "resultTree"), "4" * 40, "bound to another base or result tree"),
    (("predicate", "binding", "object"), "4" * 40, "bound to another base or result tree"),
    (("predicate", "binding", "base"), None, "bound to another base or result tree"),
    (("predicate", "binding", "base"), "x", "the binding's base is no object id"),
    (("predicate", "binding", "kind"), "tree", "none of result, change and head"),
    (("predicate", "binding", "kind"), [], "none of result, change and head"),
    (("predicate", "binding", "kind"), "head", "a binding to the head has no base"),
    (("predicate", "binding", "repository"), " ", "the repository is empty"),
    (("predicate", "binding", "repository"), "a\nb", "control characters"),
    (("predicate", "binding", "repository"), "a" * 1025, "at most 1,024"),
    (("predicate", "binding", "target"), "main", "the target is no branch"),
    (("predicate", "binding", "target"), "refs/tags/main", "the target is no branch"),
    (("predicate", "source"), "release/1.4", "the source is no branch"),
    (("predicate", "source"), 7, "the source is no text"),
    (("predicate", "binding", "target"), "refs/heads/", "the target is no branch"),
    (("predicate", "binding", "target"), "refs/heads", "the target is no branch"),
    (("predicate", "binding", "target"), "refs/heads/a b", "the target is no branch"),
    (("predicate", "binding", "target"), "refs/heads/a..b", "the target is no branch"),
    (("predicate", "binding", "target"), "refs/heads/a.lock/b", "the target is no branch"),
    (("predicate", "binding", "target"), "refs/heads/a@{1}", "the target is no branch"),
    (("predicate", "binding", "target"), None, "the target is no text"),
    (("predicate", "policyDigest"), "a" * 64, "policy digest is no sha256"),
    (("predicate", "policyDigest"), "sha256:" + "A" * 64, "policy digest is no SHA-256"),
    (("predicate", "policyDigest"), 1, "policy digest is no sha256"),
    (("predicate", "comment"), "a" * 2001, "comment has 2,001 characters; at most 2,000 are read"),
    (("predicate", "comment"), "\x1b[31m", "control characters"),
    (("predicate", "comment"), "\ud800", "no UTF-8"),
    (("predicate", "comment"), None, "comment is no text"),
]


@pytest.mark.parametrize(("path", "value", "reason"), SHAPES)
def test_another_shape_is_refused(path: tuple[str | int, ...], value: Any, reason: str) -> None:
    assert reason in refused(changed(SIGN_OFF, *path, to=value))


@pytest.mark.parametrize("name", ["role", "decision", "binding", "time", "comment", "policyDigest", "signer"])
def test_nothing_may_be_missing(name: str) -> None:
    assert refused(changed(SIGN_OFF, "predicate", name, drop=True)) == f"the sign-off lacks {name}"


WAIVER_SHAPES = [
    (("rule",), "RG1", "no rule's id"),
    (("rule",), "XX101", "no rule's id"),
    (("rule",), "RGabc", "no rule's id"),
    (("rule",), "RG١٠١", "no rule's id"),
    (("rule",), 101, "no rule's id"),
    (("reason",), " ", "reason is empty"),
    (("incident",), "x" * 201, "at most 200"),
    (("expires",), "2026-11-22T23:59:59Z", "expires before it is signed"),
    (("expires",), "", "a time is not written as"),
    (("binding", "object"), "2" * 64, "of different lengths"),
    (("binding", "object"), "sha256:" + "2" * 64, "no object id"),
    (("binding", "base"), BASE, "a binding to the head has no base"),
    (("binding", "kind"), "change", "no sha256"),
]


@pytest.mark.parametrize(("path", "value", "reason"), WAIVER_SHAPES)
def test_a_waiver_of_another_shape_is_refused(path: tuple[str, ...], value: Any, reason: str) -> None:
    assert reason in refused(changed(WAIVER, "predicate", *path, to=value))


REVIEW_SHAPES = [
    (("rule",), "RG1", "no rule's id"),
    (("waivers",), [], "names no waiver"),
    (("waivers",), "x", "the waivers are no list"),
    (("waivers", 0), {"sha256": "d" * 64}, "one of the waivers lacks digest"),
    (("waivers", 0, "digest", "sha256"), "f" * 64, "not sorted, each once"),
    (("comment",), 1, "comment is no text"),
    (("comment",), " ", "comment is empty"),
    (("time",), "2026", "a time is not written"),
]


@pytest.mark.parametrize(("path", "value", "reason"), REVIEW_SHAPES)
def test_a_review_of_another_shape_is_refused(path: tuple[str | int, ...], value: Any, reason: str) -> None:
    assert reason in refused(changed(REVIEW, "predicate", *path, to=value))


GATE = "rollbackguard_gate"
VERDICT_SHAPES = [
    (("verifier",), {"id": "https://other.example"}, "says in one place"),
    (("verificationResult",), "FAILED", "says in one place"),
    (("verifiedLevels",), [], "says in one place"),
    (("resourceUri",), "git+https://github.com/acme/other@refs/heads/main", "says in one place"),
    ((GATE, "decision"), "deny", "says in one place"),
    ((GATE, "decision"), "approve", "none of allow, deny, undetermined"),
    ((GATE,), [], "the gate's part is no object"),
    ((GATE, "rules"), [], "of the wrong type"),
    ((GATE, "rules"), {"RG101": []}, "rules is no name"),
    ((GATE, "rules"), {"x": "satisfied"}, "no rule's id"),
    ((GATE, "rules"), {f"RG{number}": "satisfied" for number in range(100, 301)}, "more than 200"),
    (("inputAttestations",), {}, "the inputs are no list"),
    (("inputAttestations",), ["x"], "one of the inputs is no object"),
    (("inputAttestations", 0, "digest"), {"sha512": "b" * 64}, "a digest lacks sha256"),
    (("inputAttestations", 0, "digest", "sha256"), "B" * 64, "no SHA-256"),
    (("inputAttestations", 0, "digest", "sha256"), 1, "no SHA-256"),
    (("inputAttestations", 0, "digest", "sha256"), "c" * 64, "not sorted, each once"),
    (("policy", "digest", "sha256"), "sha256:" + "a" * 64, "no SHA-256"),
    (("policy", "uri"), 1, "policy uri is no text"),
    (("policy",), {}, "the policy lacks uri"),
]


@pytest.mark.parametrize(("path", "value", "reason"), VERDICT_SHAPES)
def test_a_verdict_of_another_shape_is_refused(path: tuple[str | int, ...], value: Any, reason: str) -> None:
    assert reason in refused(changed(VERDICT, "predicate", *path, to=value))


RELEASE_SHAPES = [
    (("decision",), "approve", "none of release, revoke"),
    (("decision",), "revoke", "a revocation says why"),
    (("comment",), "because", "nothing else does"),
    (("tag",), "stable/1", "the tag is none: refs/tags/"),
    (("tag",), "refs/heads/stable/1", "the tag is none: refs/tags/"),
    (("tag",), "refs/tags/", "the tag is none: refs/tags/"),
    (("tag",), 1, "the tag is no text"),
    (("tagObject",), "4" * 64, "different lengths"),
    (("tagObject",), "x", "no object id"),
    (("base",), BASE, "bound to something else"),
    (("binding",), BINDING._asdict(), "bound to something else"),
    (("smoke",), [], "of the wrong type"),
    (("smoke",), {"login": "maybe"}, "neither passed nor failed"),
    (("smoke",), {"": "passed"}, "smoke is no name"),
    (("inputs",), {}, "the inputs are no list"),
    (("inputs", 0, "digest", "sha256"), "B" * 64, "no SHA-256"),
    (("time",), "2026", "a time is not written"),
]


@pytest.mark.parametrize(("path", "value", "reason"), RELEASE_SHAPES)
def test_a_release_of_another_shape_is_refused(path: tuple[str | int, ...], value: Any, reason: str) -> None:
    assert reason in refused(changed(RELEASE, "predicate", *path, to=value))


BACKUP_SHAPES = [
    (("name",), "shop db", "name is no name"),
    (("backup",), "", "backup is no name"),
    (("set",), 1, "set is no name"),
    (("origin",), "x", "the origin is no object"),
    (("origin", "more"), 1, "the origin has the unknown key more"),
    (("origin", "engine"), "oracle", "the engine is none of postgresql"),
    (("origin", "engine"), [], "the engine is none of postgresql"),
    (("origin", "place"), " ", "the place is empty"),
    (("origin", "source"), 1, "the source is no text"),
    (("origin", "server"), "a\nb", "the server holds control characters"),
    (("origin", "version"), "1" * 1025, "at most 1,024"),
    (("snapshot",), NOW, "a time is not written"),
    (("position",), None, "position is no text"),
    (("ended",), "2026-11-22T23:00:00Z", "it ended before it began"),
    (("begun",), "", "a time is not written"),
    (("ended",), "2026-11-23T00:05:01Z", "it is signed before it was taken"),
    (("snapshot",), "2026-11-23T00:05:01Z", "it is signed before it was taken"),
    (("artefact", "store"), "", "the store is empty"),
    (("artefact", "file"), "", "the file is empty"),
    (("artefact", "file"), "../backup.zst", "the file does not lie in the store"),
    (("artefact", "file"), "/etc/passwd", "the file does not lie in the store"),
    (("artefact", "file"), "a/./b", "the file does not lie in the store"),
    (("artefact", "file"), "a\\..\\b", "the file does not lie in the store"),
    (("artefact", "digest"), "6" * 64, "a digest is no object"),
    (("artefact", "digest", "sha256"), "6" * 63, "the artefact's digest is no SHA-256"),
    (("artefact", "size"), -1, "the artefact's size is no whole number"),
    (("artefact", "size"), True, "the artefact's size is no whole number"),
    (("artefact", "content"), None, "the artefact's content is no whole number"),
    (("artefact", "compression"), "z" * 101, "at most 100"),
    (("artefact", "encryption"), None, "the encryption is no text"),
    (("content", "digest", "sha256"), "", "the content's digest is no SHA-256"),
    (("content", "items"), "1", "the number of items is no whole number"),
    (("content", "rows"), None, "the number of rows is no whole number"),
    (("content", "uncovered"), "x", "what is not covered is no list"),
    (("content", "uncovered"), [""], "what is not covered is empty"),
    (("content", "uncovered"), ["x"] * 201, "more than 200"),
    (("proof", "level"), "perfect", "the level is none of stored"),
    (("proof", "level"), {}, "the level is none of stored"),
    (("proof", "seconds"), None, "asks for a restore"),
    (("proof", "differences"), None, "asks for a comparison"),
    (("proof", "differences"), 1, "the level exercised allows no differences"),
    (("proof", "differences"), "0", "the number of differences is no whole number"),
    (("proof", "checks"), {}, "the level exercised asks for checks that passed"),
    (("proof", "checks"), {"orders": "failed"}, "the level exercised asks for checks that passed"),
    (("proof", "checks"), {"orders": "maybe"}, "neither passed nor failed"),
    (("proof", "checks"), [], "the checks are of the wrong type"),
    (("tools",), ["pg_dump"], "the tools are of the wrong type"),
    (("tools",), {"": "1"}, "a tool's name is empty"),
    (("tools",), {"pg_dump": 15}, "a tool's version is no text"),
    (("skew",), -1, "skew is no whole number"),
    (("previous",), None, "how long ago the one before was"),
    (("previous",), "8" * 64, "a digest is no object"),
    (("previous", "sha256"), "x", "previous is no SHA-256"),
    (("sincePrevious",), None, "how long ago the one before was"),
    (("sincePrevious",), True, "since previous is no whole number"),
    (("base",), BASE, "bound to something else"),
    (("binding",), BINDING._asdict(), "bound to something else"),
    (("time",), "2026", "a time is not written"),
]


@pytest.mark.parametrize(("path", "value", "reason"), BACKUP_SHAPES)
def test_a_backup_of_another_shape_is_refused(path: tuple[str | int, ...], value: Any, reason: str) -> None:
    assert reason in refused(changed(BACKUP, "predicate", *path, to=value))


def test_a_backup_is_kept_by_name_and_day() -> None:
    """However many are taken of one commit of production, no folder is filled by honest work."""
    others = [
        BACKUP._replace(name="uploads"),
        BACKUP._replace(snapshot=BACKUP.snapshot - DAY),
        BACKUP._replace(binding=BACKUP.binding._replace(object="4" * 40)),
    ]
    keys = {store_key(one) for one in (BACKUP, *others)}
    assert len(keys) == 4
    assert store_key(BACKUP) == store_key(BACKUP._replace(snapshot=BACKUP.snapshot - 60, signer="omar"))
    assert store_key(BACKUP) == backup_key(BACKUP.binding, "shop-db", BACKUP.snapshot // DAY)
    assert store_key(SIGN_OFF) == binding_key(BINDING)


def test_what_could_not_be_read_again_is_not_written() -> None:
    for statement, reason in (
        (SIGN_OFF._replace(comment="a" * 2001), "at most 2,000"),
        (SIGN_OFF._replace(time=-1), "time is no moment"),
        (SIGN_OFF._replace(time=253_402_300_800), "time is no moment"),
        (WAIVER._replace(expires=NOW - 1), "expires before"),
        (SIGN_OFF._replace(binding=BINDING._replace(target="refs/heads/\udcff")), "no UTF-8"),
        (VERDICT._replace(inputs=tuple(f"{n:064x}" for n in range(200)), rules=RULES), "at most 32,768"),
    ):
        with pytest.raises(StatementError, match=reason):
            render_statement(statement)


RULES = tuple((f"RG{number}", "x" * 100) for number in range(100, 300))
WORDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
OIDS = st.sampled_from((BASE, TREE, HEAD))
TEXTS = st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=300)
MOMENTS = st.integers(min_value=0, max_value=253_402_300_799)


KINDS: tuple[BindingKind, ...] = ("result", "change", "head")
DECISIONS: tuple[Decision, ...] = ("approve", "reject", "withdraw")


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    base, head, tree = draw(OIDS), draw(OIDS), draw(OIDS)
    kind = draw(st.sampled_from(KINDS))
    about = {"result": tree, "head": head, "change": "sha256:" + "d" * 64}[kind]
    binding = Binding(
        kind=kind,
        repository=draw(TEXTS.filter(str.strip)),
        target="refs/heads/" + draw(WORDS.filter(lambda word: ".." not in word and not word.endswith((".", ".lock")))),
        base=base if kind == "result" else None,
        object=about,
    )
    if draw(st.booleans()):
        return a_backup(draw, binding._replace(kind="head", base=None, object=tree), head)
    if draw(st.booleans()):
        sign_off = SIGN_OFF._replace(binding=binding, base=base, head=head, result_tree=tree, comment=draw(TEXTS))
        decision = draw(st.sampled_from(DECISIONS))
        return sign_off._replace(role=draw(WORDS), decision=decision, time=draw(MOMENTS), signer=draw(WORDS))
    times = sorted((draw(MOMENTS), draw(MOMENTS)))
    waiver = WAIVER._replace(binding=binding, base=base, head=head, result_tree=tree)
    return waiver._replace(time=times[0], expires=times[1], reason=draw(TEXTS.filter(str.strip)))


def a_backup(draw: st.DrawFn, binding: Binding, head: str) -> Statement:
    """Any backup that may be attested at all."""
    lines, numbers = TEXTS.filter(str.strip), st.integers(0, 10**15 - 1)
    begun, snapshot, ended, signed = sorted(draw(MOMENTS) for _ in range(4))
    content = BACKUP.content._replace(rows=draw(numbers), uncovered=tuple(draw(st.lists(lines, max_size=3))))
    checks = tuple(sorted(dict.fromkeys(draw(st.lists(WORDS, min_size=1, max_size=3)), "passed").items()))
    proof = BACKUP.proof._replace(level=draw(st.sampled_from(LEVELS)), checks=checks, seconds=draw(numbers))
    tools = tuple(sorted(draw(st.dictionaries(lines, TEXTS, max_size=3)).items()))
    since = draw(st.none() | numbers)
    return BACKUP._replace(
        name=draw(WORDS),
        origin=BACKUP.origin._replace(place=draw(lines), source=draw(TEXTS)),
        snapshot=snapshot,
        position=draw(TEXTS),
        begun=begun,
        ended=ended,
        time=signed,
        content=content,
        proof=proof,
        tools=tools,
        previous=None if since is None else "8" * 64,
        since_previous=since,
        binding=binding,
        base=head,
        head=head,
        result_tree=binding.object,
    )


@given(statements())
def test_every_statement_survives(statement: Statement) -> None:
    assert read_statement(render_statement(statement)) == statement


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(payload: bytes) -> None:
    assert refused(payload)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=12) | st.just("2026-11-23T00:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PATHS = st.sampled_from([path for path, _, _ in SHAPES])


@given(PATHS, VALUES)
def test_any_value_anywhere_is_read_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    payload = changed(SIGN_OFF, *path, to=value)
    try:
        statement = read_statement(payload)
    except StatementError:
        return
    assert render_statement(statement) == payload


@given(VALUES)
def test_any_rules_and_inputs_are_read_or_refused(value: Any) -> None:
    for path in (("predicate", GATE, "rules"), ("predicate", "inputAttestations"), ("predicate", "policy")):
        payload = changed(VERDICT, *path, to=value)
        try:
            statement = read_statement(payload)
        except StatementError:
            continue
        assert render_statement(statement) == payload


BACKUP_PATHS = st.sampled_from([path for path, _, _ in BACKUP_SHAPES])


@given(BACKUP_PATHS, VALUES)
def test_any_value_anywhere_in_a_backup_is_read_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    payload = changed(BACKUP, "predicate", *path, to=value)
    try:
        statement = read_statement(payload)
    except StatementError:
        return
    assert render_statement(statement) == payload


def test_json_is_ascii_and_sorted() -> None:
    assert render_json({"b": "ü", "a": [1, None, True]}) == b'{"a":[1,null,true],"b":"\\u00fc"}'
    assert read_json(b'{"a":1}', most=7) == {"a": 1}
