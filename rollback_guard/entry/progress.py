"""How far a long command has come, as one line on stderr: on a terminal only, and gone when the result is there.

Nothing is shown of a command that ends within a second. What it says belongs to the caller.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager

from rollback_guard.git.process import decode
from rollback_guard.report.visible import visible
from rollback_guard.report.wording import size_in_words, span_in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TextIO

    from rollback_guard.git.repository import Repository

PATIENCE = 1.0  # seconds before the first line
PACE = 0.2  # seconds between two
ERASE = "\r\x1b[K"


def wants_progress(stream: TextIO | None) -> bool:
    """Whether somebody looks at the stream: a terminal that can erase a line, and no CI, which keeps every one."""
    watched = stream is not None and not stream.closed and stream.isatty()
    return watched and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


def count_commits(repository: Repository, head: str, base: str | None, *options: str) -> int:
    """How many commits a command is about, those of `head` that `base` has not; 0 when git cannot say."""
    past = [f"^{base}"] if base else []
    process = repository.git.run("rev-list", "--count", *options, head, *past, "--", accept=(0, 128))
    said = decode(process.stdout).strip()
    return int(said) if said.isdigit() else 0


class Progress:
    """A line such as `guard: judging 1,200 of 5,000 commits, 300 a second`, redrawn until the block ends.

    `total` is asked once, when the line is first shown. Where nothing is ever counted, the time is told.
    """

    def __init__(
        self, doing: str, total: Callable[[], int], *, stream: TextIO | None = None, quiet: bool = False
    ) -> None:
        self._doing = doing
        self._count_all = total
        self._total: int | None = None
        self._stream = sys.stderr if stream is None else stream
        self._quiet = quiet
        self._began = time.monotonic()
        self._done = 0
        self._shown = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Progress:
        if not self._quiet and wants_progress(self._stream):
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._erase()

    def advance(self) -> None:
        """One more is done."""
        self._done += 1

    @contextmanager
    def away(self, stream: TextIO) -> Iterator[None]:
        """No line is there while the block writes to a stream that may be the same terminal."""
        with self._lock:
            if stream.isatty():
                self._erase()
            yield

    def draw(self) -> None:
        """Show the line as it is now."""
        if self._total is None:
            self._total = self._count_all()
        with self._lock:
            if not self._ended.is_set():
                self._write(f"{ERASE}{self.line(time.monotonic() - self._began)}")
                self._shown = True

    def line(self, seconds: float) -> str:
        """The line after so many seconds."""
        total = f"{self._total:,} commits" if self._total else "commits"
        if not self._done:
            return f"guard: {self._doing} {total}, {seconds:.0f} s"
        done = f"{self._done:,} of {total}" if self._total else f"{self._done:,} {total}"
        return f"guard: {self._doing} {done}, {self._done / max(seconds, 0.001):,.0f} a second"

    def _erase(self) -> None:
        if self._shown:
            self._write(ERASE)
            self._shown = False

    def _run(self) -> None:
        try:
            if not self._ended.wait(PATIENCE):
                self.draw()
            while not self._ended.wait(PACE):
                self.draw()
        except Exception:  # what is shown for comfort stops nothing
            return

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            pass


class BytesLine(Progress):
    """The same for backups: `guard: shop-db 1.2 GiB of about 4.0 GiB, 80.1 MiB a second, about 35 s left`.

    `sizes`: bytes that each had the last time, by name.
    """

    def __init__(self, sizes: Mapping[str, int], *, stream: TextIO | None = None, quiet: bool = False) -> None:
        super().__init__("backing up", lambda: 0, stream=stream, quiet=quiet)
        self._sizes = sizes
        self._now: tuple[str, int, float] | None = None

    def __enter__(self) -> BytesLine:
        super().__enter__()
        return self

    def tell(self, name: str, done: int, rate: float) -> None:
        """So many bytes of it are done, and so many a second."""
        self._now = name, done, rate

    def line(self, seconds: float) -> str:
        """The line as it is now."""
        if self._now is None:
            return f"guard: {self._doing}, {seconds:.0f} s"
        name, done, rate = self._now
        size = self._sizes.get(name, 0)
        words = f"guard: {visible(name)} {size_in_words(done)}"
        if size > done:
            left = f", about {span_in_words((size - done) / rate)} left" if rate else ""
            return f"{words} of about {size_in_words(size)}, {size_in_words(rate)} a second{left}"
        return f"{words}, {size_in_words(rate)} a second"


class ProofLine(Progress):
    """The same for proofs: `guard: proving shop-db, as far as readable, 35 s`."""

    def __init__(self, *, stream: TextIO | None = None, quiet: bool = False) -> None:
        super().__init__("proving", lambda: 0, stream=stream, quiet=quiet)
        self._now = ""

    def __enter__(self) -> ProofLine:
        super().__enter__()
        return self

    def tell(self, name: str, level: str) -> None:
        """A backup's proof has come as far as a level."""
        self._now = f" {visible(name)}, as far as {level}"

    def line(self, seconds: float) -> str:
        """The line as it is now."""
        return f"guard: {self._doing}{self._now}, {seconds:.0f} s"
