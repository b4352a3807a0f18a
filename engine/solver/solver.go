// Package solver changes parameters by their gradients: SGD with momentum and Nesterov's, Adam, AdamW
// and RMSprop in PyTorch's and TensorFlow's form, on flat slices, and the schedules of the learning
// rate. Semantics are PyTorch's; the same numbers give the same bits on every machine.
package solver

import (
	"fmt"
	"slices"
	"sync"

	"regraft/engine/kernel"
)

// Solver is an optimizer with its state.
type Solver interface {
	// Step updates params by grads, slices of the same length on every call, with learning rate lr.
	Step(params, grads []float32, lr float32)
	// Divide gives ranges of the parameters rates of their own; what lies in none stays as it is. Without it all follow the same rate.
	Divide(parts []Part)
	// State is what a checkpoint must keep besides Steps: slices as long as the parameters, in a fixed
	// order. They are empty before the first step, and they are the solver's own memory.
	State() [][]float32
	// States is the number of slices that State has after the first step.
	States() int
	// Begin makes the state of n parameters that have seen no step.
	Begin(n int)
	// Steps is the number of steps taken.
	Steps() int
	// Restore continues from a checkpoint's State and Steps; the slices are copied.
	Restore(state [][]float32, steps int) error
	Name() Optimizer
}

// Config holds the settings of all optimizers; each reads its own. See Defaults.
type Config struct {
	Momentum     float64 // sgd, rmsprop, rmsproptf
	Nesterov     bool    // sgd
	WeightDecay  float64 // L2, added to the gradient; adamw: decoupled, p *= 1 - lr*WeightDecay
	Beta1, Beta2 float64 // adam, adamw
	Alpha        float64 // rmsprop, rmsproptf: weight of the old mean of squares
	Epsilon      float64 // adam, adamw, rmsprop: beside the root; rmsproptf: inside it
}

// Part is a range of parameters whose learning rate is Factor times that of the step. It takes part since the step with that number, from
// which Adam's corrections count; 0 for the first.
type Part struct {
	From, To int
	Factor   float64
	Since    int
}

// method is one row of the table of optimizers.
type method struct {
	defaults  Config
	rule      func(c Config) *kernel.Rule
	constants func(c Config, lr float64, step int) kernel.Constants
	ones      bool // the first state starts at one, not zero
}

func always(r *kernel.Rule) func(Config) *kernel.Rule { return func(Config) *kernel.Rule { return r } }

// Optimizer is the name of a rule by which parameters follow their gradients.
type Optimizer string

// The optimizers.
const (
	SGD Optimizer = "sgd"
	// Adam is Kingma and Ba's, Adam: A Method for Stochastic Optimization (2015).
	Adam Optimizer = "adam"
	// AdamW is Loshchilov and Hutter's, Decoupled Weight Decay Regularization (2019).
	AdamW   Optimizer = "adamw"
	RMSprop Optimizer = "rmsprop"
	// RMSpropTF is TensorFlow's RMSProp as timm and the Inception papers use it: epsilon inside the root, the mean of
	// squares starts at one, the learning rate enters the momentum buffer.
	RMSpropTF Optimizer = "rmsproptf"
)

var methods = map[Optimizer]method{
	SGD: {
		defaults:  Config{Momentum: 0.9},
		rule:      sgdRule,
		constants: sgdConstants,
	},
	Adam: {
		defaults:  Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8},
		rule:      always(kernel.Adam),
		constants: adamConstants,
	},
	AdamW: {
		defaults:  Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01},
		rule:      always(kernel.Adam),
		constants: adamWConstants,
	},
	RMSprop: {
		defaults:  Config{Alpha: 0.99, Epsilon: 1e-8},
		rule:      always(kernel.RMSprop),
		constants: rmspropConstants,
	},
	RMSpropTF: {
		defaults:  Config{Alpha: 0.9, Momentum: 0.9, Epsilon: 1e-10},
		rule:      always(kernel.RMSpropTF),
		constants: rmspropConstants,
		ones:      true,
	},
}

// Names lists the optimizers.
func Names() []Optimizer { return []Optimizer{SGD, Adam, AdamW, RMSprop, RMSpropTF} }

// Defaults are PyTorch's settings of the named optimizer (rmsproptf: timm's), but for sgd's momentum
// of 0.9.
func Defaults(name Optimizer) (Config, error) {
	m, ok := methods[name]
	if !ok {
		return Config{}, fmt.Errorf("unknown optimizer %q: choose one of %v", name, Names())
	}
	return m.defaults, nil
}

// New makes the named optimizer. It works with the instructions of isa on so many threads.
func New(name Optimizer, c Config, isa *kernel.Set, threads int) (Solver, error) {
	if _, err := Defaults(name); err != nil {
		return nil, err
	}
	if err := c.check(name); err != nil {
		return nil, err
	}
	m := methods[name]
	return &flat{name: name, config: c, method: m, rule: m.rule(c), isa: isa, threads: threads}, nil
}

// check reports the first setting of the named optimizer that lies outside its range.
func (c Config) check(name Optimizer) error {
	var adaptive, adam, squares bool
	switch name {
	case Adam, AdamW:
		adaptive, adam = true, true
	case RMSprop, RMSpropTF:
		adaptive, squares = true, true
	}
	fraction := func(v float64) bool { return v >= 0 && v < 1 }
	for _, rule := range []struct {
		used, ok bool
		setting  string
		value    float64
		want     string
	}{
		{true, c.WeightDecay >= 0 && c.WeightDecay < 1e6, "weight decay", c.WeightDecay, "at least 0"},
		{!adam, fraction(c.Momentum), "momentum", c.Momentum, "in [0, 1)"},
		{name == SGD && c.Nesterov, c.Momentum > 0, "momentum", c.Momentum, "above 0 for Nesterov"},
		{adam, fraction(c.Beta1), "beta1", c.Beta1, "in [0, 1)"},
		{adam, fraction(c.Beta2), "beta2", c.Beta2, "in [0, 1)"},
		{squares, fraction(c.Alpha), "alpha", c.Alpha, "in [0, 1)"},
		{adaptive, c.Epsilon >= 1e-30 && c.Epsilon < 1e6, "epsilon", c.Epsilon, "above 0 (at least 1e-30)"},
	} {
		if rule.used && !rule.ok {
			return fmt.Errorf("optimizer %s: %s is %g, must be %s", name, rule.setting, rule.value, rule.want)
		}
	}
	return nil
}

// flat runs a rule over flat slices.
type flat struct {
	name    Optimizer
	config  Config
	method  method
	rule    *kernel.Rule
	isa     *kernel.Set
	threads int
	state   [][]float32
	steps   int

	// The current step. The parts are prepared once, so that a step allocates nothing.
	parts         []func()
	running       sync.WaitGroup
	params, grads []float32
	divided       []Part             // nil until the first step where nobody divides
	constants     []kernel.Constants // of every part
}

func (s *flat) Begin(n int) { s.state, s.steps, s.parts = s.fresh(n), 0, nil }

func (s *flat) Divide(parts []Part) { s.divided, s.parts = slices.Clone(parts), nil }

func (s *flat) Name() Optimizer    { return s.name }
func (s *flat) States() int        { return s.rule.States }
func (s *flat) Steps() int         { return s.steps }
func (s *flat) State() [][]float32 { return s.state }

func (s *flat) Step(params, grads []float32, lr float32) {
	if s.state == nil {
		s.state = s.fresh(len(params))
	}
	if s.parts == nil {
		s.prepare(len(params))
	}
	s.steps++
	for i, p := range s.divided {
		s.constants[i] = s.method.constants(s.config, float64(lr)*p.Factor, s.steps-p.Since)
	}
	s.params, s.grads = params, grads
	if len(s.parts) == 0 {
		return
	}
	s.running.Add(len(s.parts))
	for _, part := range s.parts[1:] {
		go part()
	}
	s.parts[0]()
	s.running.Wait()
	s.params, s.grads = nil, nil
}

// prepare divides the work on n parameters.
func (s *flat) prepare(n int) {
	if s.divided == nil {
		s.divided = []Part{{To: n, Factor: 1}}
	}
	s.constants = make([]kernel.Constants, len(s.divided))
	for i, d := range s.divided {
		s.share(i, d)
	}
}

// share divides the work on a part.
func (s *flat) share(i int, d Part) {
	for _, r := range shares(d.To-d.From, s.threads) {
		r.from, r.to = r.from+d.From, r.to+d.From
		state := make([][]float32, len(s.state))
		for i, v := range s.state {
			state[i] = v[r.from:r.to]
		}
		w := kernel.NewWorker(0)
		s.parts = append(s.parts, func() {
			s.rule.Apply(w, s.isa, s.constants[i], s.params[r.from:r.to], s.grads[r.from:r.to], state...)
			s.running.Done()
		})
	}
}

// share is a range of parameters.
type share struct{ from, to int }

// shares divides n parameters among the threads, where there are enough to be worth a goroutine.
// The bits do not depend on it: every parameter is updated on its own.
func shares(n, threads int) (list []share) {
	const worth = 1 << 18
	workers := max(1, min(threads, n/worth))
	for i := range workers {
		list = append(list, share{n * i / workers, n * (i + 1) / workers})
	}
	return list
}

func (s *flat) fresh(n int) [][]float32 {
	state := make([][]float32, s.rule.States)
	for i := range state {
		state[i] = make([]float32, n)
	}
	if s.method.ones {
		for i := range state[0] {
			state[0][i] = 1
		}
	}
	return state
}

func (s *flat) Restore(state [][]float32, steps int) error {
	if steps < 0 {
		return fmt.Errorf("optimizer %s: checkpoint after %d steps", s.name, steps)
	}
	if len(state) == 0 && steps == 0 {
		s.state, s.steps, s.parts = nil, 0, nil
		return nil
	}
	if len(state) != s.rule.States {
		return fmt.Errorf("optimizer %s keeps %d slices of state, the checkpoint has %d", s.name, s.rule.States, len(state))
	}
	own := make([][]float32, len(state))
	for i, v := range state {
		if len(v) != len(state[0]) {
			return fmt.Errorf("optimizer %s: slices of state of %d and %d numbers in the checkpoint", s.name, len(state[0]), len(v))
		}
		own[i] = slices.Clone(v)
	}
	s.state, s.steps, s.parts = own, steps, nil
	return nil
}

func sgdRule(c Config) *kernel.Rule {
	switch {
	case c.Momentum == 0:
		return kernel.SGD
	case c.Nesterov:
		return kernel.Nesterov
	}
	return kernel.Momentum
}

func sgdConstants(c Config, lr float64, _ int) kernel.Constants {
	return kernel.Constants{Rate: float32(lr), Decay: float32(c.WeightDecay), Momentum: float32(c.Momentum)}
}

// adamConstants are Adam's of the given step, counted from 1.
func adamConstants(c Config, lr float64, step int) kernel.Constants {
	return kernel.Constants{
		Rate:    float32(lr / (1 - power(c.Beta1, step))),
		Decay:   float32(c.WeightDecay),
		Keep:    1,
		Gain:    float32(1 - c.Beta1),
		Beta:    float32(c.Beta2),
		GainSq:  float32(1 - c.Beta2),
		Root:    sqrt32(1 - power(c.Beta2, step)),
		Epsilon: float32(c.Epsilon),
	}
}

func adamWConstants(c Config, lr float64, step int) kernel.Constants {
	k := adamConstants(c, lr, step)
	k.Keep, k.Decay = float32(1-float64(lr*c.WeightDecay)), 0
	return k
}

func rmspropConstants(c Config, lr float64, _ int) kernel.Constants {
	return kernel.Constants{
		Rate:     float32(lr),
		Decay:    float32(c.WeightDecay),
		Momentum: float32(c.Momentum),
		Beta:     float32(c.Alpha),
		GainSq:   float32(1 - c.Alpha),
		Epsilon:  float32(c.Epsilon),
	}
}
