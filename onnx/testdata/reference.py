#!/usr/bin/env python3
"""Judges ONNX files with the reference tools (needs onnx, onnxruntime, numpy).

reference.py MODEL.onnx REFERENCE.npz [MODEL.onnx REFERENCE.npz ...]
    Runs onnx.checker with full type and shape inference, then the model in ONNX Runtime on the array
    "input" (of the shape "shape") of REFERENCE, and prints one line of JSON for every model: the largest
    absolute difference over the largest absolute value of "output_0", "output_1", ... of REFERENCE.

reference.py --operators OLDEST NAME...
    Prints what ONNX defines for opsets from OLDEST on:
    {NAME: {"since": first opset, "operands": [least, most (-1: any)]}}.
"""
import json
import sys


def check(model, reference):
    import numpy as np
    import onnx
    import onnxruntime

    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    arrays = np.load(reference)
    image = arrays["input"].reshape(arrays["shape"])
    worst = []
    for i, values in enumerate(session.run(None, {session.get_inputs()[0].name: image})):
        want = arrays["output_%d" % i].reshape(values.shape)
        worst.append(float(np.abs(values - want).max() / np.abs(want).max()))
    print(json.dumps({"outputs": [o.name for o in session.get_outputs()], "distance": worst}))


def operators(oldest, names):
    from onnx import defs

    known = {}
    for name in names:
        versions = sorted((s for s in defs.get_all_schemas_with_history() if s.domain == "" and s.name == name), key=lambda s: s.since_version)
        if not versions:
            continue
        replaced = [s for s in versions if s.since_version <= oldest][:-1]
        used = [s for s in versions if s not in replaced]
        most = max(s.max_input for s in used)
        known[name] = {
            "since": versions[0].since_version,
            "operands": [min(s.min_input for s in used), -1 if most >= 1 << 30 else most],
        }
    print(json.dumps(known))


if __name__ == "__main__":
    if sys.argv[1] == "--operators":
        operators(int(sys.argv[2]), sys.argv[3:])
    else:
        for pair in zip(sys.argv[1::2], sys.argv[2::2]):
            check(*pair)
