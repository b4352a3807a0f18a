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
	spill   *spill // where the features are; nil: in memory
}

// chunkOfRows are the features of some photos, and the kernels for so many.
type chunkOfRows struct {
	first, photos int
	x             []float32 // nil in a spill
	*chunkKernels
}

// chunkKernels multiply matrices of so many rows.
type chunkKernels struct {
	in, out  kernel.Layout
	forward  *kernel.Conv
	backward *kernel.ConvGradW
}

// The photos of a chunk: where there are few their features stay in the cache between both products, and where there are many a chunk
// is not much memory.
const (
	leastChunk = 128
	mostChunk  = 4096
)

// newProducts packs the features, which it copies, for one classifier.
func newProducts(x *features, classes int) (*products, error) {
	p, err := layOutProducts(x, classes)
	if err != nil {
		return nil, err
	}
	for i := range p.chunks {
		c := &p.chunks[i]
		c.x = kernel.Aligned(c.in.Len(1))
		n := x.positions * x.f
		c.pack(c.x, x.data[c.first*n:(c.first+c.photos)*n], x.f)
	}
	return p, nil
}

// layOutProducts divides the photos into chunks, which have no features yet.
func layOutProducts(x *features, classes int) (*products, error) {
	native, err := session.Native(false)
	if err != nil {
		return nil, err
	}
	p := &products{x: x, set: native.ISA, columns: classes, size: min(max(leastChunk, (x.photos()+31)/32), mostChunk)}
	for first := 0; first < x.photos(); first += p.size {
		p.chunks = append(p.chunks, chunkOfRows{first: first, photos: min(p.size, x.photos()-first)})
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

// pack brings rows of f features into the kernels' layout.
func (k *chunkKernels) pack(to, rows []float32, f int) {
	row := 0
	for features := range slices.Chunk(rows, f) {
		for i, v := range features {
			to[at(k.in, row, i)] = v
		}
		row++
	}
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
	x      []float32 // the features of a chunk
	own    []float32 // room for them
	scores []float32 // of a chunk, then their gradient
}

func (p *products) newMultiplier() *multiplier {
	m := &multiplier{worker: kernel.NewWorker(0), scores: kernel.Aligned(p.chunks[0].out.Len(1))}
	if p.spill != nil {
		m.own = kernel.Aligned(p.chunks[0].in.Len(1))
	}
	return m
}

// take gets the features of chunk i; false where they cannot be read, of which err tells.
func (m *multiplier) take(p *products, i int) bool {
	if m.x = p.chunks[i].x; p.spill == nil {
		return true
	}
	m.x = m.own
	return p.spill.read(p.spill.slots[i], m.own[:p.chunks[i].in.Image])
}

// err is that of reading chunks.
func (p *products) err() error {
	if p.spill == nil {
		return nil
	}
	return p.spill.err()
}

// forward fills m.scores with X W + bias.
func (m *multiplier) forward(c *chunkOfRows, weights, bias []float32) {
	m.run(c.chunkKernels.forward, kernel.Args{
		Operand: [8]uintptr{kernel.Address(m.x), kernel.Address(weights), kernel.Address(bias), kernel.Address(m.scores)}, Images: 1,
	})
	runtime.KeepAlive(weights)
	runtime.KeepAlive(bias)
}

// backward fills packed with X' times the gradient that m.scores hold.
func (m *multiplier) backward(c *chunkOfRows, packed []float32) {
	m.run(c.chunkKernels.backward, kernel.Args{
		Operand: [8]uintptr{kernel.Address(m.x), kernel.Address(m.scores), kernel.Address(packed)}, Images: 1,
	})
	runtime.KeepAlive(packed)
}

func (m *multiplier) run(p kernel.Primitive, a kernel.Args) {
	for i := range p.Items(1) {
		p.Item(m.worker, i, &a)
	}
	runtime.KeepAlive(m)
}
