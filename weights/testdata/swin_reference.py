#!/usr/bin/env python3
"""swin_reference.py LIBRARY:MODEL DIR [--train] writes model.safetensors (with config.json where the library has one) of a Swin transformer
with random weights and model.npz: input, logits, and with --train labels, loss and gradient.NAME of the mean cross entropy, in float64
(needs torch, torchvision, timm, transformers, safetensors)."""
import argparse
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file


def make(library, name, out):
    if library == "torchvision":
        import torchvision
        return getattr(torchvision.models, name)(weights=None), lambda y: y
    if library == "timm":
        import timm
        from timm.models._hub import save_config_for_hf
        model = timm.create_model(name, pretrained=False)
        save_config_for_hf(model, out / "config.json")
        return model, lambda y: y
    import transformers
    kind = {"swin": "Swin", "swinv2": "Swinv2"}[name]
    options = {"window_size": 8, "image_size": 256} if name == "swinv2" else {}
    config = getattr(transformers, kind + "Config")(num_labels=1000, **options)
    config.save_pretrained(out)
    return getattr(transformers, kind + "ForImageClassification")(config), lambda y: y.logits


def randomise(model):
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("logit_scale"):
                p.copy_(torch.rand(p.shape, generator=random) + 2)  # about 10, with which they begin
            elif p.dim() < 2:
                p.add_(0.2 * torch.randn(p.shape, generator=random))
            else:
                p.copy_(torch.randn(p.shape, generator=random) * p[0].numel() ** -0.5)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("model")
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--train", action="store_true")
    args = p.parse_args()
    library, name = args.model.split(":")
    torch.manual_seed(1)
    model, pick = make(library, name, args.out)
    model.eval()
    randomise(model)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, args.out / "model.safetensors", metadata={"format": "pt"})
    size = 256 if "v2" in name else 224
    images = (torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(2)) * 16).round() / 16
    model.double()
    with torch.set_grad_enabled(args.train):
        y = pick(model(images.double()))
    arrays = {"input": images.numpy(), "logits": y.detach().float().numpy()}
    if args.train:
        labels = torch.tensor([3])
        loss = torch.nn.functional.cross_entropy(y, labels)
        loss.backward()
        arrays["labels"], arrays["loss"] = labels.numpy().astype(np.float32), loss.detach().float().numpy()
        for name, parameter in model.named_parameters():
            arrays["gradient." + name] = parameter.grad.float().numpy()
    np.savez(args.out / "model.npz", **arrays)


if __name__ == "__main__":
    main()
