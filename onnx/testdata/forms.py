#!/usr/bin/env python3
"""Makes the folder forms: one tiny network for each of many spellings, with what ONNX Runtime computes of an input
(needs numpy, onnx, onnxruntime).

All have an input of 8x8 pixels, a convolution to 8 channels, the form in question, and a classifier of 5 classes. Files of opset
1 to 6, which ONNX Runtime does not read, have the values of a twin whose nodes are of opset 13.
"""
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent / "forms"
CHANNELS = 8
random = np.random.default_rng(1)
onnxruntime.set_default_logger_severity(3)


class Net:
    def __init__(self, opset, ir=8):
        self.opset, self.ir = opset, ir
        self.nodes, self.twins, self.tensors, self.functions, self.imports = [], [], [], [], []

    def const(self, array, dtype=np.float32):
        name = "w%d" % len(self.tensors)
        self.tensors.append(numpy_helper.from_array(np.array(array, dtype), name))
        return name

    def weight(self, *shape):
        return self.const(random.standard_normal(shape) * (2 / max(np.prod(shape[1:]), 1)) ** 0.5)

    def int(self, value):
        return self.const(value, np.int64)

    def packed(self, dtype, shape, values):
        """A tensor of four-bit numbers."""
        bits = [int(v) & 15 for v in np.ravel(values)]
        name = "w%d" % len(self.tensors)
        raw = bytes(a | b << 4 for a, b in zip(bits[::2], bits[1::2]))
        self.tensors.append(helper.make_tensor(name, dtype, shape, raw, raw=True))
        return name

    def add(self, kind, *inputs, out=None, results=1, twin=None, **attributes):
        """twin is (operands, attributes) of the node in opset 13 where they differ."""
        outputs = [out] if out else ["v%d_%d" % (len(self.nodes), i) for i in range(results)]
        self.nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        operands, modern = twin if twin else (inputs, attributes)
        self.twins.append(helper.make_node(kind, list(operands), outputs, **modern))
        return outputs[0] if results == 1 else outputs

    def trunk(self, relu=True):
        x = self.add("Conv", "x", self.weight(CHANNELS, 3, 3, 3), self.weight(CHANNELS), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        return self.add("Relu", x) if relu else x

    def head(self, x, channels=CHANNELS):
        pooled = self.add("Flatten", self.add("GlobalAveragePool", x))
        self.add("Gemm", pooled, self.weight(5, channels), self.weight(5), transB=1, out="y")

    def size_is(self, x, axis, value, kind="Equal"):
        size = self.add("Gather", self.add("Shape", x), self.int(axis))
        return self.add(kind, size, self.int(value))

    def model(self, nodes, opset, ir, batch):
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, 8, 8])]
        if ir < 4:
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.tensors]
        output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        graph = helper.make_graph(nodes, "form", inputs, [output], self.tensors)
        opsets = [helper.make_opsetid("", opset)] + self.imports
        model = helper.make_model(graph, opset_imports=opsets, functions=self.functions)
        model.ir_version = ir
        return model

    def save(self, name, batch="n"):
        old = self.opset < 7
        model = self.model(self.nodes, self.opset, self.ir, 2 if old else batch)
        twin = self.model(self.twins, 13, 8, 2) if old else model
        image = random.standard_normal((2, 3, 8, 8)).astype(np.float32)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(twin.SerializeToString(), options, providers=["CPUExecutionProvider"])
        onnx.save(model, HERE / (name + ".onnx"))
        np.savez(HERE / (name + ".npz"), input=image, ort_0=session.run(["y"], {"x": image})[0])


def branch(nodes, outputs, tensors=()):
    infos = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
    return helper.make_graph(nodes, "branch", [], infos, tensors)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


def branches():
    for opset in 11, 13:
        n = Net(opset)
        pooled = n.add("GlobalAveragePool", n.trunk())
        axes = [numpy_helper.from_array(np.array([2, 3]), "axes")] if opset >= 13 else []
        squeeze = node("Squeeze", [pooled, "axes"], "s") if axes else node("Squeeze", [pooled], "s", axes=[2, 3])
        flat = n.add("If", n.size_is(pooled, 2, 1), then_branch=branch([squeeze], ["s"], axes),
                     else_branch=branch([node("Identity", [pooled], "i")], ["i"]))
        n.add("Gemm", flat, n.weight(5, CHANNELS), n.weight(5), transB=1, out="y")
        n.save("if_squeeze_op%d" % opset)

    n = Net(13)
    x = n.trunk()
    inner = node("If", [n.size_is(x, 3, 100, "Greater")], "r", then_branch=branch([node("Sigmoid", [x], "a")], ["a"]),
                 else_branch=branch([node("Conv", [x, "inside"], "b")], ["b"], [numpy_helper.from_array(
                     random.standard_normal((CHANNELS, CHANNELS, 1, 1)).astype(np.float32) / 4, "inside")]))
    outer = branch([inner, node("Add", ["r", x], "sum")], ["sum"])
    n.head(n.add("If", n.size_is(x, 1, CHANNELS), then_branch=outer, else_branch=branch([node("Relu", [x], "z")], ["z"])))
    n.save("if_nested")

    n = Net(13)
    x = n.trunk()
    condition = n.add("And", n.size_is(x, 3, 100, "Less"), n.add("Not", n.size_is(x, 1, 2)))
    both = n.add("If", condition, results=2,  # the names inside are the same
                 then_branch=branch([node("Sigmoid", [x], "a"), node("Neg", [x], "b")], ["a", "b"]),
                 else_branch=branch([node("Tanh", [x], "a"), node("Relu", [x], "b")], ["a", "b"]))
    n.head(n.add("Add", *both))
    n.save("if_two_results")

    n = Net(13)
    body = [node("Shape", ["a"], "shape"), node("Size", ["shape"], "rank"),
            node("Constant", [], "four", value=numpy_helper.from_array(np.int64(4))), node("Equal", ["rank", "four"], "c"),
            node("If", ["c"], "r", then_branch=branch([node("Sigmoid", ["a"], "t")], ["t"]),
                 else_branch=branch([node("Identity", ["a"], "e")], ["e"]))]
    n.functions = [helper.make_function("own", "F", ["a"], ["r"], body, [helper.make_opsetid("", 13)])]
    n.imports = [helper.make_opsetid("own", 1)]
    n.head(n.add("F", n.add("F", n.trunk(), domain="own"), domain="own"))
    n.save("if_in_function")


def sequences():
    n = Net(11)
    parts = n.add("SplitToSequence", n.trunk(), n.int(2), axis=1)
    n.head(n.add("Concat", *[n.add("SequenceAt", parts, n.int(i)) for i in (3, -4, 1, -2)], axis=1))
    n.save("sequence_equal_parts")

    n = Net(11)
    x = n.trunk()
    parts = n.add("SplitToSequence", x, n.int([5, 3]), axis=-3)
    y = n.add("Conv", n.add("SequenceAt", parts, n.int(1)), n.weight(5, 3, 1, 1))
    n.head(n.add("Concat", n.add("SequenceAt", parts, n.int(0)), y, axis=1), 10)
    n.save("sequence_shuffle")

    for keep in 0, 1:
        n = Net(11)
        parts = n.add("SplitToSequence", n.trunk(), axis=1, keepdims=keep)
        n.head(n.add("ConcatFromSequence", parts, axis=1, new_axis=1 - keep))
        n.save("sequence_unbind_keepdims%d" % keep)

    n = Net(13)
    x = n.trunk()
    s = n.add("SequenceConstruct", x, n.add("Sigmoid", x))
    s = n.add("SequenceInsert", s, n.add("Tanh", x), n.int(-1))
    s = n.add("SequenceErase", n.add("SequenceInsert", s, n.add("Neg", x)), n.int(0))
    last = n.add("SequenceAt", s, n.add("Sub", n.add("SequenceLength", s), n.int(2)))
    n.head(n.add("Concat", n.add("ConcatFromSequence", s, axis=1), last, axis=1), 4 * CHANNELS)
    n.save("sequence_edited")

    n = Net(13)
    x = n.trunk()
    s = n.add("SplitToSequence", n.weight(10, CHANNELS, 1, 1), n.int([6, 4]), axis=0)
    parts = [n.add("Conv", x, n.add("SequenceAt", s, n.int(i))) for i in range(2)]
    n.head(n.add("Concat", *parts, axis=1), 10)
    n.save("sequence_of_weights")


def quantised():
    for name, axis, dtype in ("tensor_int8", None, np.int8), ("axis0_uint8", 0, np.uint8), ("axis1_int8", 1, np.int8):
        n = Net(13)
        ends = np.iinfo(dtype)
        count = {None: (), 0: (CHANNELS,), 1: (3,)}[axis]
        weight = n.const(random.integers(ends.min, ends.max, (CHANNELS, 3, 3, 3)), dtype)
        scale = n.const(random.uniform(1e-3, 3e-3, count))
        zero = n.const(random.integers(ends.min + 120, ends.min + 130, count), dtype)
        weight = n.add("DequantizeLinear", weight, scale, zero, **({} if axis is None else {"axis": axis}))
        bias = n.add("DequantizeLinear", n.const(random.integers(-900, 900, CHANNELS), np.int32), n.const(1e-3))
        n.head(n.add("Relu", n.add("Conv", "x", weight, bias, kernel_shape=[3, 3])))
        n.save("weights_" + name)

    n = Net(13)
    scale, zero = n.const(0.01), n.const(3, np.int8)
    weight = n.add("DequantizeLinear", n.add("QuantizeLinear", n.weight(5, CHANNELS), scale, zero), scale, zero)
    n.add("MatMul", n.add("Flatten", n.add("GlobalAveragePool", n.trunk())), n.add("Transpose", weight), out="y")
    n.save("weights_fake_quantised")

    for name, low, high in ("int8", -128, 128), ("int4", -8, 8), ("uint4", 0, 16):
        n = Net(21, ir=10)
        values, zeros = random.integers(low, high, (CHANNELS, 5)), random.integers(0, 5, (2, 5))
        if name == "int8":
            values, zeros = n.const(values, np.int8), n.const(zeros, np.int8)
        else:
            dtype = getattr(TensorProto, name.upper())
            values, zeros = n.packed(dtype, (CHANNELS, 5), values), n.packed(dtype, (2, 5), zeros)
        scale = n.const(random.uniform(0.01, 0.1, (2, 5)))
        weight = n.add("DequantizeLinear", values, scale, zeros, axis=0, block_size=4)
        n.add("MatMul", n.add("Flatten", n.add("GlobalAveragePool", n.trunk())), weight, out="y")
        n.save("weights_blocks_" + name)


def limits():
    def form(name, build):
        n = Net(13)
        n.head(build(n, n.trunk(relu=False)))
        n.save("limits_" + name)

    form("minmax", lambda n, x: n.add("Min", n.add("Max", x, n.const(0)), n.const(0.6)))
    form("reversed", lambda n, x: n.add("Max", n.const([-0.1]), n.add("Min", n.const([0.4]), x)))
    form("many_axes", lambda n, x: n.add("Min", n.add("Max", x, n.const([[[[-0.3]]]])), n.const([[[0.5]]])))
    form("several", lambda n, x: n.add("Min", n.const(0.9), x, n.const([[0.4]])))
    form("one_operand", lambda n, x: n.add("Max", n.add("Min", x)))
    form("crossed", lambda n, x: n.add("Min", n.add("Max", x, n.const(0.7)), n.const(0.2)))
    form("clip_clip", lambda n, x: n.add("Clip", n.add("Clip", x, n.const(-1), n.const(0.6)), n.const(-0.2), n.const(2)))


def fused():
    """What ONNX Runtime saves, node for node."""
    n = Net(13)
    n.imports = [helper.make_opsetid("com.microsoft", 1)]
    x = n.trunk()
    for name, more in ("Relu", {}), ("LeakyRelu", {"activation_params": [0.1]}), ("Clip", {"activation_params": [0.0, 0.3]}), ("HardSigmoid", {"activation_params": [0.2, 0.4]}), ("Tanh", {}):
        x = n.add("FusedConv", x, n.weight(CHANNELS, CHANNELS, 3, 3), n.weight(CHANNELS), domain="com.microsoft", activation=name,
                  kernel_shape=[3, 3], pads=[1, 1, 1, 1], **more)
    x = n.add("FusedConv", x, n.weight(CHANNELS, CHANNELS, 3, 3), "", x, domain="com.microsoft", activation="Relu",
              kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    x = n.add("QuickGelu", n.add("QuickGelu", x, domain="com.microsoft", alpha=1.0), domain="com.microsoft", alpha=1.5)
    x = n.add("Flatten", n.add("GlobalAveragePool", n.add("Gelu", x, domain="com.microsoft")))
    x = n.add("FusedGemm", x, n.weight(6, CHANNELS), n.weight(6), domain="com.microsoft", transB=1, alpha=0.5, activation="Sigmoid")
    x = n.add("BiasGelu", x, n.weight(6), domain="com.microsoft")
    n.add("FusedMatMul", x, n.weight(5, 6), domain="com.microsoft", transB=1, alpha=2.0, out="y")
    n.save("fused")


def old():
    n = Net(1, ir=3)
    x = n.add("Conv", "x", n.weight(CHANNELS, 3, 3, 3), kernel_shape=[3, 3])
    x = n.add("Pad", x, twin=((x, n.int([0, 0, 1, 1, 0, 0, 1, 1])), {}), paddings=[0, 0, 1, 1, 0, 0, 1, 1], mode="constant")
    x = n.add("Relu", x, twin=((x,), {}), consumed_inputs=[0])
    x = n.add("Clip", x, twin=((x, n.const(0.1), n.const(0.9)), {}), min=0.1, max=0.9, consumed_inputs=[0])
    x = n.add("Concat", x, x, twin=((x, x), {"axis": 1}))
    x = n.add("Cast", x, twin=((x,), {"to": 1}), to="FLOAT")
    # Squeeze and excitation, its factor laid along N and C.
    pooled = n.add("GlobalAveragePool", x)
    s = n.add("Reshape", pooled, twin=((pooled, n.int([2, 2 * CHANNELS])), {}), shape=[2, 2 * CHANNELS])
    s = n.add("Sigmoid", s, twin=((s,), {}), consumed_inputs=[0])
    wide = n.add("Mul", x, s, twin=((x, "wide"), {}), broadcast=1, axis=0, consumed_inputs=[0, 0])
    n.twins.insert(-1, node("Unsqueeze", [s, n.int([2, 3])], "wide"))
    scale = random.uniform(0.5, 2, 2 * CHANNELS)
    x = n.add("Mul", wide, n.const(scale), twin=((wide, n.const(scale.reshape(-1, 1, 1))), {}), broadcast=1, axis=1)
    x = n.add("Sub", x, n.const(0.25), twin=((x, n.const(0.25)), {}), broadcast=1)
    x = n.add("BatchNormalization", x, *[n.const(random.uniform(0.5, 1, 2 * CHANNELS)) for _ in range(4)],
              consumed_inputs=[0, 0, 0, 1, 1], is_test=1, epsilon=1e-3, spatial=1)
    n.twins[-1] = node("BatchNormalization", list(n.nodes[-1].input), x, epsilon=1e-3)
    x = n.add("Dropout", x, twin=((x,), {}), is_test=1, ratio=0.4)
    pooled = n.add("GlobalAveragePool", x)
    x = n.add("Reshape", pooled, twin=((pooled, n.int([2, -1])), {}), shape=[2, -1])
    n.add("Gemm", x, n.weight(5, 2 * CHANNELS), n.weight(5), transB=1, broadcast=1, out="y")
    n.twins[-1] = node("Gemm", list(n.nodes[-1].input), "y", transB=1)
    n.save("opset1")

    n = Net(6, ir=3)
    slope = random.uniform(0.1, 0.5, CHANNELS)
    x = n.trunk(relu=False)
    x = n.add("PRelu", x, n.const(slope), twin=((x, n.const(slope.reshape(-1, 1, 1))), {}))
    y = n.add("Add", x, x, twin=((x, x), {}))
    y = n.add("Div", y, n.const([2.0]), twin=((y, n.const([2.0])), {}), broadcast=1)
    y = n.add("Pow", y, n.const([2.0]), twin=((y, n.const([2.0])), {}), broadcast=1)
    row = random.standard_normal(8)
    y = n.add("Add", y, n.const(row), twin=((y, n.const(row)), {}), broadcast=1)
    y = n.add("Reshape", y, n.int([0, CHANNELS, -1, 4]))
    y = n.add("Sum", y, y, y)
    n.head(n.add("AveragePool", y, kernel_shape=[2, 2], strides=[2, 2]))
    n.save("opset6")

    n = Net(7, ir=3)
    x = n.add("Flatten", n.add("GlobalAveragePool", n.trunk()))
    x = n.add("BatchNormalization", x, *[n.const(random.uniform(0.5, 1, CHANNELS)) for _ in range(4)], spatial=0)
    n.add("Gemm", x, n.weight(5, CHANNELS), n.weight(5), transB=1, out="y")
    n.save("spatial0", batch=2)


def known():
    n = Net(13)
    w = n.weight(CHANNELS, 3, 3, 3)  # weights are standardised
    centred = n.add("Sub", w, n.add("ReduceMean", w, axes=[1, 2, 3]))
    variance = n.add("ReduceMean", n.add("Mul", centred, centred), axes=[1, 2, 3])
    w = n.add("Div", centred, n.add("Sqrt", n.add("Add", variance, n.const(1e-5))))
    x = n.add("Mul", n.add("Conv", "x", w, kernel_shape=[3, 3]), n.add("Exp", n.const(0.3)))
    ramp = n.add("Sigmoid", n.add("Range", n.const(-1), n.const(1), n.const(0.25)))
    x = n.add("Mul", n.add("Relu", x), n.add("Reshape", ramp, n.int([1, CHANNELS, 1, 1])))
    low, high = n.weight(5, 2), n.weight(2, CHANNELS)
    x = n.add("Flatten", n.add("GlobalAveragePool", x))
    n.add("Gemm", x, n.add("MatMul", low, high), n.add("Tanh", n.weight(5)), transB=1, out="y")
    n.save("known_weights")

    n = Net(14)  # timm's StdConv2d: BatchNorm with statistics of the weights themselves
    w = n.add("Reshape", n.weight(CHANNELS, 3, 3, 3), n.int([1, CHANNELS, -1]))
    parts = [n.const(random.uniform(0.5, 1, CHANNELS)) for _ in range(4)]
    w = n.add("BatchNormalization", w, *parts, results=3, training_mode=1)[0]
    n.head(n.add("Conv", "x", n.add("Reshape", w, n.int([CHANNELS, 3, 3, 3])), n.weight(CHANNELS)))
    n.save("known_statistics")

    n = Net(15)
    x = n.trunk()
    corner = n.add("Trilu", n.add("ConstantOfShape", n.int([8, 8]), value=helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])), upper=0)
    x = n.add("Mul", x, n.add("Tile", n.add("Unsqueeze", corner, n.int([0, 1])), n.int([1, CHANNELS, 1, 1])))
    odd = n.add("NonZero", n.add("Mod", n.add("Range", n.int(0), n.int(CHANNELS), n.int(1)), n.int(2)))
    x = n.add("Gather", x, n.add("Squeeze", odd, n.int([0])), axis=1)
    shape = n.add("Shape", x)
    pixels = n.add("ReduceProd", n.add("Slice", shape, n.int([2]), n.int([4])), keepdims=1)
    target = n.add("Concat", n.int([0]), n.add("CastLike", n.const([4]), pixels), pixels, n.int([1]), axis=0)
    n.head(n.add("Reshape", x, target), 4)
    n.save("known_positions")


def products():
    n = Net(13)
    x = n.add("Conv", n.trunk(), n.weight(CHANNELS, CHANNELS // 2, 3, 3), group=2, pads=[1, 1, 1, 1])
    tokens = n.add("Transpose", n.add("Reshape", x, n.int([0, CHANNELS, 64])), perm=[0, 2, 1])
    query, key, value = (n.add("MatMul", tokens, n.weight(CHANNELS, CHANNELS)) for _ in range(3))
    scores = n.add("Softmax", n.add("MatMul", query, n.add("Transpose", key, perm=[0, 2, 1])), axis=-1)
    x = n.add("ReduceMean", n.add("MatMul", scores, value), axes=[1], keepdims=0)
    n.add("Gemm", x, n.weight(5, CHANNELS), n.weight(5), transB=1, out="y")
    n.save("attention")


def heads(n, x, count=2):
    """Tokens of an image's pixels in heads (N, heads, 64, CHANNELS / heads)."""
    tokens = n.add("Transpose", n.add("Reshape", x, n.int([0, CHANNELS, 64])), perm=[0, 2, 1])
    split = n.add("Reshape", tokens, n.int([0, 64, count, CHANNELS // count]))
    return tokens, n.add("Transpose", split, perm=[0, 2, 1, 3])


def classify(n, x, features=CHANNELS):
    n.add("Gemm", n.add("Reshape", n.add("ReduceMean", x, n.int([2]), keepdims=0), n.int([0, features])), n.weight(5, features), n.weight(5), transB=1, out="y")


def attention23():
    seen = random.random((64, 64)) < 0.7
    seen[:, 0] = True
    masks = {"plain": None, "bool": (seen, np.bool_), "float": (random.standard_normal((2, 64, 64)), np.float32)}
    for name, mask in masks.items():
        n = Net(23, ir=11)
        _, q = heads(n, n.trunk())
        k = n.add("Mul", q, n.const(random.standard_normal((2, 1, 4))))
        v = n.add("Add", q, n.const(random.standard_normal((2, 1, 4))))
        classify(n, n.add("Attention", q, k, v, *([n.const(*mask)] if mask else []), **({} if mask else {"is_causal": 1, "scale": 0.7})))
        n.save("attention23_" + name)
    n = Net(23, ir=11)
    tokens, _ = heads(n, n.trunk())
    k = n.add("MatMul", tokens, n.weight(CHANNELS, 4))
    v = n.add("MatMul", tokens, n.weight(CHANNELS, 6))
    y = n.add("Attention", tokens, k, v, q_num_heads=4, kv_num_heads=2, softcap=1.5)
    n.add("Gemm", n.add("ReduceMean", y, n.int([1]), keepdims=0), n.weight(5, 12), n.weight(5), transB=1, out="y")
    n.save("attention23_shared_heads")


def rotary():
    angles = random.random((64, 2)) * 6
    for name, attributes, pairs in (("halves", {}, 2), ("pairs", {"interleaved": 1}, 2), ("part", {"rotary_embedding_dim": 2}, 1)):
        n = Net(23, ir=11)
        _, x = heads(n, n.trunk())
        cache = [n.const(f(angles[:, :pairs])) for f in (np.cos, np.sin)]
        positions = n.int([[0, *range(63)]] * 2)  # ONNX Runtime wants a row for each image
        classify(n, n.add("RotaryEmbedding", x, *cache, positions, **attributes))
        n.save("rotary_" + name, batch=2)
    n = Net(23, ir=11)
    x = n.add("RMSNormalization", n.trunk(), n.weight(8), epsilon=1e-3)
    n.head(n.add("RMSNormalization", x, n.weight(CHANNELS, 8, 8), axis=1))
    n.save("rmsnorm")


def einsum():
    n = Net(17)
    tokens, q = heads(n, n.trunk())
    scores = n.add("Softmax", n.add("Einsum", q, q, equation="bhid, bhjd -> bhij"))
    x = n.add("Einsum", scores, q, equation="bhij,bhjd->bihd")
    x = n.add("Einsum", x, n.weight(2, 4, 3, 5), equation="bihd,hdkl->bikl")
    x = n.add("Einsum", n.add("Einsum", x, equation="bikl->bkl"), n.weight(5, 3), equation="bkl,lm->bkm")
    x = n.add("Einsum", x, n.const(random.standard_normal(3)), equation="bkm,k")
    n.add("Gemm", x, n.weight(5, 3), n.weight(5), transB=1, out="y")
    n.save("einsum")


def resizes():
    for name, attributes in {"cubic_antialias": {"mode": "cubic", "antialias": 1, "cubic_coeff_a": -0.5}, "linear_antialias": {"mode": "linear", "antialias": 1},
                             "cubic": {"mode": "cubic", "coordinate_transformation_mode": "pytorch_half_pixel"}}.items():
        n = Net(18)
        small = n.add("Resize", n.trunk(), "", "", n.int([5, 3]), axes=[2, 3], **attributes)
        table = n.add("Resize", n.weight(1, CHANNELS, 4, 9), "", "", n.int([1, CHANNELS, 5, 3]), **attributes)
        n.head(n.add("Add", small, table))
        n.save("resize_" + name)


def fused_tokens():
    n = Net(18)
    n.imports.append(helper.make_opsetid("com.microsoft", 1))
    tokens, q = heads(n, n.trunk())
    y, _, _, total = n.add("SkipLayerNormalization", tokens, n.const(random.standard_normal((1, 64, CHANNELS))), n.weight(CHANNELS), n.weight(CHANNELS),
                           n.weight(CHANNELS), results=4, domain="com.microsoft", epsilon=1e-4)
    y = n.add("FastGelu", n.add("Add", y, total), n.weight(CHANNELS), domain="com.microsoft")
    split = n.add("Reshape", y, n.int([0, 64, 2, CHANNELS // 2]))
    scores = n.add("FusedMatMul", n.add("Transpose", split, perm=[1, 0, 2, 3]), n.add("Transpose", q, perm=[0, 1, 3, 2]), transBatchA=1, alpha=0.3, domain="com.microsoft")
    classify(n, n.add("FusedMatMul", scores, q, transA=1, domain="com.microsoft"))
    n.save("fused_tokens")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for make in branches, sequences, quantised, limits, fused, old, known, products, attention23, rotary, einsum, resizes, fused_tokens:
        make()
