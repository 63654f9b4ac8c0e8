"""RG106, RG107, RG201 to RG206: signing for oneself, for others, for something else, or in a way nobody reads."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import Scene
from tests.support.builder import POLICY, SIGNED

OMAR = "Reviewed-by: Omar Haddad <omar@acme.example>\n"
QA_UAT = "QA-by: Quinn Lee <quinn@acme.example>\nUAT-by: Uma Patel <uma@acme.example>\n"


def release(scene: Scene, message: str, *, by: str = "jane", committer: str | None = None) -> None:
    """A release branch with one more commit of this message, and nothing unsigned before it."""
    scene.repo.git("checkout", "-q", "-b", "release/2", "main")
    scene.repo.commit(message, by=by, committer=committer, app_dot_py="price = 9\n")
    scene.taken("release/2")


def test_an_honest_release_is_taken(scene: Scene) -> None:
    release(scene, f"Release\n\n{SIGNED}")
    scene.taken("release/2:main")


def test_nobody_signed(scene: Scene) -> None:
    release(scene, "Release")
    scene.refused("release/2:main", rules=("RG201",))


def test_forged_trailer_is_a_documented_limit_of_trailers(scene: Scene) -> None:
    """Anybody can write a trailer: a policy that fears that asks for more. See docs/threat-model.md."""
    release(scene, f"Release\n\n{SIGNED}")
    assert scene.push("release/2:main").code == 0


@pytest.mark.parametrize(("proof", "code"), [("forge", 4), ("signature", 1)])
def test_forged_trailer_where_more_is_asked(scene: Scene, proof: str, code: int) -> None:
    scene.policy(POLICY.replace('proof = "trailer"', f'proof = "{proof}"', 1))
    release(scene, f"Release\n\n{SIGNED}")
    scene.refused("release/2:main", rules=("RG205",), code=code)


def test_author_signs(scene: Scene) -> None:
    release(scene, f"Release\n\n{SIGNED}", by="omar")
    scene.refused("release/2:main", rules=("RG202",))


def test_committer_signs(scene: Scene) -> None:
    release(scene, f"Release\n\n{SIGNED}", by="jane", committer="omar")
    scene.refused("release/2:main", rules=("RG202",))


def test_author_of_an_earlier_commit_signs(scene: Scene) -> None:
    scene.repo.git("checkout", "-q", "-b", "release/2", "main")
    scene.repo.commit("First", by="omar", a_dot_py="a\n")
    scene.signed("Release", by="jane", b_dot_py="b\n")
    scene.taken("release/2")
    scene.refused("release/2:main", rules=("RG202",))


def test_author_signs_under_a_second_address(scene: Scene) -> None:
    release(scene, f"Release\n\nReviewed-by: O. Haddad <omar@home.example>\n{QA_UAT}", by="omar")
    scene.refused("release/2:main", rules=("RG202",))


@pytest.mark.parametrize(
    "address", ["OMAR@ACME.EXAMPLE", "Omar@Acme.Example", "oMar@HOME.example"], ids=["upper", "title", "other"]
)
def test_author_signs_in_another_case(scene: Scene, address: str) -> None:
    release(scene, f"Release\n\nReviewed-by: Omar <{address}>\n{QA_UAT}", by="omar")
    scene.refused("release/2:main", rules=("RG202",))


@pytest.mark.parametrize(
    "address",
    ["omar+1@acme.example", "om.ar@acme.example", "omar@acme.example.", "оmar@acme.example", "omar\u200b@acme.example"],
    ids=["plus", "dot", "final-dot", "cyrillic", "zero-width"],
)
def test_author_signs_under_an_address_that_nobody_listed(scene: Scene, address: str) -> None:
    release(scene, f"Release\n\nReviewed-by: Omar <{address}>\n{QA_UAT}", by="omar")
    scene.refused("release/2:main", rules=("RG203",))


@pytest.mark.parametrize("address", [" omar@acme.example ", "omar@acme.example\t", "omar @acme.example", ""])
def test_spaces_within_the_brackets(scene: Scene, address: str) -> None:
    release(scene, f"Release\n\nReviewed-by: Omar <{address}>\n{QA_UAT}", by="omar")
    scene.refused("release/2:main", rules=("RG206",))


@pytest.mark.parametrize("address", ["OMAR@ACME.EXAMPLE", " omar@acme.example ", "omar@home.example"])
def test_author_under_another_spelling_of_the_signer_s_address(scene: Scene, address: str) -> None:
    repo = scene.repo
    head = scene.raw_commit(
        f"tree {repo.tree('release/1.4')}\nparent {repo.head('main')}\nauthor O <{address}> 1780100000 +0000\n"
        f"committer Jane <jane@acme.example> 1780100000 +0000\n\nRelease\n\n{SIGNED}"
    )
    scene.taken(f"{head}:refs/heads/release/2")
    scene.refused(f"{head}:refs/heads/main", rules=("RG202",))


@pytest.mark.parametrize(
    "line", ["Co-authored-by: Omar <omar@acme.example>", "co-AUTHORED-by: O <omar@home.example>"], ids=["own", "second"]
)
def test_co_author_signs(scene: Scene, line: str) -> None:
    release(scene, f"Release\n\n{SIGNED}{line}\n")
    scene.refused("release/2:main", rules=("RG202",))


def test_co_author_without_an_address_signs(scene: Scene) -> None:
    release(scene, f"Release\n\n{SIGNED}Co-authored-by: Omar Haddad\n")
    scene.refused("release/2:main")


def test_author_of_a_squashed_branch_signs_the_squash(scene: Scene) -> None:
    """The squash bears one author; the branch that it squashes is still there and says who made it."""
    repo = scene.repo
    repo.git("checkout", "-q", "-b", "release/2", "main")
    repo.commit("Work", by="omar", app_dot_py="price = 9\n")
    scene.taken("release/2")
    repo.checkout("main")
    repo.git("merge", "-q", "--squash", "release/2")
    repo.commit(f"Release 2\n\n{SIGNED}", by="jane")
    scene.refused("main", rules=("RG202",))


def test_an_honest_squash_is_taken(scene: Scene) -> None:
    repo = scene.repo
    repo.git("merge", "-q", "--squash", "release/1.4")
    repo.commit(f"Release 1.4\n\n{SIGNED}", by="jane")
    scene.taken("main")


def conflicting(scene: Scene) -> None:
    """release/2 and main both changed app.py; the merge stands unfinished in the work tree."""
    repo = scene.repo
    repo.git("checkout", "-q", "-b", "hotfix/1", "main")
    scene.signed("Hotfix", app_dot_py="price = 5\n")
    scene.taken("hotfix/1")
    scene.taken("hotfix/1:main")
    repo.git("checkout", "-q", "-b", "release/2", "main")
    scene.signed("Release", by="jane", app_dot_py="price = 9\n")
    scene.taken("release/2")
    repo.git("checkout", "-q", "-B", "main", "hotfix/1")
    repo.git("merge", "--no-commit", "--no-ff", "release/2", check=False)


def test_who_resolved_the_conflict_by_hand_signs_the_merge(scene: Scene) -> None:
    conflicting(scene)
    scene.repo.commit(f"Merge branch 'release/2'\n\n{SIGNED}", by="omar", app_dot_py="import evil\n")
    scene.refused("main", rules=("RG202",))


def test_conflict_resolved_without_a_new_sign_off(scene: Scene) -> None:
    conflicting(scene)
    scene.repo.commit("Merge branch 'release/2'", by="jane", app_dot_py="import evil\n")
    scene.refused("main", rules=("RG106",))


@pytest.mark.parametrize("how", ["author", "committer"])
def test_stranger_made_a_part(scene: Scene, how: str) -> None:
    release(
        scene,
        f"Release\n\n{SIGNED}",
        by="eve" if how == "author" else "jane",
        committer="jane" if how == "author" else "eve",
    )
    scene.refused("release/2:main", rules=("RG107",))


def test_stranger_makes_the_merge_that_lands(scene: Scene) -> None:
    scene.repo.merge("release/1.4", by="eve")
    scene.refused("main", rules=("RG107",))


def test_stranger_signs(scene: Scene) -> None:
    release(scene, f"Release\n\nReviewed-by: Eve <eve@elsewhere.example>\n{QA_UAT}")
    scene.refused("release/2:main", rules=("RG203",))


def test_one_person_signs_in_every_role(scene: Scene) -> None:
    lines = "".join(f"{key}: Omar <omar@acme.example>\n" for key in ("Reviewed-by", "QA-by", "UAT-by"))
    release(scene, f"Release\n\n{lines}")
    scene.refused("release/2:main", rules=("RG203",))


def test_one_person_signs_twice_where_two_are_asked(scene: Scene) -> None:
    scene.policy(POLICY.replace('by = ["@developers"]', 'by = ["@developers", "quinn"]\ncount = 2'))
    release(scene, f"Release\n\n{OMAR}Reviewed-by: Omar <omar@home.example>\n{QA_UAT}")
    scene.refused("release/2:main", rules=("RG201",))


def test_pushes_after_approval(scene: Scene) -> None:
    release(scene, f"Release\n\n{SIGNED}")
    scene.repo.commit("One more thing", app_dot_py="price = 0\n")
    scene.taken("release/2")
    scene.refused("release/2:main", rules=("RG204",))
    scene.repo.checkout("main")
    scene.repo.merge("release/2")
    scene.refused("main", rules=("RG204",))


def test_retarget_lets_the_base_move_on(scene: Scene) -> None:
    release(scene, f"Release\n\n{SIGNED}")
    scene.taken("release/1.4:main")
    scene.repo.git("checkout", "-q", "-B", "main", "release/1.4")
    scene.repo.git("merge", "-q", "-s", "ours", "release/2", "-m", "x", check=False)
    scene.repo.git("reset", "-q", "--hard", "release/1.4")
    scene.repo.git("merge", "-q", "-X", "theirs", "--no-ff", "-m", "Merge release/2", "release/2")
    scene.refused("main", rules=("RG106",))


def test_replays_the_sign_offs_of_what_landed_before(scene: Scene) -> None:
    """The head's trailers count; a merge with a head that landed long ago brings trailers and nothing else."""
    repo = scene.repo
    tree = repo.git("rev-parse", "release/1.4~1^{tree}")
    merge = scene.commit_tree(tree, "Merge branch 'release/1.3'", repo.head("main"), repo.head("release/1.3"))
    scene.refused(f"{merge}:refs/heads/main", rules=("RG105",))


@pytest.mark.parametrize(
    "text",
    [
        f"Release\n\n# {OMAR}{QA_UAT}",
        f"Release\n\n{QA_UAT}\n# ------------------------ >8 ------------------------\n{OMAR}",
        f"Release\n\n{QA_UAT}\n---\n\n> {OMAR}",
        f"Release\n\n {OMAR}\n\n{QA_UAT}",
        f"Release\n\n{OMAR}\nSome more text.\n\n{QA_UAT}",
        f"Release\n\nReviewed-by:\n{QA_UAT}",
        f"Release\n\nReviewed-by: omar@acme.example\n{QA_UAT}",
        f"Release\n\nReviewеd-by: Omar <omar@acme.example>\n{QA_UAT}",
        f"Release\n\nRevіewed-by: Omar <omar@acme.example>\n{QA_UAT}",
        f"Release\n\nReviewed‐by: Omar <omar@acme.example>\n{QA_UAT}",
        f"Release\n\nReviewed-by\u200b: Omar <omar@acme.example>\n{QA_UAT}",
        f"Release\n\nNot-\n {OMAR}{QA_UAT}",
        f"Release\n\nX: y\n  {OMAR}{QA_UAT}",
        f"Release Reviewed-by: Omar <omar@acme.example>\n\n{QA_UAT}",
        f"{OMAR.strip()}\n\n{QA_UAT}",
        f"Release\n\nReviewed-by: Omar <omar@acme.example> <quinn@acme.example>\n{QA_UAT}",
        f"Release\n\nReviewed-by: Omar <<omar@acme.example>>\n{QA_UAT}",
        f"Release\n\nReviewed-by; Omar <omar@acme.example>\n{QA_UAT}",
        f"Release\n\n{QA_UAT}Reviewed-by: Om\0ar <omar@acme.example>\n",
    ],
    ids=[
        *("comment", "scissors", "quoted", "indented", "not-last", "empty", "no-name", "cyrillic-e", "cyrillic-i"),
        *("hyphen", "zero-width", "folded-key", "folded-into-another", "subject", "only-subject", "two", "double"),
        *("semicolon", "nul"),
    ],
)
def test_trailer_that_only_a_person_would_read(scene: Scene, text: str) -> None:
    repo = scene.repo
    head = scene.raw_commit(
        f"tree {repo.tree('release/1.4')}\nparent {repo.head('main')}\nauthor J <jane@acme.example> 1780100000 +0000\n"
        f"committer Jane <jane@acme.example> 1780100000 +0000\n\n{text}"
    )
    scene.on_server("config", "receive.fsckObjects", "false")
    scene.push(f"{head}:refs/heads/release/2")
    scene.refused(f"{head}:refs/heads/main", rules=("RG201",) if "\0" not in text else ())


def test_veiled_trailer_by_an_encoding(scene: Scene) -> None:
    """The commit says that it is UTF-7: what people see as text would become a trailer only when re-encoded."""
    repo = scene.repo
    head = scene.raw_commit(
        f"tree {repo.tree('release/1.4')}\nparent {repo.head('main')}\nauthor J <jane@acme.example> 1780100000 +0000\n"
        f"committer Jane <jane@acme.example> 1780100000 +0000\nencoding UTF-7\n\nRelease\n\n{QA_UAT}"
        "Reviewed-by: Omar +ADw-omar@acme.example+AD4-\n"
    )
    scene.push(f"{head}:refs/heads/release/2")
    done = scene.push(f"{head}:refs/heads/main")
    assert done.code in (0, 1)  # a forged trailer either way; it must not crash
    assert "crashed" not in done.err


@pytest.mark.parametrize("date", ["9999999999", "99999999999999999999", "-1", "0", "1", "x", ""])
def test_date_of_another_age(scene: Scene, date: str) -> None:
    """With a bound on age, no date in the future, long ago or of no sense makes a sign-off young."""
    scene.policy(POLICY.replace('proof = "trailer"', 'proof = "trailer"\nmax-age = "14d"'))
    repo = scene.repo
    head = scene.raw_commit(
        f"tree {repo.git('rev-parse', 'main^{tree}')}\nparent {repo.head('main')}\n"
        f"author J <jane@acme.example> 1780100000 +0000\n"
        f"committer Jane <jane@acme.example> {date} +0000\n\nRelease\n\n{SIGNED}"
    )
    assert scene.push(f"{head}:refs/heads/release/2").code == 0
    scene.refused(f"{head}:refs/heads/main", rules=("RG204",))
