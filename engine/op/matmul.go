package op

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// MatMul is the matrix product by NumPy's rules (ONNX MatMul-13): the last two dimensions are matrices, those
// before them broadcast, and a vector is a row on the left or a column on the right.
type MatMul struct{ base }

// Name is MatMul.
func (*MatMul) Name() string { return "MatMul" }

// OutShape is that of the product.
func (*MatMul) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, -1); err != nil {
		return nil, err
	}
	m, err := newMatrices(in[0], in[1])
	if err != nil {
		return nil, err
	}
	out := m.batch.Clone()
	if len(in[0]) > 1 {
		out = append(out, m.rows)
	}
	if len(in[1]) > 1 {
		out = append(out, m.cols)
	}
	return out, nil
}

// matrices is the geometry of a product: (rows, inner) times (inner, cols) for every index of batch.
type matrices struct {
	rows, inner, cols int
	batch             tensor.Shape
	a, b              tensor.Shape // leading dimensions of the operands
}

func newMatrices(a, b tensor.Shape) (matrices, error) {
	if len(a) == 0 || len(b) == 0 {
		return matrices{}, fmt.Errorf("shapes %v and %v: a scalar is no matrix", a, b)
	}
	m := matrices{rows: 1, inner: a[len(a)-1], cols: 1}
	if len(a) > 1 {
		m.rows, m.a = a[len(a)-2], a[:len(a)-2]
	}
	inner := b[0]
	if len(b) > 1 {
		inner, m.cols, m.b = b[len(b)-2], b[len(b)-1], b[:len(b)-2]
	}
	if inner != m.inner {
		return matrices{}, fmt.Errorf("shapes %v and %v do not multiply", a, b)
	}
	var err error
	m.batch, err = BroadcastShape(m.a, m.b)
	return m, err
}

// Do multiplies, summing in float64.
func (o *MatMul) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for both operands.
func (*MatMul) DiffWRT(inputs int) []bool { return wrt(2, inputs) }

// SymDiff gives dy·bᵀ and aᵀ·dy, summed over what was broadcast. Vectors have no derivative.
func (o *MatMul) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	a, b := in[0], in[1]
	if a.Dims() < 2 || b.Dims() < 2 {
		return nil, fmt.Errorf("%s of shapes %v and %v has no derivative: both must have at least 2 dimensions", o.Name(), a.Shape(), b.Shape())
	}
	var c chain
	return gorgonia.Nodes{
		c.sumTo(c.apply(&MatMul{}, dy, c.transpose(b)), a),
		c.sumTo(c.apply(&MatMul{}, c.transpose(a), dy), b),
	}, c.err
}

// transpose swaps the last two dimensions.
func (c *chain) transpose(n *gorgonia.Node) *gorgonia.Node {
	perm := make([]int, n.Dims())
	for i := range perm {
		perm[i] = i
	}
	slices.Reverse(perm[len(perm)-2:])
	return c.apply(&Transpose{Perm: perm}, n)
}

func (*MatMul) eval(in []array, out array) {
	a, b := in[0], in[1]
	m, _ := newMatrices(a.shape, b.shape)
	as, bs := batchIndices(m.a, m.batch), batchIndices(m.b, m.batch)
	out.parallel(len(as)*m.rows, func(i int) {
		batch, row := i/m.rows, i%m.rows
		y := out.data[i*m.cols : (i+1)*m.cols]
		left := a.data[(as[batch]*m.rows+row)*m.inner:]
		right := b.data[bs[batch]*m.inner*m.cols:]
		for k := range m.inner {
			axpy(left[k], right[k*m.cols:], 1, y, 1, m.cols)
		}
	})
}

// batchIndices gives the operand's matrix for every matrix of the product.
func batchIndices(operand, batch tensor.Shape) []int {
	indices := make([]int, 0, product(batch))
	forStrided(batch, broadcastStrides(operand, batch), 0, func(at int) { indices = append(indices, at) })
	return indices
}
