"""Writes the files of this folder: small networks whose input comes in one of the forms that converters and exporters give it, each
with what ONNX Runtime computes, for numbers and in some cases for photo.png as Pillow prepares it. Needs numpy, onnx, onnxruntime,
Pillow and torch."""

import io
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto as T, helper, numpy_helper
from PIL import Image
from onnxruntime.transformers.float16 import convert_float_to_float16

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
FOLDER = FOLDER if FOLDER.is_dir() else FOLDER.parent
random = np.random.RandomState(3)
CHANNELS_FIRST, CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


class Graph:
    """A graph in the making: op adds a node, const an initializer; both return the name of a value."""

    def __init__(self, dtype=np.float32):
        self.nodes, self.tensors, self.dtype = [], [], dtype

    def const(self, values, dtype=None):
        values = np.asarray(values)
        if values.dtype.kind == "f":
            values = values.astype(dtype or self.dtype)
        self.tensors.append(numpy_helper.from_array(values, f"c{len(self.tensors)}"))
        return self.tensors[-1].name

    def op(self, kind, *operands, results=1, **attributes):
        out = [f"v{len(self.nodes)}_{i}" for i in range(results)]
        self.nodes.append(helper.make_node(kind, list(operands), out, **attributes))
        return out[0] if results == 1 else out

    def conv(self, x, channels, out, group=1, stride=1):
        weight = self.const(random.randn(out, channels // group, 3, 3) * 0.3)
        return self.op("Conv", x, weight, self.const(random.randn(out) * 0.1), group=group, pads=[1] * 4, strides=[stride] * 2)

    def classifier(self, x, features):
        return self.op("Gemm", x, self.const(random.randn(5, features)), self.const(random.randn(5)), transB=1)

    def pooled(self, x, features):
        return self.classifier(self.op("Flatten", self.op("GlobalAveragePool", x)), features)

    def body(self, x, channels):
        x = self.op("Relu", self.conv(x, channels, 8, stride=2))
        return self.pooled(self.op("Relu", self.conv(x, 8, 12)), 12)

    def first(self, x):
        return self.op("Transpose", x, perm=CHANNELS_FIRST)

    def model(self, output, inputs, result=T.FLOAT):
        values = [helper.make_tensor_value_info(name, dtype, shape) for name, dtype, shape in inputs]
        graph = helper.make_graph(self.nodes, "g", values, [helper.make_tensor_value_info(output, result, ["N", 5])], self.tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def prepared(how, shape, dtype):
    """photo.png as an input of that shape: its pixels, or normalised with ImageNet's mean and std."""
    last = shape[3] in (1, 3)
    height, width = shape[1:3] if last else shape[2:4]
    grey = 1 in (shape[1], shape[3])
    photo = Image.open(FOLDER / "photo.png").convert("L" if grey else "RGB").resize((width, height), Image.BILINEAR)
    x = np.asarray(photo, np.float32).reshape(1, height, width, -1)
    if how == "imagenet":
        x = (x / 255 - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    return (x if last else x.transpose(CHANNELS_FIRST)).astype(dtype)


def save(name, model, feed, photo=None):
    data = model if isinstance(model, bytes) else model.SerializeToString()
    (FOLDER / f"{name}.onnx").write_bytes(data)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    arrays = {f"ort_{i}": o for i, o in enumerate(session.run(None, feed))}
    image = max(feed, key=lambda name: feed[name].size)
    if photo:
        feed_photo = {**feed, image: prepared(photo, feed[image].shape, feed[image].dtype)}
        arrays["photo"] = session.run(None, feed_photo)[0]
    np.savez_compressed(FOLDER / f"{name}.npz", input=feed[image], **arrays)


def pixels(*shape, dtype=np.float32):
    return random.randint(0, 256, shape).astype(dtype)


def last(name, make, shape=(16, 24, 3), declared=None, dtype=T.FLOAT, result=T.FLOAT, floats=np.float32, photo="pixels"):
    """An input (N, H, W, C) and what make does to it in front of the body."""
    g = Graph(floats)
    output = make(g)
    values = pixels(2, *shape, dtype=helper.tensor_dtype_to_np_dtype(dtype))
    save(name, g.model(output, [("x", dtype, declared or ["N", *shape])], result), {"x": values}, photo)


def first(name, make, shape=(3, 16, 24), declared=None, dtype=T.FLOAT, more=(), feed=None, photo=None):
    """An input (N, C, H, W), and more inputs."""
    g = Graph()
    output = make(g)
    values = pixels(2, *shape, dtype=helper.tensor_dtype_to_np_dtype(dtype))
    if dtype == T.FLOAT:
        values /= 255
    save(name, g.model(output, [*more, ("x", dtype, declared or ["N", *shape])]), {"x": values, **(feed or {})}, photo)


def normalization(g):
    x = g.op("Mul", "x", g.const(np.float32(1 / 255)))
    x = g.op("Sub", x, g.const([[[[0.485, 0.456, 0.406]]]]))
    return g.body(g.first(g.op("Div", x, g.const([[[[0.229, 0.224, 0.225]]]]))), 3)


def flip_slice(g):
    x = g.op("Slice", "x", *(g.const(np.array([v])) for v in (-1, -(2**31), 3, -1)))
    return g.body(g.first(g.op("Add", x, g.const([-103.939, -116.779, -123.68]))), 3)


def flip_split(g):
    b, green, r = g.op("Split", "x", results=3, axis=3)
    x = g.op("Concat", r, green, b, axis=3)
    return g.body(g.first(g.op("Sub", x, g.const([103.939, 116.779, 123.68]))), 3)


def pad(g):
    x = g.op("Div", "x", g.const(np.float32(255)))
    return g.body(g.first(g.op("Pad", x, g.const(np.array([0, 1, 2, 0, 0, 3, 1, 0])))), 3)


def mean_image(g):
    x = g.op("Sub", "x", g.const(random.rand(16, 24, 3) * 255))
    return g.body(g.first(g.op("Mul", x, g.const(np.float32(0.01)))), 3)


def reduce(g):
    x = g.op("Relu", g.conv(g.first(g.op("Mul", "x", g.const(np.float32(1 / 255)))), 3, 8))
    x = g.op("Mul", g.op("Transpose", x, perm=CHANNELS_LAST), g.const(random.rand(8) + 0.5))
    return g.classifier(g.op("ReduceMean", g.op("Tanh", x), axes=[1, 2], keepdims=0), 8)


def inverted(g):
    x = g.op("Mul", g.op("Sub", g.const(np.float32(1)), "x"), g.const([2.0, 3.0, 4.0]))
    return g.body(g.first(x), 3)


def dense_only(g):
    x = g.op("Reshape", g.op("Mul", "x", g.const(np.float32(1 / 255))), g.const(np.array([-1, 144])))
    return g.op("MatMul", g.op("Relu", g.op("MatMul", x, g.const(random.randn(144, 10) * 0.1))), g.const(random.randn(10, 5)))


def resize_last(g):
    x = g.op("Resize", "x", "", g.const([1, 2 / 3, 2 / 3, 1.0]), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    return g.body(g.first(x), 3)


def resize_first(g):
    size = g.op("Concat", g.op("Slice", g.op("Shape", "x"), g.const(np.array([0])), g.const(np.array([2]))), g.const(np.array([16, 24])), axis=0)
    return g.body(g.op("Resize", "x", "", "", size, mode="linear"), 3)


def grey(g):
    x = g.op("Mul", g.op("Cast", "x", to=T.FLOAT), g.const(np.float32(1 / 255)))
    return g.body(g.op("Reshape", x, g.const(np.array([-1, 1, 14, 20]))), 1)


def half(g):
    x = g.conv(g.first(g.op("Mul", "x", g.const(np.float16(1 / 255)))), 3, 8)
    return g.pooled(g.op("Clip", x, g.const(np.float16(0)), g.const(np.float16(6))), 8)


def phase_dropout(g):
    x = g.op("Flatten", g.op("GlobalAveragePool", g.op("Relu", g.conv("x", 3, 8))))
    return g.classifier(g.op("Dropout", x, g.const(np.float32(0.5)), "phase"), 8)


def phase_if(g):
    x = g.op("Relu", g.conv("x", 3, 8))
    doubled = g.op("Mul", x, g.const(np.float32(2)))
    branch = lambda name, v: helper.make_graph([helper.make_node("Identity", [v], [name])], name, [], [helper.make_tensor_value_info(name, T.FLOAT, None)])
    return g.pooled(g.op("If", "phase", then_branch=branch("t", doubled), else_branch=branch("e", x)), 8)


def dead(g):
    g.op("Exp", "z")
    return g.body("x", 3)


noise = Image.fromarray(random.randint(0, 256, (9, 13, 3)).astype(np.uint8))
noise.resize((71, 47), Image.BICUBIC).save(FOLDER / "photo.png")

last("nhwc-resize", resize_last, (24, 30, 3), photo="imagenet")
last("nhwc-normalization", normalization, (24, 16, 3))
last("nhwc-flip-slice", flip_slice)
last("nhwc-flip-split", flip_split)
last("nhwc-pad", pad)
last("nhwc-inverted", inverted, photo=None)
last("nhwc-mean-image", mean_image)
last("nhwc-reduce", reduce)
last("nhwc-dense-only", dense_only, (6, 8, 3))
last("nhwc-open", lambda g: g.body(g.first(g.op("Mul", "x", g.const(np.float32(1 / 255)))), 3), declared=[None] * 4, photo=None)
last("nwhc", lambda g: g.body(g.op("Transpose", "x", perm=[0, 3, 2, 1]), 3), photo="imagenet")
last("gray-nhwc", grey, (14, 20, 1))
last("uint8-nhwc", lambda g: g.body(g.op("Cast", g.first("x"), to=T.FLOAT), 3), dtype=T.UINT8)
last("uint8-gray", grey, (14, 20, 1), dtype=T.UINT8)
last("half-nhwc", half, dtype=T.FLOAT16, result=T.FLOAT16, floats=np.float16)
flip = lambda g: g.op("Cast", g.op("Gather", "x", g.const(np.array([2, 1, 0])), axis=1), to=T.FLOAT)
first("uint8-flip", lambda g: g.body(flip(g), 3), dtype=T.UINT8, photo="pixels")
first("phase-dropout", phase_dropout, more=[("phase", T.BOOL, [])], feed={"phase": np.array(False)})
first("phase-if", phase_if, more=[("phase", T.BOOL, [1])], feed={"phase": np.array([False])})
first("dead-input", dead, more=[("z", T.FLOAT, ["N", 4])], feed={"z": np.zeros((2, 4), np.float32)})
first("open-depthwise", lambda g: g.body(g.conv("x", 3, 3, group=3), 3), declared=["a", "b", "c", "d"])
first("open-resize", resize_first, (3, 21, 40), declared=["N", 3, "h", "w"])
first("gray-tiled", lambda g: g.body(g.op("Tile", "x", g.const(np.array([1, 3, 1, 1]))), 3), (1, 16, 24))
first("four-channels", lambda g: g.body("x", 4), (4, 16, 24))

g = Graph()
whole = g.model(g.body("x", 3), [("x", T.FLOAT, ["N", 3, 16, 24])])
save("half-inside", convert_float_to_float16(whole, keep_io_types=True), {"x": pixels(2, 3, 16, 24) / 127.5 - 1})


class GeM(torch.nn.Module):
    """Generalised mean pooling on a small network."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.fc = torch.nn.Conv2d(3, 8, 3, 2, 1), torch.nn.BatchNorm2d(8), torch.nn.Linear(8, 5)

    def forward(self, x):
        x = torch.relu(self.norm(self.conv(x))).clamp(min=1e-6).pow(3)
        return self.fc(torch.nn.functional.adaptive_avg_pool2d(x, 1).pow(1 / 3).flatten(1))


torch.manual_seed(1)
photos, buffer = torch.rand(2, 3, 48, 32), io.BytesIO()
torch.onnx.export(GeM().eval(), (photos,), buffer, dynamo=False, opset_version=17, input_names=["x"], dynamic_axes={"x": {0: "N"}})
save("not-square-gem", buffer.getvalue(), {"x": photos.numpy()}, photo="imagenet")
