#!/usr/bin/env python3
"""Prints what torchvision and timm say of their pretrained weights, a line of JSON each: for the names in the arguments, which
are timm's where they have a tag (inception_v3.tf_in1k), "inception_v3" or "resnet50.v2" where they are torchvision's.
"""
import json
import sys

import timm
import torchvision


def of_torchvision(name):
    arch, _, version = name.partition(".")
    weights = torchvision.models.get_model_weights(arch)["IMAGENET1K_" + (version or "v1").upper()]
    t = weights.transforms()
    return dict(url=weights.url, mib=weights.meta["_file_size"], size=t.crop_size[0], short=t.resize_size[0],
                resample=t.interpolation.value, mean=t.mean, std=t.std)


def of_timm(name):
    c = timm.get_pretrained_cfg(name)
    size = c.input_size[1]
    return dict(url=c.url, mib=0, size=size, short=int(size / c.crop_pct), resample=c.interpolation, mean=c.mean, std=c.std)


for name in sys.argv[1:]:
    own = "." in name and not name.endswith((".v1", ".v2"))
    print(json.dumps(dict(of_timm(name) if own else of_torchvision(name), name=name)))
