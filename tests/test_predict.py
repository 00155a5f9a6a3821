"""Prediction does not depend on batches, order, threads or strand bookkeeping, and leaves the caller's things alone."""

import numpy as np
import pytest
import torch
from small_models import dna_model, letters, picture_model, protein_model
from torch import nn

from seqcnn.encode.onehot import OneHot
from seqcnn.errors import OutOfMemoryError, ShapeError
from seqcnn.inference import predict
from seqcnn.inference.local import locals_of
from seqcnn.inference.predict import frozen, predict_logits, still, stream_logits
from seqcnn.networks import create
from seqcnn.runtime import threads
from seqcnn.sequence import Sequences

MODEL = dna_model()
RAW = MODEL.raw(letters(23, 1, 90, alphabet="ACGTN"))


def plain(strands: str) -> np.ndarray:
    """One record at a time, straight through the modules."""
    out = []
    network = frozen(MODEL.network, torch.device("cpu"))
    with torch.inference_mode():
        for codes in RAW:
            batch = torch.from_numpy(codes.copy())[None]
            other = MODEL.encoder.reverse_complement(batch)
            both = [network(MODEL.encoder(b)) for b in ([batch, other] if strands == "both" else [batch])]
            out.append(torch.stack(both).mean(0)[0].numpy())
    return np.stack(out)


@pytest.mark.parametrize("strands", ["both", "forward"])
@pytest.mark.parametrize("batch_bytes", [1, 3000, None])
@pytest.mark.parametrize("workers", [1, 3])
def test_batches_and_threads_do_not_matter(
    strands: str, batch_bytes: int | None, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "_FEW", 0)
    with threads(workers):
        found = predict_logits(MODEL.encoder, MODEL.network, RAW, strands=strands, batch_bytes=batch_bytes)
        assert torch.get_num_threads() == workers
    np.testing.assert_allclose(found, plain(strands), atol=1e-5)


def test_order_does_not_matter() -> None:
    order = np.random.default_rng(2).permutation(len(RAW))
    found = predict_logits(MODEL.encoder, MODEL.network, RAW.take(order))
    np.testing.assert_allclose(found, predict_logits(MODEL.encoder, MODEL.network, RAW)[order], atol=1e-5)


def test_both_strands_score_alike() -> None:
    from seqcnn.sequence import Sequences, reverse_complement

    other = Sequences.from_codes([reverse_complement(codes, MODEL.alphabet) for codes in RAW])
    found, turned = (predict_logits(MODEL.encoder, MODEL.network, raw, strands="both") for raw in (RAW, other))
    np.testing.assert_allclose(found, turned, atol=1e-5)


def test_soft_masked_letters_score_as_upper_case() -> None:
    np.testing.assert_array_equal(MODEL.logits(["ACGTTGCATGCA"]), MODEL.logits(["acgttgcATGca"]))


def test_chunks_join_to_the_whole() -> None:
    parts = [RAW.take(range(5)), RAW.take([]), RAW.take(range(5, 23))]
    found = list(stream_logits(MODEL.encoder, MODEL.network, parts, strands="both"))
    assert [f.shape for f in found] == [(5, 1), (0, 1), (18, 1)]
    np.testing.assert_allclose(np.concatenate(found), plain("both"), atol=1e-5)


def test_pixels_and_proteins() -> None:
    pictures = picture_model()
    raw = np.random.default_rng(0).integers(0, 256, (3, 1, 13, 17), np.uint8)
    one = np.concatenate([predict_logits(pictures.encoder, pictures.network, raw[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(predict_logits(pictures.encoder, pictures.network, raw, batch_bytes=1), one, atol=1e-5)
    proteins = protein_model()
    assert proteins.logits(["MKTAY", "ACDEFGHIKLX*"]).shape == (2, 3)


def test_the_callers_things_stay_as_they_are() -> None:
    network, encoder = dna_model().network, OneHot("dna")
    network.train()
    network.drop = nn.Dropout(0.5).eval()
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    pointers = [p.data_ptr() for p in network.parameters()]
    codes = RAW.buffer.copy()
    torch.manual_seed(4)
    state = torch.get_rng_state()
    predict_logits(encoder, network, RAW, strands="both")
    assert torch.equal(torch.get_rng_state(), state)
    assert network.training
    assert encoder.training
    assert not network.drop.training
    assert [p.data_ptr() for p in network.parameters()] == pointers
    assert all(torch.equal(tensor, weights[name]) for name, tensor in network.state_dict().items())
    assert all(p.requires_grad for p in network.parameters() if p.ndim == 4)
    np.testing.assert_array_equal(RAW.buffer, codes)


def test_only_a_module_that_trains_is_copied() -> None:
    place, network = torch.device("cpu"), nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    assert still(network.eval(), place) is network
    network[1].train()
    copy = still(network, place)
    assert copy is not network and network[1].training and not any(part.training for part in copy.modules())
    assert copy[0].weight is network[0].weight


def test_a_little_work_is_done_on_the_callers_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("threads for a little work")

    with monkeypatch.context() as patch:
        patch.setattr(predict, "ThreadPoolExecutor", refuse)
        with threads(3):
            few = predict_logits(MODEL.encoder, MODEL.network, RAW, strands="both")
            assert torch.get_num_threads() == 3
        with pytest.raises(AssertionError, match="threads for a little work"):
            predict_logits(MODEL.encoder, MODEL.network, RAW.take(list(range(23)) * 200))
    monkeypatch.setattr(predict, "_FEW", 0)
    np.testing.assert_allclose(predict_logits(MODEL.encoder, MODEL.network, RAW, strands="both"), few, atol=1e-6)


def test_steps_are_made_once_and_in_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Norms are folded into convolutions before the work begins, not by each worker inside autocast."""
    made = []

    def noted(*modules: nn.Module) -> tuple[predict.Local, ...]:
        made.append(torch.is_autocast_enabled("cpu"))
        return locals_of(*modules)

    monkeypatch.setattr(predict, "locals_of", noted)
    network = create("motif", in_channels=4, outputs=1, width=None)
    raw = Sequences.from_codes(np.random.default_rng(3).integers(0, 4, (2100, 101)).astype(np.uint8))
    with threads(3):
        predict_logits(OneHot("dna"), network, raw, precision="bf16")
    assert made == [False]


@pytest.mark.parametrize("few", [0, 1000])
def test_an_error_reaches_the_caller(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "_FEW", few)
    model = dna_model(width=40)
    with pytest.raises(ShapeError, match="at most 40 columns, found 41"):
        predict_logits(model.encoder, model.network, model.raw(["A" * 41, "ACGT"]))
    with threads(2):
        assert torch.get_num_threads() == 2


class Conv1dNet(nn.Module):
    """A caller's own network: (N, C, L), no lengths, one output without its axis."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.dim() == 3
        return self.conv(x).relu().amax(2).sum(1)


def test_a_network_that_knows_no_lengths_sees_equal_ones_together() -> None:
    network = Conv1dNet()
    raw = MODEL.raw(letters(19, 3, 9))
    alone = np.concatenate([predict_logits(OneHot("dna"), network, raw.take([i])) for i in range(19)])
    np.testing.assert_allclose(predict_logits(OneHot("dna"), network, raw), alone, atol=1e-5)
    assert alone.shape == (19, 1)


class Hungry(nn.Module):
    """Runs out of memory above a number of records."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > self.most:
            raise torch.OutOfMemoryError("no memory left")
        return x.sum((1, 2))[:, None] * self.weight


def test_batches_that_do_not_fit_are_halved() -> None:
    raw = MODEL.raw(letters(11, 7, 7))
    np.testing.assert_allclose(predict_logits(OneHot("dna"), Hungry(2), raw), np.full((11, 1), 7), atol=1e-5)
    with pytest.raises(OutOfMemoryError, match="one record of length 7"):
        predict_logits(OneHot("dna"), Hungry(0), raw)


def test_batches_are_sized_by_the_width_that_records_are_padded_to() -> None:
    """A network that flattens reads short records at its own width: a batch of them is no longer than any other."""
    network = create("basset", in_channels=4, outputs=1, width=600)
    widest = max(m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d))
    seen: list[torch.Size] = []
    network.filters.register_forward_hook(lambda _module, inputs, _out: seen.append(inputs[0].shape))
    records = Sequences.from_codes([np.zeros(40, np.uint8)] * 95)
    predict_logits(OneHot("dna"), network, records, batch_bytes=4 * widest * 600 * 20)
    assert sum(shape[0] for shape in seen) == 95 and {shape[3] for shape in seen} == {600}
    assert max(shape[0] for shape in seen) == 20
