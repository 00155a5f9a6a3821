"""Shell parameters made from the option dataclasses, merged with a config file, resolved and written back."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from inspect import Parameter
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import typer

from seqcnn.errors import InputFileError, OptionError
from seqcnn.options import from_mapping

T = TypeVar("T")

#: Type of an option to the types that TOML may give for it, and what an error calls them.
KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), "text"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    Path: ((str,), "a file name"),
    bool: ((bool,), "true or false"),
}


def flag_of(name: str) -> str:
    """Return the long option of a field.

    >>> flag_of("batch_size")
    '--batch-size'
    """
    return "--" + name.replace("_", "-")


def members(*classes: type) -> Iterator[tuple[Field[Any], Any]]:
    """Yield each field of the option classes with its type; a name that two classes share comes once."""
    seen: set[str] = set()
    for options in classes:
        hints = get_type_hints(options)
        for field in fields(options):
            if field.name not in seen:
                seen.add(field.name)
                yield field, hints[field.name]


def bare(hint: Any) -> Any:
    """Return a type without its ``| None``."""
    if get_origin(hint) in (Union, UnionType):
        return next(kind for kind in get_args(hint) if kind is not NoneType)
    return hint


def parameter(field: Field[Any], hint: Any) -> Parameter:
    """Return the keyword parameter that typer shows for a field; None means that it was not given."""
    kind = bare(hint)
    metavar = field.metadata.get("metavar")
    flags = [flag_of(field.name)]
    if get_origin(kind) is tuple:
        annotation: Any = list[str]
        metavar = metavar or "TEXT"
    elif get_origin(kind) is Literal:
        annotation, metavar = str, "|".join(get_args(kind))
    else:
        annotation = kind
        if kind is bool:
            flags = [f"{flags[0]}/--no-{flags[0][2:]}"]
        elif metavar is None:
            metavar = {str: "TEXT", int: "N", float: "X", Path: "FILE"}[kind]
    help = field.metadata["help"]
    if field.default not in (None, (), MISSING) and kind is not bool and "(default" not in help:
        help = f"{help} (default: {field.default})"
    option = typer.Option(*flags, help=help, metavar=metavar, show_default=False)
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[annotation | None, option])


def convert(value: Any, hint: Any, where: str) -> Any:
    """Return a config file's value as its field's type, or raise `OptionError`."""
    kind = bare(hint)
    if get_origin(kind) is tuple:
        return value  # `from_mapping` made it one
    if get_origin(kind) is Literal:
        return str(value)
    wanted, words = KINDS[kind]
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise OptionError(f"{where}: expected {words}, found {value!r}")
    return kind(value)


def read_config(path: Path, *classes: type) -> dict[str, Any]:
    """Return the options that a TOML file names, checked against the option classes.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    OptionError
        If it is no TOML, or names an option or a type that does not exist.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputFileError(f"--config: {path}: {error.strerror}; name an existing TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"--config: {path} is not TOML: {error}") from error
    hints = {field.name: hint for field, hint in members(*classes)}
    clean = from_mapping(values, f"--config {path}", *classes)
    return {name: convert(value, hints[name], f"--config {path}: {name}") for name, value in clean.items()}


def build(options: type[T], given: Mapping[str, Any]) -> T:
    """Return the options of one class from values that may belong to several."""
    own = {field.name for field, _ in members(options)}
    return options(**{name: value for name, value in given.items() if name in own})


def resolved(command: str, *options: Any) -> str:
    """Return the resolved configuration as TOML that ``--config`` reads; what was not given stands as a comment.

    >>> from seqcnn.options import ScoreOptions
    >>> "window = 200" in resolved("seqcnn score m.safetensors x.fa", ScoreOptions(window=200)).splitlines()
    True
    """
    from seqcnn import __version__

    lines = [f"# seqcnn {__version__}; read again with --config.", *(f"# {line}" for line in command.splitlines()), ""]
    done: set[str] = set()
    for option in options:
        for field in fields(option):
            if field.name in done:
                continue
            done.add(field.name)
            value = getattr(option, field.name)
            if value is None:
                lines.append(f"# {field.name} =")
            else:
                lines.append(f"{field.name} = {toml(value)}")
    return "\n".join(lines) + "\n"


def toml(value: Any) -> str:
    """Return a string, number, truth value, path or tuple of strings as TOML writes it.

    >>> toml((0.5, "a", True))
    '[0.5, "a", true]'
    """
    if isinstance(value, tuple | list):
        return f"[{', '.join(toml(item) for item in value)}]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False)
