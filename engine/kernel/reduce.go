package kernel

import "regraft/engine/kernel/asm"

// Sums over pixels are made in float64, pixel after pixel in row-major order, and written to one slot
// of sixteen sums for every plane; a second primitive adds the slots in the order of the images. So the
// bits depend neither on the number of threads nor on the instruction set, and float32 inputs lose
// nothing that float32 results could show.

const sumKernel planeKernel = "sum"

// Slotted is a reduction over planes; see its constructor for the operands.
type Slotted interface {
	Primitive
	// Slots is the number of floats of the slots operand.
	Slots(images int) int
}

// NewChannelSum sums every plane, the first phase of the gradient of a bias. Operands: 0 X, 1 slots.
// Item: one plane. A (N, F) matrix is one image: Images is 1.
func NewChannelSum(set *Set, in Layout) (Slotted, error) { return newChannelSum(set, in) }

func newChannelSum(set *Set, in Layout) (*planes, error) {
	x := tensor{0, in}
	p, err := newPlanes(set, sumKernel, x, x, x)
	if err != nil {
		return nil, err
	}
	p.sums, p.slots = 1, 1
	return p, nil
}

// channelSumFinish adds the slots of a channelSum.
type channelSumFinish struct{ in Layout }

// NewChannelSumFinish adds the slots of NewChannelSum for the same layout. Operands: 0 slots, 1 the sums
// (C floats rounded up to whole blocks). Item: one block.
func NewChannelSumFinish(in Layout) Primitive { return &channelSumFinish{in} }

func (p *channelSumFinish) Name() string  { return "sum_finish" }
func (p *channelSumFinish) Items(int) int { return p.in.Blocks() }

func (p *channelSumFinish) Item(_ *Worker, block int, a *Args) {
	var sum [1][Lanes]float64
	addSlots(sum[:], a.Operand[0], p.in.Blocks(), block, a.Images)
	out := asm.LanesAt(a.Operand[1] + uintptr(4*block*Lanes))
	for c := range out {
		out[c] = float32(sum[0][c])
	}
}

// addSlots adds the slots of one block over the images, in their order. Every slot has len(sums) sums
// for each channel.
func addSlots(sums [][Lanes]float64, slots uintptr, blocks, block, images int) {
	size := uintptr(len(sums) * Lanes * 8)
	for n := range images {
		slot := slots + uintptr(n*blocks+block)*size
		for i := range sums {
			for c, v := range asm.SumsAt(slot + uintptr(i*Lanes*8)) {
				sums[i][c] += v
			}
		}
	}
}
