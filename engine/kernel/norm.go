package kernel

import (
	"fmt"
	"math"

	"regraft/engine/kernel/asm"
)

// BatchNorm (Ioffe and Szegedy, 2015) in PyTorch's semantics. In training the forward pass is
//
//	BatchStats -> BatchStatsFinish -> Affine with the scale and shift of the statistics
//
// and the backward pass, from the gradient dy of what Affine gave (behind ReLU where it had that flag),
//
//	BatchNormGradSums -> BatchNormGradFinish -> BatchNormGradX
//
// The statistics of one BatchNorm lie together: four vectors of C floats, each rounded up to whole
// blocks: mean, biased variance, scale = gamma / sqrt(variance + epsilon), shift = beta - mean*scale.

// The parts of the statistics, in units of C rounded up.
const (
	statMean = iota
	statVariance
	statScale
	statShift
	statParts
)

// StatsLen is the number of floats of the statistics of c channels.
func StatsLen(c int) int { return statParts * roundUp(c, Lanes) }

// StatsPart is where the scale (and behind it the shift) begin in the statistics of c channels, for Affine.
func StatsPart(c int) (scale, shift int) {
	return statScale * roundUp(c, Lanes), statShift * roundUp(c, Lanes)
}

const batchStatsKernel planeKernel = "batchstats"

// NewBatchStats sums the elements and their squares of every plane. Operands: 0 X, 1 slots. Item: one plane.
func NewBatchStats(set *Set, in Layout) (Slotted, error) {
	x := tensor{0, in}
	p, err := newPlanes(set, batchStatsKernel, x, x, x)
	if err != nil {
		return nil, err
	}
	p.sums, p.slots = 2, 1
	return p, nil
}

// batchStatsFinish turns the sums into statistics and updates the running ones.
type batchStatsFinish struct {
	in                Layout
	epsilon, momentum float64
}

// NewBatchStatsFinish makes the statistics of the batch from the slots of NewBatchStats for the same
// layout, and moves the running statistics: r = momentum r + (1-momentum) batch, with the unbiased
// variance as PyTorch (whose momentum is 1 - ONNX's, which is meant here). Operands: 0 slots, 1 gamma,
// 2 beta, 3 running mean, 4 running variance (C floats each, rounded up to whole blocks; 3 and 4 are
// both 0 to leave running statistics alone), 5 statistics. Item: one block.
func NewBatchStatsFinish(in Layout, epsilon, momentum float64) (Primitive, error) {
	if err := checkNorm(in, epsilon); err != nil {
		return nil, err
	}
	if !(momentum >= 0 && momentum <= 1) {
		return nil, fmt.Errorf("batchnorm: momentum %g, must lie in [0, 1]", momentum)
	}
	return &batchStatsFinish{in, epsilon, momentum}, nil
}

func checkNorm(in Layout, epsilon float64) error {
	if !(epsilon >= 0) || math.IsInf(epsilon, 0) {
		return fmt.Errorf("batchnorm: epsilon %g, must be finite and not negative", epsilon)
	}
	if !in.blocked() || min(in.C, in.H, in.W) < 1 {
		return fmt.Errorf("batchnorm: layout %v, must be blocked and not empty", in)
	}
	return nil
}

func (p *batchStatsFinish) Name() string  { return "batchstats_finish" }
func (p *batchStatsFinish) Items(int) int { return p.in.Blocks() }

func (p *batchStatsFinish) Item(_ *Worker, block int, a *Args) {
	var sums [2][Lanes]float64
	addSlots(sums[:], a.Operand[0], p.in.Blocks(), block, a.Images)
	n := float64(a.Images * p.in.H * p.in.W)
	unbiased := 1.0
	if n > 1 {
		unbiased = n / (n - 1)
	}
	at := func(operand int) *[Lanes]float32 { return asm.LanesAt(a.Operand[operand] + uintptr(4*block*Lanes)) }
	gamma, beta := at(1), at(2)
	stats := statsAt(a.Operand[5], p.in, block)
	for c := range stats.lanes {
		mean := sums[0][c] / n
		variance := max(sums[1][c]/n-float64(mean*mean), 0)
		stats.set(c, mean, variance, gamma[c], beta[c], p.epsilon)
		if a.Operand[3] != 0 {
			p.move(&at(3)[c], mean)
			p.move(&at(4)[c], float64(variance*unbiased))
		}
	}
}

// move lets a running statistic follow the batch.
func (p *batchStatsFinish) move(running *float32, batch float64) {
	*running = float32(float64(p.momentum*float64(*running)) + float64((1-p.momentum)*batch))
}

// statistics is one block of the statistics of a BatchNorm.
type statistics struct {
	mean, variance, scale, shift *[Lanes]float32
	lanes                        int // real channels
}

// statsAt finds a block and clears it.
func statsAt(p uintptr, l Layout, block int) statistics {
	part := func(i int) *[Lanes]float32 {
		v := asm.LanesAt(p + uintptr(4*(i*roundUp(l.C, Lanes)+block*Lanes)))
		*v = [Lanes]float32{}
		return v
	}
	return statistics{
		part(statMean), part(statVariance), part(statScale), part(statShift),
		min(Lanes, l.C-block*Lanes),
	}
}

func (s statistics) set(c int, mean, variance float64, gamma, beta float32, epsilon float64) {
	scale := float64(gamma) / math.Sqrt(variance+epsilon)
	s.mean[c], s.variance[c] = float32(mean), float32(variance)
	s.scale[c], s.shift[c] = float32(scale), float32(float64(beta)-float64(mean*scale))
}

// fixedStats takes given statistics in place of the batch's.
type fixedStats struct {
	in      Layout
	epsilon float64
}

// NewBatchNormScale makes the statistics for BatchNorm with fixed (running) mean and variance, its
// inference form. Operands: 0 gamma, 1 beta, 2 mean, 3 variance (C floats each, rounded up to whole
// blocks), 4 statistics. Item: one block.
func NewBatchNormScale(in Layout, epsilon float64) (Primitive, error) {
	if err := checkNorm(in, epsilon); err != nil {
		return nil, err
	}
	return &fixedStats{in, epsilon}, nil
}

func (p *fixedStats) Name() string  { return "batchnorm_scale" }
func (p *fixedStats) Items(int) int { return p.in.Blocks() }

func (p *fixedStats) Item(_ *Worker, block int, a *Args) {
	at := func(operand int) *[Lanes]float32 { return asm.LanesAt(a.Operand[operand] + uintptr(4*block*Lanes)) }
	gamma, beta, mean, variance := at(0), at(1), at(2), at(3)
	stats := statsAt(a.Operand[4], p.in, block)
	for c := range stats.lanes {
		stats.set(c, float64(mean[c]), float64(variance[c]), gamma[c], beta[c], p.epsilon)
	}
}
