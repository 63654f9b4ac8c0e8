"""RG206: a near-miss of a sign-off trailer, which would be passed over in silence."""

from __future__ import annotations

from rollback_guard.facts.model import Message, Trailer, Unknown
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.signoffs import bearer_in_words, is_key_of, parse_signer
from rollback_guard.gate.spelling import is_near, same_spelling
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import excerpt
from rollback_guard.policy.model import Policy, SignOff

ID = "RG206"
NAME = "malformed-trailer"

# Trailers with a meaning of their own, however close they are to a role's. Source: gitglossary, kernel and
# Gerrit practice, and design section 8.
OTHERS = frozenset(
    [
        *("signed-off-by", "co-authored-by", "acked-by", "tested-by", "reported-by", "suggested-by", "helped-by"),
        *("requested-by", "approved-by", "cc", "fixes", "link", "change-id", "refs", "closes", "bug", "see-also"),
        *("rollback-to", "reason"),
    ]
)


def evaluate(case: Case) -> Outcome:
    """Look at the parsed trailers and at the lines outside them, on the messages that count."""
    policy, change = case.policy, case.change
    if policy is None or not policy.sign_off:
        return not_applicable(ID, NAME, "the policy asks for no sign-offs")
    if isinstance(change.messages, Unknown):
        return undetermined(ID, NAME, change.messages, "messages")
    findings = []
    for message in change.messages.value:
        where = bearer_in_words(message, change)
        for fault, role in _faults(policy, message):
            form = f"{role.trailer}: Name <name@example.org>"
            remedy = f"in the last paragraph of the message, alone on its line: {form}"
            findings.append(Finding(subject=role.role, message=f"{where}: {fault}", remedy=remedy))
    return judge(ID, NAME, tuple(dict.fromkeys(findings)))


def _faults(policy: Policy, message: Message) -> list[tuple[str, SignOff]]:
    own = {role.trailer.casefold() for role in policy.sign_off}
    found = []
    for role in policy.sign_off:
        for trailer in message.trailers:
            fault = _trailer_fault(role, trailer, own)
            if fault:
                found.append((fault, role))
        for line in message.text.splitlines():
            if _is_stray(role, line, own) and not _is_parsed(line, message.trailers):
                found.append((f"{excerpt(line)} is no trailer there, so it counts for nothing", role))
    return found


def _trailer_fault(role: SignOff, trailer: Trailer, own: set[str]) -> str:
    if is_key_of(role, trailer.key):
        if parse_signer(trailer.value) is None:
            return f"{excerpt(trailer.key + ': ' + trailer.value)} names nobody: a name and an <e-mail> are needed"
        return ""
    return (
        f"{trailer.key} is no trailer of this policy; meant is {role.trailer}"
        if _is_miss(role, trailer.key, own)
        else ""
    )


def _is_miss(role: SignOff, key: str, own: set[str]) -> bool:
    folded = key.casefold()
    return folded not in OTHERS and folded not in own and is_near(folded, role.trailer.casefold())


def _is_stray(role: SignOff, line: str, own: set[str]) -> bool:
    """Whether a line is written like this role's trailer; indented and quoted lines are text about one."""
    if not line or line[0].isspace() or line[0] in ">|":
        return False
    end = next((position for position, one in enumerate(line) if one in ":=#"), -1)
    key, value = line[:end].rstrip(), line[end + 1 :]
    if end < 1 or not key:
        return False
    if same_spelling(key, role.trailer):
        return True
    return line[end] == ":" and parse_signer(value) is not None and _is_miss(role, key.replace(" ", "-"), own)


def _is_parsed(line: str, trailers: tuple[Trailer, ...]) -> bool:
    """Whether git took the line for a trailer, perhaps with more on folded lines below it."""
    key, _, value = line.partition(":")
    start = " ".join(value.split())
    return any(one.key.casefold() == key.strip().casefold() and one.value.startswith(start) for one in trailers)


RULE = Rule(
    id=ID,
    name=NAME,
    title="a near-miss of a known trailer: a misspelt key, no e-mail, or outside the trailer block",
    why="""Git only takes lines of the last paragraph for trailers, and only with the right key. `Reveiwed-by:` or
`Reviewed by:` looks like a sign-off to everybody who reads it and is none. Better to be told now than to wonder
later why it did not count.""",
    example="""`Reviewed by: Omar Haddad <omar@acme.example>` (a blank for the hyphen), `QA-by: Quinn` (no e-mail), or a
right line with a paragraph below it.""",
    needs=("the messages of the head and of what lands",),
    offline=True,
    remedy="""Write it in the last paragraph, alone on its line: `QA-by: Quinn Lee <quinn@acme.example>`. Best is to let
git do it: `git commit --amend --no-edit --trailer "QA-by: Quinn Lee <quinn@acme.example>"`. To write about a
trailer, indent the line.""",
    evaluate=evaluate,
)
