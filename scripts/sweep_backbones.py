#!/usr/bin/env python3
"""Take the exports of the backbones that people use through regraft, and print a table of how each fares.

    sweep_backbones.py --venv VENV --photos DIR [--optimum VENV] [--regraft bin/regraft] [--only REGEX] [--work DIR] [--out TABLE.md]

VENV/bin/python exports the networks (peers/export_backbones.py says which, and which modules it needs) with what ONNX Runtime computes of
random images. DIR has a folder of photos for each class, of which eight are used. Columns of the table:

    error        the largest distance from ONNX Runtime's outputs, relative to the largest value of the output (verify)
    answers      interpreted steps of the program that answers
    heads        train --mode heads on the photos ends, and its model classifies them
    full         train --mode full, one epoch, ends with a finite loss
    training     interpreted steps of the training program

What PyTorch or ONNX Runtime refuses is left out by name. With --work what was exported before is used again. The exit status is 1
where a network is refused, more than 1e-4 away, interpreted or not trained.
"""
import argparse
import csv
import datetime
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

INTRODUCTION = """# Backbones as their libraries export them

Written by `scripts/sweep_backbones.py` on {date}: {exports} exports of {networks} networks, narrow and shallow, with random weights
(`scripts/peers/export_backbones.py`). Ways are an exporter (ts: TorchScript's, dyn: dynamo's, optimum) and an opset, b1 a fixed batch, train the training
form. The error is the largest distance of an output from ONNX Runtime's, of training forms from PyTorch's in evaluation, relative to the output's largest
value. Answers and training count the interpreted steps of the program that answers and of that of a training step; heads and full say whether `train` ends in both modes.
"""
SCRIPTS = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-4
CLASSES, PER_CLASS = 2, 4


class Refused(Exception):
    """regraft's own words."""


class Program:
    """regraft, with its photos."""

    def __init__(self, path, photos):
        self.path, self.photos = path, photos
        self.size = []  # the flags that say how large images are, where a file does not

    def run(self, *args, allowed=(0,)):
        """What it prints; Refused where it fails."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("REGRAFT_")}
        done = subprocess.run([self.path, *map(str, args)], capture_output=True, text=True, env=env)
        if done.returncode not in allowed:
            lines = done.stderr.strip().splitlines() or [""]
            raise Refused(f"{args[0]} ({done.returncode}): {lines[-1].removeprefix('regraft: ')}")
        return done.stdout

    def interpreted(self, model, plan, batch, *size):
        """The operators that have no compiled form."""
        steps = json.loads(self.run("inspect", model, plan, "-b", batch, "--json", *size))["steps"]
        return [s["op"] for s in steps if s["interpreted"]]

    def error(self, model):
        view = json.loads(self.run("verify", model, "--against", model.with_suffix(".npz"), "--json", allowed=(0, 6)))
        return max(o["relative"] for o in view["outputs"])

    def heads(self, model, out):
        self.run("train", "-m", model, "--data", self.photos, "-o", out, "--mode", "heads", "--views", "1", "--wd", "0.01", "--epochs", "5",
                 "--no-cache", "--no-report", "-q", *self.size)
        lines = self.run("classify", "-m", out / "best.onnx", "--format", "jsonl", self.photos / "train").splitlines()
        if len(lines) != CLASSES * PER_CLASS or any(json.loads(line)["error"] for line in lines):
            raise Refused("classify: photos have no answer")

    def full(self, model, out):
        self.run("train", "-m", model, "--data", self.photos, "-o", out, "--mode", "full", "--epochs", "1", "-b", "4", "--no-report", "-q", *self.size)
        with open(out / "results.csv") as f:
            losses = [float(row["train_loss"]) for row in csv.DictReader(f)]
        if len(losses) != 1 or not math.isfinite(losses[0]):
            raise Refused(f"the loss is {losses}")


def fare(program, model, work):
    """The columns of one file, and whether all is as it should be."""
    row, good = dict.fromkeys(("accepted", "error", "answers", "heads", "full", "training"), ""), True
    try:
        program.run("inspect", model, "--json", *program.size)
        row["accepted"] = "yes"
        error = program.error(model)
        row["error"], good = f"{error:.0e}", error <= TOLERANCE
        slow = program.interpreted(model, "--plan", 1, *program.size)
        row["answers"] = listed(slow)
        program.heads(model, work / "heads")
        row["heads"] = "yes"
        program.full(model, work / "full")
        row["full"] = "yes"
        more = program.interpreted(work / "full" / "best.onnx", "--plan=training", 4)
        row["training"] = listed(more)
        good = good and not slow and not more
    except Refused as refusal:
        row[next(column for column, text in row.items() if not text)] = str(refusal)
        good = False
    return row, good


def listed(operators):
    """How many, and which."""
    kinds = sorted(set(operators))
    return f"{len(operators)}: {', '.join(kinds)}" if kinds else "0"


def photos_of(folder, out):
    """A few photos of two classes in train, and the same again in val."""
    for kind in sorted(p for p in folder.iterdir() if p.is_dir())[:CLASSES]:
        for part in ("train", "val"):
            (out / part / kind.name).mkdir(parents=True)
            for photo in sorted(kind.iterdir())[:PER_CLASS]:
                shutil.copy(photo, out / part / kind.name)
    return out


def exported(args, work):
    """What the exporters say of each network, as it comes."""
    for venv, more in ((args.venv, []), (args.optimum, ["--optimum"])):
        if not venv:
            continue
        exporter = [venv / "bin/python", SCRIPTS / "peers" / "export_backbones.py", work, "--only", args.only, *more]
        with subprocess.Popen([*map(str, exporter)], stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                yield json.loads(line)
        if process.returncode:
            sys.exit(f"{exporter[1]} failed")


def table(rows, left_out):
    """Markdown: a row for each network, with the ways in which it was exported; where these fare differently, with all that they do."""
    networks = {}
    for name, row in rows:
        network, _, way = name.rpartition(".")
        networks.setdefault(network, []).append((way, row))
    columns = ["image", "error", "answers", "heads", "full", "training"]
    lines = [INTRODUCTION.format(date=datetime.date.today(), exports=len(rows), networks=len(networks)), "| network | ways | " + " | ".join(columns) + " |", "|---" * (2 + len(columns)) + "|"]
    for network, exports in networks.items():
        cells = {c: ", ".join(dict.fromkeys(row[c] for _, row in exports)) for c in columns}
        cells["error"] = max((row["error"] for _, row in exports), key=lambda e: float(e or "inf"))
        ways = " ".join(way for way, _ in exports)
        refused = {row["accepted"] for _, row in exports} - {"yes"}
        lines.append(f"| {network} | {' '.join([ways, *refused])} | " + " | ".join(text.replace("|", "/") for text in cells.values()) + " |")
    if left_out:
        lines += ["", "Left out, since PyTorch or ONNX Runtime refuses them:", ""]
        lines += [f"* {name}: {reason}" for name, reason in left_out]
    return "\n".join(lines) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--venv", type=pathlib.Path, required=True)
    p.add_argument("--optimum", type=pathlib.Path, metavar="VENV", help="one with optimum-onnx, whose exports come in addition")
    p.add_argument("--photos", type=pathlib.Path, required=True)
    p.add_argument("--regraft", type=pathlib.Path, default=SCRIPTS.parent / "bin/regraft")
    p.add_argument("--only", default="", metavar="REGEX", help="names such as timm.convnextv2.ts17")
    p.add_argument("--work", type=pathlib.Path, help="a folder that keeps the exports (default: a temporary one)")
    p.add_argument("--out", type=pathlib.Path, help="the table")
    args = p.parse_args()
    rows, left_out, good = [], [], True
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        program = Program(args.regraft.resolve(), photos_of(args.photos, scratch / "photos"))
        work = args.work or scratch / "exports"
        work.mkdir(exist_ok=True)
        for export in exported(args, work):
            name = export["name"]
            if export["left_out"]:
                left_out.append((name, export["left_out"]))
                continue
            runs = pathlib.Path(tempfile.mkdtemp(dir=scratch))
            size = "x".join(map(str, export["size"]))
            program.size = ["--input-size", size] if name.endswith(".optimum") else []  # which leaves it open
            row, fine = fare(program, work / f"{name}.onnx", runs)
            shutil.rmtree(runs)
            rows.append((name, {"image": size, **row}))
            good = good and fine
            print("\t".join([name, *row.values()]), flush=True)
    for name, reason in left_out:
        print(f"{name}\tleft out: {reason}")
    if args.out:
        args.out.write_text(table(rows, left_out))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
