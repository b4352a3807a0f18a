#!/usr/bin/env python3
"""What torchvision, timm and transformers compute with vision transformers of random weights.

vit_reference.py LIBRARY:MODEL DIR [--size HxW] [--plain] writes model.safetensors (or .pth), config.json where the library has one (not
with --plain), and model.npz: input, and each result by its name. With --size the input has that size, and the library's own resampling
of the table of positions is applied. Real architectures, real widths (needs torch, torchvision, timm, transformers, numpy).
"""
import argparse
import json
import pathlib

import numpy as np
import timm
import torch
import torchvision
import transformers as hf
from safetensors.torch import save_file
from timm.models._hub import save_config_for_hf

SMALL = dict(hidden_size=384, num_attention_heads=6, intermediate_size=1536)
LABELS = {i: f"thing {i}" for i in range(5)}


def transformers_model(name):
    if name == "vit":
        return hf.ViTForImageClassification(hf.ViTConfig(id2label=LABELS))
    if name == "vit_small":
        return hf.ViTModel(hf.ViTConfig(**SMALL))
    if name == "dinov2":
        return hf.Dinov2ForImageClassification(hf.Dinov2Config(id2label=LABELS, image_size=518, **SMALL))
    if name == "dinov2_features":
        return hf.Dinov2Model(hf.Dinov2Config(image_size=518, **SMALL))
    if name == "dinov2_reg":
        return hf.Dinov2WithRegistersModel(hf.Dinov2WithRegistersConfig(image_size=518, patch_size=14, **SMALL))
    texts = dict(hidden_size=64, num_attention_heads=1, intermediate_size=64, num_hidden_layers=2, vocab_size=100)
    if name == "clip":
        return hf.CLIPModel(hf.CLIPConfig(vision_config=dict(patch_size=32, hidden_act="quick_gelu"), text_config=texts))
    if name == "clip_vision":
        return hf.CLIPVisionModel(hf.CLIPVisionConfig())
    if name == "siglip":
        return hf.SiglipModel(hf.SiglipConfig(text_config=texts))
    if name == "siglip_vision":
        return hf.SiglipVisionModel(hf.SiglipVisionConfig())
    if name == "deit":
        return hf.DeiTForImageClassificationWithTeacher(hf.DeiTConfig(id2label=LABELS, **SMALL))
    if name == "beit":
        return hf.BeitForImageClassification(hf.BeitConfig(
            id2label=LABELS, use_relative_position_bias=True, use_shared_relative_position_bias=False, use_mean_pooling=True, layer_scale_init_value=0.1))
    raise SystemExit(name)


def randomise(model):
    """Weights that keep the size of what passes, and tables and tokens that are not zero."""
    for name, p in model.named_parameters():
        if "table" in name or "tok" in name or "embed" in name and p.dim() != 4 or "probe" in name or "latent" in name:
            torch.nn.init.normal_(p, 0, 0.3)
        elif p.dim() > 1:
            torch.nn.init.normal_(p, 0, (2 / p[0].numel()) ** 0.5)
        elif name.endswith("weight") or "gamma" in name or "lambda" in name or "logit" in name:
            torch.nn.init.uniform_(p, 0.7, 1.3)
        else:
            torch.nn.init.normal_(p, 0, 0.1)
    return model.eval()


def transformers_results(model, x, resized):
    options = dict(interpolate_pos_encoding=True) if resized and "Dinov2" not in type(model).__name__ else {}
    if isinstance(model, (hf.CLIPModel, hf.SiglipModel)):
        vision = model.vision_model(x, **options)
        out = {"last_hidden_state": vision.last_hidden_state, "pooler_output": vision.pooler_output}
        if isinstance(model, hf.CLIPModel):
            out["image_embeds"] = model.visual_projection(vision.pooler_output)
        return out
    out = model(x, **options)
    return {k: out[k] for k in ("logits", "last_hidden_state", "pooler_output", "image_embeds") if k in out and out[k] is not None}


def timm_results(model, x):
    y = model(x)
    if model.num_classes:
        return {"logits": y}
    tokens = model.forward_features(x)
    return {"last_hidden_state": tokens, "pooler_output": y} if hasattr(model, "attn_pool") and model.attn_pool else {"last_hidden_state": tokens}


def resized_torchvision(model, name, size):
    state = torchvision.models.vision_transformer.interpolate_embeddings(size[0], model.patch_size, dict(model.state_dict()))
    other = getattr(torchvision.models, name)(num_classes=model.num_classes, image_size=size[0])
    other.load_state_dict(state)
    return other.eval()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("model")
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--size")
    p.add_argument("--plain", action="store_true")
    args = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(2)
    library, name = args.model.split(":")
    size = [int(n) for n in args.size.split("x")] if args.size else None
    with torch.no_grad():
        if library == "torchvision":
            model = randomise(getattr(torchvision.models, name)(num_classes=5))
            x = torch.randn(2, 3, *(size or [224, 224]))
            results = {"logits": (resized_torchvision(model, name, size) if size else model)(x)}
        elif library == "timm":
            model = randomise(timm.create_model(name, dynamic_img_size=size is not None) if size else timm.create_model(name))
            x = torch.randn(2, *(3, *size) if size else model.pretrained_cfg["input_size"])
            results = timm_results(model, x)
        else:
            model = randomise(transformers_model(name))
            config = getattr(model.config, "vision_config", model.config)
            x = torch.randn(2, 3, *(size or [config.image_size] * 2))
            results = transformers_results(model, x, size is not None)
    if library == "transformers":
        model.save_pretrained(args.out)
        if args.plain:
            (args.out / "config.json").unlink()
    else:
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, args.out / "model.safetensors")
        if library == "timm" and not args.plain:
            save_config_for_hf(model, args.out / "config.json")
    np.savez(args.out / "model.npz", input=x.numpy(), **{k: v.numpy() for k, v in results.items()})


if __name__ == "__main__":
    main()
