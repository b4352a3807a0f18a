package onnx

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// known tells whether all operands are.
func (s *step) known() bool {
	for _, v := range s.in {
		if v.resolve().constant == nil {
			return false
		}
	}
	return true
}

// compute makes the result of a step on known values a constant, by the operator's reference computation.
func (c *call) compute(s *step) error {
	elements := s.out.shape.TotalSize()
	bytes := 12 * elements // float64 while it is computed, float32 then
	in, known := make([]gorgonia.Value, len(s.in)), make([]*constant, len(s.in))
	for i, v := range s.in {
		k := v.resolve().constant
		bytes += 8 * k.size()
		in[i], known[i] = k.gorgonia(), k
	}
	if bytes > c.budget {
		return c.tooLarge(s)
	}
	c.budget -= bytes
	if err := c.spendOn(s); err != nil {
		return err
	}
	out, err := s.op.Do(in...)
	if err != nil {
		return err
	}
	k := &constant{name: s.out.name, shape: s.out.shape, dtype: typeFloat}
	switch data := out.Data().(type) {
	case float32:
		k.floats = []float32{data}
	case []float32:
		k.floats = data
	}
	k.origin = originOf(k, known)
	s.out.constant, s.out.step = k, nil
	return nil
}

// tooLarge is the error for a step whose result the budget of memory does not have.
func (c *call) tooLarge(s *step) error {
	return fmt.Errorf("a result of shape %v is too large: constants computed at import have a limit of %d MiB", s.out.shape, foldBudget>>20)
}

// spendOn takes what computing a step takes from the budget of work.
func (c *call) spendOn(s *step) error {
	if each := s.products(); each < 0 || each > foldWork || c.spend(s.out.shape.TotalSize()*each) != nil {
		return errWork
	}
	return nil
}

// products is about how many operations one element of the result takes.
func (s *step) products() int {
	shapes := make([]tensor.Shape, len(s.in))
	for i, v := range s.in {
		shapes[i] = v.resolve().shape
	}
	switch o := s.op.(type) {
	case *op.MaxPool:
		return o.Kernel[0] * o.Kernel[1]
	case *op.AveragePool:
		return o.Kernel[0] * o.Kernel[1]
	case *op.LRN:
		return o.Size
	}
	return max(op.Products(s.op, shapes...), len(s.in))
}

// gorgonia is a float32 constant as the engine's operators take it.
func (k *constant) gorgonia() gorgonia.Value {
	if len(k.shape) == 0 {
		return gorgonia.NewF32(k.floats[0])
	}
	return tensor.New(tensor.WithShape(k.shape...), tensor.WithBacking(k.floats))
}
