package solver

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine/kernel"
	"regraft/golden"
)

// reference is optimizers.json: five optimizers of PyTorch on 16 numbers with ten gradients.
type reference struct {
	Start     []float32   `json:"start"`
	Gradients [][]float32 `json:"gradients"`
	After     map[string][][]float64
}

// detect is the instruction set of the machine.
func detect(t *testing.T) *kernel.Set {
	t.Helper()
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	return isa
}

func loadReference(t *testing.T) (ref reference) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(golden.Dir(t), "golden", "optimizers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		reference
		After map[string][][]float64 `json:"parameters_after_each_step"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	doc.reference.After = doc.After
	return doc.reference
}

// TestPyTorch compares every parameter after every step of every optimizer of the reference, on every
// instruction set of the machine. golden/make_golden.py has the settings.
func TestPyTorch(t *testing.T) {
	ref := loadReference(t)
	settings := map[string]struct {
		name   Optimizer
		config Config
		lr     float32
	}{
		"sgd":          {"sgd", Config{Momentum: 0.9, WeightDecay: 1e-4}, 0.01},
		"sgd_nesterov": {"sgd", Config{Momentum: 0.9, WeightDecay: 1e-4, Nesterov: true}, 0.01},
		"adam":         {"adam", Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, 1e-4},
		"adamw":        {"adamw", Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01}, 1e-4},
		"rmsprop":      {"rmsprop", Config{Alpha: 0.9, Epsilon: 1e-3, Momentum: 0.9}, 1e-4},
	}
	if len(ref.After) != len(settings) {
		t.Fatalf("the reference has %d optimizers, %d are compared", len(ref.After), len(settings))
	}
	for _, isa := range kernel.Sets() {
		t.Setenv("REGRAFT_ISA", isa.Name)
		for trace, after := range ref.After {
			c, ok := settings[trace]
			if !ok {
				t.Fatalf("no settings for the trace %q", trace)
			}
			if len(after) != len(ref.Gradients) {
				t.Fatalf("%s: %d steps for %d gradients", trace, len(after), len(ref.Gradients))
			}
			detected, err := kernel.Detect()
			if err != nil {
				t.Logf("%v", err)
				break
			}
			s, err := New(c.name, c.config, detected, 2)
			if err != nil {
				t.Fatal(err)
			}
			params := slices.Clone(ref.Start)
			worst := 0.0
			for step, grads := range ref.Gradients {
				s.Step(params, grads, c.lr)
				if len(after[step]) != len(params) {
					t.Fatalf("%s: %d parameters after step %d", trace, len(after[step]), step+1)
				}
				for i, want := range after[step] {
					worst = max(worst, math.Abs(float64(params[i])-want)/math.Abs(want))
				}
			}
			t.Logf("%s %s: largest relative error %.2g", isa, trace, worst)
			if worst > 1e-6 {
				t.Errorf("%s %s: largest relative error %.2g, want at most 1e-6", isa, trace, worst)
			}
		}
	}
}

// TestFormulas compares settings that the reference lacks with the formulas in float64.
func TestFormulas(t *testing.T) {
	const lr, decay = 0.01, 0.02
	type state struct{ p, a, b float64 }
	for name, c := range map[string]struct {
		optimizer Optimizer
		config    Config
		start     state
		step      func(s *state, g float64, t int)
	}{
		"plain sgd": {"sgd", Config{WeightDecay: decay}, state{}, func(s *state, g float64, _ int) {
			s.p -= lr * (g + decay*s.p)
		}},
		"adam with L2": {"adam", Config{Beta1: 0.8, Beta2: 0.95, Epsilon: 1e-3, WeightDecay: decay}, state{}, func(s *state, g float64, t int) {
			g += decay * s.p
			s.a = 0.8*s.a + 0.2*g
			s.b = 0.95*s.b + 0.05*g*g
			s.p -= lr * s.a / (1 - math.Pow(0.8, float64(t))) / (math.Sqrt(s.b/(1-math.Pow(0.95, float64(t)))) + 1e-3)
		}},
		"rmsprop without momentum": {"rmsprop", Config{Alpha: 0.95, Epsilon: 1e-2, WeightDecay: decay}, state{}, func(s *state, g float64, _ int) {
			g += decay * s.p
			s.a = 0.95*s.a + 0.05*g*g
			s.p -= lr * g / (math.Sqrt(s.a) + 1e-2)
		}},
		"tensorflow's rmsprop": {"rmsproptf", Config{Alpha: 0.9, Epsilon: 1, Momentum: 0.9, WeightDecay: decay}, state{a: 1}, func(s *state, g float64, _ int) {
			g += decay * s.p
			s.a += 0.1 * (g*g - s.a)
			s.b = 0.9*s.b + lr*g/math.Sqrt(s.a+1)
			s.p -= s.b
		}},
	} {
		s, err := New(c.optimizer, c.config, detect(t), 2)
		if err != nil {
			t.Fatal(err)
		}
		const n = 50
		params, grads, want := make([]float32, n), make([]float32, n), make([]state, n)
		for i := range params {
			params[i] = float32(i%7) - 2.6
			want[i] = c.start
			want[i].p = float64(params[i])
		}
		for step := 1; step <= 20; step++ {
			for i := range grads {
				grads[i] = float32(math.Sin(float64(i * step)))
				c.step(&want[i], float64(grads[i]), step)
			}
			s.Step(params, grads, lr)
		}
		for i, w := range want {
			if math.Abs(float64(params[i])-w.p) > 2e-6*(1+math.Abs(w.p)) {
				t.Errorf("%s: parameter %d is %v after 20 steps, want %v", name, i, params[i], w.p)
			}
		}
	}
}

// TestRestore continues from a checkpoint to the same bits.
func TestRestore(t *testing.T) {
	for _, name := range Names() {
		c, err := Defaults(name)
		if err != nil {
			t.Fatal(err)
		}
		whole, _ := New(name, c, detect(t), 2)
		before, _ := New(name, c, detect(t), 2)
		if before.Name() != name || before.Steps() != 0 || len(before.State()) != 0 {
			t.Errorf("%s: fresh solver is %q after %d steps with %d slices", name, before.Name(), before.Steps(), len(before.State()))
		}
		params, grads := []float32{1, -2, 3, 0.5, 0}, []float32{0.1, 0.2, -0.3, 1, 0}
		want, got := slices.Clone(params), slices.Clone(params)
		for range 6 {
			whole.Step(want, grads, 0.01)
		}
		for range 3 {
			before.Step(got, grads, 0.01)
		}
		after, _ := New(name, c, detect(t), 2)
		if err := after.Restore(before.State(), before.Steps()); err != nil {
			t.Fatal(err)
		}
		before.Step(slices.Clone(got), grads, 0.01) // the restored solver has a copy of its own
		for range 3 {
			after.Step(got, grads, 0.01)
		}
		if !slices.Equal(got, want) || after.Steps() != 6 {
			t.Errorf("%s: %v after %d steps, want %v", name, got, after.Steps(), want)
		}
		if got[4] != 0 {
			t.Errorf("%s: a parameter of 0 with gradient 0 became %v", name, got[4])
		}
		if err := after.Restore(nil, 0); err != nil {
			t.Errorf("%s: back to the start: %v", name, err)
		}
		for _, bad := range [][][]float32{{{1}, {1}, {1}}, {{1, 2}, {1}}} {
			if after.Restore(bad, 1) == nil {
				t.Errorf("%s: state %v: no error", name, bad)
			}
		}
		if after.Restore(nil, -1) == nil {
			t.Errorf("%s: -1 steps: no error", name)
		}
	}
	stateless, err := New("sgd", Config{}, detect(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	if stateless.Restore(nil, 3) != nil || stateless.Restore(nil, -1) == nil {
		t.Error("without momentum there is no state, but a number of steps")
	}
}

// TestThreads: the same bits for any number of threads.
func TestThreads(t *testing.T) {
	const n = 1<<20 + 11
	grads := make([]float32, n)
	for i := range grads {
		grads[i] = float32(i%1000-500) / 250
	}
	var want []float32
	for _, threads := range []int{1, 2, 3} {
		s, err := New("adamw", Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01}, detect(t), threads)
		if err != nil {
			t.Fatal(err)
		}
		params := slices.Clone(grads)
		for range 2 {
			s.Step(params, grads, 0.01)
		}
		if want == nil {
			want = params
		}
		if !slices.Equal(params, want) {
			t.Errorf("%d threads give other parameters than one", threads)
		}
	}
}

func TestErrors(t *testing.T) {
	if _, err := New("lion", Config{}, detect(t), 2); err == nil || !strings.Contains(err.Error(), "rmsproptf") {
		t.Errorf("unknown optimizer: %v", err)
	}
	nan := math.NaN()
	for _, name := range Names() {
		for what, change := range map[string]func(c *Config){
			"negative decay":              func(c *Config) { c.WeightDecay = -1 },
			"decay NaN":                   func(c *Config) { c.WeightDecay = nan },
			"momentum, beta1, alpha of 1": func(c *Config) { c.Momentum, c.Beta1, c.Alpha = 1, 1, 1 },
			"NaN everywhere":              func(c *Config) { c.Momentum, c.Beta1, c.Beta2, c.Alpha, c.Epsilon = nan, nan, nan, nan, nan },
		} {
			c, err := Defaults(name)
			if err != nil {
				t.Fatal(err)
			}
			change(&c)
			if _, err := New(name, c, detect(t), 2); err == nil {
				t.Errorf("%s with %s: no error", name, what)
			}
		}
	}
	if _, err := New("sgd", Config{Nesterov: true}, detect(t), 2); err == nil {
		t.Error("Nesterov without momentum: no error")
	}
	if _, err := New("adam", Config{Beta1: 0.9, Beta2: 0.999}, detect(t), 2); err == nil {
		t.Error("Adam with epsilon 0: no error")
	}
}

// TestDivide: every part moves as a solver of its own with the factor's rate, that begins with the step in which it joins, on any number
// of threads; what is in no part stays, with its state.
func TestDivide(t *testing.T) {
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	const n, third, since = 1 << 20, 1<<20/3 + 5, 2
	for _, name := range Names() {
		config, err := Defaults(name)
		if err != nil {
			t.Fatal(err)
		}
		config.WeightDecay = 0.01
		run := func(threads, n int, begin func(i int) float32, divide []Part, first int) []float32 {
			t.Helper()
			s, err := New(name, config, isa, threads)
			if err != nil {
				t.Fatal(err)
			}
			p, g := make([]float32, n), make([]float32, n)
			for i := range p {
				p[i] = begin(i)
			}
			s.Divide(divide)
			for step := range 4 {
				for i := range g {
					g[i] = begin(i*3+step) - 0.4
				}
				if step >= first {
					s.Step(p, g, 0.01)
				}
			}
			return p
		}
		value := func(i int) float32 { return float32(i%1009) / 1009 }
		whole := []Part{{0, third, 0.25, 0}, {third + 100, n, 1, 0}}
		got := run(2, n, value, whole, 0)
		if !slices.Equal(got, run(1, n, value, whole, 0)) {
			t.Errorf("%s: the number of threads changes bits", name)
		}
		for _, p := range whole {
			alone := run(1, n, value, []Part{{0, n, p.Factor, 0}}, 0)
			if !slices.Equal(got[p.From:p.To], alone[p.From:p.To]) {
				t.Errorf("%s: the part from %d on moves otherwise than alone", name, p.From)
			}
		}
		for i := third; i < third+100; i++ {
			if got[i] != value(i) {
				t.Fatalf("%s: a parameter in no part has moved", name)
			}
		}
		// A part that joins after two steps: its corrections begin there.
		s, err := New(name, config, isa, 2)
		if err != nil {
			t.Fatal(err)
		}
		p, g := make([]float32, 1000), make([]float32, 1000)
		for i := range p {
			p[i] = value(i)
		}
		for step := range 4 {
			parts := []Part{{0, 500, 1, 0}}
			if step >= since {
				parts = append(parts, Part{500, 1000, 0.5, since})
			}
			for i := range g {
				g[i] = value(i*3+step) - 0.4
			}
			s.Divide(parts)
			s.Step(p, g, 0.01)
		}
		late := run(1, 1000, value, []Part{{500, 1000, 0.5, 0}}, since)
		if !slices.Equal(p[500:], late[500:]) {
			t.Errorf("%s: a part that joins late moves otherwise than a solver that begins then", name)
		}
	}
}

// TestBegin: a solver that begins again moves as a new one.
func TestBegin(t *testing.T) {
	for _, name := range Names() {
		config, err := Defaults(name)
		if err != nil {
			t.Fatal(err)
		}
		config.Momentum = 0.9
		steps := func(again bool) []float32 {
			s, err := New(name, config, kernel.Go, 1)
			if err != nil {
				t.Fatal(err)
			}
			if again {
				s.Step(make([]float32, 5), []float32{5, 4, 3, 2, 1}, 0.1)
				s.Begin(5)
			}
			p := make([]float32, 5)
			for range 2 {
				s.Step(p, []float32{1, 2, 3, 4, 5}, 0.1)
			}
			return p
		}
		if got, want := steps(true), steps(false); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
