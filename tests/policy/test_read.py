"""A policy is read whole, or everything that is wrong with it is said at once."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.errors import PolicyError
from rollback_guard.policy.model import Policy
from rollback_guard.policy.problems import MOST_NAMES, MOST_PROBLEMS, Problem, dotted, nearest_name
from rollback_guard.policy.read import LIMIT, read_policy
from tests.support.pgp import JANE_BLOCK

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYxGDEvRSV8lW+S51e0wvdVhXXeRuUo4Iwz812GKjf0"
OTHER_KEY = KEY.replace("IGYx", "IGYy")
THIRD_KEY = KEY.replace("IGYx", "IGYz")
WHOLE = """\
version = 1

[production]
branches = ["main"]
repositories = ["https://GitHub.com/acme/shop.git"]

[[route]]
into = "main"
from = ["release/*", "hotfix/*"]

[people.jane]
name = "Jane Doe"
emails = ["jane@acme.example"]
github = "jane#1234567"
keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYxGDEvRSV8lW+S51e0wvdVhXXeRuUo4Iwz812GKjf0 jane"]

[people.omar]
name = "Omar Haddad"
emails = ["omar@acme.example"]

[teams]
developers = ["jane", "omar"]
release = ["jane"]

[[sign-off]]
role = "review"
trailer = "Reviewed-by"
by = ["@developers"]
count = 1
binding = "result"
max-age = "14d"

[[backup]]
name = "shop-db"
engine = "postgresql"
source = "$SHOP_DATABASE_URL"
by = ["@release"]
max-age = "1h"
level = "compared"
store = "file:backups"

[waiver]
by = ["@developers"]
count = 2
max-age = "24h"

[release]
tag = "stable/{date}.{number}"
by = ["@release"]
keep-migrations = true

[rollback]
redeploy = ["./deploy.sh", "{commit}"]

[[smoke]]
name = "login"
url = "https://shop.acme.example/login"
expect-status = 200
expect-text = "Sign in"

[[smoke]]
name = "checkout"
run = ["./smoke/checkout.sh"]
timeout = "30s"

[[notify]]
name = "stakeholders"
url = "$GUARD_NOTIFY_URL"
on = ["rollback-started", "rollback-failed"]
"""
LEAST = 'version = 1\n[production]\nbranches = ["main"]\n'
PEOPLE = """\
[people.jane]
name = "Jane"
emails = ["jane@acme.example"]
[people.omar]
name = "Omar"
emails = ["omar@acme.example"]
[teams]
developers = ["jane", "omar"]
"""
ROLE = '[[sign-off]]\nrole = "review"\ntrailer = "Reviewed-by"\nby = ["@developers"]\n'


def read(text: str, path: str = "rollback-guard.toml") -> Policy:
    policy = read_policy(textwrap.dedent(text).encode(), path=path)
    assert policy is not None
    return policy


def problems(text: str | bytes, path: str = "rollback-guard.toml") -> list[Problem]:
    with pytest.raises(PolicyError) as caught:
        read_policy(text if isinstance(text, bytes) else textwrap.dedent(text).encode(), path=path)
    found = caught.value.problems
    assert found
    assert all(isinstance(problem, Problem) for problem in found)
    assert caught.value.remedy.startswith("guard policy check")
    return list(found)  # type: ignore[arg-type]


def only(text: str | bytes, path: str = "rollback-guard.toml") -> Problem:
    found = problems(text, path)
    assert len(found) == 1, found
    return found[0]


def test_a_whole_policy() -> None:
    policy = read(WHOLE)
    assert policy.production.repositories == ("github.com/acme/shop",)
    assert policy.route[0].from_ == ("release/*", "hotfix/*")
    assert [person.id for person in policy.people] == ["jane", "omar"]
    assert policy.people[0].github == "jane#1234567"
    assert dict(policy.teams)["developers"] == ("jane", "omar")
    (role,) = policy.sign_off
    assert (role.proof, role.binding, role.max_age, role.count) == ("signature", "result", 14 * 86400, 1)
    assert policy.backup[0].max_age == 3600
    assert policy.waiver is not None
    assert policy.waiver.max_age == 86400
    assert policy.smoke[0].expect_status == 200
    assert policy.smoke[1].run == ("./smoke/checkout.sh",)
    assert policy.notify[0].on == ("rollback-started", "rollback-failed")
    assert policy.release.keep_migrations is True
    assert policy.members_of(("@developers",)) == {"jane", "omar"}


def test_a_person_is_found_by_any_of_their_addresses_whatever_the_case() -> None:
    policy = read(WHOLE)
    assert policy.person_of(" Jane@Acme.example ") == policy.people[0]
    assert policy.person_of("eve@acme.example") is None


def test_the_least_policy_has_the_declared_defaults() -> None:
    policy = read(LEAST)
    assert policy.release.tag == "stable/{date}.{number}"
    assert policy.route == ()
    assert policy.production.repositories is None
    assert policy.waiver is None


def test_a_policy_with_a_byte_order_mark_or_dos_line_ends_is_read() -> None:
    assert read_policy(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode(), path="x") == read(LEAST)
    assert only(LEAST.replace("\n", "\r\n").encode() + b"colour = 1\r\n").line == 4


@pytest.mark.parametrize(
    "text",
    ["", "[project]\nname = 'x'\n", "# rollback-guard\n", "tool = 'rollback-guard'\n", "[tool.rollback-guards]\nx=1\n"],
)
def test_a_pyproject_without_the_table_holds_no_policy(text: str) -> None:
    assert read_policy(text.encode(), path="pyproject.toml") is None


def test_a_policy_in_pyproject_is_read_and_its_problems_are_located_there() -> None:
    text = """\
    [project]
    name = "shop"

    [tool.rollback-guard]
    version = 1
    [tool.rollback-guard.production]
    branches = ["main"]
    [[tool.rollback-guard.sign-off]]
    role = "review"
    """
    assert read("\n".join(textwrap.dedent(text).split("\n")[:7]), "sub/pyproject.toml") == read(LEAST)
    found = problems(text, "pyproject.toml")
    assert [(problem.line, problem.key) for problem in found] == [(8, "sign-off[1].trailer"), (8, "sign-off[1].by")]
    assert only("tool.rollback-guard = 3\n", "pyproject.toml").message == "must be a table, not a number"


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_lines() -> None:
    found = problems("""\
    version = true
    colour = "red"
    [production]
    branchs = ["main"]
    branches = []
    [[route]]
    into = "main"
    from = "release/*"
    [people.jane]
    name = "Jane"
    emails = ["jane"]
    [teams]
    qa = ["jnae"]
    [[sign-off]]
    role = "review"
    trailer = "Reviewed-by"
    by = ["@qa", "@aq", "jane", "qa"]
    count = 0
    proof = "signatur"
    binding = 3
    max-age = "14"
    """)
    assert [(problem.line, problem.key, problem.nearest) for problem in found] == [
        (1, "version", ""),
        (2, "colour", ""),
        (4, "production.branchs", "branches"),
        (5, "production.branches", ""),
        (8, "route[1].from", ""),
        (11, "people.jane.emails[1]", ""),
        (13, "teams.qa", "jane"),
        (17, "sign-off[1].by", "@qa"),
        (17, "sign-off[1].by", "@qa"),
        (18, "sign-off[1].count", ""),
        (19, "sign-off[1].proof", "signature"),
        (20, "sign-off[1].binding", ""),
        (21, "sign-off[1].max-age", ""),
    ]
    assert found[2] == Problem(
        "rollback-guard.toml", 4, "production.branchs", "is not a key that is known here", "branches"
    )
    assert found[0].message == "must be the whole number 1, not true or false"


def test_the_error_says_the_first_problem_and_how_many_there_are() -> None:
    with pytest.raises(PolicyError) as caught:
        read_policy(b"version = 2\ncolour = 1\n", path="x.toml")
    assert caught.value.message == "x.toml cannot be used: production: is missing (and 2 more)"


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("version = 2\n", "version", "the only version"),
        ('version = "1"\n', "version", "not text"),
        ("version = 1.0\n", "version", "must be the whole number 1, not a decimal number"),
        ("version = 1979-05-27\n", "version", "not a date or time"),
    ],
)
def test_the_version_is_the_number_1(text: str, key: str, message: str) -> None:
    problem = only(text + '[production]\nbranches = ["main"]\n')
    assert (problem.line, problem.key) == (1, key)
    assert message in problem.message


def test_a_missing_key_is_reported_where_its_table_is() -> None:
    assert only("[production]\nbranches = ['main']\n")[:4] == ("rollback-guard.toml", None, "version", "is missing")
    assert [p.key for p in problems("version = 1\n")] == ["production"]
    assert only("version = 1\n\n[production]\n").line == 3
    assert [p.key for p in problems("version = 1\nproduction = 3\n")] == ["production"]


@pytest.mark.parametrize(
    ("more", "key", "message"),
    [
        ('[production]\nbranches = "main"\n', "production.branches", "must be a list, not text"),
        ('[production]\nbranches = ["main", 3]\n', "production.branches[2]", "must be text, not a number"),
        ('[production]\nbranches = [""]\n', "production.branches[1]", "must not be empty"),
        ('[production]\nbranches = ["a\\u0007"]\n', "production.branches[1]", "control characters"),
        ('[production]\nbranches = ["[a"]\n', "production.branches[1]", "does not close"),
        ('[production]\nbranches = ["refs/heads/main"]\n', "production.branches[1]", "short branch name"),
        ('[production]\nbranches = ["main"]\nrepositories = []\n', "production.repositories", "must not be empty"),
        ('[production]\nbranches = ["main"]\nrepositories = ["github.com/*"]\n', "production.repositories[1]", "patt"),
        ('[production]\nbranches = ["main"]\nrepositories = ["./x"]\n', "production.repositories[1]", "absolute"),
        ('[production]\nbranches = ["main"]\nrepositories = ["ext::x"]\n', "production.repositories[1]", "absolute"),
        ('[production]\nbranches = ["main"]\nrepositories = [""]\n', "production.repositories[1]", "empty"),
    ],
)
def test_production(more: str, key: str, message: str) -> None:
    problem = only("version = 1\n" + more)
    assert problem.key == key
    assert message in problem.message


def test_the_short_name_of_a_full_ref_is_proposed() -> None:
    assert only('version = 1\n[production]\nbranches = ["refs/heads/main"]\n').nearest == "main"


@pytest.mark.parametrize(
    ("more", "key", "message"),
    [
        ("route = 3\n", "route", "[[route]]"),
        ("route = [3]\n", "route[1]", "must be a table"),
        ('[[route]]\ninto = "main"\nfrom = []\n', "route[1].from", "must not be empty"),
        ('[[route]]\ninto = "mian"\nfrom = ["x"]\n', "route[1].into", "mian is no production branch"),
        ('[[route]]\ninto = "rel/*"\nfrom = ["x"]\n', "route[1].into", "is no production branch"),
        ("people = 3\n", "people", "must be a table"),
        ('people."a b" = {name = "A", emails = ["a@b"]}\n', "people.a b", "letters, digits"),
        ("people.jane = 3\n", "people.jane", "must be a table"),
        ('[people.jane]\nname = "J"\nemails = []\n', "people.jane.emails", "must not be empty"),
        ('[people.jane]\nname = "J"\nemails = ["j <j@x>"]\n', "people.jane.emails[1]", "e-mail address"),
        ('[people.jane]\nname = "J"\nemails = ["a@b@c"]\n', "people.jane.emails[1]", "e-mail address"),
        ('[people.jane]\nname = "\\u001b"\nemails = ["a@b"]\n', "people.jane.name", "control"),
        ('[people.jane]\nname = "J"\nemails = ["a@b"]\ngithub = "jane"\n', "people.jane.github", "jane#1234567"),
        ('[people.jane]\nname = "J"\nemails = ["a@b"]\nkeys = "x"\n', "people.jane.keys", "must be a list"),
        ("teams = 3\n", "teams", "must be a table"),
        ("[teams]\nqa = []\n", "teams.qa", "must not be empty"),
        ("[teams]\nqa = 3\n", "teams.qa", "must be a list"),
        ('[teams]\nqa = ["@x"]\n', "teams.qa[1]", "not other teams"),
        ('[teams]\nqa = ["jane"]\n', "teams.qa", "there is no person jane"),
        ('[teams]\nqa = ["a b"]\n', "teams.qa[1]", "may only hold"),
        ("[release]\nby = []\n", "release.by", "must not be empty"),
        ('[release]\ntag = "stable"\n', "release.tag", "{number}"),
        ('[release]\ntag = ""\n', "release.tag", "must not be empty"),
        ('[release]\ntag = "{x}{number}"\n', "release.tag", "{date} and {number}"),
        ('[release]\ntag = "a b{number}"\n', "release.tag", "no name that git accepts"),
        ('[release]\ntag = "-{number}"\n', "release.tag", "no name that git accepts"),
        ("[release]\nkeep-migrations = 1\n", "release.keep-migrations", "must be true or false, not a number"),
        ("[rollback]\nredeploy = []\n", "rollback.redeploy", "must not be empty"),
        ('[rollback]\nredeploy = [" "]\n', "rollback.redeploy", "begin with a program"),
        ('[rollback]\nredeploy = ["a\\u0000"]\n', "rollback.redeploy[1]", "NUL"),
        ("[rollback]\nredeploy = [3]\n", "rollback.redeploy[1]", "must be text"),
        ('[[smoke]]\nname = "a"\n', "smoke[1]", "neither"),
        ('[[smoke]]\nname = "a"\nurl = "x"\nrun = ["y"]\n', "smoke[1]", "both"),
        ('[[smoke]]\nname = "a"\nrun = ["y"]\nexpect-text = "z"\n', "smoke[1].expect-text", "has none"),
        ('[[smoke]]\nname = "a"\nrun = ["y"]\nexpect-status = 200\n', "smoke[1].expect-status", "has none"),
        ('[[smoke]]\nname = "a"\nurl = "x"\nexpect-status = 42\n', "smoke[1].expect-status", "100 to 599"),
        (
            '[[smoke]]\nname = "a"\nurl = "x"\nexpect-status = true\n',
            "smoke[1].expect-status",
            "must be a whole number",
        ),
        ('[[smoke]]\nname = "a b"\nurl = "x"\n', "smoke[1].name", "may only hold"),
        ('[[notify]]\nname = "a"\nurl = "x"\non = ["rollback-begun"]\n', "notify[1].on[1]", "must be one of"),
        ('[[notify]]\nname = "a"\nurl = "x"\non = []\n', "notify[1].on", "must not be empty"),
    ],
)
def test_the_other_tables(more: str, key: str, message: str) -> None:
    head = "version = 1\nproduction.branches = ['main']\n"
    problem = only(head + more)
    assert problem.key == key
    assert message in problem.message
    assert problem.line is not None
    assert problem.line >= 3


@pytest.mark.parametrize("value", ["14", "14 d", "d", "0d", "-1d", "1.5h", "1y", "1234567d", "١d", "", "14d 2h"])
def test_a_bad_duration(value: str) -> None:
    problem = only(LEAST + PEOPLE + ROLE + f'max-age = "{value}"\n')
    assert (problem.key, "must be a duration" in problem.message) == ("sign-off[1].max-age", True)


def test_a_duration_is_text() -> None:
    assert "must be a duration" in only(LEAST + PEOPLE + ROLE + "max-age = 14\n").message


@pytest.mark.parametrize(
    ("value", "seconds"), [("30s", 30), ("90m", 5400), ("36h", 129600), ("14d", 1209600), ("2w", 1209600)]
)
def test_a_duration_in_seconds(value: str, seconds: int) -> None:
    assert read(LEAST + PEOPLE + ROLE + f'max-age = "{value}"\n').sign_off[0].max_age == seconds


BACKUP = '[[backup]]\nname = "a"\nengine = "sqlite"\nsource = "x"\nby = ["jane"]\nmax-age = "1h"\n'
AGE = "age1" + "q" * 58


def test_what_a_backup_may_say_besides() -> None:
    more = 'level = "exercised"\nexercise = ["./ask.sh"]\nidentity = "sqlite:/srv/x"\n'
    more += f'encrypt-to = ["{AGE}", "{OTHER_KEY}"]\n'
    (backup,) = read(LEAST + PEOPLE + BACKUP + more).backup
    assert (backup.exercise, backup.identity) == (("./ask.sh",), "sqlite:/srv/x")
    assert backup.encrypt_to == (AGE, OTHER_KEY)
    plain = read(LEAST + PEOPLE + BACKUP).backup[0]
    assert (plain.exercise, plain.identity, plain.encrypt_to) == (None, None, ())


@pytest.mark.parametrize(
    ("more", "key", "message"),
    [
        ("count = 3\n", "sign-off[1].count", "asks for 3 people, but only 2 may sign"),
        ("count = true\n", "sign-off[1].count", "must be a whole number, not true or false"),
        ("count = -1\n", "sign-off[1].count", "at least 1"),
        (ROLE.replace("Reviewed", "Seen"), "sign-off[2].role", "has a sign-off already"),
        (ROLE.replace('"review"', '"qa"'), "sign-off[2].trailer", "another role already"),
        (ROLE.replace('"review"', '"qa"').replace("R", "r"), "sign-off[2].trailer", "another role already"),
        ('[waiver]\nby = ["omar"]\ncount = 2\n', "waiver.count", "only 1 may sign"),
        ("[waiver]\nby = []\n", "waiver.by", "must not be empty"),
        ('[waiver]\nby = ["@"]\n', "waiver.by[1]", "as @name"),
        ('[waiver]\nby = ["@business"]\n', "waiver.by", "no team business"),
        ('[people.eve]\nname = "Eve"\nemails = ["JANE@acme.example"]\n', "people.jane.emails[1]", "eve already"),
        (
            '[[backup]]\nname = "a"\nengine = "sqlite"\nsource = "x"\nby = ["jane"]\nmax-age = "1h"\n' * 2,
            "backup[2].name",
            "called a already",
        ),
        (
            '[[backup]]\nname = "a"\nengine = "oracle"\nsource = "x"\nby = ["jane"]\nmax-age = "1h"\n',
            "backup[1].engine",
            "must be one of postgresql",
        ),
        (BACKUP + 'level = "exercised"\n', "backup[1].exercise", "is missing: the level exercised asks for a command"),
        (BACKUP + 'level = "exercised"\nexercise = []\n', "backup[1].exercise", "must not be empty"),
        (BACKUP + 'identity = "shop.db"\n', "backup[1].identity", "such as sqlite:/srv/shop"),
        (BACKUP.replace("sqlite", "mariadb") + 'identity = "db/shop"\n', "backup[1].identity", "mariadb://db.acme"),
        (BACKUP + 'identity = " "\n', "backup[1].identity", "must not be empty"),
        (BACKUP.replace("sqlite", "oracle") + 'identity = "x"\n', "backup[1].engine", "must be one of"),
        (BACKUP + "encrypt-to = []\n", "backup[1].encrypt-to", "must not be empty"),
        (BACKUP + 'encrypt-to = ["age1x"]\n', "backup[1].encrypt-to[1]", "must be an age recipient (age1…)"),
        (BACKUP + 'encrypt-to = ["ssh-ed25519 AAAA jane"]\n', "backup[1].encrypt-to[1]", "without a comment"),
        (BACKUP + 'encrypt-to = [""]\n', "backup[1].encrypt-to[1]", "must not be empty"),
        ('[[sign-off]]\nrole = "qa"\ntrailer = "QA by"\nby = ["jane"]\n', "sign-off[2].trailer", "trailer's key"),
    ],
)
def test_what_one_part_means_for_another(more: str, key: str, message: str) -> None:
    problem = only(LEAST + PEOPLE + ROLE + more)
    assert problem.key == key
    assert message in problem.message


def test_nothing_that_identifies_belongs_to_two_people() -> None:
    person = 'name = "X"\nkeys = ["{1}", "{2} {0}"]\ngithub = "{0}#7"\nemails = ["{0}@x"]\n'
    first = "[people.a]\n" + person.format("a", OTHER_KEY, KEY)
    found = problems(LEAST + first + "[people.b]\n" + person.format("b", KEY, THIRD_KEY))
    assert [(problem.key, problem.message) for problem in found] == [
        ("people.b.keys[1]", "this key belongs to a already (people.a.keys[2])"),
        ("people.b.github", "the GitHub id 7 belongs to a already (people.a.github)"),
    ]


def test_an_address_made_of_a_login_belongs_to_whose_login_it_is() -> None:
    text = LEAST + '[people.a]\nname = "A"\nemails = ["a@x"]\ngithub = "Octo#0042"\n'
    policy = read(text)
    host = "users.noreply.github.com"
    for email in (f"42+octo@{host}", f"42+renamed@{host.title()}", f"OCTO@{host}"):
        assert policy.person_of(email) == policy.people[0], email
    for email in (f"43+octo@{host}", f"42@{host}", "octo@x", "42+octo@x.example"):
        assert policy.person_of(email) is None, email
    for email in (f"42+new@{host}", f"octo@{host}"):
        problem = only(text + f'[people.b]\nname = "B"\nemails = ["{email}"]\n')
        assert (problem.key, "belongs to a already" in problem.message) == ("people.b.emails[1]", True)


def test_an_openpgp_key_belongs_to_one_person() -> None:
    person = f"name = 'X'\nemails = ['{{0}}@x']\nopenpgp = ['''\n{JANE_BLOCK}''']\n"
    first = LEAST + "[people.a]\n" + person.format("a")
    assert read(first).people[0].openpgp == (JANE_BLOCK,)
    problem = only(first + "[people.b]\n" + person.format("b"))
    assert problem.message == "this key belongs to a already (people.a.openpgp[1])"
    odd = LEAST + "[people.a]\nname = 'X'\nemails = ['a@x']\n"
    assert only(odd + "openpgp = [7]\n").message == "must be text, not a number"
    broken = only(odd + "openpgp = ['x']\n")
    assert (broken.key, "gpg --armor --export" in broken.message) == ("people.a.openpgp[1]", True)


def test_a_key_is_the_same_key_with_other_dates_and_another_comment() -> None:
    """Otherwise it would count by whichever line is read first."""
    dated = f"valid-after='20260101' {KEY} laptop".replace("'", '\\"')
    person = f'name = "X"\nemails = ["{{0}}@x"]\nkeys = ["{KEY}", "{dated}"]\n'
    problem = only(LEAST + "[people.a]\n" + person.format("a"))
    assert (problem.key, problem.message) == ("people.a.keys[2]", "this key is listed already (people.a.keys[1])")
    assert problem.line == 7


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "must not be empty"),
        ("ssh-ed25519 AAAA jane", "is damaged"),
        ("jane@acme.example " + KEY, "must be a public key as in a .pub file"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "is a private key"),
    ],
)
def test_a_key_that_is_none_is_said_at_its_place(line: str, message: str) -> None:
    people = f'[people.a]\nname = "X"\nemails = ["a@x"]\nkeys = [\n  "{OTHER_KEY}",\n  "{line}",\n]\n'
    problem = only(LEAST + people)
    assert (problem.key, problem.line) == ("people.a.keys[2]", 9)
    assert message in problem.message


def test_a_team_bears_a_name_like_a_person() -> None:
    problem = only(LEAST + PEOPLE + "'q a' = ['jane']\n")
    assert (problem.key, "a team's name may only hold" in problem.message) == ("teams.q a", True)


def test_a_count_is_not_judged_where_the_people_are_wrong_already() -> None:
    problem = only(LEAST + PEOPLE + ROLE.replace("@developers", "@developer") + "count = 2\n")
    assert (problem.key, problem.nearest) == ("sign-off[1].by", "@developers")


def test_a_route_may_lead_into_what_a_pattern_may_match() -> None:
    head = 'version = 1\n[production]\nbranches = ["main", "prod/*"]\n'
    for into in ("main", "prod/eu", "prod/*", "prod/e*"):
        assert read(head + f'[[route]]\ninto = "{into}"\nfrom = ["x"]\n').route[0].into == into
    assert only(head + '[[route]]\ninto = "stage"\nfrom = ["x"]\n').key == "route[1].into"
    assert only(head + '[[route]]\ninto = 3\nfrom = ["x"]\n').key == "route[1].into"


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"version = \n", 1, "is no TOML"),
        (b"version = 1\nversion = 1\n", 2, "is no TOML"),
        (b"[a]\n[a]\n", 2, "is no TOML"),
        (b"a = [1,\n2", 2, "is no TOML"),
        (b'a = """x\n\n', 3, "is no TOML"),
        (b"# ok\nname = '\xff'\n", 2, "0xff, which is no UTF-8"),
        (b"\xff\xfev\x00", 1, "UTF-16"),
        (b"\xfe\xff\x00v", 1, "UTF-16"),
        (b"#" * (LIMIT + 1), None, "has 262,145 bytes; at most 262,144 are read"),
        (b"a = " + b"[" * 50000, None, "nested too deeply"),
        (b"a = " + b"{a = " * 20000, None, "nested too deeply"),
        (b"# x\na" + b".a" * 100 + b" = 1\n", 2, "more than 64 parts"),
        (b'["a"' + b'."a"' * 100 + b"]\n", 1, "more than 64 parts"),
    ],
)
def test_what_is_no_toml_is_one_problem_with_its_line(data: bytes, line: int | None, message: str) -> None:
    problem = only(data)
    assert problem.line == line
    assert message in problem.message


def test_a_number_of_many_digits_is_no_crash() -> None:
    assert problems(b"version = " + b"9" * 5000)


def test_many_dots_that_are_no_key_are_fine() -> None:
    dots = "# " + "." * 200 + "\n# " + ", ".join(["a.b.c"] * 60) + "\n"
    assert read(dots + LEAST) == read(LEAST)


def test_a_flood_of_problems_is_bounded() -> None:
    found = problems("\n".join(f"key{number} = 1" for number in range(MOST_PROBLEMS + 50)))
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1].message == "has 52 more problems"


def test_the_nearest_name() -> None:
    assert nearest_name("max_age", ["max-age", "by"]) == "max-age"
    assert nearest_name("Proof", ["proof"]) == "proof"
    assert nearest_name("colour", ["by"]) == ""
    assert nearest_name("x" * 65, ["x" * 64]) == ""
    assert nearest_name(3, ["3"]) == ""
    assert nearest_name("by", []) == ""
    assert nearest_name("zed", [f"name{number}" for number in range(MOST_NAMES)] + ["zed"]) == ""


def test_a_path_is_dotted() -> None:
    assert dotted(("a", 0, "b", 1)) == "a[1].b[2]"


VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-5, 700),
        st.floats(allow_nan=False),
        st.sampled_from(
            [
                "main",
                "release/*",
                "jane",
                "@qa",
                "14d",
                "a@b",
                "Reviewed-by",
                "signature",
                "sqlite",
                "{number}",
                "",
                "\x1b",
            ]
        ),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3)),
    max_leaves=6,
)
KEYS = ["role", "trailer", "by", "count", "proof", "binding", "max-age", "name", "emails", "github", "keys", "into"]
KEYS += ["from", "branches", "repositories", "engine", "source", "level", "store", "url", "run", "expect-status"]
KEYS += ["expect-text", "timeout", "on", "tag", "keep-migrations", "signed", "signed-commits", "openpgp", "x"]
KEYS += ["identity", "exercise", "encrypt-to"]
TABLES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)


@st.composite
def policies(draw: st.DrawFn) -> str:
    """TOML in the shape of a policy, with anything as its values."""
    lines = [draw(st.sampled_from(["version = 1", "version = 2", ""]))]
    for name in draw(
        st.lists(st.sampled_from(["production", "waiver", "release", "rollback", "people.jane", "teams"]), unique=True)
    ):
        lines += [f"[{name}]", *written(draw(TABLES))]
    for name in draw(st.lists(st.sampled_from(["route", "sign-off", "backup", "smoke", "notify"]), max_size=4)):
        lines += [f"[[{name}]]", *written(draw(TABLES))]
    return "\n".join(lines)


def written(table: dict[str, object]) -> list[str]:
    return [f"{key} = {toml(value)}" for key, value in table.items()]


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return repr(value) if isinstance(value, int | float) else '"' + str(value).replace("\x1b", "\\u001b") + '"'


def understood(data: bytes, path: str) -> Policy | PolicyError | None:
    try:
        return read_policy(data, path=path)
    except PolicyError as error:
        return error


def accepts_or_explains(data: bytes, path: str) -> None:
    found = understood(data, path)
    if isinstance(found, PolicyError):
        assert found.problems
        lines = data.decode("utf-8", "replace").count("\n") + 1
        for problem in found.problems:
            assert isinstance(problem, Problem)
            assert problem.line is None or 1 <= problem.line <= lines
    else:
        assert found is None or found.production.branches


@given(st.binary(max_size=200), st.sampled_from(["rollback-guard.toml", "pyproject.toml"]))
def test_any_bytes_are_read_or_explained(data: bytes, path: str) -> None:
    accepts_or_explains(data, path)


@given(policies())
def test_any_toml_in_the_shape_of_a_policy_is_read_or_explained(text: str) -> None:
    accepts_or_explains(text.encode(), "rollback-guard.toml")


@given(st.integers(0, len(WHOLE)), st.integers(0, 12), st.text(alphabet="[]{}=\"'\n.#,a1@\\", max_size=6))
def test_a_damaged_policy_is_read_or_explained(start: int, length: int, instead: str) -> None:
    accepts_or_explains((WHOLE[:start] + instead + WHOLE[start + length :]).encode(), "rollback-guard.toml")


QA = '[[sign-off]]\nrole = "qa"\ntrailer = "QA-by"\nby = ["@qa"]\ncount = 2\n'
JAN = "[people.jane]\nname = 'J'\nemails = ['j@x.example']\n"


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ('teams = "qa"\n' + QA, ["teams"]),
        ("[teams]\nqa = 'jane'\n" + QA, ["teams.qa"]),
        ("people = ['jane']\n[teams]\nqa = ['jane']\n" + QA, ["people"]),
        ("people = ['jane']\n" + QA.replace("@qa", "jane"), ["people"]),
        ("teams = 3\n" + JAN + QA.replace("@qa", "jan"), ["teams", "sign-off[1].by"]),
        ("[teams]\nqa = 'jane'\n" + QA.replace("@qa", "@uat"), ["teams.qa", "sign-off[1].by"]),
        ("[teams]\nqa = ['jan']\n" + JAN + QA, ["teams.qa", "sign-off[1].count"]),
    ],
)
def test_what_could_not_be_read_makes_nothing_else_wrong(more: str, keys: list[str]) -> None:
    found = problems('version = 1\nproduction.branches = ["main"]\n' + more)
    assert [problem.key for problem in found] == keys
