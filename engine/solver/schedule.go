package solver

import (
	"fmt"
	"math"
)

// Schedule is the factor on the base learning rate at a point of the training, counted in epochs
// (2.5: halfway through the third). It is a pure function, so that a resumed run needs no state.
type Schedule func(epoch float64) float64

// Constant keeps the base rate.
func Constant() Schedule { return func(float64) float64 { return 1 } }

// Step multiplies the rate by gamma after every so many epochs (PyTorch's StepLR).
func Step(every int, gamma float64) (Schedule, error) {
	if every < 1 || !(gamma > 0 && gamma <= 1) {
		return nil, fmt.Errorf("schedule step: every %d epochs times %g: want at least 1 epoch and a factor in (0, 1]", every, gamma)
	}
	return func(epoch float64) float64 { return power(gamma, int(math.Max(epoch, 0))/every) }, nil
}

// Cosine falls from 1 to 0 along half a cosine in the given number of epochs, and stays there
// (Loshchilov and Hutter, SGDR, 2017, without restarts; PyTorch's CosineAnnealingLR).
func Cosine(epochs float64) (Schedule, error) {
	if !(epochs > 0) {
		return nil, fmt.Errorf("schedule cosine: over %g epochs: want more than 0", epochs)
	}
	return func(epoch float64) float64 { return anneal(1, 0, epoch/epochs) }, nil
}

// OneCycle rises from 1/25 to 1 in the given share of all epochs, then falls to 1/250000, both along
// half a cosine (Smith and Topin, Super-Convergence, 2018; PyTorch's OneCycleLR, whose max_lr is the
// base rate here).
func OneCycle(epochs, rising float64) (Schedule, error) {
	if !(epochs > 0) || !(rising > 0 && rising < 1) {
		return nil, fmt.Errorf("schedule onecycle: %g epochs, rising for a share of %g: want more than 0 epochs and a share in (0, 1)", epochs, rising)
	}
	const first, last = 1. / 25, 1. / 25e4
	peak := epochs * rising
	return func(epoch float64) float64 {
		if epoch < peak {
			return anneal(first, 1, epoch/peak)
		}
		return anneal(1, last, (epoch-peak)/(epochs-peak))
	}, nil
}

// WarmUp rises linearly from start to 1 in the given number of epochs; s begins after that.
func WarmUp(epochs, start float64, s Schedule) (Schedule, error) {
	if !(epochs >= 0) || !(start >= 0 && start <= 1) {
		return nil, fmt.Errorf("warm-up of %g epochs from %g: want at least 0 epochs and a start in [0, 1]", epochs, start)
	}
	return func(epoch float64) float64 {
		if epoch >= epochs {
			return s(epoch - epochs)
		}
		return float64((start + float64((1-start)*max(epoch, 0)/epochs)) * s(0))
	}, nil
}

// Plateau is the factor after the given history of a quantity that should fall, one value per epoch:
// times gamma whenever more than patience epochs in a row were not better than the best before by one
// part in 10^4 (PyTorch's ReduceLROnPlateau with its default threshold).
func Plateau(history []float64, gamma float64, patience int) float64 {
	const threshold = 1e-4
	factor, best, bad := 1.0, math.Inf(1), 0
	for _, v := range history {
		if v < float64(best*(1-threshold)) {
			best, bad = v, 0
			continue
		}
		if bad++; bad > patience {
			factor, bad = float64(factor*gamma), 0
		}
	}
	return factor
}

// anneal goes from a (t <= 0) to b (t >= 1) along half a cosine.
func anneal(a, b, t float64) float64 {
	return b + float64((a-b)*halfCosine(t))
}

// halfCosine is (1 + cos(pi t)) / 2, held at its ends outside [0, 1]. Go's Cos may fuse products on
// some machines and give other bits; here it is sin(pi (1-t)/2)^2 or 1 - sin(pi t/2)^2, whichever has
// the smaller angle, and the sine is its power series in explicit single operations.
func halfCosine(t float64) float64 {
	t = min(max(t, 0), 1)
	if t > 0.5 {
		return sineSquared(1 - t)
	}
	return 1 - sineSquared(t)
}

// sineSquared is sin(pi t/2)^2 for t in [0, 0.5].
func sineSquared(t float64) float64 {
	x := float64(t * (math.Pi / 2))
	x2 := float64(x * x)
	sum := 1.0
	for n := 16.0; n > 0; n -= 2 { // the first term left out is below x^18/19! < 2^-63
		sum = 1 - float64(x2*sum)/float64(n*(n+1))
	}
	s := float64(x * sum)
	return float64(s * s)
}

// power is x to the n-th by squaring.
func power(x float64, n int) float64 {
	y := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			y = float64(y * x)
		}
		x = float64(x * x)
	}
	return y
}

// sqrt32 is the root of x, rounded to float32.
func sqrt32(x float64) float32 { return float32(math.Sqrt(x)) }
