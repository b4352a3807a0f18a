"""Move a network's parameters a little, so that its gradients at one input do not hang on roundings.

The derivative of a rectifier jumps at its bend, that of max pooling where two elements of a window are equal. Among the
millions of elements of a large network some are always so close to it that roundings decide: two computations in
float32 then take different sides, and their gradients differ by 1e-3 to 1e-2 where 1e-6 is usual, which hides errors.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

PASSES = 200

# The functions of torch.nn.functional whose derivative jumps, and where; hardtanh says it itself.
BENDS = {"relu": [0], "hardswish": [-3, 3], "hardsigmoid": [-3, 3]}


class Moved(Exception):
    """A filter was changed, so that the pass has to begin again."""


def spacing(h, count):
    """The mean distance of so many elements in the range of a channel of h, for each channel."""
    return h.transpose(0, 1).flatten(1).abs().amax(1) / count


def from_bends(h, bends):
    """What to add to every channel of h, so that no element is almost at a bend: mostly nothing, else the widest gap nearby."""
    shifts = torch.zeros(h.shape[1], dtype=h.dtype)
    wrong = torch.cat([bend - h.transpose(0, 1).flatten(1) for bend in bends], 1)
    for c in (wrong.abs().amin(1) < spacing(h, wrong.shape[1])).nonzero().flatten():
        limit = 0.1 * wrong[c].abs().amax()
        near = torch.cat([wrong[c][wrong[c].abs() < limit], torch.stack([-limit, limit])]).sort().values
        widest = near.diff().argmax()
        shifts[c] = near[widest:widest + 2].mean()
    return shifts


def tied(h, kernel, stride, padding):
    """The channels of h that have windows with two almost equal largest elements. Equal ones are copies of one element."""
    padded = F.pad(h, (padding, padding + kernel) * 2, value=-torch.inf)
    windows = F.unfold(padded, kernel, stride=stride).unflatten(1, (h.shape[1], -1)).transpose(0, 1)
    top = windows.amax(2, keepdim=True)
    gap = top - windows.where(windows < top, -torch.inf).amax(2, keepdim=True)
    near = (top > 0) & (gap.flatten(1) < 0.03 * spacing(h, top[0].numel())[:, None]).view_as(top)
    return near.flatten(1).any(1).nonzero().flatten().tolist()


class Watch:
    """Stands in for torch.nn.functional's rectifiers and max pooling while passes run through a model."""

    def __init__(self, model):
        self.functions = {name: getattr(F, name) for name in (*BENDS, "hardtanh", "max_pool2d")}
        self.chance = torch.Generator().manual_seed(0)
        self.biased = self.conv = None  # the modules that ran last
        self.filters = {}  # the convolution and its filter that made a channel, by what is in the channel
        biased = [m for m in model.modules() if isinstance(m, nn.Conv2d) or getattr(m, "bias", None) is not None]
        self.hooks = [m.register_forward_hook(self.ran) for m in biased]
        self.hooks += [m.register_forward_pre_hook(self.ran) for m in biased if list(m.children())]  # timm's norms hold their rectifier

    def ran(self, module, *_):
        if module.bias is not None:
            self.biased = module
        if isinstance(module, nn.Conv2d):
            self.conv = module

    def __enter__(self):
        for name, bends in BENDS.items():
            setattr(F, name, lambda h, inplace=False, name=name, bends=bends: self.rectified(h, bends, self.functions[name]))
        F.hardtanh = lambda h, low, high, inplace=False: self.rectified(h, [low, high], lambda h: self.functions["hardtanh"](h, low, high))
        F.max_pool2d = self.pooled
        return self

    def __exit__(self, *_):
        for name, function in self.functions.items():
            setattr(F, name, function)
        for hook in self.hooks:
            hook.remove()

    @staticmethod
    def contents(h):
        return [plane.numpy().tobytes() for plane in h[0]]

    def rectified(self, h, bends, function):
        shift = from_bends(h, bends)
        self.biased.bias += shift
        y = function(h + shift.view(-1, *[1] * (h.dim() - 2)))
        self.filters |= {key: (self.conv, c) for c, key in enumerate(self.contents(y))}
        return y

    def pooled(self, h, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        keys = self.contents(h)
        moved = tied(h, kernel_size, stride or kernel_size, padding)
        for c in moved:
            conv, row = self.filters[keys[c]]
            conv.weight[row] *= 1 + 0.1 * torch.randn(conv.weight[row].shape, generator=self.chance)
        if moved:
            raise Moved
        y = self.functions["max_pool2d"](h, kernel_size, stride, padding, dilation, ceil_mode)
        self.filters |= {key: self.filters[keys[c]] for c, key in enumerate(self.contents(y))}
        return y


def settle(model, x):
    """Settles the parameters for x in training form. Float64 decides; the changes reach parameters of float32 rounded."""
    model.double().train()
    with torch.no_grad(), Watch(model) as watch:
        for _ in range(PASSES):
            watch.filters.clear()
            try:
                model(x.double())
                break
            except Moved:
                pass
        else:
            raise SystemExit(f"max pooling still has almost equal elements after {PASSES} passes")
    model.float()
