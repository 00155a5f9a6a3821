"""Averaged weights: what a network learned over its last steps, which is steadier than where it stands."""

from copy import deepcopy

import torch
from torch import nn


class Average:
    """A copy of a network that follows it: every weight and running statistic is an exponential mean of the past.

    Parameters
    ----------
    network
        Trained elsewhere.
    steps
        Over how many steps the mean reaches; while fewer are done, over a tenth of them.

    References
    ----------
    Polyak, Juditsky. SIAM Journal on Control and Optimization 30:838 (1992). doi:10.1137/0330046

    Examples
    --------
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> average = Average(layer, 100)
    >>> _ = layer.weight.data.fill_(1.0)
    >>> for _ in range(500):
    ...     average.update()
    >>> bool((average.network.weight > 0.98).all())
    True
    """

    def __init__(self, network: nn.Module, steps: float) -> None:
        self.network = deepcopy(network).eval()
        self.steps, self.done = max(steps, 1.0), 0
        pairs = list(zip(self.network.state_dict().values(), network.state_dict().values(), strict=True))
        self.mean = [mine for mine, _ in pairs if mine.is_floating_point()]
        self.now = [theirs for mine, theirs in pairs if mine.is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Move a little towards where the network stands."""
        self.done += 1
        torch._foreach_lerp_(self.mean, self.now, max(1 / self.steps, 1 / (1 + self.done / 10)))
