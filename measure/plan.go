package measure

import (
	"regraft/engine"
	"regraft/engine/session"
)

// Plan is the program that answers for so many images at a time.
func (m *Model) Plan(images int) (*session.Compiled, error) {
	net, err := m.classifier()
	if err != nil {
		return nil, err
	}
	return session.ForInference(net, images, m.Direct)
}

// TrainingPlan is the program of a training step on so many images.
func (m *Model) TrainingPlan(images int) (*session.Compiled, error) {
	return m.trainer(engine.ObjectiveOptions{Batch: images, AuxWeight: auxWeight}, m.Direct)
}

// PlanAfter prints the network as the planner of that program has it behind one of its passes.
func (m *Model) PlanAfter(images int, pass string) (string, error) {
	net, err := m.classifier()
	if err != nil {
		return "", err
	}
	if net, err = net.WithBatch(images); err != nil {
		return "", err
	}
	native, err := session.Native(m.Direct)
	if err != nil {
		return "", err
	}
	return session.After(net, native, pass)
}

// Passes names the planner's passes, in their order.
func Passes() []string { return session.Passes() }
