#!/usr/bin/env python3
"""What timm's models are called inside, and what they compute (needs timm, torch, numpy).

timm_reference.py names            writes timm_names.json.gz beside itself: {model: {tensor: shape}} for the models whose tensors
                                   have names of timm's own
timm_reference.py logits MODEL DIR writes model.safetensors, model.pth, config.json and model.npz (input, logits, or pooler_output of
                                   a model without a classifier) of the model with random weights
"""
import gzip
import json
import pathlib
import sys

import numpy as np
import timm
import torch
from safetensors.torch import save_file
from timm.models._hub import save_config_for_hf

OWN_NAMES = ("mobilenetv2_100", "efficientnet_b0", "vgg11_bn", "vgg16", "mobilenetv3_large_100", "mobilenetv3_small_100", "convnext_tiny",
             "tf_efficientnetv2_s", "regnety_004", "regnety_016", "regnety_032", "regnety_160", "convnextv2_atto", "convnextv2_tiny",
             "mobilenetv4_conv_small", "mobilenetv4_conv_medium", "mobilenetv4_conv_large")

# With randomise's weights PyTorch's own float32 is 0.6 of the largest logit away from its float64: those of a fresh model serve.
CHAOTIC = "tf_efficientnetv2_s"


def names():
    shapes = {}
    for name in OWN_NAMES:
        state = timm.create_model(name, pretrained=False).state_dict()
        shapes[name] = {k: list(v.shape) for k, v in state.items() if not k.endswith("num_batches_tracked")}
    path = pathlib.Path(__file__).parent / "timm_names.json.gz"
    path.write_bytes(gzip.compress(json.dumps(shapes, separators=(",", ":")).encode(), mtime=0))


def randomise(model):
    for name, p in model.named_parameters():
        if p.dim() > 1:
            torch.nn.init.kaiming_normal_(p)
        elif name.endswith("weight"):
            torch.nn.init.uniform_(p, 0.7, 1.3)
        else:
            torch.nn.init.normal_(p, 0, 0.1)
    for name, b in model.named_buffers():
        if name.endswith("running_mean"):
            b.normal_(0, 0.2)
        elif name.endswith("running_var"):
            b.uniform_(0.5, 1.5)
    return model.eval()


def logits(name, out):
    torch.manual_seed(1)
    model = timm.create_model(name, pretrained=False).eval()
    if not name.startswith(CHAOTIC):
        randomise(model)
    x = torch.randn(2, *model.pretrained_cfg["input_size"])
    with torch.no_grad():
        y = model(x)
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(state, out / "model.safetensors", metadata={"format": "pt"})
    torch.save(state, out / "model.pth")
    save_config_for_hf(model, out / "config.json")
    np.savez(out / "model.npz", input=x.numpy(), **{"logits" if model.num_classes else "pooler_output": y.numpy()})


if __name__ == "__main__":
    if sys.argv[1] == "names":
        names()
    else:
        logits(sys.argv[2], pathlib.Path(sys.argv[3]))
