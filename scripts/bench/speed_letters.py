"""Rows of the table of speeds on small jobs: letters to one-hot, sites of motifs, series as pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from contest import Contest, Ratio, Setting, fastest
from speed_models import letters_of, random_codes, tangermeme

from seqcnn.alphabet import DNA
from seqcnn.encode.encoder import create
from seqcnn.encode.onehot import OneHot
from seqcnn.motif import with_pseudocount
from seqcnn.motifs.jaspar import jaspar
from seqcnn.motifs.sites import find_sites
from seqcnn.sequence import Sequences, encode


def letters(setting: Setting) -> Iterator[Contest]:
    """Strings in memory to what a network reads: codes or one-hot floats of ours, one-hot bytes of theirs."""
    import seqpro
    from tangermeme.utils import one_hot_encode

    codes = random_codes(setting.size(10_000, 20), 500)
    texts, encoder = letters_of(codes), OneHot("dna")

    def to_codes() -> Sequences:
        return Sequences.from_codes([encode(text, DNA) for text in texts])

    def ours() -> np.ndarray:
        read, parts = to_codes(), []
        for rows in np.array_split(np.arange(len(read)), max(1, len(read) // 64)):
            batch = encoder(torch.from_numpy(read.rectangle(rows)[0]))
            parts.append(batch[-1:, :, 0])
        return torch.cat(parts)[-1:].numpy()

    def theirs() -> np.ndarray:
        return torch.stack([one_hot_encode(text) for text in texts])[-1:].numpy()

    def others() -> np.ndarray:
        return seqpro.ohe(texts, seqpro.DNA)[-1:].transpose(0, 2, 1)

    a, b, c, d = "ours, codes", "ours, one-hot float32", f"{tangermeme()}, int8", f"seqpro {version('seqpro')}, uint8"
    sides: dict[str, Callable[[], Any]] = {a: lambda: to_codes() and None, b: ours, c: theirs, d: others}
    ratios = tuple(Ratio(x, y) for x in (a, b) for y in (c, d))
    equal = f"{len(texts):,} strings of 500 bp in memory, to what the first layer reads"
    yield Contest("letters to numbers", equal, sides, ratios)


def sites(setting: Setting) -> Iterator[Contest]:
    """Sites of motifs on both strands."""
    from memelite import fimo

    # On shorter ones memelite's coarser p-values name other sites.
    motifs = [motif for motif in jaspar("vertebrates") if len(motif) >= 10][: setting.size(100, 3)]
    codes = random_codes(1, setting.size(1_000_000, 3000))
    images = np.eye(4, dtype=np.int8)[codes].transpose(0, 2, 1).copy()
    some = [with_pseudocount(motif) for motif in motifs]
    matrices = {str(i): matrix.T.copy() for i, matrix in enumerate(some)}

    def ours() -> np.ndarray:
        found = find_sites(motifs, [Sequences.from_codes(codes)])
        return np.bincount(found.motifs, minlength=len(motifs))

    def theirs() -> np.ndarray:
        return np.array([len(hits) for hits in fimo(matrices, images, threshold=1e-4)])

    equal = (
        f"{len(motifs)} JASPAR motifs, {codes.size:,} bp, both strands, p 1e-4, pseudocounts; compared: sites a motif"
    )
    a, b = "ours, with q-values", f"memelite {version('memelite')} FIMO"
    yield Contest("sites of motifs", equal, {a: ours, b: theirs}, (Ratio(a, b),))


def fields(setting: Setting) -> Iterator[Contest]:
    """Gramian angular and Markov transition fields, of made-up and of real series, each side in its best batches."""
    from pyts.image import GramianAngularField, MarkovTransitionField

    count = setting.size(500, 20)
    sets = {"made up": np.random.default_rng(0).normal(size=(count, 256)).cumsum(1).astype(np.float32)}
    real = setting.data / "ts_ucr" / "ArrowHead_TEST.tsv.gz"
    if real.exists() and not setting.tiny:
        sets["ArrowHead"] = np.loadtxt(real, delimiter="\t", dtype=np.float32)[:, 1:]
    for name, values in sets.items():
        raw, size = torch.from_numpy(values[:, None]), values.shape[1]
        pairs = {
            "gadf": (GramianAngularField(size, method="difference"), 8),
            "gasf": (GramianAngularField(size, method="summation"), None),
            "mtf": (MarkovTransitionField(size, n_bins=5, strategy="quantile"), None),
        }
        for kind, (maker, goal) in pairs.items():
            encoder = create(kind, variables=1, size=size)

            def ours(batch: int, encoder: torch.nn.Module = encoder, raw: torch.Tensor = raw) -> np.ndarray:
                with torch.no_grad():
                    return [encoder(part)[-1].clone() for part in raw.split(batch)][-1].numpy()

            def theirs(batch: int, maker: Any = maker, values: np.ndarray = values) -> np.ndarray:
                whole = range(0, len(values), batch)
                return [maker.fit_transform(values[i : i + batch])[-1:].copy() for i in whole][-1]

            sides = {f"ours, batch {batch}": partial(ours, batch) for batch in (16, 32, 64, len(values))}
            name_of = f"pyts {version('pyts')}"
            peers = {f"{name_of}, batch {batch}": partial(theirs, batch) for batch in (16, 32, 64)}
            peers[f"{name_of}, all at once"] = partial(theirs, len(values))
            a, b, whole = fastest(sides), fastest(peers), f"{name_of}, all at once"
            chosen = {a: sides[a], b: peers[b], whole: peers[whole]}
            shape = f"{len(values):,} x {size} to {size} x {size}, in memory"
            equal = f"{shape}; float32 series; theirs computes and answers in float64, ours in float32"
            goals = {b: goal if name == "made up" else None}
            ratios = tuple(Ratio(a, peer, goals.get(peer)) for peer in dict.fromkeys((b, whole)))
            yield Contest(f"{kind}, {name}", equal, chosen, ratios)
