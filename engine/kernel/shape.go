package kernel

import (
	"fmt"
	"math"
)

// ConvShape is the geometry of one two-dimensional convolution without groups on one image: cross-correlation of (Cin, H, W) with
// weights (Cout, Cin, KH, KW), giving (Cout, OH, OW). PT and PL pixels of zeros lie above and left; what is needed below and right
// follows from OH and OW.
type ConvShape struct {
	Cin, Cout int
	H, W      int
	OH, OW    int
	KH, KW    int
	SH, SW    int // strides
	DH, DW    int // dilations
	PT, PL    int // padding above and left
}

// Flops counts a multiply and an add for every tap of every output, taps on padding included.
func (s ConvShape) Flops() float64 {
	return 2 * float64(s.Cin) * float64(s.Cout) * float64(s.OH) * float64(s.OW) * float64(s.KH) * float64(s.KW)
}

// Halo is the halo that the input layout needs for the forward pass and the weight gradient.
func (s ConvShape) Halo() int {
	return max(0, s.PL, (s.OW-1)*s.SW+(s.KW-1)*s.DW-s.PL-(s.W-1))
}

// GradHalo is the halo that the layout of the output gradient needs for the data gradient.
func (s ConvShape) GradHalo() int {
	halo := 0
	for _, p := range gradPhases(s) {
		halo = max(halo, p.halo(s.OW))
	}
	return halo
}

// transposed is the shape of the data gradient of a convolution with stride 1, itself a convolution: dY with flipped, transposed weights.
func (s ConvShape) transposed() ConvShape {
	return ConvShape{
		Cin: s.Cout, Cout: s.Cin, H: s.OH, W: s.OW, OH: s.H, OW: s.W, KH: s.KH, KW: s.KW,
		SH: 1, SW: 1, DH: s.DH, DW: s.DW, PT: (s.KH-1)*s.DH - s.PT, PL: (s.KW-1)*s.DW - s.PL,
	}
}

// check refuses shapes that are no convolution or whose offsets do not fit the kernels.
func (s ConvShape) check() error {
	for _, v := range [...]int{s.Cin, s.Cout, s.H, s.W, s.OH, s.OW, s.KH, s.KW, s.SH, s.SW, s.DH, s.DW} {
		if v < 1 || v > 1<<24 {
			return fmt.Errorf("convolution %s: every size, stride and dilation must lie in 1 to 2^24", s)
		}
	}
	if s.PT < 0 || s.PL < 0 {
		return fmt.Errorf("convolution %s: negative padding", s)
	}
	return nil
}

// checkLayout refuses a layout that does not hold c channels of h x w pixels within the reach of int32 byte offsets.
func checkLayout(what string, l Layout, c, h, w int) error {
	if l.C != c || l.H != h || l.W != w {
		return fmt.Errorf("%s: layout %s, want %dx%dx%d", what, l, c, h, w)
	}
	if l.Image > math.MaxInt32/4 {
		return fmt.Errorf("%s: layout %s: one image is larger than 2 GiB", what, l)
	}
	return nil
}

func (s ConvShape) String() string {
	d := ""
	if s.DH > 1 || s.DW > 1 {
		d = fmt.Sprintf(" dilation %dx%d", s.DH, s.DW)
	}
	return fmt.Sprintf("%d->%d %dx%d stride %dx%d%s on %dx%d", s.Cin, s.Cout, s.KH, s.KW, s.SH, s.SW, d, s.H, s.W)
}

// phase is one dense piece of a convolution: an output grid, and for each of its pixels the same taps of the input. The forward pass
// is one phase; a data gradient of stride SH x SW has one for every output parity.
type phase struct {
	rows, cols   []int // displacements of the taps in the input, ascending
	oh, ow       int   // output grid
	sh, sw       int   // input pixels per output pixel
	y, x         int   // output position of the grid's first pixel
	ystep, xstep int   // output pixels between grid pixels
}

// halo is what the taps read left or right of rows of w pixels.
func (p phase) halo(w int) int {
	if len(p.cols) == 0 {
		return 0
	}
	return max(0, -p.cols[0], (p.ow-1)*p.sw+p.cols[len(p.cols)-1]-(w-1))
}

// inside is the range of tap rows that fall on the h input rows for output row r.
func (p phase) inside(r, h int) (from, to int) {
	to = len(p.rows)
	for from < to && r*p.sh+p.rows[from] < 0 {
		from++
	}
	for to > from && r*p.sh+p.rows[to-1] >= h {
		to--
	}
	return from, to
}

func forwardPhase(s ConvShape) phase {
	p := phase{oh: s.OH, ow: s.OW, sh: s.SH, sw: s.SW, ystep: 1, xstep: 1}
	for a := range s.KH {
		p.rows = append(p.rows, a*s.DH-s.PT)
	}
	for b := range s.KW {
		p.cols = append(p.cols, b*s.DW-s.PL)
	}
	return p
}

// gradPhases are the phases of the data gradient: input dY, output dX. Pixel y of dX receives tap t from row (y+PT-t*DH)/SH of dY
// where that is whole.
func gradPhases(s ConvShape) (ps []phase) {
	for a := range min(s.SH, s.H) {
		for b := range min(s.SW, s.W) {
			ps = append(ps, phase{
				rows: gradTaps(a+s.PT, s.KH, s.DH, s.SH), cols: gradTaps(b+s.PL, s.KW, s.DW, s.SW),
				oh: (s.H - a + s.SH - 1) / s.SH, ow: (s.W - b + s.SW - 1) / s.SW, sh: 1, sw: 1,
				y: a, x: b, ystep: s.SH, xstep: s.SW,
			})
		}
	}
	return ps
}

// gradTaps are the whole displacements (at - t*dilation) / stride, ascending, so t descends.
func gradTaps(at, taps, dilation, stride int) (d []int) {
	for t := taps - 1; t >= 0; t-- {
		if (at-t*dilation)%stride == 0 {
			d = append(d, (at-t*dilation)/stride)
		}
	}
	return d
}
