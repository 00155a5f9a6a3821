"""What every verb of the shell shares: its options, its notes on stderr, its configuration beside its output."""

import inspect
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from seqcnn.cli.boundary import CarriedError, say
from seqcnn.cli.parameters import build, members, parameter, read_config, resolved

T = TypeVar("T")

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE.toml", help="options from a file; those of the shell win")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="no notes and no progress bar")]
Traceback = Annotated[bool, typer.Option("--traceback", help="show where in the code an error arose")]


@dataclass(frozen=True)
class Shell:
    """One run of a verb: the options as given and resolved, and how it speaks."""

    given: dict[str, Any]
    classes: tuple[type, ...]
    quiet: bool = False
    command: str = "seqcnn"
    _said: set[str] = field(default_factory=set)

    def options(self, kind: type[T]) -> T:
        """Return the options of one class."""
        return build(kind, self.given)

    def words(self, kind: type) -> list[str]:
        """Return the options of one class that were given, as words of a command line."""
        said: list[str] = []
        for name in (item.name for item, _ in members(kind) if item.name in self.given):
            value = self.given[name]
            flag = name.replace("_", "-")
            if isinstance(value, bool):
                said.append(f"--{flag}" if value else f"--no-{flag}")
                continue
            for one in value if isinstance(value, tuple) else (value,):
                said += ["--" + flag, str(one)]
        return said

    def note(self, *notes: str) -> None:
        """Say each note once, on stderr, unless the run is quiet."""
        for text in notes:
            if not self.quiet and text not in self._said:
                self._said.add(text)
                say("", text)

    @property
    def progress(self) -> bool | None:
        """What `train` wants to know: None shows a bar on a terminal, False never."""
        return False if self.quiet else None

    def record(self, output: Path, found: Mapping[str, Any] | None = None) -> None:
        """Write the resolved configuration beside an output file, or into an output folder.

        `found` holds what was not given but told from the data, by option name.
        """
        from seqcnn.io.writing import atomic

        beside = output / "config.toml" if output.is_dir() else output.with_name(output.name + ".config.toml")
        if output.exists() and not (output.is_file() or output.is_dir()):
            return  # a device or a pipe has no beside
        given = {**self.given, **(found or {})}
        with atomic(beside) as stream:
            stream.write(resolved(self.command, *(build(kind, given) for kind in self.classes)))


@dataclass
class Run:
    """What the boundary and the verb tell each other: the arguments, and whether tracebacks are wanted."""

    arguments: Sequence[str]
    traceback: bool = False


#: Parameters of verbs that name what is written; options that do so say it in their field.
_OUTPUTS = ("out", "json_file", "html", "predictions")


def _keep_apart(values: Mapping[str, Any], given: Mapping[str, Any], classes: Sequence[type]) -> None:
    """Refuse outputs that are inputs too: whatever else was given and names something that exists."""
    from seqcnn.io.writing import check_apart

    written = {*_OUTPUTS, *(item.name for item, _ in members(*classes) if item.metadata.get("output"))}
    outputs, inputs = list[str](), list[str]()
    for name, value in {**values, **given}.items():
        several = value if isinstance(value, list | tuple) else (value,)
        texts = [str(item) for item in several if isinstance(item, str | Path) and str(item) != "-"]
        (outputs if name in written else inputs).extend(texts)
    check_apart(outputs, [*inputs, *(text.partition("=")[2] for text in inputs if "=" in text)])


def verb(app: typer.Typer, *classes: type) -> Callable[[Callable[..., int | None]], Callable[..., int]]:
    """Register a function as a verb: its own parameters, then a parameter for each field of the option classes.

    The function's last parameter is the `Shell`; the first line of its docstring is its help. It returns the exit
    code, None for 0.
    """

    def register(body: Callable[..., int | None]) -> Callable[..., int]:
        signature = inspect.signature(body)
        own = [item for name, item in signature.parameters.items() if name != "shell"]
        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        shared = [
            inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Config),
            inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet),
            inspect.Parameter("traceback", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Traceback),
        ]
        made = [
            parameter(member, hint) for member, hint in members(*classes) if member.name not in signature.parameters
        ]

        def run(context: typer.Context, **values: Any) -> int:
            context.obj.traceback = values.pop("traceback")
            config, quiet = values.pop("config"), values.pop("quiet")
            given = {} if config is None else read_config(config, *classes)
            for item in made:
                value = values.pop(item.name)
                if value not in (None, [], ()):
                    given[item.name] = tuple(value) if isinstance(value, list) else value
            _keep_apart(values, given, classes)
            shell = Shell(given, classes, quiet, shlex.join(["seqcnn", *context.obj.arguments]))
            try:
                return body(**values, shell=shell) or 0
            except (OSError, KeyboardInterrupt) as error:
                raise CarriedError from error

        everything = [context, *own, *made, *shared]
        run.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
        run.__annotations__ = {item.name: item.annotation for item in everything}
        run.__doc__ = body.__doc__
        app.command(body.__name__)(run)
        return run

    return register
