package train

import (
	"regraft/engine/random"
	"regraft/photo"
)

// step is forward, backward and the solver's update for a batch.
func (l *fullLearner) step(b *photo.Batch, epoch int, p *progress, events Events) error {
	if stage := l.freezing.stage(epoch); stage != l.stage {
		if err := l.thaw(stage); err != nil {
			return err
		}
	}
	gradients, correct, loss, err := l.backward(b, epoch, p)
	if err != nil {
		return err
	}
	clip(gradients, l.config.ClipNorm)
	p.LR = l.rates.at(epoch, p.Step, l.steps())
	if err := l.rates.tell(p.LR, loss); err != nil {
		return err
	}
	l.solver.Step(l.session.Params(), gradients, float32(p.LR))
	if name, damaged := l.session.Damaged(); damaged {
		return &DivergedError{Epoch: epoch, Step: p.Step + 1, Loss: loss, Weights: name}
	}
	if l.ema != nil {
		l.ema.follow(l.session, l.solver.Steps())
	}
	p.add(b.N, correct, loss)
	events.Advanced(b.N, loss)
	return nil
}

// backward computes the gradients of the mean loss of a batch, its parts one after the other, and tells how many photos the main head has
// right and its loss.
func (l *fullLearner) backward(b *photo.Batch, epoch int, p *progress) (gradients []float32, correct int, loss float64, err error) {
	values := len(b.X) / b.N
	targets := l.targets.of(b)
	parts := l.batch / l.micro
	clear(l.sum)
	for k := range parts {
		first := k * l.micro
		x, t := b.X[first*values:][:l.micro*values], targets[first*l.targets.classes:][:l.micro*l.targets.classes]
		run := func() error { return l.session.StepTo(x, t, l.dropoutKey(epoch, p.Step, k)) }
		if err := run(); err != nil {
			return nil, 0, 0, err
		}
		losses := l.session.Losses()
		if total := float64(losses[0]); broken(total) || !l.session.FiniteGrads() {
			node, err := l.session.Trace(run)
			if err != nil {
				return nil, 0, 0, err
			}
			return nil, 0, 0, &DivergedError{Epoch: epoch, Step: p.Step + 1, Loss: total, Node: node}
		}
		loss += float64(losses[1]) / float64(parts)
		correct += l.correct(b, first)
		if l.mixer != nil {
			l.mixer.Add(l.sum, l.session.Grads(), 1/float32(parts))
		}
	}
	if l.mixer != nil {
		return l.sum, correct, loss, nil
	}
	return l.session.Grads(), correct, loss, nil
}

// dropoutKey decides what Dropout keeps in a part of a step.
func (l *fullLearner) dropoutKey(epoch, step, part int) uint64 {
	at := []uint64{uint64(epoch), uint64(step)}
	if l.micro < l.batch {
		at = append(at, uint64(part))
	}
	return random.At(l.config.Seed, "dropout", at...).Uint64()
}

// correct counts the photos of the last run, those of a batch from the first on, whose label the main head says: of mixed ones that of the
// larger part.
func (l *fullLearner) correct(b *photo.Batch, first int) int {
	logits, correct := l.session.Output(0), 0
	classes := len(logits) / l.micro
	for i := range l.micro {
		if argmax(logits[i*classes:(i+1)*classes]) == b.Class(first+i) {
			correct++
		}
	}
	return correct
}
