#!/usr/bin/env python3
"""Classifies one photo with ONNX Runtime and Pillow; the whole process is timed by the caller."""
import common

p = common.arguments(__doc__, 1)
p.add_argument("photo")
a = common.parse(p)
import onnxruntime as ort

options = ort.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = a.threads, 1
session = ort.InferenceSession(a.model, options, providers=["CPUExecutionProvider"])
logits = session.run(None, {session.get_inputs()[0].name: common.photo(a.photo)})[0][0]
print(a.photo, int(logits.argmax()))
