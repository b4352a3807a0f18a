//go:build unix

package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"regraft/demo"
)

var kills = flag.Int("kills", 8, "how often TestKill kills each kind of run")

// program is the command line as a process of its own.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// ended runs cmd and returns its exit status, -1 for a signal, and what it wrote to both streams together.
func ended(t *testing.T, cmd *exec.Cmd) (int, string) {
	t.Helper()
	output, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !isExit(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(output)
}

func isExit(err error, exit **exec.ExitError) bool {
	e, is := err.(*exec.ExitError)
	*exit = e
	return is
}

// small is a folder with a narrow network and few photos, on which a run takes a second or two.
func small(t *testing.T) demo.Run {
	t.Helper()
	r := demo.Run{Out: t.TempDir(), Train: 4, Test: 2}
	if _, err := r.Import(); err != nil {
		t.Fatal(err)
	}
	if err := r.Render(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r
}

// smallArgs trains on it, with a checkpoint after every step.
func smallArgs(r demo.Run, out, mode string, more ...string) []string {
	args := []string{"train", "-m", r.ModelFile(), "--data", r.Photos(), "-o", out, "--mode", mode, "--checkpoint-minutes", "1e-6"}
	if mode == "full" {
		args = append(args, "--epochs", "3", "-b", "12")
	}
	return append(args, more...)
}

// listing are the names of all files in a folder.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// curve is results.csv without the columns of time.
func curve(t *testing.T, out string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(out, "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		fmt.Fprintln(&b, strings.Join(strings.Split(line, ",")[:6], ","))
	}
	return b.String()
}

// TestKill kills runs at random moments, several times in the same folder, and lets them end: by --resume, or by a new start
// where there is no checkpoint. Every folder ends with the files and the bits of a run that nobody disturbed.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := small(t)
	for _, mode := range []string{"full", "heads"} {
		t.Run(mode, func(t *testing.T) {
			whole := filepath.Join(r.Out, mode)
			began := time.Now()
			if status, output := ended(t, program(smallArgs(r, whole, mode)...)); status != 0 {
				t.Fatalf("exit status %d: %s", status, output)
			}
			life := time.Since(began)
			random := rand.New(rand.NewPCG(1, 2))
			for done, folder := 0, 0; done < *kills; folder++ {
				out := filepath.Join(t.TempDir(), fmt.Sprintf("run%d", folder))
				for range min(1+random.IntN(5), *kills-done) {
					moment := time.Duration(random.Int64N(int64(life)))
					if random.IntN(2) == 0 { // the first files
						moment = time.Duration(random.Int64N(int64(150 * time.Millisecond)))
					}
					killed(t, program(restart(t, r, out, mode, random.IntN(2) == 0)...), moment)
					done++
				}
				if status, output := ended(t, program(restart(t, r, out, mode, random.IntN(2) == 0)...)); status != 0 {
					t.Fatalf("exit status %d: %s", status, output)
				}
				if got, want := listing(t, out), listing(t, whole); got != want {
					t.Errorf("files %s, want %s", got, want)
				}
				if !bytes.Equal(parameters(t, out), parameters(t, whole)) {
					t.Error("the model has other bits")
				}
				if got, want := curve(t, out), curve(t, whole); got != want {
					t.Errorf("results.csv\n%s\nwant\n%s", got, want)
				}
			}
		})
	}
}

// killed starts cmd and kills it after a while.
func killed(t *testing.T, cmd *exec.Cmd, after time.Duration) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	cmd.Process.Kill()
	cmd.Wait()
}

// killedAt starts cmd and kills it as soon as there is what is asked for.
func killedAt(t *testing.T, cmd *exec.Cmd, there func() bool) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !there() {
		select {
		case err := <-ended:
			t.Fatalf("the process ended before it was to be killed: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	cmd.Process.Kill()
	<-ended
}

// restart is the command that goes on in the folder of a killed run. With a checkpoint in it a new start is refused;
// without one it may be a new start or a resumption.
func restart(t *testing.T, r demo.Run, out, mode string, resume bool) []string {
	t.Helper()
	if _, err := os.Stat(out); err != nil {
		return smallArgs(r, out, mode)
	}
	names := strings.Fields(listing(t, out))
	if slices.ContainsFunc([]string{"last.ckpt", "previous.ckpt", "features.ckpt"}, func(file string) bool { return slices.Contains(names, file) }) {
		if status, output := ended(t, program(smallArgs(r, out, mode)...)); status != statusUsage || !strings.Contains(output, "--resume") {
			t.Errorf("a new start over a checkpoint: exit status %d, %s", status, output)
		}
		resume = true
	}
	if resume {
		return smallArgs(r, out, mode, "--resume")
	}
	return smallArgs(r, out, mode)
}

// awaited starts cmd and waits until its standard output or error has text.
func awaited(t *testing.T, cmd *exec.Cmd, text string) *seen {
	t.Helper()
	s := &seen{text: text, there: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = s
	}
	if cmd.Stderr == nil {
		cmd.Stderr = s
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.there:
	case <-time.After(2 * time.Minute):
		cmd.Process.Kill()
		t.Fatalf("%q was not seen in %q", text, s.String())
	}
	return s
}

// seen keeps what is written to it and tells when text is in it.
type seen struct {
	all   bytes.Buffer
	text  string
	there chan struct{}
	told  bool
}

func (s *seen) String() string { return s.all.String() }

func (s *seen) Write(p []byte) (int, error) {
	n, err := s.all.Write(p)
	if !s.told && strings.Contains(s.String(), s.text) {
		s.told = true
		close(s.there)
	}
	return n, err
}

// TestSignals: each signal ends a run with its status and a checkpoint, a repeated SIGHUP does not shorten that, and the
// resumed run has the bits of an undisturbed one.
func TestSignals(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := small(t)
	whole := filepath.Join(r.Out, "whole")
	if status, output := ended(t, program(smallArgs(r, whole, "full", "--epochs", "20")...)); status != 0 {
		t.Fatalf("exit status %d: %s", status, output)
	}
	for _, c := range []struct {
		signals []syscall.Signal
		status  int
	}{
		{[]syscall.Signal{syscall.SIGINT}, statusInterrupted},
		{[]syscall.Signal{syscall.SIGTERM}, statusTerminated},
		{[]syscall.Signal{syscall.SIGHUP, syscall.SIGHUP, syscall.SIGHUP}, statusTerminated},
		{[]syscall.Signal{syscall.SIGTERM, syscall.SIGHUP}, statusTerminated},
	} {
		if slices.ContainsFunc(c.signals, func(sent syscall.Signal) bool { return signal.Ignored(sent) }) {
			t.Logf("%v: ignored here, as under nohup, and so by the programs that this starts", c.signals)
			continue
		}
		out := filepath.Join(t.TempDir(), "run")
		cmd := program(smallArgs(r, out, "full", "--epochs", "20", "--checkpoint-minutes", "60")...)
		s := awaited(t, cmd, "epoch   1/20")
		for _, sent := range c.signals {
			cmd.Process.Signal(sent)
			time.Sleep(2 * time.Millisecond)
		}
		cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != c.status {
			t.Errorf("%v: exit status %d, want %d: %s", c.signals, got, c.status, s.String())
		}
		if status, output := ended(t, program(smallArgs(r, out, "full", "--epochs", "20", "--resume")...)); status != 0 {
			t.Fatalf("%v: resumed with exit status %d: %s", c.signals, status, output)
		}
		if !bytes.Equal(parameters(t, out), parameters(t, whole)) {
			t.Errorf("%v: the model has other bits", c.signals)
		}
	}
}

// TestIgnoredSignals: what is ignored when the program starts, as under nohup, stays ignored.
func TestIgnoredSignals(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := small(t)
	for _, c := range []struct {
		name   string
		signal syscall.Signal
	}{{"HUP", syscall.SIGHUP}, {"INT", syscall.SIGINT}} {
		cmd := program(smallArgs(r, filepath.Join(t.TempDir(), "run"), "full")...)
		cmd.Args = append([]string{"sh", "-c", "trap '' " + c.name + `; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
		s := awaited(t, cmd, "epoch   1/3")
		cmd.Process.Signal(c.signal)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v: %s", c.name, err, s.String())
		}
	}
}

// TestReadersThatGo: a pipe that nobody reads any more does not end a training; other commands end without a word.
func TestReadersThatGo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := small(t)
	broken := func() *os.File {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read.Close()
		t.Cleanup(func() { write.Close() })
		return write
	}
	for _, format := range []string{"--json", "--quiet"} {
		for _, both := range []bool{false, true} {
			out := filepath.Join(t.TempDir(), "run")
			cmd := program(smallArgs(r, out, "full", format)...)
			var stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = broken(), &stderr
			if both {
				cmd.Stderr = broken()
			}
			cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != statusFailed {
				t.Errorf("exit status %d", got)
			}
			if got := listing(t, out); !strings.Contains(got, "summary.json") {
				t.Errorf("the run did not end: %s", got)
			}
			if !both && format != "--quiet" && !strings.Contains(stderr.String(), "the run is complete in "+out) {
				t.Errorf("standard error is %q", stderr.String())
			}
		}
	}
	for _, args := range [][]string{{"classify", "-m", r.ModelFile(), r.Photos()}, {"inspect", r.ModelFile()}, {"--help"}} {
		cmd := program(args...)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = broken(), &stderr
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != statusFailed || strings.Contains(stderr.String(), "pipe") {
			t.Errorf("%s: exit status %d, %s", args[0], got, stderr.String())
		}
	}
}

// TestInterruptedPipe is Ctrl-C in "train 2>&1 | tee log": the reader dies, and the program is interrupted when its next line
// finds nobody.
func TestInterruptedPipe(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := small(t)
	out := filepath.Join(t.TempDir(), "run")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := program(smallArgs(r, out, "full", "--epochs", "50")...)
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	text := ""
	for part := make([]byte, 1000); !strings.Contains(text, "epoch   1/"); {
		n, err := read.Read(part)
		if err != nil {
			t.Fatalf("%v after %q", err, text)
		}
		text += string(part[:n])
	}
	read.Close()
	time.Sleep(200 * time.Millisecond)
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != statusInterrupted {
		t.Errorf("exit status %d", got)
	}
	if got := listing(t, out); got != "args.json best.onnx last.ckpt previous.ckpt results.csv" {
		t.Errorf("files %s", got)
	}
}

// TestClosedStreams: standard output and error may be closed from the start.
func TestClosedStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := small(t)
	for _, closed := range []string{">&-", "2>&-", ">&- 2>&-"} {
		out := filepath.Join(t.TempDir(), "run")
		cmd := program(smallArgs(r, out, "full")...)
		cmd.Args = append([]string{"sh", "-c", `exec "$0" "$@" ` + closed, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
		cmd.Run()
		if got := listing(t, out); !strings.Contains(got, "summary.json") || !bytes.HasPrefix(parameters(t, out), []byte{8}) {
			t.Errorf("%s: exit status %d, files %s", closed, cmd.ProcessState.ExitCode(), got)
		}
	}
}

// TestTwoRuns: of runs that start at the same moment in one folder one goes to its end, and the others are refused.
func TestTwoRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := small(t)
	out := filepath.Join(t.TempDir(), "new", "run")
	type end struct {
		status int
		output string
	}
	ends := make(chan end)
	for i := range 5 {
		go func() {
			status, output := ended(t, program(smallArgs(r, out, "full", "--seed", fmt.Sprint(i))...))
			ends <- end{status, output}
		}()
	}
	complete := 0
	for range 5 {
		switch e := <-ends; {
		case e.status == 0:
			complete++
		case e.status != statusUsage || !strings.Contains(e.output, "in use by another run"):
			t.Errorf("exit status %d: %s", e.status, e.output)
		}
	}
	if complete != 1 {
		t.Errorf("%d of 5 runs came to their end", complete)
	}
	if got := listing(t, out); strings.Contains(got, ".lock") || !strings.Contains(got, "summary.json") {
		t.Errorf("files %s", got)
	}
}
