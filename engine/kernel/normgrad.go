package kernel

import (
	"math"

	"regraft/engine/kernel/asm"
)

// g is the gradient behind BatchNorm: dy, or with flag ReLU dy where scale*z + shift > 0 (the very bits
// that Affine with ReLU let through) and 0 elsewhere. With x = (z - mean) / sqrt(variance + epsilon):
//
//	dbeta = sum g, dgamma = sum g x
//	dz = gamma / sqrt(variance + epsilon) * (g - dbeta/n - x dgamma/n)
//
// In float64 sum g (z - mean) loses nothing when it is computed as sum g z - mean sum g.

const (
	normSumsKernel planeKernel = "normsums"
	normGradKernel planeKernel = "normgrad"
)

// NewBatchNormGradSums makes the sums of g and g*z of every plane. Operands: 0 Z (what BatchNorm was
// given), 1 statistics, 2 dY, 3 slots. Flag ReLU: dY is the gradient behind the ReLU. Item: one plane.
func NewBatchNormGradSums(set *Set, z, dy Layout, flags int) (Slotted, error) {
	x := tensor{0, z}
	p, err := newPlanes(set, normSumsKernel, x, tensor{2, dy}, x)
	if err != nil {
		return nil, err
	}
	p.sums, p.slots = 2, 3
	p.vectors = mask(z.C, flags)
	return p, nil
}

// mask is where scale and shift of the mask come from; 0*z + 1 > 0 lets everything through.
func mask(c, flags int) []vector {
	if flags&ReLU == 0 {
		return []vector{{constant: &zeroLanes}, {constant: &oneLanes}}
	}
	scale, shift := StatsPart(c)
	return []vector{{at: 1, skip: scale}, {at: 1, skip: shift}}
}

// batchNormGradFinish turns the sums into the gradients of the parameters and the coefficients of dz.
type batchNormGradFinish struct {
	z       Layout
	epsilon float64
	fixed   bool
}

// The coefficients of dz = k1 g - k2 - k3 (z - mean), in units of C rounded up.
const coefficientParts = 3

// CoefficientsLen is the number of floats of the coefficients operand for c channels.
func CoefficientsLen(c int) int { return coefficientParts * roundUp(c, Lanes) }

// NewBatchNormGradFinish takes the slots of NewBatchNormGradSums for the same z. With fixed statistics
// (NewBatchNormScale) mean and variance do not depend on z, and dz = k1 g. Operands: 0 slots,
// 1 statistics, 2 gamma, 3 dgamma, 4 dbeta (C floats each, rounded up to whole blocks),
// 5 coefficients. Item: one block.
func NewBatchNormGradFinish(z Layout, epsilon float64, fixed bool) (Primitive, error) {
	if err := checkNorm(z, epsilon); err != nil {
		return nil, err
	}
	return &batchNormGradFinish{z, epsilon, fixed}, nil
}

func (p *batchNormGradFinish) Name() string  { return "normgrad_finish" }
func (p *batchNormGradFinish) Items(int) int { return p.z.Blocks() }

func (p *batchNormGradFinish) Item(_ *Worker, block int, a *Args) {
	var sums [2][Lanes]float64
	addSlots(sums[:], a.Operand[0], p.z.Blocks(), block, a.Images)
	n := float64(a.Images * p.z.H * p.z.W)
	at := func(operand, part int) *[Lanes]float32 {
		return asm.LanesAt(a.Operand[operand] + uintptr(4*(part*roundUp(p.z.C, Lanes)+block*Lanes)))
	}
	mean, variance, gamma := at(1, statMean), at(1, statVariance), at(2, 0)
	dgamma, dbeta := at(3, 0), at(4, 0)
	k1, k2, k3 := at(5, 0), at(5, 1), at(5, 2)
	for c := range Lanes {
		dgamma[c], dbeta[c], k1[c], k2[c], k3[c] = 0, 0, 0, 0, 0
		if block*Lanes+c >= p.z.C {
			continue
		}
		inverse := 1 / math.Sqrt(float64(variance[c])+p.epsilon)
		centred := sums[1][c] - float64(float64(mean[c])*sums[0][c])
		dgamma[c], dbeta[c] = float32(centred*inverse), float32(sums[0][c])
		scale := float64(gamma[c]) * inverse
		k1[c] = float32(scale)
		if !p.fixed {
			k2[c] = float32(scale * sums[0][c] / n)
			k3[c] = float32(scale * inverse * inverse * centred / n)
		}
	}
}

// NewBatchNormGradX writes the gradient of BatchNorm's input; dZ may be the memory of dY where the
// layouts agree. Operands: 0 Z, 1 statistics, 2 dY, 3 coefficients, 4 dZ. Flag ReLU as in
// NewBatchNormGradSums. Item: one plane.
func NewBatchNormGradX(set *Set, z, dy, dz Layout, flags int) (Primitive, error) {
	p, err := newPlanes(set, normGradKernel, tensor{0, z}, tensor{2, dy}, tensor{4, dz})
	if err != nil {
		return nil, err
	}
	channels := roundUp(z.C, Lanes)
	p.vectors = append(mask(z.C, flags), vector{at: 1, skip: statMean * channels})
	for i := range coefficientParts {
		p.vectors = append(p.vectors, vector{at: 3, skip: i * channels})
	}
	return p, nil
}
