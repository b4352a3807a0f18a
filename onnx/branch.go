package onnx

// lowerIf puts the branch that is taken in the place of the node, where the condition is known: exporters leave such
// nodes where the rank or a size decides, as in PyTorch's squeeze.
func lowerIf(c *call) error {
	then, other := c.graph("then_branch"), c.graph("else_branch")
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
	if condition.ints[0] != 0 {
		return c.branch(then)
	}
	return c.branch(other)
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
