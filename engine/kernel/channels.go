package kernel

import (
	"fmt"

	"regraft/engine/kernel/asm"
)

// channelCopy copies n channels, from channel from of one tensor to channel to of another. Where both
// begin a block, a view (Layout.Slice) and NewCopy, or no copy at all, serve better. Item: one image.
type channelCopy struct {
	name    string
	in, out tensor
	from    int
	to      int
	n       int
}

// NewConcatCopy copies all channels of in to channels c0, c0+1, ... of out. Other channels of out stay,
// but lanes past the last become zero. Operands: 0 X, 1 Y. Item: one image.
func NewConcatCopy(in, out Layout, c0 int) (Primitive, error) {
	return newChannelCopy("concat_copy", channelCopy{in: tensor{0, in}, out: tensor{1, out}, to: c0, n: in.C})
}

// NewSliceCopy copies channels c0, c0+1, ... of in to all channels of out: the gradient of NewConcatCopy.
// Operands: 0 X, 1 Y. Item: one image.
func NewSliceCopy(in, out Layout, c0 int) (Primitive, error) {
	return newChannelCopy("slice_copy", channelCopy{in: tensor{0, in}, out: tensor{1, out}, from: c0, n: out.C})
}

func newChannelCopy(name string, p channelCopy) (Primitive, error) {
	in, out := p.in.layout, p.out.layout
	if !in.blocked() || !out.blocked() || in.H != out.H || in.W != out.W {
		return nil, fmt.Errorf("%s: layouts %v and %v: both must be blocked, with the same height and width", name, in, out)
	}
	if p.from < 0 || p.to < 0 || p.from+p.n > in.C || p.to+p.n > out.C {
		return nil, fmt.Errorf("%s: %d channels from %d of %v to %d of %v are out of range", name, p.n, p.from, in, p.to, out)
	}
	p.name = name
	return &p, nil
}

func (p *channelCopy) Name() string         { return p.name }
func (p *channelCopy) Items(images int) int { return images }

func (p *channelCopy) Item(_ *Worker, image int, a *Args) {
	in, out := p.in.layout, p.out.layout
	for c := 0; c < p.n; {
		i, j := p.from+c, p.to+c
		n := min(p.n-c, Lanes-i%Lanes, Lanes-j%Lanes) // within one block on both sides
		x, y := p.in.plane(a, image, i/Lanes), p.out.plane(a, image, j/Lanes)
		for r := range in.H {
			for q := range in.W {
				from := asm.LanesAt(x + uintptr(4*(r*in.Row+q*Lanes)))
				to := asm.LanesAt(y + uintptr(4*(r*out.Row+q*Lanes)))
				copy(to[j%Lanes:][:n], from[i%Lanes:])
			}
		}
		c += n
	}
	if p.to+p.n == out.C {
		clearLanes(p.out, a, image)
	}
}

// zeroed clears memory of a layout.
type zeroed struct {
	name   string
	layout Layout
	rows   bool // pixels too, not only halos
}

// NewZero clears the pixels and the halo of every plane. Operands: 0 X. Item: one plane.
func NewZero(l Layout) Primitive { return &zeroed{"zero", l, true} }

// NewZeroHalo clears the halo of every plane and leaves the pixels: what a tensor needs whose memory
// held another one before. Operands: 0 X. Item: one plane.
func NewZeroHalo(l Layout) Primitive { return &zeroed{"zero_halo", l, false} }

func (p *zeroed) Name() string         { return p.name }
func (p *zeroed) Items(images int) int { return images * p.layout.Blocks() }

func (p *zeroed) Item(_ *Worker, i int, a *Args) {
	l := p.layout
	plane := tensor{0, l}.plane(a, i/l.Blocks(), i%l.Blocks())
	halo := l.Halo * l.Pixel
	if p.rows {
		clear(asm.FloatsAt(plane-uintptr(4*halo), halo+l.H*l.Row))
		return
	}
	clear(asm.FloatsAt(plane-uintptr(4*halo), halo))
	for r := range l.H {
		clear(asm.FloatsAt(plane+uintptr(4*(r*l.Row+l.W*l.Pixel)), halo))
	}
}
