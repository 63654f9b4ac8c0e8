"""Whose a key is."""

from __future__ import annotations

from rollback_guard.evidence.keys import fault_at, keys_of, read_key
from rollback_guard.policy.model import Person, Policy, Production
from tests.policy.test_read import KEY, OTHER_KEY


def policy(**keys: tuple[str, ...]) -> Policy:
    people = tuple(Person(id=name, name=name, emails=(f"{name}@x",), keys=lines) for name, lines in keys.items())
    return Policy(version=1, production=Production(branches=("main",)), people=people)


def test_the_people_of_a_policy_by_what_a_signature_holds() -> None:
    dated = f'valid-before="20260101" {OTHER_KEY} old laptop'
    jane, old = read_key("jane", KEY), read_key("jane", dated)
    assert keys_of(policy(jane=(KEY, dated), omar=())) == {jane.blob: jane, old.blob: old}
    assert fault_at(keys_of(policy(jane=(dated,)))[old.blob], 1_795_392_000).startswith("the key expired on")
    assert keys_of(policy()) == {}


def test_what_is_no_key_is_nobodys_and_a_doubled_one_the_firsts() -> None:
    """The policy's reader refuses both; a policy that nobody read gives no one a second person."""
    found = keys_of(policy(jane=("no key", KEY), omar=(KEY,)))
    assert [key.person for key in found.values()] == ["jane"]
