#!/usr/bin/env python3
"""Writes the state dict of a torchvision network with random weights and 1000 classes, for regraft import.

    random_state_dict.py FAMILY OUT.pth"""
import pathlib
import sys

import torch

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import random_networks

family, out = sys.argv[1:]
torch.set_num_threads(2)
model = random_networks.build(family, 1000)
size = random_networks.size(family)
random_networks.realistic_statistics(model, torch.randn(2, 3, size, size))
torch.save(model.state_dict(), out)
