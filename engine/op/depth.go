package op

import (
	"cmp"

	"gorgonia.org/gorgonia"
)

// Depth is how much is computed on the way to a node. Of several outputs of a network the deepest is the main one, by its convolutions:
// auxiliary outputs branch off on the way.
type Depth struct{ Convolutions, Operators int }

// DepthOf counts what x depends on, x included.
func DepthOf(x *gorgonia.Node) Depth {
	var d Depth
	seen := map[*gorgonia.Node]bool{x: true}
	for waiting := []*gorgonia.Node{x}; len(waiting) > 0; {
		n := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if o, ok := n.Op().(Op); ok {
			d.Operators++
			if _, conv := o.(*Conv); conv {
				d.Convolutions++
			}
		}
		for _, in := range Inputs(n) {
			if !seen[in] {
				seen[in] = true
				waiting = append(waiting, in)
			}
		}
	}
	return d
}

// Compare is negative where d is less deep than e, by convolutions and then by operators.
func (d Depth) Compare(e Depth) int {
	return cmp.Or(cmp.Compare(d.Convolutions, e.Convolutions), cmp.Compare(d.Operators, e.Operators))
}
