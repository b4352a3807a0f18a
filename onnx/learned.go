package onnx

import (
	"regexp"
	"slices"
	"strings"

	"regraft/engine/op"
)

// Which known operands training may change, and which are constants that belong to the architecture, like a mean
// image, a scale or an exponent:
//
//   - Operands of layers (convolutions, products with matrices, normalisations, PRelu) are parameters, and so is what is
//     added to a product of matrices: its bias.
//   - The ones and zeros of a GroupNorm or InstanceNorm without parameters are constants, as is a single value elsewhere.
//   - What meets the image before any layer is preprocessing, hence a constant.
//   - What is added and holds nothing but zeros and one large negative number is a mask: it hides tokens from one another.
//   - Behind a layer a tensor is a parameter where it is called like one, as PyTorch's modules do: the layer scale of ConvNeXt
//     (features.1.0.layer_scale, stages.0.blocks.0.gamma), the position table and class token of transformers (pos_embed,
//     class_token). In PyTorch's own files every module path is a parameter unless it ends like a buffer (norm.mean), and so is
//     what its exporters made of parameters and called onnx::Mul_123 or val_45.
//   - Everything else is a constant. Info.Constants lists those of more than one value.

// isLayer tells whether known operands are parameters whatever their size and name.
func isLayer(o op.Op) bool {
	switch o.(type) {
	case *op.Conv, *op.Linear, *op.MatMul, *op.BatchNorm, *op.LayerNorm, *op.GroupNorm, *op.PRelu:
		return true
	}
	return false
}

var (
	// learnedName is what PyTorch's modules call tensors that they train, outside of layers: the last part of a module path, or
	// of tables and tokens the whole name.
	learnedName  = regexp.MustCompile(`\.(\w*_)?(weight|bias|gamma|beta|alpha|lambda|slope|scale|gain|table|parameter|embeddings?|embed|tokens?)_?\d*$`)
	learnedTable = regexp.MustCompile(`^(\w*_)?(embeddings?|embed|tokens?|layer_scale|gamma)_?\d*$`)
	// bufferName is what they call tensors that they only keep.
	bufferName = regexp.MustCompile(`\.(\w*_)?(mean|std|var|variance|mask|index|indices|offset|anchors?|grid|freqs?|buffer|constant\d*|prior|pe)$`)
	// computedName is what the current exporter calls the ones and zeros of a norm without parameters, among others.
	computedName = regexp.MustCompile(`^val_\d+$`)
	// torchFolded is what PyTorch's exporters call tensors that they computed from parameters.
	torchFolded = regexp.MustCompile(`^(onnx::\w+|(val|exp|unsqueeze|squeeze|view|reshape|expand|permute|transpose|t)(_\d+)?)$`)
)

// parameterRole and constantRole are what tensors without a usable name are called.
const (
	parameterRole = "parameter"
	constantRole  = "constant"
)

// learning knows which values depend on the image, and which of them on a layer.
type learning struct {
	image, layer map[*value]bool
	torch        bool // the names are those of PyTorch's modules
}

func newLearning(n *normaliser, dialect Dialect) *learning {
	l := &learning{image: map[*value]bool{n.input: true}, layer: map[*value]bool{}}
	l.torch = slices.Contains([]Dialect{Own, TorchScriptTrain, TorchScriptEval, DynamoTrain, DynamoEval}, dialect)
	for _, s := range n.steps {
		for _, v := range valuesOf(s) {
			l.image[s.out] = l.image[s.out] || l.image[v]
			l.layer[s.out] = l.layer[s.out] || l.layer[v]
		}
		l.layer[s.out] = l.layer[s.out] || l.image[s.out] && isLayer(s.op)
	}
	return l
}

// valuesOf are the operands whose values matter to a step: of a BatchTile's second one only the number of rows does.
func valuesOf(s *step) []*value {
	if _, tile := s.op.(*op.BatchTile); tile {
		return s.in[:1]
	}
	return s.in
}

// constant tells whether the known operand slot of s is a constant rather than a parameter.
func (l *learning) constant(s *step, slot int) bool {
	k := s.in[slot].constant
	name := k.ownName()
	learned := l.learnedName(name)
	if _, group := s.op.(*op.GroupNorm); group && (!learned || computedName.MatchString(name)) {
		return allAre(float32(2-slot), s.in[slot]) // a GroupNorm without factors has ones, one without summands zeros
	}
	if isLayer(s.op) {
		_, product := s.op.(*op.MatMul)
		return slot == 0 && !product // distances, not weights
	}
	if _, add := s.op.(*op.Add); k.size() == 1 || add && isMask(k.floats) {
		return true
	}
	for _, v := range valuesOf(s) {
		if l.image[v] && !l.layer[v] {
			return true
		}
		if _, add := s.op.(*op.Add); add && v.step != nil {
			if _, product := v.step.op.(*op.MatMul); product {
				return false
			}
		}
	}
	return !learned
}

// isMask tells whether values are zeros and one number that leaves nothing of a softmax's weights.
func isMask(values []float32) bool {
	const hides = -50
	lowest := slices.Min(values)
	return lowest <= hides && slices.Contains(values, 0) && !slices.ContainsFunc(values, func(v float32) bool { return v != 0 && v != lowest })
}

// sumOfMasks makes one mask of two that are added one after the other: transformers' Swin V2 adds that of its windows twice.
func (n *normaliser) sumOfMasks(s *step) bool {
	k, x := maskOf(s)
	if x == nil {
		return false
	}
	inner, _, ok := only[*op.Add](n, x)
	if !ok {
		return false
	}
	other, y := maskOf(inner)
	if y == nil || !slices.Equal(k.shape, other.shape) {
		return false
	}
	sum := slices.Clone(k.constant.floats)
	for i, v := range other.constant.floats {
		sum[i] += v
	}
	s.in = []*value{y, derived(k, k.shape, sum)}
	return true
}

// maskOf reads a step as x plus a mask; x is nil where it is something else.
func maskOf(s *step) (mask, x *value) {
	if _, add := s.op.(*op.Add); !add {
		return nil, nil
	}
	for i, v := range s.in {
		if v.constant != nil && v.constant.size() > 1 && isMask(v.constant.floats) && s.in[1-i].constant == nil {
			return v, s.in[1-i]
		}
	}
	return nil, nil
}

// learnedName tells whether a tensor outside of layers is called like a parameter.
func (l *learning) learnedName(name string) bool {
	if l.torch && (torchFolded.MatchString(name) || isPath(name) && !bufferName.MatchString(name)) {
		return true
	}
	return learnedName.MatchString(name) || learnedTable.MatchString(name)
}

// isPath tells whether a name is the path of a module's tensor. That of a model which is a Sequential begins with a number.
func isPath(name string) bool {
	return strings.Contains(name, ".") && dotted.MatchString("model."+name)
}
