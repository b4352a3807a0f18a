package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClassifyOut: the file has the bytes that standard output would have had, and a second run is told that it is complete.
func TestClassifyOut(t *testing.T) {
	data := dataset(t, 2, 1)
	for _, c := range []struct{ name, format string }{{"a.jsonl", "jsonl"}, {"a.csv", "csv"}, {"b.csv", "csv-excel"}} {
		out := filepath.Join(t.TempDir(), c.name)
		args := []string{"-k", "2", data}
		if c.format == "csv-excel" {
			args = append(args, "--format", c.format)
		}
		want := must(t, classifyArgs(append([]string{"-k", "2", data}, "--format", c.format)...)...).stdout
		into := classifyArgs(append(args, "--out", out)...)
		if r := must(t, into...); r.stdout != "" || !strings.Contains(r.stderr, "9 answers") {
			t.Errorf("it prints %q, %q", r.stdout, r.stderr)
		}
		if got, err := os.ReadFile(out); err != nil || string(got) != want {
			t.Errorf("%s is\n%s(%v), want\n%s", c.name, got, err, want)
		}
		if r := must(t, append(into, "--resume", "-t", "1", "-b", "3", "--skip-bad")...); !strings.Contains(r.stderr, "is complete") {
			t.Errorf("once more: %s", r.stderr)
		}
		if r := run(t, into...); r.status != statusUsage || !strings.Contains(r.stderr, "is there already") {
			t.Errorf("exit status %d, %s", r.status, r.stderr)
		}
	}
}

// TestClassifyOutRefuses: nothing is continued with other things, and flags that contradict each other are named.
func TestClassifyOutRefuses(t *testing.T) {
	data := dataset(t, 1, 1)
	dir := t.TempDir()
	out := filepath.Join(dir, "a.jsonl")
	must(t, classifyArgs(data, "-o", out)...)
	photo := filepath.Join(data, "train", "sea", "a.jpg")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{data, "-o", out, "--resume", "-k", "2"}, "--topk 2 instead of unset"},
		{[]string{photo, "-o", out, "--resume"}, "1 inputs instead of 6"},
		{[]string{dataset(t, 1, 1), "-o", out, "--resume"}, "other inputs"},
		{[]string{data, "-o", out, "--resume", "--std", "2"}, "--std 2 instead of 1,1,1"},
		{[]string{photo, "-o", filepath.Join(dir, "a.txt")}, "must end in"},
		{[]string{photo, "-o", filepath.Join(dir, "b.csv"), "--json"}, "contradict"},
		{[]string{photo, "-o", filepath.Join(dir, "b.csv"), "--format", "text"}, "--out needs"},
		{[]string{photo, "-o", filepath.Join(dir, "b.csv"), "--explain", dir}, "--explain"},
		{[]string{photo, "-o", filepath.Join(dir, "b.csv"), "--logits"}, "--logits and --features need --format jsonl"},
		{[]string{photo, "-o", filepath.Join(dir, "b.csv"), "--sets", "0.9"}, "--sets needs"},
		{[]string{photo, "-0"}, "--null does nothing"},
		{[]string{"--files-from", "-"}, "--files-from -"},
		{[]string{"--files-from", dir}, "is a folder"},
		{[]string{photo, "--resume"}, "--resume does nothing without --out"},
		{[]string{photo, "--shard", "0/2"}, "--shard does nothing without --out"},
		{[]string{photo, "--shard", "2/2", "-o", dir}, "counted from 0"},
	} {
		if r := run(t, classifyArgs(c.args...)...); r.status != statusUsage || !strings.Contains(r.stderr, c.says) {
			t.Errorf("%v: exit status %d, %s", c.args, r.status, r.stderr)
		}
	}
	if r := run(t, "classify", "-m", modelPath(t), t.TempDir(), "--quiet", "-o", filepath.Join(dir, "c.csv")); r.status != statusInputs {
		t.Errorf("exit status %d", r.status) // a folder without photos is an input without an answer
	}
	if got, _ := filepath.Glob(filepath.Join(dir, "*")); len(got) != 4 {
		t.Errorf("files %q", got)
	}
}

// TestSkipBad: photos without an answer may be there.
func TestSkipBad(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.jpg")
	write(t, bad, []byte("no photo"))
	if r := must(t, classifyArgs(bad, "--skip-bad")...); !strings.Contains(r.stderr, "1 of 1 photo has no answer") {
		t.Errorf("%q", r.stderr)
	}
}
