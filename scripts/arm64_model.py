#!/usr/bin/env python3
"""Cycles of the inner loops of arm64's kernels, as LLVM's models of three processors count them.

The loops are taken from a program that Go's assembler has made: of every kernel the loop that contains no other and has most
multiply-adds. llvm-mca goes round each of them many times, with all data in the first cache and every branch foreseen.

    scripts/arm64_model.py [LLVM's version, 19]
"""

import re
import subprocess
import sys
import tempfile

VERSION = sys.argv[1] if len(sys.argv) > 1 else "19"
PEAK = {"neoverse-n1": 2, "neoverse-v1": 4, "neoverse-v2": 4}  # multiply-adds of four floats a cycle
ROUNDS = 200
PACKAGE = "regraft/engine/kernel/asm."
KERNELS = [  # tiles of convolutions by output blocks and pixels, of a photo's first layer, of gradients of weights, of depthwise convolutions
    *(f"conv_f32_1x{n}_p64_neon" for n in (5, 4, 3, 2, 1)), "conv_f32_1x5_p128_neon", "conv_f32_2x3_p64_neon", "conv_f32_2x2_p64_neon",
    "conv_f32_3x2_p64_neon", "conv_f32_4x1_p64_neon", "conv_f32_1x5_p24_neon", "conv_f32_2x3_p24_neon", "wgrad_f32_4x1_neon",
    "wgrad_f32_6x1_neon", "depthwise_f32_neon", "peak_f32_neon",
]


def run(*command, text=None, **more):
    return subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.PIPE, **more).stdout


def instructions(program, kernel):
    """The instructions of a kernel as (address, text)."""
    listing = run(f"llvm-objdump-{VERSION}", "--no-show-raw-insn", f"--disassemble-symbols={PACKAGE}{kernel}.abi0", program)
    found = re.findall(r"^\s*([0-9a-f]+):\s+(.*)$", listing, re.M)
    if not found:
        sys.exit(f"{kernel}: not in the program")
    return [(int(at, 16), " ".join(text.split())) for at, text in found]


def inner_loop(code):
    """The loop around which no smaller one lies, with most multiply-adds."""
    places = {at: i for i, (at, _) in enumerate(code)}
    loops = []
    for i, (_, text) in enumerate(code):
        jump = re.match(r"(?:b|b\.\w+|cbn?z \w+,|tbn?z .*,) ?0x([0-9a-f]+) ", text)
        if jump and (begin := places.get(int(jump[1], 16))) is not None and begin <= i:
            loops.append((begin, i))
    inner = [l for l in loops if not any(m != l and l[0] <= m[0] and m[1] <= l[1] for m in loops)]
    begin, end = max(inner, key=lambda l: sum("fmla" in t for _, t in code[l[0]:l[1] + 1]))
    return [text for _, text in code[begin:end + 1]]


def cycles(loop, processor):
    """Cycles of one round."""
    text = "\n".join(re.sub(r"0x[0-9a-f]+ <.*>", "#-4", line) for line in loop)
    out = run(f"llvm-mca-{VERSION}", "-mtriple=aarch64", f"-mcpu={processor}", f"-iterations={ROUNDS}", text=text, stderr=subprocess.DEVNULL)
    return int(re.search(r"Total Cycles:\s+(\d+)", out)[1]) / ROUNDS


def main():
    with tempfile.TemporaryDirectory() as folder:
        program = folder + "/asm.test"
        run("env", "GOARCH=arm64", "GOOS=linux", "CGO_ENABLED=0", "go", "test", "-c", "-o", program, "./engine/kernel/asm")
        print(f"| inner loop of | instructions | multiply-adds | share | {' | '.join(PEAK)} |")
        print("|---|---|---|---|" + "---|" * len(PEAK))
        for kernel in KERNELS:
            loop = inner_loop(instructions(program, kernel))
            products = sum(text.startswith("fmla") for text in loop)
            row = [f"`{kernel}`", str(len(loop)), str(products), f"{100 * products / len(loop):.0f} %"]
            for processor, peak in PEAK.items():
                c = cycles(loop, processor)
                row.append(f"{c:.1f} cycles, {100 * products / c / peak:.0f} %")
            print("| " + " | ".join(row) + " |")


main()
