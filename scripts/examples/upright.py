"""Turn rotated photographs upright: crops at random angles, a network that tells the angle, pictures put right.

Usage: python scripts/examples/upright.py PHOTOS -o FOLDER [--crops 300] [--apart] [--seed 0]

PHOTOS is a folder of photographs. Crops are squares of 0.4 of the shorter side, at random places and angles; those to
test on are others of the same photographs, which may show what a training crop shows. With --apart they do not: crops
to train on are cut from the left half of each photograph, crops to test on from the right half, and both are smaller.
FOLDER gets the crops, train.csv and test.csv, the model, and upright.png.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image

#: Side of a crop in pixels; as a share of the photograph's shorter side, for all of it and for its halves.
SIDE, WHOLE, HALF = 32, 0.4, 0.3
#: How the tables are read: pictures named in a column, targets on a circle.
READING = {"image": "image", "task": "circular", "target": "angle"}


def crop(photo: Image.Image, x: float, y: float, angle: float) -> Image.Image:
    """Return the square around (x, y) of a photograph that is turned anticlockwise by `angle` degrees."""
    reach = round(SIDE * 0.5**0.5 + 1)
    around = photo.crop((round(x) - reach, round(y) - reach, round(x) + reach, round(y) + reach))
    edge = reach - SIDE // 2
    return around.rotate(angle, Image.Resampling.BICUBIC).crop((edge, edge, edge + SIDE, edge + SIDE))


def make(photos: Path, out: Path, crops: int, *, apart: bool, seed: int) -> tuple[Path, Path]:
    """Write crops and the tables train.csv and test.csv (columns image, angle); return the tables."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    places = {"train": (0.0, 0.5), "test": (0.5, 1.0)} if apart else {"train": (0.0, 1.0), "test": (0.0, 1.0)}
    margin = SIDE * 0.5**0.5 + 1
    (out / "crops").mkdir(parents=True, exist_ok=True)
    for path in sorted(p for p in photos.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg", ".tif")):
        photo = Image.open(path).convert("RGB")
        ratio = SIDE / ((HALF if apart else WHOLE) * min(photo.size))
        photo = photo.resize((round(photo.width * ratio), round(photo.height * ratio)), Image.Resampling.LANCZOS)
        for part, (left, right) in places.items():
            low, high = photo.width * left + margin, photo.width * right - margin
            for i in range(crops if part == "train" else max(1, crops // 6)):
                x, y, angle = rng.uniform(low, high), rng.uniform(margin, photo.height - margin), rng.uniform(0, 360)
                name = f"crops/{path.stem}_{part}_{i}.png"
                crop(photo, x, y, angle).save(out / name)
                rows[part].append((name, f"{angle:.2f}"))
    for part, found in rows.items():
        with open(out / f"{part}.csv", "w", newline="") as stream:
            csv.writer(stream).writerows([("image", "angle"), *found])
    return out / "train.csv", out / "test.csv"


def sheet(crops: list[Path], angles: list[float]) -> Image.Image:
    """Return crops as they are, and below each the same crop turned back by its angle."""
    side, gap = 3 * SIDE, 6
    whole = Image.new("RGB", (len(crops) * (side + gap) - gap, 2 * side + gap), "white")
    for i, (path, angle) in enumerate(zip(crops, angles, strict=True)):
        picture = Image.open(path).resize((side, side), Image.Resampling.BICUBIC)
        whole.paste(picture, (i * (side + gap), 0))
        turned = picture.rotate(-angle, Image.Resampling.BICUBIC, fillcolor="white")
        whole.paste(turned, (i * (side + gap), side + gap))
    return whole


def main() -> None:
    """Make the crops, train, evaluate, and put a few test crops upright."""
    import seqcnn

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of photographs")
    parser.add_argument("-o", "--out", type=Path, default=Path("upright"), help="folder to write into")
    parser.add_argument("--crops", type=int, default=300, help="training crops a photograph")
    parser.add_argument("--apart", action="store_true", help="train on left halves, test on right halves")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    out: Path = options.out
    train, test = make(options.photos, out, options.crops, apart=options.apart, seed=options.seed)
    model = seqcnn.train(seqcnn.read(train, **READING), seed=options.seed)
    model.save(out / "upright.safetensors")
    held_out = seqcnn.read(test, **READING)
    figures = seqcnn.evaluate(model, held_out)
    print(f"median error {figures.metrics['median_error']:.1f} degrees on {figures.n:,} crops not trained on")
    with open(test, newline="") as stream:
        names = [row["image"] for row in csv.DictReader(stream)]
    shown = np.linspace(0, len(names) - 1, 12).astype(int)
    angles = model.predict(held_out.take(shown))
    sheet([out / names[i] for i in shown], [float(a) for a in angles]).save(out / "upright.png")
    print(f"wrote {out / 'upright.png'}: above as given, below turned upright")


if __name__ == "__main__":
    main()
