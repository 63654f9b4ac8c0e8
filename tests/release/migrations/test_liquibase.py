"""Liquibase: the four formats, what it rolls back by itself, and what a changelog refers to."""

from __future__ import annotations

import json

import pytest

from rollback_guard.release.migrations.judge import judge
from rollback_guard.release.migrations.liquibase import READER
from rollback_guard.release.migrations.model import Parsed

HEAD = """<?xml version="1.1" encoding="UTF-8" standalone="no"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog
    http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-4.20.xsd">
"""
PATH = "src/main/resources/db/changelog/db.changelog-1.0.xml"


def log(inside: str) -> bytes:
    return f"{HEAD}{inside}</databaseChangeLog>\n".encode()


def changeset(inside: str, **attributes: str) -> Parsed:
    """One changeset of an XML changelog."""
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    (found,) = READER.read({PATH: log(f'<changeSet id="1" author="jane"{more}>{inside}</changeSet>')})
    return found


def read(files: dict[str, str | bytes]) -> tuple[Parsed, ...]:
    return READER.read({path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()})


def verdicts(found: tuple[Parsed, ...]) -> dict[str, str]:
    return {one.id: judge(one)[0] for one in found}


@pytest.mark.parametrize(
    ("path", "claimed"),
    [
        ("db/changelog/001.xml", True),
        ("db/changelog/sub/001.yaml", True),
        ("src/main/resources/liquibase/x.yml", True),
        ("db.changelog-master.json", True),
        ("a/dbChangeLog.XML", True),
        ("changesets/1.sql", True),
        ("db/changelog/data.csv", False),
        ("db/migration/V1__a.sql", False),
        ("db/changelog/a.groovy", False),
        ("CHANGELOG.md", False),
    ],
)
def test_which_files_may_be_changelogs(path: str, claimed: bool) -> None:
    assert READER.claims(path) is claimed


VERDICTS = {
    '<createTable tableName="a"><column name="b" type="int"/></createTable>': "expand-only",
    '<addColumn tableName="a"><column name="b" type="int"/></addColumn>': "expand-only",
    '<addColumn tableName="a"><column name="b" type="int"><constraints nullable="true"/></column></addColumn>': (
        "expand-only"
    ),
    '<addColumn tableName="a"><column name="b" type="int" defaultValueNumeric="0"><constraints nullable="false"/>'
    "</column></addColumn>": "expand-only",
    '<addColumn tableName="a"><column name="b" type="int"><constraints nullable="false"/></column></addColumn>': (
        "reversible"
    ),
    '<addColumn tableName="a"><column name="b" type="int"><constraints unique="true"/></column></addColumn>': (
        "reversible"
    ),
    '<addColumn tableName="a"><column name="b" type="int"><constraints references="c(id)" foreignKeyName="f"/>'
    "</column></addColumn>": "reversible",
    '<createIndex indexName="i" tableName="a"><column name="b"/></createIndex>': "expand-only",
    '<createIndex indexName="i" tableName="a" unique="true"><column name="b"/></createIndex>': "reversible",
    '<createSequence sequenceName="s"/>': "expand-only",
    '<createView viewName="v">select * from a</createView>': "expand-only",
    '<createView viewName="v" fullDefinition="true">CREATE VIEW v AS SELECT 1</createView>': "expand-only",
    '<createView viewName="v" replaceIfExists="true">select 1</createView>': "irreversible",
    '<createView viewName="v">select 1; drop table a</createView>': "irreversible",
    "<createProcedure>CREATE PROCEDURE p() BEGIN SELECT 1; END</createProcedure>": "expand-only",
    "<createProcedure>CREATE PROCEDURE p() BEGIN SELECT 1; END; DROP TABLE a</createProcedure>": "irreversible",
    '<createProcedure path="p.sql"/>': "irreversible",
    '<renameColumn tableName="a" oldColumnName="b" newColumnName="c"/>': "reversible",
    '<renameTable oldTableName="a" newTableName="b"/>': "reversible",
    '<renameView oldViewName="a" newViewName="b"/>': "reversible",
    '<renameSequence oldSequenceName="a" newSequenceName="b"/>': "reversible",
    '<addNotNullConstraint tableName="a" columnName="b"/>': "reversible",
    '<addNotNullConstraint tableName="a" columnName="b" defaultNullValue="x"/>': "lossy-down",
    '<dropNotNullConstraint tableName="a" columnName="b"/>': "reversible",
    '<addUniqueConstraint tableName="a" columnNames="b"/>': "reversible",
    '<addForeignKeyConstraint baseTableName="a" baseColumnNames="b" referencedTableName="c"/>': "reversible",
    '<addPrimaryKey tableName="a" columnNames="b"/>': "reversible",
    '<addDefaultValue tableName="a" columnName="b" defaultValue="x; y"/>': "reversible",
    '<addLookupTable existingTableName="a" existingColumnName="b" newTableName="c" newColumnName="d"/>': "reversible",
    '<loadUpdateData file="a.csv" tableName="a" primaryKey="id"/>': "lossy-down",
    '<tagDatabase tag="v1"/>': "expand-only",
    "<empty/>": "expand-only",
    "": "expand-only",
    '<dropTable tableName="a"/>': "irreversible",
    '<dropColumn tableName="a" columnName="b"/>': "irreversible",
    '<dropColumn tableName="a"><column name="b"/><column name="c"/></dropColumn>': "irreversible",
    '<modifyDataType tableName="a" columnName="b" newDataType="int"/>': "irreversible",
    '<dropIndex indexName="i" tableName="a"/>': "irreversible",
    '<insert tableName="a"><column name="b" value="1; 2"/></insert>': "irreversible",
    '<loadData file="a.csv" tableName="a"/>': "irreversible",
    '<update tableName="a"><column name="b" value="1"/></update>': "irreversible",
    '<delete tableName="a"/>': "irreversible",
    '<mergeColumns tableName="a"/>': "irreversible",
    '<customChange class="com.acme.Change"/>': "irreversible",
    '<executeCommand executable="dropdb"/>': "irreversible",
    '<stop message="x"/>': "irreversible",
    '<ext:obliterate xmlns:ext="x"/>': "irreversible",
    "<sql>create table a (b int)</sql>": "expand-only",
    "<sql>drop table a</sql>": "irreversible",
    '<sqlFile path="nowhere.sql"/>': "irreversible",
    '<createTable tableName="a"/><insert tableName="A"/>': "expand-only",
}


@pytest.mark.parametrize(("inside", "verdict"), VERDICTS.items())
def test_what_a_change_type_comes_to(inside: str, verdict: str) -> None:
    found = changeset(inside)
    assert judge(found)[0] == verdict, found


def test_what_is_derived_is_the_other_way_round() -> None:
    found = changeset('<createTable tableName="a"/><addUniqueConstraint tableName="a" columnNames="b"/>')
    assert [one.what for one in found.down or ()] == ["drops a unique constraint of a", "drops table a"]
    assert (found.id, found.path, found.group, found.undoes_itself) == ("jane:1", PATH, PATH, True)


def test_one_change_without_a_derived_rollback_stops_all() -> None:
    found = changeset('<renameTable oldTableName="a" newTableName="b"/><dropIndex tableName="a" indexName="i"/>')
    assert (found.down, found.refuses) == (None, "Liquibase derives no rollback of dropIndex")


@pytest.mark.parametrize(
    ("rollback", "verdict"),
    [
        ('<rollback><createTable tableName="a"/></rollback>', "lossy-down"),
        ("<rollback>create table a (b int); create index i on a (b);</rollback>", "lossy-down"),
        ("<rollback><sql>create table a (b int)</sql></rollback>", "lossy-down"),
        ("<rollback>create table a (b int)</rollback><rollback>create table c (b int)</rollback>", "lossy-down"),
        ("<rollback><comment>no</comment></rollback>", "irreversible"),
        ("<rollback/>", "irreversible"),
        ("<rollback></rollback>", "irreversible"),
        ("<rollback>\n  -- nothing\n</rollback>", "irreversible"),
        ("<rollback><empty/></rollback>", "irreversible"),
        ('<rollback><customChange class="x"/></rollback>', "irreversible"),
        ('<rollback changeSetId="9" changeSetAuthor="jane"/>', "irreversible"),
        ('<rollback><sql dbms="h2">create table a (b int)</sql></rollback>', "irreversible"),
    ],
)
def test_a_rollback_of_its_own(rollback: str, verdict: str) -> None:
    assert judge(changeset(f'<dropTable tableName="a"/>{rollback}'))[0] == verdict


def test_a_rollback_for_the_databases_of_its_change() -> None:
    inside = '<sql dbms="h2">drop table a</sql><rollback><sql dbms="h2">create table a (b int)</sql></rollback>'
    assert judge(changeset(inside))[0] == "lossy-down"
    inside = '<dropTable tableName="a"/><rollback><sql dbms="h2">create table a (b int)</sql></rollback>'
    assert judge(changeset(inside, dbms="h2"))[0] == "lossy-down"


def test_a_rollback_by_another_changeset() -> None:
    made = '<changeSet id="1" author="jane"><createTable tableName="a"/></changeSet>'
    inside = f"""{made}
      <changeSet id="2" author="jane"><dropTable tableName="a"/><rollback changeSetId="1" changeSetAuthor="jane"/>
      </changeSet><changeSet id="3" author="jane"><dropTable tableName="a"/>
      <rollback changeSetId="1" changeSetAuthor="jane" changeSetPath="db/changelog/other.xml"/></changeSet>
      <changeSet id="4" author="jane"><dropTable tableName="a"/>
      <rollback changeSetId="1" changeSetAuthor="joe"/></changeSet>"""
    found = read({"a/db/changelog/one.xml": log(inside), "a/db/changelog/other.xml": log(made)})
    assert verdicts(found[:4]) == {
        "jane:1": "expand-only",
        "jane:2": "lossy-down",
        "jane:3": "lossy-down",
        "jane:4": "irreversible",
    }


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ('<preConditions onFail="MARK_RAN"><not><tableExists tableName="a"/></not></preConditions>', "expand-only"),
        ("<preConditions><or><dbms type='h2'/><runningAs username='x'/></or></preConditions>", "expand-only"),
        (
            "<preConditions><sqlCheck expectedResult='0'>select count(*) from a</sqlCheck></preConditions>",
            "expand-only",
        ),
        ("<preConditions><sqlCheck expectedResult='0'>delete from a</sqlCheck></preConditions>", "irreversible"),
        (
            "<preConditions><not><sqlCheck expectedResult='0'>drop table a</sqlCheck></not></preConditions>",
            "irreversible",
        ),
        ("<preConditions><customPrecondition className='x'/></preConditions>", "irreversible"),
        ("<modifySql dbms='mysql'><append value=' ENGINE=InnoDB'/></modifySql>", "expand-only"),
        ("<modifySql><append value='; drop table a'/></modifySql>", "irreversible"),
        ("<modifySql><replace replace='CREATE' with='DROP'/></modifySql>", "irreversible"),
        ("<comment>drops nothing; really</comment><validCheckSum>any</validCheckSum>", "expand-only"),
    ],
)
def test_what_stands_beside_the_changes(asked: str, verdict: str) -> None:
    assert judge(changeset(f'{asked}<createTable tableName="b"/>'))[0] == verdict


def test_what_the_changelog_asks_counts_for_each_changeset() -> None:
    asked = "<preConditions><sqlCheck expectedResult='0'>delete from a</sqlCheck></preConditions>"
    (found,) = read({PATH: log(f'{asked}<changeSet id="1" author="a"><createTable tableName="b"/></changeSet>')})
    assert judge(found)[0] == "irreversible"


def test_a_changeset_that_is_ignored_does_nothing() -> None:
    assert judge(changeset('<dropTable tableName="a"/>', ignore="true"))[0] == "expand-only"
    assert judge(changeset('<dropTable tableName="a"/>', ignore="${no}"))[0] == "irreversible"


YAML = """---
# what Liquibase's own documentation shows
databaseChangeLog:
  - preConditions:
      - runningAs:
          username: liquibase
  - property:
      name: kind
      value: int
  - changeSet:
      id: 1
      author: nvoxland
      context: "a, b"
      changes:
        - createTable:
            tableName: person
            columns:
              - column:
                  name: id
                  type: ${kind}
                  autoIncrement: true
                  constraints:
                    primaryKey: true
                    nullable: false
              - column: {name: state, type: "char(2)", constraints: {nullable: false}}
  - changeSet:
      id: 2
      author: nvoxland
      changes:
      - addColumn:
          tableName: person
          columns:
          - column:
              name: username
              type: varchar(8)
              constraints:
                nullable: false
  - changeSet:
      id: 3
      author: nvoxland
      changes:
        - sql:
            splitStatements: true
            sql: |
              -- all of them
              DELETE FROM person;
      rollback:
        - sql:
            sql: >-
              INSERT INTO person
              SELECT * FROM person_before
  - changeSet:
      id: 4
      author: nvoxland
      changes:
        - dropTable:
            tableName: 'person'
      rollback:
        changeSetId: 1
        changeSetAuthor: nvoxland
  - changeSet:
      id: 5
      author: nvoxland
      changes:
        - dropTable: {tableName: person}
      rollback: CREATE TABLE person
        (id int)
  - changeSet:
      id: 6
      author: nvoxland
      changes:
        - dropTable: {tableName: person}
      rollback: ""
  - changeSet:
      id: 7
      author: nvoxland
      preConditions:
        - onFail: MARK_RAN
        - not:
            - tableExists:
                tableName: x
      dropTable:
        tableName: person
"""


def test_yaml() -> None:
    found = read({"db/changelog/a.yaml": YAML.replace("\n", "\r\n").encode("utf-8-sig")})
    assert verdicts(found) == {
        "nvoxland:1": "expand-only",
        "nvoxland:2": "reversible",
        "nvoxland:3": "lossy-down",
        "nvoxland:4": "lossy-down",
        "nvoxland:5": "lossy-down",
        "nvoxland:6": "irreversible",
        "nvoxland:7": "irreversible",
    }


def test_json() -> None:
    table = {"createTable": {"tableName": "a", "columns": [{"column": {"name": "id", "type": "int"}}]}}
    sets = [
        {"changeSet": {"id": 1, "author": "jane", "changes": [table]}},
        {"changeSet": {"id": "2", "author": "jane", "runAlways": True, "changes": [{"dropTable": {"tableName": "a"}}]}},
        {"changeSet": {"id": "3", "author": "jane", "changes": [{"delete": {"tableName": "a"}}], "rollback": None}},
    ]
    found = read({"changelog.json": json.dumps({"databaseChangeLog": sets})})
    assert verdicts(found) == {"jane:1": "expand-only", "jane:2": "irreversible", "jane:3": "irreversible"}


SQL = """
-- liquibase formatted sql logicalFilePath:here

-- property name:kind value:int
-- changeset jane:1 context:"a b" splitStatements:true
-- comment: the first
create table a (b ${kind});
-- rollback drop table a;

--changeset "jane doe":"2 b" endDelimiter:/
--preconditions onFail:HALT onError:HALT
--precondition-sql-check expectedResult:0 SELECT COUNT(*) FROM a
--precondition-table-exists table:a
drop table a
/
--rollback create table a
--rollback   (b int);

--changeset jane:3
alter table a rename to b;
/* liquibase rollback
alter table b
  rename to a;
*/
--changeset jane:4
drop table a;
--rollback not required
--changeset jane:5
drop table a;
--rollback empty
--changeset jane:6
drop table a;
--rollback changesetId:1 changesetAuthor:jane
--changeset jane:7
drop table a;
--changeset jane:8 rollbackEndDelimiter:/
alter table a rename to b;
--rollback alter table b rename to a
--rollback /
--changeset jane:9
--ignoreLines:1
drop table a;
create table x (y int);
--ignoreLines:start
drop table b;
--ignoreLines:end
"""


def test_formatted_sql() -> None:
    assert verdicts(read({"changelog.sql": SQL})) == {
        "jane:1": "expand-only",
        "jane doe:2 b": "lossy-down",
        "jane:3": "reversible",
        "jane:4": "irreversible",
        "jane:5": "irreversible",
        "jane:6": "lossy-down",
        "jane:7": "irreversible",
        "jane:8": "reversible",
        "jane:9": "expand-only",
    }


@pytest.mark.parametrize(
    "text",
    [
        "--changeset jane\ncreate table a (b int);",
        "--changeset jane: 1\ncreate table a (b int);",
        "-changeset jane:1\ncreate table a (b int);",
        "--changeset jane:1\ncreate table a (b int);\n-rollback drop table a;",
        "--changeset jane:1\n--ignoreLines:many\ncreate table a (b int);",
        "--changeset jane:1\ncreate table a (b int);\n/* liquibase rollback\ndrop table a;",
        "--changeset jane:1\nselect 1; -- \u2028 drop table a",
    ],
)
def test_formatted_sql_that_liquibase_refuses_is_irreversible(text: str) -> None:
    path = "db/changelog/a.sql"
    (found,) = read({path: f"--liquibase formatted sql\n{text}\n"})
    assert found.id == path
    assert judge(found)[0] == "irreversible"


def test_a_master_is_no_migration_and_gives_the_order() -> None:
    def one(number: int) -> bytes:
        return log(f'<changeSet id="{number}" author="a"><createTable tableName="t{number}"/></changeSet>')

    master = log(
        '<include file="z.xml" relativeToChangelogFile="true"/><include file="classpath:db/changelog/y.xml"/>'
        '<includeAll path="db/changelog/all/"/><include file="gone.xml"/>'
    )
    files = {
        "r/db/changelog/a_master.xml": master,
        "r/db/changelog/all/2.xml": one(4),
        "r/db/changelog/all/1.xml": one(3),
        "r/db/changelog/all/plain.sql": b"drop table a;",
        "r/db/changelog/all/latin.sql": b"-- caf\xe9",
        "r/db/changelog/b.sql": b"drop table not_included;",
        "r/db/changelog/y.xml": one(2),
        "r/db/changelog/z.xml": one(1),
    }
    found = READER.read(files)
    assert [one.id for one in found] == [
        *("include gone.xml", "a:1", "a:2", "a:3", "a:4", "latin.sql", "plain.sql"),
    ]
    assert [judge(one)[0] for one in found[-2:]] == ["irreversible", "irreversible"]


def test_a_master_that_includes_everything() -> None:
    found = READER.read(
        {"changelog/a.xml": log('<includeAll path="./"/>'), "changelog/b.sql": b"create table a (b int)"}
    )
    assert verdicts(found) == {"b.sql": "expand-only"}


def test_includes_in_a_circle_come_to_an_end() -> None:
    files = {
        f"changelog/{name}.xml": log(
            f'<include file="{other}.xml" relativeToChangelogFile="true"/>'
            f'<changeSet id="{name}" author="x"><createTable tableName="a"/></changeSet>'
        )
        for name, other in (("a", "b"), ("b", "a"))
    }
    assert [one.id for one in READER.read(files)] == ["x:a", "x:b"]


def test_a_file_of_sql_belongs_to_the_changeset_that_names_it() -> None:
    inside = '<changeSet id="1" author="a"><sqlFile path="sql/a.sql" relativeToChangelogFile="true"/></changeSet>'
    files = {"db/changelog/a.xml": log(inside), "db/changelog/sql/a.sql": b"create table a (b int);"}
    (found,) = READER.read(files)
    assert found.paths == ("db/changelog/a.xml", "db/changelog/sql/a.sql")
    assert judge(found)[0] == "expand-only"
    (found,) = READER.read({**files, "db/changelog/sql/a.sql": b"\xff"})
    assert judge(found)[0] == "irreversible"


def test_a_logical_path_is_what_a_changeset_is_known_by() -> None:
    inside = '<changeSet id="1" author="a" logicalFilePath="one"/><changeSet id="2" author="a"/>'
    text = log(inside).replace(b"<databaseChangeLog", b'<databaseChangeLog logicalFilePath="all"')
    assert [one.group for one in READER.read({PATH: text})] == ["one", "all"]


def test_placeholders() -> None:
    used = '<changeSet id="1" author="a"><sql>${what} table ${name} (b int)</sql></changeSet>'
    one = '<property name="what" value="create"/><property name="name" value="x"/><property file="a.properties"/>'
    assert judge(read({PATH: log(one + used)})[0])[0] == "expand-only"
    assert judge(read({PATH: log(used)})[0])[0] == "irreversible"
    two = one + '<property name="what" value="drop" dbms="h2"/>'
    assert judge(read({PATH: log(two + used)})[0])[0] == "irreversible"


@pytest.mark.parametrize("path", ["liquibase/a.json", "liquibase/a.xml", "liquibase/a.yaml", "liquibase/a.sql"])
@pytest.mark.parametrize("data", [b"", b"{", b"<a>", b"\xff\x00", b"a: b", b'{"a": 1}', b"select 1", b'"\\x41": b'])
def test_files_that_are_no_changelogs_are_left_out(path: str, data: bytes) -> None:
    assert READER.read({path: data}) == ()


def test_a_list_of_plain_texts_in_yaml_is_no_change() -> None:
    text = "databaseChangeLog:\n- changeSet:\n    id: a:b\n    author: x\n    changes:\n    - dropTable\n"
    assert verdicts(read({"changelog.yaml": text})) == {"x:a:b": "irreversible"}


def test_a_changelog_without_the_list() -> None:
    assert READER.read({PATH: b"<a>databaseChangeLog</a>", "changelog.yaml": b"databaseChangeLog: x"}) == ()


def test_what_counts_as_the_content_of_one_changeset() -> None:
    def bodies(first: str, more: str = "") -> list[str]:
        inside = (
            f'<changeSet id="1" author="a">{first}</changeSet>'
            '<changeSet id="2" author="a"><sqlFile path="b.sql"/></changeSet>'
        )
        return [one.body for one in read({"changelog/a.xml": log(inside), "changelog/b.sql": f"select 1{more}"})]

    before, edited, filed = bodies("<empty/>"), bodies("<stop/>"), bodies("<empty/>", ";")
    assert [a == b for a, b in zip(before, edited, strict=True)] == [False, True]
    assert [a == b for a, b in zip(before, filed, strict=True)] == [True, False]


@pytest.mark.parametrize(
    ("name", "value", "again"),
    [("runOnChange", "true", True), ("runAlways", "${x}", True), ("runOnChange", "false", False)],
)
def test_what_is_run_again(name: str, value: str, again: bool) -> None:
    assert changeset("<empty/>", **{name: value}).repeatable is again
