"""Writes photo/testdata/damaged.txt: photos of that folder with a few bytes changed, and what Pillow makes of them.

    python scripts/damaged_photos.py photo/testdata

A line is a file, its changes (place=byte in hexadecimal), and the first eight digits of the SHA-256 of Pillow's pixels, upright and as RGB,
or "-" where it has none. Half of the changes of PNGs bring the checksum of their chunk along.
"""
import hashlib
import io
import pathlib
import random
import sys
import warnings
import zlib

from PIL import Image, ImageOps

LARGEST = 1 << 14  # pixels
EACH = 6
warnings.simplefilter("ignore")


def with_checksum(data, at):
    """The changes that make the checksum of the chunk of a PNG right that holds a place, in its kind or its body."""
    start = 8
    while start + 12 <= len(data):
        n = int.from_bytes(data[start:start + 4], "big")
        end = start + 8 + n
        if start + 4 <= at < end <= len(data) - 4:
            return {end + i: v for i, v in enumerate(zlib.crc32(data[start + 4:end]).to_bytes(4, "big"))}
        start = end + 4
    return {}


def changed(data, r, png):
    changes = {}
    for _ in range(r.randint(1, 2)):
        at = min(int(r.expovariate(1 / 40)), len(data) - 1) if r.random() < 0.7 else r.randrange(len(data))
        changes[at] = r.choice([0, 1, 0xFF, data[at] ^ 1 << r.randrange(8), r.randrange(256)])
    if png and r.random() < 0.5:
        broken = bytearray(data)
        for at, value in changes.items():
            broken[at] = value
        for at in list(changes):
            changes.update(with_checksum(broken, at))
    return {at: v for at, v in changes.items() if data[at] != v}


def pixels(data):
    try:
        picture = Image.open(io.BytesIO(data))
        if picture.width * picture.height > LARGEST:
            return None
        picture = ImageOps.exif_transpose(picture).convert("RGB")
        return hashlib.sha256(b"%d %d " % picture.size + picture.tobytes()).hexdigest()[:8]
    except Exception:
        return "-"


def main(folder):
    r = random.Random(1)
    lines = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".png", ".gif", ".bmp", ".webp", ".tiff")):
        data = path.read_bytes()
        for _ in range(EACH):
            broken = bytearray(data)
            changes = changed(data, r, path.suffix == ".png")
            for at, value in changes.items():
                broken[at] = value
            if not changes or (hash_ := pixels(bytes(broken))) is None:
                continue
            spelled = ",".join(f"{at}={value:02x}" for at, value in sorted(changes.items()))
            lines.append(f"{path.relative_to(folder)} {spelled} {hash_}")
    (folder / "damaged.txt").write_text("\n".join(lines) + "\n")


main(pathlib.Path(sys.argv[1]))
