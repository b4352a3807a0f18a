package run

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/op/optest"
	"regraft/engine/plan"
)

// rowNetwork makes a network of one row of the operators' table: its first operand is the input, the others are
// parameters. It is nil where the row does not fit that: compiled programs take images only.
func rowNetwork(t *testing.T, row optest.Row) (*engine.Network, []float32) {
	t.Helper()
	if row.Op == nil || row.Build != nil || len(row.Shapes[0]) != 4 {
		return nil, nil
	}
	b := engine.NewBuilder()
	var in gorgonia.Nodes
	var x []float32
	for k, values := range row.Operands() {
		data := make([]float32, len(values))
		for i, v := range values {
			data[i] = float32(v)
		}
		var node *gorgonia.Node
		var err error
		if k == 0 {
			x = data
			node, err = b.Placeholder("x", row.Shapes[0]...)
		} else {
			if len(row.Shapes[k]) == 4 && row.Op.Name() != "Conv" {
				return nil, nil // a second activation
			}
			node, err = b.Param(&engine.Param{Name: fmt.Sprint("p", k), Shape: row.Shapes[k], Value: data})
		}
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, node)
	}
	node, err := b.Apply(row.Name, row.Op, in...)
	if err != nil {
		t.Fatal(err)
	}
	if len(node.Shape()) == 1 { // programs hand out rows
		if node, err = b.Apply("row", &op.Reshape{Shape: []int{1, -1}}, node); err != nil {
			t.Fatal(err)
		}
	}
	net, err := b.Network(engine.Meta{}, engine.Output{Name: "y", Node: node})
	if err != nil {
		t.Fatal(err)
	}
	return net, x
}

// TestOperatorTable compiles every row of the operators' table that takes one image batch, and compares with the
// interpreter on every instruction set.
func TestOperatorTable(t *testing.T) {
	compared := 0
	for _, row := range optest.Rows() {
		net, x := rowNetwork(t, row)
		if net == nil {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			want, err := Interpret(net, map[*gorgonia.Node][]float32{net.Input: x}, net.Outputs[0].Node)
			if err != nil {
				t.Fatal(err)
			}
			for _, isa := range isas(t) {
				p, err := plan.Inference(net, plan.Options{ISA: isa})
				if err != nil {
					t.Fatal(err)
				}
				m, err := New(p, 2)
				if err != nil {
					t.Fatal(err)
				}
				if err := m.Infer(x, net.Batch()); err != nil {
					t.Fatal(err)
				}
				if d := distance(t, row.Name, m.Output(0), want[0]); d > relativeBound {
					t.Errorf("%s: relative distance %g to the interpreter\n%s", isa, d, p)
				}
				m.Close()
				compared++
			}
		})
	}
	t.Logf("%d comparisons", compared)
	if compared < 30 {
		t.Errorf("only %d comparisons: the table has more rows that take images", compared)
	}
}
