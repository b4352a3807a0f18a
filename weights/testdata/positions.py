#!/usr/bin/env python3
"""Writes positions.json beside itself: a table of positions (a token and a grid of 5x5, 2 numbers each) and what PyTorch's bicubic
interpolation makes of it for other grids, as each library calls it (needs torch)."""
import json
import pathlib

import torch
from torch.nn.functional import interpolate

torch.manual_seed(1)
table = torch.randn(26, 2)
grid = table[1:].reshape(1, 5, 5, 2).permute(0, 3, 1, 2)
cases = []
for size in ((5, 5), (3, 3), (8, 8), (2, 7), (1, 1)):
    ways = {
        "plain": dict(size=size),
        "corners": dict(size=size, align_corners=True),
        "antialias": dict(size=size, antialias=True),
        "offset": dict(scale_factor=tuple((n + 0.1) / 5 for n in size)),
    }
    for way, options in ways.items():
        y = interpolate(grid, mode="bicubic", **options)
        assert tuple(y.shape[2:]) == size
        y = torch.cat([table[:1], y.permute(0, 2, 3, 1).reshape(-1, 2)])
        cases.append(dict(way=way, height=size[0], width=size[1], want=y.flatten().tolist()))
text = json.dumps(dict(table=table.flatten().tolist(), cases=cases), indent=None)
(pathlib.Path(__file__).parent / "positions.json").write_text(text + "\n")
