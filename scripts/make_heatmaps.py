"""Writes heatmap/testdata: small networks, and of each the map of every class for one input, as PyTorch's autograd gives it.

    python scripts/make_heatmaps.py heatmap/testdata

needs torch and onnx.
"""
import json
import pathlib
import sys

import torch
from torch import nn

CLASSES = 3


def trunk():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())


class Network(nn.Module):
    """A trunk, whose last value is the map, and what makes scores of it."""

    def __init__(self, *tail):
        super().__init__()
        self.trunk, self.tail = trunk(), nn.Sequential(*tail)

    def forward(self, x):
        return self.tail(self.trunk(x))


def pooled(*tail):
    return Network(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *tail)


def networks():
    return {
        "pool_linear": pooled(nn.Dropout(0.5), nn.Linear(16, CLASSES)),
        "conv_pool": Network(nn.Conv2d(16, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "conv_head": Network(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, CLASSES, 1), nn.Flatten()),
        "hidden": pooled(nn.Linear(16, 12), nn.Hardswish(), nn.Dropout(0.5), nn.Linear(12, CLASSES)),
        "norm": pooled(nn.LayerNorm(16), nn.Linear(16, CLASSES)),
        "batchnorm": pooled(nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, CLASSES)),
        "flat": Network(nn.MaxPool2d(2, 1), nn.Flatten(), nn.Linear(16 * 3 * 4, 10), nn.ReLU(), nn.Linear(10, CLASSES)),
        "temperature": pooled(nn.Linear(16, CLASSES), Divided()),
    }


class Divided(nn.Module):
    def forward(self, x):
        return x / 1.7


class Tokens(nn.Module):
    """Attention between the places of a map, which leaves none."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.out = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, CLASSES)

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        x = x + (self.q(x) @ self.k(x).transpose(1, 2)).softmax(-1) @ x
        return self.out(x[:, 0])


def map_of(net, x, c):
    """Grad-CAM before its ReLU."""
    name = type(net.tail[0]).__name__
    last = net.trunk(x)
    rest = net.tail
    if name == "MaxPool2d":  # that is the last map then
        last, rest = rest[0](last), rest[1:]
    elif name == "Conv2d":
        last, rest = rest[:2](last), rest[2:]
    last = last.detach().requires_grad_()
    logits = rest(last)
    (gradient,) = torch.autograd.grad(logits[0, c], last)
    weights = gradient.mean((2, 3), keepdim=True)
    return (weights * last).sum(1)[0]


def export(net, x, path):
    torch.onnx.export(net.float().eval(), x.float(), str(path), opset_version=17, dynamo=False, input_names=["input"], output_names=["output"],
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)


def main(folder):
    torch.manual_seed(4)
    x = torch.rand(1, 3, 15, 19).double()
    references = {}
    for name, net in networks().items():
        net = net.double().eval()
        if name == "conv_pool":
            nn.init.constant_(net.tail[0].bias, 0.3)  # else its ReLU leaves nothing
        for m in net.modules():
            if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
                m.running_mean.uniform_(-0.1, 0.4)
                m.running_var.uniform_(0.2, 1)
                nn.init.uniform_(m.weight, 0.5, 2)
                nn.init.uniform_(m.bias, -0.5, 0.5)
        maps = [map_of(net, x, c) for c in range(CLASSES)]
        references[name] = {
            "height": maps[0].shape[0], "width": maps[0].shape[1],
            "maps": [m.flatten().tolist() for m in maps],
        }
        export(net, x, folder / f"{name}.onnx")
    export(Network(Tokens()), x, folder / "tokens.onnx")
    (folder / "maps.json").write_text(json.dumps({"input": x.flatten().tolist(), "networks": references}))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
