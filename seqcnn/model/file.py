"""The model file: saving a model, loading it with every check (contract 6)."""

from os import PathLike, fspath
from pathlib import Path

from seqcnn.errors import InputFileError, ModelFileError
from seqcnn.io.opening import shown
from seqcnn.model.model import Model

#: A safetensors file starts with the length of its header, 8 bytes, and a brace.
_HEAD = 9


def save(model: Model, path: str | PathLike[str]) -> None:
    """Write a model as one ``.safetensors`` file, whole or not at all; see `Model.save`."""
    model.save(path)


def load(path: str | PathLike[str]) -> Model:
    """Return the model that was saved at `path`.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    ModelFileError
        If it is empty, cut, foreign, edited, or of a newer format; the message says which.
    """
    where = fspath(path)
    try:
        if Path(path).is_dir():
            raise ModelFileError(f"{where}: a folder; expected a model file (.safetensors)")
        with open(path, "rb") as stream:
            data = stream.read(_HEAD)
            if data.endswith(b"{"):  # else it is foreign, and may be huge
                data += stream.read()
    except FileNotFoundError:
        raise InputFileError(f"{where}: no such model file; check the path, or make it with 'seqcnn train'") from None
    except OSError as error:
        raise InputFileError(f"{where}: cannot be read: {error.strerror or error}") from None
    return Model.from_bytes(data, shown(where))
