package onnx

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// lowerEinsum makes a product of matrices of two operands, and a sum of one: every letter is an axis, those that the result has not
// are summed over. Repeated letters of one operand (diagonals) and dots are refused.
func lowerEinsum(c *call) error {
	equation := strings.ReplaceAll(c.text("equation", ""), " ", "")
	in, err := c.tensors()
	if err != nil {
		return err
	}
	terms, result, err := einsumTerms(equation, in)
	if err != nil {
		return c.refused("%v", err)
	}
	for i := range in {
		if in[i], terms[i], err = c.summed(fmt.Sprint("sum", i), in[i], terms[i], result+strings.Join(slices.Delete(slices.Clone(terms), i, i+1), "")); err != nil {
			return err
		}
	}
	if len(in) == 1 {
		return c.ordered(in[0], terms[0], result)
	}
	return c.contracted(in, terms, result)
}

// einsumTerms takes an equation apart and holds it against the operands' shapes.
func einsumTerms(equation string, in []*value) (terms []string, result string, err error) {
	left, result, explicit := strings.Cut(equation, "->")
	terms = strings.Split(left, ",")
	if len(terms) != len(in) || len(in) > 2 {
		return nil, "", fmt.Errorf("equation %s for %d operands: one or two are supported", quoted(equation), len(in))
	}
	sizes, count := map[rune]int{}, map[rune]int{}
	for i, term := range terms {
		if len(term) != len(in[i].shape) {
			return nil, "", fmt.Errorf("equation %s: operand %d has shape %s", quoted(equation), i, shapeText(in[i].shape))
		}
		for k, letter := range term {
			known, seen := sizes[letter]
			switch {
			case letter < 'A' || letter > 'z' || letter > 'Z' && letter < 'a' || strings.Count(term, string(letter)) > 1:
				return nil, "", fmt.Errorf("equation %s: only letters that differ within an operand are supported", quoted(equation))
			case seen && known != in[i].shape[k]:
				return nil, "", fmt.Errorf("equation %s: axis %c is %s and %s", quoted(equation), letter, dimText(known), dimText(in[i].shape[k]))
			}
			sizes[letter] = in[i].shape[k]
			count[letter]++
		}
	}
	if !explicit { // the letters that occur once, in the order of the alphabet
		var once []rune
		for letter, n := range count {
			if n == 1 {
				once = append(once, letter)
			}
		}
		slices.Sort(once)
		result = string(once)
	}
	for _, letter := range result {
		if count[letter] == 0 || strings.Count(result, string(letter)) > 1 {
			return nil, "", fmt.Errorf("equation %s: axis %c of the result", quoted(equation), letter)
		}
	}
	return terms, result, nil
}

// summed sums over the axes that neither the result nor the other operand has.
func (c *call) summed(suffix string, x *value, term, kept string) (*value, string, error) {
	var axes []int
	left := ""
	for i, letter := range term {
		if strings.ContainsRune(kept, letter) {
			left += string(letter)
		} else {
			axes = append(axes, i)
		}
	}
	if axes == nil {
		return x, term, nil
	}
	sum, err := c.step(suffix, &op.Reduce{Kind: op.SumOf, ReduceMean: op.ReduceMean{Axes: axes}}, x)
	return sum, left, err
}

// ordered transposes the axes of a term into the order of the result, which is the node's.
func (c *call) ordered(x *value, term, result string) error {
	if term == result {
		return c.same(x)
	}
	return c.emit(&op.Transpose{Perm: permute(term, result)}, x)
}

// permute is where the letters of one order stand in another.
func permute(from, to string) []int {
	perm := make([]int, len(to))
	for i, letter := range to {
		perm[i] = strings.IndexRune(from, letter)
	}
	return perm
}

// contracted multiplies: axes of both operands that the result has are a batch of matrices, those that it has not are the inner ones.
func (c *call) contracted(in []*value, terms []string, result string) error {
	var batch, inner, rows, cols string
	for _, letter := range terms[0] {
		switch l := string(letter); {
		case strings.Contains(terms[1], l) && strings.Contains(result, l):
			batch += l
		case strings.Contains(terms[1], l):
			inner += l
		default:
			rows += l
		}
	}
	for _, letter := range terms[1] {
		if !strings.ContainsRune(terms[0], letter) {
			cols += string(letter)
		}
	}
	a, err := c.matrices("left", in[0], terms[0], batch, rows, inner)
	if err != nil {
		return err
	}
	b, err := c.matrices("right", in[1], terms[1], batch, inner, cols)
	if err != nil {
		return err
	}
	multiply, operands := productOf(a, b, false)
	product, err := c.step("product", multiply, operands...)
	if err != nil {
		return err
	}
	sizes := func(x *value, term, letters string) (dims []int) {
		for _, at := range permute(term, letters) {
			dims = append(dims, x.shape[at])
		}
		return dims
	}
	shape := slices.Concat(tensor.Shape{}, sizes(in[0], terms[0], batch+rows), sizes(in[1], terms[1], cols))
	if !slices.Equal(shape, product.shape) {
		if product, err = c.step("axes", reshape(product.shape, shape), product); err != nil {
			return err
		}
	}
	return c.ordered(product, batch+rows+cols, result)
}

// matrices gives an operand the shape (batch..., rows, cols), where rows and cols each stand for any number of axes.
func (c *call) matrices(suffix string, x *value, term, batch, rows, cols string) (*value, error) {
	var err error
	if order := batch + rows + cols; order != term {
		if x, err = c.step(suffix+"/order", &op.Transpose{Perm: permute(term, order)}, x); err != nil {
			return nil, err
		}
	}
	if len(rows) == 1 && len(cols) == 1 {
		return x, nil
	}
	row, fits := dimProduct(x.shape[len(batch) : len(batch)+len(rows)])
	col, fit := dimProduct(x.shape[len(batch)+len(rows):])
	if !fits || !fit {
		return nil, c.refused("operand of shape %v is too large", x.shape)
	}
	return c.step(suffix, reshape(x.shape, append(x.shape[:len(batch)].Clone(), row, col)), x)
}
