package train

import (
	"fmt"
	"math"
	"regexp"
	"slices"

	"regraft/photo"
	"regraft/setting"
)

// FieldError says that a field of a Config has a value that makes no sense: exit status 2.
type FieldError = setting.FieldError

// UsageError is a Config whose fields contradict each other, or what is on the disk: exit status 2.
type UsageError struct{ What string }

func (e *UsageError) Error() string { return e.What }

func usagef(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// check reports the first field that makes no sense.
func (c *Config) check() error {
	if c.Net == nil || c.Net.Meta.Preprocess == nil {
		return usagef("training needs a model and its preprocessing")
	}
	for _, part := range []func() error{c.checkChoices, c.checkNumbers, c.checkAugment, c.checkGiven, c.checkFeatures, c.checkSolver} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// checkChoices looks at the fields that are one of a few words.
func (c *Config) checkChoices() error {
	if c.Mode != Heads && c.Mode != Full {
		return &FieldError{Field: setting.Mode, Value: string(c.Mode), Why: fmt.Sprintf("choose %s or %s", Heads, Full)}
	}
	if known := Optimizers(c.Mode); !slices.Contains(known, c.Optimizer) {
		return &FieldError{Field: setting.Optimizer, Value: string(c.Optimizer), Why: fmt.Sprintf("in %s mode choose one of %s", c.Mode, setting.List(known))}
	}
	if c.SelectOn != "" && c.SelectOn != SetTest {
		return &FieldError{Field: setting.SelectOn, Value: c.SelectOn, Why: "only test may be named, which otherwise chooses nothing"}
	}
	if _, err := regexp.Compile(c.GroupBy); err != nil {
		return &FieldError{Field: setting.GroupBy, Value: c.GroupBy, Why: err.Error()}
	}
	if c.SelectOn != "" && c.ValSplit > 0 {
		return usagef("%v and %v contradict each other", setting.SelectOn, setting.ValSplit)
	}
	if c.SelectOn != "" && c.Precision > 0 {
		return &FieldError{Field: setting.SelectOn, Value: c.SelectOn, Why: "no photos are left that a threshold could be chosen by"}
	}
	switch known := slices.Contains(append(Balances, NoBalance), c.Balance); {
	case !known:
		return &FieldError{Field: setting.Balance, Value: string(c.Balance), Why: "choose one of " + setting.List(Balances)}
	case c.Balance == BalanceSampler && !stepwise(c):
		return usagef("%v %s does nothing with %v %s, which takes all photos at once: choose %s", setting.Balance, BalanceSampler, setting.Optimizer, LBFGS, BalanceLoss)
	}
	if c.UnfreezeAfter > 0 && len(c.Freeze) == 0 {
		return usagef("%v does nothing without %v", setting.UnfreezeAfter, setting.Freeze)
	}
	if c.reads("sched") && !slices.Contains(Schedules, c.Schedule) {
		return &FieldError{Field: setting.Schedule, Value: string(c.Schedule), Why: "choose one of " + setting.List(Schedules)}
	}
	return nil
}

// checkNumbers looks at the bounds of numbers.
func (c *Config) checkNumbers() error {
	const (
		negative = "must not be negative"
		share    = "lies in [0, 1)"
		million  = 1_000_000
		most     = 1 << 16 // photos per step
	)
	for _, n := range []struct {
		field setting.Name
		value any
		fits  bool
		why   string
	}{
		{setting.Epochs, c.Epochs, (c.Epochs >= 1 || c.Epochs == 0 && !stepwise(c)) && c.Epochs <= million, "between 1 and a million"},
		{setting.Batch, c.Batch, !c.reads("batch_size") || c.Batch >= 1 && c.Batch <= most, fmt.Sprintf("between 1 and %d", most)},
		{setting.MicroBatch, c.MicroBatch, !c.reads("micro_batch") || c.MicroBatch == 0 || c.MicroBatch > 0 && c.Batch%c.MicroBatch == 0,
			fmt.Sprintf("must be a divisor of %v, %d", setting.Batch, c.Batch)},
		{setting.DropPath, c.DropPath, c.DropPath >= 0 && c.DropPath < 1, share},
		{setting.LayerDecay, c.LayerDecay, c.LayerDecay >= 0 && c.LayerDecay <= 1, "lies in [0, 1]"},
		{setting.UnfreezeAfter, c.UnfreezeAfter, c.UnfreezeAfter >= 0, negative},
		{setting.EMA, c.EMA, c.EMA >= 0 && c.EMA < 1, share},
		{setting.LearningRate, c.LearningRate, !c.reads("lr") || c.LearningRate > 0 && c.LearningRate <= math.MaxFloat32, "must be above 0"},
		{setting.WeightDecay, c.WeightDecay, c.WeightDecay >= 0 || c.WeightDecay == ByFolds && !stepwise(c), negative},
		{setting.Momentum, c.Momentum, c.Momentum >= 0 && c.Momentum < 1, share},
		{setting.ClipNorm, c.ClipNorm, c.ClipNorm >= 0, negative},
		{setting.Smoothing, c.Smoothing, c.Smoothing >= 0 && c.Smoothing < 1, share},
		{setting.AuxWeight, c.AuxWeight, c.AuxWeight >= 0, negative},
		{setting.Dropout, c.Dropout, c.Dropout < 1, "must be below 1"},
		{setting.ValSplit, c.ValSplit, c.ValSplit >= 0 && c.ValSplit < 1, share},
		{setting.WarmupEpochs, c.WarmupEpochs, c.WarmupEpochs == 0 || c.WarmupEpochs > 0 && c.WarmupEpochs < float64(c.Epochs),
			fmt.Sprintf("%s, and less than the %d epochs", negative, c.Epochs)},
		{setting.CheckpointMinutes, c.CheckpointMinutes, c.CheckpointMinutes >= 0 && c.CheckpointMinutes <= million, "between 0 and a million"},
		{setting.Views, c.Views, c.Views >= 0 && c.Views <= MostViews, fmt.Sprintf("between 1 and %d", MostViews)},
		{setting.Folds, c.Folds, c.Folds == 0 || c.Folds >= 2 && c.Folds <= mostFolds, fmt.Sprintf("between 2 and %d", mostFolds)},
		{setting.Precision, c.Precision, c.Precision >= 0 && c.Precision <= 1, "lies in [0, 1]"},
		{setting.Far, c.Far, c.Far >= 0 && c.Far < 1, share},
		{setting.Patience, c.Patience, c.Patience >= 0, negative},
		{setting.Threads, c.Threads, c.Threads >= 0, negative},
		{setting.Workers, c.Workers, c.Workers >= 0, negative},
	} {
		if v, is := n.value.(float64); is && broken(v) {
			return &FieldError{Field: n.field, Value: v, Why: "must be a finite number"}
		}
		if !n.fits {
			return &FieldError{Field: n.field, Value: n.value, Why: n.why}
		}
	}
	return nil
}

func (c *Config) checkAugment() error {
	if c.Mode == Heads && c.Augment != NoAugment && c.Augment != Flip {
		return usagef("heads mode computes the features once, so it knows %v none and flip only", setting.Augment)
	}
	a, err := c.augment()
	if err == nil && a.Mixes() && c.Batch < 2 {
		err = usagef("%v %s mixes the photos of a batch, and %v %d has one", setting.Augment, c.Augment, setting.Batch, c.Batch)
	}
	return err
}

// augment is how training photos vary.
func (c *Config) augment() (photo.Augment, error) {
	a, err := photo.ParseAugment(string(c.Augment))
	if err != nil {
		return a, &FieldError{Field: setting.Augment, Why: err.Error()}
	}
	return a, nil
}

// checkSolver tries what the run will make of the settings.
func (c *Config) checkSolver() error {
	if !stepwise(c) {
		return nil
	}
	if _, err := newRates(c, nil); err != nil {
		return err
	}
	_, err := newSolver(c)
	return err
}
