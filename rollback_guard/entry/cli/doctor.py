"""`guard doctor`: what is installed, missing or bypassable here, with the remedy.

Looking is left to `facts.installation`, judging and wording to `report.doctor_text`.
"""

from __future__ import annotations

import os
import sys

import click

from rollback_guard import __version__
from rollback_guard.entry import exit_codes
from rollback_guard.entry.waivers import find_unreviewed
from rollback_guard.entry.wiring import ask, say
from rollback_guard.errors import GuardError
from rollback_guard.facts.installation import collect_installation
from rollback_guard.facts.installation_model import Installation
from rollback_guard.git.process import Git, scrubbed
from rollback_guard.git.repository import Repository, git_version, open_repository
from rollback_guard.report.diagnosis import Diagnosis
from rollback_guard.report.doctor_text import as_json, diagnose, dotted, healthy, old_git, render_text
from rollback_guard.report.json_text import render_json


@click.command("doctor")
@click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(layout: str) -> int:
    """Find what is missing, broken or bypassed in this clone or server repository.

    Nothing is changed and nothing is fetched. What a server does that cannot be looked at from here is
    said as a note. Ends with 1 when there is a problem.

    \b
    Example:
      guard doctor
      guard doctor --format json
    """
    git = git_version(Git(cwd=os.getcwd(), env=scrubbed(os.environ)))
    versions = {"guard": __version__, "git": dotted(git), "python": sys.version.split()[0]}
    old = old_git(git)
    diagnoses: tuple[Diagnosis, ...]
    if old is not None:
        diagnoses = (old,)
    else:
        repository = open_repository(os.getcwd(), os.environ)
        installation = _with_waivers(collect_installation(repository, os.environ), repository)
        if installation.tools.ssh:
            versions["ssh"] = dotted(installation.tools.ssh)
        diagnoses = diagnose(installation)
    if layout == "json":
        say(render_json(as_json(diagnoses, versions)))
    else:
        say(render_text(diagnoses, versions))
    return exit_codes.ALLOW if healthy(diagnoses) else exit_codes.DENY


def _with_waivers(installation: Installation, repository: Repository) -> Installation:
    """What is waived and was never looked at afterwards; evidence that cannot be read is a finding of its own."""
    try:
        return installation._replace(unreviewed=find_unreviewed(ask(repository)))
    except GuardError as error:
        return installation._replace(evidence_fault=(error.message, error.remedy))
