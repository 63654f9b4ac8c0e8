"""What signed evidence costs: a verdict with 3 sign-offs out of a small and a huge store; signatures a second."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess

from benchmarks.places import Places
from benchmarks.repositories import git
from benchmarks.table import Row, timed
from benchmarks.timing import Contender, Timing, measure

VERDICT = "Verdict on a change with 3 signed sign-offs"
SIGNATURES = "Signatures verified"
SMALL, HUGE = 10, 100_000
MORE = 0.060  # seconds that the huge store may cost
COUNT = 100  # signatures
PEOPLE = ("jane", "omar", "quinn", "uma")
ROLES = (("omar", "review", "Reviewed-by"), ("quinn", "qa", "QA-by"), ("uma", "uat", "UAT-by"))

# Verifies as the gate does, in a process of its own, every signature once.
VERIFY = """\
import os, sys
from rollback_guard.evidence.sshsig import unarmored
from rollback_guard.evidence.verifier import Check, Verifier
from rollback_guard.policy.keys import read_key
key = read_key("jane", open(sys.argv[1]).read().strip())
checks = []
for name in sorted(os.listdir(sys.argv[2])):
    if not name.endswith(".sig"):
        path = os.path.join(sys.argv[2], name)
        blob = unarmored(open(path + ".sig", "rb").read())
        checks.append(Check(data=open(path, "rb").read(), blob=blob, namespace="bench", key=key))
sys.exit(0 if all(Verifier(os.environ).verify(checks)) else 1)
"""
PLAIN = """\
for one in "$1"/*.sig; do
  ssh-keygen -Y verify -f "$0" -I jane -n bench -s "$one" < "${one%.sig}" > /dev/null || exit 1
done
"""


def run(places: Places, runs: int) -> tuple[list[Row], list[Timing]]:
    """Time both."""
    folder = os.path.join(places.out, "evidence")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for person in PEOPLE:
        _call(places, folder, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", person)
    clones = {size: _shop(places, folder, size) for size in (SMALL, HUGE)}
    checks = {
        size: Contender(
            f"guard check, {size:,} envelopes",
            places.guard("check", "--into", "main", "--head", "release/1"),
            clone,
            places.env,
        )
        for size, clone in clones.items()
    }
    mine, plain = _verifiers(places, folder)
    found = measure([*checks.values(), mine, plain], runs)
    small, huge = (found[checks[size].name] for size in (SMALL, HUGE))
    above = huge.median - small.median
    rows = [
        timed(VERDICT, "ours", small),
        timed(VERDICT, "ours", huge),
        Row(
            subject=VERDICT,
            name=f"what {HUGE:,} cost above {SMALL}",
            kind="ours",
            value=max(above, 0.0),
            target=f"≤ {MORE * 1000:.0f} ms",
            met=above <= MORE,
        ),
        timed(SIGNATURES, "ours", found[mine.name])._replace(
            ratio=found[mine.name].median / found[plain.name].median, against="one loop of ssh-keygen"
        ),
        timed(SIGNATURES, "peer", found[plain.name]),
        Row(
            subject=SIGNATURES,
            name="guard, signatures a second",
            kind="ours",
            value=COUNT / found[mine.name].median,
            unit="/s",
        ),
    ]
    return rows, list(found.values())


def _call(places: Places, folder: str, *command: str, stdin: bytes | None = None) -> None:
    subprocess.run(command, cwd=folder, env=places.env, input=stdin, check=True, stdout=subprocess.DEVNULL)


def _policy(folder: str) -> str:
    lines = ["version = 1", "[production]", 'branches = ["main"]', 'repositories = ["github.com/acme/shop"]']
    lines += ["[[route]]", 'into = "main"', 'from = ["release/*"]']
    for person in PEOPLE:
        with open(os.path.join(folder, f"{person}.pub"), encoding="ascii") as file:
            key = file.read().strip()
        mail = "jane@shop.example" if person == "jane" else f"{person}@shop.example"
        lines += [f"[people.{person}]", f'name = "{person.title()}"', f'emails = ["{mail}"]', f"keys = ['{key}']"]
    for person, role, trailer in ROLES:
        lines += ["[[sign-off]]", f'role = "{role}"', f'trailer = "{trailer}"', f'by = ["{person}"]']
    return "\n".join(lines) + "\n"


def _shop(places: Places, folder: str, size: int) -> str:
    """A shop with a pending release that three people have signed, in a store of so many envelopes."""
    clone, env = os.path.join(folder, f"store-{size}"), places.env
    git(folder, env, "init", "-q", "-b", "main", clone)
    git(clone, env, "config", "rollback-guard.repository", "github.com/acme/shop")
    git(clone, env, "config", "gc.auto", "0")
    with open(os.path.join(clone, "rollback-guard.toml"), "w", encoding="utf-8") as file:
        file.write(_policy(folder))
    git(clone, env, "add", "-A")
    git(clone, env, "commit", "-q", "-m", "Begin")
    git(clone, env, "switch", "-q", "-c", "release/1")
    git(clone, env, "commit", "-q", "--allow-empty", "-m", "Release 1")
    _fill(places, clone, size - len(ROLES))
    for person, role, _ in ROLES:
        sign = places.guard("sign", role, "--into", "main", "--key", os.path.join(folder, person), "--yes")
        _call(places, clone, *sign)
    return clone


def _fill(places: Places, clone: str, size: int) -> None:
    """Other people's evidence about other changes, written as the store has it."""
    stream = [b"commit refs/rollback-guard/evidence\ncommitter Jane <jane@shop.example> 1780000000 +0000\ndata 0\n"]
    for number in range(size):
        key = hashlib.sha256(b"key %d" % (number // 3)).hexdigest()
        head = hashlib.sha1(b"head %d" % (number // 3)).hexdigest()
        data = b'{"number":%d,"padding":"%s"}' % (number, hashlib.sha256(b"%d" % number).hexdigest().encode() * 20)
        name = hashlib.sha256(data).hexdigest()
        for kind, place in (("sign-off", key), ("about", head)):
            path = f"{kind}/{place[:2]}/{place}/{name}.json".encode()
            stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(data), data))
    _call(places, clone, "git", "fast-import", "--quiet", stdin=b"".join(stream))


def _verifiers(places: Places, folder: str) -> tuple[Contender, Contender]:
    """The same signatures, verified by us and by a loop of ssh-keygen."""
    signed = os.path.join(folder, "signed")
    os.makedirs(signed)
    for number in range(COUNT):
        path = os.path.join(signed, f"{number:03}")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"statement {number}\n")
        command = ("ssh-keygen", "-q", "-Y", "sign", "-f", "jane", "-n", "bench", path)
        subprocess.run(command, cwd=folder, env=places.env, check=True, capture_output=True)
    public, allowed = os.path.join(folder, "jane.pub"), os.path.join(folder, "allowed")
    with open(public, encoding="ascii") as source, open(allowed, "w", encoding="ascii") as target:
        target.write(f"jane {source.read()}")
    python = os.path.join(places.ours, "python")
    mine = Contender(f"guard, {COUNT} signatures", (python, "-c", VERIFY, public, signed), folder, places.env)
    plain = Contender(
        f"ssh-keygen -Y verify, {COUNT} signatures", ("sh", "-c", PLAIN, allowed, signed), folder, places.env
    )
    return mine, plain
