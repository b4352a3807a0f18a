package onnx

import (
	"slices"
)

// What a file computes of tensors that training changes, without any image: it is computed at import as all that is known, save where
// training would otherwise change something else than PyTorch does. That is so for values that are added to scores or multiply them and
// are no linear function of what was trained: the layers that make a bias of positions (Swin V2), the exponential of a temperature. These stay
// operators, and training goes through them.

// keeping tells how a value that depends on no image and stays computed depends on what is trained.
type keeping uint8

const (
	computedOnce keeping = iota // not at all: it is known, or depends on the image
	keptStraight                // as a linear function
	keptCurved
)

var (
	// keptOn are operators that can go on with such values, curves those of them that make no linear function.
	keptOn = []string{"MatMul", "Gemm", "Add", "Sub", "Mul", "Div", "Relu", "Sigmoid", "Tanh", "Exp", "Clip", "Min", "Max",
		"Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Gather", "GatherND", "Slice", "Identity", "Cast"}
	curves = []string{"Relu", "Sigmoid", "Tanh", "Exp", "Clip", "Min", "Max"}
	// trainedAt is which operand, if it is trained, begins such values; -1 for any.
	trainedAt = map[string]int{"MatMul": 1, "Gemm": 1, "Add": -1, "Exp": 0, "Clip": 0, "Min": 0}
)

// keep decides whether the node's result stays computed, and computes operands once that stay so in vain.
func (c *call) keep(operator string) error {
	var kept []*value
	others, trained := false, false // operands that depend on the image, and that are trained
	for i := range c.node.in {
		v := c.operand(i)
		switch {
		case v == nil:
		case v.kept != computedOnce:
			kept = append(kept, v)
		case v.constant == nil:
			others = true
		default:
			at, begins := trainedAt[operator]
			trained = trained || begins && (at == i || at < 0) && v.constant.trained()
		}
	}
	straight := slices.ContainsFunc(kept, func(v *value) bool { return v.kept == keptStraight })
	switch {
	case others && !straight && (operator == "Add" || operator == "Mul"):
		return nil
	case !others && slices.Contains(keptOn, operator) && (trained || len(kept) > 0):
		c.keeps = keptStraight
		if slices.Contains(curves, operator) || len(kept) > 0 && !straight || c.multiplies(operator) {
			c.keeps = keptCurved
		}
		return nil
	}
	for _, v := range kept {
		if err := c.once(v); err != nil {
			return err
		}
	}
	return nil
}

// multiplies tells whether the node multiplies what depends on something trained with what does so too, or divides by it.
func (c *call) multiplies(operator string) bool {
	depends := 0
	for i := range c.node.in {
		v := c.operand(i)
		if v == nil || v.kept == computedOnce && (v.constant == nil || !v.constant.trained()) {
			continue
		}
		if depends++; operator == "Div" && i == 1 {
			return true
		}
	}
	return depends > 1 && slices.Contains([]string{"Mul", "MatMul", "Gemm"}, operator)
}

// trained tells whether the file stores the values, in another form perhaps, under the name of something that is trained.
func (k *constant) trained() bool {
	name := k.ownName()
	return k.floats != nil && k.origin != "" && (learnedName.MatchString(name) || torchFolded.MatchString(name)) && !bufferName.MatchString(name)
}

// once computes a value at import after all, with those that it is made of.
func (c *call) once(v *value) error {
	s := v.step
	if v.kept == computedOnce {
		return nil
	}
	for _, x := range s.in {
		if err := c.once(x.resolve()); err != nil {
			return err
		}
	}
	v.kept = computedOnce
	return c.compute(s)
}

// addKept adds a step on known values, which are held in memory when they are computed.
func (c *call) addKept(s *step) error {
	const float = 4
	bytes := float * s.out.shape.TotalSize()
	if bytes > c.budget {
		return c.tooLarge(s)
	}
	c.budget -= bytes
	if err := c.spendOn(s); err != nil {
		return err
	}
	s.out.kept = c.keeps
	c.steps = append(c.steps, s)
	return nil
}
