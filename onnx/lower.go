package onnx

import (
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
	"regraft/photo"
)

// maxValue bounds the elements of one value for the file's own batch (1 GiB of float32).
const maxValue = 1 << 28

// maxOperands bounds the operands of one node; Gorgonia takes quadratic time over them.
const maxOperands = 1024

// maxReported bounds the list of what is unsupported.
const maxReported = 1000

// step is one operator of the network to be.
type step struct {
	label string
	op    op.Op
	in    []*value
	out   *value
}

// lowering turns the nodes of a file into steps: constants are folded, operators built by the
// table's rows, shapes worked out for the file's own batch, or for any where the file leaves it open. Everything unsupported is collected.
type lowering struct {
	// image is the graph's input; nil where its shape is not known.
	image *value
	steps []*step
	// nodes are those of the graph and of the branches that were taken.
	nodes       []*node
	external    payloads
	unsupported []Unsupported
	budget      int // bytes that folded constants may still take
	work        int // elements that may still be gone through for them
	uses        map[*value]int
	averaged    int // random factors that were left out
	branches    []branchTaken
	halves      bool // the file computes on float16 or bfloat16
	// ownSize is the size to which the graph itself resizes its input, zero where it does not.
	ownSize photo.Size
}

// Sentinels of row functions: the reason has been reported, or is another node's.
var (
	errReported = errors.New("reported")
	errUnknown  = errors.New("an operand's shape is unknown because of an earlier problem")
)

// lower processes all nodes; shapes of the graph's inputs must be set.
func lower(g *graph, image *value) *lowering {
	l := &lowering{image: image, external: g.external, budget: foldBudget, work: foldWork, uses: map[*value]int{}}
	l.afford(g.constants)
	l.all(g)
	l.steps = slices.DeleteFunc(l.steps, func(s *step) bool { return s.out.constant != nil }) // computed once after all
	return l
}

// all lowers the nodes of the file's graph, or of a branch.
func (l *lowering) all(g *graph) {
	for _, n := range g.nodes {
		for _, v := range slices.Concat(n.in, n.outer) {
			l.uses[v]++
		}
	}
	for _, v := range g.outputs {
		l.uses[v]++
	}
	for _, n := range g.nodes {
		l.nodes = append(l.nodes, n)
		l.node(n)
	}
}

// node lowers one node by the row of its operator.
func (l *lowering) node(n *node) {
	row, reason := lookup(n.nodeProto)
	if row == nil {
		l.refuse(n, reason)
		return
	}
	for _, v := range n.in {
		if v != nil && v.text != nil {
			l.refuse(n, fmt.Sprintf("operand %s holds strings", quoted(v.name)))
			return
		}
	}
	c := &call{lowering: l, node: n}
	c.attributes = newAttributes(n.attributes, func(format string, args ...any) { c.refused(format, args...) })
	var work func() error
	err := c.modernise()
	if err == nil {
		err = c.keep(row.name)
	}
	if err == nil {
		work, err = row.choose(c)
	}
	if err == nil {
		err = c.passPixels()
	}
	if err == nil {
		if err = work(); err != errReported {
			c.attributes.unknown()
		}
	}
	if err == nil {
		err = c.unusedResults()
	}
	if err != nil && err != errReported && err != errUnknown {
		l.refuse(n, err.Error())
	}
}

func (l *lowering) refuse(n *node, reason string) {
	if len(l.unsupported) >= maxReported {
		return
	}
	l.unsupported = append(l.unsupported, Unsupported{n.qualified(), n.label(), reason})
}

// call is one node while its row works on it.
type call struct {
	*lowering
	attributes
	node *node
	// keeps is set where the results stay computed, though all operands are known.
	keeps keeping
}

// refused reports a reason; the result lets row functions end with it.
func (c *call) refused(format string, args ...any) error {
	for i, a := range args {
		if shape, ok := a.(tensor.Shape); ok {
			args[i] = shapeText(shape)
		}
	}
	c.lowering.refuse(c.node, fmt.Sprintf(format, args...))
	return errReported
}

// opset is the version of the operator set that the node is written for.
func (c *call) opset() int { return int(c.node.opset) }

// step adds an operator whose result is an intermediate value of this node.
func (c *call) step(suffix string, o op.Op, in ...*value) (*value, error) {
	out := &value{name: c.node.outputs[0] + "/" + suffix}
	return out, c.add(c.node.label()+"/"+suffix, o, in, out)
}

// emit adds the operator that computes the node's first result.
func (c *call) emit(o op.Op, in ...*value) error { return c.emitAt(0, o, in...) }

func (c *call) emitAt(i int, o op.Op, in ...*value) error {
	out := c.node.out[i]
	if out == nil {
		return nil
	}
	label := c.node.label()
	if i > 0 {
		label = fmt.Sprintf("%s/%d", label, i)
	}
	return c.add(label, o, in, out)
}

func (c *call) add(label string, o op.Op, in []*value, out *value) error {
	s := &step{label, o, in, out}
	if err := s.infer(); err != nil {
		return c.refused("%v", err)
	}
	if c.keeps != computedOnce {
		return c.addKept(s)
	}
	if s.known() {
		return c.compute(s)
	}
	if done, err := c.repeats(s); done || err != nil {
		return err
	}
	c.steps = append(c.steps, s)
	return nil
}

// infer works out the shape of the step's result.
func (s *step) infer() error {
	shapes := make([]tensor.Shape, len(s.in))
	for i, v := range s.in {
		shapes[i] = v.resolve().shape
	}
	shape, err := inferShape(s.op, shapes...)
	if err == nil {
		err = acrossImages(s.op, shapes)
	}
	if err != nil {
		return err
	}
	if len(shape) > maxRank {
		return fmt.Errorf("a result of %d axes", len(shape))
	}
	if forImages(shape, 1).TotalSize() > maxValue {
		return fmt.Errorf("a result of shape %s is too large (the limit is %d elements)", shapeText(shape), maxValue)
	}
	s.out.shape, s.out.step = shape, s
	return nil
}

// same makes the node's first result another name of v.
func (c *call) same(v *value) error { return c.alias(0, v) }

// alias makes a result another name of v.
func (c *call) alias(i int, v *value) error {
	out := c.node.out[i]
	switch {
	case v.unknown():
		return errUnknown
	case out == nil:
	case v.constant != nil:
		c.define(i, v.constant)
	default:
		out.same, out.shape, out.sequence, out.noise, out.truth, out.index = v, v.shape, v.sequence, v.noise, v.truth, v.index
	}
	return nil
}

// define makes a result a constant. The constant is called by the result's name, so that an Identity of an
// initializer becomes a parameter of its own: PyTorch's TorchScript exporter stores equal tensors once
// and gives every further user an Identity, though they are different parameters.
func (c *call) define(i int, k *constant) {
	if out := c.node.out[i]; out != nil {
		named := *k
		if named.name = out.name; named.shape == nil {
			named.shape = tensor.Shape{} // a scalar's shape is known
		}
		out.constant, out.shape = &named, named.shape
	}
}

// unusedResults refuses nodes of whose results more are used than the row provides.
func (c *call) unusedResults() error {
	for i, out := range c.node.out {
		if out != nil && out.unknown() && c.uses[out] > 0 {
			return c.refused("result %d (%s) is used, which is not supported", i, quoted(out.name))
		}
	}
	return nil
}

// choose returns the function that folds the node, when all of its operands are known, or lowers
// it. Both read all attributes before anything else, so that problems with attributes are found even where
// an operand's shape is not known.
func (row *operator) choose(c *call) (func() error, error) {
	if n := len(c.node.in); n < row.operands[0] || n > maxOperands || row.operands[1] >= 0 && n > row.operands[1] {
		return nil, fmt.Errorf("the node has %d operands", n)
	}
	if c.noisy() {
		return c.lowerNoisy, nil
	}
	if c.indexed() && row.name != "Shape" {
		return func() error { return row.lowerIndex(c) }, nil
	}
	if c.keeps != computedOnce && row.lower != nil {
		return func() error { return row.lower(c) }, nil
	}
	if fold := row.foldRepeated(c); fold != nil {
		return fold, nil
	}
	known, all := make([]*constant, len(c.node.in)), true
	for i := range c.node.in {
		v := c.operand(i)
		switch {
		case v == nil:
			if i < row.operands[0] || row.operands[1] < 0 {
				return nil, fmt.Errorf("operand %d is missing", i)
			}
		case v.constant == nil:
			all = false
			if v.unknown() && row.fold != nil {
				return nil, errUnknown // it may have been meant for folding
			}
		}
		if v != nil {
			known[i] = v.constant
		}
	}
	switch {
	case row.fold != nil && all && (!slices.ContainsFunc(known, (*constant).anyOpen) || c.foldsOpen(known)):
		return func() error { return row.evaluate(c, known) }, nil
	case row.lower == nil && all:
		return nil, errOpen
	case row.lower == nil:
		return nil, fmt.Errorf("it is only computed on values known at import, such as shapes%s", hint("", row.name))
	}
	return func() error { return row.lower(c) }, nil
}

// evaluate folds the node.
func (row *operator) evaluate(c *call, in []*constant) error {
	results, err := row.fold(c, in)
	if err != nil {
		return err
	}
	for i := 0; i < len(results) && i < len(c.node.out); i++ {
		result := *results[i]
		if result.origin == "" {
			result.origin = originOf(&result, in)
		}
		result.several = result.several || slices.ContainsFunc(in, func(k *constant) bool { return k != nil && k.several })
		c.define(i, &result)
	}
	return nil
}

// originOf is the initializer that a folded node only gives another form: its one operand of numbers, as many as the
// result's.
func originOf(result *constant, in []*constant) (origin string) {
	for _, k := range in {
		switch {
		case k == nil || k.floats == nil:
		case origin != "" || k.size() != result.size() || result.floats == nil:
			return ""
		default:
			origin = k.origin
		}
	}
	return origin
}
