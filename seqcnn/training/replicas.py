"""Replicas: copies of a network that share its weights, one a CPU thread, each with a part of every batch."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import torch
from torch import Tensor, nn

from seqcnn.runtime import compute_alone, cpus

#: What returns the loss of one part of a batch by a network, as its share of the whole.
Loss = Callable[[nn.Module], Tensor]
#: Most replicas: with more, the parts of a batch get too small for their norms.
_MOST = 4


def workers(network: nn.Module, place: torch.device) -> int:
    """Return how many replicas train a network: one a CPU, if nothing in it draws random numbers.

    The threads of one convolution's backward pass spin while they wait for each other; replicas wait for nothing, and
    two of them are 1.8 times as fast as one. Dropout would draw from one generator in an order that changes.
    """
    random = any(isinstance(m, nn.Dropout) and m.p > 0 for m in network.modules())
    if place.type != "cpu" or random or os.environ.get("OMP_NUM_THREADS"):
        return 1
    return max(1, min(_MOST, cpus()))


class Replicas:
    """A network and its copies, which hold the very same parameters and running statistics of their own.

    Each normalizes its part of a batch by the statistics of that part alone.

    Parameters
    ----------
    network
        Trained in place.
    count
        With the network itself.
    """

    def __init__(self, network: nn.Module, count: int) -> None:
        self.networks = [network, *(self._copy(network) for _ in range(count - 1))]
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.pool = ThreadPoolExecutor(count, initializer=compute_alone)
        self.busy = 1  # replicas that have had a loss since `train`

    @staticmethod
    def _copy(network: nn.Module) -> nn.Module:
        shared = {id(p): p for p in network.parameters()}
        return deepcopy(network, shared)

    def step(self, losses: Sequence[Loss]) -> Tensor:
        """Leave the gradients of the sum of the losses in the parameters, and return the sum.

        Loss i is computed by replica ``i % count``, and gradients are added in that order: the same every time.
        """
        count = len(self.networks)
        if count == 1:
            loss, gradients = self._gradients(self.networks[0], losses)
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.grad = _laid_out(gradient, parameter)
            return loss
        shares = [losses[i::count] for i in range(count)]
        waiting = [
            self.pool.submit(self._gradients, network, share)
            for network, share in zip(self.networks, shares, strict=True)
            if share
        ]
        found = [work.result() for work in waiting]
        self.busy = max(self.busy, len(found))
        for parameter, *gradients in zip(self.parameters, *(g for _, g in found), strict=True):
            known = [g for g in gradients if g is not None]
            parameter.grad = _laid_out(sum(known[1:], known[0]) if known else None, parameter)
        return torch.stack([loss for loss, _ in found]).sum()

    def _gradients(self, network: nn.Module, losses: Sequence[Loss]) -> tuple[Tensor, list[Tensor | None]]:
        with torch.enable_grad():
            total = torch.zeros(())
            gradients: list[Tensor | None] = [None] * len(self.parameters)
            for part in losses:
                loss = part(network)
                new = torch.autograd.grad(loss, self.parameters, allow_unused=True)
                gradients = [b if a is None else a if b is None else a + b for a, b in zip(gradients, new, strict=True)]
                total = total + loss.detach()
        return total, gradients

    def train(self) -> None:
        """Put all in training mode, with the running statistics of the network."""
        for replica in self.networks[1:]:
            for mine, theirs in zip(replica.buffers(), self.networks[0].buffers(), strict=True):
                mine.copy_(theirs)
        for network in self.networks:
            network.train()
        self.busy = 1

    @torch.no_grad()
    def settle(self) -> None:
        """Give the network the mean of the running statistics of all that had a loss."""
        for buffers in zip(*(network.buffers() for network in self.networks[: self.busy]), strict=True):
            if buffers[0].is_floating_point():
                buffers[0].copy_(torch.stack(buffers).mean(0))

    def close(self) -> None:
        """End the threads."""
        self.pool.shutdown(cancel_futures=True)


def _laid_out(gradient: Tensor | None, parameter: Tensor) -> Tensor | None:
    """Return a gradient in the layout of its parameter: fused optimizers go through both as they lie in memory."""
    if gradient is None or gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)
