package plan

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Elements that are moved through values of more than four axes, between axes, or picked at distances, as those of Swin's windows and
// MobileViT's patches: what several operators do one after the other is one step. It looks at a photo's share of each value, in which the photos come one after the other.

// moved is the planner's own operator for that: from says for every element of a photo's share of the result which one it is of the
// operands' shares, one behind the other, counted from 1; 0 stands for zero.
type moved struct{ from []int }

func (*moved) title() string { return "Move" }

// joinMoves makes one step of what moves elements in ways for which values have no form.
func (g *graph) joinMoves() {
	makers, before := g.makers(), g.users()
	for _, i := range g.instrs {
		j := &moveJoiner{g: g, makers: makers, known: map[*instr]*composition{}, gaps: map[*value]bool{}}
		if !j.joins(i) {
			continue
		}
		if c := j.composed(i); c != nil && len(c.sources) <= maxPicked {
			g.replace(i, &moved{c.from}, c.sources)
		}
	}
	g.dropUnread(before, func(i *instr) bool { return movesElements(i) && i.out.root == nil })
}

// moveJoiner composes the moves behind one result, each once.
type moveJoiner struct {
	g      *graph
	makers map[*value]*instr
	known  map[*instr]*composition
	gaps   map[*value]bool
}

// movesElements tells whether i does nothing but move elements of values that are computed, and nothing is fused into it. Sums of what has
// zeros elsewhere may be such.
func movesElements(i *instr) bool {
	switch i.op.(type) {
	case *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze, *op.Transpose, *op.Slice, *op.SliceGrad, *op.Concat, *op.Gather, *op.Pad, *op.Add, *moved:
	default:
		return false
	}
	return i.clamp == 0 && i.sumTo == nil && i.activation == nil && i.norm == nil && len(i.also) == 0 &&
		!slices.ContainsFunc(append(slices.Clone(i.in), i.out), func(v *value) bool { return v.param != nil || v.number != nil || v.Shape.Dims() < 2 })
}

// joins tells whether i is to become such a step: a value has more axes than there are forms for, images are turned or cut anew, elements are
// picked at distances, or i goes on with what such a step made.
func (j *moveJoiner) joins(i *instr) bool {
	if !movesElements(i) {
		return false
	}
	apart := func(step int) bool { return step != 1 }
	switch o := i.op.(type) {
	case *op.Slice:
		if slices.ContainsFunc(o.Steps, apart) {
			return true
		}
	case *op.SliceGrad:
		if slices.ContainsFunc(o.Steps, apart) {
			return true
		}
	case *op.Pad:
		return true
	case *op.Transpose:
		if !i.keeps() && onImages(i.in[0]) && onImages(i.out) {
			return true
		}
	case *op.Reshape:
		if x, y := i.in[0], i.out; !i.keeps() && onImages(x) && onImages(y) && x.shape[0] != y.shape[0] {
			return true
		}
	}
	return i.out.form == plain || slices.ContainsFunc(i.in, func(v *value) bool { return v.form == plain || j.made(v) != nil })
}

// made is the step of this kind that makes v.
func (j *moveJoiner) made(v *value) *moved {
	if m := j.makers[v]; m != nil {
		o, _ := m.op.(*moved)
		return o
	}
	return nil
}

// composition is the elements of a photo's share of a value as those of the sources' shares, as in moved.
type composition struct {
	sources []*value
	from    []int
}

// composed is i's result by the values that it is moved from; nil where it is not, or not photo by photo.
func (j *moveJoiner) composed(i *instr) *composition {
	c, done := j.known[i]
	if !done {
		c = j.compose(i)
		j.known[i] = c
	}
	return c
}

func (j *moveJoiner) compose(i *instr) *composition {
	if _, sum := i.op.(*op.Add); sum && !(j.hasGaps(i.in[0]) && j.hasGaps(i.in[1])) {
		return nil
	}
	for _, v := range append(slices.Clone(i.in), i.out) {
		if v.Shape[0]%j.g.program.Batch != 0 {
			return nil
		}
	}
	c := &composition{}
	var operands [][]int
	for _, x := range i.in {
		operands = append(operands, j.take(c, x))
	}
	var ok bool
	c.from, ok = j.apply(i, operands)
	if !ok {
		return nil
	}
	return c
}

// hasGaps tells whether v has zeros where nothing was moved to.
func (j *moveJoiner) hasGaps(v *value) bool {
	has, done := j.gaps[v]
	if !done {
		has = j.findGaps(v)
		j.gaps[v] = has
	}
	return has
}

func (j *moveJoiner) findGaps(v *value) bool {
	i := j.makers[v]
	if i == nil || !movesElements(i) {
		return false
	}
	switch o := i.op.(type) {
	case *op.SliceGrad:
		return true
	case *moved:
		return slices.Contains(o.from, 0)
	case *op.Concat:
		return false
	}
	return !slices.ContainsFunc(i.in, func(x *value) bool { return !j.hasGaps(x) })
}

// take is the elements of an operand by the sources of c, to which it adds its own.
func (j *moveJoiner) take(c *composition, x *value) []int {
	inner := &composition{sources: []*value{x}}
	if i := j.makers[x]; i != nil && movesElements(i) {
		if further := j.composed(i); further != nil {
			inner = further
		}
	}
	at := []int{0} // where elements of inner's sources are among those of c
	for _, source := range inner.sources {
		first := 0
		for k := 0; ; k++ {
			if k == len(c.sources) {
				c.sources = append(c.sources, source)
			}
			if c.sources[k] == source {
				break
			}
			first += j.share(c.sources[k]).TotalSize()
		}
		for k := range j.share(source).TotalSize() {
			at = append(at, first+k+1)
		}
	}
	if inner.from == nil {
		return at[1:]
	}
	return chosen(at, inner.from)
}

// chosen lists elements of a list.
func chosen(list, indices []int) []int {
	out := make([]int, len(indices))
	for k, index := range indices {
		out[k] = list[index]
	}
	return out
}

// share is the shape of a photo's share of a value.
func (j *moveJoiner) share(v *value) tensor.Shape {
	s := v.Shape.Clone()
	s[0] /= j.g.program.Batch
	return s
}

// apply is what i makes of the numbers of its operands' elements; false where it takes photos apart, or adds elements up.
func (j *moveJoiner) apply(i *instr, operands [][]int) ([]int, bool) {
	ofPhotos := func(axis int) bool { return wrapped(axis, i.out.Shape.Dims()) == 0 }
	o := i.op
	switch at := o.(type) {
	case *moved:
		return chosen(append([]int{0}, slices.Concat(operands...)...), at.from), true
	case *op.Add:
		return disjoint(operands[0], operands[1])
	case *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze:
		return operands[0], true
	case *op.Transpose:
		if len(at.Perm) == 0 || at.Perm[0] != 0 {
			return nil, false
		}
	case *op.Slice:
		if len(at.Axes) == 0 || slices.ContainsFunc(at.Axes, ofPhotos) {
			return nil, false
		}
	case *op.SliceGrad:
		if len(at.Axes) == 0 || slices.ContainsFunc(at.Axes, ofPhotos) {
			return nil, false
		}
		o = &op.SliceGrad{Slice: at.Slice, In: j.share(i.out)}
	case *op.Concat:
		if ofPhotos(at.Axis) {
			return nil, false
		}
	case *op.Pad:
		if at.Value != 0 || at.Pads[0] != 0 || at.Pads[len(at.Pads)/2] != 0 {
			return nil, false
		}
	case *op.Gather:
		if wrapped(at.Axis, i.in[0].Shape.Dims()) == 0 {
			return nil, false
		}
	}
	values := make([]gorgonia.Value, len(operands))
	for k, numbers := range operands {
		data := make([]float64, len(numbers))
		for n, v := range numbers {
			data[n] = float64(v)
		}
		values[k] = tensor.New(tensor.WithShape(j.share(i.in[k])...), tensor.WithBacking(data))
	}
	result, err := op.Compute(o.(op.Op), 1, values...)
	if err != nil {
		return nil, false
	}
	numbers := result.Data().([]float64)
	from := make([]int, len(numbers))
	for n, v := range numbers {
		from[n] = int(v)
	}
	return from, true
}

// disjoint is the sum of numbers of which one is 0; false where none is.
func disjoint(a, b []int) ([]int, bool) {
	sum := make([]int, len(a))
	if len(a) != len(b) {
		return nil, false
	}
	for k := range a {
		if a[k] != 0 && b[k] != 0 {
			return nil, false
		}
		sum[k] = a[k] + b[k]
	}
	return sum, true
}
