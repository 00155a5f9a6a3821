"""Tests of pictures: every mode to channels, mixed folders converted, broken files named."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from seqcnn.data.dataset import Expected
from seqcnn.data.sources.files import PictureFiles
from seqcnn.data.sources.folder import read_folder
from seqcnn.encode.pixels import Pixels
from seqcnn.errors import DataError, FormatError, InputFileError, OptionError
from seqcnn.io.pictures import conform, read_picture
from seqcnn.options import DataOptions, TrainOptions
from seqcnn.workflow.read import read, stream_files_of
from seqcnn.workflow.train import train

image = pytest.importorskip("PIL.Image", reason="pillow is an extra")

GREY = np.arange(3 * 5, dtype=np.uint8).reshape(3, 5) * 10
COLOR = np.stack([GREY, GREY + 1, GREY + 2], -1)


def save(path, array, mode=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


def folder_of(root, sizes):
    """A folder of classes: name to shapes of grey pictures."""
    for name, shapes in sizes.items():
        (root / name).mkdir(parents=True)
        for i, shape in enumerate(shapes):
            save(root / name / f"{i}.png", np.full(shape, 7 * i, np.uint8))
    return root


def test_modes_become_channels(tmp_path):
    for name, array, mode, wanted in (
        ("l.png", GREY, None, GREY[None]),
        ("rgb.png", COLOR, None, COLOR.transpose(2, 0, 1)),
        ("rgba.png", COLOR, "RGBA", COLOR.transpose(2, 0, 1)),
        ("la.png", GREY, "LA", GREY[None]),
        ("l.bmp", GREY, None, GREY[None]),
        ("rgb.tif", COLOR, None, COLOR.transpose(2, 0, 1)),
        ("deep.png", GREY.astype(np.uint16) * 257, None, GREY[None].astype(np.uint16) * 257),
        ("deep.tif", GREY.astype(np.uint16) * 257, None, GREY[None].astype(np.uint16) * 257),
        ("real.tif", GREY.astype(np.float32) / 7 - 3, None, GREY[None].astype(np.float32) / 7 - 3),
    ):
        found = read_picture(save(tmp_path / name, array, mode))
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted, err_msg=name)
    assert set(np.unique(read_picture(save(tmp_path / "bit.png", GREY > 70)))) == {0, 255}
    palette = read_picture(save(tmp_path / "p.gif", COLOR))
    assert palette.shape == (3, 3, 5)


def test_rotation_that_a_camera_noted(tmp_path):
    exif = image.Exif()
    exif[0x0112] = 6
    assert read_picture(save(tmp_path / "x.png", GREY, exif=exif)).shape == (1, 5, 3)


def test_stacks_of_pages_and_channels(tmp_path):
    tifffile = pytest.importorskip("tifffile", reason="tifffile is an extra")
    rng = np.random.default_rng(0)
    for name, values, options, wanted in (
        ("pages", rng.integers(0, 255, (5, 6, 7), dtype=np.uint8), {}, lambda v: v),
        ("deep", rng.integers(0, 65535, (4, 6, 7), dtype=np.uint16), {"photometric": "minisblack"}, lambda v: v),
        ("last", rng.integers(0, 255, (6, 7, 5), dtype=np.uint8),
         {"photometric": "minisblack", "planarconfig": "contig"}, lambda v: v.transpose(2, 0, 1)),
        ("color", rng.integers(0, 65535, (6, 7, 3), dtype=np.uint16), {"photometric": "rgb"},
         lambda v: v.transpose(2, 0, 1)),
        ("pages_of_color", rng.integers(0, 255, (2, 6, 7, 3), dtype=np.uint8), {"photometric": "rgb"},
         lambda v: v.transpose(0, 3, 1, 2).reshape(6, 6, 7)),
        ("alpha", rng.integers(0, 65535, (6, 7, 4), dtype=np.uint16),
         {"photometric": "rgb", "extrasamples": ["unassalpha"]}, lambda v: v[..., :3].transpose(2, 0, 1)),
        ("real", rng.normal(size=(3, 6, 7)), {}, lambda v: v.astype(np.float32)),
    ):  # fmt: skip
        tifffile.imwrite(tmp_path / f"{name}.tif", values, **options)
        found = read_picture(tmp_path / f"{name}.tif")
        np.testing.assert_array_equal(found, wanted(values), err_msg=name)
    data = (tmp_path / "pages.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(data[: len(data) // 3])
    with pytest.raises(FormatError, match=r"cut.tif"):
        read_picture(tmp_path / "cut.tif")
    tifffile.imwrite(tmp_path / "nan.tif", np.full((4, 4), np.nan, np.float32))
    with pytest.raises(FormatError, match=r"nan.tif: the picture holds values that are no finite numbers"):
        read_picture(tmp_path / "nan.tif")


def test_fit_by_resizing_cropping_or_letterboxing():
    wide = np.zeros((1, 4, 8), np.uint8)
    wide[:, :, 2:6] = 200
    assert (conform(wide, (1, 4, 4), fit_by="crop") == 200).all()
    boxed = conform(wide, (1, 8, 8), fit_by="letterbox")
    assert not boxed[:, :2].any() and not boxed[:, 6:].any() and (boxed[:, 2:6, 3:5] == 200).all()
    assert conform(wide, (1, 3, 5)).shape == (1, 3, 5)
    with pytest.raises(OptionError, match=r"--fit: 'crap' is not one of resize, crop, letterbox.*did you mean 'crop'"):
        conform(wide, (1, 3, 5), fit_by="crap")


def test_depths_keep_full_scale():
    deep = np.array([[[0, 257, 65535]]], np.uint16)
    assert conform(deep, (1, 1, 3)).ravel().tolist() == [0, 1, 255]
    real = conform(deep, (1, 1, 3), depth="float32")
    assert real.dtype == np.float32 and real.ravel()[2] == 1
    assert conform(real, (1, 1, 3), depth="uint16").ravel().tolist() == [0, 257, 65535]


def test_conform_converts_channels_and_size():
    color = COLOR.transpose(2, 0, 1)
    grey = conform(color, (1, 3, 5))
    wanted = np.asarray(image.fromarray(COLOR).convert("L"))[None]
    assert np.abs(grey.astype(int) - wanted).max() <= 1
    np.testing.assert_array_equal(conform(GREY[None], (3, 3, 5)), np.stack([GREY] * 3))
    assert conform(color, (3, 7, 4)).shape == (3, 7, 4)
    assert conform(color, (3, 3, 5)) is color


def test_a_folder_of_classes(tmp_path):
    root = folder_of(tmp_path / "d", {"cat": [(4, 6)] * 3, "ant": [(4, 6)] * 2, "bee": [(4, 6)]})
    (root / ".DS_Store").write_bytes(b"x")
    (root / "cat" / "notes.txt").write_text("x")
    save(root / "cat" / "more" / "9.png", np.zeros((4, 6), np.uint8))
    data = read(root)
    assert (data.kind, data.task, data.labels) == ("pixels", "multiclass", ("ant", "bee", "cat"))
    assert data.raw.shape == (7, 1, 4, 6)
    assert data.ids == ("ant/0.png", "ant/1.png", "bee/0.png", "cat/0.png", "cat/1.png", "cat/2.png", "cat/more/9.png")
    assert data.targets.ravel().tolist() == [0, 0, 1, 2, 2, 2, 2]
    assert data.summary.notes[0].startswith(
        "read 7 pictures of 6 x 4 pixels, 1 channel; multiclass: ant 2, bee 1, cat 4"
    )


def test_two_folders_are_binary_and_the_positive_one_is_chosen(tmp_path):
    root = folder_of(tmp_path / "d", {"no": [(3, 3)] * 2, "yes": [(3, 3)]})
    assert read(root).labels == ("no", "yes")
    flipped = read(root, DataOptions(positive="no"))
    assert flipped.labels == ("yes", "no")
    assert flipped.targets.ravel().tolist() == [1, 1, 0]
    with pytest.raises(OptionError, match="--positive maybe: expected one of two folders, found no, yes"):
        read(root, DataOptions(positive="maybe"))


def test_mixed_sizes_and_channels_are_converted_and_said(tmp_path):
    root = folder_of(tmp_path / "d", {"a": [(4, 6)] * 3, "b": [(5, 5), (4, 6)]})
    save(root / "b" / "color.png", np.full((4, 6, 3), 99, np.uint8))
    save(root / "loose.png", GREY)
    data = read(root)
    assert data.raw.shape == (6, 1, 4, 6)
    assert (data.raw[-1] == 99).all()
    notes = " / ".join(data.summary.notes)
    assert "pictures converted to grey: 1" in notes
    assert "pictures resized to 6 x 4 pixels: 1" in notes
    cropped = read(root, DataOptions(size=4, fit="crop"))
    assert cropped.raw.shape == (6, 1, 4, 4) and cropped.settings["fit_by"] == "crop"
    assert "in no class: 1" in notes
    assert "cropped to 4 x 4 pixels: 5" in " / ".join(cropped.summary.notes)


def test_large_pictures_are_scaled_down_and_said(tmp_path):
    root = folder_of(tmp_path / "d", {"a": [(300, 600)] * 2, "b": [(300, 600)]})
    data = read(root)
    assert data.raw.shape == (3, 1, 64, 128)
    assert "pictures resized to 128 x 64 pixels: 3" in " / ".join(data.summary.notes)


def test_pictures_of_odd_channels_are_named(tmp_path):
    tifffile = pytest.importorskip("tifffile", reason="tifffile is an extra")
    for name, channels in (("a/1", 5), ("a/2", 5), ("b/1", 5), ("b/2", 3)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / f"{name}.tif", np.zeros((channels, 6, 7), np.uint8), photometric="minisblack")
    with pytest.raises(DataError, match=r"b/2.tif: a picture of 3 channels among such of 5"):
        read(tmp_path)


def test_the_shape_of_a_model_is_obeyed(tmp_path):
    root = folder_of(tmp_path / "d", {"b": [(4, 6)] * 2})
    expected = Expected("pixels", "multiclass", ("a", "b", "c"), encoder="pixels", shape=(3, 2, 5))
    data = read_folder(root, DataOptions(), expected=expected)
    assert data.raw.shape == (2, 3, 2, 5)
    assert data.labels == ("a", "b", "c")
    assert data.targets.ravel().tolist() == [1, 1]
    folder_of(root, {"bb": [(4, 6)]})
    with pytest.raises(DataError, match=r"bb is no class of the model; expected a, b, c \(did you mean 'b'\?\)"):
        read_folder(root, DataOptions(), expected=expected)


def test_broken_pictures_are_named(tmp_path):
    good = save(tmp_path / "good.png", np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8))
    data = good.read_bytes()
    jpeg = save(tmp_path / "good.jpg", np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)).read_bytes()
    for name, content, words in (
        ("cut.png", data[: len(data) // 2], "truncated or damaged"),
        ("cut.jpg", jpeg[: len(jpeg) // 2], "truncated or damaged"),
        ("bad.png", data[:60] + b"\xff" * 40 + data[100:], "truncated or damaged"),
        ("empty.png", b"", "is empty"),
        ("text.png", b"hello", "is not a picture that pillow knows"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FormatError, match=f"{name}.*{words}"):
            read_picture(tmp_path / name)
    with pytest.raises(InputFileError, match="none.png: no such file"):
        read_picture(tmp_path / "none.png")


def test_folders_that_are_no_classes(tmp_path):
    for sizes, words in (
        ({}, "that holds no picture; expected one subfolder of pictures a class"),
        ({"a": [(3, 3)]}, "one class only, 'a'"),
        ({"a": [(3, 3)], "b": []}, "b holds no picture"),
    ):
        root = tmp_path / str(len(sizes)) / words[:3]
        root.mkdir(parents=True)
        with pytest.raises(DataError, match=words):
            read(folder_of(root, sizes))
    flat = tmp_path / "flat"
    save(flat / "a.png", GREY)
    with pytest.raises(DataError, match="whose pictures are in no class"):
        read(flat)
    files = tmp_path / "files"
    files.mkdir()
    (files / "x.fa").write_text(">a\nA\n")
    with pytest.raises(DataError, match="is a folder without pictures; expected a file"):
        read(files)
    with pytest.raises(DataError, match="a.png is a picture; pass a folder"):
        read(flat / "a.png")
    with pytest.raises(DataError, match=r"2 folders: expected one"):
        read([flat, files])


def test_a_table_of_pictures(tmp_path):
    save(tmp_path / "pics" / "1.png", GREY)
    save(tmp_path / "pics" / "2.png", GREY + 1)
    save(tmp_path / "pics" / "3.png", GREY + 2)
    (tmp_path / "t.csv").write_text("file,y,part\npics/1.png,0.5,train\npics/2.png,7,dev\npics/3.png,2.25,test\n")
    data = read(tmp_path / "t.csv", DataOptions(image="file", target=("y",)), split="column:part")
    assert data.kind == "pixels"
    assert data.task == "regression"
    assert data.raw.shape == (3, 1, 3, 5)
    np.testing.assert_array_equal(data.raw[2, 0], GREY + 2)
    assert data.parts.tolist() == ["train", "valid", "test"]
    (tmp_path / "t.csv").write_text("image,y\npics/1.png,0\npics/9.png,1\n")
    with pytest.raises(InputFileError, match="9.png: no such file"):
        read(tmp_path / "t.csv", DataOptions(image="image", target=("y",)))


def test_streams_of_pictures_for_scoring(tmp_path):
    root = folder_of(tmp_path / "d", {"a": [(4, 6)] * 2, "b": [(5, 5)]})
    like = read(root)
    like = SimpleNamespace(
        encoder=Pixels.fit(like.raw), kind="pixels", task="binary", labels=like.labels, longest=6, alphabet=None,
        negatives=None, made=None, columns=(),
    )  # fmt: skip
    changes: Counter[str] = Counter()
    found = list(stream_files_of(root, like, changes=changes))
    assert changes == {"pictures resized to 6 x 4 pixels": 1}
    assert [name for name, _ in found] == ["a/0.png", "a/1.png", "b/0.png"]
    assert {pixels.shape for _, pixels in found} == {(1, 4, 6)}
    (tmp_path / "t.tsv").write_text("image\nd/a/0.png\n")
    assert [name for name, _ in stream_files_of(tmp_path / "t.tsv", like, changes=changes)] == ["d/a/0.png"]
    assert [name for name, _ in stream_files_of(root / "a" / "1.png", like, changes=changes)] == ["1.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="a folder without pictures"):
        list(stream_files_of(tmp_path / "empty", like, changes=changes))
    (tmp_path / "x.fa").write_text(">a\nACGT\n")
    with pytest.raises(DataError, match="x.fa: expected a picture, a folder of pictures, or a table that names them"):
        list(stream_files_of(tmp_path / "x.fa", like, changes=changes))


def test_a_form_is_settled_by_the_majority():
    form = PictureFiles.settle([((1, 2, 3), "uint8")] * 2 + [((3, 4, 4), "uint16")], DataOptions())
    assert form.shape == (1, 2, 3) and form.settings == {"depth": "uint8", "fit_by": "resize"}


def test_options_of_sequences_do_not_suit_pictures(tmp_path):
    shapes = folder_of(tmp_path / "shapes", {"a": [(8, 8)] * 12, "b": [(8, 8)] * 12})
    with pytest.raises(OptionError, match="--alphabet dna: belongs to sequences; these are none"):
        read(shapes, DataOptions(alphabet="dna"))
    options = TrainOptions(network="motif", positions="aware", epochs=1, folds=0, baselines=False)
    with pytest.raises(OptionError, match="--positions aware: belongs to sequences"):
        train(read(shapes), options)
    assert train(read(shapes), replace(options, positions="auto")).record.choices["positions"]["chosen"] == "free"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_obeyed_in_stacks_too(orientation, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    image, ops = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.ImageOps")
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    flat = image.fromarray(pixels)
    flat.getexif()[274] = orientation
    expected = np.asarray(ops.exif_transpose(flat)).transpose(2, 0, 1)
    tag, path = (274, "H", 1, orientation, True), tmp_path / "a.tif"
    tifffile.imwrite(path, pixels.astype(np.uint16) * 257, photometric="rgb", extratags=[tag])
    np.testing.assert_array_equal(read_picture(path), expected.astype(np.uint16) * 257)


def test_wide_and_signed_numbers_do_not_wrap(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    for values in (np.array([[0, 2**31 + 512, 2**32 - 256]], np.uint32), np.array([[-1, 0, 127]], np.int8)):
        tifffile.imwrite(tmp_path / "a.tif", values)
        found = read_picture(tmp_path / "a.tif")
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found[0], values.astype(np.float32))


def test_alpha_of_16_bit_grey_is_dropped(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    grey = np.random.default_rng(0).integers(0, 1 << 16, (5, 7), dtype=np.uint16)
    both = np.stack([grey, np.full_like(grey, 65535)], -1)
    tifffile.imwrite(tmp_path / "a.tif", both, photometric="minisblack", planarconfig="contig", extrasamples=[2])
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif"), grey[None])
