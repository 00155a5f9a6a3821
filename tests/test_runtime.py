"""Device, threads, seeds and versions; the caller's state is put back."""

import pytest
import torch

from seqcnn.errors import OptionError
from seqcnn.runtime import cpus, flushed_denormals, pick_device, seeded, threads, versions


def test_device_names() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "-1", "tpu0"])
def test_a_wrong_device_name_is_said(name: str) -> None:
    with pytest.raises(OptionError, match=f"found '{name}'"):
        pick_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize("name", ["cuda", "cuda:1", "0"])
def test_an_absent_gpu_is_said(name: str) -> None:
    with pytest.raises(OptionError, match=f"--device {name}: .*finds no GPU.*pass cpu or auto"):
        pick_device(name)


def test_a_gpu_number_beyond_the_last_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("1") == torch.device("cuda", 1)
    with pytest.raises(OptionError, match=r"has 2 GPU\(s\)"):
        pick_device("2")


def test_seeds_are_the_blocks_own() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(11):
        inside = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(11):
        assert torch.equal(torch.rand(3), inside)


def test_threads_and_denormals_are_put_back() -> None:
    before = torch.get_num_threads()
    tiny = torch.tensor(1e-310, dtype=torch.float64)
    with threads(3), flushed_denormals():
        assert torch.get_num_threads() == 3
        assert (tiny * 1).item() == 0
    assert torch.get_num_threads() == before
    assert (tiny * 1).item() > 0


def test_versions_name_what_decides_the_figures() -> None:
    assert {"python", "torch", "numpy", "platform"} <= versions().keys()
    assert cpus() >= 1
