"""Hooks of a commit in the making: pre-commit, pre-merge-commit, prepare-commit-msg, commit-msg.

On a branch that is not production they end after two git processes and before the gate is imported.
"""

from __future__ import annotations

import os

from rollback_guard.errors import PolicyError, UsageError
from rollback_guard.facts.gist import NoGist, read_gists
from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.repository import Repository, current_branch, open_repository
from rollback_guard.policy.paths import DEFAULT_BRANCHES, HEADS, REMOTE
from rollback_guard.policy.patterns import matches_any

POLICY_LIMIT = 1 << 22  # bytes of a file that may hold a policy; the reader itself says what is too large

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollback_guard.entry.hook import Tell
    from rollback_guard.facts.model import Message
    from rollback_guard.facts.policy_source import PolicyFound
    from rollback_guard.gate.verdict import Verdict


def decide_commit(stage: str, environ: Mapping[str, str], tell: Tell | None = None) -> int:
    """pre-commit and pre-merge-commit: may a commit be made on this branch?"""
    repository, branch = _where(environ)
    if branch is None or _is_elsewhere(repository, branch):
        return 0
    policies, unborn = _policies(repository, branch)
    if unborn or not _concerns_production(policies, branch):
        return 0
    if not policies:
        return _without_policy(repository, branch)
    return _conclude(stage, _judge_commit(repository, branch, policies, environ, None), tell)


def decide_message(rest: list[str], environ: Mapping[str, str], tell: Tell | None = None) -> int:
    """commit-msg: are the trailers well formed, and may this merge be made on production?"""
    if not rest:
        raise UsageError("commit-msg needs the path of the message", remedy="guard-hook commit-msg .git/COMMIT_EDITMSG")
    repository, branch = _where(environ)
    if branch is None or _is_elsewhere(repository, branch, message=rest[0]):
        return 0
    policies, unborn = _policies(repository, branch)
    if unborn or not policies:
        return 0
    from rollback_guard.facts.commit import read_message

    message = read_message(repository, rest[0])
    return _conclude("commit-msg", _judge_commit(repository, branch, policies, environ, message), tell)


def _where(environ: Mapping[str, str]) -> tuple[Repository, str | None]:
    """The repository, and the branch that is checked out.

    Without a branch (a detached HEAD) nothing needs to be judged: what is made there reaches production by
    a push, or not at all.
    """
    repository = open_repository(os.getcwd(), environ, hook=True)
    return repository, repository.checked_out or current_branch(repository)


def _is_elsewhere(repository: Repository, branch: str, *, message: str | None = None) -> bool:
    """Whether it is plain, from the policies' gists alone, that nothing here needs to be judged.

    The branch is not production and, where there is a message, its sign-offs are plainly well written.
    """
    short = branch.removeprefix(HEADS)
    try:
        with ObjectReader(repository.git) as objects:
            gists = read_gists(repository, objects, ("HEAD", REMOTE + short, *DEFAULT_BRANCHES))
    except (NoGist, TooLargeError):
        return False
    if not gists or any(matches_any(branches, short) for branches, _ in gists):
        return False
    if message is None:
        return True
    from rollback_guard.gate.spelling import is_plain

    keys = tuple({key for _, keys in gists for key in keys})
    try:
        with open(os.path.join(repository.git.cwd, message), encoding="utf-8", errors="replace", newline="") as file:
            return is_plain(file.read(), keys)
    except OSError:
        return False


def _policies(repository: Repository, branch: str) -> tuple[tuple[PolicyFound, ...], bool]:
    """The policies that may name this branch, and whether the branch has no commit yet.

    Raises: PolicyError when the only policy there is cannot be read.
    """
    from rollback_guard.facts.policy_source import policies_for

    with ObjectReader(repository.git) as objects:
        unborn = objects.read("HEAD") is None
        found = policies_for(objects, "HEAD", REMOTE + branch.removeprefix(HEADS), *DEFAULT_BRANCHES)
        readable = tuple(one for one in found if one.policy is not None)
        if found and not readable:  # then what is staged may be the one that mends it
            readable = tuple(one for one in policies_for(objects, "") if one.policy is not None)
    broken = next((one for one in found if one.error is not None), None)
    if broken is not None and not readable and broken.error is not None:
        raise PolicyError(
            f"the policy of {broken.at} is invalid, so nothing can be judged by it",
            remedy=f"guard policy check --rev {broken.at}",
            problems=broken.error.problems,
        )
    return readable, unborn


def _concerns_production(policies: tuple[PolicyFound, ...], branch: str) -> bool:
    """Whether the branch is production; without any policy, whether it is one that would be."""
    from rollback_guard.facts.policy_source import is_production

    if policies:
        return is_production(policies, branch.removeprefix(HEADS))
    return branch in DEFAULT_BRANCHES


def _without_policy(repository: Repository, branch: str) -> int:
    """On the default branch of a repository without a policy only the policy itself may be begun."""
    from rollback_guard.git.process import decode
    from rollback_guard.policy.paths import governs

    staged = decode(repository.git.run("diff-index", "--cached", "--name-only", "-z", "HEAD").stdout).split("\0")[:-1]
    if staged and all(governs(path) for path in staged):
        return 0
    from rollback_guard.errors import RefusedError

    raise RefusedError(
        f"RG001 policy-missing: {branch.removeprefix(HEADS)} has no rollback-guard.toml, so nothing can be judged",
        remedy="guard init   # then commit the policy by itself",
    )


def _judge_commit(
    repository: Repository,
    branch: str,
    policies: tuple[PolicyFound, ...],
    environ: Mapping[str, str],
    message: Message | None,
) -> Verdict:
    import time

    from rollback_guard.entry.judge import evaluate, verdict_of
    from rollback_guard.entry.question import Question
    from rollback_guard.facts.commit import merge_commit, merge_heads, plain_commit
    from rollback_guard.facts.policy_source import PolicyFound, is_production
    from rollback_guard.facts.surroundings import read_surroundings, repository_of
    from rollback_guard.git.refs import resolve_commit

    production = is_production(policies, branch.removeprefix(HEADS))
    heads = merge_heads(repository, environ)
    question = Question(repository, read_surroundings(repository), int(time.time()))
    name = repository_of(question.around)
    # The branch's own policy comes first where it has one: it is read from its present tip.
    found = policies[0]
    base = resolve_commit(repository, "HEAD")
    if not production or not heads or base is None:
        change = plain_commit(
            "message" if message is not None else "commit",
            branch,
            production=production,
            message=message,
            repository=name,
        )
        return verdict_of(question, [evaluate(question, found, change, PolicyFound(at="nothing"))])
    change, proposed = merge_commit(
        repository,
        question.around,
        found.policy,
        stage="message" if message is not None else "merge",
        target=branch,
        base=base,
        heads=heads,
        message=message,
        name=name,
    )
    return verdict_of(question, [evaluate(question, found, change, proposed)])


def _conclude(stage: str, verdict: Verdict, tell: Tell | None) -> int:
    from rollback_guard.entry.exit_codes import of_decision
    from rollback_guard.entry.wiring import hook_text

    if tell is not None:
        tell(verdict)
    elif verdict.decision != "allow":
        hook_text(verdict, stage)
    return of_decision(verdict.decision)


def decide_policy(rest: list[str], environ: Mapping[str, str]) -> int:
    """The policy file that is staged, or the files that are named: can they be read?"""
    from rollback_guard.policy.read import read_policy

    for path in rest or ["rollback-guard.toml"]:
        try:
            with open(path, "rb") as file:
                data = file.read(POLICY_LIMIT)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="guard policy check FILE") from None
        read_policy(data, path=os.path.basename(path) if path.endswith("pyproject.toml") else path)
    return 0


def prepare_message(rest: list[str], environ: Mapping[str, str]) -> int:
    """prepare-commit-msg: fill a merge's message with what is signed already, and say what is missing."""
    if not rest:
        raise UsageError("prepare-commit-msg needs the path of the message", remedy="guard doctor")
    if len(rest) > 1 and rest[1] in ("commit", "squash"):
        return 0  # an amended or reused message has its trailers already
    repository, branch = _where(environ)
    if branch is None or _is_elsewhere(repository, branch):
        return 0
    try:
        policies, unborn = _policies(repository, branch)
    except PolicyError:
        return 0  # this stage runs in spite of --no-verify, and is no gate: the others refuse
    if unborn or not policies or not _concerns_production(policies, branch):
        return 0
    from rollback_guard.facts.commit import merge_heads

    heads = merge_heads(repository, environ)
    if len(heads) != 1 or policies[0].policy is None:
        return 0
    from rollback_guard.entry.hook_message import fill_message

    return fill_message(repository, policies[0].policy, heads[0], rest[0], edited=environ.get("GIT_EDITOR") != ":")
