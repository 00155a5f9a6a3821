"""The progress of training: a bar with loss, metric and time left on a terminal, else a line now and then."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

#: Seconds between the lines of `Spoken`.
EVERY = 60.0


class Progress(Protocol):
    """What is told how far a training is."""

    def start(self, what: str, steps: int) -> None:
        """Begin a stage of `steps` steps."""
        ...

    def step(self, done: int, text: str) -> None:
        """Say that `done` steps are done, and how it goes."""
        ...


class Silent:
    """A progress that shows nothing."""

    def start(self, what: str, steps: int) -> None:
        """Show nothing."""

    def step(self, done: int, text: str) -> None:
        """Show nothing."""


class Shared:
    """A progress that several trainings side by side tell of theirs; it says how far they are together.

    Parameters
    ----------
    progress
        What is told.
    parts
        How many trainings there will be.
    what
        Name of the whole.
    """

    def __init__(self, progress: Progress, parts: int, what: str) -> None:
        self.progress, self.parts, self.what = progress, parts, what
        self.lock, self.done, self.steps, self.stopped = threading.Lock(), dict[int, int](), 0, False

    def part(self) -> "Part":
        """Return what one of the trainings is to tell."""
        return Part(self)

    def stop(self) -> None:
        """Interrupt every training at its next word."""
        self.stopped = True


class Part:
    """The progress of one training among several."""

    def __init__(self, whole: Shared) -> None:
        self.whole = whole

    def start(self, what: str, steps: int) -> None:
        """Begin the whole with the first part; all are taken to be as long."""
        whole = self.whole
        with whole.lock:
            if not whole.steps:
                whole.steps = steps
                whole.progress.start(whole.what, steps * whole.parts)

    def step(self, done: int, text: str) -> None:
        """Say how far all are; raise `KeyboardInterrupt` once they are to stop."""
        whole = self.whole
        if whole.stopped:
            raise KeyboardInterrupt
        with whole.lock:
            whole.done[id(self)] = done
            whole.progress.step(sum(whole.done.values()), text)


class Spoken:
    r"""A progress that writes a line on standard error every so many seconds, fit for a log.

    Examples
    --------
    >>> import io
    >>> log = io.StringIO()
    >>> spoken = Spoken(every=0, out=log)
    >>> spoken.start("training", 1320)
    >>> spoken.step(660, "loss 0.4100")
    >>> log.getvalue()
    'seqcnn: training: step 660 of 1,320, loss 0.4100; 0 s left\n'
    """

    def __init__(self, *, every: float = EVERY, out: TextIO | None = None) -> None:
        self.every, self.out, self.said = every, out, time.monotonic()
        self.start("", 1)

    def start(self, what: str, steps: int) -> None:
        """Begin a stage of `steps` steps."""
        self.what, self.steps, self.began = what, steps, time.monotonic()

    def step(self, done: int, text: str) -> None:
        """Write a line if it is time for one."""
        now = time.monotonic()
        if now - self.said < self.every or not done:
            return
        self.said = now
        left = (now - self.began) / done * (self.steps - done)
        shown = f"{left / 60:.0f} min" if left > 90 else f"{left:.0f} s"
        out = self.out or sys.stderr
        out.write(f"seqcnn: {self.what}: step {done:,} of {self.steps:,}, {text}; {shown} left\n")
        out.flush()


@contextmanager
def progress_bar(shown: bool | None = None) -> Iterator[Progress]:
    """Yield a progress that draws a bar on standard error, gone when the block ends.

    Parameters
    ----------
    shown
        None shows it on a terminal or in a notebook only, and writes a line a minute elsewhere; False shows nothing.
    """
    if shown is False:
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if not (shown or console.is_terminal or console.is_jupyter):
        yield Spoken()
        return
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )

    class Shown:
        def __init__(self) -> None:
            self.task = bars.add_task("", total=None, text="", visible=False)

        def start(self, what: str, steps: int) -> None:
            bars.reset(self.task, description=what, total=steps, text="", visible=True)

        def step(self, done: int, text: str) -> None:
            bars.update(self.task, completed=done, text=text)

    with bars:
        yield Shown()
