package train

import (
	"context"
	"fmt"
	"slices"

	"regraft/engine"
	"regraft/engine/random"
	"regraft/engine/session"
	"regraft/engine/solver"
	"regraft/photo"
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
	batch    int
}

func newFull(net *engine.Network, c *Config, s *sets, r *rates, events Events) (*fullLearner, error) {
	l := &fullLearner{net: net, config: c, sets: s, rates: r, batch: min(c.Batch, len(s.train))}
	var err error
	if l.solver, err = newSolver(c); err != nil {
		return nil, err
	}
	if l.compiled, err = l.compile(l.batch); err != nil {
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
	l.loader, err = photo.NewLoader(s.train, *net.Meta.Preprocess, photo.LoaderOptions{
		Batch: l.batch, Workers: c.Workers, Seed: c.Seed, Shuffle: true, Augment: augment, Decode: c.decode(),
		Retry: c.waits.again,
	})
	if err != nil {
		return nil, &DataError{err}
	}
	l.session, err = l.compiled.New(c.Threads)
	return l, err
}

// compile makes the program of steps on so many photos.
func (l *fullLearner) compile(batch int) (*session.Compiled, error) {
	o := engine.ObjectiveOptions{Batch: batch, AuxWeight: float32(l.config.AuxWeight), Smoothing: float32(l.config.Smoothing)}
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

// step is forward, backward and the solver's update for a batch.
func (l *fullLearner) step(b *photo.Batch, epoch int, p *progress, events Events) error {
	key := random.At(l.config.Seed, "dropout", uint64(epoch), uint64(p.Step)).Uint64()
	if err := l.session.Step(b.X, b.Labels, key); err != nil {
		return err
	}
	losses := l.session.Losses()
	diverged := &DivergedError{Epoch: epoch, Step: p.Step + 1, Loss: float64(losses[0])}
	if broken(diverged.Loss) || !l.session.FiniteGrads() {
		var err error
		diverged.Node, err = l.session.Trace(func() error { return l.session.Step(b.X, b.Labels, key) })
		if err != nil {
			return err
		}
		return diverged
	}
	clip(l.session.Grads(), l.config.ClipNorm)
	p.LR = l.rates.at(epoch, p.Step, l.steps())
	l.solver.Step(l.session.Params(), l.session.Grads(), float32(p.LR))
	if name, damaged := l.session.Damaged(); damaged {
		diverged.Weights = name
		return diverged
	}

	logits, correct := l.session.Output(0), 0
	classes := len(logits) / l.batch
	for i, s := range b.Samples {
		if argmax(logits[i*classes:(i+1)*classes]) == s.Label {
			correct++
		}
	}
	p.add(b.N, correct, float64(losses[1]))
	events.Advanced(b.N, float64(losses[1]))
	return nil
}

// judge evaluates the values of this moment, with BatchNorm in inference form.
func (l *fullLearner) judge(ctx context.Context, epoch int, events Events) (judgement, error) {
	if err := l.session.Store(l.net); err != nil {
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
	return []part{{Steps: l.solver.Steps(), Float32: append(vectors, l.solver.State()...)}}
}

func (l *fullLearner) restore(parts []part) error {
	if len(parts) != 1 || len(parts[0].Float32) < 2 {
		return fmt.Errorf("the checkpoint is not one of full training")
	}
	v := parts[0].Float32
	if err := sameLength(slices.Concat(v[:1], v[2:]), len(l.session.Params()), 1); err != nil {
		return err
	}
	if err := sameLength(v[1:2], len(l.session.Running()), 1); err != nil {
		return err
	}
	copy(l.session.Params(), v[0])
	copy(l.session.Running(), v[1])
	if name, damaged := l.session.Damaged(); damaged {
		return fmt.Errorf("%s holds infinite or undefined numbers in the checkpoint", name)
	}
	return l.solver.Restore(v[2:], parts[0].Steps)
}

func (l *fullLearner) close() {
	if l.session != nil {
		l.session.Close()
	}
}
