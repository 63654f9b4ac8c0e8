"""What production took back comes again by half, or is called stable; and messages that pretend either way."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import STABLE, Scene

NEXT = "stable/2026.5.28.9"


@pytest.fixture
def gone(scene: Scene) -> Scene:
    """release/1.4 landed, production reverted it, and the branch has a signed fix on top; `main` is checked out."""
    repo = scene.repo
    repo.checkout("main")
    repo.merge("release/1.4", by="jane")
    repo.git("tag", "landing")
    repo.git("revert", "--no-edit", "-m", "1", "HEAD", **repo.as_person("jane"))
    scene.admin("main")
    repo.checkout("release/1.4")
    scene.signed("Mend it", mended_dot_txt="x\n")
    scene.taken("release/1.4")
    repo.checkout("main")
    return scene


def test_a_branch_that_is_merged_again_after_its_revert(gone: Scene) -> None:
    gone.repo.merge("release/1.4", by="jane")
    done = gone.refused("main", rules=("RG403",))
    assert f"guard reland {gone.repo.head('landing')[:12]}" in done.err


def test_with_a_reapply_that_is_empty_and_has_no_revert_in_its_history(gone: Scene) -> None:
    repo = gone.repo
    repo.checkout("release/1.4")
    gone.signed(f'Reapply "Merge"\n\nThis reverts commit {repo.head("main")}.')
    gone.taken("release/1.4")
    repo.checkout("main")
    repo.merge("release/1.4", by="jane")
    gone.refused("main", rules=("RG403",))


def test_with_an_unrelated_commit_on_production_that_says_that_it_is_back(gone: Scene) -> None:
    repo = gone.repo
    back = repo.head("main")
    repo.commit(f'Reapply "Merge"\n\nThis reverts commit {back}.', by="jane", notes_dot_txt="x\n")
    repo.commit(f"Notes\n\nThis reapplies commit {repo.head('landing')}.", by="jane", notes_dot_txt="y\n")
    gone.admin("main")
    done = gone.guard("release", "landing")
    assert done.code == 1
    assert "RG404 missing-revert" in done.err
    repo.merge("release/1.4", by="jane")
    gone.refused("main", rules=("RG403",))


def test_hidden_in_a_merge_within_another_approved_branch(gone: Scene) -> None:
    repo = gone.repo
    repo.branch("release/1.5", "main")
    repo.merge("release/1.4", by="jane")
    gone.signed("Release 1.5", version_dot_txt="1.5\n")
    gone.taken("release/1.5")
    repo.checkout("main")
    repo.merge("release/1.5", by="jane")
    gone.refused("main", rules=("RG403",))


def test_with_a_branch_that_bears_the_beginning_of_the_landing_s_id(gone: Scene) -> None:
    """The revert names the landing in short; a ref of that name must not be what it means."""
    repo = gone.repo
    short = repo.head("landing")[:9]
    tree = repo.tree("main")
    short_revert = gone.commit_tree(tree, f"Out\n\nThis reverts commit {short}.", repo.head("landing"))
    gone.repo.git("update-ref", "refs/heads/main", short_revert)
    gone.repo.git("reset", "-q", "--hard")
    gone.admin("--force", "main", f"main~2:refs/heads/{short}")
    repo.merge("release/1.4", by="jane")
    gone.refused("main", rules=("RG403",))


def test_the_honest_way_has_nothing_against_it(gone: Scene) -> None:
    name = "release/again"
    done = gone.guard("reland", "landing", "--as", name, "--yes")
    assert done.code == 0, done.err
    gone.repo.checkout(name)
    gone.signed("Release 1.4 again", version_dot_txt="1.4.1\n")
    gone.taken(name)
    gone.repo.checkout("main")
    gone.repo.merge(name, by="jane")
    gone.taken("main")
    assert "mended.txt" in gone.on_server("ls-tree", "--name-only", "main")
    assert gone.on_server("show", "main:app.py") == gone.repo.git("show", "landing:app.py")


def test_a_revert_that_only_pretends_stops_nobody(scene: Scene) -> None:
    """Whoever can push a branch could else keep others from landing: a revert must have what it takes back."""
    repo = scene.repo
    landing = repo.head("release/1.4")
    repo.branch("feature/liar", STABLE)
    repo.commit(f'Revert "Release"\n\nThis reverts commit {landing}.\nThis reverts commit {landing[:7]}.')
    scene.taken("feature/liar")
    repo.checkout("main")
    repo.merge("release/1.4", by="jane")
    scene.taken("main")


def test_a_stable_tag_on_what_was_reverted(gone: Scene) -> None:
    gone.repo.stable_tag(NEXT, "landing")
    gone.refused(f"refs/tags/{NEXT}", rules=("RG404",))
    gone.repo.git("tag", "-d", NEXT)
    done = gone.guard("release", "landing", "--tag", NEXT)
    assert done.code == 1
    assert "RG404 missing-revert" in done.err
    assert gone.repo.git("tag", "-l", NEXT) == ""
    gone.repo.stable_tag(NEXT, "main")
    gone.taken(f"refs/tags/{NEXT}")


@pytest.mark.parametrize("tag_first", [True, False])
def test_a_stable_tag_that_comes_along_with_the_revert(scene: Scene, tag_first: bool) -> None:
    """What production has by the end of the push counts, not what it had before."""
    repo = scene.repo
    repo.checkout("main")
    repo.merge("release/1.4", by="jane")
    scene.taken("main")
    repo.stable_tag(NEXT, "main")
    assert scene.guard("revert", "--to", STABLE, "--yes").code == 0
    refs = ["main", f"refs/tags/{NEXT}"]
    scene.refused(*(reversed(refs) if tag_first else refs), rules=("RG404",))
    scene.taken("main")
    repo.git("tag", "-d", NEXT)
    repo.stable_tag(NEXT, "main")
    scene.taken(f"refs/tags/{NEXT}")


def test_a_history_of_messages_that_name_thousands(scene: Scene) -> None:
    """A message may name what it likes: it costs a moment, and nothing is lost but time."""
    repo = scene.repo
    repo.checkout("main")
    names = "".join(f"This reverts commit {number:07x}.\nReverts acme/shop#{number}\n" for number in range(1, 40))
    for number in range(3):
        repo.commit(f"Noise {number}\n\n{names}", noise_dot_txt=f"{number}\n")
    scene.admin("main")
    repo.checkout("release/1.4")
    repo.merge("main", by="jane")
    scene.signed("Release again", version_dot_txt="1.4.1\n")
    repo.checkout("main")
    repo.commit(f"More noise\n\n{names}", noise_dot_txt="x\n")
    scene.admin("main")
    repo.merge("release/1.4", by="jane")
    scene.refused("main", rules=("RG106",))
