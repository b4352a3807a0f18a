#!/usr/bin/env python3
"""Check ONNX files with onnx.checker and ONNX Runtime.

    check_onnx.py REF.npz FILE[=TOLERANCE]...

Every file must pass onnx.checker (full check), open in ONNX Runtime without a warning, and give for the
array "input" the array "eval" as its first output, within TOLERANCE (default 1e-4) of the largest value.

Needs onnx, onnxruntime and numpy.
"""
import argparse
import sys

import numpy as np
import onnx
import onnxruntime as ort


def check(path, tolerance, reference):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.log_severity_level = 2
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    got = session.run(None, {session.get_inputs()[0].name: reference["input"]})
    want = reference["eval"]
    error = float(np.abs(got[0] - want).max() / np.abs(want).max())
    opset = model.opset_import[0].version
    print(f"{path}: opset {opset}, {len(got)} outputs, relative error {error:.1e}")
    return got[0].shape == want.shape and error <= tolerance


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("reference")
    p.add_argument("files", nargs="+")
    args = p.parse_args()
    with np.load(args.reference) as arrays:
        reference = {name: arrays[name] for name in ("input", "eval")}
    good = True
    for text in args.files:
        path, _, tolerance = text.partition("=")
        good &= check(path, float(tolerance or 1e-4), reference)
    sys.exit(0 if good else "a file is beyond its tolerance")


if __name__ == "__main__":
    main()
