#!/usr/bin/env python3
"""Makes external/small.dyn.onnx (needs torch 2.9 or newer, onnx, onnxruntime): what torch.onnx.export writes by default, the
weights in small.dyn.onnx.data, batch and image size open, and small.dyn.npz with what PyTorch and ONNX Runtime compute.
"""
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

PATH = pathlib.Path(__file__).parent / "external" / "small.dyn.onnx"
CLASSES, SIZE = 7, 20


def model():
    torch.manual_seed(1)
    m = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, CLASSES))
    m[1].running_mean.normal_(0, 0.2)
    m[1].running_var.uniform_(0.5, 1.5)
    return m.eval()


def without_paths():
    """Take this machine's paths out of the file: they stand in every node's metadata."""
    proto = onnx.load(PATH, load_external_data=False)
    for node in proto.graph.node:
        for entry in list(node.metadata_props):
            if entry.key.endswith("stack_trace"):
                node.metadata_props.remove(entry)
    PATH.write_bytes(proto.SerializeToString())


def main():
    m, images = model(), torch.randn(2, 3, SIZE, SIZE)
    free = torch.export.Dim.AUTO
    torch.onnx.export(m, (images,), PATH, dynamic_shapes=({0: free, 2: free, 3: free},))
    without_paths()
    session = onnxruntime.InferenceSession(PATH)
    with torch.no_grad():
        want = m(images).numpy()
    got = session.run(None, {session.get_inputs()[0].name: images.numpy()})[0]
    np.savez_compressed(PATH.with_suffix(".npz"), input=images.numpy(), torch_eval_0=want, ort_0=got)


if __name__ == "__main__":
    main()
