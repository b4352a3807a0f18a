package onnx

import "fmt"

// lowerIf puts the branch that is taken in the place of the node, where the condition is known: exporters leave such
// nodes where the rank or a size decides, as in PyTorch's squeeze.
func lowerIf(c *call) error {
	then, other := c.graph("then_branch"), c.graph("else_branch")
	if given := c.operand(0); given.constant == nil && !given.unknown() {
		return c.refused("its condition is not known at import: export the module itself rather than a script of it")
	}
	condition, err := c.constant(0, "the condition")
	if err != nil {
		return err
	}
	if condition.dtype != typeBool || condition.size() != 1 {
		return c.refused("the condition is %v of shape %v, want one bool", condition.dtype, condition.shape)
	}
	if then == nil || other == nil {
		return c.refused("a branch is missing")
	}
	taken := branchTaken{c.node.label(), condition.ints[0] != 0, condition.several}
	c.branches = append(c.branches, taken)
	if taken.then {
		return c.branch(then)
	}
	return c.branch(other)
}

// branchTaken is a node If with the branch that its condition chose.
type branchTaken struct {
	node string
	then bool
	// several tells that one image alone would have the other branch.
	several bool
}

// warnOfBranches warns of branches that are others for one image alone: the network has those for several.
func (info *Info) warnOfBranches() {
	for _, b := range info.branches {
		if b.several {
			info.Warnings = append(info.Warnings, fmt.Sprintf(
				"node %s chooses by the number of images: the network is that for several, also where one is classified alone", quoted(b.node)))
			return
		}
	}
}

// branch lowers a subgraph, whose results become the node's.
func (c *call) branch(g *graphProto) error {
	if len(g.inputs) > 0 || len(g.outputs) != len(c.node.out) {
		return c.refused("a branch has %d inputs and %d outputs, the node has %d results", len(g.inputs), len(g.outputs), len(c.node.out))
	}
	constants, err := g.constants(c.external)
	if err != nil {
		return err
	}
	for _, t := range g.initializers { // one branch may be there many times; float32 is not copied
		if n, err := elements(t.dims); err == nil && t.dtype != typeFloat {
			c.budget -= 8 * n
		}
	}
	if c.budget < 0 {
		return c.refused("the tensors of its branches take more than %d MiB", foldBudget>>20)
	}
	outer := map[string]*value{}
	for i, name := range c.node.captured {
		outer[name] = c.node.outer[i]
	}
	inner, err := link(g, g.nodes, constants, outer)
	if err != nil {
		return err
	}
	c.all(inner)
	for i, v := range inner.outputs {
		if err := c.alias(i, v.resolve()); err != nil {
			return err
		}
	}
	return nil
}
