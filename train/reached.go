package train

import "context"

// Reached is which photos of the validation set the main head has right, and which it could.
type Reached struct{ did, could []bool }

// reach solves the main head anew by L-BFGS, with the middle weight decay, on the features that an optimizer with steps learned from;
// nil where none did.
func (r *training) reach(ctx context.Context) (*Reached, error) {
	l, is := r.learner.(*headsLearner)
	if !is || !stepwise(&r.config) {
		return nil, nil
	}
	did, err := r.unseen(ctx)
	if err != nil {
		return nil, err
	}
	s := l.solvers[0]
	products, err := newProducts(s.train, s.head.Classes)
	if err != nil {
		return nil, err
	}
	other := &headSolver{head: s.head, train: s.train, val: s.val, standard: s.standard, softmax: s.softmax, products: products}
	other.solve(decays[middleDecay], s.train.photos())
	for range trialSteps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !other.lbfgs.step() {
			break
		}
	}
	could := &Evaluation{Samples: l.sets.val, Classes: s.head.Classes, Logits: s.softmax.predict(s.val, other.w)}
	return &Reached{did.right(), could.right()}, nil
}

// right says of every photo whether its answer is.
func (e *Evaluation) right() []bool {
	var all []bool
	for i, s := range e.Samples {
		all = append(all, argmax(e.row(i)) == s.Label)
	}
	return all
}
