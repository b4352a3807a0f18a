package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// wrong is a command line that must fail with one clear line.
type wrong struct {
	name   string
	args   []string
	status int
	says   string // part of the line
}

// check runs the case and looks at status, streams and what is left at out (if any).
func (w wrong) check(t *testing.T, out string) {
	t.Run(w.name, func(t *testing.T) {
		r := run(t, w.args...)
		if r.status != w.status {
			t.Errorf("exit status %d, want %d", r.status, w.status)
		}
		line, more, _ := strings.Cut(r.stderr, "\n")
		for strings.HasPrefix(line, "warning:") {
			line, more, _ = strings.Cut(more, "\n")
		}
		if !strings.HasPrefix(line, "regraft: ") || !strings.Contains(r.stderr, w.says) {
			t.Errorf("standard error is %q and does not say %q", line, w.says)
		}
		if more != "" && !strings.HasPrefix(more, "seen: ") && !strings.HasPrefix(more, "  ") {
			t.Errorf("more lines than the error, a tree or a list: %q", more)
		}
		if r.stdout != "" && w.args[0] != "inspect" { // which shows what it could learn
			t.Errorf("standard output has %q", r.stdout)
		}
		if left, _ := filepath.Glob(filepath.Join(out, "*")); out != "" && len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
}

func TestWrongFlags(t *testing.T) {
	train := []string{"train", "--model", model, "--data", t.TempDir(), "--out", filepath.Join(t.TempDir(), "out")}
	with := func(args ...string) []string { return append(append([]string{}, train...), args...) }
	for _, w := range []wrong{
		{"no command of ours", []string{"tarin"}, statusUsage, `"tarin" is not a command`},
		{"no subcommand of ours", []string{"bench", "quick"}, statusUsage, `"quick" is not a command of regraft bench`},
		{"unknown flag", with("--fast"), statusUsage, "unknown flag --fast"},
		{"command misspelt", []string{"tarin"}, statusUsage, "did you mean train?"},
		{"subcommand misspelt", []string{"weights", "pul"}, statusUsage, "did you mean pull?"},
		{"flag misspelt", with("--epoch", "3"), statusUsage, "unknown flag --epoch; did you mean --epochs?"},
		{"flag of one letter", with("-z"), statusUsage, "unknown flag -z (see"},
		{"value of a letter missing", []string{"train", "-m"}, statusUsage, "argument: -m"},
		{"value of a letter wrong", []string{"classify", "-k", "a -b"}, statusUsage, `invalid value "a -b" for flag -k`},
		{"weights misspelt", []string{"weights", "pull", "inception_v4"}, statusUsage, "did you mean inception_v3?"},
		{"value missing", []string{"train", "--model"}, statusUsage, "flag needs an argument: --model"},
		{"no model", []string{"classify", "a.jpg"}, statusUsage, "--model is missing"},
		{"no model to inspect", []string{"inspect"}, statusUsage, "no model given"},
		{"no photos", []string{"classify", "--model", model}, statusUsage, "no photos given"},
		{"no data", []string{"eval", "--model", model}, statusUsage, "--data is missing"},
		{"no out", []string{"train", "--model", model, "--data", "x"}, statusUsage, "--out is missing"},
		{"no reference", []string{"verify", model}, statusUsage, "--against is missing"},
		{"negative batch", with("--batch-size", "-4"), statusUsage, "--batch-size must be at least 1"},
		{"learning rate NaN", with("--lr", "NaN"), statusUsage, "--lr must be"},
		{"learning rate infinite", with("--lr", "+Inf"), statusUsage, "--lr must be"},
		{"epochs in words", with("--epochs", "many"), statusUsage, `"many"`},
		{"unknown optimizer", with("--opt", "lion"), statusUsage, `--opt "lion": choose one of`},
		{"unknown mode", with("--mode", "half"), statusUsage, `--mode "half": choose one of`},
		{"modes that contradict", with("--mode", "full", "--freeze", "trunk"), statusUsage, "contradict"},
		{"solver of the other mode", with("--mode", "full", "--opt", "lbfgs"), statusUsage, "lbfgs"},
		{"smoothing of 2", with("--smoothing", "2"), statusUsage, "--smoothing must be between 0 and 1"},
		{"several flags missing", []string{"train", "--data", "x"}, statusUsage, "--model and --out are missing"},
		{"all flags missing", []string{"train"}, statusUsage, "--model, --data and --out are missing"},
		{"model and data of eval missing", []string{"eval"}, statusUsage, "--model and --data are missing"},
		{"flag of another optimizer", with("--lr", "5"), statusUsage, "--lr does nothing with --mode heads --opt lbfgs: it belongs to any --opt but lbfgs"},
		{"short flag of another optimizer", with("-b", "4"), statusUsage, "--batch-size does nothing"},
		{"flags of other optimizers", with("--momentum", "0.3", "--clip-norm", "1"), statusUsage, "--momentum does nothing with --mode heads --opt lbfgs: it belongs to --opt sgd, rmsprop or rmsproptf; --clip-norm does"},
		{"momentum with adam", with("--mode", "full", "--opt", "adam", "--momentum", "0.9"), statusUsage, "--momentum does nothing with --mode full --opt adam"},
		{"flag of the other mode", with("--aux-weight", "0.4", "--opt", "sgd"), statusUsage, "--aux-weight does nothing with --mode heads --opt sgd: it belongs to --mode full"},
		{"logits as csv", []string{"classify", "-m", model, "--logits", "--format", "csv", "x"}, statusUsage, "--format jsonl"},
		{"two formats", []string{"classify", "-m", model, "--json", "--format", "csv", "x"}, statusUsage, "--json and --format csv contradict"},
		{"batch without plan", []string{"inspect", model, "-b", "3"}, statusUsage, "--batch-size does nothing without --plan"},
		{"plan behind an unknown pass", []string{"inspect", model, "--plan=after:fuse"}, statusUsage, "--plan=after:PASS with one of settleTypes, "},
		{"plan of another kind", []string{"inspect", model, "--plan=all"}, statusUsage, "--plan=after:PASS with one of"},
		{"a pass as json", []string{"inspect", model, "--plan=after:layOut", "--json"}, statusUsage, "--json does nothing with --plan=after:layOut"},
		{"two means", with("--mean", "0.5,0.5"), statusUsage, "--mean"},
		{"standard deviation 0", with("--std", "1,0,1"), statusUsage, "--std"},
		{"argument of train", with("photos"), statusUsage, `"photos": train takes flags only`},
		{"unknown shell", []string{"completion", "csh"}, statusUsage, "bash, zsh, fish, powershell"},
		{"threshold of 50", []string{"classify", "-m", model, "--threshold", "50", "x"}, statusUsage, "--threshold must be between 0 and 1"},
		{"logits as text", []string{"classify", "-m", model, "--logits", "x"}, statusUsage, "--format jsonl"},
		{"two forms of a flag", with("--wd", "1", "--weight-decay", "1"), statusUsage, "wd"},
	} {
		w.check(t, filepath.Dir(train[len(train)-1]))
	}
}

func TestWrongEnvironment(t *testing.T) {
	t.Setenv("REGRAFT_BATCH_SIZE", "abc")
	wrong{"batch size", []string{"classify", "-m", model, "x.jpg"}, statusUsage, "REGRAFT_BATCH_SIZE"}.check(t, "")
	t.Setenv("REGRAFT_BATCH_SIZE", "4")
	data := dataset(t, 2, 2)
	wrong{"batch of lbfgs", []string{"train", "-m", model, "--data", data, "-o", filepath.Join(t.TempDir(), "out")}, statusUsage, "REGRAFT_BATCH_SIZE does nothing"}.check(t, "")
	must(t, "inspect", model) // the variable may be meant for another command
	t.Setenv("REGRAFT_BATCH_SIZE", "")
	t.Setenv("REGRAFT_ISA", "sse")
	wrong{"instruction set", []string{"classify", "-m", model, "x.jpg"}, statusUsage, "REGRAFT_ISA=sse"}.check(t, "")
}

func TestWrongData(t *testing.T) {
	good, _, best := common(t)
	jpg, err := os.ReadFile(filepath.Join(good, "train", "sea", "a.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	// spoilt is the good data with a file more, or a folder more when name ends in a slash.
	spoilt := func(name string, content []byte) string {
		root := dataset(t, 3, 2)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(filepath.Join(root, name), 0o777); err != nil {
				t.Fatal(err)
			}
		} else {
			write(t, filepath.Join(root, name), content)
		}
		return root
	}
	for _, c := range []struct{ name, data, says string }{
		{"missing folder", filepath.Join(t.TempDir(), "nowhere"), "does not exist: give a folder"},
		{"empty folder", t.TempDir(), "folder"},
		{"empty class", spoilt("train/empty/", nil), `class "empty"`},
		{"class that train lacks", spoilt("test/desert/a.jpg", jpg), `class "desert" that train lacks`},
		{"text called jpg", spoilt("train/sea/z.jpg", []byte("not a photo")), "z.jpg"},
		{"truncated photo", spoilt("train/sea/z.jpg", jpg[:len(jpg)/2]), "z.jpg"},
		{"empty photo", spoilt("test/sea/z.jpg", nil), "z.jpg"},
	} {
		for _, mode := range []string{"heads", "full"} {
			out := filepath.Join(t.TempDir(), "out")
			args := []string{"train", "--quiet", "--model", model, "--data", c.data, "--out", out, "--mode", mode, "--epochs", "1"}
			wrong{c.name + ", train " + mode, args, statusData, c.says}.check(t, out)
		}
		if c.name != "class that train lacks" {
			args := []string{"eval", "--quiet", "--model", best, "--data", c.data, "--split", "train"}
			if strings.Contains(c.data, "test") || c.name == "empty photo" {
				args[len(args)-1] = "test"
			}
			wrong{c.name + ", eval", args, statusData, c.says}.check(t, "")
		}
		if c.name != "text called jpg" && c.name != "truncated photo" && c.name != "empty photo" {
			wrong{c.name + ", check", []string{"check", c.data}, statusData, c.says}.check(t, "")
		}
	}
}

// TestMaxPixels: every command that reads photos takes the limit, and what goes beyond it is told the flag.
func TestMaxPixels(t *testing.T) {
	good, _, best := common(t)
	photo := filepath.Join(good, "train", "sea", "a.jpg")
	for _, args := range [][]string{
		{"train", "--model", model, "--data", good, "--out", filepath.Join(t.TempDir(), "out")},
		{"eval", "--model", best, "--data", good},
		{"check", good},
		{"classify", "--model", best, photo},
	} {
		r := run(t, append(args, "--max-pixels", "100")...)
		if r.status == 0 || !strings.Contains(r.stdout+r.stderr, "more than the limit of 100 (--max-pixels)") {
			t.Errorf("%s: exit status %d, %s%s", args[0], r.status, r.stdout, r.stderr)
		}
		must(t, append(args, "--max-pixels", "1000000")...)
	}
}

func TestWrongModel(t *testing.T) {
	file, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	made := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		write(t, path, content)
		return path
	}
	data := dataset(t, 2, 2)
	for _, c := range []struct{ name, path, says string }{
		{"missing model", filepath.Join(dir, "none.onnx"), "none.onnx does not exist: give an ONNX file"},
		{"unknown operator", made("operator.onnx", bytes.ReplaceAll(file, []byte("Relu"), []byte("Rela"))), "Rela"},
		{"truncated model", made("truncated.onnx", file[:len(file)/2]), "truncated.onnx"},
		{"no model at all", made("text.onnx", []byte("hello, world\n")), "text.onnx"},
		{"empty model", made("empty.onnx", nil), "empty.onnx"},
	} {
		wrong{c.name + ", inspect", []string{"inspect", c.path}, statusModel, c.says}.check(t, "")
		wrong{c.name + ", classify", []string{"classify", "--model", c.path, data}, statusModel, c.says}.check(t, "")
		out := filepath.Join(t.TempDir(), "out")
		wrong{c.name + ", train", []string{"train", "--model", c.path, "--data", data, "--out", out}, statusModel, c.says}.check(t, out)
	}
	wrong{"input too small", []string{"classify", "--model", inception, "--input-size", "9", data}, statusModel, ".onnx"}.check(t, "")
	wrong{"input size 0", []string{"classify", "--model", model, "--input-size", "0", data}, statusUsage, "--input-size"}.check(t, "")
}

// TestExportOverItself: the evaluation form must not take the place of what can be trained.
func TestExportOverItself(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	file, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, file)
	wrong{"export", []string{"export", path, "--out", filepath.Join(dir, ".", "model.onnx")}, statusUsage, "the model itself"}.check(t, "")
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, file) {
		t.Errorf("the model was changed: %v", err)
	}
}

func TestLabelsThatDoNotFit(t *testing.T) {
	_, _, best := common(t)
	other := t.TempDir()
	for _, class := range []string{"cat", "dog", "sea"} {
		writePhoto(t, filepath.Join(other, class, "a.jpg"), colours["sea"], 1)
	}
	wrong{"eval", []string{"eval", "--model", best, "--data", other}, statusData, `"cat"`}.check(t, "")
	wrong{"eval without labels", []string{"eval", "--quiet", "--model", model, "--data", other}, statusData, "7 classes without labels"}.check(t, "")
}

func TestOutputFolder(t *testing.T) {
	data, done, _ := common(t)
	train := func(out string) []string {
		return []string{"train", "--quiet", "--model", model, "--data", data, "--epochs", "2", "--out", out}
	}
	used := t.TempDir()
	write(t, filepath.Join(used, "thesis.txt"), []byte("precious"))
	wrong{"in use", train(used), statusUsage, "not empty"}.check(t, "")

	wrong{"holds a run", train(done), statusUsage, "--resume"}.check(t, "")
	wrong{"nothing to resume", append(train(filepath.Join(t.TempDir(), "new")), "--resume"), statusUsage, "resume"}.check(t, "")

	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	wrong{"a file", train(file), statusFailed, file}.check(t, "")

	if runtime.GOOS == "linux" { // a folder that even root cannot write to
		wrong{"read-only", train("/proc/regraft"), statusFailed, "/proc/regraft"}.check(t, "")
	}
}

// TestFullOutput: results that cannot be written are a failure, not silence.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	for _, args := range [][]string{{"inspect", model}, {"inspect", "--json", model}, {"classify", "-m", model, dataset(t, 1, 1)}} {
		var stderr bytes.Buffer
		if status := Run(args, nil, full, &stderr); status != statusFailed || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("regraft %s > /dev/full: exit status %d, %s", args[0], status, stderr.String())
		}
	}
}
