package train

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"regraft/engine"
	"regraft/photo"
	"regraft/setting"
)

// The least time between checkpoints where Config does not tell, within epochs as well: so long, or so many times what writing
// one takes, so that a large model does not wear out the disk.
const (
	betweenCheckpoints = 30 * time.Second
	checkpointShare    = 200
)

// loop runs the epochs that are left.
func (r *training) loop(ctx context.Context) error {
	r.saved = time.Now()
	for epoch := len(r.epochs) + 1; epoch <= r.last; epoch++ {
		if r.stopped = r.enough(); r.stopped != "" {
			break
		}
		err := r.epoch(ctx, epoch)
		if err == nil && r.dueAfterEpoch() {
			err = r.checkpoint()
		}
		if err != nil {
			return r.keep(ctx, err, r.checkpoint)
		}
	}
	return r.checkpoint()
}

// keep saves what was learnt before an error ends the run, so that it can go on when the cause has gone. Weights that have
// diverged are nothing to go on from: the last checkpoint stays, and the best epoch.
func (r *training) keep(ctx context.Context, err error, save func() error) error {
	if cancelled := ctx.Err(); cancelled != nil {
		err = cancelled
	}
	if diverged := (*DivergedError)(nil); errors.As(err, &diverged) {
		if saving := r.keepBest(); saving != nil {
			r.events.Warn(saving.Error())
		}
		return err
	}
	if saving := save(); saving != nil {
		return fmt.Errorf("%w; no checkpoint: %w", err, saving)
	}
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w; the checkpoint is in %s: the same command with %v continues", err, r.config.Out, setting.Resume)
}

// epoch trains and validates.
func (r *training) epoch(ctx context.Context, epoch int) error {
	last := time.Now()
	count := func() { // the time since it was counted last
		now := time.Now()
		r.progress.Seconds += now.Sub(last).Seconds()
		last = now
	}
	err := r.learner.train(ctx, epoch, &r.progress, r.events, func() error {
		count()
		return r.checkpointIfDue()
	})
	if count(); err != nil {
		return err
	}
	judging := time.Now()
	judged, err := r.learner.judge(ctx, epoch, r.events)
	if err != nil {
		return err
	}
	p := r.progress
	e := Epoch{
		Epoch: engine.Epoch{
			Mode: string(r.config.Mode), Number: epoch, LR: p.LR,
			TrainLoss: p.Loss / float64(max(p.Photos, 1)), TrainAcc: float64(p.Correct) / float64(max(p.Photos, 1)),
			ValLoss: judged.loss, ValAcc: judged.accuracy,
		},
		Seconds:         p.Seconds + time.Since(judging).Seconds(),
		ImagesPerSecond: float64(p.Photos) / max(p.Seconds, 1e-9),
	}
	if broken(e.ValLoss) {
		return &DivergedError{Epoch: epoch, Step: p.Step, Loss: e.ValLoss, Validating: true}
	}
	best := r.better(e.Epoch)
	r.epochs, r.progress = append(r.epochs, e), progress{}
	if best {
		r.remember(judged.answers)
	}
	r.events.EpochDone(e, best)
	return r.logEpoch()
}

// enough says why no further epoch is needed; empty when one is.
func (r *training) enough() string {
	if patience := r.config.Patience; patience > 0 && r.best >= 0 && len(r.epochs)-1-r.best >= patience {
		return "no better epoch for " + photo.Count(patience, "epoch", "epochs")
	}
	if r.learner.converged() {
		return "the solver has converged"
	}
	return ""
}

// remember keeps the network's values as the best.
func (r *training) remember(answers *Evaluation) {
	r.best, r.answers = len(r.epochs)-1, answers
	r.bestParams = map[string][]float32{}
	for _, p := range r.net.Params {
		r.bestParams[p.Name] = p.Value
	}
}

// checkpointIfDue makes a checkpoint when the last one is old enough.
func (r *training) checkpointIfDue() error {
	if !r.due() {
		return nil
	}
	return r.checkpoint()
}

// dueAfterEpoch is due that makes the first epoch of full mode leave a model, however long writing takes; those of heads mode take
// milliseconds.
func (r *training) dueAfterEpoch() bool {
	return r.config.Mode == Full && len(r.epochs) == 1 || r.due()
}

func (r *training) due() bool {
	age := max(betweenCheckpoints, checkpointShare*r.saving)
	if minutes := r.config.CheckpointMinutes; minutes > 0 {
		age = time.Duration(minutes * float64(time.Minute))
	}
	return time.Since(r.saved) >= age
}

// checkpoint writes best.onnx, where it is due, results.csv and last.ckpt, in this order, so that the
// checkpoint never speaks of a model that is not there.
func (r *training) checkpoint() error {
	if err := r.keepBest(); err != nil {
		return err
	}
	if err := r.out.write(ResultsFile, r.writeResults); err != nil {
		return err
	}
	k := r.snapshot()
	k.parts = r.learner.save()
	return r.save(func() error { return r.out.writeNext(CheckpointFile, PreviousFile, k.write) })
}

// snapshot is a checkpoint of this moment without what was learnt.
func (r *training) snapshot() *checkpoint {
	return &checkpoint{
		Config: r.config, Network: r.network, Photos: r.photos, Contents: r.contents, Skipped: r.skipped, Alike: r.lookalikes(),
		Assumption: r.assumption, Epochs: r.epochs, Progress: r.progress, Best: r.best,
	}
}

// save writes a checkpoint and notes when, and how long it took.
func (r *training) save(write func() error) error {
	began := time.Now()
	if err := write(); err != nil {
		return err
	}
	r.saved = time.Now()
	r.saving = r.saved.Sub(began)
	return nil
}

func (r *training) writeResults(w io.Writer) error {
	c := csv.NewWriter(w)
	c.Write([]string{"epoch", "train_loss", "train_acc", "val_loss", "val_acc", "lr", "seconds", "images_per_s"})
	for _, e := range r.epochs {
		c.Write([]string{
			strconv.Itoa(e.Number), number(e.TrainLoss), number(e.TrainAcc), number(e.ValLoss), number(e.ValAcc),
			number(e.LR), number(e.Seconds), number(e.ImagesPerSecond),
		})
	}
	c.Flush()
	return c.Error()
}

// number writes six significant digits.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
