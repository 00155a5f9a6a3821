"""The progress bar of training: loss, metric and time left, on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


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


@contextmanager
def progress_bar(shown: bool | None = None) -> Iterator[Progress]:
    """Yield a progress that draws a bar on standard error, gone when the block ends.

    Parameters
    ----------
    shown
        None shows it on a terminal or in a notebook only; False never.
    """
    if shown is False:
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if not (shown or console.is_terminal or console.is_jupyter):
        yield Silent()
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
