package train

import (
	"context"
	"fmt"

	"regraft/engine"
	"regraft/engine/session"
	"regraft/engine/solver"
	"regraft/photo"
	"regraft/setting"
)

// fullLearner trains every parameter of the network by backpropagation, with the statistics of the
// batch in BatchNorm.
type fullLearner struct {
	net      *engine.Network
	config   *Config
	sets     *sets
	rates    *rates
	compiled *session.Compiled
	session  *session.Session
	solver   solver.Solver
	loader   *photo.Loader
	targets  targets
	// batch photos make a step, micro of them at a time.
	batch, micro int
	// mixer adds the gradients of parts of a batch to sum, nil where there is one part.
	mixer *solver.Mixer
	sum   []float32
	ema   *average // nil for none
	// freezing says what trains in the epochs; stage is that of the session.
	freezing *freezing
	stage    int
}

// newFull prepares the training from an epoch on, counted from 1.
func newFull(net *engine.Network, c *Config, f *freezing, s *sets, r *rates, events Events, epoch int) (*fullLearner, error) {
	l := &fullLearner{net: net, config: c, freezing: f, sets: s, rates: r}
	if c.TakeValues {
		c.Net.DropValues()
	}
	l.divide()
	l.targets = targets{classes: len(s.classes), smoothing: c.Smoothing, weights: c.classWeights(s.train, len(s.classes))}
	var err error
	if l.solver, err = newSolver(c); err != nil {
		return nil, err
	}
	if err := l.prepare(f.stage(max(c.Epochs, epoch))); err != nil { // when most of it trains
		return nil, err
	}
	memory, err := l.memory()
	if err != nil {
		return nil, err
	}
	events.Needs(memory)
	augment, err := c.augment()
	if err != nil {
		return nil, err
	}
	if augment.Mixes() && l.batch < 2 {
		return nil, usagef("%v %s mixes the photos of a batch, and there is one photo to train", setting.Augment, c.Augment)
	}
	l.loader, err = photo.NewLoader(s.train, *net.Meta.Preprocess, photo.LoaderOptions{
		Batch: l.batch, Workers: c.Workers, Seed: c.Seed, Shuffle: true, Balance: c.Balance == BalanceSampler, Augment: augment, Decode: c.decode(),
		Retry: c.waits.again,
	})
	if err != nil {
		return nil, &DataError{err}
	}
	return l, l.open(f.stage(epoch))
}

// divide settles the sizes of batches and of their parts where there are fewer photos than a batch has.
func (l *fullLearner) divide() {
	l.batch, l.micro = l.config.Batch, l.config.MicroBatch
	photos := len(l.sets.train)
	if l.micro == 0 || photos < l.micro {
		l.batch = min(l.batch, photos)
		l.micro = l.batch
	}
	l.batch = min(l.batch, photos/l.micro*l.micro)
}

// beginMixing prepares sums of gradients and averages of weights, where they are wanted.
func (l *fullLearner) beginMixing() error {
	native, err := session.Native(l.config.Direct)
	if err != nil {
		return err
	}
	threads := session.Threads(l.config.Threads)
	if l.micro < l.batch {
		l.mixer, l.sum = solver.NewMixer(native.ISA, threads), make([]float32, len(l.session.Params()))
	}
	if l.config.EMA > 0 {
		l.ema = newAverage(l.config.EMA, l.session, solver.NewMixer(native.ISA, threads), solver.NewMixer(native.ISA, threads))
	}
	return nil
}

// compile makes the program of steps on so many photos.
func (l *fullLearner) compile(batch int) (*session.Compiled, error) {
	o := engine.ObjectiveOptions{Batch: batch, AuxWeight: float32(l.config.AuxWeight), DropPath: float32(l.config.DropPath)}
	if l.config.Dropout >= 0 {
		ratio := float32(l.config.Dropout)
		o.Dropout = &ratio
	}
	objective, err := engine.NewObjective(l.net, o)
	if err != nil {
		return nil, &ModelError{err}
	}
	native, err := session.Native(l.config.Direct)
	if err != nil {
		return nil, err
	}
	compiled, err := session.Trainer(objective, native)
	if err != nil {
		return nil, &ModelError{err}
	}
	return compiled, nil
}

// steps is the number of full batches in an epoch. The photos left over, others in every epoch, are not
// seen: BatchNorm's statistics of a few photos would be poor.
func (l *fullLearner) steps() int { return len(l.sets.train) / l.batch }

func (l *fullLearner) train(ctx context.Context, epoch int, p *progress, events Events, between func() error) error {
	steps := l.steps()
	if p.Step == steps {
		return nil
	}
	l.compiled.DropTrained(l.net) // those of the last epoch, which were judged
	events.Phase(PhaseTrain, epoch, steps*l.batch)
	events.Advanced(p.Step*l.batch, noLoss)
	// The loader has its own context: the current step ends before the run does.
	for b, err := range l.loader.EpochFrom(context.WithoutCancel(ctx), epoch, p.Step) {
		if err != nil {
			return photoError(ctx, err)
		}
		if p.Step == steps {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.step(b, epoch, p, events); err != nil {
			return err
		}
		if err := between(); err != nil {
			return err
		}
	}
	return nil
}

// judge evaluates the values of this moment, with BatchNorm in inference form.
func (l *fullLearner) judge(ctx context.Context, epoch int, events Events) (judgement, error) {
	l.session.Rest()
	if err := l.store(); err != nil {
		return judgement{}, err
	}
	e, err := Evaluate(ctx, l.net, l.sets.val, l.config.options(), PhaseVal, epoch, events)
	if err != nil {
		return judgement{}, err
	}
	if loss := e.loss(); broken(loss) {
		node, err := l.overflow(ctx)
		if err != nil {
			return judgement{}, err
		}
		return judgement{}, &DivergedError{Epoch: epoch, Step: l.steps(), Loss: loss, Node: node, Validating: true}
	}
	return judgedBy(e), nil
}

// store puts the values of this moment, or their average, into the network.
func (l *fullLearner) store() error {
	if l.ema != nil {
		return l.session.StoreValues(l.net, l.ema.params, l.ema.running)
	}
	return l.session.Store(l.net)
}

// overflow names the first node whose result for a validation photo is infinite or NaN.
func (l *fullLearner) overflow(ctx context.Context) (node string, err error) {
	s, err := inference(l.net, l.config)
	if err != nil {
		return "", err
	}
	defer s.Close()
	err = eachBatch(ctx, l.net, l.sets.val, l.config, 0, func(b *photo.Batch) error {
		if node != "" {
			return nil
		}
		var err error
		node, err = s.Trace(func() error { return s.Infer(b.X, b.N) })
		return err
	})
	return node, err
}

func (l *fullLearner) converged() bool { return false }

func (l *fullLearner) save() []part {
	vectors := [][]float32{l.session.Params(), l.session.Running()}
	if l.ema != nil {
		vectors = append(vectors, l.ema.params, l.ema.running)
	}
	return []part{{Steps: l.solver.Steps(), Float32: append(vectors, l.solver.State()...)}}
}

func (l *fullLearner) restore(parts []part) error {
	values := [][]float32{l.session.Params(), l.session.Running()}
	if l.ema != nil {
		values = append(values, l.ema.params, l.ema.running)
	}
	if len(parts) != 1 || len(parts[0].Float32) < len(values) {
		return fmt.Errorf("the checkpoint is not one of full training")
	}
	v := parts[0].Float32
	for i, to := range values {
		if err := sameLength(v[i:i+1], len(to), 1); err != nil {
			return err
		}
		if !engine.Finite(v[i]) {
			return fmt.Errorf("the checkpoint holds weights that are infinite or undefined")
		}
		copy(to, v[i])
	}
	state := v[len(values):]
	if err := sameLength(state, len(l.session.Params()), 0); err != nil {
		return err
	}
	return l.solver.Restore(state, parts[0].Steps)
}

func (l *fullLearner) close() {
	if l.session != nil {
		l.session.Close()
	}
}
