package kernel

import (
	"fmt"
	"slices"
	"unsafe"
)

// Steps over values that lie in any way, element by element in float64, for operators without vector kernels in these shapes.

// Strided is where the elements of a value lie: for every axis, how many floats from the operand's address on each of its indices moves
// an element. An axis of one index is broadcast.
type Strided [][]int

// at is the offset of an index along an axis.
func (s Strided) at(axis, index int) int {
	if table := s[axis]; len(table) > 1 {
		return table[index]
	}
	return s[axis][0]
}

// floats is the memory that the elements lie in.
func (s Strided) floats() int {
	n := 1
	for _, table := range s {
		n += slices.Max(table)
	}
	return n
}

// Target is where the elements of a result lie. Those from Used on along axis Channels are lanes past the last channel, and become zero;
// Channels is -1 where there are no such.
type Target struct {
	Strided
	Channels, Used int
}

// size is the number of elements along an axis.
func (t Target) size(axis int) int {
	if axis == t.Channels {
		return t.Used
	}
	return len(t.Strided[axis])
}

// strided goes over a result line by line along one axis.
type strided struct {
	name     string
	axis     int // of the lines
	in       []Strided
	out      Target
	lines    int
	perImage int // lines; 0 where the result is no images
}

// newStrided checks operands that broadcast to the result. images is the images that the first axis of the result is, 0 where that is none.
func newStrided(name string, axis, images int, in []Strided, out Target) (strided, error) {
	s := strided{name: name, axis: axis, in: in, out: out, lines: 1}
	if axis < 0 || axis >= len(out.Strided) {
		return s, fmt.Errorf("%s: no axis %d", name, axis)
	}
	for k, table := range out.Strided {
		if len(table) < 1 {
			return s, fmt.Errorf("%s: a result without elements", name)
		}
		for n, x := range in {
			if len(x) != len(out.Strided) || len(x[k]) < 1 || len(x[k]) != 1 && len(x[k]) != out.size(k) {
				return s, fmt.Errorf("%s: operand %d does not broadcast to the result along axis %d", name, n, k)
			}
		}
		if k != axis {
			s.lines *= len(table)
		}
	}
	if images > 0 {
		s.perImage = s.lines / images
	}
	return s, nil
}

func (s *strided) Name() string { return s.name }

// Items are the lines, of so many images.
func (s *strided) Items(images int) int {
	if s.perImage > 0 {
		return images * s.perImage
	}
	return s.lines
}

// maxStrided bounds the operands beside the result.
const maxStrided = len(Args{}.Operand) - 1

// lineOf is where line i begins in each operand and in the result, the line's own axis aside; blank tells that it is lanes past the last
// channel.
func (s *strided) lineOf(i int) (in [maxStrided]int, out int, blank bool) {
	for axis := len(s.out.Strided) - 1; axis >= 0; axis-- {
		if axis == s.axis {
			continue
		}
		size := len(s.out.Strided[axis])
		index := i % size
		i /= size
		out += s.out.Strided[axis][index]
		if axis == s.out.Channels && index >= s.out.Used {
			blank = true
			continue
		}
		for k, x := range s.in {
			in[k] += x.at(axis, index)
		}
	}
	return in, out, blank
}

// memory is what an operand's elements lie in.
func (s *strided) memory(a *Args, operand int) []float32 {
	if operand < len(s.in) {
		return Floats(a.Operand[operand], s.in[operand].floats())
	}
	return Floats(a.Operand[operand], s.out.floats())
}

// used is the number of elements of a line, without lanes past the last channel.
func (s *strided) used() int { return s.out.size(s.axis) }

// clear zeroes a line of the result from an index on.
func (s *strided) clear(y []float32, from int) {
	for _, at := range s.out.Strided[s.axis][from:] {
		y[at] = 0
	}
}

type points struct {
	strided
	of func(x []float64) float64
}

// NewPoints makes every element of a result of one element of each operand, which broadcast. Operands: the operands, then the result,
// which may be the memory of one. Item: a line along the last axis.
func NewPoints(of func(x []float64) float64, images int, in []Strided, out Target) (Primitive, error) {
	s, err := newStrided("points", len(out.Strided)-1, images, in, out)
	if err == nil && (len(in) < 1 || len(in) > maxStrided) {
		err = fmt.Errorf("points: %d operands", len(in))
	}
	return &points{s, of}, err
}

func (p *points) Item(w *Worker, i int, a *Args) {
	base, to, blank := p.lineOf(i)
	y := p.memory(a, len(p.in))[to:]
	if blank {
		p.clear(y, 0)
		return
	}
	var x [maxStrided][]float32
	for k := range p.in {
		x[k] = p.memory(a, k)[base[k]:]
	}
	n, values := p.used(), w.sums[:len(p.in)]
	for index, at := range p.out.Strided[p.axis][:n] {
		for k, operand := range p.in {
			values[k] = float64(x[k][operand.at(p.axis, index)])
		}
		y[at] = float32(p.of(values))
	}
	p.clear(y, n)
}

type reduction struct {
	strided
	inner []int // what lies between the first element that becomes one and each
	start float64
	add   func(sum, x float64) float64
	end   func(sum float64) float64
}

// NewReduction makes one element of all of x along the axes that the result has in size 1: end of what add makes of them one after the
// other, in row-major order, from start on. Operands: 0 X, 1 the result. Item: a line of the result along its last axis.
func NewReduction(start float64, add func(sum, x float64) float64, end func(sum float64) float64, images int, x Strided, out Target) (Primitive, error) {
	if len(x) != len(out.Strided) {
		return nil, fmt.Errorf("reduction: %d axes become %d", len(x), len(out.Strided))
	}
	inner, outer := []int{0}, slices.Clone(x)
	for axis, table := range x {
		if out.size(axis) > 1 || len(table) == 1 {
			continue
		}
		outer[axis] = []int{0} // inner has the rest, the first offset included
		further := make([]int, 0, len(inner)*len(table))
		for _, at := range inner {
			for _, more := range table {
				further = append(further, at+more)
			}
		}
		inner = further
	}
	s, err := newStrided("reduction", len(out.Strided)-1, images, []Strided{outer}, out)
	return &reduction{s, inner, start, add, end}, err
}

func (r *reduction) Item(_ *Worker, i int, a *Args) {
	base, to, blank := r.lineOf(i)
	y := Floats(a.Operand[1], r.out.floats())[to:]
	if blank {
		r.clear(y, 0)
		return
	}
	x := Floats(a.Operand[0], r.in[0].floats()+slices.Max(r.inner))[base[0]:]
	n := r.used()
	for index, at := range r.out.Strided[r.axis][:n] {
		from, sum := r.in[0].at(r.axis, index), r.start
		for _, more := range r.inner {
			sum = r.add(sum, float64(x[from+more]))
		}
		y[at] = float32(r.end(sum))
	}
	r.clear(y, n)
}

type alongLines struct {
	strided
	of func(x [][]float64, y []float64)
}

// NewLines makes every line of a result along an axis of the line of each operand, all of one shape. Operands: the operands, then the
// result, which may be the memory of one. Item: a line.
func NewLines(of func(x [][]float64, y []float64), axis, images int, in []Strided, out Target) (Primitive, error) {
	s, err := newStrided("lines", axis, images, in, out)
	return &alongLines{s, of}, err
}

// Scratch is a line of each operand and of the result, in float64.
func (p *alongLines) Scratch() int { return 2 * (len(p.in) + 1) * p.used() }

func (p *alongLines) Item(w *Worker, i int, a *Args) {
	base, to, blank := p.lineOf(i)
	result := p.memory(a, len(p.in))[to:]
	if blank {
		p.clear(result, 0)
		return
	}
	n := p.used()
	scratch := unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(w.Scratch))), (len(p.in)+1)*n)
	lines := w.lines[:len(p.in)]
	for k, operand := range p.in {
		x := p.memory(a, k)[base[k]:]
		lines[k] = scratch[k*n:][:n]
		for index := range n {
			lines[k][index] = float64(x[operand.at(p.axis, index)])
		}
	}
	y := scratch[len(p.in)*n:]
	p.of(lines, y)
	for index, at := range p.out.Strided[p.axis][:n] {
		result[at] = float32(y[index])
	}
	p.clear(result, n)
}
