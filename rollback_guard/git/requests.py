"""Commits that bear the number of a pull or merge request, by what forges write into a merge's or squash's message."""

from __future__ import annotations

import re

from rollback_guard.git.process import Git, decode
from rollback_guard.git.streams import split_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# GitHub, Gitea and Forgejo, Bitbucket, Azure DevOps, GitLab; and the end of a squash's subject.
_FORMS = (
    r"Merge pull request #{0} ",
    r"Merge pull request '.*' \(#{0}\) ",
    r"Merged in .* \(pull request #{0}\)",
    r"Merged PR {0}: ",
    r".* \(#{0}\)$",
    r".* \(!{0}\)$",
)
_GITLAB = r"^See merge request \S*!{0}$"


def named_by_number(git: Git, number: int, tip: str) -> Iterator[str]:
    """The commits of a branch's own line whose message bears the number, the newest first."""
    subject = re.compile("|".join(form.format(number) for form in _FORMS))
    line = re.compile(_GITLAB.format(number), re.MULTILINE)
    layout = ("--first-parent", "--no-show-signature", "--encoding=UTF-8", f"--grep={number}", "--fixed-strings")
    out = git.chunks("log", "-z", *layout, "--format=tformat:%H%n%B", tip, "--")
    for parts in split_stream(out, b"\0"):
        for part in parts:
            commit, _, message = decode(part).partition("\n")
            first = message.partition("\n")[0] + " "
            if subject.match(first) or subject.match(first.rstrip()) or line.search(message):
                yield commit
