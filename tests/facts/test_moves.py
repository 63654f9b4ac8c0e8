"""How production moves: forward on its own chain, aside, or not forward at all."""

from __future__ import annotations

import os
from pathlib import Path

from rollback_guard.facts.push import move_of_production
from rollback_guard.git.repository import open_repository
from tests.support.builder import RepositoryBuilder


def test_move_of_production(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    old = repo.commit("Begin", a_dot_txt="1\n")
    repo.branch("hotfix/2")
    beside = repo.commit("Hotfix", b_dot_txt="1\n")
    repo.checkout("main")
    tip = repo.commit("Next", a_dot_txt="2\n")
    repo.checkout("hotfix/2")
    foxtrot = repo.merge("main")
    repo.checkout("main")
    merged = repo.merge("hotfix/2")
    repository = open_repository(str(repo.path), os.environ)

    assert move_of_production(repository, tip, merged, begins=tip) == "forward"
    assert move_of_production(repository, tip, foxtrot, begins=tip) == "aside"
    assert move_of_production(repository, tip, old, begins=tip) == "rewind"
    assert move_of_production(repository, tip, tip, begins=tip) == "forward"
    assert move_of_production(repository, None, tip, begins=None) == "create"
    assert move_of_production(repository, None, merged, begins=tip) == "create"
    assert move_of_production(repository, None, beside, begins=tip) == "aside"
