package onnx

import (
	"fmt"
	"regexp"
	"strings"

	"regraft/engine"
	"regraft/engine/op"
)

// dotted is a PyTorch parameter name: a module path and the tensor's name. Modules that were added by hand may have
// hyphens in their names (RegNet's block1-0).
var dotted = regexp.MustCompile(`^[A-Za-z_][\w-]*(\.[\w-]+)+$`)

// roles names the operands of layers, as PyTorch's modules do; nil for other operators.
func roles(o op.Op) []string {
	switch o.(type) {
	case *op.Conv, *op.Linear, *op.LayerNorm, *op.GroupNorm:
		return []string{"", "weight", "bias"}
	case *op.BatchNorm:
		return []string{"", "weight", "bias", "running_mean", "running_var"}
	case *op.MatMul, *op.PRelu:
		return []string{"weight", "weight"}
	}
	return nil
}

// kinds numbers layers without a usable name: conv1, conv2, bn1, ...
func kind(o op.Op) string {
	switch o.(type) {
	case *op.Conv:
		return "conv"
	case *op.BatchNorm:
		return "bn"
	case *op.Linear, *op.MatMul:
		return "linear"
	case *op.LayerNorm, *op.GroupNorm:
		return "norm"
	}
	return strings.ToLower(o.Name())
}

// namer gives parameters PyTorch's dotted names.
type namer struct {
	// verbatim keeps every name of the file: regraft wrote it.
	verbatim bool
	learning *learning
	scopes   map[string]string // a node's module path, by label
	taken    names
	layers   map[string]int
	module   map[*step]string
}

func newNamer(nodes []*node, normal *normaliser, dialect Dialect) *namer {
	n := &namer{verbatim: dialect == Own, learning: newLearning(normal, dialect), scopes: map[string]string{}, taken: names{}, layers: map[string]int{}, module: map[*step]string{}}
	for _, node := range nodes {
		n.scopes[node.label()] = modulePath(node.nodeProto)
	}
	return n
}

// modulePath derives the path of the PyTorch module that a node comes from, "" when it cannot be known.
// TorchScript's exporter writes it into the node's name, /Mixed_5b/branch1x1/conv/Conv; elements of a
// Sequential repeat their parent's path, /layer1/layer1.0/conv1/Conv. The current exporter leaves it in the
// node's metadata:
//
//	['', 'Mixed_5b', 'Mixed_5b.branch1x1', 'Mixed_5b.branch1x1.conv', 'conv2d']
func modulePath(n *nodeProto) string {
	if n.scopes != "" {
		parts := strings.Split(strings.Trim(n.scopes, "[]"), ",")
		if len(parts) < 2 {
			return ""
		}
		path := strings.Trim(strings.TrimSpace(parts[len(parts)-2]), `'"`)
		return validPath(path)
	}
	if !strings.HasPrefix(n.name, "/") {
		return ""
	}
	parts := strings.Split(n.name, "/")
	path, before := "", ""
	for _, part := range parts[1 : len(parts)-1] {
		switch {
		case before == "":
			path = part
		case strings.HasPrefix(part, before+"."):
			path = strings.TrimSuffix(path, before) + part
		default:
			path += "." + part
		}
		before = part
	}
	return validPath(path)
}

func validPath(path string) string {
	if dotted.MatchString(path + ".weight") {
		return path
	}
	return ""
}

// param makes the parameter for operand slot of s.
func (n *namer) param(s *step, slot int) *engine.Param {
	k := s.in[slot].constant
	p := &engine.Param{Shape: k.shape.Clone(), Value: k.floats, Constant: n.learning.constant(s, slot)}
	switch s.op.(type) {
	case *op.BatchNorm:
		p.Running = slot >= 3
	case *op.Conv:
		p.Folded = slot == 2 && foldedBatchNorm(k.name)
	}
	own := k.ownName()
	name := own
	if p.Constant && !n.verbatim {
		name = "" // it is not to look like a parameter's when the file is read again
	}
	p.Name = n.name(s, n.role(s, slot, p.Constant), name)
	if p.Name != own {
		p.Alias = own
	}
	n.taken[p.Name] = 1
	return p
}

// ownName is the name that the file gives the values of k: that of the initializer which k is another form of, unless the node
// that made k has the name of a parameter.
func (k *constant) ownName() string {
	if k.origin == "" || dotted.MatchString(k.name) {
		return k.name
	}
	return k.origin
}

// role is the last part of the name of operand slot.
func (n *namer) role(s *step, slot int, constant bool) string {
	of := roles(s.op)
	switch {
	case of != nil && of[min(slot, len(of)-1)] != "":
		return of[min(slot, len(of)-1)]
	case constant:
		return constantRole
	}
	return parameterRole
}

func (n *namer) name(s *step, role, own string) string {
	if (n.verbatim && own != "" || dotted.MatchString(own) && !foldedName(own)) && !n.taken.taken(own) {
		return own
	}
	path := n.scopes[s.label]
	if foldedName(own) {
		path = strings.TrimSuffix(own, foldedBias)
	}
	if path == "" || n.taken.taken(path+"."+role) {
		path = n.numbered(s, role)
	}
	return path + "." + role
}

// foldedBias ends the name of the bias that PyTorch's current exporter makes when it folds BatchNorm
// into convolution X: X.weight_bias.
const foldedBias = ".weight_bias"

func foldedName(name string) bool {
	return strings.HasSuffix(name, foldedBias) && dotted.MatchString(name)
}

// numbered names the layer of a step by kind and number.
func (n *namer) numbered(s *step, role string) string {
	path := n.module[s]
	for path == "" || n.taken.taken(path+"."+role) {
		n.layers[kind(s.op)]++
		path = fmt.Sprintf("%s%d", kind(s.op), n.layers[kind(s.op)])
	}
	n.module[s] = path
	return path
}
