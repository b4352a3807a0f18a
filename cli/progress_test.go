package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"regraft/engine"
	"regraft/train"
)

// TestProgressFits: the line is narrower than the terminal, shows the count where there is room for it, and has a bar at 80.
func TestProgressFits(t *testing.T) {
	for _, total := range []int{0, 9, 540, 1_281_167} {
		for columns := 2; columns < 200; columns++ {
			p := &progress{what: "epoch 99/100 train", unit: "photos", note: "loss 12345.678", total: total, done: total/2 + 3}
			p.began = time.Now().Add(-27 * time.Hour)
			line := p.line(columns)
			if n := utf8.RuneCountInString(line); n >= columns {
				t.Fatalf("%d of %d columns: %q", n, columns, line)
			}
			if columns >= 40 && !strings.Contains(line, fmt.Sprint(p.done)) {
				t.Fatalf("%d columns: %q", columns, line)
			}
			if columns == 100 && strings.Contains(line, "[") != (total > 0) {
				t.Fatalf("%d columns: %q", columns, line)
			}
		}
	}
}

// TestProgressBeyondTotal: more than was announced is all of it.
func TestProgressBeyondTotal(t *testing.T) {
	p := &progress{what: "check", unit: "photos", total: 10, done: 13, began: time.Now()}
	if line := p.line(100); !strings.Contains(line, "13/10 100 %") || strings.Contains(line, "-") {
		t.Errorf("13 of 10 photos: %q", line)
	}
}

// TestProgressLines: where nobody watches there is a line now and then, with what is done and the time left.
func TestProgressLines(t *testing.T) {
	old := []time.Duration{redraws, logLines}
	redraws, logLines = time.Millisecond, 50*time.Millisecond
	defer func() { redraws, logLines = old[0], old[1] }()
	var stderr bytes.Buffer
	con := newConsole(nil, &bytes.Buffer{}, &stderr)
	began := time.Now()
	for range 3 { // each shorter than the time between lines, but not all together
		p := con.progress(300, "photos", "check")
		for range 3 {
			time.Sleep(10 * time.Millisecond)
			p.add(100)
		}
		p.describe("loss 0.1")
		p.end()
		p.end()
	}
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	if most := int(time.Since(began) / logLines); len(lines) > most || !strings.HasPrefix(lines[0], "check: ") || !strings.Contains(lines[0], "of 300 photos") {
		t.Errorf("lines %q, want 1 to %d", lines, most)
	}
	p := &progress{what: "x", unit: "photos", total: 400, done: 100, from: 0, began: time.Now().Add(-20 * time.Second)}
	if got := p.logLine(); got != "x: 100 of 400 photos, 1m00s left" {
		t.Errorf("%q", got)
	}
	con.quiet = true
	silent := con.progress(1, "photos", "x")
	silent.add(1)
	silent.describe("y")
	silent.end()
}

// TestAnswersAreProgress: where answers come on a terminal there is no other progress, elsewhere there is.
func TestAnswersAreProgress(t *testing.T) {
	con := newConsole(nil, &bytes.Buffer{}, &bytes.Buffer{})
	in := newInputs(t.Context(), con, nil)
	if in.progress() == nil {
		t.Error("no progress")
	}
	con.outTerminal = os.Stdout
	if in.progress() != nil {
		t.Error("progress among answers")
	}
}

// TestEpochLines: they fit 80 columns, whatever they have to say.
func TestEpochLines(t *testing.T) {
	for _, epochs := range []int{8, 100, 1000} {
		r := newTrainReport(newConsole(nil, &bytes.Buffer{}, &bytes.Buffer{}), false, train.Config{Epochs: epochs})
		for _, loss := range []float64{0.00001, 1.5, 12.34567, 1234.5, 1e9} {
			for _, left := range []time.Duration{0, 20 * time.Second, 99 * time.Minute, 99*time.Hour + 59*time.Minute, 5000 * time.Hour} {
				e := train.Epoch{Epoch: engine.Epoch{Number: epochs, TrainLoss: loss, ValLoss: loss, TrainAcc: 1, ValAcc: 1}, Seconds: left.Seconds()}
				if line := r.epochLine(e, true, left); len(line) > 80 {
					t.Errorf("%d columns: %q", len(line), line)
				}
			}
		}
	}
}

// TestHeadsModeIsBrief: few of a hundred epochs have a line; results.csv and --json have them all.
func TestHeadsModeIsBrief(t *testing.T) {
	var stdout bytes.Buffer
	con := newConsole(nil, &stdout, &bytes.Buffer{})
	r := newTrainReport(con, false, train.Config{Mode: train.Heads, Epochs: 70})
	for n := range 70 {
		r.EpochDone(train.Epoch{Epoch: engine.Epoch{Number: n + 1}}, false)
	}
	var shown []string
	for line := range strings.Lines(stdout.String()) {
		shown = append(shown, strings.Fields(line)[1])
	}
	if got, want := strings.Join(shown, " "), "1/70 2/70 5/70 10/70 20/70 50/70 70/70"; got != want {
		t.Errorf("epochs %s, want %s", got, want)
	}
}

// TestLongCommandsTell: classify, eval, check and train say how far they are where nobody watches, unless they are to be quiet.
func TestLongCommandsTell(t *testing.T) {
	data, _, best := common(t)
	old := []time.Duration{redraws, logLines}
	redraws, logLines = time.Hour, 0 // a line at the end of every stretch of work
	defer func() { redraws, logLines = old[0], old[1] }()
	for want, args := range map[string][]string{
		"15 of 15 photos":                {"classify", "-m", best, data},
		"6 of 6 photos":                  {"eval", "-m", best, "--data", data},
		"epoch 2/3 train: 4 of 4 photos": trainArgs(data, filepath.Join(t.TempDir(), "run"), "--json"),
	} {
		r := must(t, args...)
		if !strings.Contains(r.stderr, want) {
			t.Errorf("%s does not say %q: %s", args[0], want, r.stderr)
		}
		for line := range strings.Lines(r.stdout) {
			if strings.Contains(line, want) {
				t.Errorf("%s: progress in the results: %s", args[0], line)
			}
		}
	}
	if r := must(t, "classify", "-q", "-m", best, data); r.stderr != "" {
		t.Errorf("--quiet: %s", r.stderr)
	}
}

// TestEveryLongCommand tells how far it is where it works on photos, on standard error alone, and with --quiet nothing.
func TestEveryLongCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	old := []time.Duration{redraws, logLines}
	redraws, logLines = time.Hour, 0
	defer func() { redraws, logLines = old[0], old[1] }()
	data := dataset(t, 8, 3)
	best, one := filepath.Join(trained(t, data), "best.onnx"), filepath.Join(data, "train", "sea", "a.jpg")
	line := regexp.MustCompile(`(?m)^.+: \d+( of \d+)? (photos|iterations)`)
	onStdout := regexp.MustCompile(`(?m)^(check|features|folds|test|report|heat maps|epoch .*(train|val)): \d+`)
	for _, args := range [][]string{
		{"check", data, "--no-cache"},
		{"check", data, "--model", best, "--no-cache"},
		{"compare", "--data", data, best, "--no-cache"},
		{"embed", "-m", best, data, "-o", filepath.Join(t.TempDir(), "x.npz"), "--no-cache"},
		{"similar", "-m", best, one, "--in", data, "--no-cache"},
		{"eval", "-m", best, "--data", data, "--no-cache"},
		{"classify", "-m", best, data, "--no-cache"},
		{"classify", "-m", best, data, "--no-cache", "--explain", t.TempDir()},
		{"train", "-m", best, "--data", data, "--no-cache", "--folds", "3", "--out", filepath.Join(t.TempDir(), "heads")},
		{"train", "-m", best, "--data", data, "--mode", "full", "--epochs", "1", "--batch-size", "8", "--out", filepath.Join(t.TempDir(), "full")},
	} {
		r := must(t, args...)
		if !line.MatchString(r.stderr) || onStdout.MatchString(r.stdout) || strings.ContainsAny(r.stderr, "\r\x1b") {
			t.Errorf("%s: %q", args[0], r.stderr)
		}
	}
	if r := must(t, "eval", "-m", best, "--data", data, "--no-cache", "-q"); r.stderr != "" {
		t.Errorf("--quiet: %q", r.stderr)
	}
}
