package measure

import (
	"regraft/engine"
	"regraft/engine/session"
	"regraft/engine/solver"
	"regraft/train"
)

// auxWeight is the weight of auxiliary losses in training that is measured: as train has it.
var auxWeight = float32(train.Defaults(train.Full, "").AuxWeight)

// Stepper makes training steps on prepared input, for measurements: all parameters, loss main +
// 0.4 auxiliary, SGD with momentum. It is not safe for concurrent use.
type Stepper struct {
	session *session.Session
	solver  solver.Solver
}

// NewStepper prepares steps of so many images. It takes the parameters over: their values are gone from the network.
func (m *Model) NewStepper(images int) (*Stepper, error) {
	c, err := m.TrainingPlan(images)
	if err != nil {
		return nil, err
	}
	sgd, err := solver.New(solver.SGD, solver.Config{Momentum: 0.9}, c.ISA, session.Threads(m.Threads))
	if err != nil {
		return nil, err
	}
	s, err := c.New(m.Threads)
	if err != nil {
		return nil, err
	}
	c.DropTrained(m.net)
	return &Stepper{s, sgd}, nil
}

// Step trains on x (images, C, H, W) and the class ids labels (images), and returns the loss.
func (s *Stepper) Step(x, labels []float32) (float32, error) {
	const rate = 1e-4 // small: the input of a measurement is noise
	if err := s.session.Step(x, labels, 0); err != nil {
		return 0, err
	}
	s.solver.Step(s.session.Params(), s.session.Grads(), rate)
	return s.session.Losses()[0], nil
}

// Close releases the memory.
func (s *Stepper) Close() error { return s.session.Close() }

// TrainingOutputs runs prepared input through the whole network in training form, BatchNorm with
// the statistics of these images and Dropout off, and returns all outputs as the file has them.
func (m *Model) TrainingOutputs(x []float32, images int) ([]Matrix, error) {
	if err := session.Fits(m.net, x, images); err != nil {
		return nil, err
	}
	c, err := m.trainer(engine.ObjectiveOptions{Batch: images, Dropout: new(float32)}, m.Direct)
	if err != nil {
		return nil, err
	}
	s, err := c.New(m.Threads)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.Step(x, make([]float32, images), 0); err != nil {
		return nil, err
	}
	outputs := make([]Matrix, len(c.Outputs))
	for i, v := range c.Outputs {
		outputs[i] = Matrix{Name: v.Name, Rows: images, Cols: v.Cols, Values: s.Output(i)}
	}
	return outputs, nil
}

// trainer compiles the network for training.
func (m *Model) trainer(o engine.ObjectiveOptions, direct bool) (*session.Compiled, error) {
	native, err := session.Native(direct)
	if err != nil {
		return nil, err
	}
	objective, err := engine.NewObjective(m.net, o)
	if err != nil {
		return nil, err
	}
	return session.Trainer(objective, native)
}
