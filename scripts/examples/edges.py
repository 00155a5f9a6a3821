"""Edges of a photograph by fixed filters, as it is and smoothed first.

Usage: python scripts/examples/edges.py PHOTO [-o edges.png] [--sigma 2]

Above: Roberts, Prewitt and Sobel, and the Laplacian, see every grain. Below: the derivative of a Gaussian, the
Laplacian of a Gaussian, and where that crosses zero, smooth and differentiate in one go.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from seqcnn.errors import SeqcnnError
from seqcnn.io.pictures import read_picture
from seqcnn.io.writing import atomic
from seqcnn.nn.kernels import (
    filtered,
    gaussian,
    gaussian_gradient,
    gradient,
    laplacian,
    laplacian_of_gaussian,
    prewitt,
    roberts,
    sobel,
    zero_crossings,
)
from seqcnn.plot.canvas import figure


def maps(photo: torch.Tensor, sigma: float) -> dict[str, torch.Tensor]:
    """Return the pictures to show by their titles; `photo` is ``(H, W)`` from 0 to 1."""
    log = filtered(photo, laplacian_of_gaussian(sigma))
    smooth = gradient(photo, gaussian_gradient(sigma))
    return {
        "as given": photo,
        "Roberts": gradient(photo, roberts()).magnitude,
        "Prewitt": gradient(photo, prewitt()).magnitude,
        "Sobel": gradient(photo, sobel()).magnitude,
        "Laplacian": filtered(photo, laplacian()).abs(),
        f"Gaussian, σ = {sigma:g}": filtered(photo, gaussian(sigma)),
        "derivative of Gaussian": smooth.magnitude,
        "its direction, where steep": torch.where(
            smooth.magnitude > smooth.magnitude.quantile(0.8), smooth.direction, torch.nan
        ),
        "Laplacian of Gaussian": log.abs(),
        "its zero crossings": zero_crossings(log, threshold=float(log.std())).float(),
    }


def main() -> None:
    """Draw the edges of one photograph."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photo", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("edges.png"), help="picture to write")
    parser.add_argument("--sigma", type=float, default=2.0, help="width of the Gaussian in pixels")
    options = parser.parse_args()
    try:
        photo = torch.from_numpy(read_picture(options.photo)).float().mean(0)
        found = maps(photo / photo.max().clamp(min=1), options.sigma)
        fig, axes = figure(1240, 2 * 250 * photo.shape[0] / photo.shape[1] + 60, rows=2, columns=5)
        for ax, (title, values) in zip(axes, found.items(), strict=True):
            turning = "direction" in title
            top = None if turning else float(values.quantile(0.995)) or 1.0
            dark = title not in ("as given",) and not title.startswith("Gaussian") and not turning
            ax.imshow(
                values,
                cmap="twilight" if turning else "gray_r" if dark else "gray",
                vmin=None if turning else 0,
                vmax=top,
            )
            ax.set_title(title)
            ax.set_axis_off()
        with atomic(options.out, "wb") as stream:
            fig.savefig(stream, dpi=110, format=options.out.suffix[1:] or "png")
    except SeqcnnError as error:
        raise SystemExit(f"edges: {error}") from None
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
