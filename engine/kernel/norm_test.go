package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"regraft/engine/kernel/asm"
)

const testEpsilon = 1e-3

// normCase is a BatchNorm with all its operands.
type normCase struct {
	planeCase
	z, gamma, beta, mean, variance, dy []float32
}

func eachNorm(t *testing.T, test func(t *testing.T, c normCase)) {
	for _, p := range planeCases() {
		t.Run(p.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(11, 12))
			c := normCase{
				planeCase: p, gamma: reals(r, p.in.C, 1), beta: reals(r, p.in.C, 1),
				mean: reals(r, p.in.C, 1), variance: reals(r, p.in.C, 1),
				z: reals(r, p.elements(), 2), dy: reals(r, p.elements(), 1),
			}
			for i := range c.z { // channels far from zero, where careless sums lose everything
				c.z[i] += float32(100 * (c.channel(i) % 3))
			}
			if last := p.in.C - 1; last > 0 { // a channel that is the same everywhere
				for i := range c.z {
					if c.channel(i) == last {
						c.z[i] = 100.1
					}
				}
			}
			for i, v := range c.variance {
				c.variance[i] = v * v
			}
			test(t, c)
		})
	}
}

// moments are the mean and the biased variance of every channel, in two passes.
func (c normCase) moments(z []float64) (mean, variance []float64) {
	mean, variance = make([]float64, c.in.C), make([]float64, c.in.C)
	n := float64(c.elements() / c.in.C)
	for i, v := range z {
		mean[c.channel(i)] += v / n
	}
	for i, v := range z {
		d := v - mean[c.channel(i)]
		variance[c.channel(i)] += d * d / n
	}
	return mean, variance
}

// apply is BatchNorm with these statistics, and ReLU when wanted.
func (c normCase) apply(z, mean, variance []float64, relu bool) []float64 {
	y := make([]float64, len(z))
	for i, v := range z {
		k := c.channel(i)
		y[i] = float64(c.gamma[k])*(v-mean[k])/math.Sqrt(variance[k]+testEpsilon) + float64(c.beta[k])
		if relu {
			y[i] = max(y[i], 0)
		}
	}
	return y
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

// statistics runs the forward passes: statistics (four vectors), running mean, running variance.
func (c normCase) statistics(t *testing.T, set *Set) [][]float32 {
	t.Helper()
	p, err := NewBatchStats(set, c.in)
	if err != nil {
		t.Fatal(err)
	}
	slots := outcome(t, p, nil, c.images, tensorIn(c.in, c.z), slotsFor(p, c.images))[0]
	finish, err := NewBatchStatsFinish(c.in, testEpsilon, 0.9)
	got := outcome(t, finish, err, c.images, vectorIn(slots), vectorIn(c.gamma), vectorIn(c.beta),
		vectorInOut(c.mean), vectorInOut(c.variance), vectorOut(StatsLen(c.in.C)))
	return [][]float32{got[2], got[0], got[1]}
}

// part is a vector of the statistics or the coefficients, without its padding, which must be zero.
func part(t *testing.T, v []float32, i, c int) []float32 {
	t.Helper()
	n := roundUp(c, Lanes)
	for j, x := range v[i*n+c : (i+1)*n] {
		if x != 0 {
			t.Fatalf("part %d: padding lane %d is %v", i, c+j, x)
		}
	}
	return v[i*n : i*n+c]
}

// relative wants got within ulps float32 roundings of want plus floor.
func relative(t *testing.T, what string, got []float32, want []float64, ulps, floor float64) {
	t.Helper()
	for i, g := range got {
		if d := math.Abs(float64(g) - want[i]); !(d <= ulps*0x1p-24*math.Abs(want[i])+floor) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, g, want[i])
		}
	}
}

func TestBatchStats(t *testing.T) {
	eachNorm(t, func(t *testing.T, c normCase) {
		got := sameOnAll(t, func(set *Set) [][]float32 { return c.statistics(t, set) })
		mean, variance := c.moments(widen(c.z))
		// One rounding to float32, and what float64 loses: 2^-50 of the mean square.
		relative(t, "mean", part(t, got[0], statMean, c.in.C), mean, 1.01, 1e-12)
		relative(t, "variance", part(t, got[0], statVariance, c.in.C), variance, 1.01, 1e-10)
		for k, v := range part(t, got[0], statVariance, c.in.C) {
			if v < 0 {
				t.Errorf("variance of channel %d is %v", k, v)
			}
		}
		scale, shift := make([]float64, c.in.C), make([]float64, c.in.C)
		movedMean, movedVariance := make([]float64, c.in.C), make([]float64, c.in.C)
		n := float64(c.elements() / c.in.C)
		for k := range scale {
			scale[k] = float64(c.gamma[k]) / math.Sqrt(variance[k]+testEpsilon)
			shift[k] = float64(c.beta[k]) - mean[k]*scale[k]
			movedMean[k] = 0.9*float64(c.mean[k]) + 0.1*mean[k]
			movedVariance[k] = 0.9*float64(c.variance[k]) + 0.1*variance[k]*n/max(n-1, 1)
		}
		relative(t, "scale", part(t, got[0], statScale, c.in.C), scale, 1.01, 1e-6*0x1p-24)
		relative(t, "shift", part(t, got[0], statShift, c.in.C), shift, 1.01, 1e-6)
		relative(t, "running mean", part(t, got[1], 0, c.in.C), movedMean, 1.01, 1e-8)
		relative(t, "running variance", part(t, got[2], 0, c.in.C), movedVariance, 1.01, 1e-8)

		// Without running statistics the rest is the same.
		p, err := NewBatchStats(Go, c.in)
		if err != nil {
			t.Fatal(err)
		}
		slots := outcome(t, p, nil, c.images, tensorIn(c.in, c.z), slotsFor(p, c.images))[0]
		finish, _ := NewBatchStatsFinish(c.in, testEpsilon, 0.9)
		stats, gamma, beta := newGuarded(StatsLen(c.in.C)), vectorIn(c.gamma).values, vectorIn(c.beta).values
		run1(finish, Args{Images: c.images, Operand: [8]uintptr{Address(slots), Address(gamma), Address(beta), 0, 0, stats.address()}})
		sameBits(t, "statistics alone", stats.floats, got[0])
	})
}

// gradients runs the backward passes: dgamma, dbeta, coefficients, dz.
func (c normCase) gradients(t *testing.T, set *Set, stats []float32, flags int, fixed bool) [][]float32 {
	t.Helper()
	p, err := NewBatchNormGradSums(set, c.in, c.out, flags)
	if err != nil {
		t.Fatal(err)
	}
	slots := outcome(t, p, nil, c.images, tensorIn(c.in, c.z), vectorIn(stats), tensorIn(c.out, c.dy), slotsFor(p, c.images))[0]
	finish, err := NewBatchNormGradFinish(c.in, testEpsilon, fixed)
	n := roundUp(c.in.C, Lanes)
	got := outcome(t, finish, err, c.images, vectorIn(slots), vectorIn(stats), vectorIn(c.gamma),
		vectorOut(n), vectorOut(n), vectorOut(CoefficientsLen(c.in.C)))
	dx, err := NewBatchNormGradX(set, c.in, c.out, c.in, flags)
	dz := outcome(t, dx, err, c.images, tensorIn(c.in, c.z), vectorIn(stats), tensorIn(c.out, c.dy), vectorIn(got[2]), tensorOut(c.in))[0]
	over, err := NewBatchNormGradX(set, c.in, c.out, c.out, flags)
	if err != nil {
		t.Fatal(err)
	}
	z, dy := place(c.in, c.images, c.z), place(c.out, c.images, c.dy)
	run1(over, Args{Images: c.images, Operand: [8]uintptr{z.address(), Address(stats), dy.address(), Address(got[2]), dy.address()}})
	sameBits(t, "dz written over dy", take(t, c.out, c.images, dy), dz)
	return append(got, dz)
}

// TestBatchNormGrad compares with the derivative by definition, in float64, of sum dy*y.
func TestBatchNormGrad(t *testing.T) {
	eachNorm(t, func(t *testing.T, c normCase) {
		for _, relu := range []bool{false, true} {
			for _, fixed := range []bool{false, true} {
				c.checkGradients(t, relu, fixed)
			}
		}
	})
}

func (c normCase) checkGradients(t *testing.T, relu, fixed bool) {
	flags := 0
	if relu {
		flags = ReLU
	}
	mean, variance := c.moments(widen(c.z))
	if fixed {
		mean, variance = widen(c.mean), widen(c.variance)
	}
	got := sameOnAll(t, func(set *Set) [][]float32 {
		stats := c.statistics(t, set)[0]
		if fixed {
			p, err := NewBatchNormScale(c.in, testEpsilon)
			stats = outcome(t, p, err, c.images, vectorIn(c.gamma), vectorIn(c.beta), vectorIn(c.mean), vectorIn(c.variance),
				vectorOut(StatsLen(c.in.C)))[0]
		}
		return append(c.gradients(t, set, stats, flags, fixed), stats)
	})
	scale, shift := part(t, got[4], statScale, c.in.C), part(t, got[4], statShift, c.in.C)
	dgamma, dbeta := make([]float64, c.in.C), make([]float64, c.in.C)
	g, xhat := make([]float64, len(c.z)), make([]float64, len(c.z))
	size := make([]float64, c.in.C) // sums of absolute terms, for the bounds
	for i, v := range c.z {
		k := c.channel(i)
		if !relu || asm.FMA(v, scale[k], shift[k]) > 0 {
			g[i] = float64(c.dy[i])
		}
		xhat[i] = (float64(v) - mean[k]) / math.Sqrt(variance[k]+testEpsilon)
		dgamma[k] += g[i] * xhat[i]
		dbeta[k] += g[i]
		size[k] += math.Abs(g[i]) * (1 + math.Abs(xhat[i]) + math.Abs(float64(v)))
	}
	dz := make([]float64, len(c.z))
	n := float64(c.elements() / c.in.C)
	for i := range dz {
		k := c.channel(i)
		dz[i] = g[i]
		if !fixed {
			dz[i] -= dbeta[k]/n + xhat[i]*dgamma[k]/n
		}
		dz[i] *= float64(c.gamma[k]) / math.Sqrt(variance[k]+testEpsilon)
	}
	// Statistics are float32: relative error 2^-24 of the mean moves xhat by 2^-24 |mean|/sigma, and of
	// the variance moves it by 2^-25 of itself.
	slack := make([]float64, c.in.C)
	for k := range slack {
		slack[k] = 4 * 0x1p-24 * (1 + math.Abs(mean[k])/math.Sqrt(variance[k]+testEpsilon))
	}
	for k := range dgamma {
		relative(t, "dgamma", part(t, got[0], 0, c.in.C)[k:k+1], dgamma[k:k+1], 2, slack[k]*size[k])
		relative(t, "dbeta", part(t, got[1], 0, c.in.C)[k:k+1], dbeta[k:k+1], 1.01, 1e-14*size[k])
	}
	for i := range dz {
		k := c.channel(i)
		factor := math.Abs(float64(c.gamma[k])) / math.Sqrt(variance[k]+testEpsilon)
		bound := factor * slack[k] * (math.Abs(g[i]) + (1+math.Abs(xhat[i]))*(1+size[k]/n))
		relative(t, "dz", got[3][i:i+1], dz[i:i+1], 0, bound)
	}
}

// TestBatchNormDifferences checks the formulas themselves by central differences through forward passes
// in float64.
func TestBatchNormDifferences(t *testing.T) {
	eachNorm(t, func(t *testing.T, c normCase) {
		z := widen(c.z)
		loss := func() (sum float64) {
			mean, variance := c.moments(z)
			for i, y := range c.apply(z, mean, variance, true) {
				sum += y * float64(c.dy[i])
			}
			return sum
		}
		got := c.gradients(t, Go, c.statistics(t, Go)[0], ReLU, false)[3]
		for i := 0; i < len(z); i += 1 + len(z)/50 {
			const h = 1e-5
			at := z[i]
			z[i] = at + h
			up := loss()
			z[i] = at - h
			down := loss()
			z[i] = at
			middle := loss()
			if math.Abs((up-middle)-(middle-down)) > 1e-8 {
				continue // an element near the kink of ReLU
			}
			if want := (up - down) / (2 * h); math.Abs(float64(got[i])-want) > 2e-4*(1+math.Abs(want)) {
				t.Errorf("dz[%d] = %v, differences give %v", i, got[i], want)
			}
		}
	})
}

func TestNormErrors(t *testing.T) {
	in := Blocked(16, 4, 4, 0)
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		for name, err := range map[string]error{
			"batch":    errorOf(NewBatchStatsFinish(in, bad, 0.9)),
			"fixed":    errorOf(NewBatchNormScale(in, bad)),
			"gradient": errorOf(NewBatchNormGradFinish(in, bad, false)),
			"group":    errorOf(NewGroupNormFinish(in, 2, bad)),
			"layer":    errorOf(NewLayerNorm(Go, in, in, bad)),
		} {
			if err == nil {
				t.Errorf("%s: epsilon %v: no error", name, bad)
			}
		}
	}
	for _, bad := range []float64{-0.1, 1.5, math.NaN()} {
		if _, err := NewBatchStatsFinish(in, 1e-5, bad); err == nil {
			t.Errorf("momentum %v: no error", bad)
		}
	}
	for _, bad := range []int{0, -1, 3} {
		if _, err := NewGroupNormFinish(in, bad, 0); err == nil {
			t.Errorf("%d groups of 16 channels: no error", bad)
		}
	}
}
