package onnx

import (
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Matrix products.

// derived makes a constant value from others; it goes by the name of the one that it replaces.
func derived(from *value, shape tensor.Shape, floats []float32) *value {
	k := &constant{name: from.constant.name, origin: from.constant.origin, shape: shape, dtype: typeFloat, floats: floats}
	return &value{name: from.name, shape: shape, constant: k}
}

// transposed is a matrix (R, C) as (C, R).
func transposed(v *value) *value {
	rows, cols := v.shape[0], v.shape[1]
	t := make([]float32, rows*cols)
	transpose(t, v.constant.floats, rows, cols)
	return derived(v, tensor.Shape{cols, rows}, t)
}

// transpose writes src (rows, cols) to dst as (cols, rows), squares that stay in the cache one after the other.
func transpose(dst, src []float32, rows, cols int) {
	const side = 32
	for top := 0; top < rows; top += side {
		for left := 0; left < cols; left += side {
			for j := left; j < min(left+side, cols); j++ {
				column := dst[j*rows:]
				for i := top; i < min(top+side, rows); i++ {
					column[i] = src[i*cols+j]
				}
			}
		}
	}
}

func scaled(v *value, factor float32) *value {
	if factor == 1 {
		return v
	}
	s := make([]float32, len(v.constant.floats))
	for i, x := range v.constant.floats {
		s[i] = x * factor
	}
	return derived(v, v.shape, s)
}

// lowerGemm makes alpha*A'*B' + beta*C a linear layer where B is known, with weights in PyTorch's
// (out, in), and a product and a sum otherwise.
func lowerGemm(c *call) error {
	alpha, beta := c.float("alpha", 1), c.float("beta", 1)
	transA, transB := c.flag("transA", false), c.flag("transB", false)
	a, err := c.tensor(0)
	if err != nil {
		return err
	}
	b, err := c.tensor(1)
	if err != nil {
		return err
	}
	if len(a.shape) != 2 || len(b.shape) != 2 {
		return c.refused("operands of shapes %v and %v: want matrices", a.shape, b.shape)
	}
	if transA {
		if a, err = c.step("transA", &op.Transpose{Perm: []int{1, 0}}, a); err != nil {
			return err
		}
	}
	if b.constant == nil {
		return c.gemmProduct(a, b, transB, alpha, beta)
	}
	if !transB {
		b = transposed(b)
	}
	b = scaled(b, alpha)
	if c.operand(2) == nil {
		return c.emit(&op.Linear{}, a, b)
	}
	bias, err := c.tensor(2)
	if err != nil {
		return err
	}
	if bias.constant != nil && isRow(bias.shape, b.shape[0]) {
		return c.emit(&op.Linear{}, a, b, scaled(derived(bias, tensor.Shape{b.shape[0]}, bias.constant.floats), beta))
	}
	product, err := c.step("product", &op.Linear{}, a, b)
	if err != nil {
		return err
	}
	return c.addScaled(product, bias, beta)
}

// isRow tells whether shape is (n) or (1, n).
func isRow(shape tensor.Shape, n int) bool {
	last := len(shape) - 1
	return last >= 0 && last <= 1 && shape[last] == n && sizeOf(shape[:last]) == 1
}

// gemmProduct handles a B that is computed.
func (c *call) gemmProduct(a, b *value, transB bool, alpha, beta float32) error {
	var err error
	if transB {
		if b, err = c.step("transB", &op.Transpose{Perm: []int{1, 0}}, b); err != nil {
			return err
		}
	}
	product, err := c.step("product", &op.MatMul{}, a, b)
	if err != nil {
		return err
	}
	if alpha != 1 {
		if product, err = c.step("alpha", &op.Mul{}, product, c.scalar(alpha)); err != nil {
			return err
		}
	}
	if c.operand(2) == nil {
		return c.same(product)
	}
	bias, err := c.tensor(2)
	if err != nil {
		return err
	}
	return c.addScaled(product, bias, beta)
}

func (c *call) addScaled(product, bias *value, beta float32) error {
	if bias.constant != nil {
		bias = scaled(bias, beta)
	} else if beta != 1 {
		var err error
		if bias, err = c.step("beta", &op.Mul{}, bias, c.scalar(beta)); err != nil {
			return err
		}
	}
	if err := c.fits(bias, product); err != nil {
		return err
	}
	return c.emit(&op.Add{}, product, bias)
}

// scalar is a constant of one element.
func (c *call) scalar(v float32) *value {
	shape := tensor.Shape{1}
	return &value{shape: shape, constant: &constant{shape: shape, dtype: typeFloat, floats: []float32{v}}}
}

// lowerMatMul makes the product of (N, F), tokens (N, T, F) or pixels (N, H, W, F), with a known matrix a linear layer.
func lowerMatMul(c *call) error {
	a, err := c.tensor(0)
	if err != nil {
		return err
	}
	b, err := c.tensor(1)
	if err != nil {
		return err
	}
	return c.product(a, b)
}

func (c *call) product(a, b *value) error {
	o, in := productOf(a, b, c.keeps != computedOnce)
	return c.emit(o, in...)
}

// productOf is the operator that multiplies a and b, with its operands; data tells that a is no weight, though it may be known.
func productOf(a, b *value, data bool) (op.Op, []*value) {
	if (a.constant == nil || data) && b.constant != nil && len(a.shape) >= 2 && len(a.shape) <= 4 && len(b.shape) == 2 {
		return &op.Linear{}, []*value{a, transposed(b)}
	}
	return &op.MatMul{}, []*value{a, b}
}

// writeLinear writes a Gemm, which knows matrices only, or a product and a sum.
func writeLinear(e *exporter, _ *op.Linear, in []string) {
	if op.Inputs(e.current)[0].Dims() == 2 {
		e.node("Gemm", in, floatAttribute("alpha", 1), floatAttribute("beta", 1), intAttribute("transB", 1))
		return
	}
	turned := e.inner("Transpose", in[1:2], intsAttribute("perm", 1, 0))
	if len(in) == 2 {
		e.node("MatMul", []string{in[0], turned})
		return
	}
	product := e.names.unique(e.label + "/MatMul_output_0")
	e.encode("MatMul", e.label, product, []string{in[0], turned}, nil)
	e.encode("Add", e.labels.unique(e.label+"/Add"), e.name, []string{product, in[2]}, nil)
}
