"""A model as a JSON header and named arrays, checked on the way back (contract 6)."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import nn

from seqcnn.checks import did_you_mean
from seqcnn.conformal import Conformity
from seqcnn.data.relatives import Sketches
from seqcnn.errors import ModelFileError, OptionError, SeqcnnError
from seqcnn.model.container import Arrays
from seqcnn.model.record import ARRAYS, FoldMotifs, OutOfFold, TrainingRecord, plain
from seqcnn.networks import create
from seqcnn.networks.network import Network
from seqcnn.nn.calibration import Calibration
from seqcnn.registry import REGISTRY, resolve
from seqcnn.runtime import seeded

if TYPE_CHECKING:
    from seqcnn.model.model import Model

_FIELDS = (
    "alphabet", "encoder", "network", "task", "labels", "strands", "window", "baselines", "record", "out_of_fold_ids"
)  # fmt: skip
_OOF = "record.oof."
_OOF_MOTIFS = _OOF + "motifs."
_HASHES = "record.trained_hashes"
_SKETCHES = "record.sketches."
_CONFORMITY = "record.conformity."
T = TypeVar("T")


def describe(model: "Model") -> tuple[dict[str, Any], Arrays]:
    """Return the header and the arrays of a model.

    Raises
    ------
    OptionError
        If the network or the encoder is a class that is not registered, so that it could not be loaded again.
    ModelFileError
        If a weight is NaN or infinite.
    """
    record = model.record
    header = {
        "alphabet": None if model.alphabet is None else model.alphabet.name,
        "encoder": _named("encoder", model.encoder),
        "network": _named("network", model.network),
        "task": {
            "name": model.task.name,
            "options": {key: plain(value) for key, value in model.task.config().items() if key != "name"},
        },
        "labels": list(model.labels),
        "strands": model.strands,
        "window": model.longest,
        "baselines": {name: _named("network", network) for name, network in model.baselines.items()},
        "record": record.plain(),
        "out_of_fold_ids": None if record.oof is None else list(record.oof.ids),
    }
    arrays: Arrays = {_HASHES: np.asarray(record.trained_hashes, np.uint64)}
    for prefix, module in _modules(model.encoder, model.network, model.calibration, model.baselines).items():
        for name, tensor in module.state_dict().items():
            arrays[prefix + name] = tensor.detach().cpu().contiguous().numpy()
    _finite(arrays, "model")
    if record.oof is not None:
        arrays[_OOF + "hashes"] = np.asarray(record.oof.hashes, np.uint64)
        arrays[_OOF + "truth"] = np.asarray(record.oof.truth, np.float64)
        arrays[_OOF + "logits"] = np.asarray(record.oof.logits, np.float32)
        for name, logits in record.oof.baselines.items():
            arrays[f"{_OOF}baselines.{name}"] = np.asarray(logits, np.float32)
        if record.oof.near is not None:
            arrays[_OOF + "near"] = np.asarray(record.oof.near, np.uint8)
        if record.oof.fold is not None:
            arrays[_OOF + "fold"] = np.asarray(record.oof.fold, np.uint8)
        if record.oof.motifs is not None:
            for field in fields(record.oof.motifs):
                arrays[_OOF_MOTIFS + field.name] = np.asarray(getattr(record.oof.motifs, field.name))
    for prefix, kept in ((_SKETCHES, record.sketches), (_CONFORMITY, record.conformity)):
        for field in () if kept is None else fields(kept):
            arrays[prefix + field.name] = np.asarray(getattr(kept, field.name))
    return header, arrays


def restore(header: dict[str, Any], arrays: Arrays, where: str) -> dict[str, Any]:
    """Return the arguments of `Model` that `describe` took apart.

    Raises
    ------
    ModelFileError
        If a field is unknown or missing, a name is not registered, an option, shape or type is wrong, or a weight is
        not finite; it names `where`.
    """
    _same_names(header, _FIELDS, f"{where}: the header")
    left = dict(arrays)
    try:
        alphabet = None if header["alphabet"] is None else resolve("alphabet", header["alphabet"])
        task = resolve("task", header["task"]["name"]).from_config(header["task"]["options"])
        encoder = _made("encoder", header["encoder"])
        network = _made("network", header["network"])
        baselines = {name: _made("network", entry) for name, entry in header["baselines"].items()}
        calibration = Calibration(task.outputs)
        record = _record(header, left, where)
        strands, longest = str(header["strands"]), int(header["window"])
    except ModelFileError as error:
        raise ModelFileError(f"{where}: {error}" if where not in str(error) else str(error)) from None
    except SeqcnnError as error:
        raise ModelFileError(f"{where}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, ImportError) as error:
        raise ModelFileError(
            f"{where}: the header does not describe a model this seqcnn can build ({type(error).__name__}: {error}); "
            "update seqcnn, or train again"
        ) from error
    if list(task.labels) != header["labels"]:
        raise ModelFileError(f"{where}: labels {header['labels']} are not those of its task, {list(task.labels)}")
    if strands not in ("both", "forward"):
        raise ModelFileError(f"{where}: strands: expected both or forward, found {strands!r}")
    _finite(left, where)
    for prefix, module in _modules(encoder, network, calibration, baselines).items():
        _fill(module, {name: left.pop(name) for name in list(left) if name.startswith(prefix)}, prefix, where)
        module.eval()
    if left:
        raise ModelFileError(f"{where}: unknown tensor {next(iter(left))!r}; the file was not written by this seqcnn")
    return {
        "encoder": encoder, "network": network, "task": task, "alphabet": alphabet, "longest": longest,
        "strands": strands, "calibration": calibration, "baselines": baselines, "record": record,
    }  # fmt: skip


def _modules(
    encoder: nn.Module, network: nn.Module, calibration: nn.Module, baselines: dict[str, Any]
) -> dict[str, nn.Module]:
    """Return the parts that hold tensors, by the prefix of their names in the file."""
    parts = {"encoder.": encoder, "network.": network, "calibration.": calibration}
    return parts | {f"baselines.{name}.": module for name, module in baselines.items()}


def _named(kind: str, module: nn.Module) -> dict[str, Any]:
    """Return the registered name and the options that make a module like this one."""
    target = f"{type(module).__module__}:{type(module).__qualname__}"
    for name, entry in REGISTRY[kind].items():
        if entry.target == target:
            config = getattr(module, "config", {})
            return {"name": name, "options": plain(config() if callable(config) else config)}
    raise OptionError(
        f"saving a model: {kind} {type(module).__name__} is not registered, so it could not be loaded again; first "
        f"call seqcnn.registry.register({kind!r}, 'a-name', {target!r})"
    )


def _made(kind: str, entry: dict[str, Any]) -> Any:
    """Build a registered module; no random number of the caller's is drawn."""
    _same_names(entry, ("name", "options"), kind)
    name, options = entry["name"], entry["options"]
    if name not in REGISTRY[kind]:
        raise ModelFileError(
            f"{kind} {name!r} is not registered here{did_you_mean(name, REGISTRY[kind])}; if it is yours, first call "
            f"seqcnn.registry.register({kind!r}, {name!r}, 'module:Class')"
        )
    made = resolve(kind, name)
    with seeded(0):
        return create(name, **options) if isinstance(made, type) and issubclass(made, Network) else made(**options)


def _fill(module: nn.Module, arrays: Arrays, prefix: str, where: str) -> None:
    """Load tensors into a module after checking names, shapes and types."""
    expected = {prefix + name: tensor for name, tensor in module.state_dict().items()}
    for name in expected.keys() ^ arrays.keys():
        state = "is missing" if name in expected else "is unknown"
        raise ModelFileError(f"{where}: tensor {name!r} {state}; the file does not fit its own header")
    for name, tensor in expected.items():
        array = arrays[name]
        kind = str(tensor.dtype).removeprefix("torch.")
        if array.shape != tuple(tensor.shape) or array.dtype.name != kind:
            found = f"{array.dtype.name} {array.shape}"
            raise ModelFileError(f"{where}: tensor {name!r}: expected {kind} {tuple(tensor.shape)}, found {found}")
    copies = {name.removeprefix(prefix): torch.from_numpy(array.copy()) for name, array in arrays.items()}
    module.load_state_dict(copies)
    for tensor in module.parameters():  # layout only: what convolutions are fastest with, never identity
        if tensor.ndim == 4:
            tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)


def _record(header: dict[str, Any], left: Arrays, where: str) -> TrainingRecord:
    values = dict(header["record"])
    wanted = [f.name for f in fields(TrainingRecord) if f.name not in ARRAYS]
    _same_names(values, wanted, f"{where}: the training record")
    for name in ("history", "notes"):
        values[name] = tuple(values[name])
    oof = None
    if header["out_of_fold_ids"] is not None:
        base = _OOF + "baselines."
        held = [name.removeprefix(base) for name in left if name.startswith(base)]
        names = sorted(held, key=[*header["baselines"], *held].index)  # in the order of the baselines
        motifs = {f.name: left.pop(_OOF_MOTIFS + f.name) for f in fields(FoldMotifs) if _OOF_MOTIFS + f.name in left}
        oof = OutOfFold(
            left.pop(_OOF + "hashes"), left.pop(_OOF + "truth"), left.pop(_OOF + "logits"),
            {name: left.pop(base + name) for name in names},
            tuple(header["out_of_fold_ids"]),
            left.pop(_OOF + "near").astype(bool) if _OOF + "near" in left else None,
            left.pop(_OOF + "fold").astype(np.int64) if _OOF + "fold" in left else None,
            FoldMotifs(**motifs) if motifs else None,
        )  # fmt: skip
    sketches, conformity = _kept(Sketches, _SKETCHES, left), _kept(Conformity, _CONFORMITY, left)
    return TrainingRecord(**values, trained_hashes=left.pop(_HASHES), oof=oof, sketches=sketches, conformity=conformity)


def _kept(kind: type[T], prefix: str, left: Arrays) -> T | None:
    """Return what `describe` took apart field by field; None where the file does not have it."""
    found = {name.removeprefix(prefix): left.pop(name) for name in list(left) if name.startswith(prefix)}
    values: dict[str, Any] = {name: array if array.ndim else array.item() for name, array in found.items()}
    return kind(**values) if found else None


def _same_names(found: Any, wanted: Any, what: str) -> None:
    if not isinstance(found, dict):
        raise ModelFileError(f"{what}: expected a JSON object, found {type(found).__name__}")
    for name in found:
        if name not in wanted:
            raise ModelFileError(f"{what} has an unknown field {name!r}; it was edited, or written by another seqcnn")
    for name in wanted:
        if name not in found:
            raise ModelFileError(f"{what} lacks the field {name!r}; it was edited, or written by another seqcnn")


def _finite(arrays: Arrays, where: str) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFileError(f"{where}: tensor {name!r} holds NaN or infinity; train again with a lower --lr")
