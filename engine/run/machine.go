// Package run executes programs: memory, workers, and the loop over steps.
package run

import (
	"errors"
	"fmt"
	"math"
	"time"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
	"regraft/engine/plan"
)

// Machine is memory and workers for one program. It is not safe for concurrent use; any number of
// machines may run one program.
type Machine struct {
	program   *plan.Program
	constants *Constants // nil until they are taken
	arenas    [plan.Spaces]*kernel.Arena
	base      [plan.Spaces]uintptr
	args      []kernel.Args
	patches   []patch
	scratch   *kernel.Arena // of the workers
	pool      *pool
	outputs   [][]float32
	losses    []float32
	targets   []float32
	key       [4]float32
	times     []time.Duration // of every step, when asked for
	// look sees every step when it is done, and ends the run where it returns false; usually nil.
	look func(*plan.Step) bool
}

// patch is an operand whose address is the caller's.
type patch struct {
	step, operand int
	ref           plan.Ref
}

// New reserves the program's memory, packs its constants and parameters and starts the workers.
func New(p *plan.Program, threads int) (*Machine, error) {
	return NewSharing(new(Constants), p, threads)
}

// NewSharing is New for one of several machines with the same constants.
func NewSharing(c *Constants, p *plan.Program, threads int) (*Machine, error) {
	m := &Machine{program: p, targets: make([]float32, p.Batch*p.Outputs[0].Cols)}
	if err := m.prepare(c, max(threads, 1)); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (m *Machine) prepare(c *Constants, threads int) error {
	var err error
	for s := plan.Arena; s <= plan.Stats; s++ {
		if s == plan.Const {
			continue
		}
		if m.arenas[s], err = reserve(m.program, s); err != nil {
			return err
		}
	}
	for _, o := range m.program.Outputs {
		m.outputs = append(m.outputs, make([]float32, o.Rows*o.Cols))
	}
	workers, err := m.workers(threads)
	if err != nil {
		return err
	}
	m.pool = newPool(workers)
	if m.arenas[plan.Const], err = c.take(m.program, m.pool); err != nil {
		return err
	}
	m.constants = c
	if err := errors.Join(m.load(plan.Param, m.program.Params), m.load(plan.Stats, m.program.Running)); err != nil {
		return err
	}
	m.bind()
	return nil
}

// reserve makes the memory of a space.
func reserve(p *plan.Program, s plan.Space) (*kernel.Arena, error) {
	a, err := kernel.NewArena(p.Size[s])
	if err != nil {
		return nil, fmt.Errorf("memory for %s: %w; a smaller batch needs less", s, err)
	}
	return a, nil
}

// workers makes what the threads bring along. Their scratch is arena memory, for its huge pages.
func (m *Machine) workers(threads int) ([]*kernel.Worker, error) {
	room := (m.program.Scratch + 63) / 64 * 64 // whole cache lines apart
	scratch, err := kernel.NewArena(4 * room * threads)
	if err != nil {
		return nil, fmt.Errorf("scratch memory for %d threads: %w", threads, err)
	}
	m.scratch = scratch
	workers := make([]*kernel.Worker, threads)
	for k := range workers {
		workers[k] = kernel.NewWorker(0)
		workers[k].Threads = threads
		workers[k].Scratch = scratch.Floats(k*room, m.program.Scratch)
	}
	return workers, nil
}

// load packs parameters or running statistics, in parallel.
func (m *Machine) load(space plan.Space, slots []plan.Slot) error {
	for _, s := range slots {
		if len(s.Param.Value) != s.Param.Shape.TotalSize() {
			return fmt.Errorf("parameter %q has no values", s.Param.Name)
		}
	}
	m.pool.run(len(slots), func(_ *kernel.Worker, k int) {
		s := slots[k]
		s.Pack(m.arenas[space].Floats(s.Off/4, s.Len), s.Param.Value)
	})
	return nil
}

// bind turns the operands of every step into addresses.
func (m *Machine) bind() {
	for s, a := range m.arenas {
		if a != nil {
			m.base[s] = a.Address(0)
		}
	}
	m.args = make([]kernel.Args, len(m.program.Steps))
	for k, s := range m.program.Steps {
		for j, r := range s.Refs {
			if r.Space >= plan.Input {
				m.patches = append(m.patches, patch{k, j, r})
				continue
			}
			if r.Space != plan.None {
				m.args[k].Operand[j] = m.base[r.Space] + uintptr(r.Off)
			}
		}
	}
}

// Close stops the workers and returns the memory. Slices that the machine gave out must not be
// used afterwards.
func (m *Machine) Close() error {
	if m.pool != nil {
		m.pool.close()
	}
	var errs []error
	if m.constants != nil {
		errs = append(errs, m.constants.drop())
		m.constants, m.arenas[plan.Const] = nil, nil
	}
	for _, a := range append(m.arenas[:], m.scratch) {
		if a != nil {
			errs = append(errs, a.Close())
		}
	}
	return errors.Join(errs...)
}

// Rest gives the memory of activations and gradients back to the system until the next run; what the last run has left there is gone.
func (m *Machine) Rest() {
	m.arenas[plan.Arena].Discard()
	m.arenas[plan.Grad].Discard()
}

// Infer runs the program on images: row-major (images, C, H, W), at most the program's batch.
func (m *Machine) Infer(x []float32, images int) error {
	if err := m.check(x, images); err != nil {
		return err
	}
	m.base[plan.Input] = kernel.Address(x)
	m.execute(images)
	return nil
}

func (m *Machine) check(x []float32, images int) error {
	p := m.program
	if images < 1 || images > p.Batch {
		return fmt.Errorf("%d images: the program takes 1 to %d", images, p.Batch)
	}
	if want := images * p.Image[0] * p.Image[1] * p.Image[2]; len(x) != want {
		return fmt.Errorf("%d values for %d images of %v: want %d", len(x), images, p.Image, want)
	}
	return nil
}

// Step computes losses and gradients of a full batch and updates the running statistics. labels
// are class ids; key decides what Dropout keeps.
func (m *Machine) Step(x, labels []float32, key uint64) error {
	if len(labels) != m.program.Batch {
		return fmt.Errorf("%d labels for a batch of %d", len(labels), m.program.Batch)
	}
	classes := m.program.Outputs[0].Cols
	clear(m.targets)
	for i, l := range labels {
		if l < 0 || int(l) >= classes || l != float32(int(l)) {
			return fmt.Errorf("label %g: the network has classes 0 to %d", l, classes-1)
		}
		m.targets[i*classes+int(l)] = 1
	}
	return m.step(x, key)
}

// StepTo is Step with targets (batch, classes) in place of labels: how much every class counts in the loss of an image.
func (m *Machine) StepTo(x, targets []float32, key uint64) error {
	if len(targets) != len(m.targets) {
		return fmt.Errorf("%d targets for a batch of %d", len(targets), m.program.Batch)
	}
	for _, t := range targets {
		if !(t >= 0 && t <= math.MaxFloat32) {
			return fmt.Errorf("target %g: must be a number that is not negative", t)
		}
	}
	copy(m.targets, targets)
	return m.step(x, key)
}

// step runs the program on m.targets.
func (m *Machine) step(x []float32, key uint64) error {
	if err := m.check(x, m.program.Batch); err != nil {
		return err
	}
	m.key = op.SplitKey(key)
	m.base[plan.Input], m.base[plan.Targets], m.base[plan.Key] = kernel.Address(x), kernel.Address(m.targets), kernel.Address(m.key[:])
	m.execute(m.program.Batch)
	return nil
}

// execute runs all steps.
func (m *Machine) execute(images int) {
	for _, p := range m.patches {
		m.args[p.step].Operand[p.operand] = m.base[p.ref.Space] + uintptr(p.ref.Off)
	}
	for k := range m.program.Steps {
		s := &m.program.Steps[k]
		a := &m.args[k]
		a.Images = images
		if s.Images > 0 {
			a.Images = s.Images
		}
		if m.times == nil {
			m.pool.step(s.Prim, a, s.Serial)
		} else {
			start := time.Now()
			m.pool.step(s.Prim, a, s.Serial)
			m.times[k] = time.Since(start)
		}
		if m.look != nil && !m.look(s) {
			return
		}
	}
}

// Times makes every further run measure its steps; the slice that it returns has one entry per step
// of the program and is overwritten by each run.
func (m *Machine) Times() []time.Duration {
	if m.times == nil {
		m.times = make([]time.Duration, len(m.program.Steps))
	}
	return m.times
}

// Output is output k of the last run, row-major (batch, classes); rows past the images of the run
// mean nothing. It is valid until the next call.
func (m *Machine) Output(k int) []float32 {
	v := m.program.Outputs[k]
	src := m.arenas[v.Ref.Space].Floats(v.Ref.Off/4, (m.program.Size[v.Ref.Space]-v.Ref.Off)/4)
	v.Layout.Unpack(m.outputs[k], src, v.Rows)
	return m.outputs[k]
}

// Losses of the last step: the total first, then the mean loss of each output.
func (m *Machine) Losses() []float32 {
	m.losses = append(m.losses[:0], 0)
	for k, r := range m.program.Losses {
		mean := kernel.Floats(m.base[r.Space]+uintptr(r.Off), 1)[0]
		m.losses = append(m.losses, mean)
		m.losses[0] += float32(m.program.LossWeights[k] * mean)
	}
	return m.losses
}

// Params are the trainable parameters in the program's order and layout. The caller may change
// them between steps.
func (m *Machine) Params() []float32 {
	return m.arenas[plan.Param].Floats(0, m.program.Size[plan.Param]/4)
}

// Grads are the gradients of the last step, laid out as Params.
func (m *Machine) Grads() []float32 {
	return m.arenas[plan.Grad].Floats(0, m.program.Size[plan.Grad]/4)
}

// Running are the running statistics.
func (m *Machine) Running() []float32 {
	return m.arenas[plan.Stats].Floats(0, m.program.Size[plan.Stats]/4)
}

// Gradients returns the gradients of the last step by parameter name, in plain row-major order.
func (m *Machine) Gradients() map[string][]float32 { return plan.ByName(m.program.Params, m.Grads()) }

// Parameters returns the trainable parameters by name, in plain row-major order.
func (m *Machine) Parameters() map[string][]float32 { return plan.ByName(m.program.Params, m.Params()) }

// RunningStatistics returns the running statistics by parameter name.
func (m *Machine) RunningStatistics() map[string][]float32 {
	return plan.ByName(m.program.Running, m.Running())
}

// Store copies the trained parameters and running statistics into net, by name.
func (m *Machine) Store(net *engine.Network) error {
	return m.StoreValues(net, m.Params(), m.Running())
}

// StoreValues is Store of values that lie as Params and Running do.
func (m *Machine) StoreValues(net *engine.Network, params, running []float32) error {
	for _, values := range []map[string][]float32{plan.ByName(m.program.Params, params), plan.ByName(m.program.Running, running)} {
		for name, v := range values {
			p, err := net.Param(name)
			if err != nil {
				return err
			}
			p.Value = v
		}
	}
	return nil
}
