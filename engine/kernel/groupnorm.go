package kernel

import (
	"fmt"
	"math"

	"regraft/engine/kernel/asm"
)

// GroupNorm normalises every image over groups of channels (InstanceNorm: over single ones). It goes the way of BatchNorm, with
// statistics of every image: NewBatchStats → NewGroupNormFinish → NewGroupNormApply, and backwards NewBatchNormGradSums →
// NewGroupNormGradFinish → NewGroupNormGradX and NewGroupNormReduce.

// Parts of an image's statistics, one float per channel each.
const (
	groupMean = iota
	groupInverse
	groupScale
	groupShift
	groupParts
)

// GroupStatsLen is the number of floats of the statistics of images of c channels, GroupCoefficientsLen of what
// NewGroupNormGradFinish makes.
func GroupStatsLen(images, c int) int { return images * groupParts * roundUp(c, Lanes) }

// GroupCoefficientsLen is the number of floats of the coefficients of the data gradient.
func GroupCoefficientsLen(images, c int) int { return images * coefficientParts * roundUp(c, Lanes) }

// groupNorm is what the steps between the passes over pixels know.
type groupNorm struct {
	name    string
	in      Layout
	groups  int
	epsilon float64
	item    func(p *groupNorm, image int, a *Args)
}

func newGroupNorm(name string, in Layout, groups int, epsilon float64, item func(p *groupNorm, image int, a *Args)) (Primitive, error) {
	if err := checkNorm(in, epsilon); err != nil {
		return nil, err
	}
	if groups < 1 || in.C%groups != 0 {
		return nil, fmt.Errorf("groupnorm: %d groups of %d channels", groups, in.C)
	}
	return &groupNorm{name, in, groups, epsilon, item}, nil
}

func (p *groupNorm) Name() string                       { return p.name }
func (p *groupNorm) Items(images int) int               { return images }
func (p *groupNorm) Item(_ *Worker, image int, a *Args) { p.item(p, image, a) }

// sums gives both sums of a channel of an image in the slots of NewBatchStats or NewBatchNormGradSums.
func (p *groupNorm) sums(slots uintptr, image, c int) (sum, product float64) {
	slot := slots + uintptr((image*p.in.Blocks()+c/Lanes)*2*Lanes*8)
	return asm.SumsAt(slot)[c%Lanes], asm.SumsAt(slot + Lanes*8)[c%Lanes]
}

// parts gives the vectors of an image in a block of that many each.
func (p *groupNorm) parts(at uintptr, image, count int) [][]float32 {
	channels := roundUp(p.in.C, Lanes)
	all := asm.FloatsAt(at+uintptr(4*image*count*channels), count*channels)
	parts := make([][]float32, count)
	for k := range parts {
		parts[k] = all[k*channels : (k+1)*channels]
	}
	return parts
}

// NewGroupNormFinish makes the statistics of images of layout in out of their sums. Operands: 0 slots, 1 gamma, 2 beta,
// 3 statistics (GroupStatsLen). Item: one image.
func NewGroupNormFinish(in Layout, groups int, epsilon float64) (Primitive, error) {
	return newGroupNorm("groupnorm_finish", in, groups, epsilon, (*groupNorm).finish)
}

func (p *groupNorm) finish(image int, a *Args) {
	gamma, beta := asm.FloatsAt(a.Operand[1], p.in.C), asm.FloatsAt(a.Operand[2], p.in.C)
	stats := p.parts(a.Operand[3], image, groupParts)
	for _, s := range stats {
		clear(s)
	}
	size := p.in.C / p.groups
	n := float64(size * p.in.H * p.in.W)
	for first := 0; first < p.in.C; first += size {
		sum, squares := 0.0, 0.0
		for c := first; c < first+size; c++ {
			s, q := p.sums(a.Operand[0], image, c)
			sum += s
			squares += q
		}
		mean := sum / n
		inverse := 1 / math.Sqrt(max(squares/n-float64(mean*mean), 0)+p.epsilon)
		for c := first; c < first+size; c++ {
			scale := float64(gamma[c]) * inverse
			stats[groupMean][c], stats[groupInverse][c] = float32(mean), float32(inverse)
			stats[groupScale][c], stats[groupShift][c] = float32(scale), float32(float64(beta[c])-float64(mean*scale))
		}
	}
}

// imageVector is part k of count vectors that every image has at an operand.
func imageVector(at, k, count, c int) vector {
	channels := roundUp(c, Lanes)
	return vector{at: at, rows: &Layout{W: 1, Base: k * channels, Image: count * channels, Plane: Lanes}}
}

// NewGroupNormApply is the normalisation itself; flags may be ReLU. Operands: 0 X, 1 statistics, 2 Y. Item: one plane.
func NewGroupNormApply(set *Set, in, out Layout, flags int) (Primitive, error) {
	x := tensor{0, in}
	p, err := newPlanes(set, affineKernel, x, x, tensor{2, out})
	if err != nil {
		return nil, err
	}
	p.vectors = []vector{imageVector(1, groupScale, groupParts, in.C), imageVector(1, groupShift, groupParts, in.C)}
	p.low, err = lowest(flags)
	return p, err
}

// NewGroupNormGradFinish makes the coefficients of the data gradient. Operands: 0 slots of NewBatchNormGradSums, 1 statistics,
// 2 gamma, 3 coefficients (GroupCoefficientsLen). Item: one image.
func NewGroupNormGradFinish(in Layout, groups int) (Primitive, error) {
	return newGroupNorm("groupnormgrad_finish", in, groups, 0, (*groupNorm).gradFinish)
}

func (p *groupNorm) gradFinish(image int, a *Args) {
	stats, gamma := p.parts(a.Operand[1], image, groupParts), asm.FloatsAt(a.Operand[2], p.in.C)
	k := p.parts(a.Operand[3], image, coefficientParts)
	for _, v := range k {
		clear(v)
	}
	size := p.in.C / p.groups
	n := float64(size * p.in.H * p.in.W)
	for first := 0; first < p.in.C; first += size {
		mean, inverse := float64(stats[groupMean][first]), float64(stats[groupInverse][first])
		sum, centred := 0.0, 0.0
		for c := first; c < first+size; c++ {
			s, q := p.sums(a.Operand[0], image, c)
			sum += float64(float64(gamma[c]) * s)
			centred += float64(float64(gamma[c]) * (q - float64(mean*s)))
		}
		for c := first; c < first+size; c++ {
			k[0][c] = float32(float64(gamma[c]) * inverse)
			k[1][c] = float32(inverse * sum / n)
			k[2][c] = float32(inverse * inverse * inverse * centred / n)
		}
	}
}

// NewGroupNormGradX is the data gradient. Operands: 0 X, 1 statistics, 2 dY, 3 coefficients, 4 dX, which may be the memory of
// dY. Item: one plane.
func NewGroupNormGradX(set *Set, x, dy, dx Layout) (Primitive, error) {
	p, err := newPlanes(set, normGradKernel, tensor{0, x}, tensor{2, dy}, tensor{4, dx})
	if err != nil {
		return nil, err
	}
	p.vectors = append(mask(x.C, 0), imageVector(1, groupMean, groupParts, x.C))
	for i := range coefficientParts {
		p.vectors = append(p.vectors, imageVector(3, i, coefficientParts, x.C))
	}
	return p, nil
}

// groupNormReduce adds up the gradients of gamma and beta over the images.
type groupNormReduce struct {
	groupNorm
	out Layout
}

// NewGroupNormReduce gives a matrix (2, C): the sums of dY, and of dY times normalised X. Operands: 0 slots of
// NewBatchNormGradSums, 1 statistics, 2 the matrix. Item: all of it.
func NewGroupNormReduce(in, out Layout) (Primitive, error) {
	if err := checkNorm(in, 0); err != nil {
		return nil, err
	}
	if err := checkRowsOf("groupnorm's sums", out, in.C); err != nil {
		return nil, err
	}
	if out.W != 2 {
		return nil, fmt.Errorf("groupnorm's sums: layout %v, must be a matrix of two rows", out)
	}
	return &groupNormReduce{groupNorm{name: "groupnorm_reduce", in: in}, out}, nil
}

// Items is one.
func (p *groupNormReduce) Items(int) int { return 1 }

func (p *groupNormReduce) Item(_ *Worker, _ int, a *Args) {
	out := tensor{2, p.out}
	for c := range roundUp(p.in.C, Lanes) {
		sum, centred := 0.0, 0.0
		for image := range a.Images {
			if c >= p.in.C {
				break // the lanes past the last channel stay 0
			}
			stats := p.parts(a.Operand[1], image, groupParts)
			s, q := p.sums(a.Operand[0], image, c)
			sum += s
			centred += float64((q - float64(float64(stats[groupMean][c])*s)) * float64(stats[groupInverse][c]))
		}
		plane := out.plane(a, 0, c/Lanes)
		asm.LanesAt(plane)[c%Lanes] = float32(sum)
		asm.LanesAt(plane + uintptr(4*p.out.Pixel))[c%Lanes] = float32(centred)
	}
}
