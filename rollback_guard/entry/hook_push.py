"""Hooks of a push: pre-push before it leaves, pre-receive before a server takes it."""

from __future__ import annotations

import os
import sys
import time

from rollback_guard.entry.default_branch import general_branches
from rollback_guard.errors import UsageError
from rollback_guard.facts.gist import NoGist, read_gists
from rollback_guard.facts.push import PARTIAL, read_pre_commit_push, read_push, read_receive
from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.process import decode
from rollback_guard.git.push_log import new_commits, note_pushes, pusher_of
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.policy.paths import DEFAULT_BRANCHES, HEADS, REMOTE
from rollback_guard.policy.patterns import matches_any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rollback_guard.entry.hook import Tell
    from rollback_guard.facts.model import Fact, Stage
    from rollback_guard.facts.push import Update


def decide_push(rest: list[str], stdin: bytes | None, environ: Mapping[str, str], tell: Tell | None = None) -> int:
    """pre-push: git's arguments are the remote's name and URL, its input one line a ref.

    Under pre-commit, one ref only is told of, by variables; the verdict says that coverage is partial.
    """
    repository = open_repository(os.getcwd(), environ, hook=True)
    if stdin is None:
        updates = read_pre_commit_push(repository, environ)
        if not updates:
            sys.stderr.write("no push is under way: nothing was judged\n")
            return 0
        url = environ.get("PRE_COMMIT_REMOTE_URL", "")
        if _is_elsewhere(repository, updates):
            return 0
        return _judge(repository, updates, stage="push", url=url, missing=PARTIAL, tell=tell)
    updates = read_push(stdin)
    if not updates:
        return 0  # everything is up to date
    if len(rest) < 2:
        raise UsageError(
            "pre-push needs the remote's name and URL", remedy="hooks are called by git; to look by hand: guard check"
        )
    if _is_elsewhere(repository, updates):
        return 0
    return _judge(repository, updates, stage="push", url=rest[1], missing=(), tell=tell)


def _is_elsewhere(repository: Repository, updates: Sequence[Update]) -> bool:
    """Whether it is plain, without the gate, that a push concerns no production branch and no odd name.

    Wider than the rules on purpose: what this lets pass, they look at.
    """
    revs = tuple(rev for update in updates for rev in (update.old, update.ref, _tracking(update.ref)) if rev)
    try:
        with ObjectReader(repository.git) as objects:
            gists = read_gists(repository, objects, (*revs, "HEAD", *DEFAULT_BRANCHES))
    except (NoGist, TooLargeError):
        return False
    patterns = tuple(pattern for branches, _ in gists for pattern in branches)
    return bool(gists) and not _odd_ones(repository, updates, patterns)


def _worth_judging(repository: Repository, updates: tuple[Update, ...]) -> tuple[Update, ...]:
    """Those of a push's refs that a rule may say something about: a mirror may bring 20,000 that concern none.

    Policies are read whole here. With none, or a broken one, every ref is judged.
    """
    from rollback_guard.facts.policy_source import policies_for

    revs = [rev for update in updates for rev in (update.old, update.ref) if rev]
    with ObjectReader(repository.git) as objects:
        found = policies_for(objects, *dict.fromkeys((*revs, "HEAD", *DEFAULT_BRANCHES)))
    if not found or any(one.policy is None for one in found):
        return updates
    patterns = tuple(pattern for one in found if one.policy is not None for pattern in one.policy.production.branches)
    odd = set(_odd_ones(repository, updates, patterns))
    # A default branch that is made only now would say which branches are production.
    ruling = general_branches(repository)
    return tuple(one for one in updates if one in odd or (one.old is None and one.ref in ruling))


def _odd_ones(repository: Repository, updates: Sequence[Update], patterns: tuple[str, ...]) -> tuple[Update, ...]:
    """The updates of production, and those whose names somebody could misread."""
    from rollback_guard.gate.lookalike import coarse_key

    out = repository.git.run("for-each-ref", "--format=%(refname)", HEADS, "refs/remotes/").stdout
    taken: dict[str, set[str]] = {}
    for ref in decode(out).split("\n")[:-1]:  # a name may hold what else ends a line
        name = ref[len(HEADS) :] if ref.startswith(HEADS) else ref[len("refs/remotes/") :].partition("/")[2]
        taken.setdefault(coarse_key(name), set()).add(name)
        taken.setdefault(coarse_key(ref.split("/")[2]) + "/", set()).add(ref)
    for pattern in patterns:
        taken.setdefault(coarse_key(pattern), set()).add(pattern)
    for update in updates:  # two names of one push can be near each other as well
        if update.new is not None:
            name = update.ref.removeprefix(HEADS)
            taken.setdefault(coarse_key(name), set()).add(name)
    return tuple(
        update for update in updates if not _is_plain(update.ref) or _is_odd(update.ref, patterns, taken, coarse_key)
    )


def _tracking(ref: str) -> str:
    """The remote-tracking name of a branch, as far as one remote is the usual one."""
    return REMOTE + ref.removeprefix(HEADS) if ref.startswith(HEADS) else ""


def _is_plain(ref: str) -> bool:
    """Whether a ref is an ordinary branch of a name that nobody can misread."""
    name = ref.removeprefix(HEADS)
    first = name.partition("/")[0].casefold()
    return (
        ref.startswith(HEADS)
        and ref.isascii()
        and ref.isprintable()
        and not name.startswith("-")
        and first not in ("refs", "heads", "tags", "remotes", "origin", "upstream")
        and not name.upper().endswith(("HEAD", "@"))
    )


def _is_odd(ref: str, patterns: tuple[str, ...], taken: dict[str, set[str]], key_of: Callable[[str], str]) -> bool:
    """Whether a branch is production, or its name is near another's or begins like a remote's."""
    name = ref.removeprefix(HEADS)
    remotes = any(other.startswith("refs/remotes/") for other in taken.get(key_of(name.partition("/")[0]) + "/", ()))
    return matches_any(patterns, name) or bool(taken.get(key_of(name), set()) - {name}) or remotes


def decide_receive(stdin: bytes, environ: Mapping[str, str], tell: Tell | None = None) -> int:
    """pre-receive: one line a ref; new objects lie in git's quarantine until this ends with 0."""
    repository = open_repository(os.getcwd(), environ, hook=True)
    updates = read_receive(stdin)
    if not updates:
        raise UsageError(
            "pre-receive was told of no ref at all", remedy="hooks are called by git; to look by hand: guard check"
        )
    resolved = _resolved(repository, updates)
    rest = _worth_judging(repository, resolved)
    pusher = pusher_of(repository, environ)
    # By whatever ref: a commit that came as a tag can be made a branch of by anybody afterwards.
    new = new_commits(repository, (one.new for one in resolved if one.new is not None)) if pusher else ()
    arriving = dict.fromkeys(new, pusher)
    code = _judge(repository, rest, stage="receive", url="", missing=(), tell=tell, arriving=arriving) if rest else 0
    unnoted = note_pushes(repository, pusher, new) if code == 0 else ""
    if unnoted:
        sys.stderr.write(f"guard: who pushed could not be noted: {unnoted}\n")
    return code


def _resolved(repository: Repository, updates: tuple[Update, ...]) -> tuple[Update, ...]:
    """The updates by the refs that they really move: a server may have another name that stands for production."""
    out = decode(repository.git.run("for-each-ref", "--format=%(refname) %(symref)", HEADS).stdout)
    stands_for = dict(words for line in out.split("\n") if len(words := line.split(" ")) == 2 and words[1])
    return tuple(update._replace(ref=stands_for.get(update.ref, update.ref)) for update in updates)


def _judge(
    repository: Repository,
    updates: Sequence[Update],
    *,
    stage: Stage,
    url: str,
    missing: tuple[str, ...],
    tell: Tell | None,
    arriving: Mapping[bytes, str] = {},
) -> int:
    from rollback_guard.entry.exit_codes import of_decision
    from rollback_guard.entry.judge import judge_updates
    from rollback_guard.entry.question import Question
    from rollback_guard.entry.wiring import hook_text
    from rollback_guard.facts.model import Known
    from rollback_guard.facts.surroundings import absolute, read_surroundings, repository_of
    from rollback_guard.policy.repositories import normalise_repository

    around = read_surroundings(repository)._replace(arriving=arriving)
    name: Fact[str] = repository_of(around, claimed=absolute(url, repository.git.cwd) if url else None)
    if stage == "receive" and not around.name:
        # A server is what its path says, unless it was told its name.
        name = Known(normalise_repository(repository.git_dir), "the repository's path")
    question = Question(repository, around, int(time.time()))
    verdict = judge_updates(question, updates, stage=stage, name=name, missing=missing)
    if tell is not None:
        tell(verdict)
    elif verdict.decision != "allow":
        hook_text(verdict, "pre-receive" if stage == "receive" else "pre-push")
    elif missing and any(change.outcomes for change in verdict.changes):
        _note_partial(missing)
    return of_decision(verdict.decision)


def _note_partial(missing: tuple[str, ...]) -> None:
    """pre-commit shows what a passing hook prints only when asked; who asks shall know what was not seen."""
    sys.stderr.write(f"coverage: partial (not seen: {', '.join(missing)}); the native hook sees everything\n")
