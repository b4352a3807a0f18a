#!/usr/bin/env python3
"""Write the state dict of a torchvision network with random weights, and what PyTorch computes with it.

    state_dict_reference.py FAMILY OUT_FOLDER [--classes N] [--batch N] [--divide N] [--size PX]

FAMILY.pth (zip format), FAMILY.legacy.pth, FAMILY.safetensors and FAMILY.npz with
  input        float32 (N, 3, size, size)
  labels       float32 (N), class ids
  eval         logits in inference form
  loss         cross entropy of one step in training form with Dropout off: main + 0.4 * each auxiliary
  grad.NAME    its gradients: at most 256 elements of each, at equal distances
  after.NAME   BatchNorm's running statistics after the step, likewise
computed in float64, and for each of them own.NAME, the largest difference between that and what PyTorch
computes in float32, on the CPU with two threads. --divide N divides all channel counts, for small files.

Needs torch, torchvision and numpy.
"""
import argparse
import contextlib
import copy
import json
import pathlib
import struct
import zlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision.models as models

SIZES = {"inception_v3": 299}
SAMPLES = 256


@contextlib.contextmanager
def narrowed(divide, classes):
    """Divide the channel counts that constructors pass to the basic layers."""
    keep = {c: c.__init__ for c in (nn.Conv2d, nn.BatchNorm2d, nn.Linear)}

    def less(count):
        return count if count <= 3 or count == classes else -(-count // divide)

    def conv(self, i, o, *args, **kwargs):
        if kwargs.get("groups", 1) > 1:
            kwargs["groups"] = less(kwargs["groups"])
        keep[nn.Conv2d](self, less(i), less(o), *args, **kwargs)

    def norm(self, count, *args, **kwargs):
        keep[nn.BatchNorm2d](self, less(count), *args, **kwargs)

    def linear(self, i, o, *args, **kwargs):
        keep[nn.Linear](self, less(i), less(o), *args, **kwargs)

    try:
        if divide > 1:
            nn.Conv2d.__init__, nn.BatchNorm2d.__init__, nn.Linear.__init__ = conv, norm, linear
        yield
    finally:
        for c, f in keep.items():
            c.__init__ = f


def build(family, classes, divide):
    torch.manual_seed(zlib.crc32(family.encode()))
    options = {}
    if family in ("inception_v3", "googlenet"):
        options = {"aux_logits": True, "init_weights": False, "transform_input": True}
    with narrowed(divide, classes):
        model = getattr(models, family)(weights=None, num_classes=classes, **options)
    for name, p in model.named_parameters():
        if p.dim() > 1:
            nn.init.kaiming_normal_(p)
        elif name.endswith("weight"):
            nn.init.uniform_(p, 0.7, 1.3)
        elif not name.endswith("layer_scale"):
            nn.init.normal_(p, 0, 0.1)
    for module in model.modules():
        if isinstance(module, (nn.Dropout, nn.Dropout2d)) or type(module).__name__ == "StochasticDepth":
            module.p = 0.0
    return model


def realistic_statistics(model, x):
    """Running statistics of this input, so that activations keep their size; then all different."""
    norms = [(m, m.momentum) for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for m, _ in norms:
        m.momentum = 1.0
    with torch.no_grad():
        model.train()(x)
        for m, momentum in norms:
            m.momentum = momentum
            m.running_mean += 0.1 * m.running_var.sqrt() * torch.randn_like(m.running_mean)
            m.running_var *= torch.empty_like(m.running_var).uniform_(0.8, 1.25)


def outputs(model, x):
    """The logits as a list, main first, then the auxiliary ones in the module's order."""
    out = model(x)
    if isinstance(out, torch.Tensor):
        return [out]
    return [t for t in out if isinstance(t, torch.Tensor)]


def sampled(t):
    """Elements of t, at most SAMPLES of them, at equal distances."""
    flat = t.detach().reshape(-1).numpy()
    step = max(1, flat.size // SAMPLES)
    return np.ascontiguousarray(flat[::step][:SAMPLES])


def step(model, x, labels):
    """All results by name, in the precision of model and x."""
    results = {}
    model.eval()
    with torch.no_grad():
        results["eval"] = outputs(model, x)[0].numpy()
    model.train()
    logits = outputs(model, x)
    loss = F.cross_entropy(logits[0], labels) + sum(0.4 * F.cross_entropy(o, labels) for o in logits[1:])
    loss.backward()
    results["loss"] = loss.detach().reshape(1).numpy()
    for name, p in model.named_parameters():
        results["grad." + name] = sampled(p.grad)
    for name, b in model.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            results["after." + name] = sampled(b)
    return results


def reference(model, x, labels):
    exact = step(copy.deepcopy(model).double(), x.double(), labels)
    own = step(model, x, labels)
    arrays = {"input": x.numpy(), "labels": labels.numpy().astype(np.float32)}
    for name, want in exact.items():
        arrays[name] = want.astype(np.float32)
        arrays["own." + name] = np.abs(own[name] - want).max().reshape(1).astype(np.float32)
    return arrays


def save_safetensors(path, state):
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, t in state.items():
        data = t.contiguous().numpy().tobytes()
        dtype = {"float32": "F32", "int64": "I64"}[str(t.dtype).removeprefix("torch.")]
        header[name] = {"dtype": dtype, "shape": list(t.shape), "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
        blobs.append(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("family")
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--classes", type=int, default=9)
    p.add_argument("--batch", type=int, default=2)
    p.add_argument("--divide", type=int, default=1)
    p.add_argument("--size", type=int)
    args = p.parse_args()
    torch.set_num_threads(2)
    size = args.size or SIZES.get(args.family, 224)
    model = build(args.family, args.classes, args.divide)
    rng = np.random.default_rng(zlib.crc32(args.family.encode()))
    cells = rng.integers(-16, 17, (args.batch, 3, -(-size // 5), -(-size // 5))).astype(np.float32) / 8
    x = torch.from_numpy(np.ascontiguousarray(cells.repeat(5, 2).repeat(5, 3)[:, :, :size, :size]))
    labels = torch.arange(args.batch) % args.classes
    realistic_statistics(model, x)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    torch.save(state, args.out / f"{args.family}.pth")
    torch.save(state, args.out / f"{args.family}.legacy.pth", _use_new_zipfile_serialization=False)
    save_safetensors(args.out / f"{args.family}.safetensors", state)
    np.savez_compressed(args.out / f"{args.family}.npz", **reference(model, x, labels))


if __name__ == "__main__":
    main()
