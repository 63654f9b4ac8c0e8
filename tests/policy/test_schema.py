"""The schema and the reader come from one declaration, so they agree on what a policy looks like."""

from __future__ import annotations

import json
import sys
from typing import Any, get_args

import jsonschema
import pytest

from rollback_guard.errors import PolicyError
from rollback_guard.policy import model
from rollback_guard.policy.kinds import KINDS
from rollback_guard.policy.read import POLICY, read_policy
from rollback_guard.policy.schema import render_schema
from rollback_guard.policy.structs import fields_of
from tests.policy.test_read import KEY, LEAST, OTHER_KEY, PEOPLE, ROLE, WHOLE
from tests.support.architecture import ROOT
from tests.support.builder import POLICY as SHOP

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

AGE = "age1" + "q" * 58
ACCEPTED = [WHOLE, LEAST, LEAST + PEOPLE + ROLE, SHOP, LEAST + "[release]\nsigned = false\n"]
ACCEPTED += [path.read_text() for path in sorted((ROOT / "examples" / "policies").glob("*.toml"))]
JANE = LEAST + "[people.jane]\nname = 'J'\nemails = ['j@x']\n"
DATES = 'valid-after="20260101",valid-before="20270101120000Z"'
ACCEPTED += [JANE + f"keys = ['{DATES} {KEY}', ' {OTHER_KEY}  J. Doe, laptop ']\n"]
BACKUP = "[[backup]]\nname = 'a'\nengine = 'sqlite'\nsource = 'x'\nby = ['jane']\nmax-age = '1h'\n"
ACCEPTED += [
    LEAST + PEOPLE + BACKUP + f"identity = 'sqlite:/srv/x'\nexercise = ['./ask.sh']\nencrypt-to = ['{AGE}', '{KEY}']\n"
]
REFUSED = [
    JANE + "keys = 'x'\n",
    JANE + f"keys = ['{KEY.replace('ed25519', 'dss')}']\n",
    JANE + f"keys = ['{KEY.replace('AAAAC3', 'AAA*C3')}']\n",
    JANE + f"keys = ['jane@x {KEY}']\n",
    JANE + f"keys = ['namespaces=\"git\" {KEY}']\n",
    JANE + f"keys = ['valid-after=\"2026\" {KEY}']\n",
    JANE + f'keys = ["{KEY} \\t"]\n',
    "",
    "version = 1\n",
    LEAST + "colour = 1\n",
    LEAST.replace("1", "2", 1),
    LEAST.replace("1", "true", 1),
    LEAST.replace('["main"]', "[]"),
    LEAST.replace('"main"', '"refs/heads/main"'),
    LEAST.replace('"main"', '"a b"'),
    LEAST + "repositories = []\n",
    LEAST + 'repositories = ["github.com/*"]\n',
    LEAST + "[people.jane]\nname = 'J'\n",
    LEAST + "[people.jane]\nname = 'J'\nemails = ['j']\n",
    LEAST + "[people.jane]\nname = '  '\nemails = ['j@x']\n",
    LEAST + "[people.jane]\nname = 'J'\nemails = ['j@x']\ngithub = 'j'\n",
    LEAST + "[people.'a b']\nname = 'J'\nemails = ['j@x']\n",
    LEAST + PEOPLE + "empty = []\n",
    LEAST + PEOPLE + "qa = ['@developers']\n",
    LEAST + PEOPLE + ROLE + "count = 0\n",
    LEAST + PEOPLE + ROLE + "count = true\n",
    LEAST + PEOPLE + ROLE + "proof = 'none'\n",
    LEAST + PEOPLE + ROLE + "max-age = '14'\n",
    LEAST + PEOPLE + ROLE + "max-age = 14\n",
    LEAST + PEOPLE + ROLE + "max_age = '14d'\n",
    LEAST + PEOPLE + ROLE.replace("Reviewed-by", "Reviewed by"),
    LEAST + PEOPLE + ROLE.replace('["@developers"]', "[]"),
    LEAST + "[release]\ntag = 'stable'\n",
    LEAST + "[release]\nby = []\n",
    LEAST + "[release]\nsigned = 1\n",
    LEAST + "[rollback]\nredeploy = './deploy.sh'\n",
    LEAST + "[[smoke]]\nname = 'a'\nurl = 'x'\nexpect-status = 99\n",
    LEAST + "[[notify]]\nname = 'a'\nurl = 'x'\non = ['x']\n",
    LEAST + "route = 3\n",
    LEAST + PEOPLE + BACKUP + "encrypt-to = ['age1x']\n",
    LEAST + PEOPLE + BACKUP + "exercise = 'x'\n",
]


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = render_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(json.loads(json.dumps(schema)))


@pytest.mark.parametrize("text", ACCEPTED)
def test_the_schema_accepts_what_the_reader_accepts(text: str, validator: Any) -> None:
    assert read_policy(text.encode(), path="rollback-guard.toml") is not None
    assert [error.message for error in validator.iter_errors(tomllib.loads(text))] == []


@pytest.mark.parametrize("text", REFUSED)
def test_both_refuse_what_has_the_wrong_shape(text: str, validator: Any) -> None:
    with pytest.raises(PolicyError):
        read_policy(text.encode(), path="rollback-guard.toml")
    assert list(validator.iter_errors(tomllib.loads(text)))


def classes() -> dict[str, Any]:
    return {name: value for name, value in vars(model).items() if hasattr(value, "_fields") and name != "NamedTuple"}


def test_every_field_is_described_and_nothing_else() -> None:
    keys = {name: [field.key for field in fields_of(cls)] for name, cls in classes().items()}
    assert {name: list(docs) for name, docs in model.FIELD_DOCS.items()} == keys


def test_every_annotation_is_a_kind_or_a_class_and_no_kind_is_idle() -> None:
    used = {field.kind for cls in classes().values() for field in fields_of(cls)}
    assert {kind for kind in used if kind not in KINDS} == set(classes()) - {"Policy"}
    assert set(KINDS) - used == set()
    assert POLICY.kinds is KINDS


def test_the_lists_of_words_are_the_literal_types() -> None:
    assert get_args(model.Proof) == model.PROOFS
    assert get_args(model.Binding) == model.BINDINGS
    assert get_args(model.Engine) == model.ENGINES
    assert get_args(model.Level) == model.LEVELS
    assert get_args(get_args(model.Events)[0]) == model.EVENTS


def test_the_defaults_of_the_declaration_are_what_the_reader_would_accept(validator: Any) -> None:
    document = {
        "version": 1,
        "production": {"branches": ["main"]},
        "release": {"tag": model.Release().tag, "signed": False},
        "people": {"jane": {"name": "Jane", "emails": ["a@b"], "keys": []}},
    }
    assert list(validator.iter_errors(document)) == []
