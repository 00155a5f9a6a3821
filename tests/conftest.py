"""What all tests share: few threads, no network address, the example data, the real data beside the checkout."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

TOP = Path(__file__).resolve().parent.parent
REAL_DATA = TOP.parent / "shared" / "data"
#: Files of tests that take longest.
LONG = ("test_bench", "test_readme", "test_teaching")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests come first, so that no worker is left with one of them at the end."""
    items.sort(key=lambda item: not item.path.name.startswith(LONG))


@pytest.fixture(autouse=True, scope="session")
def _few_threads() -> None:
    """Tests run beside each other, so each takes one thread."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


@pytest.fixture(scope="session")
def examples() -> Path:
    """Folder of the tiny samples, one of each input kind."""
    return TOP / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real data beside the checkout; the test skips where there is none."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real data are not beside this checkout")
    return REAL_DATA


@pytest.fixture
def few_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Motif networks have 24 filters where none are asked for: each costs time in training and to weigh its motif."""
    from seqcnn.networks.motif import Motif

    monkeypatch.setitem(Motif.__init__.__kwdefaults__, "filters", 24)
