"""Inheritance: a student starts as the best of its teachers, and takes the filters that matter to the others."""

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor

from seqcnn.data.batches import rectangle
from seqcnn.encode.encoder import Encoder
from seqcnn.networks.motif import Motif
from seqcnn.sequence import Sequences

#: A filter matters if what it does to the answers is more than this share of what the network's strongest filter does.
MATTERS = 0.05
#: Fewest filters of a student; records, and letters, on which filters are judged at most.
FEWEST, JUDGED, _LETTERS = 16, 400, 200_000


def inherit(networks: Sequence[Motif], best: int, encoder: Encoder, raw: Sequences) -> Motif:
    """Return a network that begins as the best one, with the filters that matter to any.

    Most of a network's first filters never become a motif. A student that starts from nothing would have to find again
    what took its teachers all their steps; and each of them finds motifs that others missed.

    Parameters
    ----------
    networks
        Of one design.
    best
        Whose company of motifs the student begins with.
    encoder, raw
        Of the training records.
    """
    effects = [filter_effects(network, encoder, raw) for network in networks]
    ranked = [
        (float(effect), i, f)
        for i, found in enumerate(effects)
        for f, effect in enumerate(found / found.max().clamp(min=1e-30))
    ]
    most = networks[best].filters.out_channels
    count = max(min(FEWEST, most), min(most, sum(effect > MATTERS for effect, _, _ in ranked)))
    ranked.sort(key=lambda one: (one[0] <= MATTERS, one[1] != best, -one[0]))
    return networks[best].regrown([(networks[i], f) for _, i, f in ranked[:count]])


def filter_effects(network: Motif, encoder: Encoder, raw: Sequences) -> Tensor:
    """Return how much each filter's departures from its mean move the logits, ``(F,)``: their spread over records.

    To first order, from one pass forward and one back for each output.

    References
    ----------
    Molchanov, Mallya, Tyree, Frosio, Kautz. Importance estimation for neural network pruning. CVPR (2019).

    Examples
    --------
    >>> from seqcnn.encode.onehot import OneHot
    >>> some = Sequences.from_codes([np.arange(60, dtype=np.uint8) % 4 for _ in range(3)])
    >>> filter_effects(Motif(in_channels=4, outputs=1, filters=5), OneHot("dna"), some).shape
    torch.Size([5])
    """
    network = deepcopy(network).float().eval().requires_grad_(False)
    place = network.filters.weight.device
    few = max(1, min(JUDGED, _LETTERS // int(raw.lengths.max(initial=1))))
    codes, lengths = rectangle(raw, np.sort(np.random.default_rng(0).permutation(len(raw))[:few]))
    x, columns = network.prepare(*encoder.image(codes.to(place), lengths.to(place)))
    maps = network.first(x, columns).requires_grad_(True)  # (n, F, 1, cells)
    gap = (maps - maps.mean((0, 2, 3), keepdim=True)).detach()
    with torch.enable_grad():
        logits = network.head(network.rest(network.gathered(maps, columns), columns))
        gradients = [torch.autograd.grad(one.sum(), maps, retain_graph=True)[0] for one in logits.unbind(1)]
    moved = torch.stack([(gap * gradient).sum((2, 3)) for gradient in gradients], 1)  # (n, K, F)
    return moved.var(0, correction=0).sum(0).sqrt()
