#!/usr/bin/env python3
"""product_networks.py FOLDER: networks that are little but products of matrices, products768.onnx and products384.onnx.

Patches of 16 x 16 pixels become 196 tokens, which twelve pairs of linear layers with a ReLU between them and a sum around them change (four
times as wide inside: the sizes of ViT-B/16 and ViT-S/16 without attention), then the mean and 1000 classes. Random weights, opset 17.
"""
import pathlib
import sys

import torch
from torch import nn


class Pair(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return x + self.narrow(torch.relu(self.widen(x)))


class Products(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.pairs = nn.Sequential(*(Pair(width) for _ in range(12)))
        self.classes = nn.Linear(width, 1000)

    def forward(self, x):
        return self.classes(self.pairs(self.patches(x).flatten(2).transpose(1, 2)).mean(1))


def main(folder):
    torch.manual_seed(0)
    for width in 768, 384:
        torch.onnx.export(Products(width).eval(), torch.zeros(1, 3, 224, 224), str(pathlib.Path(folder) / f"products{width}.onnx"), opset_version=17,
                          input_names=["input"], output_names=["logits"], dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}}, dynamo=False)


main(*sys.argv[1:2] or sys.exit(__doc__))
