"""A folder with one subfolder a class as a Dataset: of pictures, recordings, trajectories or any files."""

from collections.abc import Sequence
from inspect import signature
from pathlib import Path

import numpy as np

from seqcnn.checks import did_you_mean
from seqcnn.data.dataset import Dataset, Expected, Source, Summary
from seqcnn.data.sources.described import described
from seqcnn.data.sources.files import FILE_KINDS, AnyFiles, FileKind, RecordingFiles, file_kind, read_files_of
from seqcnn.errors import DataError, InputFileError, OptionError
from seqcnn.options import DataOptions
from seqcnn.registry import resolve


def encoder_for(folder: Path, asked: str | None) -> str:
    """Return the encoder for a folder: the one asked for, or what suits the files in it."""
    if asked is not None:
        return asked
    pictures = any(FILE_KINDS["picture"].holds(p) for p in folder.rglob("*"))
    recordings = any(RecordingFiles.holds(p) for p in folder.rglob("*"))
    if pictures and recordings:
        raise DataError(f"{folder} holds pictures and recordings; pass --input pixels or --input spectrogram")
    return "spectrogram" if recordings else "pixels"


def read_folder(folder: str | Path, options: DataOptions, *, expected: Expected | None = None) -> Dataset:
    """Return a folder of files, one subfolder a class, as a Dataset; identifiers are paths in the folder.

    Files of another size, rate or number of channels than the most common ones (or the model's) are converted, which
    is noted.

    Raises
    ------
    DataError
        If there are no class folders, one only, an empty one, or one that is no class of the model.
    FormatError
        Naming a file that is truncated, damaged or of another kind.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputFileError(f"{folder}: no such folder")
    encoder = encoder_for(root, options.input or (None if expected is None else expected.encoder))
    kind = file_kind(resolve("encoder", encoder).files, str(folder))
    classes = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    files = [kind.files_in(path) for path in classes]
    if not any(files):
        raise DataError(f"{folder} is a folder {_inside(root, kind)}")
    for path, inside in zip(classes, files, strict=True):
        if not inside:
            raise DataError(f"{path} holds no {kind.name}; add some, or delete the folder")
    names = [path.name for path in classes]
    labels, task = _labels(names, options, expected, root)
    raw, settings, notes = read_files_of(kind, [path for inside in files for path in inside], options, expected)
    loose = sum(p.is_file() and not p.name.startswith(".") and kind.holds(p) for p in root.iterdir())
    if loose:
        notes.append(f"{kind.plural} passed over, in {folder} itself and so in no class: {loose:,}")
    truth = [labels.index(name) for name, inside in zip(names, files, strict=True) for _ in inside]
    return described(
        Dataset(
            resolve("encoder", encoder).raw_kind,
            raw,
            tuple(str(path.relative_to(root)) for inside in files for path in inside),
            targets=np.array(truth, float)[:, None],
            task=task,
            labels=labels,
            encoder=encoder,
            settings=settings | encoder_settings(options, encoder),
            files=tuple(str(path) for inside in files for path in inside),
            summary=Summary(
                tuple(Source(p.name, str(p), len(inside)) for p, inside in zip(classes, files, strict=True)),
                notes=tuple(notes),
            ),
        )
    )


def encoder_settings(options: DataOptions, encoder: str) -> dict[str, object]:
    """Return what the user asks of the encoder; `OptionError` where it has no use for it."""
    made = resolve("encoder", encoder)
    asked = {"size": options.size, "normalize": options.normalize}
    known = {*signature(made.fit).parameters, *(["size"] if made.files == "picture" else [])}
    for name, value in asked.items():
        if value is not None and name not in known:
            raise OptionError(f"--{name} {value}: {encoder} has no use for it; leave it out, or pass another --input")
    return {name: value for name, value in asked.items() if value is not None}


def _inside(root: Path, kind: type[FileKind]) -> str:
    """Return what a folder holds that is no folder of classes, and what to do."""
    if any(path.is_file() and kind.holds(path) for path in root.iterdir()):
        return f"whose {kind.plural} are in no class; put them in one subfolder a class, or name a table with --image"
    if any(path.is_file() for path in root.iterdir()):
        return f"without {kind.plural}; expected a file, or one subfolder of {kind.plural} a class"
    hint = "" if kind is AnyFiles else "; for other files pass --input trajectory (tables of t, x, y) or bytes (any)"
    return f"that holds no {kind.name}; expected one subfolder of {kind.plural} a class{hint}"


def _labels(
    names: Sequence[str], options: DataOptions, expected: Expected | None, root: Path
) -> tuple[tuple[str, ...], str]:
    """Return labels and task of class folders."""
    if expected is not None:
        for name in names:
            if name not in expected.labels:
                raise DataError(
                    f"{root / name} is no class of the model; expected {', '.join(expected.labels)}"
                    f"{did_you_mean(name, expected.labels)}"
                )
        return expected.labels, expected.task
    if len(names) == 1:
        raise DataError(f"{root} holds one class only, {names[0]!r}; expected two subfolders or more")
    task = options.task or ("binary" if len(names) == 2 else "multiclass")
    if task not in ("binary", "multiclass") or (task == "binary" and len(names) > 2):
        raise OptionError(f"--task {task}: {root} is {len(names)} folders of classes; leave the option out")
    if options.positive is not None:
        if len(names) > 2 or options.positive not in names:
            raise OptionError(f"--positive {options.positive}: expected one of two folders, found {', '.join(names)}")
        return tuple(sorted(names, key=lambda name: name == options.positive)), task
    return tuple(names), task
