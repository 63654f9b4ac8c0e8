"""What the documents say is what the program does: commands, hooks, exit codes, rules, versions, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from rollback_guard import __version__
from rollback_guard.entry import exit_codes
from rollback_guard.entry.cli.main import COMMANDS, cli
from rollback_guard.gate.registry import RULES
from tests.support.architecture import ROOT

DOCUMENTS = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def first_cells(text: str, pattern: str) -> list[str]:
    """What the first cell of each table row holds, where it is of a pattern."""
    return re.findall(rf"^\| `?({pattern})`? *\|", text, flags=re.MULTILINE)


@pytest.mark.parametrize("document", ["README.md", "docs/index.md"])
def test_the_table_of_commands_is_the_list_of_commands(document: str) -> None:
    found = [command.split()[1] for command in first_cells(text_of(document), r"guard [a-z]+[^|`]*")]
    assert found == sorted(COMMANDS)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and every command of a group, by what a person types."""
    context = click.Context(cli)
    for name in sorted(COMMANDS):
        command = cli.get_command(context, name)
        assert command is not None, name
        yield name, command
        if isinstance(command, click.Group):
            inner = click.Context(command)
            for part in command.list_commands(inner):
                found = command.get_command(inner, part)
                assert found is not None
                yield f"{name} {part}", found


def test_every_command_explains_itself_with_an_example() -> None:
    without = []
    for name, command in commands():
        help_text = command.get_help(click.Context(command, info_name=f"guard {name}"))
        if not re.search(r"Examples?:\n\s+(\S+=\S+ )?guard", help_text):
            without.append(name)
    assert without == []


def test_every_command_says_what_it_does_in_the_list_of_commands() -> None:
    assert all(0 < len(said) < 90 and not said.endswith(".") for said in COMMANDS.values())


def manifest(name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = yaml.safe_load(text_of(name))
    return found


def test_the_table_of_hooks_is_the_manifest() -> None:
    ids = [hook["id"] for hook in manifest(".pre-commit-hooks.yaml")]
    assert first_cells(text_of("README.md"), "guard-[a-z-]+") == ids
    assert first_cells(text_of("docs/index.md"), "guard-[a-z-]+") == ids


def test_we_run_every_hook_that_we_offer() -> None:
    offered = {hook["id"] for hook in manifest(".pre-commit-hooks.yaml")}
    ours = {hook["id"] for hook in yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"][0]["hooks"]}
    assert offered <= ours


def test_the_exit_codes_are_documented() -> None:
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert {int(code) for code in first_cells(text_of("docs/exit-codes.md"), r"\d+")} == codes


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    pages = {page.stem for page in (ROOT / "docs" / "rules").glob("RG*.md")}
    assert pages == {rule.id for rule in RULES}
    for rule in RULES:
        page = text_of(f"docs/rules/{rule.id}.md")
        assert rule.id in page
        assert rule.name in page


def test_the_index_lists_every_rule() -> None:
    found = re.findall(
        r"^\| \[(RG\d{3})\]\(rules/(RG\d{3})\.md\) \| ([a-z-]+) \|", text_of("docs/index.md"), re.MULTILINE
    )
    assert found == [(rule.id, rule.id, rule.name) for rule in RULES]


def test_the_changelog_tells_of_this_version() -> None:
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", text_of("CHANGELOG.md"), re.MULTILINE)


def test_the_threat_model_names_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_[a-z_]+\.py)`", text_of("docs/threat-model.md")))
    assert named
    assert named <= {path.name for path in (ROOT / "tests" / "attacks").glob("test_*.py")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_no_document_is_written_for_one_machine() -> None:
    pattern = re.compile(r"(?<![\w.-])/(root|home|Users)/")
    assert [str(path) for path in DOCUMENTS if pattern.search(path.read_text(encoding="utf-8"))] == []


def test_every_dependency_is_explained() -> None:
    project = text_of("pyproject.toml")
    listed = re.search(r"^dependencies = \[.*?\]$.*?^dev = \[.*?^\]$", project, re.MULTILINE | re.DOTALL)
    assert listed is not None
    names = set(re.findall(r'"([A-Za-z][\w-]*)>=', listed[0]))
    explained = re.findall(r"^\| ([^|]+) \|", text_of("docs/adr/0003-dependencies.md"), re.MULTILINE)
    assert {"click", "pytest"} <= names
    assert names <= {name for cell in explained for name in cell.split(", ")}


def test_workflows_pin_what_they_use_and_ask_for_least() -> None:
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {}, path.name
        assert "concurrency" in workflow, path.name
        for job in workflow["jobs"].values():
            assert set(job["permissions"].values()) <= {"read"}, path.name
            for step in job["steps"]:
                used = step.get("uses", "./")
                assert used.startswith("./") or re.search(r"@[0-9a-f]{40}$", used), f"{path.name}: {used}"
