#!/usr/bin/env python3
"""Inference with ONNX Runtime."""
import common

a = common.parse(common.arguments(__doc__, 10))
import onnxruntime as ort

options = ort.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = a.threads, 1
session = ort.InferenceSession(a.model, options, providers=["CPUExecutionProvider"])
photos = session.get_inputs()[0]
feed = {photos.name: common.noise(a.batch, photos.shape[3])}
common.measure(f"ONNX Runtime {ort.__version__}", a.batch, a.runs, lambda: session.run(None, feed))
