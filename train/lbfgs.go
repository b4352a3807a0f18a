package train

import "math"

// lbfgs minimises a function by the limited-memory BFGS method (Nocedal and Wright, Numerical
// Optimization, 2nd edition, algorithms 7.4 and 7.5), with a line search for the weak Wolfe conditions by
// bisection (Lewis and Overton, 2013). It needs no learning rate, and its results depend on nothing but the
// function: all its arithmetic is in float64 and in order.
type lbfgs struct {
	// objective returns the function's value at x and writes its gradient.
	objective func(x, gradient []float64) float64
	x         []float64
	gradient  []float64
	value     float64
	history   []correction
	started   bool
}

// correction is one step, the change of the gradient along it, and their product.
type correction struct {
	s, y []float64
	sy   float64
}

func newCorrection(s, y []float64) correction { return correction{s, y, dot(s, y)} }

const (
	memory    = 10   // corrections kept
	decrease  = 1e-4 // sufficient decrease (Armijo)
	curvature = 0.9  // remaining slope
	searches  = 30   // evaluations in one line search
)

func newLBFGS(x []float64, objective func(x, gradient []float64) float64) *lbfgs {
	return &lbfgs{objective: objective, x: x, gradient: make([]float64, len(x))}
}

// step makes one iteration. It returns false when no step lowers the value any more.
func (l *lbfgs) step() bool {
	if !l.started {
		l.value, l.started = l.objective(l.x, l.gradient), true
	}
	direction := l.direction()
	slope := dot(l.gradient, direction)
	if !(slope < 0) {
		return false
	}
	x, gradient := make([]float64, len(l.x)), make([]float64, len(l.x))
	low, high, length := 0.0, math.Inf(1), 1.0
	for range searches {
		for i := range x {
			x[i] = l.x[i] + float64(length*direction[i])
		}
		value := l.objective(x, gradient)
		switch {
		case !(value <= l.value+float64(decrease*length*slope)):
			high = length
		case dot(gradient, direction) < float64(curvature*slope):
			low = length
		default:
			l.accept(x, gradient, value)
			return true
		}
		if math.IsInf(high, 1) {
			length = 2 * low
		} else {
			length = (low + high) / 2
		}
	}
	return false
}

// direction is minus the product of the inverse Hessian's estimate and the gradient. The first has length 1.
func (l *lbfgs) direction() []float64 {
	d := make([]float64, len(l.gradient))
	for i, g := range l.gradient {
		d[i] = -g
	}
	if len(l.history) == 0 {
		scale64(d, 1/math.Max(math.Sqrt(dot(d, d)), math.SmallestNonzeroFloat32))
		return d
	}
	alpha := make([]float64, len(l.history))
	for i := len(l.history) - 1; i >= 0; i-- {
		c := l.history[i]
		alpha[i] = dot(c.s, d) / c.sy
		axpy(d, -alpha[i], c.y)
	}
	last := l.history[len(l.history)-1]
	scale64(d, last.sy/dot(last.y, last.y))
	for i, c := range l.history {
		axpy(d, alpha[i]-dot(c.y, d)/c.sy, c.s)
	}
	return d
}

// accept moves to x and remembers the step.
func (l *lbfgs) accept(x, gradient []float64, value float64) {
	s, y := make([]float64, len(x)), make([]float64, len(x))
	for i := range x {
		s[i], y[i] = x[i]-l.x[i], gradient[i]-l.gradient[i]
	}
	if c := newCorrection(s, y); c.sy > 0 {
		l.history = append(l.history, c)
	}
	if len(l.history) > memory {
		l.history = l.history[1:]
	}
	copy(l.x, x)
	l.gradient, l.value = gradient, value
}

// state is what a checkpoint keeps: x, then the corrections. The gradient is computed anew from x.
func (l *lbfgs) state() [][]float64 {
	state := [][]float64{l.x}
	for _, c := range l.history {
		state = append(state, c.s, c.y)
	}
	return state
}

// restore continues from a state of vectors of the right length.
func (l *lbfgs) restore(state [][]float64) {
	copy(l.x, state[0])
	l.history, l.started = nil, false
	for i := 1; i+1 < len(state); i += 2 {
		l.history = append(l.history, newCorrection(state[i], state[i+1]))
	}
}

func scale64(y []float64, a float64) {
	for i := range y {
		y[i] *= a
	}
}
