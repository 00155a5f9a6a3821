"""The examples of CONTRIBUTING: each is a file that works as it stands, once it is registered."""

import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import test_augmentation
import test_encode
import test_tasks

import seqcnn
from seqcnn.registry import REGISTRY, Entry
from seqcnn.tasks import fit_task

TOP = Path(__file__).resolve().parent.parent
BLOCKS = re.findall(r"```python\n(.*?)```", (TOP / ".github" / "CONTRIBUTING.md").read_text("utf-8"), re.S)
EXAMPLES = {
    "encoder": ("slopes", "Slopes"), "task": ("absolute", "Absolute"), "augmentation": ("backwards", "Backwards"),
}  # fmt: skip


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(BLOCKS) == len(EXAMPLES)
    for block, (kind, (name, object_)) in zip(BLOCKS, EXAMPLES.items(), strict=True):
        (tmp_path / f"own_{name}.py").write_text(textwrap.dedent(block))
        monkeypatch.delitem(sys.modules, f"own_{name}", raising=False)
        monkeypatch.setitem(REGISTRY[kind], name, Entry(f"own_{name}:{object_}", "an example"))
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("registered")
def test_each_keeps_its_contract() -> None:
    test_encode.test_every_encoder_keeps_the_protocol("slopes")
    test_encode.test_a_record_gives_the_same_image_alone_and_beside_longer_ones("slopes")
    test_augmentation.test_every_augmentation_keeps_its_input_and_follows_the_generator("backwards", "samples")
    test_augmentation.test_strength_zero_changes_nothing("backwards", "samples")
    labels, targets = test_tasks.EXAMPLES["regression"]
    targets = targets.copy()
    targets[4, 0] = np.nan
    task = fit_task("absolute", labels, targets)
    example = task, targets, np.random.default_rng(1).normal(size=(len(targets), task.outputs)).astype(np.float32)
    test_tasks.test_a_task_survives_json(example)
    test_tasks.test_loss_takes_logits_and_masks_missing_targets(example)


@pytest.mark.usefixtures("registered")
def test_the_verbs_take_them(tmp_path: Path) -> None:
    data = seqcnn.read(TOP / "data" / "waves.tsv", input="slopes")
    quick = {"epochs": 2, "folds": 0, "baselines": False, "progress": False}
    model = seqcnn.train(data, augment=("backwards",), **quick)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(seqcnn.load(tmp_path / "m.safetensors").predict(data), model.predict(data))
    table = seqcnn.read(TOP / "data" / "expression.csv", target="expression", task="absolute")
    assert "spearman" in seqcnn.evaluate(seqcnn.train(table, **quick), table).metrics
