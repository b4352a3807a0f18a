#!/usr/bin/env python3
"""Write the state dict of a torchvision network with random weights, and what PyTorch computes with it.

    state_dict_reference.py FAMILY OUT_FOLDER [--classes N] [--batch N] [--divide N] [--size PX] [--samples N]

FAMILY.pth (zip format), FAMILY.legacy.pth, FAMILY.safetensors and FAMILY.npz with
  input        float32 (N, 3, size, size)
  labels       float32 (N), class ids
  eval         logits in inference form
  loss         cross entropy of one step in training form with Dropout off: main + 0.4 * each auxiliary
  grad.NAME    its gradients: at most --samples elements of each, at equal distances
  after.NAME   BatchNorm's running statistics after the step, likewise
  norm.NAME    of each of these, the Euclidean norm of all elements
  own.NAME     of each of these, how far PyTorch is from it in float32: a row for each of RUNS, with the largest
               difference of the elements kept, the Euclidean norm of these differences, and that of all elements
computed in float64, but for own.NAME, on the CPU with two threads. --divide N divides all channel counts, for small files.

Needs torch, torchvision and numpy.
"""
import argparse
import copy
import json
import pathlib
import struct
import zlib

import numpy as np
import torch
import torch.nn.functional as F

import random_networks
import steady


def outputs(model, x):
    """The logits as a list, main first, then the auxiliary ones in the module's order."""
    out = model(x)
    if isinstance(out, torch.Tensor):
        return [out]
    return [t for t in out if isinstance(t, torch.Tensor)]


def step(model, x, labels):
    """All results by name, in the precision of model and x."""
    results = {}
    model.eval()
    with torch.no_grad():
        results["eval"] = outputs(model, x)[0]
    model.train()
    logits = outputs(model, x)
    loss = F.cross_entropy(logits[0], labels) + sum(0.4 * F.cross_entropy(o, labels) for o in logits[1:])
    loss.backward()
    results["loss"] = loss
    results |= {"grad." + name: p.grad for name, p in model.named_parameters()}
    results |= {"after." + name: b for name, b in model.named_buffers() if name.endswith(("running_mean", "running_var"))}
    return {name: t.detach().contiguous().numpy() for name, t in results.items()}


def without_onednn(model, x, labels):
    """Convolutions as products of matrices."""
    with torch.backends.mkldnn.flags(enabled=False):
        return step(model, x, labels)


# Steps in float32 that leave the mathematics alone, or nearly so.
RUNS = {
    "plain": step,
    "scaled": lambda model, x, labels: step(model, x * (1 + 1e-6), labels),
    "channels_last": lambda model, x, labels: step(
        model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last), labels),
    "without_onednn": without_onednn,
}


def sampled(a, samples):
    """Elements of a, at most so many of them, at equal distances."""
    flat = a.reshape(-1)
    return np.ascontiguousarray(flat[::max(1, flat.size // samples)][:samples])


def distances(got, want, samples):
    difference = got - want
    kept = sampled(difference, samples)
    return [np.abs(kept).max(), np.linalg.norm(kept), np.linalg.norm(difference)]


def reference(model, x, labels, samples):
    exact = step(copy.deepcopy(model).double(), x.double(), labels)
    own = {name: [] for name in exact}
    for run in RUNS.values():
        results = run(copy.deepcopy(model), x, labels)
        for name, want in exact.items():
            own[name].append(distances(results[name], want, samples))
    arrays = {"input": x.numpy(), "labels": labels.numpy()}
    for name, want in exact.items():
        arrays[name] = want if name == "eval" else sampled(want, samples)
        arrays["norm." + name] = np.linalg.norm(want).reshape(1)
        arrays["own." + name] = np.array(own[name])
    return {name: a.astype(np.float32) for name, a in arrays.items()}


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
    p.add_argument("--samples", type=int, default=256)
    args = p.parse_args()
    torch.set_num_threads(2)
    size = args.size or random_networks.size(args.family)
    model = random_networks.build(args.family, args.classes, args.divide)
    rng = np.random.default_rng(zlib.crc32(args.family.encode()))
    cells = rng.integers(-16, 17, (args.batch, 3, -(-size // 5), -(-size // 5))).astype(np.float32) / 8
    x = torch.from_numpy(np.ascontiguousarray(cells.repeat(5, 2).repeat(5, 3)[:, :, :size, :size]))
    labels = torch.arange(args.batch) % args.classes
    steady.settle(model, x)
    random_networks.realistic_statistics(model, x)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    torch.save(state, args.out / f"{args.family}.pth")
    torch.save(state, args.out / f"{args.family}.legacy.pth", _use_new_zipfile_serialization=False)
    save_safetensors(args.out / f"{args.family}.safetensors", state)
    np.savez_compressed(args.out / f"{args.family}.npz", **reference(model, x, labels, args.samples))


if __name__ == "__main__":
    main()
