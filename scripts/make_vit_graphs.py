#!/usr/bin/env python3
"""Write the graphs of weights/graphs for vision transformers, without weights.

    make_vit_graphs.py [--out weights/graphs] [NAME...]

They are written node by node (opset 23, which has attention and layer norm as operators), since one graph stands for what
several libraries call by other names and compute alike. Parameters are called as in torchvision's VisionTransformer, and what
that lacks in its manner. The first size of a classifier's tensors is the number of classes, 1000. The outputs are alternatives:
the logits, where a file has a classifier, else what the tokens give: image_embeds, pooler_output, last_hidden_state.

Norms have epsilon 1e-6 and activations are the exact GELU; whoever reads the graph changes both where the weights want others.
"""
import argparse
import gzip
import pathlib
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper, numpy_helper

PLACEHOLDER = "weights"  # the location that every parameter names
CLASSES, HEAD = 1000, 64  # HEAD is the number of channels of one head of attention


@dataclass
class Shape:
    """What tells one network from another."""

    depth: int
    width: int
    patch: int
    image: int = 224
    patch_bias: bool = True
    class_token: bool = True
    distillation: bool = False
    registers: int = 0
    positions: bool = True
    relative: bool = False  # a table of relative positions in every block, and attention without a bias of the keys
    layer_scale: bool = False
    norm_before: bool = False
    outputs: tuple = ("logits", "pooler_output", "last_hidden_state")
    kind: str = "vit"
    embedding: int = 0


def sizes(kind, names, **options):
    """Networks that differ in depth and width alone."""
    wide = {"tiny": (12, 192), "small": (12, 384), "base": (12, 768), "large": (24, 1024)}
    return {name: Shape(*wide[size], kind=kind, **options) for name, size in names.items()}


NETWORKS = {
    **sizes("vit", {"vit_t_16": "tiny", "vit_s_16": "small", "vit_b_16": "base", "vit_l_16": "large"}, patch=16),
    **sizes("vit", {"vit_s_32": "small", "vit_b_32": "base"}, patch=32),
    **sizes("distilled", {"deit_t_16_distilled": "tiny", "deit_s_16_distilled": "small", "deit_b_16_distilled": "base"},
            patch=16, distillation=True, outputs=("logits", "last_hidden_state")),
    **sizes("dinov2", {"dinov2_small": "small", "dinov2_base": "base", "dinov2_large": "large"},
            patch=14, image=518, layer_scale=True, outputs=("logits", "linear_logits", "last_hidden_state")),
    **sizes("dinov2", {"dinov2_small_reg": "small", "dinov2_base_reg": "base", "dinov2_large_reg": "large"},
            patch=14, image=518, layer_scale=True, registers=4, outputs=("logits", "linear_logits", "last_hidden_state")),
    **sizes("clip", {"clip_vit_b_32": "base"}, patch=32, patch_bias=False, norm_before=True, embedding=512,
            outputs=("logits", "image_embeds", "pooler_output", "last_hidden_state")),
    **sizes("clip", {"clip_vit_b_16": "base"}, patch=16, patch_bias=False, norm_before=True, embedding=512,
            outputs=("logits", "image_embeds", "pooler_output", "last_hidden_state")),
    **sizes("clip", {"clip_vit_l_14": "large"}, patch=14, patch_bias=False, norm_before=True, embedding=768,
            outputs=("logits", "image_embeds", "pooler_output", "last_hidden_state")),
    **sizes("siglip", {"siglip_b_16": "base"}, patch=16, class_token=False, outputs=("logits", "pooler_output", "last_hidden_state")),
    **sizes("beit", {"beit_b_16": "base"}, patch=16, positions=False, relative=True, layer_scale=True,
            outputs=("logits", "last_hidden_state")),
}


class Graph:
    """Nodes with numbered results, parameters and constants."""

    def __init__(self):
        self.nodes, self.parameters, self.known = [], {}, {}

    def node(self, kind, *inputs, out=None, outputs=1, **attributes):
        names = [out] if out else [str(sum(len(n.output) for n in self.nodes) + i) for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def parameter(self, name, *shape):
        self.parameters[name] = shape
        return name

    def constant(self, name, values):
        self.known[name] = numpy_helper.from_array(np.array(values, np.int64), name)
        return name

    def linear(self, x, layer, into, of, bias=None, weight=None, out=None):
        """A linear layer over the last axis; the weight is (into, of), as PyTorch has it."""
        w = self.parameter(weight or layer + ".weight", into, of)
        y = self.node("MatMul", x, self.node("Transpose", w, perm=[1, 0]), out=out if bias == "" else None)
        return y if bias == "" else self.node("Add", y, self.parameter(bias or layer + ".bias", into), out=out)

    def norm(self, x, layer, width, out=None):
        scale, shift = self.parameter(layer + ".weight", width), self.parameter(layer + ".bias", width)
        return self.node("LayerNormalization", x, scale, shift, out=out, axis=-1, epsilon=1e-6)

    def mlp(self, x, first, second, width, hidden):
        return self.linear(self.node("Gelu", self.linear(x, first, hidden, width)), second, width, hidden)

    def attention(self, q, k, v, width, mask=()):
        return self.node("Attention", q, k, v, *mask, q_num_heads=width // HEAD, kv_num_heads=width // HEAD)

    def token(self, x, first):
        """One token, (N, C)."""
        return self.node("Gather", x, self.constant(f"at{first}", first), axis=1)

    def tokens(self, x, first):
        """All tokens from first on."""
        return self.node("Slice", x, self.constant(f"from{first}", [first]), self.constant("end", [1 << 62]), self.constant("axis", [1]))

    def per_image(self, x):
        """A token (1, T, C) for every image of the batch."""
        batch = self.node("Shape", "input", start=0, end=1)
        return self.node("Expand", x, self.node("Concat", batch, self.constant("ones", [1, 1]), axis=0))


def embeddings(g, s):
    """Patches and special tokens with their positions, (N, T, C)."""
    w = g.parameter("conv_proj.weight", s.width, 3, s.patch, s.patch)
    bias = [g.parameter("conv_proj.bias", s.width)] if s.patch_bias else []
    x = g.node("Conv", "input", w, *bias, kernel_shape=[s.patch] * 2, strides=[s.patch] * 2)
    x = g.node("Transpose", g.node("Reshape", x, g.constant("flat", [0, s.width, -1])), perm=[0, 2, 1])
    extra = [g.parameter("class_token", 1, 1, s.width)] if s.class_token else []
    extra += [g.parameter("distillation_token", 1, 1, s.width)] if s.distillation else []
    grid = (s.image // s.patch) ** 2
    table = g.parameter("encoder.pos_embedding", 1, grid + (0 if s.registers else len(extra)), s.width) if s.positions else None
    if s.registers:  # these, and the class token beside them, have no positions
        x = g.node("Add", x, table)
        extra.append(g.parameter("register_tokens", 1, s.registers, s.width))
    if extra:
        x = g.node("Concat", *[g.per_image(t) for t in extra], x, axis=1)
    if table and not s.registers:
        x = g.node("Add", x, table)
    return g.norm(x, "encoder.pre_ln", s.width) if s.norm_before else x


def block(g, s, x, i):
    name = f"encoder.layers.encoder_layer_{i}."
    attention = name + "self_attention."
    y = g.linear(g.norm(x, name + "ln_1", s.width), "", 3 * s.width, s.width, attention + "in_proj_bias", attention + "in_proj_weight")
    y = g.attention(*g.node("Split", y, outputs=3, axis=2, num_outputs=3), s.width, relative_bias(g, s, attention) if s.relative else ())
    y = g.linear(y, attention + "out_proj", s.width, s.width)
    x = g.node("Add", x, scaled(g, s, y, name + "layer_scale_1"))
    y = g.mlp(g.norm(x, name + "ln_2", s.width), name + "mlp.0", name + "mlp.3", s.width, 4 * s.width)
    return g.node("Add", x, scaled(g, s, y, name + "layer_scale_2"))


def scaled(g, s, y, name):
    return g.node("Mul", y, g.parameter(name, s.width)) if s.layer_scale else y


def relative_bias(g, s, attention):
    """What BEiT adds to the scores of every pair of tokens: entries of a table by distance, with three more for the class token."""
    side = s.image // s.patch
    tokens, distances, heads = side * side + 1, (2 * side - 1) ** 2, s.width // HEAD
    at = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij")).reshape(2, -1)
    apart = at[:, :, None] - at[:, None, :] + side - 1
    index = np.full((tokens, tokens), distances)  # of the class token to others
    index[1:, 1:] = apart[0] * (2 * side - 1) + apart[1]
    index[1:, 0], index[0, 0] = distances + 1, distances + 2
    table = g.parameter(attention + "relative_position_bias_table", distances + 3, heads)
    bias = g.node("Gather", table, g.constant("index", index.reshape(-1)), axis=0)
    bias = g.node("Reshape", bias, g.constant("pairs", [1, tokens, tokens, heads]))
    return [g.node("Transpose", bias, perm=[0, 3, 1, 2])]


def outputs(g, s, x):
    """The results in their order, from tokens (N, T, C)."""
    def classifier(layer, x, features, out="logits"):
        w, b = g.parameter(f"heads.{layer}.weight", CLASSES, features), g.parameter(f"heads.{layer}.bias", CLASSES)
        g.node("Gemm", x, w, b, out=out, transB=1)

    if s.kind == "clip":  # the tokens themselves are not normalised
        g.node("Identity", x, out="last_hidden_state")
        g.norm(g.token(x, 0), "encoder.ln", s.width, out="pooler_output")
        g.linear("pooler_output", "visual_projection", s.embedding, s.width, bias="", out="image_embeds")
        classifier("head", "pooler_output", s.width)
        return
    if s.kind == "beit":
        g.node("Identity", x, out="last_hidden_state")
        patches = g.node("ReduceMean", g.tokens(x, 1), g.constant("axis", [1]), keepdims=0)
        classifier("head", g.norm(patches, "encoder.fc_norm", s.width), s.width)
        return
    x = g.norm(x, "encoder.ln", s.width, out="last_hidden_state")
    if s.kind == "siglip":
        classifier("head", attention_pool(g, s, x), s.width)
        return
    first = g.token(x, 0)
    if s.kind == "distilled":
        classifier("head", g.node("Concat", first, g.token(x, 1), axis=1), 2 * s.width)
        return
    classifier("head", first, s.width)
    if s.kind == "dinov2":
        patches = g.node("ReduceMean", g.tokens(x, 1 + s.registers), g.constant("axis", [1]), keepdims=0)
        classifier("linear", g.node("Concat", first, patches, axis=1), 2 * s.width, out="linear_logits")
    else:
        g.node("Tanh", g.linear(first, "pooler.dense", s.width, s.width), out="pooler_output")


def attention_pool(g, s, x):
    """SigLIP's pool: one learned query attends to all tokens."""
    query = g.per_image(g.parameter("pool.query_token", 1, 1, s.width))
    q = g.linear(query, "pool.q", s.width, s.width)
    k, v = g.node("Split", g.linear(x, "pool.kv", 2 * s.width, s.width), outputs=2, axis=2, num_outputs=2)
    y = g.linear(g.attention(q, k, v, s.width), "pool.out_proj", s.width, s.width)
    y = g.node("Add", y, g.mlp(g.norm(y, "pool.ln", s.width), "pool.mlp.0", "pool.mlp.3", s.width, 4 * s.width))
    return g.node("Gather", y, g.constant("at0", 0), axis=1, out="pooler_output")


def proto(name, s):
    g = Graph()
    x = embeddings(g, s)
    for i in range(s.depth):
        x = block(g, s, x, i)
    outputs(g, s, x)
    values = lambda names, shape: [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape(n)) for n in names]
    return proto_of(g, name, values(["input"], lambda _: ["N", 3, s.image, s.image]),
                    values(s.outputs, lambda n: ["N", "T", s.width] if n == "last_hidden_state" else ["N", n]), 23)


def proto_of(g, name, inputs, outputs, opset):
    """The model of a graph, whose parameters have no values."""
    graph = helper.make_graph(g.nodes, name, inputs, outputs, list(g.known.values()))
    for parameter, shape in g.parameters.items():
        t = graph.initializer.add(name=parameter, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
        t.external_data.add(key="location", value=PLACEHOLDER)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    model.metadata_props.add(key="regraft.arch", value=name)
    return model


def write(doc, networks, proto):
    """Writes the networks that the command line names; proto makes one of its name and shape."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "weights" / "graphs")
    p.add_argument("names", nargs="*", metavar="NAME", help="networks (default: all)")
    args = p.parse_args()
    for name in args.names or networks:
        model = proto(name, networks[name])
        data = gzip.compress(model.SerializeToString(deterministic=True), 9, mtime=0)
        (args.out / f"{name}.onnx.gz").write_bytes(data)
        print(f"{name}: {len(model.graph.node)} nodes, {len(model.graph.initializer)} initializers, {len(data)} bytes")


if __name__ == "__main__":
    write(__doc__, NETWORKS, proto)
