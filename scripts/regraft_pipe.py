"""A regraft that stays up: paths go in, a line of JSON comes out for each, in order. For engines that run Python."""
import atexit
import base64
import json
import os
import subprocess
import threading


class Classifier:
    """A process of `regraft classify`. It ends with the one that started it, when its standard input closes."""

    def __init__(self, regraft, model, *flags):
        self.process = subprocess.Popen(
            [regraft, "classify", "--quiet", "--json", "--skip-bad", "--no-cache", "--threads", "1", "--workers", "1", "--null", "--model", model, *flags, "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        atexit.register(self.close)

    def answers(self, paths):
        """The lines for these files. A process that has ended is an error: the engine tries its part again."""
        for path in paths:
            if not path or path.endswith("/") or os.path.isdir(path) or path.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz")):
                raise ValueError(f"{path!r} is no photo, or holds several: list them")
        writer = threading.Thread(target=self._write, args=(paths,), daemon=True)  # the pipe has room for less than all
        writer.start()
        lines = []
        for path in paths:
            line = self.process.stdout.readline()
            if not line.endswith(b"\n"):
                raise RuntimeError(f"regraft has ended before it answered for {path}: exit status {self.process.wait()}")
            answer = json.loads(line)
            said = base64.b64decode(answer["path_base64"]) if "path_base64" in answer else answer["path"].encode()
            if said != os.fsencode(path) and "://" not in path:  # addresses are answered for without what is secret in them
                self.process.kill()  # what it still says is of other paths, too
                self.process.wait()
                raise RuntimeError(f"the answer for {path} is of {answer['path']}")
            lines.append(line.decode().rstrip("\n"))
        writer.join()
        return lines

    def _write(self, paths):
        try:
            self.process.stdin.write(b"".join(os.fsencode(p) + b"\0" for p in paths))
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # of which answers tells

    def alive(self):
        return self.process.poll() is None

    def close(self):
        if self.alive():
            self.process.stdin.close()
            self.process.wait()


def listed(file):
    """The paths in a file, one a line."""
    with open(file, encoding="utf-8-sig") as f:
        paths = [line.rstrip("\n") for line in f if line.strip()]
    if not paths:
        raise SystemExit(f"{file} names no photos")
    return paths


_kept = {}


def classifier(*command):
    """The classifier of this process for a command, started when it is needed first."""
    kept = _kept.get(command)
    if kept is None or not kept.alive():
        kept = _kept[command] = Classifier(*command)
    return kept
