package op

import (
	"fmt"
	"hash"
	"hash/fnv"
	"reflect"
	"strings"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// base is the part of gorgonia.Op that is the same for all operators; each embeds it. Apply fills it in.
type base struct {
	text  string    // name, attributes and salt: what tells operators apart
	types []hm.Type // of the operands, then of the result
	shape tensor.Shape
}

// bind returns a copy of o that stands for the application to in with a result of the given shape. The
// salt only changes the hash.
func bind(o Op, in gorgonia.Nodes, shape tensor.Shape, salt int) Op {
	v := reflect.New(reflect.TypeOf(o).Elem())
	v.Elem().Set(reflect.ValueOf(o).Elem())
	bound := v.Interface().(Op)
	b := bound.binding()
	b.text = o.Name() + attributes(v.Elem())
	if salt > 0 {
		b.text += fmt.Sprintf("#%d", salt)
	}
	b.shape = shape
	b.types = nil
	for _, n := range in {
		b.types = append(b.types, n.Type())
	}
	b.types = append(b.types, resultType(in, shape))
	return bound
}

// resultType has the element type of the first operand.
func resultType(in gorgonia.Nodes, shape tensor.Shape) hm.Type {
	dtype := tensor.Float32
	if len(in) > 0 {
		dtype = in[0].Dtype()
	}
	if len(shape) == 0 {
		return dtype
	}
	return gorgonia.TensorType{Dims: len(shape), Of: dtype}
}

// attributes writes the exported fields of an operator, those of embedded operators included: "{Axis:1}".
func attributes(v reflect.Value) string {
	var fields []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case !f.IsExported():
		case f.Type.Kind() == reflect.Struct:
			fields = append(fields, f.Name+attributes(v.Field(i)))
		case f.Type.Kind() == reflect.String:
			fields = append(fields, fmt.Sprintf("%s:%q", f.Name, v.Field(i)))
		default:
			fields = append(fields, fmt.Sprintf("%s:%v", f.Name, v.Field(i)))
		}
	}
	if fields == nil {
		return ""
	}
	return "{" + strings.Join(fields, " ") + "}"
}

func (b *base) binding() *base { return b }

// Arity is the number of operands.
func (b *base) Arity() int { return max(len(b.types)-1, 0) }

// Type is the operator's function type, the operands' types being known.
func (b *base) Type() hm.Type { return hm.NewFnType(b.types...) }

// InferShape is the shape that Apply has worked out.
func (b *base) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	if b.types == nil {
		return nil, fmt.Errorf("operators become nodes by op.Apply, not by gorgonia.ApplyOp")
	}
	return b.shape.Clone(), nil
}

// ReturnsPtr is false: results share no memory with operands.
func (b *base) ReturnsPtr() bool { return false }

// CallsExtern is false: everything is Go.
func (b *base) CallsExtern() bool { return false }

// OverwritesInput is -1: operands are left alone.
func (b *base) OverwritesInput() int { return -1 }

// WriteHash writes name and attributes.
func (b *base) WriteHash(h hash.Hash) { fmt.Fprint(h, b.text) }

// Hashcode is the FNV-1a hash of name and attributes.
func (b *base) Hashcode() uint32 {
	h := fnv.New32a()
	b.WriteHash(h)
	return h.Sum32()
}

// String is the name with the attributes: Concat{Axis:1}.
func (b *base) String() string { return b.text }

// undifferentiable is the base of operators without derivatives: gradients, statistics and updates.
type undifferentiable struct{ base }

// DiffWRT is false for every operand.
func (*undifferentiable) DiffWRT(inputs int) []bool { return make([]bool, inputs) }

// SymDiff is an error.
func (u *undifferentiable) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(u)
}

func noDerivative(o fmt.Stringer) (gorgonia.Nodes, error) {
	return nil, fmt.Errorf("%s has no derivative", o)
}

// wrt marks the operands that an operator is differentiable in: the first n of inputs.
func wrt(n, inputs int) []bool {
	d := make([]bool, inputs)
	for i := range min(n, inputs) {
		d[i] = true
	}
	return d
}
