"""The one hardened way to run git: explicit repository, scrubbed environment, C locale, bytes in and out.

Nothing of the caller's environment can point git at another repository, another history (replace refs,
grafts) or another language. What the commands mean is left to the other modules of `git`.
"""

from __future__ import annotations

import os
import subprocess

from rollback_guard.errors import GitError, UndeterminedError, UsageError
from rollback_guard.git.streams import feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MINIMUM_GIT = (2, 31)
MERGE_TREE_GIT = (2, 39)  # the first with `merge-tree --write-tree --stdin`
TIMEOUT = 600.0  # seconds for one command; streams have none
GRACE = 5.0  # seconds that a command has to end when it is told to

# Of the GIT_* variables only these say something that the caller may decide: where configuration and
# programs are, how to reach a remote, and how to ask for a password.
KEPT = frozenset(
    {
        "GIT_ASKPASS",
        "GIT_AUTHOR_DATE",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_CEILING_DIRECTORIES",
        "GIT_COMMITTER_DATE",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
        "GIT_PROXY_SSL_CERT",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_TEMPLATE_DIR",
        "GIT_TERMINAL_PROMPT",
        "GIT_TEXTDOMAINDIR",
    }
)
# In a hook, git says by these where the repository, the index and a push's quarantine are.
HOOK_KEPT = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"}
    | {"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"}
)
FIXED = {
    "LC_ALL": "C",
    "LANGUAGE": "",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ADVICE": "0",
}
# With these, git reads no settings but the repository's; the folders are for a git before 2.32.
NO_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "HOME": os.devnull,
    "XDG_CONFIG_HOME": os.devnull,
}
# Configuration that would change what is read; the caller's own settings must not decide a verdict.
PINNED = (
    "-c",
    "core.quotePath=false",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "log.showSignature=false",
    "-c",
    "merge.conflictStyle=merge",
    "-c",
    "i18n.logOutputEncoding=UTF-8",
    "-c",
    "merge.renames=true",
    "-c",
    "diff.algorithm=myers",
    "-c",
    "color.ui=false",
    "-c",
    "trailer.separators=:",
    "-c",
    "advice.graftFileDeprecated=false",
)


def scrubbed(environ: Mapping[str, str], *, hook: bool = False) -> dict[str, str]:
    """A copy of an environment in which only harmless GIT_* variables are left, and the locale is C."""
    keep = KEPT | HOOK_KEPT if hook else KEPT
    kept = {name: value for name, value in environ.items() if not name.startswith("GIT_") or name in keep}
    kept.update(FIXED)
    return kept


class Git:
    """git, bound to one repository. Immutable but for the environment it was given.

    `git_dir` is an absolute path, or None while the repository is still looked for in `cwd`.
    """

    __slots__ = ("git_dir", "work_tree", "cwd", "env", "program")

    def __init__(
        self,
        *,
        cwd: str,
        env: Mapping[str, str],
        git_dir: str | None = None,
        work_tree: str | None = None,
        program: str = "git",
    ) -> None:
        self.cwd = cwd
        self.env = dict(env)
        self.git_dir = git_dir
        self.work_tree = work_tree
        self.program = program

    def with_env(self, **extra: str) -> Git:
        """The same repository with more environment variables."""
        return Git(
            cwd=self.cwd,
            env={**self.env, **extra},
            git_dir=self.git_dir,
            work_tree=self.work_tree,
            program=self.program,
        )

    def command(self, args: Sequence[str], *, config: Sequence[str] = ()) -> list[str]:
        """The full argument list of a git command."""
        where = [] if self.git_dir is None else [f"--git-dir={self.git_dir}"]
        if self.work_tree is not None:
            where.append(f"--work-tree={self.work_tree}")
        return [self.program, *where, *PINNED, *config, *args]

    def start(
        self, *args: str, config: Sequence[str] = (), stdin: int = subprocess.DEVNULL, quiet: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a command whose output is read as it comes; the caller waits for it."""
        try:
            return subprocess.Popen(
                self.command(args, config=config),
                cwd=self.cwd,
                env=self.env,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if quiet else subprocess.PIPE,
            )
        except FileNotFoundError as error:
            raise self._not_started(error) from None
        except OSError as error:
            raise GitError(f"git could not be started: {error.strerror}", remedy="git --version") from None

    def _not_started(self, error: FileNotFoundError) -> UsageError:
        if error.filename is not None and str(error.filename) == self.cwd:
            return UsageError(f"the folder {self.cwd} does not exist", remedy="change to a folder of the repository")
        return UsageError(
            "git is not installed, or not on the PATH", remedy="install git, for example: apt-get install git"
        )

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        config: Sequence[str] = (),
        accept: Sequence[int] = (0,),
        timeout: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end.

        `timeout` is in seconds, for commands that wait for another machine; waiting with one costs a
        millisecond, so local commands have none. Raises: GitError when the exit status is not one of
        `accept`, or when it takes longer.
        """
        process = self.start(*args, config=config, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE)
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise GitError(f"git {args[0]} took longer than {timeout:.0f} seconds", remedy="try again") from None
        finally:
            stop(process)
        if process.returncode not in accept:
            raise failed(args[0], process.returncode, err)
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def text(self, *args: str, **options: object) -> str:
        """Run a command and decode what it prints, bytes that are no UTF-8 kept as surrogates."""
        out = self.run(*args, **options).stdout  # type: ignore[arg-type]
        return decode(out).rstrip("\n")

    def chunks(
        self, *args: str, stdin: bytes | None = None, config: Sequence[str] = (), size: int = 1 << 18
    ) -> Iterator[bytes]:
        """Run a command and yield its output in pieces of at most `size` bytes, as it comes.

        Its errors go nowhere, so that a flood of warnings cannot block it; a command that failed is run
        once more to hear why. Raises: GitError.
        """
        source = subprocess.DEVNULL if stdin is None else feed(stdin)
        try:
            # Otherwise `git log` writes to a pipe once a commit, which takes a third of its time.
            process = self.with_env(GIT_FLUSH="0").start(*args, config=config, stdin=source, quiet=True)
        finally:
            if source >= 0:
                os.close(source)
        assert process.stdout is not None
        try:
            while piece := process.stdout.read1(size):  # type: ignore[attr-defined]
                yield piece
            if process.wait() != 0:
                self.run(*args, stdin=stdin, config=config)
                raise failed(args[0], process.returncode, b"")
        finally:
            stop(process)


def decode(raw: bytes) -> str:
    """Bytes of git as text; what is no UTF-8 survives as surrogates and is made visible when printed."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The exact bytes that `decode` was given."""
    return text.encode("utf-8", "surrogateescape")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that nobody reads any more, and reap it; one that will not end is killed."""
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                pass
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


FSCK = "git fsck --connectivity-only"
FETCH_ALL = "git fetch --refetch --no-filter   # git 2.36 and newer; the remote must be reachable"


def failed(command: str, status: int, stderr: bytes) -> GitError:
    """The error for a git command that ended with a status that nobody expected."""
    said = decode(stderr).strip()
    lines = said.splitlines() or [f"exit status {status}"]
    why = next((line for line in lines if line.startswith("fatal: ")), lines[-1])  # advice may follow it
    missing = "promisor remote" in said
    return GitError(
        f"git {command} failed: {why}",
        remedy=FETCH_ALL if missing else f"{FSCK}   # when this looks like a damaged or incomplete repository",
        status=status,
        stderr=said,
    )


def read_version(text: str) -> tuple[int, ...]:
    """The numbers of `git version 2.39.5 (Apple Git-154)`; (0,) when there are none.

    >>> read_version("git version 2.39.5")
    (2, 39, 5)
    """
    for word in text.split():
        if word[:1].isdigit():
            numbers = []
            for part in word.split("."):
                if not part.isdigit():
                    break
                numbers.append(int(part))
            return tuple(numbers) or (0,)
    return (0,)


def require_version(found: tuple[int, ...], wanted: tuple[int, ...], purpose: str) -> None:
    """Raises: UndeterminedError when git is older than `wanted`."""
    if found < wanted:
        raise UndeterminedError(
            f"git {'.'.join(map(str, found))} is too old {purpose}: {'.'.join(map(str, wanted))} or newer is needed",
            remedy="install a newer git",
        )
