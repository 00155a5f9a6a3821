"""Turn rotated photographs upright: crops at random angles, a network that tells the angle, pictures put right.

Usage: python scripts/examples/upright.py PHOTOS -o FOLDER [--crops 300] [--seed 0]

PHOTOS is a folder of photographs. Crops to train on are cut from the left of each, crops to test on from the right,
so that none overlaps; FOLDER gets the crops, train.csv and test.csv, the model, its figures and upright.png.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image

#: Shorter side of a photograph, and side of a crop, in pixels; training crops are left of this share of the width.
SHORT, SIDE, LEFT = 320, 48, 0.62
#: How the tables are read: pictures named in a column, targets on a circle.
READING = {"image": "image", "task": "circular"}


def crop(photo: Image.Image, x: float, y: float, angle: float) -> Image.Image:
    """Return the square around (x, y) of a photograph that is turned anticlockwise by `angle` degrees."""
    reach = round(SIDE * 0.75)
    around = photo.crop((round(x) - reach, round(y) - reach, round(x) + reach, round(y) + reach))
    turned = around.rotate(angle, Image.Resampling.BICUBIC)
    edge = reach - SIDE // 2
    return turned.crop((edge, edge, edge + SIDE, edge + SIDE))


def make(photos: Path, out: Path, crops: int, seed: int) -> tuple[Path, Path]:
    """Write crops and the tables train.csv and test.csv (columns image, angle); return the tables."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    margin = SIDE * 0.75 + 1
    (out / "crops").mkdir(parents=True, exist_ok=True)
    for path in sorted(p for p in photos.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg", ".tif")):
        photo = Image.open(path).convert("RGB")
        ratio = SHORT / min(photo.size)
        photo = photo.resize((round(photo.width * ratio), round(photo.height * ratio)), Image.Resampling.LANCZOS)
        middle = photo.width * LEFT
        sides = {"train": (margin, middle - margin), "test": (middle + margin, photo.width - margin)}
        for part, (low, high) in sides.items():
            for i in range(crops if part == "train" else max(1, crops // 6)):
                x, y = rng.uniform(low, max(low, high)), rng.uniform(margin, photo.height - margin)
                angle = rng.uniform(0, 360)
                name = f"crops/{path.stem}_{part}_{i}.png"
                crop(photo, x, y, angle).save(out / name)
                rows[part].append((name, f"{angle:.2f}"))
    for part, found in rows.items():
        with open(out / f"{part}.csv", "w", newline="") as stream:
            csv.writer(stream).writerows([("image", "angle"), *found])
    return out / "train.csv", out / "test.csv"


def main() -> None:
    """Make the crops, train, evaluate, and put a few test crops upright."""
    import seqcnn

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of photographs")
    parser.add_argument("-o", "--out", type=Path, default=Path("upright"), help="folder to write into")
    parser.add_argument("--crops", type=int, default=300, help="training crops a photograph")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train, test = make(options.photos, options.out, options.crops, options.seed)
    model = seqcnn.train(seqcnn.read(train, target="angle", **READING), seed=options.seed)
    model.save(options.out / "upright.safetensors")
    held_out = seqcnn.read(test, target="angle", **READING)
    figures = seqcnn.evaluate(model, held_out)
    print(f"median error {figures.metrics['median_error']:.1f} degrees on {figures.n:,} crops not seen in training")
    shown = np.linspace(0, len(held_out) - 1, 12).astype(int)
    angles = model.predict(held_out.take(shown))
    sheet = Image.new("RGB", (12 * (SIDE + 4), 2 * (SIDE + 4)), "white")
    for i, (row, angle) in enumerate(zip(shown, angles, strict=True)):
        picture = Image.open(options.out / _name(test, int(row)))
        sheet.paste(picture, (i * (SIDE + 4), 0))
        sheet.paste(picture.rotate(-float(angle), Image.Resampling.BICUBIC), (i * (SIDE + 4), SIDE + 4))
    sheet.save(options.out / "upright.png")
    print(f"wrote {options.out / 'upright.png'}: above as given, below turned upright")


def _name(table: Path, row: int) -> str:
    """Return the picture that a row of a table names."""
    with open(table, newline="") as stream:
        return list(csv.DictReader(stream))[row]["image"]


if __name__ == "__main__":
    main()
