"""A folder of pictures as a Dataset: one subfolder a class."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from seqcnn.checks import did_you_mean
from seqcnn.data.dataset import Dataset, Expected, Pixels, Source, Summary
from seqcnn.data.sources.described import described
from seqcnn.errors import DataError, InputFileError, OptionError
from seqcnn.io.pictures import Picture, conform, is_picture, list_pictures, read_picture
from seqcnn.options import DataOptions


def read_picture_folder(folder: str | Path, options: DataOptions, *, expected: Expected | None = None) -> Dataset:
    """Return a folder of pictures, one subfolder a class, as a Dataset; identifiers are paths in the folder.

    Pictures of other sizes or channels than the most common ones (or the model's) are converted, which is noted.

    Raises
    ------
    DataError
        If there are no class folders, one only, an empty one, or one that is no class of the model.
    FormatError
        Naming a picture that is truncated, damaged or none.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputFileError(f"{folder}: no such folder")
    classes = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    files = [list(list_pictures(path)) for path in classes]
    if not any(files):
        raise DataError(f"{folder} is a folder {_inside(root)}")
    for path, inside in zip(classes, files, strict=True):
        if not inside:
            raise DataError(f"{path} holds no picture; add some, or delete the folder")
    names = [path.name for path in classes]
    labels, task = _labels(names, options, expected, root)
    shape = None if expected is None else expected.shape
    pixels, notes = stack([read_picture(path) for inside in files for path in inside], shape)
    loose = sum(is_picture(path) for path in root.iterdir() if path.is_file())
    if loose:
        notes.append(f"pictures passed over, in {folder} itself and so in no class: {loose:,}")
    truth = [labels.index(name) for name, inside in zip(names, files, strict=True) for _ in inside]
    return described(
        Dataset(
            "pixels",
            pixels,
            tuple(str(path.relative_to(root)) for inside in files for path in inside),
            targets=np.array(truth, float)[:, None],
            task=task,
            labels=labels,
            summary=Summary(
                tuple(Source(p.name, str(p), len(inside)) for p, inside in zip(classes, files, strict=True)),
                notes=tuple(notes),
            ),
        )
    )


def _inside(root: Path) -> str:
    """Return what a folder holds that is no folder of classes, and what to do."""
    if any(is_picture(path) for path in root.iterdir()):
        return "whose pictures are in no class; put them in one subfolder a class, or name a table with --image"
    if any(path.is_file() for path in root.iterdir()):
        return "without pictures; expected a file, or one subfolder of pictures a class"
    return "that holds no picture; expected one subfolder of pictures a class"


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


def stack(pictures: Iterable[Picture], shape: tuple[int, int, int] | None = None) -> tuple[Pixels, list[str]]:
    """Return pictures ``(N, C, H, W)`` and notes, converted to `shape` or else to the most common channels and size."""
    pictures = list(pictures)
    if shape is None:
        channels = Counter(len(p) for p in pictures).most_common(1)[0][0]
        height, width = Counter(p.shape[1:] for p in pictures).most_common(1)[0][0]
        shape = (channels, height, width)
    notes = []
    recolored = sum(len(p) != shape[0] for p in pictures)
    resized = sum(p.shape[1:] != shape[1:] for p in pictures)
    if recolored:
        notes.append(f"pictures converted to {'grey' if shape[0] == 1 else f'{shape[0]} channels'}: {recolored:,}")
    if resized:
        notes.append(f"pictures resized to {shape[2]} x {shape[1]} pixels: {resized:,}")
    pixels = np.empty((len(pictures), *shape), np.uint8)
    for i, picture in enumerate(pictures):
        pixels[i] = conform(picture, shape)
    return pixels, notes
