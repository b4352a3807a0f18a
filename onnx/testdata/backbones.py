#!/usr/bin/env python3
"""Makes the folder backbones: narrow networks of the families that are used today as PyTorch's two exporters write them, with what
ONNX Runtime and PyTorch compute (needs torch 2.9 or newer, torchvision, timm, transformers, onnx, onnxruntime).
Names as arguments make some of them.

Weights are random; the batch is open except where the name ends in b1. Networks without a classifier have last_hidden_state and
pooler_output. The file NAME.npz holds images, ort_0, ort_1, ... and torch_eval_0, ...; those of TRAINED have labels, loss and the
gradients of the mean cross entropy too, by PyTorch's names.
"""
import gzip
import logging
import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "peers"))
from weights_by_seed import randomise

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
onnxruntime.set_default_logger_severity(3)
HERE = pathlib.Path(__file__).parent / "backbones"
CLASSES, IMAGES = 5, 3


class Outputs(nn.Module):
    """A model of transformers, with tensors for results."""

    def __init__(self, model, pick):
        super().__init__()
        self.model, self.pick = model, pick

    def forward(self, pixels):
        return self.pick(self.model(pixels))


def logits(model):
    return Outputs(model, lambda out: out.logits)


def features(model):
    return Outputs(model, lambda out: (out.last_hidden_state, out.pooler_output))


def torchvision_vit():
    from torchvision.models.vision_transformer import VisionTransformer
    return VisionTransformer(image_size=8, patch_size=4, num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=24, num_classes=CLASSES)


def torchvision_swin(second=False):
    from torchvision.models import swin_transformer as swin
    kinds = dict(block=swin.SwinTransformerBlockV2, downsample_layer=swin.PatchMergingV2) if second else {}
    return swin.SwinTransformer(patch_size=[2, 2], embed_dim=8, depths=[2], num_heads=[2], window_size=[4, 4], mlp_ratio=2, num_classes=CLASSES, **kinds)


def timm_net(name, **options):
    import timm
    return timm.create_model(name, pretrained=False, num_classes=CLASSES, **options)


def timm_vit(name, **options):
    return timm_net(name, **{"img_size": 8, "patch_size": 4, "embed_dim": 16, "depth": 1, "num_heads": 2, **options})


def timm_swin(name):
    """Two stages of two blocks, the second of each with rolled windows."""
    small = dict(img_size=32, patch_size=2, embed_dim=8, depths=(2, 2), num_heads=(2, 2), window_size=4)
    return timm_net(name, **small)


def timm_swin_v2():
    """A stage of two blocks, the second with rolled windows."""
    return timm_net("swinv2_tiny_window8_256", img_size=8, patch_size=2, embed_dim=8, depths=(2,), num_heads=(2,), window_size=2)


def config(kind, **options):
    import transformers
    small = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, image_size=8, patch_size=4, num_labels=CLASSES)
    return getattr(transformers, kind + "Config")(**{**small, **options})


def hf(kind, model, **options):
    import transformers
    return getattr(transformers, kind + model)(config(kind, **options))


def hf_swin():
    import transformers
    return logits(transformers.SwinForImageClassification(transformers.SwinConfig(
        image_size=16, patch_size=2, embed_dim=8, depths=[2], num_heads=[2], window_size=4, mlp_ratio=2.0, num_labels=CLASSES)))


def hf_swin_v2():
    import transformers
    return logits(transformers.Swinv2ForImageClassification(transformers.Swinv2Config(
        image_size=8, patch_size=2, embed_dim=8, depths=[2], num_heads=[2], window_size=2, mlp_ratio=2.0, num_labels=CLASSES)))


def hf_mobilevit():
    import transformers
    return logits(transformers.MobileViTForImageClassification(transformers.MobileViTConfig(
        hidden_sizes=[8, 8, 12], neck_hidden_sizes=[4, 4, 4, 8, 8, 8, 16], num_attention_heads=2, expand_ratio=2.0, num_labels=CLASSES)))


def adaptive_pool():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d((3, 4)), nn.Flatten(), nn.Linear(48, CLASSES))


def clip_projection():
    return Outputs(hf("CLIPVision", "ModelWithProjection", projection_dim=6), lambda out: out.image_embeds)


def of_map(layer):
    """A layer on maps of 8 channels, 6 x 6."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, CLASSES)).eval()


class Tokens(nn.Module):
    """A layer on tokens as one on maps; more is what it is told beside them."""

    def __init__(self, layer, *more):
        super().__init__()
        self.layer, self.more = layer, more

    def forward(self, x):
        n, c, h, w = x.shape
        return self.layer(x.flatten(2).transpose(1, 2), *self.more).transpose(1, 2).reshape(n, c, h, w)


def multi_query():
    from timm.layers import MultiQueryAttention2d
    return of_map(MultiQueryAttention2d(8, num_heads=3, key_dim=4, value_dim=5, kv_stride=2))


def linear_attention():
    from timm.models.mobilevit import LinearSelfAttention
    return of_map(LinearSelfAttention(8))


def channel_attention():
    from timm.models.xcit import XCA
    return of_map(Tokens(XCA(8, num_heads=2, qkv_bias=True)))


def map_attention():
    from timm.models.maxxvit import Attention2d
    from timm.layers import RelPosBias
    return of_map(Attention2d(8, dim_head=4, rel_pos_cls=lambda num_heads, **_: RelPosBias((6, 6), num_heads)))


def levit_conv():
    from timm.models.levit import Attention
    return of_map(Attention(8, 4, num_heads=2, attn_ratio=2, use_conv=True, resolution=(6, 6)))


def embeddings():
    class Normalised(nn.Module):
        def __init__(self):
            super().__init__()
            self.tower = clip_projection()

        def forward(self, pixels):
            x = self.tower(pixels)
            return x / x.norm(p=2, dim=-1, keepdim=True), nn.functional.normalize(x, dim=-1)
    return Normalised()


NETWORKS = {  # name: (model, size, exporter and opset)
    "torchvision_vit.ts17": (torchvision_vit, 8), "torchvision_vit.dyn18": (torchvision_vit, 8), "torchvision_vit.dyn23": (torchvision_vit, 8),
    "torchvision_swin.ts17": (torchvision_swin, 16), "torchvision_swin.dyn20": (torchvision_swin, 12),
    "torchvision_swin_v2.ts17": (lambda: torchvision_swin(True), 16), "torchvision_swin_v2.dyn20": (lambda: torchvision_swin(True), 16),
    "timm_swin_v2.ts17": (timm_swin_v2, 8), "timm_swin_v2.dyn23": (timm_swin_v2, 8),
    "hf_swin_v2.ts17": (hf_swin_v2, 8), "hf_swin_v2.dyn20": (hf_swin_v2, 8),
    "timm_vit.ts14": (lambda: timm_vit("vit_tiny_patch16_224"), 8), "timm_vit.ts17b1": (lambda: timm_vit("vit_tiny_patch16_224"), 8),
    "timm_deit.dyn20": (lambda: timm_vit("deit_tiny_distilled_patch16_224"), 8), "timm_beit.ts17": (lambda: timm_vit("beit_base_patch16_224"), 8),
    "timm_dinov2_reg.dyn23": (lambda: timm_vit("vit_small_patch14_reg4_dinov2", img_size=12), 12),
    "timm_swin.dyn23": (lambda: timm_swin("swin_tiny_patch4_window7_224"), 32),
    "timm_eva02.dyn23": (lambda: timm_vit("eva02_tiny_patch14_224"), 8),
    "timm_convnextv2.ts17": (lambda: timm_net("convnextv2_atto", depths=[1] * 4, dims=[4, 4, 8, 12]), 32),
    "timm_convnextv2.dyn20": (lambda: timm_net("convnextv2_atto", depths=[1] * 4, dims=[4, 4, 8, 12]), 32),
    "hf_vit.ts17": (lambda: logits(hf("ViT", "ForImageClassification")), 8), "hf_vit.dyn20": (lambda: logits(hf("ViT", "ForImageClassification")), 8),
    "hf_vit_features.dyn23": (lambda: features(hf("ViT", "Model")), 8),
    "hf_beit.ts17": (lambda: logits(hf("Beit", "ForImageClassification", use_relative_position_bias=True)), 8),
    "hf_dinov2.ts17": (lambda: logits(hf("Dinov2", "ForImageClassification", image_size=20)), 12),
    "hf_dinov2_features.dyn18": (lambda: features(hf("Dinov2", "Model", image_size=8)), 12),
    "hf_dinov3.ts17": (lambda: features(hf("DINOv3ViT", "Model")), 8),
    "hf_clip.ts17": (clip_projection, 8), "hf_clip.dyn23": (clip_projection, 8),
    "multi_query.ts17": (multi_query, 6), "multi_query.dyn20": (multi_query, 6),
    "linear_attention.ts17": (linear_attention, 6), "linear_attention.dyn20": (linear_attention, 6),
    "channel_attention.ts17": (channel_attention, 6), "map_attention.ts17": (map_attention, 6), "levit_conv.ts17": (levit_conv, 6),
    "hf_embeddings.ts17": (embeddings, 8), "hf_embeddings.dyn20": (embeddings, 8),
    "hf_siglip.ts17b1": (lambda: features(hf("SiglipVision", "Model")), 8),
    "hf_siglip.dyn20": (lambda: features(hf("SiglipVision", "Model")), 8),
    "hf_swin.ts17": (hf_swin, 16), "hf_mobilevit.ts17": (hf_mobilevit, 64), "adaptive_pool.dyn20": (adaptive_pool, 9),
}

TRAINED = ["torchvision_swin_v2.ts17", "torchvision_swin_v2.dyn20", "timm_swin_v2.ts17", "timm_swin_v2.dyn23", "hf_swin_v2.ts17", "torchvision_vit.dyn18", "torchvision_swin.dyn20", "hf_vit.dyn20", "timm_convnextv2.ts17", "timm_beit.ts17", "timm_swin.dyn23", "timm_eva02.dyn23", "timm_deit.dyn20",
           "multi_query.ts17", "multi_query.dyn20", "linear_attention.ts17", "linear_attention.dyn20", "channel_attention.ts17", "map_attention.ts17", "levit_conv.ts17"]


def export(model, size, way, path):
    open_batch = not way.endswith("b1")
    images = torch.randn(2 if open_batch else 1, 3, size, size)
    opset = int(way.removesuffix("b1")[-2:])
    if way.startswith("ts"):
        torch.onnx.export(model, (images,), path, opset_version=opset, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "N"}} if open_batch else None)
        return
    shapes = ({0: torch.export.Dim("N")},) if open_batch else None
    torch.onnx.export(model, (images,), path, opset_version=opset, dynamo=True, verbose=False, external_data=False, input_names=["x"], dynamic_shapes=shapes)


def strip(path):
    """Leave of the metadata what names the modules: the rest are this machine's paths."""
    proto = onnx.load(path)
    for node in proto.graph.node:
        kept = [e for e in node.metadata_props if e.key == "pkg.torch.onnx.name_scopes"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
        node.doc_string = ""
    del proto.graph.value_info[:], proto.metadata_props[:], proto.graph.metadata_props[:]
    for value in [*proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        del value.metadata_props[:]
    path.write_bytes(proto.SerializeToString())


def reference(model, size, way, path):
    images = torch.randn(1 if way.endswith("b1") else IMAGES, 3, size, size, generator=torch.Generator().manual_seed(2))
    images = (images * 16).round() / 16
    session = onnxruntime.InferenceSession(path)
    got = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    want = model(images)
    want = want if isinstance(want, tuple) else (want,)
    arrays = {"input": images.numpy()}
    for i, (a, b) in enumerate(zip(got, want)):
        b = b.detach().numpy()
        assert np.abs(a - b).max() <= 1e-5 * np.abs(b).max(), (path.stem, i)
        arrays[f"ort_{i}"], arrays[f"torch_eval_{i}"] = a, b
    if path.stem in TRAINED:
        labels = torch.arange(len(images)) % CLASSES
        loss = nn.functional.cross_entropy(want[0], labels)
        loss.backward()
        arrays["labels"], arrays["loss"] = labels.numpy().astype(np.float32), loss.detach().numpy()
        for name, p in model.named_parameters():
            if p.grad is not None:
                arrays["gradient." + name] = p.grad.numpy()
    np.savez_compressed(path.with_suffix(".npz"), **arrays)


def main():
    HERE.mkdir(exist_ok=True)
    for name in sys.argv[1:] or NETWORKS:
        make, size = NETWORKS[name]
        way, path = name.split(".")[1], HERE / f"{name}.onnx"
        torch.manual_seed(1)
        model = make().eval()
        randomise(model)
        export(model, size, way, path)
        strip(path)
        reference(model, size, way, path)
        packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        path.with_suffix(".onnx.gz").write_bytes(packed)
        path.unlink()
        print(name, len(packed), path.with_suffix(".npz").stat().st_size, flush=True)


if __name__ == "__main__":
    main()
