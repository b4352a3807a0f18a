package train

import "math"

// lbfgs minimises a function by the limited-memory BFGS method (Nocedal and Wright, Numerical
// Optimization, 2nd edition, algorithms 7.4 and 7.5), with a line search for the weak Wolfe conditions by
// bisection (Lewis and Overton, 2013). It needs no learning rate, and its results depend on nothing but the
// function: all its arithmetic is in float64 and in order.
type lbfgs struct {
	// objective returns the function's value at x and writes its gradient; nil where a caller evaluates it for several at once.
	objective func(x, gradient []float64) float64
	x         []float64
	gradient  []float64
	value     float64
	history   []correction
	started   bool
	stuck     bool // no step lowers the value any more
	line      line
}

// correction is one step, the change of the gradient along it, and the products of it with that and of that with itself.
type correction struct {
	s, y   []float64
	sy, yy float64
}

func newCorrection(s, y []float64) correction { return correction{s, y, dot(s, y), dot(y, y)} }

// line is a search along a direction: the next point, of which the gradient is wanted.
type line struct {
	direction, x, gradient []float64
	slope                  float64 // along the direction, where it begins; 0 where no search is under way
	low, high, length      float64
	tries                  int
}

const (
	memory    = 10   // corrections kept
	decrease  = 1e-4 // sufficient decrease (Armijo)
	curvature = 0.9  // remaining slope
	searches  = 30   // evaluations in one line search
)

func newLBFGS(x []float64, objective func(x, gradient []float64) float64) *lbfgs {
	n := len(x)
	return &lbfgs{
		objective: objective, x: x, gradient: make([]float64, n),
		line: line{direction: make([]float64, n), x: make([]float64, n), gradient: make([]float64, n)},
	}
}

// step makes one iteration. It returns false when no step lowers the value any more.
func (l *lbfgs) step() bool {
	for done := false; !done; {
		p := l.propose()
		if p.w == nil {
			return false
		}
		done = l.judge(l.objective(p.w, p.gradient))
	}
	return !l.stuck
}

// propose is where the function is to be evaluated next; without a point where no step lowers the value any more.
func (l *lbfgs) propose() point {
	if !l.started {
		return point{l.x, l.gradient}
	}
	s := &l.line
	if s.slope == 0 && !l.stuck {
		if s.slope = l.direct(s.direction); !(s.slope < 0) {
			l.stuck = true
		}
		s.low, s.high, s.length, s.tries = 0, math.Inf(1), 1, 0
	}
	if l.stuck {
		return point{}
	}
	for i, d := range s.direction {
		s.x[i] = l.x[i] + float64(s.length*d)
	}
	return point{s.x, s.gradient}
}

// judge takes the value at the point that was proposed, and reports whether that ends an iteration.
func (l *lbfgs) judge(value float64) bool {
	if !l.started {
		l.value, l.started = value, true
		return false
	}
	s := &l.line
	switch {
	case !(value <= l.value+float64(decrease*s.length*s.slope)):
		s.high = s.length
	case dot(s.gradient, s.direction) < float64(curvature*s.slope):
		s.low = s.length
	default:
		l.accept(value)
		return true
	}
	if math.IsInf(s.high, 1) {
		s.length = 2 * s.low
	} else {
		s.length = (s.low + s.high) / 2
	}
	s.tries++
	l.stuck = s.tries == searches
	return l.stuck
}

// direct makes d minus the product of the inverse Hessian's estimate and the gradient, of length 1 where there is no estimate, and returns
// the slope along it. Every sum is made while the vector before it is written, since these lie in no cache.
func (l *lbfgs) direct(d []float64) float64 {
	for i, g := range l.gradient {
		d[i] = -g
	}
	n := len(l.history)
	if n == 0 {
		scale64(d, 1/math.Max(math.Sqrt(dot(d, d)), math.SmallestNonzeroFloat32))
		return dot(d, l.gradient)
	}
	var alpha [memory]float64
	along := dot(l.history[n-1].s, d)
	for i := n - 1; i >= 0; i-- {
		c := l.history[i]
		if alpha[i] = along / c.sy; i > 0 {
			along = axpyDot(d, -alpha[i], c.y, l.history[i-1].s)
		} else {
			axpy(d, -alpha[i], c.y)
		}
	}
	last := l.history[n-1]
	scale64(d, last.sy/last.yy)
	along = dot(l.history[0].y, d)
	for i, c := range l.history {
		next := l.gradient
		if i+1 < n {
			next = l.history[i+1].y
		}
		along = axpyDot(d, alpha[i]-along/c.sy, c.s, next)
	}
	return along
}

// accept moves to the point of the search and remembers the step, in the memory of the one that is forgotten.
func (l *lbfgs) accept(value float64) {
	var c correction
	if len(l.history) == memory {
		c = l.history[0]
	} else {
		c.s, c.y = make([]float64, len(l.x)), make([]float64, len(l.x))
	}
	for i, x := range l.line.x {
		c.s[i], c.y[i] = x-l.x[i], l.line.gradient[i]-l.gradient[i]
	}
	if c = newCorrection(c.s, c.y); len(l.history) == memory {
		l.history = l.history[:copy(l.history, l.history[1:])]
	}
	if c.sy > 0 {
		l.history = append(l.history, c)
	}
	copy(l.x, l.line.x)
	l.gradient, l.line.gradient = l.line.gradient, l.gradient
	l.value, l.line.slope = value, 0
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
	l.history, l.started, l.stuck, l.line.slope = nil, false, false, 0
	for i := 1; i+1 < len(state); i += 2 {
		l.history = append(l.history, newCorrection(state[i], state[i+1]))
	}
}

func scale64(y []float64, a float64) {
	for i := range y {
		y[i] *= a
	}
}
