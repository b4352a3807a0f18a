#!/usr/bin/env python3
"""Makes the fixtures of package photo and of photo/jpeg, and what Pillow decodes from them.

Writes beside itself: small photos of every format and decoded.npz (file name -> uint8 [H, W, 3]),
resize.npz (source and its resizes, "FILTER WIDTHxHEIGHT" -> uint8 [H, W, 3]); and decoded.npz
for JPEGs in ../jpeg/testdata, beside reduced.npz ("NAME@2": the file at half its size) and fast.npz
(resizes after Image.draft for twice the size, "NAME FILTER RULE WIDTHxHEIGHT"). Made with Pillow 13.0.0 (libjpeg-turbo 3.2.0, libwebp 1.6.0).
The picture is drawn here, so that the fixtures are free of anybody's rights.
"""
import io
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFile, ImageOps

here = pathlib.Path(__file__).parent
jpegs = here.parent / "jpeg" / "testdata"
rng = np.random.default_rng(1)


def picture(width, height):
    """Soft colours, hard edges and grain: what upsampling and transforms disagree about."""
    y, x = np.mgrid[0:height, 0:width]
    soft = np.stack([127 + 120 * np.sin(x / 9 + y / 17), 255 * x / width, 255 * y / height], axis=2)
    im = Image.fromarray((soft + rng.normal(0, 6, soft.shape)).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(im)
    draw.ellipse((width // 4, height // 4, width // 2, height * 3 // 4), fill=(230, 20, 40))
    draw.line((0, height, width, 0), fill=(10, 10, 240), width=2)
    return im


def sampling(data, factors):
    """The file with other sampling factors in its frame header; the MCUs must fit."""
    data, at = bytearray(data), 2
    while data[at + 1] not in (0xC0, 0xC2):
        at += 2 + data[at + 2] * 256 + data[at + 3]
    for i, f in enumerate(factors):
        data[at + 11 + 3 * i] = f
    return bytes(data)


def segments(data):
    """Marker, start and end of every header segment; a scan's ends where its data does."""
    at = 2
    while data[at + 1] != 0xD9:
        marker, start = data[at + 1], at
        at += 2 + data[at + 2] * 256 + data[at + 3]
        while marker == 0xDA and (data[at] != 0xFF or data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7):
            at += 1
        yield marker, start, at


def without_tables(data, numbers=range(4)):
    """The file without its Huffman tables of those numbers (0: luma, 1: chroma), as Pillow writes them one a segment."""
    keep = [data[a:b] for m, a, b in segments(data) if m != 0xC4 or data[a + 4] & 15 not in numbers]
    return data[:2] + b"".join(keep) + data[-2:]


def first_scans(data, count):
    """The file up to that scan."""
    return data[: [b for m, a, b in segments(data) if m == 0xDA][count - 1]] + data[-2:]


def renamed(data, names):
    """The file with other names for its three components, which are all in its first scan."""
    data = bytearray(data)
    for marker, at, _ in list(segments(bytes(data))):
        for i, name in enumerate(names):
            if marker in (0xC0, 0xC2):
                data[at + 10 + 3 * i] = name
            if marker == 0xDA:
                data[at + 5 + 2 * i] = name
    return bytes(data)


def jpeg(im, **options):
    out = io.BytesIO()
    im.save(out, "JPEG", **options)
    return out.getvalue()


def make_jpegs():
    im, square, cmyk = picture(75, 52), picture(64, 64), picture(75, 52).convert("CMYK")
    files = {
        "gray": jpeg(im.convert("L")),
        "gray_progressive": jpeg(im.convert("L"), progressive=True),
        "444": jpeg(im, subsampling=0),
        "422": jpeg(im, subsampling=1),
        "420": jpeg(im, subsampling=2),
        "420_best": jpeg(im, subsampling=2, quality=98),
        "420_worst": jpeg(im, subsampling=2, quality=3),
        "420_restart": jpeg(im, subsampling=2, restart_marker_blocks=3),
        "444_progressive": jpeg(im, subsampling=0, progressive=True),
        "420_progressive": jpeg(im, subsampling=2, progressive=True, quality=95),
        "420_progressive_restart": jpeg(im, subsampling=2, progressive=True, restart_marker_blocks=2),
        "440": sampling(jpeg(square, subsampling=1), (0x12, 0x11, 0x11)),
        "440_progressive": sampling(jpeg(square, subsampling=1, progressive=True), (0x12, 0x11, 0x11)),
        "411": sampling(jpeg(square, subsampling=2), (0x41, 0x11, 0x11)),
        "rgb": jpeg(im, keep_rgb=True, subsampling=0),
        "cmyk": jpeg(cmyk),
        "ycck": jpeg(cmyk).replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\2"),
        "one_pixel": jpeg(picture(1, 1), subsampling=2),
        "narrow": jpeg(picture(4, 19), subsampling=2),
        "narrow_422": jpeg(picture(3, 9), subsampling=1),
    }
    low = jpeg(im.crop((0, 0, 75, 20)), subsampling=2, progressive=True)
    files |= {
        "no_tables": without_tables(jpeg(im, subsampling=2, quality=90)),
        "no_tables_restart": without_tables(files["420_restart"]),
        "no_chroma_tables": without_tables(files["422"], [1]),
        "names_all_0": renamed(files["420"], (0, 0, 0)),
        "names_1_2_2": renamed(files["444"], (1, 2, 2)),
        "segments_of_length_0": files["420"][:2] + b"\xff\xe5\0\0\xff\xfe\0\1\xff\xdc\0\0" + files["420"][2:],
        "short_by_3": files["420"][:-5] + files["420"][-2:],
        "short_by_3_progressive": files["420_progressive"][:-5] + files["420_progressive"][-2:],
        "first_1_of_420": first_scans(files["420_progressive"], 1),
        "first_4_of_420": first_scans(files["420_progressive"], 4),
        "first_9_of_420": first_scans(files["420_progressive"], 9),
        "first_2_of_444": first_scans(files["444_progressive"], 2),
        "first_7_of_440": first_scans(files["440_progressive"], 7),
        "first_1_of_gray": first_scans(files["gray_progressive"], 1),
        "first_5_of_gray": first_scans(files["gray_progressive"], 5),
        "first_1_of_low": first_scans(low, 1),
        "first_3_of_low": first_scans(low, 3),
    }
    for name, data in files.items():
        (jpegs / f"{name}.jpg").write_bytes(data)
    decode(jpegs)


def make_photos():
    im = picture(61, 38)
    alpha = Image.fromarray(rng.integers(0, 256, (38, 61), dtype=np.uint8))
    rgba, la = im.copy(), im.convert("LA")
    rgba.putalpha(alpha)
    la.putalpha(alpha)
    palette = im.convert("P", palette=Image.Palette.ADAPTIVE, colors=60)
    other = palette.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    im.save(here / "rgb.png")
    rgba.save(here / "rgba.png")
    la.save(here / "la.png")
    palette.save(here / "palette.png", transparency=bytes(range(60)))
    im.convert("1").save(here / "one_bit.png")
    im.save(here / "color_key.png", transparency=im.getpixel((5, 5)))
    palette.save(here / "transparent.gif", transparency=5)
    palette.save(here / "animated.gif", save_all=True, append_images=[other])
    im.save(here / "lossy.webp", quality=70)
    im.crop((0, 0, 33, 21)).save(here / "odd.webp", quality=90)
    rgba.save(here / "lossy_alpha.webp", quality=80)
    rgba.save(here / "lossless_alpha.webp", lossless=True, exact=True)
    im.save(here / "rgb.bmp")
    palette.save(here / "palette.bmp")
    im.save(here / "lzw.tiff", compression="tiff_lzw")
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("turned.jpg", "turned.png", "turned.webp", "turned.tiff"):
        im.save(here / name, exif=exif)
    decode(here)


def decode(folder):
    files = [f for f in sorted(folder.iterdir()) if f.suffix not in (".npz", ".py")]
    arrays = {f.name: np.asarray(ImageOps.exif_transpose(Image.open(f)).convert("RGB")) for f in files}
    np.savez_compressed(folder / "decoded.npz", **arrays)


def make_resizes():
    """Sizes on both sides of Pillow 13's rule that decides which pass comes first."""
    im = picture(40, 30)
    arrays = {"source": np.asarray(im)}
    for size in ((29, 29), (50, 12), (42, 20), (38, 27), (38, 25), (80, 60), (7, 90), (1, 1), (40, 30), (40, 11), (13, 30)):
        for name, resample in (("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)):
            arrays["%s %dx%d" % (name, *size)] = np.asarray(im.resize(size, resample))
    np.savez_compressed(here / "resize.npz", **arrays)


def make_reduced():
    arrays, fast = {}, {}
    for file in sorted(jpegs.glob("*.jpg")):
        for by in (2, 4, 8):
            im = Image.open(file)
            reduce(im, by)
            arrays["%s@%d" % (file.name, by)] = np.asarray(im.convert("RGB"))
        for size in ((18, 13), (12, 8), (6, 4), (4, 3), (4, 6), (3, 30)):
            for name, resample in (("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)):
                im = drafted(file, size)
                fast["%s %s squash %dx%d" % (file.name, name, *size)] = np.asarray(im.resize(size, resample))
        for short in (20, 9, 5, 3):  # torchvision's Resize(short), CenterCrop(short)
            im = drafted(file, (short, short))
            w, h = im.size
            w, h = (short, short * h // w) if w <= h else (short * w // h, short)
            x, y = round((w - short) / 2), round((h - short) / 2)
            im = im.resize((w, h), Image.Resampling.BILINEAR).crop((x, y, x + short, y + short))
            fast["%s bilinear crop %dx%d" % (file.name, short, short)] = np.asarray(im)
    np.savez_compressed(jpegs / "reduced.npz", **arrays)
    np.savez_compressed(jpegs / "fast.npz", **fast)


def reduce(im, by):
    """Image.draft for a given scale, however small the picture."""
    im._size = tuple(-(-n // by) for n in im.size)
    decoder, _, offset, arguments = im.tile[0]
    im.tile = [ImageFile._Tile(decoder, (0, 0) + im._size, offset, arguments)]
    im.decoderconfig = (by, 0)


def drafted(file, size):
    im = Image.open(file)
    im.draft("RGB", (2 * size[0], 2 * size[1]))
    return im.convert("RGB")


if __name__ == "__main__":
    make_jpegs()
    make_photos()
    make_resizes()
    make_reduced()
