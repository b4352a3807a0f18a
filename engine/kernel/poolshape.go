package kernel

import (
	"fmt"

	"regraft/engine/kernel/abi"
)

// PoolShape is the geometry of one pooling window on planes of H x W pixels that gives OH x OW. Padding
// (top, left, bottom, right) is never read: a window has the taps that fall on pixels. Bottom and right
// padding matter only to the divisor of an average that counts the padding; windows may reach further
// (ceil_mode), which never counts, as in PyTorch and ONNX.
type PoolShape struct {
	H, W            int
	OH, OW          int
	KH, KW          int
	SH, SW          int // strides
	DH, DW          int // dilations
	PT, PL, PB, PR  int
	CountIncludePad bool // of an average: padding counts in the divisor
}

func (s PoolShape) check() error {
	for _, v := range [...]int{s.H, s.W, s.OH, s.OW, s.KH, s.KW, s.SH, s.SW, s.DH, s.DW} {
		if v < 1 || v > 1<<20 {
			return fmt.Errorf("pool %v: every size, stride and dilation must lie in 1 to 2^20", s)
		}
	}
	for _, v := range [...]int{s.PT, s.PL, s.PB, s.PR} {
		if v < 0 || v > 1<<20 {
			return fmt.Errorf("pool %v: padding must lie in 0 to 2^20", s)
		}
	}
	return nil
}

func (s PoolShape) String() string {
	return fmt.Sprintf("%dx%d stride %dx%d on %dx%d", s.KH, s.KW, s.SH, s.SW, s.H, s.W)
}

// span is the taps from, ..., to-1 of a window along one axis that fall on pixels, and the number of
// taps that count for an average that includes the padding.
type span struct{ from, to, padded int }

// spanOf is the span of a window that starts at pixel start, on n pixels and after them pad of padding.
func spanOf(start, taps, dilation, n, pad int) span {
	reach := func(end int) int { // taps that begin before end
		return min(max((end-start+dilation-1)/dilation, 0), taps)
	}
	from := min(max((dilation-1-start)/dilation, 0), taps)
	return span{from, max(reach(n), from), reach(n + pad)}
}

// window is what is the same for all output pixels of a run.
type window struct{ rows, cols span }

func (s PoolShape) window(r, c int) window {
	return window{
		spanOf(r*s.SH-s.PT, s.KH, s.DH, s.H, s.PB),
		spanOf(c*s.SW-s.PL, s.KW, s.DW, s.W, s.PR),
	}
}

// taps is the number of pixels in the window.
func (w window) taps() int { return (w.rows.to - w.rows.from) * (w.cols.to - w.cols.from) }

// divisor is what an average divides by; a window of padding alone gives 0/1.
func (w window) divisor(includePad bool) float32 {
	if includePad {
		return float32(max(w.rows.padded*w.cols.padded, 1))
	}
	return float32(max(w.taps(), 1))
}

// windows is the geometry of a pool in memory: runs of output pixels in row-major order, the taps that
// they refer to (byte offsets from where a window starts, row-major) and how to cut the runs into calls.
type windows struct {
	runs    []abi.PoolRun
	taps    []int32
	weights []int32 // for every tap the byte offset of its sixteen weights among the window's
	cuts    []int   // first run of every call, then the number of runs
	step    int     // bytes between the windows of neighbouring output pixels
}

const (
	// poolWork is about the number of taps that one call visits, a few tens of microseconds.
	poolWork = 1 << 15
	// maxPoolTaps bounds the lists of taps, which grow with the window and the kinds of borders.
	maxPoolTaps = 1 << 22
)

// windowsOf lists the windows of a pool. They slide over in; out has the output pixels.
func windowsOf(s PoolShape, in, out Layout) (*windows, error) {
	w := &windows{step: 4 * s.SW * in.Pixel}
	lists := map[window]int32{}
	work := poolWork // so that the first run begins a call
	for r := range s.OH {
		for c, n := 0, 0; c < s.OW; c += n {
			v := s.window(r, c)
			for n = 1; c+n < s.OW && s.window(r, c+n) == v; {
				n++
			}
			tap, ok := lists[v]
			if !ok {
				tap = int32(4 * len(w.taps))
				lists[v] = tap
				if len(w.taps)+v.taps() > maxPoolTaps {
					return nil, fmt.Errorf("pool %v: its windows have more than %d taps in all", s, maxPoolTaps)
				}
				w.list(s, v, in)
			}
			if work += n * (v.taps() + 1); work > poolWork {
				w.cuts, work = append(w.cuts, len(w.runs)), 0
			}
			w.runs = append(w.runs, abi.PoolRun{
				In:  int32(4 * ((r*s.SH-s.PT)*in.Row + (c*s.SW-s.PL)*in.Pixel)),
				Out: int32(4 * (r*out.Row + c*out.Pixel)),
				Tap: tap, Taps: int32(v.taps()), Pixels: int32(n), Divisor: v.divisor(s.CountIncludePad),
			})
		}
	}
	w.cuts = append(w.cuts, len(w.runs))
	return w, nil
}

// list appends the taps of a window.
func (w *windows) list(s PoolShape, v window, in Layout) {
	for i := v.rows.from; i < v.rows.to; i++ {
		for j := v.cols.from; j < v.cols.to; j++ {
			w.taps = append(w.taps, int32(4*(i*s.DH*in.Row+j*s.DW*in.Pixel)))
			w.weights = append(w.weights, int32(4*Lanes*(i*s.KW+j)))
		}
	}
}
