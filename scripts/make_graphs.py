#!/usr/bin/env python3
"""Write the graphs of weights/graphs, but for vision transformers: networks of torchvision, ConvNeXt V2 and MobileNetV4 in training form,
without weights.

    make_graphs.py [--out weights/graphs] [NAME...]

Every parameter is an initializer with its real shape whose data is "external", at a location that
does not exist: whoever reads the graph supplies the values by name. The first size of a
classifier's tensors is the number of classes, 1000. ConvNeXt and its second version have the classifier's input as a further output, for
weights that come without a classifier. Files are compressed with gzip; the same
torch and torchvision write the same bytes.

Needs torch, torchvision, timm and onnx (made with torch 2.15, torchvision 0.29, timm 1.0.31).
"""
import argparse
import contextlib
import gzip
import io
import pathlib
import warnings

import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torchvision.models.convnext import ConvNeXt
from torchvision.ops import StochasticDepth

import random_networks

SIZES = {"inception_v3": 299, "efficientnet_v2_m": 480, "efficientnet_v2_s": 384, "mobilenetv4_conv_medium": 256, "mobilenetv4_conv_large": 384}
FAMILIES = [
    "alexnet", "convnext_tiny", "convnext_small", "convnext_base", "densenet121", "efficientnet_b0", "efficientnet_v2_s",
    "efficientnet_v2_m", "googlenet", "inception_v3", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3", "mobilenet_v2",
    "mobilenet_v3_large", "mobilenet_v3_small", "regnet_x_400mf", "regnet_x_800mf", "regnet_x_1_6gf", "regnet_x_3_2gf", "regnet_x_8gf",
    "regnet_x_16gf", "regnet_y_400mf", "regnet_y_800mf", "regnet_y_1_6gf", "regnet_y_3_2gf", "regnet_y_8gf", "regnet_y_16gf",
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d",
    "mobilenetv4_conv_small", "mobilenetv4_conv_medium", "mobilenetv4_conv_large", *random_networks.CONVNEXT_V2,
    "wide_resnet50_2", "wide_resnet101_2", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0",
    "squeezenet1_0", "squeezenet1_1", "vgg11_bn", "vgg16",
]
OPSET = 17
PLACEHOLDER = "weights"  # the location that every parameter names


def build(name):
    options = {"aux_logits": True, "init_weights": False} if name in ("inception_v3", "googlenet") else {}
    model = random_networks.make(name, 1000, **options)
    for module in model.modules():
        if isinstance(module, StochasticDepth):
            module.p = 0.0  # dropping whole blocks has no ONNX operator
    if isinstance(model, ConvNeXt):
        model.forward = lambda x: with_features(model, x)
    return model.train()


def with_features(model, x):
    """The logits, and what they are computed of."""
    features = model.classifier[:-1](model.avgpool(model.features(x)))
    return model.classifier[-1](features), features


@contextlib.contextmanager
def adaptive_pool_in_standard_operators():
    """GoogLeNet's auxiliary heads pool 14x14 to 4x4, which no one ONNX operator does: the windows, all of
    4x4, begin at 0, 3, 7 and 10. Average all windows of 4x4 and pick those."""
    original = F.adaptive_avg_pool2d

    def pool(x, size):
        side = size[0] if isinstance(size, (tuple, list)) else size
        if side != 4 or x.shape[-1] != 14:
            return original(x, size)
        begins = torch.tensor([i * 14 // 4 for i in range(4)])
        windows = F.avg_pool2d(x, 4, stride=1)
        return windows.index_select(2, begins).index_select(3, begins)

    F.adaptive_avg_pool2d = pool
    try:
        yield
    finally:
        F.adaptive_avg_pool2d = original


def export(model, size):
    names = ["logits", "pooler_output"] if isinstance(model, ConvNeXt) else ["logits", "aux_logits", "aux_logits_2"]
    with torch.no_grad():
        results = model(torch.zeros(2, 3, size, size))
    outputs = names[:1 if isinstance(results, torch.Tensor) else len(results)]
    stream = io.BytesIO()
    with warnings.catch_warnings(), adaptive_pool_in_standard_operators():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, torch.zeros(2, 3, size, size), stream, dynamo=False, export_params=False, verbose=False,
            do_constant_folding=False, training=torch.onnx.TrainingMode.TRAINING, opset_version=OPSET,
            input_names=["input"], output_names=outputs,
            dynamic_axes={k: {0: "N"} for k in ["input"] + outputs})
    return onnx.load_from_string(stream.getvalue())


def placeholders(model, graph):
    """Parameters are inputs of the exported graph: make them initializers without data."""
    known = set(model.state_dict())
    kept = []
    for value in graph.input:
        if value.name not in known:
            kept.append(value)
            continue
        t = graph.initializer.add()
        t.name = value.name
        t.data_type = TensorProto.FLOAT
        t.dims.extend(d.dim_value for d in value.type.tensor_type.shape.dim)
        t.data_location = TensorProto.EXTERNAL
        t.external_data.add(key="location", value=PLACEHOLDER)
    del graph.input[:]
    graph.input.extend(kept)


def inference_form(graph):
    """BatchNormalization and Dropout keep one result each and no training mode."""
    for node in graph.node:
        if node.op_type in ("BatchNormalization", "Dropout"):
            del node.output[1:]
        if node.op_type == "BatchNormalization":
            keep = [a for a in node.attribute if a.name != "training_mode"]
            del node.attribute[:]
            node.attribute.extend(keep)
        if node.op_type == "Dropout":
            del node.input[2:]


def drop_unused(graph):
    """Leave out what only the training forms needed."""
    while True:
        used = {name for node in graph.node for name in node.input} | {o.name for o in graph.output}
        keep = [n for n in graph.node if any(o in used for o in n.output)]
        if len(keep) == len(graph.node):
            break
        del graph.node[:]
        graph.node.extend(keep)
    weights = [t for t in graph.initializer if t.name in used]
    del graph.initializer[:]
    graph.initializer.extend(weights)


def short_names(graph):
    """Intermediate values are numbered."""
    fixed = {v.name for v in [*graph.input, *graph.output, *graph.initializer]}
    short = {}
    for node in graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name and name not in fixed:
                    names[i] = short.setdefault(name, str(len(short)))
    del graph.value_info[:]


def strip(name, model, proto):
    graph = proto.graph
    placeholders(model, graph)
    inference_form(graph)
    drop_unused(graph)
    short_names(graph)
    graph.name = name
    for node in graph.node:
        node.doc_string = ""
    proto.metadata_props.add(key="regraft.arch", value=name)
    return proto


def check(name, model, proto):
    """Every parameter of the model is in the graph and nothing else."""
    want = {k: list(v.shape) for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    got = {t.name: list(t.dims) for t in proto.graph.initializer if t.data_location == TensorProto.EXTERNAL}
    if want != got:
        raise SystemExit(f"{name}: parameters differ: {sorted(set(want) ^ set(got))}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "weights" / "graphs")
    p.add_argument("names", nargs="*", metavar="NAME", help="families (default: all)")
    args = p.parse_args()
    for name in args.names or FAMILIES:
        model = build(name)
        proto = strip(name, model, export(model, SIZES.get(name, 224)))
        check(name, model, proto)
        data = gzip.compress(proto.SerializeToString(deterministic=True), 9, mtime=0)
        (args.out / f"{name}.onnx.gz").write_bytes(data)
        print(f"{name}: {len(proto.graph.node)} nodes, {len(proto.graph.initializer)} initializers, {len(data)} bytes")


if __name__ == "__main__":
    main()
