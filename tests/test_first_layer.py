"""Fixed filters as first layers: what they respond to, frozen or trained on, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from Bio.motifs.matrix import PositionWeightMatrix
from scipy.ndimage import correlate

from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.data.dataset import Dataset
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import FormatError, InputFileError, OptionError
from seqcnn.io.meme import read_meme, write_meme
from seqcnn.motif import Motif
from seqcnn.networks import create
from seqcnn.nn import kernels
from seqcnn.nn.filters import PSEUDOCOUNT, pwm_weights
from seqcnn.options import TrainOptions
from seqcnn.registry import names
from seqcnn.samples import Samples
from seqcnn.sequence import Sequences, encode
from seqcnn.training.first_layer import filter_weights, placed
from seqcnn.workflow.train import train

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state
QUICK = {"epochs": 2, "folds": 0, "baselines": False, "augment": ("none",), "precision": "32", "test": ("0",)}
PWMS = [RNG.dirichlet([0.3] * 4, n) for n in (7, 4, 9)]


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same numbers, alone or after others."""
    RNG.bit_generator.state = START


def meme(path: Path, matrices, alphabet=DNA) -> Path:
    write_meme(path, [Motif(f"m{i}", p, alphabet) for i, p in enumerate(matrices)])
    return path


def written(path: Path):
    """The matrices of a MEME file, whose numbers are rounded."""
    return [motif.probabilities for motif in read_meme(path)]


def pictures(channels=1, n=48, size=(12, 14)):
    pixels = RNG.integers(0, 256, (n, channels, *size), dtype=np.uint8)
    truth = np.arange(n) % 2
    pixels[truth == 1, :, 4:8] //= 4
    return dataset("pixels", pixels, truth)


def dataset(kind, raw, truth, **more):
    ids = tuple(map(str, range(len(raw))))
    return Dataset(kind, raw, ids, truth[:, None].astype(float), "binary", ("no", "yes"), **more)


def sequences(n=60, alphabet=DNA):
    letters = alphabet.letters
    texts = ["".join(RNG.choice(list(letters), RNG.integers(30, 41))) for _ in range(n)]
    truth = np.arange(n) % 2
    texts = [t[:9] + letters[:4] * 3 + t[21:] if y else t for t, y in zip(texts, truth, strict=True)]
    raw = Sequences.from_codes([encode(t, alphabet) for t in texts])
    return dataset("codes", raw, truth, alphabet=alphabet, negatives="file")


def series(variables=2, n=48):
    raw = Samples.from_arrays([RNG.normal(size=(variables, m)).cumsum(1) for m in RNG.integers(30, 41, n)])
    return dataset("samples", raw, np.arange(n) % 2, settings={"normalize": "record"})


# --- what they respond to ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names("filter"))
@pytest.mark.parametrize("side", [3, 5])
def test_a_named_filter_stands_in_the_middle_and_reads_the_mean_of_the_channels(name, side):
    weights = filter_weights([name], (3, side, side))
    layer = torch.nn.Conv2d(3, len(weights), side, padding=side // 2, bias=False)
    layer.weight.data.copy_(weights)
    image = RNG.normal(size=(2, 3, 11, 13)).astype(np.float32)
    found = layer(torch.from_numpy(image)).detach().numpy()
    for response, kernel in zip(found.transpose(1, 0, 2, 3), weights[:, 0].numpy() * 3, strict=True):
        for one, picture in zip(response, image.mean(1), strict=True):
            np.testing.assert_allclose(one, correlate(picture, kernel, mode="constant"), atol=1e-4)
    even = weights.sum((1, 2, 3))
    wanted = 1.0 if name in ("moving_average", "gaussian", "sharpen") else 0.0
    torch.testing.assert_close(even, torch.full_like(even, wanted), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["sobel", "prewitt", "laplacian", "sharpen", "moving_average"])
def test_a_filter_that_fits_is_the_filter_itself(name):
    plain = getattr(kernels, name)()
    weights = filter_weights([name], (1, 7, 7))
    torch.testing.assert_close(weights[:, :, 2:5, 2:5], plain)
    assert weights.count_nonzero() == plain.count_nonzero()


def test_several_filters_stand_in_the_order_given():
    both = filter_weights(["laplacian", "sobel"], (2, 3, 3))
    torch.testing.assert_close(both, torch.cat([filter_weights([n], (2, 3, 3)) for n in ("laplacian", "sobel")]))


@pytest.mark.parametrize("name", ["moving_average", "gaussian", "gaussian_gradient"])
def test_filters_of_series_have_one_row(name):
    weights = filter_weights([name], (2, 1, 9))
    assert weights.shape == (1, 2, 1, 9)
    ramp = torch.arange(9.0).expand(1, 2, 1, 9)
    found = float((weights * ramp).sum())
    assert found > 0.5 if name == "gaussian_gradient" else found == pytest.approx(4)


def test_a_motif_responds_as_its_position_weight_matrix_scans(tmp_path):
    path = meme(tmp_path / "m.meme", PWMS)
    weights = filter_weights([str(path)], (4, 1, 11), alphabet=DNA)
    text = "".join(RNG.choice(list("ACGT"), 60))
    image = OneHot("dna")(torch.from_numpy(encode(text, DNA).copy())[None])
    found = torch.nn.functional.conv2d(image, weights)[0, :, 0].numpy()
    for response, matrix in zip(found, written(path), strict=True):
        smooth = (matrix + PSEUDOCOUNT) / (1 + 4 * PSEUDOCOUNT)
        scan = PositionWeightMatrix("ACGT", dict(zip("ACGT", smooth.T.tolist(), strict=True))).log_odds()
        scores = scan.calculate(text) * np.log(2)
        start = (11 - len(matrix)) // 2
        np.testing.assert_allclose(response, scores[start : start + len(response)], atol=1e-3)


# --- in training ------------------------------------------------------------------------------------------------------

CASES = [
    ("residual", lambda: pictures(1), ("sobel", "laplacian_of_gaussian")),
    ("lenet", lambda: pictures(3, size=(16, 17)), ("gaussian", "roberts")),
    ("residual", series, ("gaussian_gradient", "moving_average")),
]


@pytest.mark.parametrize("network, make, filters", CASES)
@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_filters_stay_and_others_learn(network, make, filters, frozen):
    data = make()
    model = train(data, TrainOptions(network=network, filters=filters, frozen=frozen, **QUICK))
    weight = model.network.filters.weight.detach()
    given = filter_weights(filters, tuple(weight.shape[1:]))
    assert torch.equal(weight[: len(given)], given) == frozen
    torch.testing.assert_close(weight[: len(given)], given, atol=0.2, rtol=0.2)  # they were the start, anyhow
    assert type(model.network.filters) is torch.nn.Conv2d  # plain again, so that the file holds it
    assert model.record.options["fixed_filters"] == len(given)
    again = type(model).from_bytes(model.to_bytes())
    assert torch.equal(again.network.filters.weight, weight)
    np.testing.assert_array_equal(again.predict(data), model.predict(data))


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("network", ["motif", "deepbind"])
def test_motifs_are_the_first_filters(network, frozen, tmp_path):
    path = meme(tmp_path / "m.meme", PWMS)
    options = TrainOptions(
        network=network, filters=(str(path),), frozen=frozen, strands="forward", positions="free" * (network == "motif")
        or "auto", **QUICK,
    )  # fmt: skip
    model = train(sequences(), options)
    weight = model.network.filters.weight.detach()
    assert torch.equal(weight[:3], pwm_weights(written(path), weight.shape[-1])) == frozen
    assert model.record.options["fixed_filters"] == 3


def test_only_the_fixed_filters_are_held():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = create("residual", in_channels=2, outputs=1, height=12, width=14, stem=6, widths=(5,))
    before = network.filters.weight.detach().clone()
    with placed(network, ["sobel"], alphabet=None, frozen=True, called="residual") as held:
        assert held == 2
        network(torch.randn(3, 2, 12, 14)).sum().backward()
        gradient = network.filters.parametrizations.weight.original.grad
        assert not gradient[:2].any() and gradient[2:].any()
    assert torch.equal(network.filters.weight[2:], before[2:])
    with placed(network, [], alphabet=None, frozen=False, called="residual") as held:
        assert held == 0


def test_the_layer_is_plain_again_after_an_error():
    network = create("residual", in_channels=1, outputs=1, height=12, width=14)
    with (
        pytest.raises(KeyboardInterrupt, match="^$"),
        placed(network, ["sobel"], alphabet=None, frozen=True, called="residual"),
    ):
        raise KeyboardInterrupt
    assert type(network.filters) is torch.nn.Conv2d


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, said", [
    ({"filters": ("sobl",)}, r"--filters: 'sobl' is not one of moving_average.*did you mean 'sobel'"),
    ({"frozen": True}, r"--frozen: there is nothing to freeze; name filters with --filters"),
])  # fmt: skip
def test_options_are_refused_at_once(options, said):
    with pytest.raises(OptionError, match=said):
        TrainOptions(**options)


def test_filters_that_do_not_suit_are_refused(tmp_path):
    path = str(meme(tmp_path / "m.meme", PWMS))
    many = tuple(["sobel"] * 9)  # 18 filters
    for data, network, filters, said in (
        (pictures(), "residual", (path,), r"m.meme: motifs belong to sequences; pass one of moving_average, gaussian"),
        (sequences(), "deepbind", ("sobel",), r"--filters sobel: belongs to pictures and series; pass a MEME file"),
        (series(), "residual", ("sobel",), r"--filters sobel: belongs to pictures; these records are series"),
        (pictures(), "residual", many, r"--filters: 18 filters, but the first layer of residual has 16; pass fewer"),
        (pictures(), "rocket", ("sobel",), r"--filters: the rocket network is fitted at once"),
        (sequences(), "kmer", (path,), r"--filters: the kmer network is fitted at once.*--network motif"),
        (sequences(60, PROTEIN), "deepbind", (path,), r"m.meme: motifs of dna; the records are protein"),
    ):
        with pytest.raises(OptionError, match=said) as caught:
            train(data, TrainOptions(network=network, filters=filters, **QUICK))
        assert "\n" not in str(caught.value)
    wide = str(meme(tmp_path / "wide.meme", [RNG.dirichlet([1] * 4, 40)]))
    with pytest.raises(OptionError, match=r"wide.meme: motif 'm0' has 40 positions, the filters \d+; pass --network"):
        train(sequences(), TrainOptions(network="deepbind", filters=(wide,), **QUICK))
    with pytest.raises(InputFileError, match=r"m.mem: no such file \(did you mean 'm.meme'\?\)"):
        train(sequences(), TrainOptions(network="deepbind", filters=(str(tmp_path / "m.mem"),), **QUICK))
    (tmp_path / "bad.meme").write_text("MEME version 4\n")
    with pytest.raises(FormatError, match=r"bad.meme"):
        train(sequences(), TrainOptions(network="deepbind", filters=(str(tmp_path / "bad.meme"),), **QUICK))
