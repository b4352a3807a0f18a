//go:build unix

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"regraft/journal"
)

// TestWatchOrigin: a run goes on only with paths that begin as before, by which it knows the photos that have answers.
func TestWatchOrigin(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	origin := func(spelt string) (o journal.Origin) {
		if err := (&watching{dir: spelt}).origin(&o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	for spelt, says := range map[string]string{"in": "", "./in/": "", filepath.Join(dir, "in"): "another spelling of its path", "other": "another folder"} {
		if d := origin(spelt).Differs(origin("in")); !strings.Contains(d, says) || (d == "") != (says == "") {
			t.Errorf("%s: %q", spelt, d)
		}
	}
}

// TestWatch: photos that come are answered for and sorted until a signal, after which a later run goes on, whether the first one came
// to its end or was killed; every photo has one answer.
func TestWatch(t *testing.T) {
	source := dataset(t, 2, 0)
	for _, ending := range []string{".jsonl", ".csv"} {
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out"+ending)
		come := func(name, class string) {
			t.Helper()
			photo, err := os.ReadFile(filepath.Join(source, "train", class, "a.jpg"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(in, name), photo)
		}
		answered := func() string {
			text, err := os.ReadFile(out)
			if err != nil {
				text, _ = os.ReadFile(out + ".partial")
			}
			return string(text)
		}
		run := func(end os.Signal, answers int, while func()) (int, string) {
			t.Helper()
			cmd := program(classifyArgs("--no-cache", "--watch", in, "--resume", "-o", out, "--sort-into", filepath.Join(in, "sorted"), "--sort-mode", "move")...)
			var output bytes.Buffer
			cmd.Stdout, cmd.Stderr = &output, &output
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
			while()
			for deadline := time.Now().Add(time.Minute); strings.Count(answered(), "in/") < answers && time.Now().Before(deadline); {
				time.Sleep(50 * time.Millisecond)
			}
			if end != syscall.SIGTERM {
				time.Sleep(200 * time.Millisecond) // until the journal knows of it
			}
			cmd.Process.Signal(end)
			cmd.Wait()
			return cmd.ProcessState.ExitCode(), output.String()
		}
		come("a.jpg", "sea")
		status, output := run(syscall.SIGTERM, 3, func() {
			time.Sleep(500 * time.Millisecond)
			come("new/b.jpg", "forest")
			write(t, filepath.Join(in, "bad.jpg"), []byte("not a photo"))
			write(t, filepath.Join(in, "film.mp4"), []byte("film"))
		})
		if status != statusTerminated || !strings.Contains(output, "3 answers") || !strings.Contains(output, "left out, not a photo: "+filepath.Join(in, "film.mp4")) {
			t.Fatalf("exit status %d, %s", status, output)
		}
		if _, err := os.Stat(out + ".done"); err != nil {
			t.Error(err)
		}
		come("a.jpg", "street") // the name again, since the first was moved
		run(os.Kill, 4, func() {})
		status, output = run(os.Interrupt, 5, func() { come("c.jpg", "sea") })
		if status != statusInterrupted || !strings.Contains(output, "4 inputs have their answers already") || !strings.Contains(output, "5 answers") {
			t.Errorf("exit status %d, %s", status, output)
		}
		if text := answered(); strings.Count(text, "in/a.jpg") != 2 || strings.Count(text, "in/") != 5 {
			t.Errorf("answers\n%s", text)
		}
		if n := len(below(t, filepath.Join(in, "sorted"))); n != 4 {
			t.Errorf("%d sorted", n)
		}
		if testing.Short() {
			break
		}
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{classifyArgs("--watch", source, source), "one folder"},
		{classifyArgs("--watch", source, "--shard", "0/2", "-o", t.TempDir()), "contradict"},
		{classifyArgs("--watch", source, "-o", filepath.Join(t.TempDir(), "a.parquet")), "jsonl or csv"},
	} {
		if r := run(t, c.args...); r.status != statusUsage || !strings.Contains(r.stderr, c.says) {
			t.Errorf("%v: exit status %d, %s", c.args, r.status, r.stderr)
		}
	}
	if r := run(t, classifyArgs("--watch", filepath.Join(source, "gone"))...); r.status != statusData {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}
}
