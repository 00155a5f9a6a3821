"""Records that are one file each: pictures, recordings, pointer trajectories, or any file as bytes."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Expected, Raw
from seqcnn.errors import DataError, InputFileError
from seqcnn.io.opening import open_bytes
from seqcnn.io.pictures import conform, is_picture, read_picture
from seqcnn.io.recordings import is_recording, read_recording, remixed, resampled
from seqcnn.io.trajectories import is_trajectory, read_trajectory
from seqcnn.options import DataOptions
from seqcnn.samples import Samples

Record = npt.NDArray[Any]
#: Files, evenly spread, that settle the form of all.
_PROBED = 256
#: Larger pictures are scaled down to so many pixels on their longer side, unless --size says otherwise.
LARGEST = 128


class FileKind(ABC):
    """How files of one kind become records: each is read, then brought to the form they share.

    A form says all that must be known to read one more file the same way; it is settled on the training files, and is
    made again from what a model expects.
    """

    name: ClassVar[str]
    plural: ClassVar[str]

    def __init__(self, shape: tuple[int, ...], settings: Mapping[str, Any]) -> None:
        self.shape, self.settings = shape, dict(settings)

    @staticmethod
    @abstractmethod
    def holds(path: Path) -> bool:
        """Return whether a file name says that it is of this kind."""

    @staticmethod
    @abstractmethod
    def read(path: Path) -> Any:
        """Return what a file holds, as it is."""

    @classmethod
    def probe(cls, path: Path) -> Any:
        """Return what `settle` must know of a file."""
        return None

    @classmethod
    @abstractmethod
    def settle(cls, probes: Sequence[Any], options: DataOptions) -> "FileKind":
        """Return the form for files that were probed."""

    @abstractmethod
    def shaped(self, found: Any) -> tuple[Record, str | None]:
        """Return a record in this form, and what was changed, if anything."""

    def join(self, records: Sequence[Record]) -> Raw:
        """Return the records as one raw kind."""
        return Samples.from_arrays(records, variables=self.shape[0])

    @classmethod
    def files_in(cls, folder: Path) -> list[Path]:
        """Return the files of this kind in a folder and in the folders in it, by name; hidden ones are passed over."""
        return [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith(".") and cls.holds(p)]

    def records(self, paths: Sequence[Path]) -> tuple[Raw, list[str]]:
        """Return files as one raw kind, and notes on what was changed."""
        changes: Counter[str] = Counter()
        raw = self.join([self.one(path, changes) for path in paths])
        return raw, [f"{change}: {count:,}" for change, count in changes.items()]

    def one(self, path: Path, changes: Counter[str]) -> Record:
        """Return one file as a record in this form; what was changed is counted in `changes`, errors name the file."""
        try:
            record, change = self.shaped(self.read(path))
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        if change:
            changes[f"{self.plural} {change}"] += 1
        return record


class PictureFiles(FileKind):
    """Pictures of one size, number of channels and depth."""

    name, plural = "picture", "pictures"

    @staticmethod
    def holds(path: Path) -> bool:
        """Return whether a file name says picture."""
        return is_picture(path)

    @staticmethod
    def read(path: Path) -> Record:
        """Return a picture ``(C, H, W)``."""
        return read_picture(path)

    @classmethod
    def probe(cls, path: Path) -> Any:
        """Return shape and depth of a picture."""
        found = cls.read(path)
        return found.shape, str(found.dtype)

    @classmethod
    def settle(cls, probes: Sequence[Any], options: DataOptions) -> "PictureFiles":
        """Return the most common channels and depth, and the most common size or else the median one."""
        shapes = [shape for shape, _ in probes]
        channels = Counter(shape[0] for shape in shapes).most_common(1)[0][0]
        depth = Counter(depth for _, depth in probes).most_common(1)[0][0]
        (height, width), count = Counter(shape[1:] for shape in shapes).most_common(1)[0]
        if count * 2 < len(shapes):
            height, width = (int(np.median([shape[axis] for shape in shapes])) for axis in (1, 2))
        if options.size is not None:
            height = width = options.size
        elif max(height, width) > LARGEST:
            ratio = LARGEST / max(height, width)
            height, width = max(1, round(height * ratio)), max(1, round(width * ratio))
        return cls((channels, height, width), {"depth": depth, "fit_by": options.fit})

    def shaped(self, found: Record) -> tuple[Record, str | None]:
        """Return a picture of this form."""
        channels, height, width = self.shape
        depth, fit_by = self.settings.get("depth", "uint8"), self.settings.get("fit_by", "resize")
        changes = []
        if len(found) != channels:
            changes.append(f"converted to {'grey' if channels == 1 else f'{channels} channels'}")
        if str(found.dtype) != depth:
            changes.append(f"converted to {depth}")
        if found.shape[1:] != (height, width):
            way = {"resize": "resized", "crop": "cropped", "letterbox": "letterboxed"}[fit_by]
            changes.append(f"{way} to {width} x {height} pixels")
        record = conform(found, (channels, height, width), depth=depth, fit_by=fit_by)
        return record, " and ".join(changes) or None

    def join(self, records: Sequence[Record]) -> Raw:
        """Return the pictures ``(N, C, H, W)``."""
        return np.stack(records) if records else np.zeros((0, *self.shape), np.uint8)


class RecordingFiles(FileKind):
    """Recordings of one rate and number of channels."""

    name, plural = "recording", "recordings"

    @staticmethod
    def holds(path: Path) -> bool:
        """Return whether a file name says wav."""
        return is_recording(path)

    @staticmethod
    def read(path: Path) -> Any:
        """Return samples ``(channels, T)`` and the rate."""
        return read_recording(path)

    @classmethod
    def probe(cls, path: Path) -> Any:
        """Return number of channels and rate."""
        samples, rate = cls.read(path)
        return len(samples), rate

    @classmethod
    def settle(cls, probes: Sequence[Any], options: DataOptions) -> "RecordingFiles":
        """Return the most common number of channels and rate."""
        channels, rate = (Counter(values).most_common(1)[0][0] for values in zip(*probes, strict=True))
        return cls((channels,), {"rate": rate})

    def shaped(self, found: Any) -> tuple[Record, str | None]:
        """Return a recording of this form."""
        samples, rate = found
        wanted = self.settings.get("rate", rate)
        changes = []
        if len(samples) != self.shape[0]:
            changes.append("mixed to " + {1: "mono", 2: "stereo"}.get(self.shape[0], f"{self.shape[0]} channels"))
        if rate != wanted:
            changes.append(f"resampled to {wanted:g} Hz")
        return resampled(remixed(samples, self.shape[0]), rate, wanted), " and ".join(changes) or None


class TrajectoryFiles(FileKind):
    """Pointer trajectories: time, x, y and click."""

    name, plural = "trajectory", "trajectories"

    @staticmethod
    def holds(path: Path) -> bool:
        """Return whether a file name says table."""
        return is_trajectory(path)

    @staticmethod
    def read(path: Path) -> Record:
        """Return a trajectory ``(4, T)``."""
        return read_trajectory(path)

    @classmethod
    def settle(cls, probes: Sequence[Any], options: DataOptions) -> "TrajectoryFiles":
        """Return the one form there is."""
        return cls((4,), {})

    def shaped(self, found: Record) -> tuple[Record, str | None]:
        """Return a trajectory as it is."""
        return found, None


class AnyFiles(FileKind):
    """Files of any kind as their bytes."""

    name, plural = "file", "files"

    @staticmethod
    def holds(path: Path) -> bool:
        """Any file will do."""
        return True

    @staticmethod
    def read(path: Path) -> Record:
        """Return the bytes ``(1, T)`` as they lie on the disk."""
        try:
            data = np.fromfile(path, np.uint8)
        except OSError as error:
            with open_bytes(path):  # says why in our words
                raise InputFileError(f"{path} cannot be read: {error.strerror}") from None
        if not len(data):
            raise DataError("the file is empty; delete it")
        return data[None]

    @classmethod
    def settle(cls, probes: Sequence[Any], options: DataOptions) -> "AnyFiles":
        """Return the one form there is."""
        return cls((1,), {})

    def shaped(self, found: Record) -> tuple[Record, str | None]:
        """Return the bytes as they are."""
        return found, None


#: By what encoders call the files they read.
FILE_KINDS: dict[str, type[FileKind]] = {
    kind.name: kind for kind in (PictureFiles, RecordingFiles, TrajectoryFiles, AnyFiles)
}


def file_kind(name: str | None, what: str) -> type[FileKind]:
    """Return the kind of file that an encoder reads.

    Raises
    ------
    DataError
        If the encoder reads no files of one record each; `what` is what was given.
    """
    if name is None:
        raise DataError(f"{what}: expected sequence files or a table; pass --input pixels, spectrogram, ... for others")
    return FILE_KINDS[name]


def form_of(name: str | None, expected: Expected, what: str) -> FileKind:
    """Return the form that a trained model's files have."""
    return file_kind(name, what)(expected.shape or (), expected.settings)


def read_files_of(
    kind: type[FileKind], paths: Sequence[Path], options: DataOptions, expected: Expected | None
) -> tuple[Raw, dict[str, Any], list[str]]:
    """Return files as raw records, what reading another one takes, and notes."""
    if expected is not None and expected.shape is not None:
        form = kind(expected.shape, expected.settings)
        raw, notes = form.records(paths)
        return raw, form.settings, notes
    sample = np.unique(np.linspace(0, len(paths) - 1, min(len(paths), _PROBED)).astype(np.int64))
    form = kind.settle([kind.probe(paths[i]) for i in sample], options)
    raw, notes = form.records(paths)
    return raw, form.settings, notes


def stream_files(form: FileKind, folder: Path, changes: Counter[str]) -> Iterator[tuple[str, Record]]:
    """Yield path in the folder and record of each file in it; `DataError` where there is none."""
    paths = form.files_in(folder)
    if not paths:
        raise DataError(f"{folder} is a folder without {form.plural}, which this model reads; expected some")
    for path in paths:
        yield str(path.relative_to(folder)), form.one(path, changes)
