package onnx

import (
	"fmt"
	"math"
	"reflect"

	"google.golang.org/protobuf/encoding/protowire"
	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// exporter encodes a network's operators as ONNX nodes.
type exporter struct {
	net     *engine.Network
	form    form
	nodes   []byte
	tensors []tensorOut
	values  map[*gorgonia.Node]string // names of what has been written
	names   names                     // of values
	labels  names                     // of nodes

	// The operator at hand: its node, the name of its ONNX node and of its result.
	current     *gorgonia.Node
	label, name string
}

func newExporter(net *engine.Network, f form) *exporter {
	return &exporter{net: net, form: f, values: map[*gorgonia.Node]string{}, names: names{}, labels: names{}}
}

// writeRule writes the operators of one Go type.
type writeRule struct {
	operator reflect.Type
	write    func(e *exporter, o op.Op, in []string)
}

// writes makes a rule for operators of type T; in are the names of the operands.
func writes[T op.Op](f func(e *exporter, o T, in []string)) *writeRule {
	return &writeRule{reflect.TypeFor[T](), func(e *exporter, o op.Op, in []string) { f(e, o.(T), in) }}
}

// plain writes an operator without attributes under ONNX's name for it.
func plain[T op.Op](name string) *writeRule {
	return writes(func(e *exporter, _ T, in []string) { e.node(name, in) })
}

var writeRules = func() map[reflect.Type]*writeRule {
	rules := map[reflect.Type]*writeRule{}
	for _, row := range operators {
		if row.write != nil {
			rules[row.write.operator] = row.write
		}
	}
	for _, rule := range composites {
		rules[rule.operator] = rule
	}
	return rules
}()

// network writes all operators and the parameters that they use.
func (e *exporter) network() error {
	if err := e.claim(e.net.Input, e.net.Input.Name()); err != nil {
		return err
	}
	outputs := map[*gorgonia.Node]string{}
	for _, o := range e.net.Outputs {
		if e.names.taken(o.Name) {
			return fmt.Errorf("two inputs or outputs are called %s", quoted(o.Name))
		}
		e.names[o.Name] = 1
		if outputs[o.Node] == "" {
			outputs[o.Node] = o.Name
		}
	}
	used := map[*gorgonia.Node]bool{}
	for _, n := range e.net.Nodes() {
		for _, in := range op.Inputs(n) {
			used[in] = true
		}
	}
	for _, p := range e.net.Params {
		if !used[p.Node] {
			continue
		}
		if err := e.claim(p.Node, p.Name); err != nil {
			return err
		}
		if len(p.Value) != p.Shape.TotalSize() {
			return fmt.Errorf("parameter %s has %d values, its shape is %v", quoted(p.Name), len(p.Value), p.Shape)
		}
		e.param(p)
	}
	for _, n := range e.net.Nodes() {
		if err := e.operator(n, outputs[n]); err != nil {
			return err
		}
	}
	return e.repeatedOutputs()
}

func (e *exporter) claim(n *gorgonia.Node, name string) error {
	if name == "" || e.names.taken(name) {
		return fmt.Errorf("the name %s is used twice or empty", quoted(name))
	}
	e.names[name], e.values[n] = 1, name
	return nil
}

// names is a set of names that must differ; it counts how often each was asked for.
type names map[string]int

func (n names) taken(name string) bool { return n[name] > 0 }

// unique returns name, with a number if it is taken.
func (n names) unique(name string) string {
	free := name
	for n.taken(free) {
		free = fmt.Sprintf("%s_%d", name, n[name])
		n[name]++
	}
	n[free] = 1
	return free
}

// operator writes one operator; output is the name of its result, or "" where it is none of the network's.
func (e *exporter) operator(n *gorgonia.Node, output string) error {
	rule := writeRules[reflect.TypeOf(n.Op())]
	if rule == nil {
		return fmt.Errorf("node %s: %v cannot be written as ONNX", quoted(e.net.Label(n)), n.Op())
	}
	var in []string
	for _, x := range op.Inputs(n) {
		in = append(in, e.values[x])
	}
	label := e.net.Label(n)
	if d, ok := n.Op().(*op.Dropout); ok && d.ID != "" {
		label = d.ID // decides which random numbers it gets
	}
	e.current, e.label = n, e.labels.unique(label)
	if e.name = output; output == "" {
		e.name = e.names.unique(e.label + "_output_0")
	}
	e.values[n] = e.name
	rule.write(e, n.Op().(op.Op), in)
	return nil
}

// repeatedOutputs copies results that are more than one of the network's outputs.
func (e *exporter) repeatedOutputs() error {
	for _, o := range e.net.Outputs {
		if from := e.values[o.Node]; from != o.Name {
			e.label, e.name = e.labels.unique(o.Name+"/Identity"), o.Name
			e.node("Identity", []string{from})
		}
	}
	return nil
}

// node writes the ONNX node that computes the operator's result.
func (e *exporter) node(opType string, in []string, attributes ...[]byte) {
	e.encode(opType, e.label, e.name, in, attributes)
}

// inner writes a node for an intermediate result, whose name it returns.
func (e *exporter) inner(opType string, in []string, attributes ...[]byte) string {
	label := e.labels.unique(e.label + "/" + opType)
	name := e.names.unique(label + "_output_0")
	e.encode(opType, label, name, in, attributes)
	return name
}

func (e *exporter) encode(opType, label, output string, in []string, attributes [][]byte) {
	var b []byte
	for _, name := range in {
		b = appendText(b, 1, name)
	}
	b = appendText(b, 2, output)
	b = appendText(b, 3, label)
	b = appendText(b, 4, opType)
	for _, a := range attributes {
		b = appendMessage(b, 5, a)
	}
	e.nodes = appendMessage(e.nodes, 1, b)
}

// ints adds an int64 list as an initializer and returns its name.
func (e *exporter) ints(what string, values ...int) string {
	return e.intTensor(what, []int{len(values)}, values)
}

func (e *exporter) intTensor(what string, shape, values []int) string {
	name := e.names.unique(e.label + "/" + what)
	e.tensors = append(e.tensors, newTensorOut(name, shape, nil, int64s(values)))
	return name
}

// scalar adds a float32 scalar as an initializer.
func (e *exporter) scalar(what string, v float32) string {
	return e.floats(what, nil, []float32{v})
}

func (e *exporter) floats(what string, shape []int, values []float32) string {
	name := e.names.unique(e.label + "/" + what)
	e.tensors = append(e.tensors, newTensorOut(name, shape, values, nil))
	return name
}

func int64s(values []int) []int64 {
	out := make([]int64, len(values))
	for i, v := range values {
		out[i] = int64(v)
	}
	return out
}

func attributeOut(name string, kind attributeKind, value func([]byte) []byte) []byte {
	return appendInt(value(appendText(nil, 1, name)), 20, int64(kind))
}

func intAttribute(name string, v int) []byte {
	return attributeOut(name, attributeInt, func(b []byte) []byte { return appendInt(b, 3, int64(v)) })
}

func flagAttribute(name string, v bool) []byte {
	if v {
		return intAttribute(name, 1)
	}
	return intAttribute(name, 0)
}

func textAttribute(name, v string) []byte {
	return attributeOut(name, attributeString, func(b []byte) []byte { return appendText(b, 4, v) })
}

func floatAttribute(name string, v float32) []byte {
	return attributeOut(name, attributeFloat, func(b []byte) []byte {
		return protowire.AppendFixed32(protowire.AppendTag(b, 2, protowire.Fixed32Type), math.Float32bits(v))
	})
}

func intsAttribute(name string, values ...int) []byte {
	return attributeOut(name, attributeInts, func(b []byte) []byte {
		for _, v := range values {
			b = appendInt(b, 8, int64(v))
		}
		return b
	})
}
