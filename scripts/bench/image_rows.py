"""Rows of the accuracy table on pictures, recordings and series."""

from __future__ import annotations

import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import SIZES, Row, figure_of, seqcnn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))


def mnist(network: str) -> Callable[..., dict[str, Any]]:
    """MNIST unpacked to one folder of PNG a digit, through the default network or a named one."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        import numpy as np
        from PIL import Image

        arrays = np.load(data / "img_mnist" / "mnist.npz")
        for part in ("train", "test"):
            for i, (picture, digit) in enumerate(zip(arrays[f"x_{part}"], arrays[f"y_{part}"], strict=True)):
                folder = work / part / str(digit)
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture).save(folder / f"{i:05}.png", compress_level=1)
        model = work / "m.safetensors"
        options = ["--network", network, "--seed", seed, "--quiet"]
        _, seconds = seqcnn("train", work / "train", "-o", model, *options, cores=cores)
        return figure_of(model, [work / "test"], "accuracy", seconds=seconds, cores=cores)

    return run


def numpy_lenet(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """LeNet-5 of the NumPy reference, trained on the first 8,000 pictures in one process."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    from seqcnn.reference.lenet import LeNet5, train

    arrays = np.load(data / "img_mnist" / "mnist.npz")
    pictures, digits = arrays["x_train"][:8000, None] / 255, arrays["y_train"][:8000]
    mean, std = pictures.mean(), pictures.std()
    network, start = LeNet5(seed=seed), time.perf_counter()
    with threadpool_limits(1):  # threads that wait for each other are slower than one where other rows run besides
        for _ in train(network, (pictures - mean) / std, digits, epochs=6, seed=seed):
            pass
    seconds = time.perf_counter() - start
    batches = np.array_split(arrays["x_test"][:, None] / 255, max(1, len(arrays["x_test"]) // 500))
    called = np.concatenate([network.forward((batch - mean) / std).argmax(1) for batch in batches])
    accuracy = float((called == arrays["y_test"]).mean())
    return {"figure": accuracy, "text": f"accuracy {accuracy:.4f}", "seconds": seconds}


def cifar(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """Photographs of ten classes, 1,000 of each to train on, from folders of JPEG."""
    with zipfile.ZipFile(data / "img_cifar10_small" / "cifar10_small.zip") as packed:
        packed.extractall(work)
    model = work / "m.safetensors"
    _, seconds = seqcnn("train", work / "train", "-o", model, "--seed", seed, "--quiet", cores=cores)
    return figure_of(model, [work / "test"], "accuracy", seconds=seconds, cores=cores)


def digits(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """Spoken digits as spectrograms: recordings 0 to 4 of each speaker and digit are the test set."""
    with zipfile.ZipFile(data / "audio_fsdd" / "recordings.zip") as packed:
        for name in (n for n in packed.namelist() if n.endswith(".wav")):
            digit, _, index = Path(name).stem.split("_")
            folder = work / ("test" if int(index) < 5 else "train") / digit
            folder.mkdir(parents=True, exist_ok=True)
            (folder / Path(name).name).write_bytes(packed.read(name))
    model = work / "m.safetensors"
    options = ["--input", "spectrogram", "--seed", seed, "--quiet"]
    _, seconds = seqcnn("train", work / "train", "-o", model, *options, cores=cores)
    return figure_of(model, [work / "test"], "accuracy", seconds=seconds, cores=cores)


def series(name: str, encoder: str) -> Callable[..., dict[str, Any]]:
    """One data set of the UCR and UEA archives, as series or as pictures of them."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        (train,), (test,) = ((data / "ts_ucr").glob(f"{name}_{part}.*") for part in ("TRAIN", "TEST"))
        model = work / "m.safetensors"
        _, seconds = seqcnn("train", train, "--input", encoder, "-o", model, "--seed", seed, "--quiet", cores=cores)
        return figure_of(model, [test], "accuracy", seconds=seconds, cores=cores)

    return run


def upright(apart: bool) -> Callable[..., dict[str, Any]]:
    """Crops of photographs at random angles; the error is in degrees (see scripts/examples/upright.py)."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        from upright import make

        train, test = make(data / "photos_standard", work, SIZES["crops"], apart=apart, seed=seed)
        model = work / "m.safetensors"
        reading = ["--image", "image", "--target", "angle", "--task", "circular"]
        _, seconds = seqcnn("train", train, *reading, "-o", model, "--seed", seed, "--quiet", cores=cores)
        return figure_of(model, [test, *reading], "median_error", seconds=seconds, cores=cores)

    return run


#: Data set of series: least accuracy as series, and as GADF.
ARCHIVE = {
    "GunPoint": (".99", ".97"),
    "Coffee": ("1.00", "1.00"),
    "ArrowHead": (".85", ".80"),
    "ItalyPowerDemand": (".965", ".94"),
    "BasicMotions": ("1.00", ".97"),
}
ROWS = [
    Row("img_mnist", "accuracy .994 in 600 s", mnist("auto"), "img_mnist", 3),
    Row("lenet on img_mnist", "accuracy .990", mnist("lenet"), "img_mnist", 3),
    Row("LeNet-5 in NumPy on img_mnist", "accuracy .95", numpy_lenet, "img_mnist"),
    Row("img_cifar10_small", "accuracy .70 in 600 s", cifar, "img_cifar10_small", 3),
    Row("audio_fsdd", "accuracy .985 in 300 s", digits, "audio_fsdd", 3),
    *(
        Row(
            f"{name} as {encoder}",
            f"accuracy {least} in {60 if encoder == 'series' or name == 'BasicMotions' else 180} s",
            series(name, encoder),
            "ts_ucr",
            3,
        )
        for name, wanted in ARCHIVE.items()
        for encoder, least in zip(("series", "gadf"), wanted, strict=True)
    ),
    Row("rotated photographs", "median error 10 degrees in 300 s", upright(False), "photos_standard", 3),
    Row("rotated photographs, halves apart", "-", upright(True), "photos_standard", 1),
]
