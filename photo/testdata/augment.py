#!/usr/bin/env python3
"""What torchvision's policies make of small pictures, for the tests of augmentation.

    augment.py [FILE]

Writes FILE, by default augment.json beside itself: the rectangles and shares of CutMix for what it draws, a batch mixed by MixUp, the
rectangles of RandomErasing for what it draws, the pictures, and for every operation at every strength of RandAugment and TrivialAugmentWide,
first as it is and then with the other sign where it has one, and for turns of the hue, the first 4 digits of the SHA-256 of the pixels.
Made with torchvision 0.29.2 and Pillow 13.0.0.
"""
import base64
import hashlib
import json
import math
import pathlib
import sys
import types

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import RandAugment, RandomErasing, TrivialAugmentWide, v2
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import InterpolationMode, _apply_op

LEVELS = 31
HUES = -0.5, -0.31, -0.1, -0.003, 0.0, 0.02, 0.1, 0.25, 0.4999, 0.5
NAMES = {
    "Identity": "identity", "ShearX": "shear-x", "ShearY": "shear-y", "TranslateX": "translate-x", "TranslateY": "translate-y",
    "Rotate": "rotate", "Brightness": "brightness", "Color": "saturation", "Contrast": "contrast", "Sharpness": "sharpness",
    "Posterize": "posterize", "Solarize": "solarize", "AutoContrast": "autocontrast", "Equalize": "equalize",
}
rng = np.random.default_rng(3)


def pictures():
    y, x = np.mgrid[0:17, 0:23]
    soft = np.stack([60 + 5 * x, 180 - 6 * y, 90 + 2 * x + 3 * y], axis=2) + rng.normal(0, 4, (17, 23, 3))
    yield "soft", soft.clip(0, 255).astype(np.uint8)
    yield "noise", rng.integers(0, 256, (14, 14, 3), dtype=np.uint8)
    yield "flat", np.full((9, 12, 3), (10, 200, 90), np.uint8)
    two = np.full((20, 30, 3), 40, np.uint8)
    two[3:11, 5:22] = (41, 90, 255)
    yield "two", two
    yield "grey", np.repeat(rng.integers(30, 200, (11, 8, 1), dtype=np.uint8), 3, axis=2)
    for height, width in (1, 1), (2, 2), (1, 5), (3, 2):
        yield f"{width}x{height}", rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def short(im):
    return hashlib.sha256(np.asarray(im).tobytes()).hexdigest()[:4]


def policies(name, im):
    """Every operation at every strength; those without strengths once."""
    space = {"randaugment": RandAugment()._augmentation_space(LEVELS, im.size[::-1]), "trivial": TrivialAugmentWide()._augmentation_space(LEVELS)}
    for policy, operations in space.items():
        for op, (magnitudes, signed) in operations.items():
            sums = ""
            for m in magnitudes.reshape(-1).tolist():
                for sign in (1, -1) if signed else (1,):
                    sums += short(_apply_op(im, op, sign * m, interpolation=InterpolationMode.NEAREST, fill=None))
            yield {"picture": name, "policy": policy, "op": NAMES[op], "sums": sums}


def hues(name, im):
    yield {"picture": name, "policy": "jitter", "op": "hue", "sums": "".join(short(F.adjust_hue(im, share)) for share in HUES)}


def cuts():
    """CutMix's rectangle and the share of the label that it takes, for its draws: the weight, and the middle (x, y)."""
    draw = torch.randint
    for width, height in (7, 5), (299, 299), (1, 1):
        for weight in 0.0, 0.01, 0.3, 0.5, 0.96, 1.0:
            for x, y in (0, 0), (width - 1, height // 2), (width // 3, height - 1):
                mix = v2.CutMix(num_classes=2)
                mix._dist = types.SimpleNamespace(sample=lambda _: torch.tensor(weight, dtype=torch.float64))
                drawn = iter((x, y))
                torch.randint = lambda most, size: torch.tensor([next(drawn)])
                params = mix.make_params([torch.zeros(2, 3, height, width)])
                torch.randint = draw
                yield {"width": width, "height": height, "drawn": 1 - weight, "x": x, "y": y, "patch": params["box"], "share": 1 - params["lam_adjusted"]}


def blended():
    """A batch of three photos of four values, and what MixUp makes of it."""
    x = torch.from_numpy(rng.normal(0, 2, (3, 1, 2, 2)).astype(np.float32))
    out = v2.MixUp(num_classes=2).transform(x, {"lam": 0.3, "labels": None, "batch_size": 3})
    return {"share": 0.7, "x": x.flatten().tolist(), "mixed": out.flatten().tolist()}


def erased():
    """RandomErasing's limits, and its rectangle [x, y, right, bottom], as far to the right and down as it may lie, for its draws; an empty
    one where it does not fit. What a small picture keeps of it, from 1 on, is counted by the pixels."""
    empty, draw, usual, cases = torch.empty, torch.randint, RandomErasing(), []
    for height, width in (299, 299), (7, 5), (300, 400), (2, 2), (1, 1):
        for share in 0.02, 0.1, 0.21, 0.33:
            for ratio in 0.3, 0.7, 1.0, 3.3:
                drawn = iter((share, math.log(ratio)) * 10)
                torch.empty = lambda n: types.SimpleNamespace(uniform_=lambda low, high: torch.tensor([next(drawn)], dtype=torch.float64))
                torch.randint = lambda least, most, size: torch.tensor([most - 1])
                image = torch.zeros(1, height, width)
                i, j, h, w, value = RandomErasing.get_params(image, usual.scale, usual.ratio, [0.0])
                torch.empty, torch.randint = empty, draw
                rectangle = [0, 0, 0, 0] if value is image else [j, i, j + w, i + h]
                cases.append({"width": width, "height": height, "share": share, "ratio": ratio, "rectangle": rectangle})
    kept = F.erase(torch.arange(1.0, 36).reshape(1, 7, 5), 2, 1, 4, 3, torch.zeros(1))
    return {"shares": usual.scale, "ratios": usual.ratio, "cases": cases, "kept": kept.flatten().tolist()}


def main():
    made, cases = {}, []
    for name, pixels in pictures():
        im = Image.fromarray(pixels)
        made[name] = {"width": im.width, "height": im.height, "rgb": base64.b64encode(pixels.tobytes()).decode()}
        cases += [*policies(name, im), *hues(name, im)]
    # Every colour whose channels are multiples of 5.
    step = np.arange(0, 256, 5, dtype=np.uint8)
    cube = Image.fromarray(np.stack(np.meshgrid(step, step, step, indexing="ij"), axis=-1).reshape(52, -1, 3))
    cases += hues("cube", cube)
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    text = json.dumps({"cuts": list(cuts()), "blended": blended(), "erased": erased(), "pictures": made}, separators=(",", ":"))[:-1] + ',"cases":[\n' + lines + "\n]}\n"
    path = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_suffix(".json")
    pathlib.Path(path).write_text(text)


main()
