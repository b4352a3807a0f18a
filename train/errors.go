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

// DivergedError says that a loss became infinite or no number.
type DivergedError struct {
	Epoch, Step int
	Loss        float64
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("the loss is %g in epoch %d, step %d: the training has diverged; try a lower %v, %v 1 or %v 1",
		e.Loss, e.Epoch, e.Step, setting.LearningRate, setting.WarmupEpochs, setting.ClipNorm)
}
