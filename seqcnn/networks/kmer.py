"""The k-mer baseline: a linear map of which k-mers a record holds."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.errors import OptionError
from seqcnn.kmers import default_ks, indices, n_kmers
from seqcnn.networks.network import Network


class Kmer(Network):
    """Presence of each k-mer, once however often it occurs, times a weight.

    K-mers that hold an ambiguous letter are skipped. The input is the one-hot image, as for every network; the k-mers
    are read off it, so there is no gradient back to the image.

    Parameters
    ----------
    ks
        Lengths of the k-mers; by default 4 to 8, for proteins 1 to 4.
    canonical
        Count a k-mer and its reverse complement as one; only for four letters.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        outputs: int,
        height: int = 1,
        width: int | None = None,
        ks: Sequence[int] | None = None,
        canonical: bool = False,
    ) -> None:
        letters = in_channels if height == 1 else height if in_channels == 1 else 0
        if letters not in (DNA.size, PROTEIN.size):
            raise OptionError(
                f"kmer: expected a one-hot image of {DNA.size} or {PROTEIN.size} letters, found {in_channels} channels "
                f"of height {height}"
            )
        if canonical and letters != DNA.size:
            raise OptionError("kmer: proteins have no reverse complement; pass canonical=False")
        alphabet = DNA if letters == DNA.size else PROTEIN  # RNA has the same indices
        if ks is None:
            ks = default_ks(alphabet)
        super().__init__(
            in_channels=in_channels, outputs=outputs, height=height, width=width, ks=list(ks), canonical=canonical
        )
        self.letters, self.ks = letters, tuple(ks)
        start = 0
        for k in self.ks:
            table = torch.from_numpy(indices(k, alphabet, canonical)).long() + start
            self.register_buffer(f"table{k}", table, persistent=False)
            start += n_kmers(k, alphabet, canonical)
        self.weight = nn.Parameter(torch.zeros(start, outputs))  # (features, K)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        x = gathered.squeeze(2) if self.height == 1 else gathered.squeeze(1)  # (N, A, L)
        share, letter = x.max(1)
        known = share > 1 - 1e-3  # padding, gaps and ambiguous letters are not
        total = x.new_zeros(x.shape[0], self.outputs)
        for k in self.ks:
            places = x.shape[2] - k + 1
            if places < 1:
                continue
            code = letter.new_zeros(x.shape[0], places)
            whole = known.new_ones(x.shape[0], places)
            for j in range(k):
                code = code * self.letters + letter[:, j : j + places]
                whole = whole & known[:, j : j + places]
            table: Tensor = getattr(self, f"table{k}")
            found = torch.where(whole, table[code], -1).sort(1).values  # (N, places)
            fresh = found >= 0
            fresh[:, 1:] &= found[:, 1:] != found[:, :-1]
            total = total + (self.weight[found.clamp(min=0)] * fresh[:, :, None]).sum(1)
        return total

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        return z + self.bias
