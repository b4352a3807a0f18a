"""What the peers share: arguments, input, the timing loop, and the line of JSON that bench_peers.py reads."""
import argparse
import json
import os
import statistics
import time

SIZE, SHORT = 299, 342
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def arguments(description, runs):
    p = argparse.ArgumentParser(description=description)
    p.add_argument("model", help="ONNX file, or for photos their folder")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--runs", type=int, default=runs)
    return p


def parse(p):
    """Parses, and limits the threads of libraries that are imported later."""
    a = p.parse_args()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ[name] = str(a.threads)
    return a


def noise(batch, size=SIZE):
    """The input of regraft bench: between -1 and 1, (batch, 3, size, size)."""
    import numpy as np
    i = np.arange(batch * 3 * size * size, dtype=np.uint32)
    x = (i * np.uint32(2654435761) >> np.uint32(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    return x.reshape(batch, 3, size, size)


def measure(peer, images, runs, step):
    """Times step(), which works on so many images, after two runs that do not count."""
    for _ in range(2):
        step()
    report(peer, [timed(step) / images for _ in range(runs)])


def timed(step):
    start = time.perf_counter()
    step()
    return (time.perf_counter() - start) * 1e3


def report(peer, ms):
    print(json.dumps({"peer": peer, "ms_per_image_min": min(ms), "ms_per_image_median": statistics.median(ms)}))


def photo(path):
    """A photo as the network's input (1, 3, 299, 299): shorter side to 342, centre, ImageNet's normalisation."""
    import numpy as np
    from PIL import Image
    image = Image.open(path).convert("RGB")
    scale = SHORT / min(image.size)
    image = image.resize([round(v * scale) for v in image.size], Image.BILINEAR)
    left, top = (image.width - SIZE) // 2, (image.height - SIZE) // 2
    pixels = np.asarray(image.crop((left, top, left + SIZE, top + SIZE)), np.float32) / 255
    return ((pixels - np.float32(MEAN)) / np.float32(STD)).transpose(2, 0, 1)[None]


def network(path, arch):
    """torchvision's network with the weights of an ONNX training form, the side of its photos, and its number of classes."""
    import onnx
    import torch
    import torchvision
    graph = onnx.load(path).graph
    size = graph.input[0].type.tensor_type.shape.dim[3].dim_value
    classes = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    values = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    options = {"init_weights": False, "aux_logits": True, "transform_input": False} if arch in ("inception_v3", "googlenet") else {}
    model = getattr(torchvision.models, arch)(weights=None, num_classes=classes, **options)
    state = model.state_dict()
    missing = [k for k in state if k not in values and not k.endswith("num_batches_tracked")]
    if missing:
        raise SystemExit(f"{path}: no {missing[0]}: not a training form of torchvision's {arch}")
    # ConvNeXt's linear layers are 1x1 convolutions there.
    model.load_state_dict({k: torch.from_numpy(values[k].copy()).view_as(v) if k in values else v for k, v in state.items()})
    return model, size, classes
