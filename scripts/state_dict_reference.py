#!/usr/bin/env python3
"""Write the state dict of a torchvision network with random weights, and what PyTorch computes with it.

    state_dict_reference.py FAMILY OUT_FOLDER [--classes N] [--batch N] [--divide N] [--size PX] [--samples N] [--optimizers]

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
and with --optimizers, for each of OPTIMIZERS
  OPTIMIZER.losses     the loss at the beginning of each of three steps on this batch
  OPTIMIZER.end        behind the third: a row for each parameter and running statistic, in the order of their names,
                       with elements from the first to the last at equal distances
  own.OPTIMIZER.losses, own.OPTIMIZER.end  the largest distance of RUNS from a loss, and from the elements of a row
computed in float64, but for what begins with own, on the CPU with two threads. --divide N divides all channel counts, for
small files.

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
    results["loss"] = backward(model, x, labels)
    results |= {"grad." + name: p.grad for name, p in model.named_parameters()}
    results |= {"after." + name: b for name, b in running(model)}
    return arrays(results)


def backward(model, x, labels):
    """The loss in training form; the gradients are left in the parameters."""
    model.train()
    logits = outputs(model, x)
    loss = F.cross_entropy(logits[0], labels) + sum(0.4 * F.cross_entropy(o, labels) for o in logits[1:])
    loss.backward()
    return loss


def running(model):
    return [(name, b) for name, b in model.named_buffers() if name.endswith(("running_mean", "running_var"))]


def arrays(results):
    return {name: t.detach().contiguous().numpy() for name, t in results.items()}


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=1e-4, momentum=0.9, weight_decay=0.05),
    "nesterov": lambda p: torch.optim.SGD(p, lr=1e-4, momentum=0.9, weight_decay=0.05, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-4, eps=1e-3),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-4, eps=1e-3, weight_decay=1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-2, momentum=0.9),
}


def optimized(model, x, labels):
    """Three steps of each optimizer."""
    results = {}
    for optimizer, make in OPTIMIZERS.items():
        trained = copy.deepcopy(model)
        solver = make(trained.parameters())
        losses = []
        for _ in range(3):
            solver.zero_grad()
            losses.append(backward(trained, x, labels).detach())
            solver.step()
        results[optimizer + ".losses"] = torch.stack(losses)
        results[optimizer + ".end"] = torch.stack([row(t) for _, t in sorted([*trained.named_parameters(), *running(trained)])])
    return arrays(results)


def row(t):
    """Eight elements of t."""
    flat = t.detach().flatten()
    return flat[torch.linspace(0, len(flat) - 1, 8, dtype=torch.float64).long()]


def without_onednn(compute, model, x, labels):
    """Convolutions as products of matrices."""
    with torch.backends.mkldnn.flags(enabled=False):
        return compute(model, x, labels)


# Ways to compute in float32 that leave the mathematics alone, or nearly so.
RUNS = {
    "plain": lambda compute, model, x, labels: compute(model, x, labels),
    "scaled": lambda compute, model, x, labels: compute(model, x * (1 + 1e-6), labels),
    "channels_last": lambda compute, model, x, labels: compute(
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
        results = run(step, copy.deepcopy(model), x, labels)
        for name, want in exact.items():
            own[name].append(distances(results[name], want, samples))
    kept = {}
    for name, want in exact.items():
        kept[name] = want if name == "eval" else sampled(want, samples)
        kept["norm." + name] = np.linalg.norm(want).reshape(1)
        kept["own." + name] = np.array(own[name])
    return kept


def optimized_reference(model, x, labels):
    exact = optimized(copy.deepcopy(model).double(), x.double(), labels)
    runs = [run(optimized, copy.deepcopy(model), x, labels) for run in RUNS.values()]
    own = {name: np.max([np.abs(r[name] - want) for r in runs], axis=0) for name, want in exact.items()}
    return exact | {"own." + name: d if d.ndim == 1 else d.max(axis=1) for name, d in own.items()}


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
    p.add_argument("--optimizers", action="store_true")
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
    results = {"input": x.numpy(), "labels": labels.numpy()} | reference(model, x, labels, args.samples)
    if args.optimizers:
        results |= optimized_reference(model, x, labels)
    np.savez_compressed(args.out / f"{args.family}.npz", **{name: a.astype(np.float32) for name, a in results.items()})


if __name__ == "__main__":
    main()
