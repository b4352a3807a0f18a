package train

import (
	"maps"
	"slices"

	"regraft/engine"
	"regraft/onnx"
)

// keepBest writes best.onnx when the best epoch is not in it yet.
func (r *training) keepBest() error {
	if r.bestParams == nil {
		return nil
	}
	best := *r.net
	best.Params = make([]*engine.Param, len(r.net.Params))
	var classifier []*engine.Param
	for i, p := range r.net.Params {
		c := *p
		c.Value = r.bestParams[p.Name]
		best.Params[i] = &c
		if r.decisions != nil && (p == r.heads[0].Weight || p == r.heads[0].Bias) {
			classifier = append(classifier, &c)
		}
	}
	best.Meta.History = slices.Clone(r.history)
	best.Meta.Other = maps.Clone(best.Meta.Other)
	for _, key := range []string{decisionsKey, distanceKey} { // of the model that this one began as
		delete(best.Meta.Other, key)
	}
	for _, e := range r.epochs[:r.best+1] {
		best.Meta.History = append(best.Meta.History, e.Epoch)
	}
	if r.decisions != nil {
		if err := r.decisions.into(&best, classifier...); err != nil {
			return err
		}
	}
	if r.distance != nil {
		if err := r.distance.into(&best); err != nil {
			return err
		}
	}
	if err := onnx.Write(r.out.name(BestFile), &best); err != nil {
		return err
	}
	r.bestParams = nil
	return nil
}

// readBest reads what keepBest has written.
func (r *training) readBest() (*engine.Network, error) {
	best, _, err := onnx.Read(r.out.name(BestFile), onnx.ReadOptions{})
	return best, err
}

// better says whether e is a better epoch than the best so far: more photos right, or as many with less loss.
func (r *training) better(e engine.Epoch) bool {
	if r.best < 0 || r.sets.selection == SetFolds { // which have chosen the number of epochs
		return true
	}
	b := r.epochs[r.best]
	return e.ValAcc > b.ValAcc || e.ValAcc == b.ValAcc && e.ValLoss < b.ValLoss
}
