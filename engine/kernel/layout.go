package kernel

import (
	"fmt"

	"regraft/engine/kernel/abi"
)

// Lanes is the number of channels of a block, for every instruction set: one AVX-512 register, two AVX2 registers, four of NEON.
const Lanes = abi.Lanes

// Layout places the activations of one tensor of images x C x H x W. All figures are elements.
//
//	blocked: [image][block of 16 channels][row][W+Halo pixels][16]; the right halo of a row is the left halo of the next
//	pixels : [image][row][W+Halo pixels][C], C <= 4: the network's input
//
// Halo pixels and the lanes past C of the last block hold zero.
type Layout struct {
	Elem    Elem // their type
	C, H, W int
	Halo    int // zero pixels left of each row, and right of the last
	Pixel   int // between pixels: Lanes, or C
	Row     int // between rows
	Plane   int // between blocks
	Base    int // offset of pixel (0, 0) of the first block
	Image   int // between images
}

const planeUnit = 64 // planes and images begin on 256-byte boundaries

// Blocked is the layout of c channels of h x w pixels in blocks of 16 channels.
func Blocked(c, h, w, halo int) Layout {
	l := Layout{C: c, H: h, W: w, Halo: halo, Pixel: Lanes}
	l.Row, l.Base = (w+halo)*Lanes, halo*Lanes
	l.Plane = roundUp(h*l.Row+l.Base, planeUnit)
	l.Image = l.Blocks() * l.Plane
	return l
}

// Pixels is the layout of an image of at most 4 channels, channels innermost.
func Pixels(c, h, w, halo int) Layout {
	l := Layout{C: c, H: h, W: w, Halo: halo, Pixel: c}
	l.Row, l.Base = (w+halo)*c, halo*c
	l.Plane = roundUp(h*l.Row+l.Base, planeUnit)
	l.Image = l.Plane
	return l
}

// Matrix is the layout of an (n, f) matrix: one image of f channels and n pixels in a single row.
func Matrix(n, f int) Layout { return Blocked(f, 1, n, 0) }

// Blocks is the number of channel blocks.
func (l Layout) Blocks() int {
	if !l.blocked() {
		return 1
	}
	return (l.C + Lanes - 1) / Lanes
}

func (l Layout) blocked() bool { return l.Pixel == Lanes }

// Len is the number of floats to reserve, with slack for vector reads past the end.
func (l Layout) Len(images int) int { return images*l.Image + planeUnit }

// Slice is the view of channels c0 to c0+c; c0 is a multiple of 16. It is how branches write into a concatenation without a copy.
func (l Layout) Slice(c0, c int) Layout {
	l.Base += c0 / Lanes * l.Plane
	l.C = c
	return l
}

// Pack fills the pixels of dst from row-major NCHW; lanes past C become zero, halos are not touched.
func (l Layout) Pack(dst, src []float32, images int) {
	l.walk(images, func(at, from, lanes int) {
		for x := range l.W {
			p := dst[at+x*l.Pixel:][:l.Pixel]
			for c := range lanes {
				p[c] = src[from+c*l.H*l.W+x]
			}
			clear(p[lanes:])
		}
	})
}

// Unpack fills row-major NCHW from the pixels of src.
func (l Layout) Unpack(dst, src []float32, images int) {
	l.walk(images, func(at, from, lanes int) {
		for x := range l.W {
			for c := range lanes {
				dst[from+c*l.H*l.W+x] = src[at+x*l.Pixel+c]
			}
		}
	})
}

// walk visits every row of every block: its offset here, the offset of its first channel in row-major NCHW, and its channels.
func (l Layout) walk(images int, visit func(at, nchw, lanes int)) {
	for n := range images {
		for b := range l.Blocks() {
			lanes := min(l.Pixel, l.C-b*Lanes)
			for r := range l.H {
				visit(n*l.Image+l.Base+b*l.Plane+r*l.Row, ((n*l.C+b*Lanes)*l.H+r)*l.W, lanes)
			}
		}
	}
}

func (l Layout) String() string {
	kind := "blocked"
	if !l.blocked() {
		kind = "pixels"
	}
	return fmt.Sprintf("%s %dx%dx%d halo %d", kind, l.C, l.H, l.W, l.Halo)
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }
