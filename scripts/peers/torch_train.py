#!/usr/bin/env python3
"""Training steps with PyTorch in its fastest form, channels last: loss main + 0.4 for each auxiliary, SGD with momentum.

With --heads the trunk of Inception-v3 is frozen and only the two linear layers learn."""
import common

p = common.arguments(__doc__, 3)
p.add_argument("--heads", action="store_true")
p.add_argument("--arch", default="inception_v3")
a = common.parse(p)
import torch

torch.set_num_threads(a.threads)
model, size, classes = common.network(a.model, a.arch)
model = model.train().to(memory_format=torch.channels_last)
if a.heads:
    model.requires_grad_(False)
    for head in (model.fc, model.AuxLogits.fc):
        head.requires_grad_(True)
x = torch.from_numpy(common.noise(a.batch, size)).contiguous(memory_format=torch.channels_last)
y = torch.arange(a.batch) % classes
sgd = torch.optim.SGD([q for q in model.parameters() if q.requires_grad], lr=1e-4, momentum=0.9)
loss = torch.nn.CrossEntropyLoss()


def step():
    sgd.zero_grad()
    logits = model(x)
    main, *auxiliary = [logits] if isinstance(logits, torch.Tensor) else logits
    (loss(main, y) + 0.4 * sum(loss(aux, y) for aux in auxiliary)).backward()
    sgd.step()


common.measure(f"PyTorch {torch.__version__.split('+')[0]} channels_last", a.batch, a.runs, step)
