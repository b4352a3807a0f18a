package train

import (
	"fmt"

	"regraft/setting"
)

// DataError is a problem with the photos or their folders: exit status 3.
type DataError struct{ Err error }

func (e *DataError) Error() string { return e.Err.Error() }
func (e *DataError) Unwrap() error { return e.Err }

// ModelError is a network that cannot be trained or evaluated: exit status 4.
type ModelError struct{ Err error }

func (e *ModelError) Error() string { return e.Err.Error() }
func (e *ModelError) Unwrap() error { return e.Err }

// InterruptedError says that the run was cancelled.
type InterruptedError struct {
	// Out is the folder whose checkpoint a run with Config.Resume continues; empty when the run had not come to the first step.
	Out string
	// Err is the context's.
	Err error
}

func (e *InterruptedError) Error() string {
	if e.Out == "" {
		return "interrupted before the first step; nothing was written"
	}
	return fmt.Sprintf("interrupted; the checkpoint is in %s: the same command with %v continues", e.Out, setting.Resume)
}
func (e *InterruptedError) Unwrap() error { return e.Err }

// DivergedError says that a loss, a gradient or a weight became infinite or no number.
type DivergedError struct {
	Epoch, Step int
	Loss        float64
	// Node is the first in the order of computation whose result holds such a number, or "the gradient of" a parameter where forwards all
	// are sound; "" where that is not known.
	Node string
	// Weights names the first parameter that the step has left with such a number; "" where the step did not come to that.
	Weights string
	// Validating says that the loss is that of the validation photos.
	Validating bool
}

func (e *DivergedError) Error() string {
	what := "the gradients are infinite or undefined"
	switch {
	case e.Weights != "":
		what = fmt.Sprintf("the weights %s have become infinite or undefined", e.Weights)
	case e.Validating:
		what = fmt.Sprintf("the validation loss is %g", e.Loss)
	case broken(e.Loss):
		what = fmt.Sprintf("the loss is %g", e.Loss)
	}
	what += fmt.Sprintf(" in epoch %d, step %d", e.Epoch, e.Step)
	if e.Node != "" {
		what += ", first in " + e.Node
	}
	return fmt.Sprintf("%s: the training has diverged; try a lower %v, %v 1 or %v 1", what, setting.LearningRate, setting.WarmupEpochs, setting.ClipNorm)
}
