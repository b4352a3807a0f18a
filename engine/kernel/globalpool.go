package kernel

// globalAverage is the mean of every plane: its sum in float64, one division.
type globalAverage struct {
	*planes // sums into scratch
	out     Layout
}

// NewGlobalAveragePool averages all pixels. Operands: 0 X, 1 Y, whose layout out is either
// Blocked(C, 1, 1, 0) or a Matrix with one row per image. Item: one plane.
func NewGlobalAveragePool(isa ISA, in, out Layout) (Primitive, error) {
	p, err := newChannelSum(isa, in)
	if err != nil {
		return nil, err
	}
	if err := checkLayout("globalaveragepool output", out, in.C, 1, out.W); err != nil {
		return nil, err
	}
	p.name = kernelName("globalaveragepool", isa)
	return &globalAverage{p, out}, nil
}

func (p *globalAverage) Scratch() int { return 2 * Lanes }

func (p *globalAverage) Item(w *Worker, i int, a *Args) {
	in := p.x.layout
	image, block := i/in.Blocks(), i%in.Blocks()
	k := argsOf[planeArgs](w)
	k.X = p.x.plane(a, image, block)
	k.Y, k.Out = k.X, k.X
	k.Sum = Address(w.Scratch)
	sum := sumsAt(k.Sum)
	clear(sum[:])
	p.run(k)
	y := lanesAt(a.Operand[1] + uintptr(4*(rowOffset(p.out, image)+block*p.out.Plane)))
	for c, v := range sum {
		y[c] = float32(v / float64(in.H*in.W))
	}
}

// rowOffset is where the channels of one image begin when each has a single pixel: in a Matrix the
// images are pixels, otherwise (Blocked(c, 1, 1, 0), or a Matrix of one row) they are images.
func rowOffset(l Layout, image int) int {
	if l.W == 1 {
		return l.Base + image*l.Image
	}
	return l.Base + image*l.Pixel
}

// fillKernel writes the same sixteen values to every pixel.
var fillKernel = planeKernel{"fill", func(k *planeArgs) {
	v := lanesAt(k.Vector[0])
	k.each(func(_, _, out *[Lanes]float32) { *out = *v })
}}

// globalAverageGrad spreads dy evenly over the plane.
type globalAverageGrad struct {
	*planes
	dy Layout
}

// NewGlobalAveragePoolGrad writes dy / (H W) to every pixel. Operands: 0 dY in layout dy
// (Blocked(C, 1, 1, 0) or a Matrix with one row per image), 1 dX. Item: one plane.
func NewGlobalAveragePoolGrad(isa ISA, dy, dx Layout) (Primitive, error) {
	x := tensor{1, dx}
	p, err := newPlanes(isa, fillKernel, x, x, x)
	if err != nil {
		return nil, err
	}
	if err := checkLayout("globalaveragepool gradient", dy, dx.C, 1, dy.W); err != nil {
		return nil, err
	}
	p.name = kernelName("globalaveragepoolgrad", isa)
	return &globalAverageGrad{p, dy}, nil
}

func (p *globalAverageGrad) Scratch() int { return Lanes }

func (p *globalAverageGrad) Item(w *Worker, i int, a *Args) {
	dx := p.out.layout
	image, block := i/dx.Blocks(), i%dx.Blocks()
	dy := lanesAt(a.Operand[0] + uintptr(4*(rowOffset(p.dy, image)+block*p.dy.Plane)))
	k := argsOf[planeArgs](w)
	k.Out = p.out.plane(a, image, block)
	k.X, k.Y = k.Out, k.Out
	k.Vector[0] = Address(w.Scratch)
	for c := range dy {
		lanesAt(k.Vector[0])[c] = dy[c] / float32(dx.H*dx.W)
	}
	p.run(k)
}
