#!/usr/bin/env python3
"""Measures which pictures of something else `regraft classify` tells from photos like the training photos.

    scripts/far_photos.py REGRAFT MODEL KNOWN [FOLDER...] [--number N] [--seed S] [--keep DIR]

MODEL is a model that was trained with a distance, KNOWN a folder of photos like its training photos that it has not seen. Every FOLDER holds
pictures of another kind; further kinds are made here, N of each (into DIR, if they shall stay): pictures that were drawn, and photos of KNOWN
that were spoilt. Printed are, for each kind, the area under ROC of the distance against KNOWN and the share that is called far, as a table in
Markdown. Needs NumPy and Pillow.
"""
import argparse
import io
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

WORDS = "the of a photo place light over street water house forest morning window number page line between small large paper under road".split()


def colours(r, n):
    """n colours, in every second picture shades of grey"""
    c = r.integers(0, 256, (n, 3))
    return c if r.random() < 0.5 else np.repeat(c[:, :1], 3, 1)


def grid(size):
    return np.mgrid[0:size, 0:size] / size


def grey(a):
    return np.repeat(np.asarray(a)[..., None], 3, 2)


def white_noise(r):
    if r.random() < 0.5:
        return r.integers(0, 256, (200, 200, 3))
    return grey(r.normal(128, 40, (200, 200)))


def soft_noise(r):
    n = int(r.integers(4, 17))
    small = Image.fromarray(r.integers(0, 256, (n, n, 3)).astype("u1"))
    return small.resize((200, 200), Image.BICUBIC)


def pink_noise(r):
    f = np.fft.fftfreq(200)
    f = np.hypot(*np.meshgrid(f, f))
    f[0, 0] = 1
    x = np.fft.ifft2(np.fft.fft2(r.normal(size=(200, 200))) / f).real
    return grey((x - x.min()) / (x.max() - x.min()) * 255)


def font(size):
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default()


def text(r):
    w, h = (240, 320) if r.random() < 0.5 else (320, 240)
    im = Image.new("RGB", (w, h), (255, 255, 255) if r.random() < 0.7 else (240, 235, 220))
    d, f, y = ImageDraw.Draw(im), font(int(r.integers(8, 22))), 8
    while y < h - 12:
        d.text((8, y), " ".join(r.choice(WORDS, int(r.integers(2, 10)))), fill=(0, 0, 0), font=f)
        y += int(r.integers(10, 30))
    return im


def gradient(r):
    y, x = grid(200)
    t = r.random() * 2 * np.pi
    g = (x * np.cos(t) + y * np.sin(t)) if r.random() < 0.5 else np.hypot(x - r.random(), y - r.random())
    g = (g - g.min()) / (g.max() - g.min())
    a, b = colours(r, 2)
    return a + (b - a) * g[..., None]


def chequers(r):
    y, x = grid(200)
    t, n = r.random() * 2 * np.pi, r.integers(3, 40)
    u, v = (x * np.cos(t) - y * np.sin(t)) * n, (x * np.sin(t) + y * np.cos(t)) * n
    a, b = colours(r, 2)
    return a + (b - a) * ((np.floor(u) + np.floor(v)) % 2)[..., None]


def plain(r):
    return np.ones((200, 200, 3)) * colours(r, 1)[0]


def waves(r):
    y, x = grid(200)
    w = sum(np.sin((x * r.integers(-30, 30) + y * r.integers(-30, 30)) * 2 * np.pi) for _ in range(3))
    return grey(w * 42 + 128)


def cells(r):
    y, x = grid(200)
    p = r.random((30, 2))
    return colours(r, 30)[((x[..., None] - p[:, 0]) ** 2 + (y[..., None] - p[:, 1]) ** 2).argmin(-1)]


def colour(r):
    return tuple(int(v) for v in r.integers(0, 256, 3))


def chart(r):
    im = Image.new("RGB", (320, 240), "white")
    d = ImageDraw.Draw(im)
    d.line((30, 10, 30, 220, 310, 220), fill="black", width=2)
    if r.random() < 0.5:
        for k in range(8):
            d.rectangle((40 + k * 33, 220 - int(r.integers(20, 190)), 62 + k * 33, 220), fill=colour(r))
    else:
        for _ in range(3):
            y = np.clip(np.cumsum(r.normal(0, 12, 28)) + 120, 12, 218)
            d.line([(35 + j * 10, float(v)) for j, v in enumerate(y)], fill=colour(r), width=2)
    for k in range(6):
        d.text((34, 15 + k * 34), str(int(r.integers(0, 100))), fill="grey")
    return im


def screen(r):
    dark = r.random() < 0.5
    im = Image.new("RGB", (480, 320), (30, 30, 36) if dark else (245, 246, 248))
    d, f, ink = ImageDraw.Draw(im), font(11), "lightgrey" if dark else "black"
    d.rectangle((0, 0, 480, 26), fill=colour(r))
    d.rectangle((0, 26, 110, 320), fill=(50, 52, 60) if dark else (220, 224, 230))
    for k in range(10):
        d.text((8, 34 + k * 26), "Menu %d" % r.integers(100), fill=ink, font=f)
    for k in range(12):
        d.text((130, 40 + k * 22), " ".join(r.choice(WORDS, int(r.integers(2, 8)))), fill=ink, font=f)
    for _ in range(int(r.integers(2, 6))):
        x, y = int(r.integers(150, 340)), int(r.integers(40, 250))
        d.rounded_rectangle((x, y, x + 110, y + 36), 6, fill=colour(r), outline="grey")
        d.text((x + 6, y + 8), "Action %d" % r.integers(99), fill="white", font=f)
    return im


def drawing(r):
    im = Image.new("RGB", (256, 256), "white")
    d = ImageDraw.Draw(im)
    for k in range(int(r.integers(4, 20))):
        x, y = np.sort(r.integers(0, 256, (2, 2)), axis=1)
        box = (int(x[0]), int(y[0]), int(x[1]), int(y[1]))
        [d.rectangle, d.ellipse][k % 2](box, outline=0, width=2)
        d.line(box, fill=0, width=2)
    return im


def code(r):
    n = int(r.integers(21, 41))
    a = r.integers(0, 2, (n, n)) * 255
    return Image.fromarray(a.astype("u1")).resize((300, 300), Image.NEAREST).convert("RGB")


def jpeg(im, r):
    b = io.BytesIO()
    im.save(b, "JPEG", quality=int(r.integers(1, 4)))
    return Image.open(io.BytesIO(b.getvalue())).convert("RGB")


def tiles(im, r):
    a = np.asarray(im.resize((200, 200)))
    parts = a.reshape(8, 25, 8, 25, 3).swapaxes(1, 2).reshape(64, 25, 25, 3)[r.permutation(64)]
    return parts.reshape(8, 8, 25, 25, 3).swapaxes(1, 2).reshape(200, 200, 3)


def half_lost(im, r):
    a = np.array(im)
    a[int(len(a) * r.uniform(0.1, 0.3)):] = 128
    return a


DRAWN = {
    "white noise": white_noise, "soft noise": soft_noise, "pink noise": pink_noise, "pages of text": text, "gradients": gradient,
    "chequers": chequers, "one colour": plain, "waves": waves, "cells": cells, "charts": chart, "screens": screen, "line drawings": drawing,
    "codes of squares": code,
}
SPOILT = {
    "photos, inverted": lambda im, r: ImageOps.invert(im),
    "photos, JPEG quality 1 to 3": jpeg,
    "photos, blurred by 4 % of the side": lambda im, r: im.filter(ImageFilter.GaussianBlur(0.04 * im.width)),
    "photos, noise of 70 levels": lambda im, r: np.asarray(im) + r.normal(0, 70, (im.height, im.width, 3)),
    "photos, tiles in disorder": tiles,
    "photos, edges alone": lambda im, r: im.convert("L").filter(ImageFilter.FIND_EDGES).convert("RGB"),
    "photos, two levels of each colour": lambda im, r: ImageOps.posterize(im, 1),
    "photos, three quarters lost": half_lost,
}


def make(known, folder, number, seed):
    """draws the kinds of pictures into folders and yields their names and folders"""
    photos = sorted(p for p in known.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for kind, f in {**DRAWN, **SPOILT}.items():
        r = np.random.default_rng([seed, *kind.encode()])
        to = folder / kind.replace(" ", "-").replace(",", "").replace("%", "percent")
        to.mkdir(parents=True, exist_ok=True)
        for i in range(number):
            im = f(r) if kind in DRAWN else f(Image.open(photos[r.integers(len(photos))]).convert("RGB"), r)
            if not isinstance(im, Image.Image):
                im = Image.fromarray(np.clip(im, 0, 255).astype("u1"))
            im.save(to / f"{i:03}.png")
        yield kind, to


def distances(regraft, model, folder):
    """those of the pictures in a folder that can be read"""
    run = subprocess.run([regraft, "classify", "-q", "-m", model, "--json", "--skip-bad", "--no-cache", folder], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    if any("distance" not in a for a in answers if a["error"] is None):
        raise SystemExit(f"{model} knows no distance: train it with --far")
    return np.array([a["distance"] for a in answers if a["error"] is None])


def auroc(known, far):
    """the probability that a far picture is farther than a known one"""
    return np.mean(far[:, None] > known) + np.mean(far[:, None] == known) / 2


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("regraft")
    p.add_argument("model")
    p.add_argument("known", type=Path)
    p.add_argument("folder", nargs="*", type=Path)
    p.add_argument("--number", type=int, default=40)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--keep", type=Path)
    o = p.parse_intermixed_args()
    known = distances(o.regraft, o.model, o.known)
    print(f"{len(known)} known photos, of which {100 * np.mean(known > 1):.1f} % are called far.\n")
    print("| pictures | number | area under ROC | called far |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        made = make(o.known, o.keep or Path(temporary), o.number, o.seed)
        for kind, folder in [*((f.name, f) for f in o.folder), *made]:
            d = distances(o.regraft, o.model, folder)
            print(f"| {kind} | {len(d)} | {auroc(known, d):.3f} | {100 * np.mean(d > 1):.0f} % |", flush=True)


if __name__ == "__main__":
    main()
