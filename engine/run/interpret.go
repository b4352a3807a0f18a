package run

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
)

// Interpret computes nodes of a network's graph with gorgonia's own tape machine and the operators'
// plain reference code: slow, and the oracle that compiled programs are tested against. inputs
// gives the values of the placeholders, row-major.
func Interpret(net *engine.Network, inputs map[*gorgonia.Node][]float32, nodes ...*gorgonia.Node) ([][]float32, error) {
	values := make([]gorgonia.Value, len(nodes))
	roots := append(gorgonia.Nodes{}, nodes...)
	for k, n := range nodes {
		roots = append(roots, gorgonia.Read(n, &values[k]))
	}
	sub := net.Graph.SubgraphRoots(roots...)
	for _, n := range sub.AllNodes() {
		if n.Op() != nil || n.Value() != nil {
			continue
		}
		data := inputs[n]
		if p := net.ParamOf(n); p != nil {
			data = p.Value
		}
		if len(data) != n.Shape().TotalSize() {
			return nil, fmt.Errorf("node %q: %d values for shape %v", n.Name(), len(data), n.Shape())
		}
		backing := append([]float32{}, data...)
		if err := gorgonia.Let(n, tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(backing))); err != nil {
			return nil, err
		}
	}
	vm := gorgonia.NewTapeMachine(sub)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		return nil, err
	}
	results := make([][]float32, len(nodes))
	for k, v := range values {
		switch d := v.Data().(type) {
		case []float32:
			results[k] = append([]float32{}, d...)
		case float32:
			results[k] = []float32{d}
		}
	}
	return results, nil
}
