package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	urfave "github.com/urfave/cli/v2"
)

// TestEveryFlagIsChecked: whatever a flag with a number, a closed list of words or a form of its own cannot be is refused by its name in
// every command, before anything is read.
func TestEveryFlagIsChecked(t *testing.T) {
	forms := map[string][]string{ // of text that is no list of words
		"input-size": {"0", "x", "1x2x3"}, "mean": {"1,2", "a", "NaN"}, "std": {"0", "1,0,1", "-1"}, "cache-limit": {"0", "2T"}, "decode-memory": {"0", "much"},
	}
	tried := 0
	for name, c := range everyCommand(newApp(newConsole(nil, nil, nil))) {
		command := strings.Fields(name)
		for _, f := range c.Flags {
			var values []string
			switch f := f.(type) {
			case *choiceFlag:
				values = []string{"none-of-these"}
			case *urfave.IntFlag:
				values = []string{"x", "1.5", "-1"}
			case *urfave.Float64Flag:
				values = []string{"x", "NaN", "-Inf"}
			case *urfave.Uint64Flag:
				values = []string{"x", "-1"}
			case *urfave.StringFlag:
				values = forms[f.Name]
			}
			if testing.Short() && len(values) > 0 { // one here, another there
				values = values[tried%len(values):][:1]
			}
			for _, value := range values {
				flag := f.Names()[0]
				args := append(slices.Clip(command), "--"+flag, value, "nowhere")
				for _, needed := range []string{"model", "data", "out"} {
					if findFlag(c.Flags, "--"+needed) != nil {
						args = append(args, "--"+needed, "nowhere")
					}
				}
				if r := run(t, args...); r.status != statusUsage || !strings.Contains(r.stderr, flag) || r.stdout != "" {
					t.Errorf("%s --%s %s: exit status %d, %s%s", name, flag, value, r.status, r.stdout, r.stderr)
				}
				tried++
			}
		}
	}
	if tried < 150 {
		t.Errorf("%d flags and values", tried)
	}
}

// photosAndModels are the commands that run a model on photos, with paths that are there.
func photosAndModels(t *testing.T, out string) map[string][]string {
	data, _, best := common(t)
	photo := filepath.Join(data, "test", "sea", firstOf(t, filepath.Join(data, "test", "sea")))
	return map[string][]string{
		"check":      {"check", data},
		"doubts":     {"check", data, "--model", best},
		"check page": {"check", data, "--report", filepath.Join(out, "check.html")},
		"train":      {"train", "-m", model, "--data", data, "-o", filepath.Join(out, "run"), "--mean", "0", "--std", "1"},
		"full":       {"train", "-m", model, "--data", data, "-o", filepath.Join(out, "run"), "--mode", "full"},
		"rate":       {"train", "-m", model, "--data", data, "--mode", "full", "--lr-find", filepath.Join(out, "rate.png")},
		"eval":       {"eval", "-m", best, "--data", data},
		"eval page":  {"eval", "-m", best, "--data", data, "--report", filepath.Join(out, "page.html")},
		"classify":   {"classify", "-m", best, data},
		"answers":    {"classify", "-m", best, data, "-o", filepath.Join(out, "answers.csv")},
		"shard":      {"classify", "-m", best, data, "--shard", "0/2", "-o", filepath.Join(out, "parts")},
		"explain":    {"classify", "-m", best, data, "--explain", filepath.Join(out, "maps")},
		"sort":       {"classify", "-m", best, data, "--sort-into", filepath.Join(out, "sorted")},
		"compare":    {"compare", "--data", data, best},
		"embed":      {"embed", "-m", best, data, "-o", filepath.Join(out, "x.npz")},
		"embedded":   {"embed", "-m", best, data, "--shard", "0/2", "-o", filepath.Join(out, "features")},
		"similar":    {"similar", "-m", best, photo, "--in", data},
		"augment":    {"augment", data, "-o", filepath.Join(out, "sheet.png")},
		"infer":      {"bench", "infer", best, "--runs", "1"},
		"step":       {"bench", "train", model, "--runs", "1"},
		"layers":     {"bench", "layers", best, "--runs", "1"},
	}
}

// TestCancelled: a command that is interrupted before its work prints no result and leaves nothing but what a later run goes on with.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, args := range photosAndModels(t, t.TempDir()) {
		out := t.TempDir()
		args = append(photosAndModels(t, out)[name], "--quiet")
		if args[0] != "bench" && args[0] != "augment" {
			args = append(args, "--no-cache")
		}
		var stdout, stderr bytes.Buffer
		con := newConsole(nil, &stdout, &stderr)
		err := execute(ctx, con, args)
		con.out.Flush()
		if !errors.Is(err, context.Canceled) || stdout.String() != "" {
			t.Errorf("%s: %v, %s", name, err, stdout.String())
		}
		for entry := range below(t, out) {
			if base := filepath.Base(entry); !strings.Contains(base, ".journal") && !strings.Contains(base, ".partial") && base != "args.json" && base != "undo-000001.jsonl" {
				t.Errorf("%s leaves %s", name, entry)
			}
		}
	}
}

// TestNowhereToWrite: outputs in folders that are not there, or that are files, end a command by name, and leave nothing.
func TestNowhereToWrite(t *testing.T) {
	for _, name := range []string{"check page", "rate", "eval page", "answers", "embed", "augment", "explain", "sort", "shard", "embedded"} {
		file := filepath.Join(t.TempDir(), "file")
		write(t, file, []byte("a file"))
		r := run(t, append(photosAndModels(t, file)[name], "--quiet")...)
		if r.status != statusFailed || !strings.Contains(r.stderr, file) {
			t.Errorf("%s: exit status %d, %s%s", name, r.status, r.stdout, r.stderr)
		}
		if left := below(t, filepath.Dir(file)); len(left) != 1 || left["file"] != "a file" {
			t.Errorf("%s leaves %v", name, left)
		}
	}
	folder := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{
		{"import", model, "-o", filepath.Join(folder, "x.onnx")}, {"export", model, "-o", filepath.Join(folder, "x.onnx")},
	} {
		if r := run(t, args...); r.status != statusFailed || !strings.Contains(r.stderr, folder) || r.stdout != "" {
			t.Errorf("%s: exit status %d, %s%s", args[0], r.status, r.stdout, r.stderr)
		}
	}
}

// TestResultsThatCannotBeWritten: a command whose results find a full disk fails, in text and as JSON.
func TestResultsThatCannotBeWritten(t *testing.T) {
	out := t.TempDir()
	all := photosAndModels(t, out)
	for name, args := range map[string][]string{
		"check": all["check"], "eval": all["eval"], "classify": all["classify"], "similar": all["similar"], "infer": all["infer"], "layers": all["layers"],
		"inspect": {"inspect", model}, "plan": {"inspect", model, "--plan"}, "pass": {"inspect", model, "--plan=after:choose"}, "verify": {"verify", model, "--against", referenceFile(t)},
		"list": {"weights", "list"}, "cache": {"cache"}, "help": {"--help"}, "help of one": {"train", "--help"}, "version": {"--version"}, "completion": {"completion", "bash"},
	} {
		for _, more := range [][]string{nil, {"--json"}} {
			if more != nil && slices.Contains([]string{"pass", "help", "help of one", "version", "completion"}, name) {
				continue
			}
			var stderr bytes.Buffer
			status := Run(append(slices.Clone(args), more...), nil, failing{}, &stderr)
			if status != statusFailed || !strings.Contains(stderr.String(), errFull.Error()) {
				t.Errorf("%s %v: exit status %d, %s", name, more, status, stderr.String())
			}
		}
	}
}

// TestMissingArguments: a command that is not told on what it is to work says what lacks.
func TestMissingArguments(t *testing.T) {
	for args, says := range map[string]string{
		"check":                                        "which folder? regraft check DIR",
		"merge":                                        "--out is missing",
		"merge -o x.jsonl":                             "no parts given",
		"undo":                                         "no list given",
		"bench":                                        "what? regraft bench infer, regraft bench train or regraft bench layers",
		"bench infer":                                  "no model given (see regraft infer --help)",
		"bench layers":                                 "no model given",
		"weights pull":                                 "which weights? regraft weights pull NAME",
		"weights pull nothing-like-it":                 `no weights called "nothing-like-it"`,
		"cache x":                                      `"x": cache takes flags only`,
		"cache --no-cache":                             "unknown flag --no-cache",
		"demo x":                                       `"x": demo takes flags only`,
		"classify -m m.onnx x --views 999999":          "--views must be at most",
		"classify -m m.onnx --files-from -":            "paths on stdin are asked for by - alone",
		"classify -m m.onnx x --null":                  "--null does nothing without --files-from or -",
		"classify -m m.onnx x --sort-mode move":        "--sort-mode does nothing without --sort-into",
		"classify -m m.onnx x --resume":                "--resume does nothing without --out",
		"classify -m m.onnx x -o x.txt":                "must end in .jsonl, .parquet or .csv",
		"classify -m m.onnx x -o x.csv --json":         `--out "x.csv" and --format jsonl contradict each other`,
		"classify -m m.onnx x --format parquet":        "--format parquet needs --out",
		"classify -m m.onnx x -o x.csv --sets .9":      "--sets needs --format text, jsonl or parquet",
		"classify -m m.onnx x -o x --shard 2/2":        "--shard 2/2: the shards are counted from 0 to 1",
		"check d --write-fixes x":                      "--write-fixes does nothing without --model",
		"eval -m m.onnx --data d --no-cache --cache x": "--cache does nothing with --no-cache",
	} {
		if r := run(t, strings.Fields(args)...); r.status != statusUsage || !strings.Contains(r.stderr, says) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: exit status %d, %s", args, r.status, r.stderr)
		}
	}
	for args, says := range map[string]string{"merge nowhere -o x.jsonl": "nowhere", "undo nowhere": "nowhere", "check nowhere": "nowhere", "classify -m " + model + " nowhere": "1 of 1 photo has no answer"} {
		if r := run(t, strings.Fields(args)...); r.status != statusData && r.status != statusInputs || !strings.Contains(r.stderr, says) {
			t.Errorf("%s: exit status %d, %s", args, r.status, r.stderr)
		}
	}
}

// TestMerged: parts of shards merge to the bytes of one process, and as Parquet to the same answers; what is there is not replaced.
func TestMerged(t *testing.T) {
	data, _, best := common(t)
	dir := t.TempDir()
	classify := func(out string, more ...string) {
		t.Helper()
		must(t, append([]string{"classify", "-m", best, "-q", data, "-o", filepath.Join(dir, out)}, more...)...)
	}
	classify("whole.jsonl")
	for i := range 2 {
		classify("parts", "--shard", fmt.Sprintf("%d/2", i))
	}
	parts, merged := filepath.Join(dir, "parts"), filepath.Join(dir, "merged.jsonl")
	if r := must(t, "merge", parts, "-o", merged); r.stderr != merged+": 15 answers of 2 shards\n" || r.stdout != "" {
		t.Errorf("%q, %q", r.stdout, r.stderr)
	}
	if got, want := fileAt(t, merged), fileAt(t, filepath.Join(dir, "whole.jsonl")); !bytes.Equal(got, want) {
		t.Errorf("merged\n%s, want\n%s", got, want)
	}
	must(t, "merge", parts, "-o", filepath.Join(dir, "merged.parquet"))
	if _, err := os.Stat(filepath.Join(dir, "merged.parquet.done")); err != nil {
		t.Error(err)
	}
	for says, args := range map[string][]string{
		"is there already: choose another name": {"merge", parts, "-o", merged},
		"the parts are .jsonl files":            {"merge", parts, "-o", filepath.Join(dir, "merged.csv")},
	} {
		wrong{says, args, statusUsage, says}.check(t, "")
	}
	wrong{"one part", []string{"merge", filepath.Join(parts, "part-0000-of-0002.jsonl"), "-o", filepath.Join(dir, "x.jsonl")}, statusData, "missing: 1/2"}.check(t, "")
	wrong{"no folder", []string{"merge", parts, "-o", filepath.Join(dir, "none", "x.jsonl")}, statusFailed, "none"}.check(t, "")
	if r := must(t, "classify", "-m", best, data, "-o", filepath.Join(dir, "whole.jsonl"), "--resume"); !strings.Contains(r.stderr, "whole.jsonl is complete: 15 answers") {
		t.Errorf("%s", r.stderr)
	}
}
