#!/usr/bin/env python3
"""Make the reference outputs of an ONNX model with ONNX Runtime, for `regraft verify MODEL --against REF.npz`.

    make_reference.py MODEL.onnx REF.npz [--images N] [--size PX] [--seed N] [--layers]

REF.npz holds `input`, random photos-like values, and the outputs `ort_0`, `ort_1`, ... With --layers it holds what every
node computes as `layer.NODE` too, for `regraft verify --layers`: tens of MB a photo.

Needs onnxruntime and numpy, and onnx for --layers.
"""
import argparse

import numpy as np
import onnxruntime as ort


def shape_of(value, images, size):
    """The input's shape with its open sizes settled, and whether channels come last."""
    dims = [d if isinstance(d, int) and d > 0 else 0 for d in value.shape]
    if len(dims) != 4:
        raise SystemExit(f"input {value.name} has shape {value.shape}: images are needed")
    last = dims[3] in (1, 3) and dims[1] not in (1, 3)
    rows, cols = (1, 2) if last else (2, 3)
    for axis in (rows, cols):
        dims[axis] = dims[axis] or size
        if not dims[axis]:
            raise SystemExit("the model leaves the image size open: give --size")
    dims[0] = dims[0] or images
    channel = 3 if last else 1
    dims[channel] = dims[channel] or 3
    return dims, last


def photos(shape, last, seed):
    """Smooth random fields with detail on top, in the range of normalised photos; few digits, so that the file is small."""
    n, a, b, c = shape
    channels, rows, cols = (c, a, b) if last else (a, b, c)
    rng = np.random.default_rng(seed)
    coarse = rng.standard_normal((n, channels, -(-rows // 16), -(-cols // 16)))
    x = coarse.repeat(16, 2).repeat(16, 3)[:, :, :rows, :cols] + 0.25 * rng.standard_normal((n, channels, rows, cols))
    x = np.round(x * 16) / 16
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1) if last else x, dtype=np.float32)


def with_layers(path):
    """The model with the result of every node as a further output, and the names of these nodes."""
    import onnx
    model = onnx.load(path)
    nodes = [n for n in model.graph.node if n.op_type != "Constant" and n.output[0] not in {o.name for o in model.graph.output}]
    for n in nodes:
        model.graph.output.add().name = n.output[0]
    return model.SerializeToString(), [n.name or f"{n.op_type} writing {', '.join(n.output)}" for n in nodes]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("out", metavar="REF.npz")
    p.add_argument("--images", type=int, default=4, help="where the model leaves their number open (default: 4)")
    p.add_argument("--size", type=int, default=0, help="where the model leaves the size of the image open")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--layers", action="store_true", help="what every node computes as well")
    args = p.parse_args()
    model, layers = with_layers(args.model) if args.layers else (args.model, [])
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise SystemExit(f"the model has {len(inputs)} inputs, one image is needed")
    shape, last = shape_of(inputs[0], args.images, args.size)
    x = photos(shape, last, args.seed)
    results = session.run(None, {inputs[0].name: x})
    outputs, inner = results[:len(results) - len(layers)], results[len(results) - len(layers):]
    arrays = {f"ort_{i}": o for i, o in enumerate(outputs)}
    arrays |= {f"layer.{name}": r for name, r in zip(layers, inner) if r.dtype == np.float32 and r.shape[:1] == (len(x),)}
    np.savez_compressed(args.out, input=x, **arrays)
    print(f"{args.out}: {shape[0]} images, {len(arrays)} outputs (onnxruntime {ort.__version__})")


if __name__ == "__main__":
    main()
