#!/usr/bin/env python3
"""Export torchvision's Inception-v3 (or another classifier) to ONNX, faithfully.

    export_inception_v3.py OUT.onnx [--weights DEFAULT|FILE] [--mode train|eval] [--arch NAME]

--weights DEFAULT   torchvision's pretrained weights (they are downloaded)
--weights FILE      a state dict (.pth), or a checkpoint with one under state_dict or model
--mode train        everything that training needs: BatchNorm, Dropout's ratios, auxiliary outputs (default)
--mode eval         for serving: BatchNorm folded, main output alone

Stochastic depth (EfficientNet, ConvNeXt) is left out of the training form.

Tracing a model in training mode runs it, which moves BatchNorm's running statistics towards the example
input. They are put back: into the model, and into the exported file, bit by bit. EfficientNet's stochastic depth
is left out.

Runs with PyTorch 1.13 to 2.15; needs torch, torchvision and onnx. `regraft import FILE.pth` does the same
without Python for the architectures that it knows.
"""
import argparse
import inspect
import pathlib
import pickle
import sys
import warnings

import onnx
import torch
import torchvision
from onnx import numpy_helper

SIZES = {"inception_v3": 299}
WITH_AUX = ("inception_v3", "googlenet")
OPSET = 17


def fail(message):
    """End with one line."""
    sys.exit(f"{pathlib.Path(__file__).name}: {' '.join(str(message).split())}")


def state_of(path):
    """The state dict in a file."""
    options = {"weights_only": True} if "weights_only" in inspect.signature(torch.load).parameters else {}
    try:
        state = torch.load(path, map_location="cpu", **options)
    except OSError as e:
        fail(e)
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, ValueError, IndexError, UnicodeDecodeError):
        fail(f"{path}: PyTorch cannot read this as a state dict")
    if not isinstance(state, dict):
        fail(f"{path}: it holds {type(state).__name__}, not a state dict")
    for key in ("state_dict", "model"):
        if isinstance(state.get(key), dict):
            state = state[key]
    for prefix in ("module.", "_orig_mod."):
        if all(k.startswith(prefix) for k in state):
            state = {k[len(prefix):]: v for k, v in state.items()}
    return state


def classes_of(state, arch):
    """The number of classes: the length of the last bias that is no auxiliary one's."""
    names = [k for k in state if str(k).endswith(".bias") and not k.lower().startswith("aux") and state[k].dim() == 1]
    heads = [k for k in names if k.split(".")[0] in ("fc", "classifier", "head", "heads")]
    if not heads:
        fail(f"no classifier (fc, classifier) among the tensors: is this a {arch}?")
    return len(state[heads[-1]])


def build(arch, weights):
    """The model with its weights, in evaluation mode."""
    make = getattr(torchvision.models, arch, None)
    if not inspect.isfunction(make):
        fail(f"torchvision has no classifier called {arch}")
    if weights == "DEFAULT":
        return pretrained(make, arch)
    state = state_of(weights)
    options = {"num_classes": classes_of(state, arch)}
    if arch in WITH_AUX:
        # Weights of this form mostly descend from the pretrained ones, which switch transform_input on.
        options.update(aux_logits=any("aux" in k.lower() for k in state), init_weights=False, transform_input=True)
    model = make(weights=None, **options)
    compare(weights, arch, model.state_dict(), state)
    model.load_state_dict(state)
    return model.eval()


def pretrained(make, arch):
    try:
        return make(weights="DEFAULT").eval()
    except (OSError, RuntimeError) as e:  # no connection, a file with another checksum
        fail(f"the pretrained weights of {arch} did not arrive ({e}): download them with regraft weights pull or a browser, and give --weights FILE")


def compare(path, arch, wanted, state):
    """Fail unless the state dict has the tensors that are wanted."""
    faults = {
        "missing": [k for k in wanted if k not in state and not k.endswith("num_batches_tracked")],
        "unexpected": [k for k in state if k not in wanted],
        "of another shape": [k for k, v in wanted.items() if k in state and state[k].shape != v.shape],
    }
    told = [f"{len(names)} {what} ({names[0]}{', ...' if len(names) > 1 else ''})" for what, names in faults.items() if names]
    if told:
        fail(f"{path} holds no {arch}: {', '.join(told)}")


def export(model, x, path, mode):
    """Write the file; what tracing changed in the model is undone."""
    before = {k: v.clone() for k, v in model.state_dict().items()}
    training = mode == "train"
    for module in model.modules():
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0  # random choices among whole blocks are not read; it has no parameters
    model.train(training)
    for module in model.modules():
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0  # chance that ONNX has no operator for
    with torch.no_grad():
        out = model(x)
    count = len([t for t in out if isinstance(t, torch.Tensor)]) if isinstance(out, tuple) else 1
    outputs = ["logits"] + [f"aux_logits_{i}" for i in range(1, count)]
    options = dict(
        opset_version=OPSET, input_names=["input"], output_names=outputs,
        dynamic_axes={name: {0: "N"} for name in ["input"] + outputs},
        do_constant_folding=not training,  # which folds BatchNorm too
        training=torch.onnx.TrainingMode.TRAINING if training else torch.onnx.TrainingMode.EVAL)
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False  # the newer exporter folds BatchNorm even in training mode
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, x, str(path), **options)
    model.load_state_dict(before)
    model.eval()
    return before


def restore(path, state):
    """Put the values of the state dict into the file's tensors of the same names; say how many moved."""
    proto = onnx.load(str(path))
    moved = 0
    for t in proto.graph.initializer:
        if t.name not in state or t.data_type != onnx.TensorProto.FLOAT:
            continue
        want = state[t.name].detach().contiguous().numpy()
        if list(want.shape) != list(t.dims):
            fail(f"{t.name} has shape {list(t.dims)} in the file and {list(want.shape)} in the model")
        data = want.astype("<f4").tobytes()
        if numpy_helper.to_array(t).tobytes() != data:
            moved += 1
            t.ClearField("float_data")
            t.raw_data = data
    onnx.save(proto, str(path))
    return moved


def check(path, state, mode):
    """In training form every parameter must be in the file with the model's bits."""
    proto = onnx.load(str(path))
    onnx.checker.check_model(proto)
    if mode != "train":
        return
    stored = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
    lost = [k for k, v in state.items() if not k.endswith("num_batches_tracked")
            and (k not in stored or stored[k].tobytes() != v.detach().contiguous().numpy().tobytes())]
    if lost:
        fail(f"{len(lost)} parameters are not in the file as they are in the model: {lost[:5]}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=pathlib.Path, metavar="OUT.onnx")
    p.add_argument("--weights", default="DEFAULT", metavar="DEFAULT|FILE")
    p.add_argument("--mode", choices=("train", "eval"), default="train")
    p.add_argument("--arch", default="inception_v3", metavar="NAME", help="a classifier of torchvision (default: inception_v3)")
    args = p.parse_args()
    if not args.out.parent.is_dir():
        fail(f"the folder {args.out.parent} does not exist")
    torch.manual_seed(0)
    model = build(args.arch, args.weights)
    size = SIZES.get(args.arch, 224)
    if args.arch == "googlenet" and args.mode == "train":
        size = 256  # PyTorch cannot export the auxiliary heads' pools at 224
    state = export(model, torch.zeros(2, 3, size, size), args.out, args.mode)
    moved = restore(args.out, state) if args.mode == "train" else 0
    check(args.out, state, args.mode)
    print(f"{args.out}: {args.arch}, {args.mode} form, {moved} running statistics restored "
          f"(torch {torch.__version__}, torchvision {torchvision.__version__})")


if __name__ == "__main__":
    main()
