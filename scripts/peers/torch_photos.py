#!/usr/bin/env python3
"""JPEGs of a folder to tensors with Pillow and torchvision, one thread; makes photos of 1600x1200 if it is empty."""
import pathlib

import common

p = common.arguments(__doc__, 2)
p.add_argument("--make-only", action="store_true", help="make the photos and stop")
a = common.parse(p)
import numpy as np
import PIL
from PIL import Image


def make(folder, count=12, width=1600, height=1200):
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    for n in range(count):
        pixels = np.full((height, width, 3), 128, np.float32)
        for cell, contrast in ((100, 55), (20, 30), (5, 16), (1, 8)):  # shapes, details, grain
            for c in range(3):
                coarse = Image.fromarray(random.standard_normal((height // cell, width // cell), np.float32))
                pixels[:, :, c] += contrast * np.asarray(coarse.resize((width, height), Image.BICUBIC))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{n:02}.jpg", quality=80)


folder = pathlib.Path(a.model)
if not any(folder.glob("*.jpg")):
    make(folder)
if not a.make_only:
    import torch
    from torchvision import transforms
    torch.set_num_threads(1)
    prepare = transforms.Compose([transforms.Resize(common.SHORT), transforms.CenterCrop(common.SIZE), transforms.ToTensor(),
                                  transforms.Normalize(common.MEAN, common.STD)])
    files = sorted(folder.glob("*.jpg"))
    tensors = lambda f: prepare(Image.open(f).convert("RGB"))
    tensors(files[0])
    common.report(f"Pillow {PIL.__version__} and torchvision", [common.timed(lambda: tensors(f)) for _ in range(a.runs) for f in files])
