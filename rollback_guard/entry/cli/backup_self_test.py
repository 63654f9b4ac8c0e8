"""`guard backup prove --self-test`: how much of what a proof claims to notice it does notice."""

from __future__ import annotations

from rollback_guard.backup.catalogue import load_record
from rollback_guard.backup.self_test import Tried, self_test
from rollback_guard.entry import exit_codes
from rollback_guard.entry.wiring import say
from rollback_guard.git.scratch import private_folder
from rollback_guard.report.json_text import render_json
from rollback_guard.report.visible import visible
from rollback_guard.report.wording import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.backup.catalogue import Entry
    from rollback_guard.backup.sealing import Keys
    from rollback_guard.entry.backup_named import Named


def run_self_test(chosen: list[tuple[Named, Entry]], keys: Keys | None, layout: str) -> int:
    """Try every change on a scratch copy of each; DENY where one is not told."""
    tests, lines, holes = [], [], False
    for named, entry in chosen:
        record = load_record(named.store, entry)
        with private_folder() as folder:
            tried = list(self_test(record, named.store, named.engine(), folder=folder, keys=keys))
        missed = [one for one in tried if not one.told]
        holes = holes or bool(missed)
        tests.append(_document(record.name, record.id, tried))
        told = len(tried) - len(missed)
        rate = f"{100 * told / len(tried):.0f} %" if tried else "nothing in it can be changed"
        lines.append(
            f"{visible(record.name)}  {visible(record.id)}  {told:,} of {counted(len(tried), 'change', 'changes')} "
            f"told: {rate}"
        )
        lines += [f"    NOT TOLD: {visible(one.name)}" for one in missed]
    if layout == "json":
        say(render_json({"format": "rollback-guard/backup-self-test/1", "tests": tests}))
    else:
        say("\n".join(lines))
    return exit_codes.DENY if holes else exit_codes.ALLOW


def _document(name: str, id: str, tried: list[Tried]) -> dict[str, object]:
    return {
        "name": name,
        "id": id,
        "tried": len(tried),
        "told": sum(one.told for one in tried),
        "changes": [{"change": one.name, "told": one.told} for one in tried],
    }
