package op

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// array is a row-major tensor in float64. Reference computations take place in float64 whatever the
// element type of the graph: results for float32 graphs are rounded once.
//
// Products that are added to something are converted explicitly, float64(a*b) + c, so that no compiler
// fuses them and the bits are the same everywhere.
type array struct {
	shape   tensor.Shape
	data    []float64
	threads int // that may work on it at a time
}

// do is Compute on all processors: the operators' Do.
func do(o Op, values []gorgonia.Value) (gorgonia.Value, error) {
	return Compute(o, runtime.GOMAXPROCS(0), values...)
}

// Compute computes o on values, float32 or float64 scalars and row-major *tensor.Dense, all of one element type, which the result has
// too, on so many threads. Their number changes no bit.
func Compute(o Op, threads int, values ...gorgonia.Value) (gorgonia.Value, error) {
	in := make([]array, len(values))
	shapes := make([]tensor.Shape, len(values))
	for i, v := range values {
		if v.Dtype() != values[0].Dtype() {
			return nil, fmt.Errorf("%s: operands of types %v and %v", o.Name(), values[0].Dtype(), v.Dtype())
		}
		var err error
		if in[i], err = arrayOf(v); err != nil {
			return nil, fmt.Errorf("%s: operand %d: %w", o.Name(), i, err)
		}
		in[i].threads, shapes[i] = threads, in[i].shape
	}
	shape, err := Infer(o, shapes...)
	if err != nil {
		return nil, err
	}
	if c, ok := o.(interface{ check(in []array) error }); ok {
		if err := c.check(in); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name(), err)
		}
	}
	out := array{shape, make([]float64, product(shape)), threads}
	o.eval(in, out)
	return out.value(values[0].Dtype()), nil
}

// arrayOf may share memory with v.
func arrayOf(v gorgonia.Value) (array, error) {
	if d, ok := v.(*tensor.Dense); ok && d.RequiresIterator() {
		v = d.Materialize().(*tensor.Dense)
	}
	a := array{shape: v.Shape().Clone()}
	switch data := v.Data().(type) {
	case float32:
		a.data = []float64{float64(data)}
	case float64:
		a.data = []float64{data}
	case []float32:
		a.data = make([]float64, len(data))
		for i, x := range data {
			a.data[i] = float64(x)
		}
	case []float64:
		a.data = data
	default:
		return array{}, fmt.Errorf("values of type %T are not supported", data)
	}
	if len(a.data) != product(a.shape) {
		return array{}, fmt.Errorf("%d values for shape %v", len(a.data), a.shape)
	}
	return a, nil
}

func (a array) value(dtype tensor.Dtype) gorgonia.Value {
	if dtype == tensor.Float64 {
		if len(a.shape) == 0 {
			return gorgonia.NewF64(a.data[0])
		}
		return tensor.New(tensor.WithShape(a.shape...), tensor.WithBacking(a.data))
	}
	if len(a.shape) == 0 {
		return gorgonia.NewF32(float32(a.data[0]))
	}
	rounded := make([]float32, len(a.data))
	for i, x := range a.data {
		rounded[i] = float32(x)
	}
	return tensor.New(tensor.WithShape(a.shape...), tensor.WithBacking(rounded))
}

// plane is the part of a that belongs to image n and channel c, for shapes (N, C, ...).
func (a array) plane(n, c int) []float64 {
	size := product(a.shape[2:])
	at := (n*a.shape[1] + c) * size
	return a.data[at : at+size]
}

// row is the i-th of the parts that the first axis cuts a into.
func (a array) row(i int) []float64 {
	size := product(a.shape[1:])
	return a.data[i*size : (i+1)*size]
}

func product(sizes []int) int {
	p := 1
	for _, n := range sizes {
		p *= n
	}
	return p
}

// parallel calls body(0) to body(n-1), as many at a time as a's threads. Each call must write results of its own, so that their number
// changes no bit.
func (a array) parallel(n int, body func(i int)) {
	workers := min(n, a.threads)
	if workers <= 1 {
		for i := range n {
			body(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				body(i)
			}
		})
	}
	wg.Wait()
}
