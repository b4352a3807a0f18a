package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	urfave "github.com/urfave/cli/v2"

	"regraft/head"
	"regraft/journal"
	"regraft/train"
)

// Exit statuses.
const (
	statusDone        = 0
	statusFailed      = 1 // the run failed: I/O, out of memory, NaN
	statusUsage       = 2
	statusData        = 3 // a problem with the photos or their folders, or labels that the model lacks
	statusModel       = 4 // the model is missing, invalid or not supported
	statusInputs      = 5 // finished, but some inputs failed
	statusParity      = 6 // verify: too far from the reference; bench layers --assert: not the fastest kernels
	statusInterrupted = 130
	statusTerminated  = 143
)

// failure is an error that says which exit status it deserves.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail marks err with an exit status; an error that has one keeps it, and nil stays nil.
func fail(status int, err error) error {
	var f *failure
	if err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	return &failure{status, err}
}

func failf(status int, format string, args ...any) error {
	return &failure{status, fmt.Errorf(format, args...)}
}

func usagef(format string, args ...any) error { return failf(statusUsage, format, args...) }

// parsedFlag finds the flag in what the flag parser says, where it has one dash whatever its length.
var parsedFlag = regexp.MustCompile(`(needs an argument: |not defined: |" for (?:flag )?)-([\w-]+)`)

// usageProblem turns what the flag parser complains about into one line.
func usageProblem(c *urfave.Context, err error, _ bool) error {
	text := err.Error()
	if name, unknown := strings.CutPrefix(text, "flag provided but not defined: -"); unknown {
		given := dashed(strings.TrimPrefix(name, "-"))
		return usagef("unknown flag %s%s (see --help)", given, didYouMean(given, flagNames(c.Command.Flags)))
	}
	return usagef("%s", parsedFlag.ReplaceAllStringFunc(text, func(part string) string {
		found := parsedFlag.FindStringSubmatch(part)
		return found[1] + dashed(found[2])
	}))
}

// signalled is the cause of a context that a signal ended.
type signalled struct{ status int }

func (s signalled) Error() string {
	if s.status == statusTerminated {
		return "terminated"
	}
	return "interrupted"
}

// untilSignal returns a context that ends at the first signal to interrupt, to hang up or to terminate; a second one to
// interrupt or terminate ends the process at once, as if nobody listened. Signals that are ignored when the program starts, as
// under nohup or in the background of a script, stay ignored. A pipe whose reader is gone is an error of writing, not the end.
func untilSignal(con *console) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals, repeated := make(chan os.Signal, 1), make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP, syscall.SIGTERM} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(repeated, syscall.SIGHUP) // never read: a shell that goes may send it twice
	}
	signal.Ignore(syscall.SIGPIPE)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			status := statusTerminated
			if s == os.Interrupt {
				status = statusInterrupted
			}
			con.notef("%v: finishing the current step (once more to stop at once)", signalled{status})
			cancel(signalled{status})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		signal.Stop(repeated)
		cancel(nil)
	}
}

// status prints err and returns the exit status that it stands for.
func (con *console) status(ctx context.Context, err error) int {
	if err == nil {
		return statusDone
	}
	if errors.Is(err, syscall.EPIPE) { // nobody is there to be told
		return statusFailed
	}
	if err != context.Canceled { // of which the signal handler has told
		con.errorf("%s", sentence(err))
	}
	var s signalled
	if errors.As(context.Cause(ctx), &s) && errors.Is(err, context.Canceled) {
		return s.status
	}
	return statusOf(err)
}

// sentence is what err tells the user, with the command that helps. Of a file that is not there the system says no more than that.
func sentence(err error) string {
	if errors.Is(err, head.ErrFeatures) {
		return err.Error() + " (regraft train gives it one, classify --features prints them)"
	}
	var p *fs.PathError
	if !errors.As(err, &p) || !errors.Is(p, fs.ErrNotExist) || err.Error() != p.Error() {
		return err.Error()
	}
	text := fmt.Sprintf("%s does not exist", p.Path)
	if statusOf(err) == statusModel {
		text += ": give an ONNX file, which regraft import makes of weights (regraft weights list)"
	}
	return text
}

// statusOf is the status of an error that no signal caused.
func statusOf(err error) int {
	var own *failure
	var usage *train.UsageError
	var field *train.FieldError
	var refused journal.RefusedError
	var data *train.DataError
	var model *train.ModelError
	switch {
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &usage), errors.As(err, &field), errors.As(err, &refused):
		return statusUsage
	case errors.As(err, &data):
		return statusData
	case errors.As(err, &model):
		return statusModel
	}
	return statusFailed
}
