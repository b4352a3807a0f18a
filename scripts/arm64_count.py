#!/usr/bin/env python3
"""Adds up what scripts/arm64_count.c counted: a table of functions by their instructions.

    scripts/arm64_count.py FILE [FILE whose counts are taken away]
"""

import collections
import re
import sys

SHOWN = 24
instructions, products = collections.Counter(), collections.Counter()
for sign, path in zip((1, -1), sys.argv[1:]):
    for line in open(path, encoding="utf-8"):
        n, p, function = line.rstrip("\n").split(" ", 2)
        function = re.sub(r"^regraft/(?:engine/kernel/asm|photo/pixel)\.(\w+)\.abi0$", r"\1", function)
        instructions[function] += sign * int(n)
        products[function] += sign * int(p)
del instructions["peak_f32_neon"], products["peak_f32_neon"]  # runs for a time, whatever the photos are


def row(name, functions):
    n, p = sum(instructions[f] for f in functions), sum(products[f] for f in functions)
    print(f"| {name} | {n / 1e6:.1f} | {100 * n / instructions.total():.1f} % | {f'{100 * p / n:.0f} %' if p > 0 and n > 0 else ''} |")


print("| function | instructions, millions | of all | multiply-adds |\n|---|---|---|---|")
row("all", list(instructions))
row("`conv_f32_*_neon`", [f for f in instructions if re.match(r"conv_f32_.*_neon$", f)])
row("`winograd_*_neon`", [f for f in instructions if re.match(r"winograd_.*_neon$", f)])
row("all other kernels", [f for f in instructions if f.endswith("_neon") and not re.match("conv_f32|winograd_", f)])
row("everything else", [f for f in instructions if not f.endswith("_neon")])
for function, _ in instructions.most_common(SHOWN):
    row(f"`{function}`", [function])
