"""Writes torch.npz: results and gradients of single operators computed by PyTorch in float64.

usage: python make_torch.py    (in this folder; needs torch and numpy)

Every case NAME has operands NAME/x0, NAME/x1, ..., the result NAME/y, the weights NAME/r of the scalar
sum(r*y), and its gradients NAME/d0, ... for the operands that have one. Operands are multiples of 1/64.
"""
import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(1)
arrays = {}


def f32(v):
    """The operators' attributes are float32."""
    return float(np.float32(v))


def smooth(*shape):
    return torch.tensor(rng.integers(-128, 128, shape) / 64.0)


def distinct(*shape):
    n = int(np.prod(shape))
    return torch.tensor((rng.permutation(n).reshape(shape) - n // 2) / 16 + 1 / 32)


def case(name, f, *operands, grads=None):
    grads = len(operands) if grads is None else grads
    for i, x in enumerate(operands):
        arrays[f"{name}/x{i}"] = x.detach().numpy().copy()
        x.requires_grad_(i < grads)
    y = f(*operands)
    r = smooth(*y.shape)
    (r * y).sum().backward()
    arrays[f"{name}/y"], arrays[f"{name}/r"] = y.detach().numpy(), r.numpy()
    for i in range(grads):
        arrays[f"{name}/d{i}"] = operands[i].grad.numpy()


case("conv", lambda x, w, b: F.conv2d(x, w, b, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2),
     smooth(2, 4, 7, 6), smooth(6, 2, 3, 2), smooth(6))
case("conv uneven pads", lambda x, w: F.conv2d(F.pad(x, (0, 2, 1, 0)), w, stride=(1, 2)), smooth(1, 3, 5, 6), smooth(2, 3, 3, 2))
case("conv 1x1 padded", lambda x, w: F.conv2d(F.pad(x, (1, 0, 1, 0)), w), smooth(2, 5, 3, 3), smooth(3, 5, 1, 1))
case("conv 1x1", F.conv2d, smooth(2, 9, 3, 4), smooth(3, 9, 1, 1))
case("conv 1x7", lambda x, w: F.conv2d(x, w, padding=(0, 3)), smooth(1, 4, 3, 5), smooth(2, 4, 1, 7))
case("conv 7x1", lambda x, w: F.conv2d(x, w, padding=(3, 0)), smooth(1, 4, 5, 3), smooth(2, 4, 7, 1))
case("conv 3x3 stride 2", lambda x, w: F.conv2d(x, w, stride=2), smooth(2, 6, 7, 9), smooth(5, 6, 3, 3))
case("conv depthwise", lambda x, w: F.conv2d(x, w, padding=1, groups=5), smooth(2, 5, 4, 4), smooth(5, 1, 3, 3))
case("batchnorm", lambda x, g, b, m, v: F.batch_norm(x, m, v, g, b, False, eps=f32(1e-3)),
     smooth(2, 3, 2, 3), smooth(3), smooth(3), smooth(3), smooth(3).abs() + 0.5, grads=3)
case("batchnorm train", lambda x, g, b: F.batch_norm(x, None, None, g, b, True, eps=f32(1e-3)),
     smooth(3, 2, 2, 3), smooth(2), smooth(2))
mean, var = smooth(2), smooth(2).abs()
x = smooth(3, 2, 2, 3)
arrays["running/x0"], arrays["running/x1"], arrays["running/x2"] = x.numpy(), mean.numpy().copy(), var.numpy().copy()
F.batch_norm(x, mean, var, training=True, momentum=0.25)
arrays["running/mean"], arrays["running/var"] = mean.numpy(), var.numpy()

case("maxpool", lambda x: F.max_pool2d(x, (3, 2), (2, 3), (1, 0), (1, 2)), distinct(2, 2, 7, 8))
case("maxpool ceil", lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True), distinct(1, 2, 6, 8))
# With ties the first maximum in row-major order gets the gradient.
case("maxpool ties", lambda x: F.max_pool2d(x, 2, 1), torch.tensor(rng.integers(0, 3, (1, 2, 5, 5)) / 1.0))
for ceil in (False, True):
    for count in (False, True):
        case(f"averagepool ceil={ceil} count={count}".lower(),
             lambda x: F.avg_pool2d(x, (3, 3), (2, 2), (1, 1), ceil, count), smooth(2, 2, 6, 7))
case("averagepool ceil beyond", lambda x: F.avg_pool2d(x, (2, 3), (3, 2), 0, True, True), smooth(1, 1, 5, 8))
case("globalaveragepool", lambda x: F.adaptive_avg_pool2d(x, 1), smooth(2, 3, 4, 3))
case("linear", F.linear, smooth(3, 5), smooth(4, 5), smooth(4))
case("matmul", torch.matmul, smooth(2, 1, 2, 3), smooth(4, 3, 2))

labels = F.one_hot(torch.tensor([0, 4, 2, 4]), 5).double()
case("cross entropy", lambda x, t: F.cross_entropy(x, t.argmax(1)), smooth(4, 5), labels, grads=1)
case("cross entropy of weighted mixtures", F.cross_entropy, smooth(4, 5), 0.75 * labels + 0.375 * labels.flip(0) + 1 / 64, grads=1)
case("softmax", lambda x: F.softmax(x, 1), smooth(2, 4, 3))
case("log softmax", lambda x: F.log_softmax(x, -1), smooth(2, 4))

case("relu", F.relu, distinct(4, 8))
case("relu6", F.relu6, distinct(16, 16))
for name, f in ("relu", F.relu), ("relu6", F.relu6), ("hardsigmoid", F.hardsigmoid), ("hardswish", F.hardswish):
    case(f"{name} at kinks", f, torch.arange(-4.0, 9.0, dtype=torch.float64))
case("sigmoid", torch.sigmoid, smooth(4, 8))
case("hardsigmoid", F.hardsigmoid, distinct(16, 16))
case("hardswish", F.hardswish, distinct(16, 16))
case("silu", F.silu, smooth(4, 8))
case("tanh", torch.tanh, torch.cat([smooth(32), smooth(8) / 4096]))
case("gelu", F.gelu, 4 * smooth(8, 8))
case("gelu tanh", lambda x: F.gelu(x, approximate="tanh"), 4 * smooth(8, 8))
case("erf", torch.erf, 4 * smooth(8, 8))
case("lrn", lambda x: F.local_response_norm(x, 5, 0.5, 0.75, 2.0), smooth(2, 7, 2, 2))
case("layernorm", lambda x, g, b: F.layer_norm(x, (3, 2), g, b, f32(1e-5)), smooth(4, 3, 2), smooth(3, 2), smooth(3, 2))

case("add", torch.add, smooth(2, 1, 3), smooth(4, 1))
case("sub", torch.sub, smooth(3), smooth(2, 3))
case("mul", torch.mul, smooth(2, 3, 2, 2), smooth(3, 1, 1))
case("div", torch.div, smooth(2, 1), smooth(2, 4).abs() + 1)
case("pow", torch.pow, smooth(3).abs() + 0.5, torch.tensor([[2.0], [-1.0], [0.5], [1.75], [0.0]], dtype=torch.float64), grads=1)
case("pow negative", torch.pow, -smooth(3).abs() - 0.5, torch.tensor([[2.0], [3.0], [-1.0], [70.0], [71.0]], dtype=torch.float64), grads=1)
case("expand", lambda x: x.expand(2, 3, 4), smooth(3, 1))
case("sum to", lambda x: x.sum((0, 2)).reshape(3, 1), smooth(2, 3, 4))
case("neg", torch.neg, smooth(2, 3))
case("reciprocal", torch.reciprocal, smooth(2, 3).abs() + 0.5)
case("sqrt", torch.sqrt, smooth(2, 3).abs() + 0.5)
case("exp", torch.exp, smooth(2, 3))
case("log", torch.log, smooth(2, 3).abs() + 0.5)
case("scale", lambda x: -0.75 * x, smooth(2, 3))
case("affine", lambda x: x * torch.tensor([0.5, -2, 3]).reshape(3, 1, 1) + torch.tensor([1, 0, -0.25]).reshape(3, 1, 1), smooth(2, 3, 2, 2))
case("concat", lambda *x: torch.cat(x, 1), smooth(2, 1, 2, 2), smooth(2, 3, 2, 2), smooth(2, 2, 2, 2))
case("slice", lambda x: x[1:4:2, :, :2], smooth(5, 2, 4))
case("slice reversing", lambda x: x.flip(2).flip(0)[:, :, ::3], smooth(2, 2, 5))
case("reshape", lambda x: x.reshape(2, 6, 2), smooth(2, 3, 4))
case("flatten", lambda x: x.flatten(1), smooth(2, 3, 1, 2))
case("squeeze", lambda x: x.squeeze(3).squeeze(2), smooth(2, 3, 1, 1))
case("unsqueeze", lambda x: x.unsqueeze(1).unsqueeze(3), smooth(2, 3))
case("transpose", lambda x: x.permute(2, 0, 3, 1), smooth(2, 3, 4, 2))
case("pad", lambda x: F.pad(x, (2, 1, 1, 0), value=0.5), smooth(1, 2, 2, 3))
case("pad cutting", lambda x: F.pad(x, (1, -2, -1, 0)), smooth(3, 4))
case("gather", lambda x: x[:, [[2, 0], [-1, 0]]], smooth(2, 3, 2))
case("gather one", lambda x: x[:, 1], smooth(2, 3, 2))
case("reducemean", lambda x: x.mean((-1, -2), keepdim=True), smooth(2, 3, 2, 3))
case("reducemean dropping", lambda x: x.mean(1), smooth(2, 3, 2))
case("weighted sum", lambda x, y: x + f32(0.4) * y, smooth(), smooth())

kinks = [-1.0, 0.0, 1.0]
for where in ("", " at kinks"):
    def values():
        return torch.tensor(kinks, dtype=torch.float64) if where else smooth(3, 7)
    case("leakyrelu" + where, lambda x: F.leaky_relu(x, 0.25), values())
    case("thresholdedrelu" + where, lambda x: F.threshold(x, 0.5, 0), values())
    case("prelu" + where, F.prelu, values(), torch.tensor([0.25], dtype=torch.float64))
    case("elu" + where, lambda x: F.elu(x, 0.5), values())
    case("selu" + where, F.selu, values())
    case("celu" + where, lambda x: F.celu(x, 2), values())
    case("softplus" + where, F.softplus, values())
    case("softsign" + where, F.softsign, values())
    case("mish" + where, F.mish, values())
case("prelu of channels", lambda x, s: F.prelu(x, s.flatten()), smooth(2, 3, 2, 2), smooth(3, 1, 1))
for name, f in {"sum": torch.sum, "l1": lambda x, d: torch.linalg.vector_norm(x, 1, d), "l2": lambda x, d: torch.linalg.vector_norm(x, 2, d),
                "sumsquare": lambda x, d: (x * x).sum(d), "max": torch.amax, "min": torch.amin, "logsumexp": torch.logsumexp}.items():
    case("reduce " + name, lambda x: f(x, (1, 3)), distinct(2, 3, 2, 3))
case("reduce l2 of zeros", lambda x: torch.linalg.vector_norm(x, 2, 1), torch.zeros(2, 3, dtype=torch.float64))
case("groupnorm", lambda x, g, b: F.group_norm(x, 2, g, b, f32(1e-3)), smooth(2, 4, 2, 3), smooth(4), smooth(4))
case("instancenorm", lambda x, g, b: F.instance_norm(x, None, None, g, b, eps=f32(1e-3)), smooth(2, 3, 2, 3), smooth(3), smooth(3))
case("batch tile", lambda x, like: x.repeat(len(like), 1, 1), smooth(1, 2, 3), smooth(4, 5), grads=1)
case("batch tile of rows", lambda x, like: x.repeat(len(like), 1), smooth(2, 3), smooth(3, 5), grads=1)
condition = torch.tensor(rng.integers(0, 2, (2, 1, 4)).astype(np.float64))
case("where", lambda x, y, c: torch.where(c != 0, x, y), smooth(2, 3, 4), smooth(3, 1), condition, grads=2)
for mode, align in (("bilinear", False), ("bilinear", True), ("bicubic", False), ("bicubic", True)):
    for size in ((5, 9), (3, 2)):
        case(f"resize {mode} {align} {size}", lambda x: F.interpolate(x, size, mode=mode, align_corners=align), smooth(2, 2, 4, 5))
for mode in ("bilinear", "bicubic"):
    case(f"resize {mode} antialias", lambda x: F.interpolate(x, (3, 7), mode=mode, antialias=True), smooth(1, 2, 8, 5))


def attention(x, bias=None, heads=2, size=3, scale=f32(0.6)):
    """Queries, keys and values are channels of the same tokens."""
    q, k, v = x.reshape(len(x), -1, 3, heads, size).permute(2, 0, 3, 1, 4)
    return F.scaled_dot_product_attention(q, k, v, bias, scale=scale).transpose(1, 2).flatten(2)


case("attention", attention, smooth(2, 5, 18))
case("attention with bias", attention, smooth(2, 5, 18), smooth(1, 2, 5, 5))
case("attention of three", lambda q, k, v: F.scaled_dot_product_attention(
    *(x.reshape(2, -1, 3, 4).transpose(1, 2) for x in (q, k, v)), scale=0.5).transpose(1, 2).flatten(2),
    smooth(2, 4, 12), smooth(2, 6, 12), smooth(2, 6, 12))

np.savez_compressed("torch.npz", **arrays)
