"""The shell's face: one verb each, options made from the option dataclasses, every error one line."""

import signal
import sys
import threading
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 done, 1 the work failed, 2 wrong usage or bad input.

    Parameters
    ----------
    argv
        Arguments without the program's name; those of the process if None.
    """
    from seqcnn.cli.boundary import guard
    from seqcnn.cli.shell import Run

    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run = Run(list(sys.argv[1:] if argv is None else argv))

    def work() -> int:
        from typer.main import get_command

        from seqcnn.cli.verbs import app

        result = get_command(app).main(list(run.arguments), prog_name="seqcnn", standalone_mode=False, obj=run)
        return result if isinstance(result, int) else 0

    return guard(work, show_traceback=lambda: run.traceback)


def start() -> None:
    """Run as a program of its own: as `main`, SIGTERM cleans up before it ends, and idle threads sleep.

    OpenMP's threads spin while they wait, by default: where other programs want the cores too, every step of training
    then takes many times as long.
    """
    import os

    from seqcnn.cli.boundary import on_terminate

    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `main` can say what Ctrl-C means
    signal.signal(signal.SIGTERM, on_terminate)
    sys.exit(main())
