#!/usr/bin/env python3
"""Export the backbones that people use, narrow and shallow, with what ONNX Runtime computes.

    export_backbones.py OUT [--only REGEX] [--list] [--optimum]

Writes OUT/NAME.WAY.onnx and OUT/NAME.WAY.npz (input, ort_0, ort_1, ..., of training forms torch_eval_0, ...) and prints a line of JSON
for each: name, image size, and the reason where PyTorch or ONNX Runtime itself refuses it; what OUT has already is not made again. A way is an
exporter and an opset, ts for TorchScript's and dyn for dynamo's, with b1 behind it for a fixed batch of one and train for the training form; with
--optimum it is optimum's exporter, for transformers' networks (needs optimum-onnx, and a transformers of its time). Weights are random, by seed.

Needs torch, torchvision, timm, transformers, onnx and onnxruntime.
"""
import argparse
import json
import logging
import os
import pathlib
import re
import warnings
import zlib

import numpy as np
import onnxruntime
import timm
import torch
import torchvision.models as tv
import transformers as hf
from torch import nn

from weights_by_seed import randomise

CLASSES, IMAGES = 10, 3
USUAL = ("ts17", "dyn20")
EVERY = ("ts11", "ts14", "ts17", "ts17b1", "dyn18", "dyn20", "dyn23")
TRAINING = (*USUAL, "ts17train")  # networks with BatchNorm, which evaluation folds into the convolutions


class Picked(nn.Module):
    """A model of transformers, of which the named results are kept, as tensors."""

    def __init__(self, model, *names, **options):
        super().__init__()
        self.model, self.names, self.options = model, names, options

    def forward(self, pixel_values):
        out = self.model(pixel_values=pixel_values, **self.options)
        return tuple(out[name] for name in self.names)


class Towers(nn.Module):
    """A network of image and text with all that it computes of both."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values, input_ids):
        out = self.model(pixel_values=pixel_values, input_ids=input_ids)
        return out.logits_per_image, out.text_embeds, out.image_embeds


def torchvision_networks():
    from torchvision.models import convnext, efficientnet, regnet, resnet, shufflenetv2, swin_transformer, vision_transformer
    conv = efficientnet.FusedMBConvConfig, efficientnet.MBConvConfig

    def vit(size, patch, **options):
        return lambda: vision_transformer.VisionTransformer(
            **{**dict(image_size=size, patch_size=patch, num_layers=2, num_heads=2, hidden_dim=32, mlp_dim=64, num_classes=CLASSES), **options})

    def swin(**options):
        return lambda: swin_transformer.SwinTransformer(
            patch_size=[4, 4], embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=[7, 7], num_classes=CLASSES, **options)

    second = dict(block=swin_transformer.SwinTransformerBlockV2, downsample_layer=swin_transformer.PatchMergingV2)
    norm = dict(norm_layer=lambda n: nn.BatchNorm2d(n, eps=1e-3))
    stages = [convnext.CNBlockConfig(16, 32, 1), convnext.CNBlockConfig(32, 48, 1), convnext.CNBlockConfig(48, None, 2)]
    return {
        "vit_p16": (vit(224, 16), 224, EVERY), "vit_p32_odd": (vit(160, 32), 160, USUAL),
        "vit_b_16_block": (vit(224, 16, num_layers=1, num_heads=12, hidden_dim=768, mlp_dim=3072), 224, ("ts17",)),
        "swin_t": (swin(), 56, USUAL), "swin_v2_t": (swin(**second), 56, USUAL), "swin_t_odd": (swin(), 75, USUAL),
        "efficientnet_v2_s": (lambda: efficientnet.EfficientNet(
            [conv[0](1, 3, 1, 8, 8, 1), conv[0](4, 3, 2, 8, 16, 2), conv[1](4, 3, 2, 16, 24, 2), conv[1](6, 3, 1, 24, 24, 1)],
            0.2, num_classes=CLASSES, last_channel=64, **norm), 97, TRAINING),
        "regnet_y": (lambda: regnet.RegNet(regnet.BlockParams([1, 2], [16, 32], [8, 8], [2, 2], [1, 1], 0.25), num_classes=CLASSES), 65, TRAINING),
        "regnet_x": (lambda: regnet.RegNet(regnet.BlockParams([1, 2], [16, 32], [8, 16], [2, 2], [1, 1]), num_classes=CLASSES), 64, USUAL),
        "resnext": (lambda: resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1], num_classes=CLASSES, groups=8, width_per_group=2), 95, TRAINING),
        "wide_resnet": (lambda: resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1], num_classes=CLASSES, width_per_group=32), 64, USUAL),
        "shufflenet_v2": (lambda: shufflenetv2.ShuffleNetV2([2, 3, 2], [8, 16, 24, 32, 64], num_classes=CLASSES), 95, TRAINING),
        "mnasnet": (lambda: tv.MNASNet(0.35, num_classes=CLASSES), 64, TRAINING),
        "convnext": (lambda: convnext.ConvNeXt(stages, 0.1, num_classes=CLASSES), 64, USUAL),
    }


def timm_networks():
    def net(name, **options):
        return lambda: timm.create_model(name, pretrained=False, **{"num_classes": CLASSES, **options})

    def vit(name, **options):
        return net(name, **{"embed_dim": 32, "depth": 2, "num_heads": 2, **options})

    swin = dict(img_size=64, embed_dim=16, depths=(2, 2), num_heads=(2, 4), window_size=4)
    narrow = dict(depths=[1, 1, 2, 1], dims=[8, 16, 24, 32])
    return {
        "vit_tiny_patch16": (vit("vit_tiny_patch16_224"), 224, EVERY), "vit_patch16_odd": (vit("vit_tiny_patch16_224", img_size=(96, 176)), (96, 176), USUAL),
        "vit_dynamic_size": (vit("vit_tiny_patch16_224", dynamic_img_size=True), (112, 160), USUAL),
        "vit_patch32_features": (vit("vit_small_patch32_224", num_classes=0), 224, USUAL),
        "vit_relpos": (vit("vit_relpos_small_patch16_224"), 224, USUAL),
        "deit_tiny": (vit("deit_tiny_patch16_224"), 224, USUAL), "deit_distilled": (vit("deit_tiny_distilled_patch16_224"), 224, USUAL),
        "deit3": (vit("deit3_small_patch16_224"), 224, USUAL),
        "dinov2": (vit("vit_small_patch14_dinov2", img_size=98), 98, USUAL), "dinov2_features": (vit("vit_small_patch14_dinov2", img_size=98, num_classes=0), 98, USUAL),
        "dinov2_reg4": (vit("vit_small_patch14_reg4_dinov2", img_size=98), 98, EVERY),
        "dinov2_giant": (vit("vit_giant_patch14_dinov2", img_size=98), 98, USUAL),
        "dinov3": (vit("vit_small_patch16_dinov3"), 96, USUAL), "dinov3_qkvb": (vit("vit_small_patch16_dinov3_qkvb", num_classes=0), (80, 112), USUAL),
        "dinov3_plus": (vit("vit_small_plus_patch16_dinov3"), 96, USUAL),
        "convnext_dinov3": (net("convnext_tiny.dinov3_lvd1689m", num_classes=0, **narrow), 96, USUAL),
        "clip": (vit("vit_base_patch32_clip_224"), 224, USUAL), "clip_quickgelu": (vit("vit_base_patch32_clip_quickgelu_224"), 224, USUAL),
        "siglip": (vit("vit_base_patch16_siglip_224"), 224, USUAL), "siglip_features": (vit("vit_base_patch16_siglip_224", num_classes=0), 224, USUAL),
        "siglip2_gap": (vit("vit_base_patch16_siglip_gap_224.v2_webli", num_classes=0), 224, USUAL),
        "siglip_so400m": (vit("vit_so400m_patch14_siglip_224", img_size=98, mlp_ratio=3), 98, USUAL),
        "beit": (vit("beit_base_patch16_224"), 224, USUAL), "beitv2": (vit("beitv2_base_patch16_224"), 224, ("ts17",)),
        "eva02": (vit("eva02_tiny_patch14_224"), 224, USUAL),
        "swin": (net("swin_tiny_patch4_window7_224", **swin), 64, USUAL), "swinv2": (net("swinv2_tiny_window8_256", **swin), 64, USUAL),
        "tf_efficientnetv2_b0": (net("tf_efficientnetv2_b0", channel_multiplier=0.25, depth_multiplier=0.3), 97, TRAINING),
        "mobilenetv4_small": (net("mobilenetv4_conv_small_050"), 97, TRAINING), "mobilenetv4_medium": (net("mobilenetv4_conv_medium"), 96, ("ts17",)),
        "mobilenetv4_hybrid": (net("mobilenetv4_hybrid_medium"), 96, USUAL), "mobilenetv4_blur": (net("mobilenetv4_conv_blur_medium"), 96, ("ts17",)),
        "convnextv2": (net("convnextv2_atto", **narrow), 96, EVERY), "convnextv2_odd": (net("convnextv2_atto", **narrow), (75, 101), USUAL),
        "convnext_features": (net("convnext_atto", num_classes=0, **narrow), 96, USUAL),
        "regnetx": (net("regnetx_002"), 65, USUAL), "regnety": (net("regnety_002"), 64, TRAINING), "regnetz": (net("regnetz_005"), 64, ("ts17",)),
        "resnext": (net("resnext50_32x4d", layers=[1, 1, 1, 1]), 65, USUAL), "wide_resnet": (net("wide_resnet50_2", layers=[1, 1, 1, 1]), 64, ("ts17",)),
        "mnasnet": (net("mnasnet_small"), 65, TRAINING), "mobilevit": (net("mobilevit_xxs"), 64, USUAL), "mobilevit_odd": (net("mobilevit_xxs"), (100, 72), ("ts17",)),
        "mobilevitv2": (net("mobilevitv2_050"), 64, USUAL),
    }


def transformers_networks():
    small = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=CLASSES)

    def model(kind, head, *results, options=None, **settings):
        def make():
            config = getattr(hf, kind + "Config")(**settings)
            return Picked(getattr(hf, kind + head)(config), *results, **(options or {}))
        return make

    def vit(kind, head, *results, options=None, **settings):
        return model(kind, head, *results, options=options, **{**small, **settings})

    texts = {k: v for k, v in small.items() if k != "num_labels"} | dict(vocab_size=50, max_position_embeddings=16, eos_token_id=49, bos_token_id=1, pad_token_id=0)
    image = {k: v for k, v in small.items() if k != "num_labels"} | dict(image_size=96)
    hidden, pooled = "last_hidden_state", "pooler_output"
    conv = dict(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1], num_labels=CLASSES)
    swin = dict(image_size=64, patch_size=2, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4, num_labels=CLASSES)
    beit = dict(image_size=96, use_relative_position_bias=True)
    return {
        "vit": (vit("ViT", "ForImageClassification", "logits"), 224, EVERY), "vit_features": (vit("ViT", "Model", hidden, pooled), 224, USUAL),
        "vit_interpolated": (vit("ViT", "ForImageClassification", "logits", options={"interpolate_pos_encoding": True}), (96, 160), USUAL),
        "deit": (vit("DeiT", "ForImageClassification", "logits"), 224, USUAL), "deit_teacher": (vit("DeiT", "ForImageClassificationWithTeacher", "logits"), 224, USUAL),
        "beit": (vit("Beit", "ForImageClassification", "logits", **beit), 96, USUAL),
        "beit_shared": (vit("Beit", "Model", hidden, pooled, image_size=96, use_shared_relative_position_bias=True), 96, ("ts17",)),
        "dinov2": (vit("Dinov2", "ForImageClassification", "logits", image_size=518), 224, EVERY),
        "dinov2_features": (vit("Dinov2", "Model", hidden, pooled, image_size=518), (98, 154), USUAL),
        "dinov2_reg": (vit("Dinov2WithRegisters", "Model", hidden, pooled, image_size=224, patch_size=14), 112, USUAL),
        "dinov2_reg_logits": (vit("Dinov2WithRegisters", "ForImageClassification", "logits", image_size=112, patch_size=14), 112, USUAL),
        "dinov3_vit": (vit("DINOv3ViT", "Model", hidden, pooled, image_size=224), 224, USUAL), "dinov3_vit_odd": (vit("DINOv3ViT", "Model", hidden, pooled), (80, 112), USUAL),
        "dinov3_gated": (vit("DINOv3ViT", "Model", hidden, pooled, use_gated_mlp=True, hidden_act="silu"), 96, USUAL),
        "dinov3_convnext": (model("DINOv3ConvNext", "Model", hidden, pooled, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1]), 96, EVERY),
        "clip_vision": (vit("CLIPVision", "Model", hidden, pooled), 224, USUAL),
        "clip_projection": (vit("CLIPVision", "ModelWithProjection", "image_embeds", hidden, projection_dim=24), 224, EVERY),
        "clip_classifier": (lambda: Picked(hf.CLIPForImageClassification(hf.CLIPConfig(vision_config=image, text_config=texts, projection_dim=24, num_labels=CLASSES)), "logits"), 96, USUAL),
        "clip": (lambda: Towers(hf.CLIPModel(hf.CLIPConfig(vision_config=image, text_config=texts, projection_dim=24))), 96, EVERY),
        "siglip_vision": (vit("SiglipVision", "Model", hidden, pooled), 224, EVERY),
        "siglip_classifier": (lambda: Picked(hf.SiglipForImageClassification(hf.SiglipConfig(vision_config=image, text_config=texts, num_labels=CLASSES)), "logits"), 96, USUAL),
        "siglip": (lambda: Towers(hf.SiglipModel(hf.SiglipConfig(vision_config=image, text_config=texts))), 96, USUAL),
        "swin": (model("Swin", "ForImageClassification", "logits", **swin), 64, USUAL), "swin_v2": (model("Swinv2", "ForImageClassification", "logits", **swin), 64, USUAL),
        "convnext": (model("ConvNext", "ForImageClassification", "logits", **conv), 96, USUAL), "convnext_features": (model("ConvNext", "Model", hidden, pooled, **conv), 96, USUAL),
        "convnext_v2": (model("ConvNextV2", "ForImageClassification", "logits", **conv), 96, USUAL), "convnext_v2_odd": (model("ConvNextV2", "Model", hidden, pooled, **conv), (75, 101), USUAL),
        "regnet": (model("RegNet", "ForImageClassification", "logits", **conv, embedding_size=8, groups_width=8), 64, TRAINING),
        "efficientnet": (model("EfficientNet", "ForImageClassification", "logits", width_coefficient=0.25, depth_coefficient=0.3, hidden_dim=320, image_size=97, num_labels=CLASSES), 97, USUAL),
        "mobilevit": (model("MobileViT", "ForImageClassification", "logits", hidden_sizes=[16, 24, 32], neck_hidden_sizes=[8, 8, 16, 16, 24, 24, 32], num_labels=CLASSES), 64, USUAL),
        "mobilevit_v2": (model("MobileViTV2", "ForImageClassification", "logits", width_multiplier=0.5, num_labels=CLASSES), 64, USUAL),
    }


def networks(optimum):
    """By library.name.way: how to make it, its size, its way."""
    if optimum:
        return {f"transformers.{name}.optimum": (make, (size, size) if isinstance(size, int) else size, "optimum")
                for name, (make, size, _) in transformers_networks().items()}
    libraries = {"torchvision": torchvision_networks(), "timm": timm_networks(), "transformers": transformers_networks()}
    return {f"{library}.{name}.{way}": (make, (size, size) if isinstance(size, int) else size, way)
            for library, table in libraries.items() for name, (make, size, ways) in table.items() for way in ways}


def export(model, inputs, way, path):
    if way == "optimum":
        export_by_optimum(model.model, path)
        return
    kind, opset = re.fullmatch(r"(ts|dyn)(\d\d)(?:b1|train)?", way).groups()
    names = ["pixel_values", "input_ids"][:len(inputs)]
    common = dict(opset_version=int(opset), input_names=names)
    if kind == "ts":
        axes = None if way.endswith("b1") else {name: {0: f"batch{i}"} for i, name in enumerate(names)}
        training = dict(training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False) if way.endswith("train") else {}
        torch.onnx.export(model, inputs, path, dynamo=False, dynamic_axes=axes, **common, **training)
    else:
        shapes = tuple({0: torch.export.Dim(f"batch{i}")} for i in range(len(names)))
        torch.onnx.export(model, inputs, path, dynamo=True, verbose=False, external_data=False, dynamic_shapes=shapes, **common)


def export_by_optimum(model, path):
    from optimum.exporters.onnx import export as write
    from optimum.exporters.tasks import TasksManager
    task = "image-classification" if "Classification" in type(model).__name__ else "feature-extraction"
    if type(model).__name__ in ("CLIPModel", "SiglipModel"):
        task = "zero-shot-image-classification"
    settings = TasksManager.get_exporter_config_constructor("onnx", model=model, task=task)(model.config, task=task)
    write(model, settings, path, opset=settings.DEFAULT_ONNX_OPSET)


def images(count, size):
    """Smooth fields with detail on top, of few digits."""
    rng = np.random.default_rng(zlib.crc32(repr(size).encode()))
    coarse = rng.standard_normal((count, 3, -(-size[0] // 16), -(-size[1] // 16))).repeat(16, 2).repeat(16, 3)
    x = coarse[:, :, :size[0], :size[1]] + 0.25 * rng.standard_normal((count, 3, *size))
    return torch.from_numpy((np.round(x * 16) / 16).astype(np.float32))


def reference(model, x, others, way, path):
    """What ONNX Runtime computes, and of a training form, whose statistics are the batch's there, what PyTorch does in evaluation.
    Both must agree, else the export is wrong; training forms are compared with PyTorch alone, and those of optimum, which gives other outputs, with ONNX Runtime alone."""
    with torch.no_grad():
        want = model(x, *others)
    want = [t.numpy() for t in (want if isinstance(want, tuple) else (want,))]
    session = onnxruntime.InferenceSession(path)
    values = {"pixel_values": x, **dict(zip(["input_ids"], others)), "attention_mask": torch.ones_like(others[0]) if others else None}
    outputs = session.run(None, {i.name: values[i.name].numpy() for i in session.get_inputs()})
    if way == "optimum":
        want = outputs  # it has its own choice of outputs
    if way.endswith("train"):
        outputs = want
    for got, t in zip(outputs, want):
        error = np.abs(got - t).max() / np.abs(t).max()
        if not error <= 1e-4:
            raise ValueError(f"ONNX Runtime is {error:.0e} away from PyTorch")
    key = "torch_eval" if way.endswith("train") else "ort"
    np.savez(path.with_suffix(".npz"), **{f"{key}_{i}": o for i, o in enumerate(outputs)}, input=x.numpy())


def attempt(name, make, size, way, out):
    path = out / f"{name}.onnx"
    torch.manual_seed(1)
    try:
        model = make().eval()
        randomise(model)
        text = (torch.tensor([[1, 5, 7, 49]] * 2),) if isinstance(model, Towers) else ()
        export(model, (images(1 if way.endswith("b1") else 2, size), *text), way, path)
        model.eval()
        reference(model, images(1 if way.endswith("b1") else IMAGES, size), text, way, path)
    except Exception as e:  # whatever stops an exporter is what the table says of it
        return re.sub(r"\x1b\[\d+m", "", f"{type(e).__name__}: {e}").splitlines()[0][:160]
    return ""


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=pathlib.Path, nargs="?")
    p.add_argument("--only", default="", metavar="REGEX")
    p.add_argument("--list", action="store_true")
    p.add_argument("--optimum", action="store_true")
    args = p.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    onnxruntime.set_default_logger_severity(3)
    torch.set_num_threads(1)
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # exporters print graphs
    for name, (make, size, way) in networks(args.optimum).items():
        if not re.search(args.only, name):
            continue
        done = args.list or (args.out / f"{name}.npz").exists()
        reason = "" if done else attempt(name, make, size, way, args.out)
        print(json.dumps({"name": name, "size": size, "left_out": reason}), file=results, flush=True)


if __name__ == "__main__":
    main()
