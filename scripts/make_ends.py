#!/usr/bin/env python3
"""Make small classifiers that end in every way exporters spell a classifier, for the tests of how ends are read.

    make_ends.py DIR

DIR gets NAME.onnx for every end, two photos, and expected.json: for each the features that enter the classifier and the
probabilities of its classes as ONNX Runtime computes them, the number of classes, the labels, and whether it can be trained.

Needs onnx, onnxruntime, numpy and Pillow.
"""
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

SIDE, F, K = 16, 6, 4  # pixels, features, classes
RNG = np.random.default_rng(1)
ENDS = {}


def values(*shape, size=1.0):
    return (RNG.standard_normal(shape) * size).astype(np.float32)


class Graph:
    """A network under construction; every method returns the name of what it computes."""

    def __init__(self, opset=13, batch="N", ml=0):
        self.opset, self.batch, self.ml = opset, batch, ml
        self.nodes, self.tensors, self.outputs, self.count = [], [], [], 0

    def const(self, value):
        self.count += 1
        name = f"c{self.count}"
        value = np.asarray(value)
        if value.dtype == object:
            self.tensors.append(helper.make_tensor(name, TensorProto.STRING, value.shape, [v.encode() for v in value]))
        else:
            self.tensors.append(numpy_helper.from_array(value, name))
        return name

    def op(self, kind, *operands, to=None, **attributes):
        self.count += 1
        operands = [x if isinstance(x, str) else self.const(x) for x in operands]
        results = to if isinstance(to, list) else [to or f"v{self.count}"]
        self.nodes.append(helper.make_node(kind, operands, results, **attributes))
        return results[0]

    def map(self):
        """(N, F, 4, 4)"""
        x = self.op("Relu", self.op("Conv", "input", values(4, 3, 3, 3, size=0.4), values(4), strides=[2, 2], pads=[1] * 4))
        return self.op("Relu", self.op("Conv", x, values(F, 4, 3, 3, size=0.3), values(F), strides=[2, 2], pads=[1] * 4))

    def pool(self):
        return self.op("GlobalAveragePool", self.map())

    def flat(self):
        return self.op("Flatten", self.pool(), axis=1)

    def linear(self, x, classes=K, inputs=F, to=None):
        return self.op("Gemm", x, values(classes, inputs, size=2), values(classes), transB=1, to=to)

    def conv(self, x, classes=K, to=None):
        return self.op("Conv", x, values(classes, F, 1, 1, size=2), values(classes), to=to)

    def softmax(self, x, to=None, axis=1):
        return self.op("Softmax", x, axis=axis, to=to)

    def output(self, name, *shape, kind=TensorProto.FLOAT):
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def model(self):
        image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [self.batch, 3, SIDE, SIDE])
        imports = [helper.make_opsetid("", self.opset)] + ([helper.make_opsetid("ai.onnx.ml", self.ml)] if self.ml else [])
        graph = helper.make_graph(self.nodes, "g", [image], self.outputs, self.tensors)
        return helper.make_model(graph, opset_imports=imports, producer_name="ends", ir_version=8)


def end(train=True, classes=K, labels=None, metadata=None, **graph):
    """A function that builds an end returns what computes the features, what holds the scores, and how these become probabilities.
    classes is 0 where there are features only, and -1 where there is no answer for a photo."""

    def add(build):
        ENDS[build.__name__] = (build, graph, {"train": train, "classes": classes, "labels": labels}, metadata or {})
        return build

    return add


def as_is(x):
    return x


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def against(p):
    """One class and its absence."""
    return np.concatenate([1 - p, p], 1)


def done(g, features, scores, p=softmax, *shape):
    g.output(scores, *(shape or (g.batch, K)))
    return features, scores, p


# What computes the scores.

@end()
def conv_softmax_squeeze(g):
    x = g.pool()
    return done(g, x, g.op("Squeeze", g.softmax(g.conv(x)), np.array([2, 3])), as_is)


@end()
def conv_add_reshape(g):
    x = g.pool()
    y = g.op("Add", g.op("Conv", x, values(K, F, 1, 1, size=2)), values(K, 1, 1))
    return done(g, x, g.op("Reshape", y, np.array([0, -1])))


@end()
def conv_of_whole_map(g):
    x = g.map()
    return done(g, x, g.op("Flatten", g.op("Conv", x, values(K, F, 4, 4, size=0.5), values(K)), axis=1))


@end()
def matmul_of_sequence(g):
    x = g.op("Reshape", g.pool(), np.array([0, 1, F]))
    return done(g, x, g.op("Squeeze", g.op("Add", g.op("MatMul", x, values(F, K, size=2)), values(K)), np.array([1])))


@end()
def matmul_from_left(g):
    x = g.op("Reshape", g.pool(), np.array([0, F, 1]))
    return done(g, x, g.op("Squeeze", g.op("Add", g.op("MatMul", values(K, F, size=2), x), values(K, 1)), np.array([2])))


@end()
def columns(g):
    x = g.flat()
    y = g.op("MatMul", values(K, F, size=2), g.op("Transpose", x, perm=[1, 0]))
    return done(g, x, g.op("Transpose", g.op("Add", y, values(K, 1)), perm=[1, 0]))


@end()
def gemm_of_columns(g):
    x = g.flat()
    return done(g, x, g.op("Transpose", g.op("Gemm", values(K, F, size=2), x, transB=1), perm=[1, 0]))


@end()
def gemm_scalar_c(g):
    x = g.flat()
    return done(g, x, g.op("Gemm", x, values(F, K, size=2), np.float32(0.3), alpha=0.7, beta=0.5))


@end()
def gemm_c_of_one(g):
    x = g.flat()
    return done(g, x, g.op("Gemm", x, values(F, K, size=2), values(1, 1)))


@end()
def gemm_c_as_row(g):
    x = g.flat()
    return done(g, x, g.op("Gemm", x, values(K, F, size=2), values(1, K), transB=1))


@end()
def conv_before_pool(g):
    x = g.map()
    return done(g, g.op("GlobalAveragePool", x), g.op("GlobalAveragePool", g.conv(x)), softmax, "N", K, 1, 1)


@end()
def conv_relu_before_means(g):
    y = g.op("ReduceMean", g.op("Relu", g.conv(g.map())), axes=[3], keepdims=0)
    return done(g, None, g.op("ReduceMean", y, axes=[2], keepdims=0))


@end()
def shapes_between(g):
    x = g.flat()
    y = g.op("Transpose", g.op("Unsqueeze", x, np.array([1])), perm=[0, 2, 1])
    return done(g, x, g.softmax(g.op("Dropout", g.linear(g.op("Dropout", g.op("Squeeze", y, np.array([2])))))), as_is)


# What makes probabilities of them.

@end()
def temperature(g):
    x = g.flat()
    return done(g, x, g.softmax(g.op("Div", g.linear(x), np.float32(2.5))), as_is)


@end()
def scale_per_class(g):
    x = g.flat()
    y = g.op("Sub", g.op("Mul", g.linear(x), np.linspace(0.5, 1, K, dtype=np.float32)), values(K))
    return done(g, x, g.softmax(y, axis=-1), as_is)


@end()
def batch_norm_behind(g):
    x = g.flat()
    y = g.op("BatchNormalization", g.linear(x), abs(values(K)) + 1, values(K), values(K), abs(values(K)) + 1)
    return done(g, x, g.softmax(y), as_is)


@end()
def negative(g):
    x = g.flat()
    return done(g, x, g.softmax(g.op("Neg", g.linear(x))), as_is)


@end()
def centred(g):
    x = g.flat()
    y = g.linear(x)
    return done(g, x, g.op("Sub", y, g.op("ReduceMean", y, axes=[1], keepdims=1)))


@end()
def log_softmax(g):
    x = g.flat()
    return done(g, x, g.op("LogSoftmax", g.linear(x), axis=1), np.exp)


@end()
def log_of_softmax(g):
    x = g.flat()
    return done(g, x, g.op("Log", g.softmax(g.linear(x))), np.exp)


@end()
def exp_of_log_softmax(g):
    x = g.flat()
    return done(g, x, g.op("Exp", g.op("LogSoftmax", g.linear(x), axis=1)), as_is)


@end()
def sigmoid_of_many(g):
    x = g.flat()
    return done(g, x, g.op("Sigmoid", g.op("Div", g.linear(x), np.float32(1.7))), as_is)


@end()
def sigmoid_spelled(g):
    x = g.flat()
    e = g.op("Exp", g.op("Neg", g.linear(x)))
    return done(g, x, g.op("Div", np.float32(1), g.op("Add", e, np.float32(1))), as_is)


@end()
def hard_sigmoid(g):
    x = g.flat()
    return done(g, x, g.op("HardSigmoid", g.linear(x)), as_is)


@end(classes=2)
def sigmoid_of_one(g):
    x = g.pool()
    return done(g, x, g.op("Flatten", g.op("Sigmoid", g.conv(x, 1)), axis=1), against, "N", 1)


@end(classes=2)
def sigmoid_of_one_squeezed(g):
    x = g.flat()
    return done(g, x, g.op("Squeeze", g.op("Sigmoid", g.linear(x, 1)), np.array([1])), against, "N")


@end(classes=2, labels=["not smile", "smile"], metadata={"names": "{0: 'smile'}"})
def one_logit_named(g):
    x = g.flat()
    return done(g, x, g.linear(x, 1), lambda l: against(sigmoid(l)), "N", 1)


@end(classes=2, labels=["cat", "dog"], metadata={"names": "['cat', 'dog']"})
def one_minus_p(g):
    x = g.flat()
    p = g.op("Sigmoid", g.linear(x, 1))
    return done(g, x, g.op("Concat", g.op("Sub", np.float32(1), p), p, axis=1), as_is, "N", 2)


@end()
def clipped(g):
    x = g.flat()
    return done(g, x, g.op("Clip", g.softmax(g.linear(x)), np.float32(1e-7), np.float32(1 - 1e-7)), as_is)


@end()
def background_dropped(g):
    x = g.flat()
    p = g.softmax(g.linear(x, K + 1))
    return done(g, x, g.op("Slice", p, np.array([1]), np.array([K + 1]), np.array([1])), as_is)


@end()
def percent(g):
    x = g.flat()
    return done(g, x, g.op("Mul", g.softmax(g.linear(x)), np.float32(100)), lambda p: p / 100)


@end()
def softmax_twice(g):
    x = g.flat()
    return done(g, x, g.softmax(g.softmax(g.linear(x))), as_is)


# Axes.

@end()
def softmax_over_the_batch(g):
    x = g.flat()
    y = g.linear(x)
    g.output(g.softmax(y, axis=0), "N", K)
    return x, y, softmax


@end()
def softmax_over_nothing(g):
    x = g.pool()
    y = g.conv(x)
    g.output(g.softmax(y, axis=-1), "N", K, 1, 1)
    return x, y, softmax


@end(opset=11, batch=1)
def softmax_axis_0(g):
    x = g.flat()
    return done(g, x, g.softmax(g.linear(x), axis=0), as_is)


@end(opset=11, batch=1)
def squeezed_batch(g):
    x = g.op("Squeeze", g.pool())
    return done(g, x, g.softmax(g.op("Add", g.op("MatMul", x, values(F, K, size=2)), values(K)), axis=0), as_is, K)


@end(opset=11, batch=1)
def squeezed_and_back(g):
    x = g.op("Squeeze", g.pool(), axes=[0, 2, 3])
    p = g.op("Sigmoid", g.op("Add", g.op("MatMul", x, values(F, K, size=2)), values(K)))
    return done(g, x, g.op("Unsqueeze", p, axes=[0]), as_is)


@end(batch=1)
def row_of_one(g):
    x = g.flat()
    return done(g, x, g.op("Gather", g.linear(x), np.array(0), axis=0), softmax, K)


# Several outputs, and outputs that are made of the scores.

@end()
def logits_and_probabilities(g):
    x = g.flat()
    g.output(g.linear(x, to="logits"), "N", K)
    return done(g, x, g.softmax(g.op("Div", "logits", np.float32(3))), as_is)


@end()
def embedding_and_logits(g):
    g.output(g.linear(g.flat(), 5, to="embedding"), "N", 5)
    return done(g, "embedding", g.linear("embedding", inputs=5))


@end()
def best_alone(g):
    x = g.flat()
    p = g.softmax(g.linear(x))
    g.output(g.op("ArgMax", p, axis=1, keepdims=0), "N", kind=TensorProto.INT64)
    return x, p, as_is


@end()
def best_few(g):
    x = g.flat()
    p = g.softmax(g.linear(x))
    g.op("TopK", p, np.array([2]), to=["best", "index"])
    g.output("best", "N", 2)
    g.output("index", "N", 2, kind=TensorProto.INT64)
    return x, p, as_is


@end()
def over_a_half(g):
    x = g.flat()
    p = g.op("Sigmoid", g.linear(x))
    g.output(g.op("Greater", p, np.float32(0.5)), "N", K, kind=TensorProto.BOOL)
    return x, p, as_is


@end(ml=2, labels=["a", "b", "c", "d"])
def encoded_name_and_map(g):
    x = g.flat()
    p = g.softmax(g.linear(x))
    names = ["a", "b", "c", "d"]
    best = g.op("ArgMax", p, axis=1, keepdims=0)
    name = g.op("LabelEncoder", best, domain="ai.onnx.ml", keys_int64s=list(range(K)), values_strings=names)
    g.output(name, "N", kind=TensorProto.STRING)
    g.op("ZipMap", p, domain="ai.onnx.ml", classlabels_strings=names, to="map")
    entry = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    g.outputs.append(helper.make_value_info("map", helper.make_sequence_type_proto(entry)))
    return x, p, as_is


@end(labels=["r", "s", "t", "u"])
def gathered_name(g):
    x = g.flat()
    p = g.softmax(g.linear(x))
    g.output(g.op("Gather", np.array(["r", "s", "t", "u"], dtype=object), g.op("ArgMax", p, axis=1, keepdims=0)), "N", kind=TensorProto.STRING)
    return done(g, x, p, as_is)


# No classifier.

@end(classes=0)
def features_alone(g):
    x = g.flat()
    return done(g, x, g.op("Identity", x), None, "N", F)


@end(classes=0)
def hidden_layer(g):
    y = g.op("Relu", g.linear(g.flat(), 9))
    return done(g, y, y, None, "N", 9)


@end(train=False)
def two_layers(g):
    x = g.flat()
    other = g.linear(g.op("Relu", g.op("Sub", x, values(F))))
    return done(g, None, g.softmax(g.op("Add", g.linear(x), other)), as_is)


@end(train=False, classes=F)
def softmax_of_features(g):
    return done(g, None, g.softmax(g.flat()), as_is, "N", F)


@end(train=False, classes=-1)
def map_of_scores(g):
    return done(g, None, g.conv(g.map()), None, "N", K, 4, 4)


@end(train=False, classes=-1)
def softmax_of_map(g):
    return done(g, None, g.softmax(g.conv(g.map())), None, "N", K, 4, 4)


@end(train=False)
def largest_of_map(g):
    return done(g, None, g.op("MaxPool", g.conv(g.map()), kernel_shape=[4, 4]), softmax, "N", K, 1, 1)


# More of what makes probabilities.

@end()
def softmax_spelled(g):
    x = g.flat()
    y = g.linear(x)
    e = g.op("Exp", g.op("Sub", y, g.op("ReduceMax", y, axes=[1], keepdims=1)))
    return done(g, x, g.op("Div", e, g.op("ReduceSum", e, np.array([1]), keepdims=1)), as_is)


@end(classes=2)
def some_classes_of_more(g):
    x = g.flat()
    p = g.op("Gather", g.softmax(g.linear(x)), np.array([1, 3]), axis=1)
    return done(g, x, g.op("Div", p, g.op("ReduceSum", p, np.array([1]), keepdims=1)), as_is, "N", 2)


@end()
def evidence(g):
    x = g.flat()
    e = g.op("Add", g.op("Softplus", g.linear(x)), np.float32(1))
    return done(g, x, g.op("Div", e, g.op("ReduceSum", e, np.array([1]), keepdims=1)), as_is)


@end()
def tanh_before_softmax(g):
    x = g.flat()
    return done(g, x, g.softmax(g.op("Mul", g.op("Tanh", g.linear(x)), np.float32(4))), as_is)


@end()
def conv_relu_before_pool_and_softmax(g):
    y = g.op("GlobalAveragePool", g.op("Relu", g.conv(g.map())))
    return done(g, None, g.softmax(y), as_is, "N", K, 1, 1)


@end()
def mean_of_sigmoids(g):
    x = g.map()
    return done(g, g.op("GlobalAveragePool", x), g.op("GlobalAveragePool", g.op("Sigmoid", g.conv(x))), as_is, "N", K, 1, 1)


@end(train=False)
def largest_of_sigmoids(g):
    return done(g, None, g.op("GlobalMaxPool", g.op("Sigmoid", g.conv(g.map()))), as_is, "N", K, 1, 1)


@end(train=False)
def mean_of_two_classifiers(g):
    x = g.flat()
    both = g.op("Add", g.softmax(g.linear(x)), g.softmax(g.linear(x)))
    return done(g, None, g.op("Mul", both, np.float32(0.5)), as_is)


@end()
def dense_channels_last(g):
    x = g.pool()
    y = g.op("MatMul", g.op("Transpose", x, perm=[0, 2, 3, 1]), values(F, K, size=2))
    p = g.softmax(g.op("Add", y, values(K)), axis=-1)
    return done(g, x, g.op("Reshape", p, np.array([-1, K])), as_is)


@end()
def cosine(g):
    x = g.flat()
    length = g.op("Sqrt", g.op("ReduceSum", g.op("Mul", x, x), np.array([1]), keepdims=1))
    unit = g.op("Div", x, length)
    return done(g, unit, g.softmax(g.op("Mul", g.op("MatMul", unit, values(F, K)), np.float32(20))), as_is)


def run(model, names, photos, batch):
    """What ONNX Runtime computes, a row for every photo."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    own = {o.name for o in model.graph.output}
    model.graph.output.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names if n not in own)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    parts = [photos] if batch == "N" else [p[None] for p in photos]
    results = [session.run(names, {"input": p}) for p in parts]
    return [np.concatenate([np.reshape(r[i], (len(p), -1)) for r, p in zip(results, parts)]) for i in range(len(names))]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    photos = []
    for i in range(2):
        image = Image.fromarray(RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8)).resize((SIDE, SIDE), Image.NEAREST)
        image.save(folder / f"photo{i}.png")
        photos.append(np.asarray(image).transpose(2, 0, 1) / np.float32(255))
    photos = np.stack(photos).astype(np.float32)
    expected = {}
    for name, (build, options, entry, metadata) in ENDS.items():
        g = Graph(**options)
        features, scores, p = build(g)
        model = g.model()
        helper.set_model_props(model, metadata)
        onnx.save(model, folder / f"{name}.onnx")
        names = [n for n in (features, scores) if n]
        rows = dict(zip(names, run(model, names, photos, g.batch)))
        if features:
            entry["features"] = [[float(f"{v:.7g}") for v in row] for row in rows[features]]
        if p:
            entry["p"] = [[float(f"{v:.7g}") for v in row] for row in p(rows[scores].astype(np.float64))]
        expected[name] = entry
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in expected.items())
    (folder / "expected.json").write_text("{\n" + lines + "\n}\n")


main()
