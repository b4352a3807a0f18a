"""The networks of weights/graphs, but for vision transformers, with random weights that keep the size of activations, as trained ones do.

Most are torchvision's. ConvNeXt V2 is torchvision's ConvNeXt with the paper's blocks; what it lacks besides comes from timm.
"""
import contextlib
import zlib

import torch
import torch.nn as nn
import torchvision.models as models
from torchvision.models.convnext import CNBlock, CNBlockConfig, ConvNeXt
from torchvision.models.resnet import Bottleneck


def size(family):
    """The side of its photos in pixels."""
    return {"inception_v3": 299}.get(family, 224)


@contextlib.contextmanager
def narrowed(divide, classes):
    """Divide the channel counts that constructors pass to the basic layers."""
    keep = {c: c.__init__ for c in (nn.Conv2d, nn.BatchNorm2d, nn.Linear)}

    def less(count):
        return count if count <= 3 or count == classes else -(-count // divide)

    def conv(self, i, o, *args, **kwargs):
        if kwargs.get("groups", 1) > 1:
            kwargs["groups"] = less(kwargs["groups"])
        keep[nn.Conv2d](self, less(i), less(o), *args, **kwargs)

    def norm(self, count, *args, **kwargs):
        keep[nn.BatchNorm2d](self, less(count), *args, **kwargs)

    def linear(self, i, o, *args, **kwargs):
        keep[nn.Linear](self, less(i), less(o), *args, **kwargs)

    try:
        if divide > 1:
            nn.Conv2d.__init__, nn.BatchNorm2d.__init__, nn.Linear.__init__ = conv, norm, linear
        yield
    finally:
        for c, f in keep.items():
            c.__init__ = f


class GlobalResponseNorm(nn.Module):
    """Woo and others, "ConvNeXt V2" (2023), section 3, over (N, H, W, C)."""

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        size = x.norm(p=2, dim=(1, 2), keepdim=True)
        return x + self.bias + self.weight * (x * (size / (size.mean(-1, keepdim=True) + 1e-6)))


class BlockV2(CNBlock):
    """ConvNeXt's with a GlobalResponseNorm behind GELU in place of layer_scale."""

    def __init__(self, channels, layer_scale, drop_path):
        super().__init__(channels, layer_scale, drop_path)
        del self.layer_scale
        self.grn = GlobalResponseNorm(4 * channels)

    def forward(self, x):
        return x + self.stochastic_depth(self.block[5:](self.grn(self.block[:5](x))))


CONVNEXT_V2 = {  # timm's names; blocks and channels of each stage
    "convnextv2_atto": ([2, 2, 6, 2], 40), "convnextv2_femto": ([2, 2, 6, 2], 48), "convnextv2_pico": ([2, 2, 6, 2], 64),
    "convnextv2_nano": ([2, 2, 8, 2], 80), "convnextv2_tiny": ([3, 3, 9, 3], 96), "convnextv2_base": ([3, 3, 27, 3], 128),
    "convnextv2_large": ([3, 3, 27, 3], 192),
}


def make(family, classes, **options):
    """As its library initialises it."""
    if family in CONVNEXT_V2:
        depths, width = CONVNEXT_V2[family]
        channels = [width, 2 * width, 4 * width, 8 * width, None]
        stages = [CNBlockConfig(channels[i], channels[i + 1], depth) for i, depth in enumerate(depths)]
        return ConvNeXt(stages, num_classes=classes, block=BlockV2)
    if hasattr(models, family):
        return getattr(models, family)(weights=None, num_classes=classes, **options)
    import timm
    return timm.create_model(family, num_classes=classes)


def build(family, classes, divide=1):
    """Without Dropout; divide divides all channel counts."""
    torch.manual_seed(zlib.crc32(family.encode()))
    options = {}
    if family in ("inception_v3", "googlenet"):
        options = {"aux_logits": True, "init_weights": False, "transform_input": True}
    with narrowed(divide, classes):
        model = make(family, classes, **options)
    for name, p in model.named_parameters():
        if p.dim() > 1:
            nn.init.kaiming_normal_(p)
        elif name.endswith("weight"):
            nn.init.uniform_(p, 0.7, 1.3)
        else:
            nn.init.normal_(p, 0, 0.1)
    for module in model.modules():
        if isinstance(module, Bottleneck):  # branches of full strength amplify roundings from block to block
            nn.init.uniform_(module.bn3.weight, 0.2, 0.4)
        if isinstance(module, (nn.Dropout, nn.Dropout2d)) or type(module).__name__ == "StochasticDepth":
            module.p = 0.0
    return model


def realistic_statistics(model, x):
    """Running statistics of this input, so that activations keep their size; then all different."""
    norms = [(m, m.momentum) for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for m, _ in norms:
        m.momentum = 1.0
    with torch.no_grad():
        model.train()(x)
        for m, momentum in norms:
            m.momentum = momentum
            m.running_mean += 0.1 * m.running_var.sqrt() * torch.randn_like(m.running_mean)
            m.running_var *= torch.empty_like(m.running_var).uniform_(0.8, 1.25)
