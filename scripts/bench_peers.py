#!/usr/bin/env python3
"""Compare regraft with its peers: the same work in turn (A B C A B C ...) in one run.

Prints times as they come, and writes ratios of medians and of minima to bench/RESULT-<date>.md and .json.
The peers come from scripts/setup_peers.sh; only this machine's state decides how much the figures are worth."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SCRIPTS = pathlib.Path(__file__).resolve().parent
REPOSITORY = SCRIPTS.parent

# What is wanted of the ratio of times, ours to the best peer's.
TARGETS = {
    "infer-b1-t1": 0.68, "infer-b1-t2": 0.68, "infer-b8-t2": 0.66, "infer-b32-t2": 0.66,
    "train-b8-t2": 0.68, "train-b32-t2": 0.68, "heads-b8-t2": 0.55, "classify": 0.7, "photos": 1.5,
}
DIRECT_TARGET = FAMILY_TARGET = 1.0

MAXRSS = 1 << 20 if sys.platform == "darwin" else 1 << 10  # of the system's unit of memory, a MiB

# Items that stand for several: full-size networks of all families that regraft import knows, with random weights.
FAMILIES = sorted(p.name.split(".")[0] for p in (REPOSITORY / "weights/graphs").glob("*.onnx.gz"))
GROUPS = {
    "families": [f"{family}-b1-t{threads}" for family in FAMILIES for threads in (1, 2)],
    "families-train": [f"{family}-train-b8-t2" for family in FAMILIES],
}
TARGETS |= {name: FAMILY_TARGET for names in GROUPS.values() for name in names}


class Bench:
    """The commands of every item, by the name of who does the work."""

    def __init__(self, peers, regraft, photos, model, files, runs, folder):
        self.peers, self.regraft, self.photos, self.model, self.files, self.runs = peers, regraft, photos, model, files, runs
        self.folder = folder

    def python(self, script, *args, venv="venv"):
        return [str(self.peers / venv / "bin/python"), str(SCRIPTS / "peers" / script), *map(str, args)]

    def ours(self, what, model, batch, threads, *more):
        runs = ["--runs", self.runs] if self.runs else []
        return [str(a) for a in (self.regraft, "bench", what, model, "-b", batch, "-t", threads, "--json", *runs, *more)]

    def limits(self, batch, threads):
        return ["--batch", batch, "--threads", threads] + (["--runs", self.runs] if self.runs else [])

    def infer(self, batch, threads):
        args = [self.files["eval"], *self.limits(batch, threads)]
        return {
            "regraft": self.ours("infer", self.model, batch, threads),
            "ONNX Runtime": self.python("ort_infer.py", *args),
            "regraft direct": self.ours("infer", self.model, batch, threads, "--algorithm", "direct"),
            "OpenVINO": self.python("openvino_infer.py", *args, venv="venv-ov"),
        }

    def train(self, batch, threads):
        return {
            "regraft": self.ours("train", self.model, batch, threads),
            "PyTorch": self.python("torch_train.py", self.model, *self.limits(batch, threads)),
        }

    def heads(self, batch, threads):
        """Features at the speed of inference against a trunk that is frozen."""
        return {
            "regraft": self.ours("infer", self.model, batch, threads),
            "PyTorch": self.python("torch_train.py", self.model, "--heads", *self.limits(batch, threads)),
        }

    def classify(self):
        photo, node = self.files["photo"], self.peers / "node"
        name, tensor = "ONNX Runtime (node)", photo
        if not (node / "node_modules/sharp").exists():
            name, tensor = name + ", photo decoded beforehand", self.files["tensor"]
        commands = {
            "regraft": [str(self.regraft), "classify", "-q", "--no-cache", "--model", str(self.model), str(photo)],
            "ONNX Runtime (Python)": self.python("ort_classify.py", self.files["eval"], photo, "--threads", 2),
        }
        if (node / "node_modules/onnxruntime-node").exists():
            commands[name] = ["node", str(SCRIPTS / "peers/ort_classify.js"), str(node), str(self.files["eval"]), "2", str(tensor)]
        return commands

    def load_photos(self):
        return {
            "regraft": [str(self.photos), str(self.files["photos"])],
            "Pillow": self.python("torch_photos.py", self.files["photos"]),
        }

    def family(self, name):
        """A network with random weights in training and in inference form, which replaces the one before it."""
        made = [self.folder / f"{name}.{form}.onnx" for form in ("train", "eval")]
        if not made[0].exists():
            for old in self.folder.glob("*.*.onnx"):
                old.unlink()
            state = self.folder / f"{name}.pth"
            quietly(self.python("random_state_dict.py", name, state))
            quietly([self.regraft, "import", state, "--arch", name, "--out", made[0]])
            state.unlink()
            export(self.regraft, made[0], made[1])
        return made

    def family_infer(self, name, threads):
        trained, evaluated = self.family(name)
        return {
            "regraft": self.ours("infer", trained, 1, threads),
            "ONNX Runtime": self.python("ort_infer.py", evaluated, *self.limits(1, threads)),
        }

    def family_train(self, name):
        model, _ = self.family(name)
        return {
            "regraft": self.ours("train", model, 8, 2),
            "PyTorch": self.python("torch_train.py", model, "--arch", name, *self.limits(8, 2)),
        }

    def items(self):
        items = {f"infer-b{b}-t{t}": (lambda b=b, t=t: self.infer(b, t)) for b, t in ((1, 1), (1, 2), (8, 2), (32, 2))}
        items |= {f"train-b{b}-t2": (lambda b=b: self.train(b, 2)) for b in (8, 32)}
        items |= {f"{f}-b1-t{t}": (lambda f=f, t=t: self.family_infer(f, t)) for f in FAMILIES for t in (1, 2)}
        items |= {f"{f}-train-b8-t2": (lambda f=f: self.family_train(f)) for f in FAMILIES}
        return items | {"heads-b8-t2": lambda: self.heads(8, 2), "classify": self.classify, "photos": self.load_photos}


def first_in_line():
    """Lets the system prefer this session to others on the machine, where that is allowed."""
    try:
        pathlib.Path("/proc/self/autogroup").write_text("-20")
    except OSError:
        pass


def quietly(command, **options):
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, **options)


def export(regraft, model, out):
    quietly([regraft, "export", model, "--form", "eval", "--out", out])


def execute(command):
    """Runs a command and returns its times in ms and its peak resident memory in MiB.

    Commands that report no times of their own are timed as a whole."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, start_new_session=True, preexec_fn=first_in_line)
        _, status, usage = os.wait4(process.pid, 0)
        wall = (time.perf_counter() - start) * 1e3
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"status {process.returncode}: {' '.join(command)}")
        out.seek(0)
        lines = [json.loads(line) for line in out.read().decode().splitlines() if line.startswith("{")]
    times = {"min": wall, "median": wall}
    if lines:
        times = {"min": lines[-1]["ms_per_image_min"], "median": lines[-1]["ms_per_image_median"]}
    return times | {"rss": usage.ru_maxrss / MAXRSS, "peer": lines[-1].get("peer", "") if lines else ""}


def installed(name, commands):
    """The commands whose program is there: not every peer exists for every system."""
    for who, command in commands.items():
        if not shutil.which(command[0]):
            print(f"{name}: without {who}, which is not installed", flush=True)
    return {who: command for who, command in commands.items() if shutil.which(command[0])}


def alternate(name, commands, rounds):
    """Runs the commands in turn; medians are those of the rounds' medians."""
    seen = {who: [] for who in commands}
    for n in range(rounds):
        for who, command in commands.items():
            figures = execute(command)
            seen[who].append(figures)
            print(f"{name} {n + 1}/{rounds} {who}: {figures['median']:.1f} ms (min {figures['min']:.1f}), {figures['rss']:.0f} MiB", flush=True)
    return {who: {"median": statistics.median(f["median"] for f in all), "min": min(f["min"] for f in all),
                  "rss": max(f["rss"] for f in all), "peer": all[0]["peer"]} for who, all in seen.items()}


def ratios(name, figures):
    """Ours to the better of the peers, by each figure on its own."""
    peers = [f for who, f in figures.items() if not who.startswith("regraft")]
    lines = []
    for who, ours in figures.items():
        if peers and who.startswith("regraft"):
            direct = who.endswith("direct")
            lines.append({"item": name + (" direct" if direct else ""), "target": DIRECT_TARGET if direct else TARGETS[name],
                          **{k: ours[k] / min(p[k] for p in peers) for k in ("median", "min", "rss")}})
    return lines


def processor():
    """Its name, where the system tells: Linux on arm64 has it in lscpu alone."""
    if os.path.exists("/proc/cpuinfo"):
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    for command, prefix in ((["lscpu"], "Model name:"), (["sysctl", "-n", "machdep.cpu.brand_string"], "")):
        if shutil.which(command[0]):
            for line in subprocess.run(command, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}).stdout.splitlines():
                if line.strip().startswith(prefix):
                    return line.strip().removeprefix(prefix).strip()
    return platform.machine()


def machine():
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=REPOSITORY, capture_output=True, text=True).stdout.strip()
    return {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform(terse=True), "python": platform.python_version(),
            "commit": commit, "load_before": os.getloadavg()[0]}


def markdown(result):
    m = result["machine"]
    lines = [f"# regraft and its peers, {result['date']}", "",
             f"{m['processor']}, {m['cores']} cores, {m['system']}; commit {m['commit']}; load {m['load_before']:.1f} before and {m['load_after']:.1f} after.",
             f"{result['rounds']} rounds in turn. Times are ms per image (classify: of the whole process, photos: per photo);",
             "memory is the process's peak in MiB. Ratios are ours to the better peer's: below 1 is better.", "",
             "| item | ratio of medians | of minima | of memory | target (time) |", "|---|---|---|---|---|"]
    lines += [f"| {r['item']} | {r['median']:.2f} | {r['min']:.2f} | {r['rss']:.2f} | {r['target']} |" for r in result["ratios"]]
    lines += ["", "| item | who | median | minimum | memory |", "|---|---|---|---|---|"]
    for name, figures in result["items"].items():
        lines += [f"| {name} | {f['peer'] or who} | {f['median']:.1f} | {f['min']:.1f} | {f['rss']:.0f} |"
                  if not who.startswith("regraft") else f"| {name} | {who} | {f['median']:.1f} | {f['min']:.1f} | {f['rss']:.0f} |"
                  for who, f in figures.items()]
    return "\n".join(lines) + "\n"


def prepare(a, folder):
    """Builds our programs and makes what the peers read: the model in inference form, photos, a ready tensor."""
    environment = os.environ | {"CGO_ENABLED": "0"}
    programs = {"regraft": folder / "regraft", "photos": folder / "photos"}
    for package, out in (("./cli/regraft", programs["regraft"]), ("./scripts/peers/photos", programs["photos"])):
        subprocess.run(["go", "build", "-trimpath", "-o", out, package], cwd=REPOSITORY, env=environment, check=True)
    photos = a.photos or folder / "jpegs"
    files = {"eval": folder / "eval.onnx", "photos": photos, "tensor": folder / "photo.f32"}
    export(programs["regraft"], a.model, files["eval"])
    python = a.peers / "venv/bin/python"
    subprocess.run([python, SCRIPTS / "peers/torch_photos.py", photos, "--make-only"], check=True)
    files["photo"] = sorted(photos.glob("*.jpg"))[0]
    subprocess.run([python, "-c", f"import common; common.photo({str(files['photo'])!r}).tofile({str(files['tensor'])!r})"],
                   env=os.environ | {"PYTHONPATH": str(SCRIPTS / "peers")}, check=True)
    return Bench(a.peers, programs["regraft"], programs["photos"], a.model, files, a.runs, folder)


def main():
    members = {name for names in GROUPS.values() for name in names}
    choices = [name for name in TARGETS if name not in members] + list(GROUPS)
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("peers", type=pathlib.Path, help="folder that setup_peers.sh filled")
    p.add_argument("model", type=pathlib.Path, help="training export of torchvision's Inception-v3 (ONNX)")
    p.add_argument("--items", help=f"some of {','.join(choices)}, or single ones of a family, for example resnet18-b1-t2 (default: all)")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--runs", type=int, help="measured runs of each command in a round (default: each program's own)")
    p.add_argument("--photos", type=pathlib.Path, help="folder of JPEGs (default: made for the run)")
    p.add_argument("--out", type=pathlib.Path, default=REPOSITORY / "bench", help="folder of the results")
    a = p.parse_args()
    a.peers, a.model = a.peers.absolute(), a.model.absolute()
    wanted = [name for item in (a.items.split(",") if a.items else choices) for name in GROUPS.get(item, [item])]
    unknown = [w for w in wanted if w not in TARGETS]
    if unknown:
        p.error(f"no item {unknown[0]}: choose of {', '.join(choices)}")
    result = {"date": datetime.date.today().isoformat(), "rounds": a.rounds, "machine": machine(), "items": {}, "ratios": []}
    with tempfile.TemporaryDirectory() as folder:
        items = prepare(a, pathlib.Path(folder)).items()
        for name in wanted:
            figures = alternate(name, installed(name, items[name]()), a.rounds)
            result["items"][name] = figures
            result["ratios"] += ratios(name, figures)
    result["machine"]["load_after"] = os.getloadavg()[0]
    a.out.mkdir(parents=True, exist_ok=True)
    text = markdown(result)
    (a.out / f"RESULT-{result['date']}.md").write_text(text)
    (a.out / f"RESULT-{result['date']}.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write("\n" + text)


if __name__ == "__main__":
    main()
