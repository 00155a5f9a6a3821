"""Exporting: a model as one graph, from images to predictions, that other programs run without seqcnn."""

import json
import os
import warnings
from copy import deepcopy
from dataclasses import dataclass
from math import pi
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch._dynamo.exc import UserError

from seqcnn.checks import one_of
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import MissingExtraError, ModelFileError, OptionError
from seqcnn.io.writing import atomic, check_writable
from seqcnn.model.card import text_card
from seqcnn.model.model import Model
from seqcnn.networks.network import Network
from seqcnn.runtime import quiet, versions
from seqcnn.tasks.circular import Circular
from seqcnn.tasks.regression import Regression

Output = Literal["probability", "logit"]

#: Suffixes of an ONNX file and of a program of torch.export.
_ONNX, _TORCH = ".onnx", ".pt2"
#: How far predictions of the file may lie from the model's, as a share of the largest.
_APART = 1e-5
#: Images of the check, and how much longer than the shortest that will do they are.
_CHECKED, _LONGER = 5, 37
#: Columns beyond the network's fewest that are tried as the graph's.
_MORE = (0, 4, 16, 64)
#: Dimensions of a graph need an upper end; these are beyond any input.
_MOST_RECORDS, _LONGEST = 1 << 20, 1 << 28


@dataclass(frozen=True)
class Export:
    """What was exported.

    Parameters
    ----------
    card
        What the file says of itself: task, columns, strands, and how the input is made.
    apart
        Largest difference between its predictions and the model's; None where no runtime could be asked.
    notes
        Sentences that say so.
    """

    card: dict[str, Any]
    apart: float | None
    notes: tuple[str, ...]


class Predictor(nn.Module):
    """Encoder's images to what `Model.predict` gives: network, both strands, calibration and the task's units.

    Parameters
    ----------
    model
        Of which copies are taken.
    output
        ``probability`` (of classes; numbers in their own units) or ``logit``.
    """

    def __init__(self, model: Model, output: Output = "probability") -> None:
        super().__init__()
        network: nn.Module = deepcopy(model.network).cpu().eval().requires_grad_(False)
        self.network = network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.calibration = deepcopy(model.calibration).cpu().eval()
        self.both, self.task, self.output = model.strands == "both", model.task, output
        if self.both and isinstance(model.encoder, OneHot) and model.alphabet is not None:
            size = model.alphabet.size
            self.register_buffer("other", torch.from_numpy(model.alphabet.complement[:size].astype(np.int64)))

    def forward(self, image: Tensor) -> Tensor:
        """Return predictions ``(N, columns)`` of images ``(N, C, L)`` or ``(N, C, H, W)``."""
        logits = self.network(image)
        if self.both:
            letters = 1 if image.dim() == 3 else 2
            other = image.index_select(letters, self.get_buffer("other")).flip(-1)
            logits = (logits + self.network(other)) * 0.5
        logits = self.calibration(logits)
        if self.output == "logit":
            return logits  # type: ignore[no-any-return]
        if isinstance(self.task, Regression):
            return _numbers(self.task, logits)
        if isinstance(self.task, Circular):
            angle = torch.atan2(logits[:, 1::2], logits[:, ::2]) * (self.task.period / (2 * pi))
            return torch.where(angle < 0, angle + self.task.period, angle)
        return self.task.activation(logits)


def _numbers(task: Regression, logits: Tensor) -> Tensor:
    """Return the network's numbers in the units of the targets."""
    columns = []
    for i, kind in enumerate(task.transforms):
        y = (logits[:, i] * task.std[i] + task.mean[i]).clamp(task.low[i], task.high[i])
        if kind == "log":
            y = y.exp()
        elif kind == "asinh":
            y = torch.sinh(y) * task.scale[i] + task.center[i]
        columns.append(y)
    return torch.stack(columns, 1)


def export(model: Model, path: str | os.PathLike[str], *, output: str = "probability") -> Export:
    """Write a model as ONNX (``.onnx``) or as a program of `torch.export` (``.pt2``).

    The input is the image that the encoder makes, any number of them, of any length where the network takes any; a
    card in the file's metadata says how it is made, and what the columns of the output are. The file is run beside the
    model before it takes its name.

    Parameters
    ----------
    path
        Ends in ``.onnx`` (needs the extra ``onnx``) or ``.pt2``.
    output
        ``probability``, as `Model.predict` gives it, or ``logit``.

    Raises
    ------
    OptionError
        If the name ends otherwise, or the network is not one of seqcnn's.
    MissingExtraError
        If the packages of the extra are not installed.
    ModelFileError
        If the file does not predict what the model does.
    OutputFileError
        If it cannot be written.
    """
    kind: Output = cast(Output, one_of(output, ("probability", "logit"), "output"))
    place = Path(check_writable(os.fspath(path)))
    if place.suffix not in (_ONNX, _TORCH):
        raise OptionError(f"-o {path}: expected a name that ends in {_ONNX} or {_TORCH}")
    network = model.network
    if not isinstance(network, Network):
        raise OptionError(f"export: {type(network).__name__} is no network of seqcnn, whose shapes are known")
    if place.suffix == _ONNX:
        _need("onnx", "onnxscript")
    predictor = Predictor(model, kind).eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program, image, least = _program(predictor, model, network)
        card = _card(model, network, kind, least)
        if place.suffix == _ONNX:
            data = _onnx(program, card, text_card(model))
        else:
            data = _torch(program, card, text_card(model))
        others = [_longer(image) if least is not None else image.flip(0), image[:1]]
        found = [_run(data, place.suffix, other) for other in others]
        expected = [predictor(other).numpy() for other in others]
    said = [f"input {card['input']['shape']}, output {', '.join(card['output']['columns'])} ({output})"]
    apart = None
    if found[0] is None:
        said.append("not compared with the model: onnxruntime is not installed")
    else:
        apart = max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))
        largest = max(1.0, max(float(np.abs(b).max()) for b in expected))
        if not apart <= _APART * largest:
            raise ModelFileError(f"{path}: predicts otherwise than the model (by up to {apart:.2g}); not written")
        said.append(f"its predictions and the model's differ by {apart:.1g} at most")
    with atomic(place, "wb") as file:
        file.write(data)
    return Export(card, apart, tuple(said))


def _need(*packages: str) -> None:
    """Raise where the packages of the extra are absent."""
    for name in packages:
        try:
            __import__(name)
        except ImportError:
            raise MissingExtraError(f"{_ONNX}: needs the package {name}; pip install 'seqcnn[onnx]'") from None


def _program(
    predictor: Predictor, model: Model, network: Network
) -> tuple[torch.export.ExportedProgram, Tensor, int | None]:
    """Return the graph, images it was made with, and the fewest columns it takes; None where only one number will do.

    A dimension that may be 1 is another graph: the fewest columns are those that leave two cells in every map.
    """
    fixed = network.fixed_width or model.encoder.width
    records = {0: torch.export.Dim("records", min=1, max=_MOST_RECORDS)}
    if fixed:
        image = _images(model, max(fixed, network.minimum_width))
        return torch.export.export(predictor, (image,), dynamic_shapes=(records,)), image, None
    for more in _MORE:
        least = max(2, network.minimum_width + more)
        image = _images(model, least + _LONGER)
        shapes = records | {image.dim() - 1: torch.export.Dim("length", min=least, max=_LONGEST)}
        try:
            return torch.export.export(predictor, (image,), dynamic_shapes=(shapes,)), image, least
        except UserError:
            if more == _MORE[-1]:
                raise
    raise ModelFileError("torch.export: the network has no graph for records of any length")


def _images(model: Model, width: int) -> Tensor:
    """Return random images of so many columns."""
    encoder, generator = model.encoder, torch.Generator().manual_seed(0)
    if isinstance(encoder, OneHot) and encoder.height == 1:
        letters = torch.randint(encoder.channels, (_CHECKED, width), generator=generator)
        return nn.functional.one_hot(letters, encoder.channels).float().transpose(1, 2).contiguous()
    return torch.randn(_CHECKED, encoder.channels, encoder.height, width, generator=generator)


def _longer(image: Tensor) -> Tensor:
    """Return other images, twice as long."""
    return torch.cat([image, image.flip(0)], -1)[: _CHECKED - 2].contiguous()


def _card(model: Model, network: Network, output: Output, least: int | None) -> dict[str, Any]:
    """Return what another program must know to feed the file and to read what it says."""
    encoder = model.encoder
    length = "length" if least else max(network.fixed_width or encoder.width or 1, network.minimum_width)
    flat = isinstance(encoder, OneHot) and encoder.height == 1
    made: dict[str, Any] = {"encoder": encoder.name, "options": encoder.config()}
    if isinstance(encoder, OneHot):
        alphabet = encoder.alphabet
        made |= {
            "letters": alphabet.letters,
            "columns": {letter: alphabet.probabilities[code].tolist() for code, letter in enumerate(alphabet.symbols)},
            "synonyms": alphabet.synonyms,
            "how": "a column a letter, upper or lower case; columns of zeros where there is no letter",
        }
    shape = ["records", encoder.channels, length] if flat else ["records", encoder.channels, encoder.height, length]
    return {
        "task": model.task.name,
        "labels": list(model.labels),
        "input": {"name": "image", "shape": shape, "least length": least, **made},
        "output": {
            "name": "predictions", "kind": output,
            "columns": list(model.task.columns) if output == "probability" else [
                f"logit {i + 1}" for i in range(model.task.outputs)
            ],
        },
        "strands": model.strands,
        "trained on records of up to": model.longest,
        "versions": versions(),
    }  # fmt: skip


def _onnx(program: torch.export.ExportedProgram, card: dict[str, Any], text: str) -> bytes:
    """Return the bytes of an ONNX file."""
    with quiet("torch.onnx"):
        made = torch.onnx.export(
            program, dynamo=True, input_names=["image"], output_names=["predictions"], verbose=False
        )
    if made is None:
        raise ModelFileError("torch.onnx gave no program")
    proto = made.model_proto
    for key, value in (("seqcnn", json.dumps(card)), ("card", text)):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    proto.doc_string = text.splitlines()[0]
    return bytes(proto.SerializeToString())


def _torch(program: torch.export.ExportedProgram, card: dict[str, Any], text: str) -> bytes:
    """Return the bytes of a program of torch.export."""
    from io import BytesIO

    stream = BytesIO()
    torch.export.save(program, stream, extra_files={"seqcnn.json": json.dumps(card), "card.txt": text})
    return stream.getvalue()


def _run(data: bytes, suffix: str, image: Tensor) -> Any:
    """Return what a file predicts, as an array; None where nothing here can run it."""
    if suffix == _TORCH:
        from io import BytesIO

        return torch.export.load(BytesIO(data)).module()(image).numpy()
    try:
        import onnxruntime
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image.numpy()})[0]
