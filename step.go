package regraft

import (
	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/engine/run"
	"regraft/engine/solver"
)

// Stepper makes training steps on prepared input, for measurements: all parameters, loss main +
// 0.4 auxiliary, SGD with momentum. It works on a copy of the model's parameters and is not safe
// for concurrent use.
type Stepper struct {
	machine *run.Machine
	solver  solver.Solver
}

// NewStepper prepares steps of so many images.
func (m *Model) NewStepper(images int) (*Stepper, error) {
	machine, _, err := m.trainer(engine.ObjectiveOptions{Batch: images, AuxWeight: 0.4})
	if err != nil {
		return nil, err
	}
	s, err := solver.New("sgd", solver.Config{Momentum: 0.9})
	if err != nil {
		return nil, err
	}
	return &Stepper{machine, s}, nil
}

// Step trains on x (images, C, H, W) and the class ids labels (images), and returns the loss.
func (s *Stepper) Step(x, labels []float32) (float32, error) {
	const rate = 1e-4 // small: the input of a measurement is noise
	if err := s.machine.Step(x, labels, 0); err != nil {
		return 0, err
	}
	s.solver.Step(s.machine.Params(), s.machine.Grads(), rate)
	return s.machine.Losses()[0], nil
}

// Close releases the memory.
func (s *Stepper) Close() error { return s.machine.Close() }

// TrainingOutputs runs prepared input through the whole network in training form, BatchNorm with
// the statistics of these images and Dropout off, and returns all outputs as the file has them.
func (m *Model) TrainingOutputs(x []float32, images int) ([]Matrix, error) {
	if err := fits(m.Network(), x, images); err != nil {
		return nil, err
	}
	machine, p, err := m.trainer(engine.ObjectiveOptions{Batch: images, Dropout: new(float32)})
	if err != nil {
		return nil, err
	}
	defer machine.Close()
	if err := machine.Step(x, make([]float32, images), 0); err != nil {
		return nil, err
	}
	outputs := make([]Matrix, len(p.Outputs))
	for i, v := range p.Outputs {
		outputs[i] = Matrix{v.Name, images, v.Cols, machine.Output(i)}
	}
	return outputs, nil
}

// trainer compiles the network for training and starts a machine for it.
func (m *Model) trainer(o engine.ObjectiveOptions) (*run.Machine, *plan.Program, error) {
	isa, err := kernel.Detect()
	if err != nil {
		return nil, nil, err
	}
	obj, err := engine.NewObjective(m.Network(), o)
	if err != nil {
		return nil, nil, err
	}
	p, err := plan.Training(obj, plan.Options{ISA: isa, Direct: m.options.direct})
	if err != nil {
		return nil, nil, err
	}
	machine, err := run.New(p, m.options.threads)
	return machine, p, err
}
