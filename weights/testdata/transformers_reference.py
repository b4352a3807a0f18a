#!/usr/bin/env python3
"""What transformers computes with random weights, and with which files beside them (needs transformers, torch, numpy).

transformers_reference.py MODEL DIR writes model.safetensors, config.json, preprocessor_config.json and model.npz (input, logits, or
pooler_output of a model without a classifier); MODEL is resnet18, resnet50, convnext_tiny, convnextv2_atto or dinov3_convnext_tiny
"""
import json
import pathlib
import sys

import numpy as np
import torch
from transformers import (ConvNextConfig, ConvNextForImageClassification, ConvNextV2Config, ConvNextV2ForImageClassification, DINOv3ConvNextConfig,
                          DINOv3ConvNextModel, ResNetConfig, ResNetForImageClassification)

from timm_reference import randomise

LABELS = {i: f"thing {i}" for i in range(5)}


def build(name):
    if name == "convnext_tiny":
        return ConvNextForImageClassification(ConvNextConfig(id2label=LABELS))
    if name == "convnextv2_atto":
        return ConvNextV2ForImageClassification(ConvNextV2Config(id2label=LABELS, depths=[2, 2, 6, 2], hidden_sizes=[40, 80, 160, 320]))
    if name == "dinov3_convnext_tiny":
        return DINOv3ConvNextModel(DINOv3ConvNextConfig())
    options = {}
    if name == "resnet18":
        options = dict(layer_type="basic", depths=[2, 2, 2, 2], hidden_sizes=[64, 128, 256, 512])
    return ResNetForImageClassification(ResNetConfig(id2label=LABELS, **options))


def main(name, folder):
    torch.manual_seed(1)
    model = randomise(build(name))
    x = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        out = model(x)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({
        "crop_pct": 0.875, "do_normalize": True, "do_resize": True, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.4],
        "image_processor_type": "ConvNextImageProcessor", "resample": 3, "rescale_factor": 1 / 255, "size": {"shortest_edge": 224}}))
    np.savez(folder / "model.npz", input=x.numpy(), **{k: out[k].numpy() for k in ("logits", "pooler_output") if k in out})


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
