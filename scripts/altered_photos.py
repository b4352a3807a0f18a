#!/usr/bin/env python3
"""Measures what `regraft check` finds of altered copies and of photos that were spoilt.

    scripts/altered_photos.py REGRAFT FOLDER [PHOTOS]

FOLDER holds photos that are all different; every fifth of them (or PHOTOS in all) is copied, altered in one way at a time, into the test
part of a data set whose train part is the photo as it was. A copy is found when it and its photo are in one group; a false alarm is a
group of different photos. Needs Pillow.
"""
import io
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps


def jpeg(quality):
    def change(im, _):
        b = io.BytesIO()
        im.save(b, "JPEG", quality=quality)
        return Image.open(io.BytesIO(b.getvalue())).convert("RGB")
    return change


def scaled(by):
    return lambda im, _: im.resize((max(round(im.width * by), 1), max(round(im.height * by), 1)), Image.BICUBIC)


def cropped(percent):
    """takes so much off both sides' lengths, at a place drawn by chance"""
    def change(im, r):
        w, h = round(im.width * (1 - percent / 100)), round(im.height * (1 - percent / 100))
        x, y = r.randint(0, im.width - w), r.randint(0, im.height - h)
        return im.crop((x, y, x + w, y + h))
    return change


def caption(im, _):
    im = im.copy()
    d = ImageDraw.Draw(im)
    w, h = round(0.45 * im.width), round(0.09 * im.height)
    d.rectangle((0, im.height - h, w, im.height), fill=(0, 0, 0))
    d.text((4, im.height - h + 2), "(c) a photo, 2026", fill=(255, 255, 255))
    return im


def several(*changes):
    def change(im, r):
        for c in changes:
            im = c(im, r)
        return im
    return change


def mirrored(im, _):
    return ImageOps.mirror(im)


def brighter(by):
    return lambda im, _: ImageEnhance.Brightness(im).enhance(by)


def blurred(percent):
    return lambda im, _: im.filter(ImageFilter.GaussianBlur(percent / 100 * min(im.size)))


COPIES = {
    "JPEG, quality 30": jpeg(30), "JPEG, quality 50": jpeg(50), "JPEG, quality 75": jpeg(75), "JPEG, quality 95": jpeg(95),
    "half the size": scaled(0.5), "0.75 of the size": scaled(0.75), "1.5 times the size": scaled(1.5), "twice the size": scaled(2),
    "mirrored": mirrored, "mirrored, 0.7 of the size, JPEG 60": several(mirrored, scaled(0.7), jpeg(60)),
    "cropped by 2 %": cropped(2), "cropped by 5 %": cropped(5), "cropped by 10 %": cropped(10), "cropped by 5 %, mirrored": several(cropped(5), mirrored),
    "1.2 times as bright": brighter(1.2), "1.5 times as bright": brighter(1.5), "0.6 times as bright": brighter(0.6), "with a small caption": caption,
}
SPOILT = {
    "blurred": {"blurred by 1 % of the side": blurred(1), "blurred by 1.5 %": blurred(1.5), "blurred by 2 %": blurred(2)},
    "nearly black": {"a tenth as bright": brighter(0.1)},
    "blank": {"all one colour, with noise": lambda im, r: Image.effect_noise(im.size, 4).convert("RGB")},
    "extreme shape": {"a strip of a fifth": lambda im, _: im.crop((0, 0, im.width, im.height // 5))},
}


def check(regraft, folder):
    run = subprocess.run([regraft, "check", "--json", folder], capture_output=True, text=True)
    return json.loads(run.stdout)


def main():
    regraft, source = sys.argv[1], Path(sys.argv[2])
    photos = sorted(p for p in source.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    chosen = photos[::5] if len(sys.argv) < 4 else photos[::max(len(photos) // int(sys.argv[3]), 1)]
    r = random.Random(1)

    def dataset(root, change):
        for i, p in enumerate(chosen):
            im = Image.open(p).convert("RGB")
            for part, picture in ("train", im), ("test", change(im, r)):
                folder = Path(root, part, "odd" if i % 2 else "even")
                folder.mkdir(parents=True, exist_ok=True)
                picture.save(folder / f"{i}.png")

    number = lambda path: Path(path).stem
    print(f"{len(chosen)} of {len(photos)} photos\n\n| copies | found | false alarms |\n|---|---|---|")
    for name, change in COPIES.items():
        with tempfile.TemporaryDirectory() as root:
            dataset(root, change)
            groups = check(regraft, root)
            together = groups["leaks"] + groups["near_leaks"]
            found = {number(g[0]) for g in together if len({number(p) for p in g}) == 1}
            wrong = sum(len({number(p) for p in g}) > 1 for g in together + groups["near_duplicates"] + groups["near_contradictions"])
            print(f"| {name} | {100 * len(found) / len(chosen):.1f} % | {wrong} |")
    print("\n| spoilt | found | false alarms |\n|---|---|---|")
    for why, changes in SPOILT.items():
        for name, change in changes.items():
            with tempfile.TemporaryDirectory() as root:
                dataset(root, change)
                odd = [Path(o["path"]) for o in check(regraft, root)["odd"] if o["why"] == why]
                found = sum("test" in p.parts for p in odd)
                print(f"| {name} | {100 * found / len(chosen):.1f} % | {len(odd) - found} |")


if __name__ == "__main__":
    main()
