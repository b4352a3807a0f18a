#!/usr/bin/env python3
"""Inference with OpenVINO in float32, the batch fixed, which is its fastest exact form."""
import common

a = common.parse(common.arguments(__doc__, 10))
import openvino as ov

core = ov.Core()
model = core.read_model(a.model)
model.reshape([a.batch, 3, common.SIZE, common.SIZE])
request = core.compile_model(model, "CPU", {
    "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": a.threads,
    "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}).create_infer_request()
x = ov.Tensor(common.noise(a.batch))
request.set_input_tensor(x)
common.measure(f"OpenVINO {ov.__version__.split('-')[0]}", a.batch, a.runs, request.infer)
