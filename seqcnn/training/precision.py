"""The precision of training: bf16 where it pays."""

import torch

from seqcnn.errors import OptionError


def pick_precision(name: str, device: torch.device) -> str:
    """Return ``32`` or ``bf16`` for ``auto``, ``32`` or ``bf16``.

    ``auto`` takes bf16 only where the machine computes in it: a CPU with AVX512-bf16 or AMX, a GPU since Ampere.
    Elsewhere it is emulated, and slower.

    Raises
    ------
    OptionError
        For bf16 on a GPU that lacks it.
    """
    if device.type == "cuda":
        fit = torch.cuda.get_device_capability(device)[0] >= 8
        if name == "bf16" and not fit:
            name = torch.cuda.get_device_name(device)
            raise OptionError(f"--precision bf16: {name} does not compute in bf16; pass 32")
    else:
        fit = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    if name == "auto":
        return "bf16" if fit else "32"
    return name
