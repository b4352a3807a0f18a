package train

import (
	"runtime"
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/session"
)

// products are features in the layout of engine/kernel's matrices, in chunks of photos, with the products that linear classifiers
// need: scores = X W and dW = X' dScores. They are in float32, each sum over a chunk one chain, whatever the instruction set and the
// number of columns of W.
type products struct {
	x       *features
	set     *kernel.Set
	columns int // of W: the classes of all classifiers
	size    int // photos of a chunk
	chunks  []chunkOfRows
}

// chunkOfRows are the features of some photos, and the kernels for so many.
type chunkOfRows struct {
	first, photos int
	x             []float32
	*chunkKernels
}

// chunkKernels multiply matrices of so many rows.
type chunkKernels struct {
	in, out  kernel.Layout
	forward  *kernel.Conv
	backward *kernel.ConvGradW
}

// leastChunk is the photos of a chunk where there are few: their features stay in the cache between both products.
const leastChunk = 128

// newProducts packs the features, which it copies, for one classifier.
func newProducts(x *features, classes int) (*products, error) {
	native, err := session.Native(false)
	if err != nil {
		return nil, err
	}
	p := &products{x: x, set: native.ISA, columns: classes, size: max(leastChunk, (x.photos()+31)/32)}
	for first := 0; first < x.photos(); first += p.size {
		n := min(p.size, x.photos()-first)
		in := kernel.Matrix(n*x.positions, x.f)
		c := chunkOfRows{first: first, photos: n, x: kernel.Aligned(in.Len(1))}
		for i := range n {
			for pos := range x.positions {
				row := x.of(first + i)[pos*x.f : (pos+1)*x.f]
				for f, v := range row {
					c.x[at(in, i*x.positions+pos, f)] = v
				}
			}
		}
		p.chunks = append(p.chunks, c)
	}
	return p, p.takeKernels()
}

// times are products of the same features, which they share, for n times as many columns.
func (p *products) times(n int) (*products, error) {
	t := *p
	t.columns, t.chunks = n*p.columns, slices.Clone(p.chunks)
	return &t, t.takeKernels()
}

// takeKernels gives the chunks kernels for so many columns.
func (p *products) takeKernels() error {
	kernels := map[int]*chunkKernels{}
	for i := range p.chunks {
		c := &p.chunks[i]
		if kernels[c.photos] == nil {
			k, err := newChunkKernels(p.set, c.photos*p.x.positions, p.x.f, p.columns)
			if err != nil {
				return err
			}
			kernels[c.photos] = k
		}
		c.chunkKernels = kernels[c.photos]
	}
	return nil
}

func newChunkKernels(set *kernel.Set, rows, f, columns int) (*chunkKernels, error) {
	s := kernel.ConvShape{Cin: f, Cout: columns, H: 1, W: rows, OH: 1, OW: rows, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
	k := &chunkKernels{in: kernel.Matrix(rows, f), out: kernel.Matrix(rows, columns)}
	var err error
	if k.forward, err = kernel.NewConv(set, s, k.in, k.out, 0); err != nil {
		return nil, err
	}
	k.backward, err = kernel.NewConvGradW(set, s, k.in, k.out)
	return k, err
}

// at is where a matrix has the number of a row and a column.
func at(l kernel.Layout, row, column int) int {
	return l.Base + column/kernel.Lanes*l.Plane + row*kernel.Lanes + column%kernel.Lanes
}

// blocks of lanes hold so many columns.
func blocks(columns int) int { return (columns + kernel.Lanes - 1) / kernel.Lanes }

// packed is the number of packed weights.
func (p *products) packed() int {
	return blocks(p.columns) * blocks(p.x.f) * kernel.Lanes * kernel.Lanes
}

// weightAt is where packed weights have that of a column and a feature: [block of columns][block of features][feature][column].
func (p *products) weightAt(column, f int) int {
	return (column/kernel.Lanes*blocks(p.x.f)*kernel.Lanes+f)*kernel.Lanes + column%kernel.Lanes
}

// multiplier is what one thread needs for the products.
type multiplier struct {
	worker *kernel.Worker
	scores []float32 // of a chunk, then their gradient
}

func (p *products) newMultiplier() *multiplier {
	return &multiplier{kernel.NewWorker(0), kernel.Aligned(p.chunks[0].out.Len(1))}
}

// forward fills m.scores with X W + bias.
func (m *multiplier) forward(c *chunkOfRows, weights, bias []float32) {
	m.run(c.chunkKernels.forward, kernel.Args{
		Operand: [8]uintptr{kernel.Address(c.x), kernel.Address(weights), kernel.Address(bias), kernel.Address(m.scores)}, Images: 1,
	})
	runtime.KeepAlive(weights)
	runtime.KeepAlive(bias)
}

// backward fills packed with X' times the gradient that m.scores hold.
func (m *multiplier) backward(c *chunkOfRows, packed []float32) {
	m.run(c.chunkKernels.backward, kernel.Args{
		Operand: [8]uintptr{kernel.Address(c.x), kernel.Address(m.scores), kernel.Address(packed)}, Images: 1,
	})
	runtime.KeepAlive(packed)
}

func (m *multiplier) run(p kernel.Primitive, a kernel.Args) {
	for i := range p.Items(1) {
		p.Item(m.worker, i, &a)
	}
	runtime.KeepAlive(m)
}
