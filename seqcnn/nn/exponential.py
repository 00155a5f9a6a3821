"""The exponential as an activation: it keeps only a filter's best sites (Koo and Ploenzke 2021)."""

from typing import Any

import torch
from torch import Tensor, nn


class Exponential(nn.Module):
    """``exp(x)``; after batch norm it makes first-layer filters look like motifs.

    Attribution tools have no rule for it. As a function of one variable it takes DeepLIFT's rescale rule, which is
    `rescale` here: ``deep_lift_shap(..., additional_nonlinear_ops={Exponential: rescale})``.

    References
    ----------
    Koo, Ploenzke. Nature Machine Intelligence 3:258 (2021). doi:10.1038/s42256-020-00291-x

    Examples
    --------
    >>> Exponential()(torch.tensor([0.0, 1.0])).round(decimals=3).tolist()
    [1.0, 2.7179999351501465]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the exponential of each value."""
        return torch.exp(x)


def rescale(module: Any, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]) -> tuple[Tensor]:
    """Return DeepLIFT multipliers of a function of one variable: its change over that of its input.

    In the convention of tangermeme and captum: records and references are the two halves of a batch, and
    ``module.input`` and ``module.output`` are what the layer last saw and gave.

    References
    ----------
    Shrikumar, Greenside, Kundaje. ICML (2017). arXiv:1704.02685
    """
    inputs, references = module.input.chunk(2)
    outputs, reference_outputs = module.output.chunk(2)
    change = torch.cat([inputs - references] * 2)
    ratio = torch.cat([outputs - reference_outputs] * 2) / torch.where(change == 0, 1, change)
    return (torch.where(change.abs() < 1e-6, grad_input[0], grad_output[0] * ratio),)
