package kernel

import (
	"math"
	"testing"
)

// inUlps is the distance from got to want in units of want's last place in single precision.
func inUlps(got float32, want float64) float64 {
	w := float32(math.Abs(want))
	if float64(got) == want || math.IsNaN(want) && got != got {
		return 0
	}
	unit := float64(math.Nextafter32(w, float32(math.Inf(1)))) - float64(w)
	return math.Abs(float64(got)-want) / unit
}

// activationCase is an activation, its gradient and what they are in float64.
type activationCase struct {
	name    string
	forward Activation
	grad    func(set *Set, x, dy, dx Layout) (Primitive, error) // nil where it is composed of others
	exact   func(x float64) float64
	slope   func(x float64) float64
	ulps    float64 // the error that results may have, in units of the last place,
	floor   float64 // or in absolute terms where they are small
}

func activationCases() []activationCase {
	sigmoid := func(x float64) float64 { return 1 / (1 + Exp(-x)) }
	inner := func(x float64) float64 { return float64(float32(0.2))*x + 0.5 }
	return []activationCase{
		{"sigmoid", Sigmoid(), NewSigmoidGrad, sigmoid, func(x float64) float64 { return sigmoid(x) * sigmoid(-x) }, 4, 1e-36},
		{"silu", SiLU(), NewSiLUGrad, func(x float64) float64 { return x * sigmoid(x) },
			func(x float64) float64 { return sigmoid(x) * (1 + x*sigmoid(-x)) }, 4, 1e-36},
		{"gelu", Gelu(), NewGeluGrad, func(x float64) float64 { return product(x, math.Erfc(-x/math.Sqrt2)/2) },
			func(x float64) float64 {
				return math.Erfc(-x/math.Sqrt2)/2 + product(x, Exp(-x*x/2)/math.Sqrt(2*math.Pi))
			},
			6, 0x1p-25}, // half of what single precision resolves at 1: x*x/2 is rounded
		{"gelutanh", GeluTanh(), NewGeluTanhGrad, func(x float64) float64 { return x * sigmoid(geluArgument(x)) },
			func(x float64) float64 {
				t, slope := geluArgument(x), math.Sqrt(8/math.Pi)*(x+3*0.044715*x*x*x) // x times the derivative of t
				return sigmoid(t) + product(slope, sigmoid(t)*sigmoid(-t))
			},
			6, 0x1p-24}, // t is rounded
		{"hardswish", HardSwish(), NewHardSwishGrad, func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 },
			func(x float64) float64 {
				switch { // at both ends PyTorch 2.15's choice
				case x <= -3:
					return 0
				case x >= 3:
					return 1
				}
				return x/3 + 0.5
			}, 4, 1e-36},
		{"hardsigmoid",
			HardSigmoid(0.2, 0.5),
			func(set *Set, x, dy, dx Layout) (Primitive, error) {
				return NewHardSigmoidGrad(set, x, dy, dx, 0.2, 0.5)
			},
			func(x float64) float64 { return min(max(inner(x), 0), 1) },
			func(x float64) float64 {
				if h := float32(inner(x)); !(h > 0 && h < 1) {
					return 0
				}
				return float64(float32(0.2))
			}, 1, 0},
		{"leakyrelu", LeakyReLU(0.1), func(set *Set, x, dy, dx Layout) (Primitive, error) { return NewLeakyReLUGrad(set, x, dy, dx, 0.1) },
			func(x float64) float64 { return max(x, 0) + float64(float32(0.1))*min(x, 0) },
			func(x float64) float64 { return leakyOracle(x, 1, float64(float32(0.1))) }, 1, 1e-44},
		{"threshold", Threshold(0.5), func(set *Set, x, dy, dx Layout) (Primitive, error) { return NewThresholdGrad(set, x, dy, dx, 0.5) },
			func(x float64) float64 { return above(x-0.5, x) },
			func(x float64) float64 { return above(x-0.5, 1) }, 0, 0},
		eluCase("elu", 0.5, 1, 1), eluCase("selu", 1.67326319, 1.05070102, 1), eluCase("celu", 4, 1, 0.25),
		{"softplus", Softplus(), nil, func(x float64) float64 { return max(x, 0) + math.Log1p(Exp(-math.Abs(x))) }, nil, 4, 1e-36},
		{"softsign", Softsign(), NewSoftsignGrad, func(x float64) float64 { return x / (1 + math.Abs(x)) },
			func(x float64) float64 { return 1 / ((1 + math.Abs(x)) * (1 + math.Abs(x))) }, 4, 1e-36},
		{"mish", Mish(), NewMishGrad, func(x float64) float64 { return x * math.Tanh(max(x, 0)+math.Log1p(Exp(-math.Abs(x)))) },
			func(x float64) float64 {
				t := math.Tanh(max(x, 0) + math.Log1p(Exp(-math.Abs(x))))
				if x < 0 {
					return t + x*(1-t*t)*sigmoid(x)
				}
				return t + product(x, (1-t*t)*sigmoid(x))
			}, 6, 2e-36}, // 90 times where the exponential begins to be 0
	}
}

// product is x*y where y falls faster than x grows.
func product(x, y float64) float64 {
	if y == 0 {
		return 0
	}
	return x * y
}

// above is y where x > 0, else 0.
func above(x, y float64) float64 {
	if x > 0 {
		return y
	}
	return 0
}

// step is below up to 0 and above from there on.
func step(x, below, above float64) float64 {
	switch {
	case x > 0:
		return above
	case x <= 0:
		return below
	}
	return x
}

func eluCase(name string, alpha, gamma, rate float32) activationCase {
	a, g, r := float64(alpha), float64(gamma), float64(rate)
	return activationCase{name, Elu(alpha, gamma, rate),
		func(set *Set, x, dy, dx Layout) (Primitive, error) {
			return NewEluGrad(set, x, dy, dx, alpha, gamma, rate)
		},
		func(x float64) float64 { return step(x, g*a*math.Expm1(r*x), g*x) },
		func(x float64) float64 { return step(x, g*a*r*Exp(r*x), g) }, 4, 1e-36}
}

// TestPReLU compares with the definition, with a slope of its own for every channel.
func TestPReLU(t *testing.T) {
	eachCase(t, func(t *testing.T, c planeCase, random func(int) []float32) {
		x, dy, slopes := random(c.elements()), random(c.elements()), random(c.in.C)
		plane := c.in.H * c.in.W
		check := func(what string, got, of []float32) {
			for i, g := range got {
				want := of[i]
				if !(x[i] > 0) {
					want *= slopes[i/plane%c.in.C]
				}
				if g != want && !(g != g && want != want) {
					t.Fatalf("%s at %v: %v, want %v", what, x[i], g, want)
				}
			}
		}
		got := sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewPReLU(set, c.in, c.out)
			return outcome(t, p, err, c.images, tensorIn(c.in, x), vectorIn(slopes), tensorOut(c.out))
		})
		check("PReLU", got[0], x)
		got = sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewPReLUGradX(set, c.in, c.out, c.in)
			return outcome(t, p, err, c.images, tensorIn(c.in, x), vectorIn(slopes), tensorIn(c.out, dy), tensorOut(c.in))
		})
		check("gradient", got[0], dy)
	})
}

// gradFloor is the absolute error that gradients may have for dy = 1: three roundings of what their terms are at most.
const gradFloor = 3 * 0x1p-24

// TestActivations compares with the definitions in float64, in all layouts, infinities and NaN among the operands,
// and all instruction sets with the plain form.
func TestActivations(t *testing.T) {
	for _, f := range activationCases() {
		t.Run(f.name, func(t *testing.T) {
			worst := 0.0
			eachCase(t, func(t *testing.T, c planeCase, random func(int) []float32) {
				x, dy := random(c.elements()), random(c.elements())
				for i := range dy {
					if math.IsInf(float64(dy[i]), 0) || dy[i] != dy[i] {
						dy[i] = 2
					}
				}
				got := sameOnAll(t, func(set *Set) [][]float32 {
					p, err := NewActivation(set, f.forward, c.in, c.out)
					return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorOut(c.out))
				})
				for i, g := range got[0] {
					want := f.exact(float64(x[i]))
					u := inUlps(g, want)
					if math.Abs(float64(g)-want) > f.floor && u > f.ulps {
						t.Fatalf("%s(%v) = %v, want %v", f.name, x[i], g, want)
					}
					if u == u {
						worst = max(worst, u)
					}
				}
				if f.grad == nil {
					return
				}
				got = sameOnAll(t, func(set *Set) [][]float32 {
					p, err := f.grad(set, c.in, c.out, c.in)
					return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorIn(c.out, dy), tensorOut(c.in))
				})
				for i, g := range got[0] {
					if x[i] != x[i] || math.IsInf(float64(x[i]), 0) {
						continue
					}
					want := float64(dy[i]) * f.slope(float64(x[i]))
					if math.Abs(float64(g)-want) > gradFloor*math.Abs(float64(dy[i])) && inUlps(g, want) > f.ulps {
						t.Fatalf("gradient of %s at %v for %v: %v, want %v", f.name, x[i], dy[i], g, want)
					}
				}
			})
			t.Logf("largest error of the function %.2f units in the last place", worst)
		})
	}
}

// TestActivationRange covers large operands, and the derivative against central differences.
func TestActivationRange(t *testing.T) {
	var x []float32
	for i := range 4001 {
		x = append(x, float32(i-2000)/97)
	}
	for _, v := range []float32{30, 60, 86, 88, 89, 100, 1e10, 3e38} {
		x = append(x, v, -v)
	}
	l := Blocked(1, 1, len(x), 0)
	dy := make([]float32, len(x))
	for i := range dy {
		dy[i] = 2
	}
	for _, f := range activationCases() {
		p, err := NewActivation(Go, f.forward, l, l)
		y := outcome(t, p, err, 1, tensorIn(l, x), tensorOut(l))[0]
		var dx []float32
		if f.grad != nil {
			p, err = f.grad(Go, l, l, l)
			dx = outcome(t, p, err, 1, tensorIn(l, x), tensorIn(l, dy), tensorOut(l))[0]
		}
		for i, v := range x {
			at := float64(v)
			if want := f.exact(at); math.Abs(float64(y[i])-want) > f.ulps*0x1p-23*math.Abs(want)+f.floor {
				t.Errorf("%s(%v) = %v, want %v", f.name, v, y[i], want)
			}
			if dx == nil || at == 0 { // at 0 the curvature of Softsign jumps
				continue
			}
			h := 1e-5 * max(1, math.Abs(at))
			lower, upper := (f.exact(at)-f.exact(at-h))/h, (f.exact(at+h)-f.exact(at))/h
			if math.Abs(lower-upper) > 1e-4 {
				continue // a kink
			}
			if slope := (lower + upper) / 2; math.Abs(float64(dx[i])-2*slope) > 2e-6 {
				t.Errorf("gradient of %s at %v: %v, want %v", f.name, v, dx[i], 2*slope)
			}
		}
	}
}

// geluArgument is twice what the approximation of Gelu takes tanh of.
func geluArgument(x float64) float64 { return math.Sqrt(8/math.Pi) * (x + 0.044715*x*x*x) }
