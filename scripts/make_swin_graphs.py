#!/usr/bin/env python3
"""Write the graphs of weights/graphs for Swin transformers, without weights.

    make_swin_graphs.py [--out weights/graphs] [NAME...]

They are written node by node, as those of vision transformers are (make_vit_graphs.py): PyTorch's own exports spell windows and masks
out with thousands. Parameters are called as in torchvision's SwinTransformer; the indices of its tables and the distances that Swin V2
makes its biases of are constants. The first size of the classifier's tensors is the number of classes, 1000. A graph is for photos of
one size, since windows and masks depend on it.
"""
import math
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from make_vit_graphs import CLASSES, Graph, proto_of, write

HIDDEN = 512  # of the layers that make Swin V2's biases


@dataclass
class Shape:
    """What tells one network from another."""

    depths: tuple
    width: int
    heads: tuple
    window: int = 7
    image: int = 224
    second: bool = False


SIZES = {"t": ((2, 2, 6, 2), 96, (3, 6, 12, 24)), "s": ((2, 2, 18, 2), 96, (3, 6, 12, 24)), "b": ((2, 2, 18, 2), 128, (4, 8, 16, 32))}
NETWORKS = {
    **{f"swin_{name}": Shape(*size) for name, size in SIZES.items()},
    **{f"swin_v2_{name}": Shape(*size, window=8, image=256, second=True) for name, size in SIZES.items()},
}


class Windows(Graph):
    """Graph with what Swin needs beside it."""

    def floats(self, name, values):
        self.known[name] = numpy_helper.from_array(np.asarray(values, np.float32), name)
        return name

    def norm(self, x, layer, width):
        scale, shift = self.parameter(layer + ".weight", width), self.parameter(layer + ".bias", width)
        return self.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-5)

    def reshape(self, x, *shape):
        return self.node("Reshape", x, self.constant("to_" + "x".join(map(str, shape)).replace("-", "m"), shape))

    def part(self, x, axis, first, end, step=1):
        return self.node("Slice", x, *[self.constant(f"at{v}", [v]) for v in (first, end, axis, step)])

    def roll(self, x, side, by):
        """The first rows and columns behind the last ones."""
        for axis in (1, 2):
            x = self.node("Concat", self.part(x, axis, by, side), self.part(x, axis, 0, by), axis=axis)
        return x


def distance_index(window):
    """Which of the (2 window - 1)**2 distances a query and a key have."""
    at = np.stack(np.meshgrid(np.arange(window), np.arange(window), indexing="ij")).reshape(2, -1)
    apart = at[:, :, None] - at[:, None, :] + window - 1
    return (apart[0] * (2 * window - 1) + apart[1]).reshape(-1)


def distances(window):
    """The distances as Swin V2's layers see them, (2 window - 1)**2 pairs."""
    at = np.arange(1 - window, window) / (window - 1) * 8
    at = np.sign(at) * np.log2(np.abs(at) + 1) / 3
    return np.stack(np.meshgrid(at, at, indexing="ij"), axis=-1).reshape(-1, 2)


def masks(side, window, shift):
    """What hides the tokens of rolled windows that are no neighbours from one another, (1, windows, 1, tokens, tokens)."""
    region = np.zeros((side, side))
    parts = [slice(0, -window), slice(-window, -shift), slice(-shift, None)]
    for i, rows in enumerate(parts):
        for j, columns in enumerate(parts):
            region[rows, columns] = 3 * i + j
    count = side // window
    region = region.reshape(count, window, count, window).transpose(0, 2, 1, 3).reshape(count * count, -1)
    return np.where(region[:, None, :] != region[:, :, None], -100.0, 0.0)[None, :, None]


def bias(g, s, name, heads):
    """What is added to the scores, (1, heads, tokens, tokens)."""
    tokens = s.window**2
    if s.second:
        table = g.linear(g.floats("distances", distances(s.window)), name + "cpb_mlp.0", HIDDEN, 2)
        table = g.linear(g.node("Relu", table), name + "cpb_mlp.2", heads, HIDDEN, bias="")
    else:
        table = g.parameter(name + "relative_position_bias_table", (2 * s.window - 1) ** 2, heads)
    table = g.node("Gather", table, g.constant("index", distance_index(s.window)), axis=0)
    table = g.node("Transpose", g.reshape(table, tokens, tokens, heads), perm=[2, 0, 1])
    table = g.node("Unsqueeze", table, g.constant("at0", [0]))
    return g.node("Mul", g.node("Sigmoid", table), g.floats("sixteen", 16)) if s.second else table


def attention(g, s, name, x, width, heads, mask):
    """Attention within windows, tokens (windows, T, C)."""
    tokens, size = s.window**2, width // heads
    qkv = g.linear(x, name + "qkv", 3 * width, width)
    qkv = g.node("Transpose", g.reshape(qkv, -1, tokens, 3, heads, size), perm=[2, 0, 3, 1, 4])
    q, k, v = (g.node("Gather", qkv, g.constant(f"number{i}", i), axis=0) for i in range(3))
    if s.second:
        q, k = (g.node("Div", y, g.node("Clip", g.node("ReduceL2", y, g.constant("last", [-1])), g.floats("least", 1e-12))) for y in (q, k))
    else:
        q = g.node("Mul", q, g.floats(f"scale{size}", size**-0.5))
    scores = g.node("MatMul", q, g.node("Transpose", k, perm=[0, 1, 3, 2]))
    if s.second:
        logarithm = g.node("Clip", g.parameter(name + "logit_scale", heads, 1, 1), "", g.floats("most", math.log(100)))
        scores = g.node("Mul", scores, g.node("Exp", logarithm))
    scores = g.node("Add", scores, bias(g, s, name, heads))
    if mask is not None:
        scores = g.node("Add", g.reshape(scores, -1, mask.shape[1], heads, tokens, tokens), g.floats(f"masks{mask.shape[1]}", mask))
        scores = g.reshape(scores, -1, heads, tokens, tokens)
    y = g.node("Transpose", g.node("MatMul", g.node("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    return g.linear(g.reshape(y, -1, tokens, width), name + "proj", width, width)


def block(g, s, name, x, side, width, heads, rolled):
    """Attention in windows, then two layers of every pixel, of (N, side, side, C)."""
    shift = s.window // 2 if rolled and side > s.window else 0
    count = side // s.window

    def windows(x):
        x = g.roll(x, side, shift) if shift else x
        x = g.node("Transpose", g.reshape(x, -1, count, s.window, count, s.window, width), perm=[0, 1, 3, 2, 4, 5])
        x = attention(g, s, name + "attn.", g.reshape(x, -1, s.window**2, width), width, heads, masks(side, s.window, shift) if shift else None)
        x = g.node("Transpose", g.reshape(x, -1, count, count, s.window, s.window, width), perm=[0, 1, 3, 2, 4, 5])
        x = g.reshape(x, -1, side, side, width)
        return g.roll(x, side, side - shift) if shift else x

    def layers(x):
        return g.mlp(x, name + "mlp.0", name + "mlp.3", width, 4 * width)

    for branch, norm in ((windows, name + "norm1"), (layers, name + "norm2")):
        y = g.norm(branch(x), norm, width) if s.second else branch(g.norm(x, norm, width))
        x = g.node("Add", x, y)
    return x


def merge(g, s, name, x, width):
    """Four neighbours become one pixel of twice the width."""
    end = 1 << 62
    parts = [g.part(g.part(x, 1, i, end, 2), 2, j, end, 2) for j in (0, 1) for i in (0, 1)]
    x = g.node("Concat", *parts, axis=3)
    if s.second:
        return g.norm(g.linear(x, name + "reduction", 2 * width, 4 * width, bias=""), name + "norm", 2 * width)
    return g.linear(g.norm(x, name + "norm", 4 * width), name + "reduction", 2 * width, 4 * width, bias="")


def proto(name, s):
    g = Windows()
    w, b = g.parameter("features.0.0.weight", s.width, 3, 4, 4), g.parameter("features.0.0.bias", s.width)
    x = g.node("Transpose", g.node("Conv", "input", w, b, kernel_shape=[4, 4], strides=[4, 4]), perm=[0, 2, 3, 1])
    x, side, width = g.norm(x, "features.0.2", s.width), s.image // 4, s.width
    for stage, (depth, heads) in enumerate(zip(s.depths, s.heads)):
        if stage > 0:
            x, side, width = merge(g, s, f"features.{2 * stage}.", x, width), side // 2, 2 * width
        for i in range(depth):
            x = block(g, s, f"features.{2 * stage + 1}.{i}.", x, side, width, heads, i % 2 == 1)
    x = g.node("ReduceMean", g.norm(x, "norm", width), g.constant("pixels", [1, 2]), keepdims=0)
    g.node("Gemm", x, g.parameter("head.weight", CLASSES, width), g.parameter("head.bias", CLASSES), out="logits", transB=1)
    return proto_of(g, name, [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, s.image, s.image])],
                    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", "classes"])], 20)


if __name__ == "__main__":
    write(__doc__, NETWORKS, proto)
