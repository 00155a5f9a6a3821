"""Convex fits against scikit-learn, and against the network that carries their weights."""

import warnings

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression, Ridge

from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.encode.onehot import OneHot
from seqcnn.encode.pixels import Pixels
from seqcnn.errors import OptionError
from seqcnn.kmers import default_ks, n_kmers, presence
from seqcnn.sequence import Sequences, encode
from seqcnn.tasks.binary import Binary
from seqcnn.tasks.multiclass import Multiclass
from seqcnn.tasks.multilabel import Multilabel
from seqcnn.tasks.regression import Regression
from seqcnn.training import convex

N = 240


@pytest.fixture(scope="module")
def records():
    """Return sequences of unequal lengths, and how many of each holds TATAAA or CCGG."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), rng.integers(3, 41))) for _ in range(N)]
    texts = [t + "TATAAA" if i % 3 == 0 else t + "CCGGN" if i % 3 == 1 else t for i, t in enumerate(texts)]
    return Sequences.from_codes([encode(t, DNA) for t in texts]), np.arange(N) % 3


def logits(network, sequences, alphabet="dna"):
    codes, lengths = sequences.rectangle()
    with torch.no_grad():
        return network(OneHot(alphabet)(torch.from_numpy(codes)), torch.from_numpy(lengths)).numpy()


def matrix(sequences, canonical):
    ks = default_ks(DNA)
    indptr, columns = presence(sequences, ks, DNA, canonical=canonical)
    return csr_matrix((np.ones(len(columns)), columns, indptr), (N, sum(n_kmers(k, DNA, canonical) for k in ks)))


@pytest.fixture
def exact(monkeypatch):
    monkeypatch.setattr(convex, "_TOLERANCE", 1e-5)
    monkeypatch.setattr(convex, "_SMALLEST", 1e-7)


@pytest.mark.parametrize("strands", ["both", "forward"])
def test_binary_is_the_logistic_regression_of_scikit_learn(records, exact, strands):
    sequences, kinds = records
    targets = (kinds == 0).astype(float)[:, None]
    task = Binary.fit(("no", "yes"), targets)
    fitted = convex.fit_kmer(sequences, targets, task=task, alphabet=DNA, strands=strands)
    assert fitted.choice["canonical"] == (strands == "both")
    x = matrix(sequences, strands == "both")
    reference = LogisticRegression(C=fitted.choice["C"], tol=1e-8, max_iter=5000).fit(x, targets[:, 0])
    np.testing.assert_allclose(logits(fitted.network, sequences)[:, 0], reference.decision_function(x), atol=0.02)


def test_the_network_equals_the_sparse_linear_model(records):
    sequences, kinds = records
    targets = (kinds == 0).astype(float)[:, None]
    network = convex.fit_kmer(sequences, targets, task=Binary.fit(("no", "yes"), targets), alphabet=DNA).network
    weight, bias = network.weight.detach().numpy(), network.bias.detach().numpy()
    np.testing.assert_allclose(logits(network, sequences), matrix(sequences, True) @ weight + bias, atol=1e-4)


def test_multiclass_is_the_softmax_regression_of_scikit_learn(records, exact):
    sequences, kinds = records
    targets = kinds.astype(float)[:, None]
    task = Multiclass.fit(("a", "b", "c"), targets)
    fitted = convex.fit_kmer(sequences, targets, task=task, alphabet=DNA, strands="forward")
    x = matrix(sequences, False)
    reference = LogisticRegression(C=fitted.choice["C"], tol=1e-8, max_iter=5000).fit(x, kinds)
    found = torch.from_numpy(logits(fitted.network, sequences)).softmax(1).numpy()
    np.testing.assert_allclose(found, reference.predict_proba(x), atol=1e-3)
    assert fitted.choice["held_out"]["accuracy"] > 0.8


def test_regression_is_the_ridge_of_scikit_learn(records, exact):
    sequences, kinds = records
    rng = np.random.default_rng(1)
    targets = np.stack([kinds * 2.0 + rng.normal(0, 0.3, N), rng.normal(5, 2, N)], 1)
    task = Regression.fit(("dose", "noise"), targets)
    fitted = convex.fit_kmer(sequences, targets, task=task, alphabet=DNA)
    x = matrix(sequences, True)
    encoded = task.encode(targets).astype(float)
    reference = Ridge(alpha=1 / fitted.choice["C"], tol=1e-10, solver="lsqr").fit(x, encoded)
    np.testing.assert_allclose(logits(fitted.network, sequences), reference.predict(x), atol=3e-3)


def test_labels_are_fitted_one_by_one_without_their_missing_values(records, exact):
    sequences, kinds = records
    targets = np.stack([kinds == 0, kinds == 1], 1).astype(float)
    targets[::5, 0] = np.nan
    task = Multilabel.fit(("a", "b"), targets)
    fitted = convex.fit_kmer(sequences, targets, task=task, alphabet=DNA)
    x, known = matrix(sequences, True), ~np.isnan(targets[:, 0])
    reference = LogisticRegression(C=fitted.choice["C"], tol=1e-8, max_iter=5000).fit(x[known], targets[known, 0])
    np.testing.assert_allclose(logits(fitted.network, sequences)[:, 0], reference.decision_function(x), atol=0.02)


def test_composition_finds_gc_and_length():
    rng = np.random.default_rng(2)
    targets = np.arange(N)[:, None] % 2.0
    task = Binary.fit(("no", "yes"), targets)
    at = [[0.4, 0.1, 0.1, 0.4], [0.25] * 4]
    sequences = Sequences.from_codes([rng.choice(4, 50, p=at[i % 2]).astype(np.uint8) for i in range(N)])
    fitted = convex.fit_composition(sequences, targets, task=task, encoder=OneHot("dna"))
    assert fitted.choice["features"] == "gc"
    assert fitted.choice["held_out"]["auroc"] > 0.95
    gc = np.array([np.isin(s, [1, 2]).mean() for s in sequences])
    assert np.corrcoef(logits(fitted.network, sequences)[:, 0], gc)[0, 1] == pytest.approx(1, abs=1e-4)
    protein = Sequences.from_codes([rng.integers(0, 20, 20 + 30 * (i % 2)).astype(np.uint8) for i in range(N)])
    fitted = convex.fit_composition(protein, targets, task=task, encoder=OneHot("protein"))
    assert fitted.choice["features"] == "residues"
    assert fitted.choice["held_out"]["auroc"] == 1


def test_composition_of_pictures_is_their_color():
    rng = np.random.default_rng(3)
    targets = np.arange(N)[:, None] % 3.0
    raw = rng.integers(0, 100, (N, 3, 5, 7), dtype=np.uint8)
    raw[np.arange(N), np.arange(N) % 3] += 40
    task = Multiclass.fit(("red", "green", "blue"), targets)
    fitted = convex.fit_composition(raw, targets, task=task, encoder=Pixels.fit(raw))
    assert fitted.choice["features"] == "means"
    assert fitted.choice["held_out"]["accuracy"] > 0.95


def test_a_balanced_feature_is_no_trouble():
    """GC is exactly equal in both classes when every negative is a shuffle: the first gradient is zero."""
    rng = np.random.default_rng(4)
    half = [rng.integers(0, 4, 30).astype(np.uint8) for _ in range(N // 2)]
    sequences = Sequences.from_codes(half + [rng.permutation(s) for s in half])
    targets = np.repeat([1.0, 0.0], N // 2)[:, None]
    groups = np.tile(np.arange(N // 2), 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = convex.fit_composition(
            sequences, targets, task=Binary.fit(("no", "yes"), targets), encoder=OneHot("dna"), groups=groups
        )
    assert np.abs(logits(fitted.network, sequences)).max() < 0.5


def test_groups_share_a_fold_and_classes_are_spread():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, (N, 1)).astype(float)
    groups = rng.integers(0, 60, N)
    fold = convex._folds(y, groups, "logistic", rng)
    assert all(len(set(fold[groups == g])) == 1 for g in set(groups))
    alone = convex._folds(y, None, "logistic", rng)
    shares = [y[alone == f].mean() for f in range(5)]
    assert max(shares) - min(shares) < 0.05


def test_large_data_are_sampled_and_it_is_said(records, monkeypatch):
    sequences, kinds = records
    monkeypatch.setattr(convex, "CV_RECORDS", 100)
    monkeypatch.setattr(convex, "FIT_LETTERS", 4000)
    targets = (kinds == 0).astype(float)[:, None]
    fitted = convex.fit_kmer(sequences, targets, task=Binary.fit(("no", "yes"), targets), alphabet=DNA)
    assert fitted.choice["records"] == 100
    assert "drawn at random" in fitted.notes[0]
    assert "on 100 of" in fitted.notes[1]


def test_the_same_seed_gives_the_same_fit(records):
    sequences, kinds = records
    targets = (kinds == 1).astype(float)[:, None]
    task = Binary.fit(("no", "yes"), targets)
    first, second = (convex.fit_kmer(sequences, targets, task=task, alphabet=DNA, seed=3) for _ in range(2))
    assert first.choice == second.choice
    assert torch.equal(first.network.weight, second.network.weight)


def test_an_unknown_task_is_refused(records):
    class Odd(Binary):
        name = "odd"

    targets = np.zeros((N, 1))
    targets[::2] = 1
    with pytest.raises(OptionError, match="no convex fit is known for task 'odd'"):
        convex.fit_kmer(records[0], targets, task=Odd.fit(("no", "yes"), targets), alphabet=DNA)


def test_proteins_use_short_words():
    rng = np.random.default_rng(6)
    targets = np.arange(N)[:, None] % 2.0
    texts = ["".join(rng.choice(list("ACDEFGHIK"), 30)) + ("WYW" if i % 2 else "") for i in range(N)]
    sequences = Sequences.from_codes([encode(t, PROTEIN) for t in texts])
    fitted = convex.fit_kmer(sequences, targets, task=Binary.fit(("no", "yes"), targets), alphabet=PROTEIN)
    assert (fitted.choice["ks"], fitted.choice["canonical"]) == ([1, 2, 3, 4], False)
    assert fitted.choice["held_out"]["auroc"] > 0.95
    assert ((logits(fitted.network, sequences, "protein") > 0) == targets).mean() > 0.95
