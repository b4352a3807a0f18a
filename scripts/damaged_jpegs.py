"""Writes photo/jpeg/testdata/damaged.txt: JPEGs of that folder with a few bytes changed, and what Pillow makes of them.

    python scripts/damaged_jpegs.py photo/jpeg/testdata

A line is a file, its changes (place=byte in hexadecimal), the first eight digits of the SHA-256 of Pillow's RGB pixels or "-" where
it has none, and "warned" where libjpeg-turbo's djpeg says anything while it decodes. What the two do not agree on is left out, and
so are pictures that libjpeg-turbo computes differently with and without vector instructions: values that no encoder writes.
"""
import hashlib
import io
import os
import pathlib
import random
import subprocess
import sys

from PIL import Image

LARGEST = 1 << 14  # pixels


def changed(data, r, header):
    start, end = data.find(b"\xff\xda"), len(data) - 2
    low, high = (2, start + 14) if header else (start + 14, end)
    if low >= high:
        return {}
    return {r.randrange(low, high): r.choice([0, 1, 0xFF, r.randrange(256)]) for _ in range(r.randint(1, 2))}


def pixels(data):
    try:
        picture = Image.open(io.BytesIO(data))
        if picture.format != "JPEG" or picture.width * picture.height > LARGEST:
            return None
        return hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()[:8]
    except Exception:
        return "-"


def djpeg(data, **variables):
    run = subprocess.run(["djpeg", "-ppm"], input=data, capture_output=True, env={**os.environ, **variables})
    return run.stdout if run.returncode in (0, 2) else None, run.returncode != 0  # 2: after warnings


def main(folder):
    r = random.Random(1)
    lines = []
    for path in sorted(folder.glob("*.jpg")):
        data = path.read_bytes()
        for i in range(40):
            broken = bytearray(data)
            changes = changed(data, r, header=i % 2 == 0)
            for at, value in changes.items():
                broken[at] = value
            if broken == data or (hash_ := pixels(bytes(broken))) is None:
                continue
            picture, warned = djpeg(bytes(broken))
            if (picture is None) != (hash_ == "-") or picture != djpeg(bytes(broken), JSIMD_FORCENONE="1")[0]:
                continue
            spelled = ",".join(f"{at}={value:02x}" for at, value in sorted(changes.items()))
            lines.append(" ".join([path.name, spelled, hash_] + ["warned"] * warned))
    (folder / "damaged.txt").write_text("\n".join(lines) + "\n")


main(pathlib.Path(sys.argv[1]))
