package onnx

import (
	"fmt"
	"math"

	"regraft/engine/op"
)

const (
	// Opset versions of ONNX's own operators that are read.
	oldestOpset, newestOpset = 7, 28
	newestIR                 = 14
)

// operator is a row of the table.
type operator struct {
	// name is ONNX's.
	name string
	// since is the first opset version that has the operator; all later definitions up to newestOpset are read.
	since int64
	// operands are the least and the greatest number of operands; -1 is any.
	operands [2]int
	// lower builds the engine's operators; nil where the operator is only computed at import.
	lower func(*call) error
	// fold computes the operator at import where all operands are known.
	fold func(*call, []*constant) ([]*constant, error)
}

// operators is the one table of what is read: each row is an ONNX operator.
var operators = []operator{
	// Windows and pools.
	{"Conv", 1, [2]int{2, 3}, lowerConv, nil},
	{"MaxPool", 1, [2]int{1, 1}, lowerMaxPool, nil},
	{"AveragePool", 1, [2]int{1, 1}, lowerAveragePool, nil},
	{"GlobalAveragePool", 1, [2]int{1, 1}, lowerGlobalAveragePool, nil},
	{"ReduceMean", 1, [2]int{1, 2}, lowerReduceMean, nil},

	// Matrix products.
	{"Gemm", 1, [2]int{2, 3}, lowerGemm, nil},
	{"MatMul", 1, [2]int{2, 2}, lowerMatMul, nil},

	// Normalisation, Dropout, Softmax.
	{"BatchNormalization", 1, [2]int{5, 5}, lowerBatchNorm, nil},
	{"LayerNormalization", 17, [2]int{2, 3}, lowerLayerNorm, nil},
	{"LRN", 1, [2]int{1, 1}, lowerLRN, nil},
	{"Dropout", 1, [2]int{1, 3}, lowerDropout, nil},
	{"Softmax", 1, [2]int{1, 1}, lowerSoftmax(func(axis int) op.Op { return &op.Softmax{Axis: axis} }), nil},
	{"LogSoftmax", 1, [2]int{1, 1}, lowerSoftmax(func(axis int) op.Op { return &op.LogSoftmax{Axis: axis} }), nil},

	// Element by element.
	{"Relu", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Relu{} }), nil},
	{"Clip", 1, [2]int{1, 3}, lowerClip, nil},
	{"Sigmoid", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Sigmoid{} }), nil},
	{"HardSigmoid", 1, [2]int{1, 1}, lowerHardSigmoid, nil},
	{"HardSwish", 14, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.HardSwish{} }), nil},
	{"Gelu", 20, [2]int{1, 1}, lowerGelu, nil},
	{"Erf", 9, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Erf{} }), nil},
	{"Sqrt", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Sqrt{} }), foldUnary(math.Sqrt)},
	{"Reciprocal", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Reciprocal{} }), foldUnary(func(v float64) float64 { return 1 / v })},
	{"Neg", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Neg{} }), foldUnary(func(v float64) float64 { return -v })},
	{"Exp", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Exp{} }), nil},
	{"Log", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Log{} }), nil},
	{"Add", 1, [2]int{2, 2}, lowerBinary(func() op.Op { return &op.Add{} }), foldBinary(arithmeticAdd)},
	{"Sub", 1, [2]int{2, 2}, lowerBinary(func() op.Op { return &op.Sub{} }), foldBinary(arithmeticSub)},
	{"Mul", 1, [2]int{2, 2}, lowerBinary(func() op.Op { return &op.Mul{} }), foldBinary(arithmeticMul)},
	{"Div", 1, [2]int{2, 2}, lowerBinary(func() op.Op { return &op.Div{} }), foldBinary(arithmeticDiv)},
	{"Sum", 1, [2]int{1, -1}, lowerSum, foldVariadic(arithmeticAdd)},

	// Moving values.
	{"Identity", 1, [2]int{1, 1}, lowerIdentity, foldIdentity},
	{"Flatten", 1, [2]int{1, 1}, lowerFlatten, foldFlatten},
	{"Reshape", 5, [2]int{2, 2}, lowerReshape, foldReshape},
	{"Squeeze", 1, [2]int{1, 2}, lowerSqueeze, foldSqueeze},
	{"Unsqueeze", 1, [2]int{1, 2}, lowerUnsqueeze, foldUnsqueeze},
	{"Transpose", 1, [2]int{1, 1}, lowerTranspose, foldTranspose},
	{"Concat", 1, [2]int{1, -1}, lowerConcat, foldConcat},
	{"Slice", 1, [2]int{1, 5}, lowerSlice, foldSlice},
	{"Split", 2, [2]int{1, 2}, lowerSplit, foldSplit},
	{"Gather", 1, [2]int{2, 2}, lowerGather, foldGather},
	{"Expand", 8, [2]int{2, 2}, lowerExpand, foldExpand},
	{"Pad", 1, [2]int{1, 4}, lowerPad, nil},

	// Known at import only: constants and the arithmetic of shapes.
	{"Constant", 1, [2]int{0, 0}, nil, foldConstant},
	{"ConstantOfShape", 9, [2]int{1, 1}, nil, foldConstantOfShape},
	{"Shape", 1, [2]int{1, 1}, lowerShape, nil},
	{"Size", 1, [2]int{1, 1}, lowerSize, nil},
	{"Cast", 1, [2]int{1, 1}, lowerCast, foldCast},
	{"CastLike", 15, [2]int{2, 2}, lowerCastLike, foldCastLike},
	{"Range", 11, [2]int{3, 3}, nil, foldRange},
	{"Where", 9, [2]int{3, 3}, nil, foldWhere},
	{"Mod", 10, [2]int{2, 2}, nil, foldMod},
	{"Min", 1, [2]int{1, -1}, nil, foldVariadic(arithmeticMin)},
	{"Max", 1, [2]int{1, -1}, nil, foldVariadic(arithmeticMax)},
	{"Abs", 1, [2]int{1, 1}, nil, foldUnary(math.Abs)},
	{"Ceil", 1, [2]int{1, 1}, nil, foldUnary(math.Ceil)},
	{"Floor", 1, [2]int{1, 1}, nil, foldUnary(math.Floor)},
	{"Equal", 1, [2]int{2, 2}, nil, foldCompare(func(a, b float64) bool { return a == b })},
	{"Greater", 1, [2]int{2, 2}, nil, foldCompare(func(a, b float64) bool { return a > b })},
	{"Less", 1, [2]int{2, 2}, nil, foldCompare(func(a, b float64) bool { return a < b })},
	{"And", 1, [2]int{2, 2}, nil, foldBinary(arithmeticAnd)},
	{"Or", 1, [2]int{2, 2}, nil, foldBinary(arithmeticOr)},
	{"Not", 1, [2]int{1, 1}, nil, foldNot},
}

var operatorByName = func() map[string]*operator {
	rows := map[string]*operator{}
	for i := range operators {
		rows[operators[i].name] = &operators[i]
	}
	return rows
}()

// hints says where operators that are not read usually come from.
var hints = map[string]string{
	"GatherND":              "PyTorch writes it for an adaptive average pool whose input is no multiple of its output: export at the model's own image size",
	"If":                    "control flow: export the model with fixed behaviour",
	"Loop":                  "control flow: export the model with fixed behaviour",
	"Scan":                  "control flow: export the model with fixed behaviour",
	"QLinearConv":           "a quantised model: use the float32 original",
	"QLinearMatMul":         "a quantised model: use the float32 original",
	"ConvInteger":           "a quantised model: use the float32 original",
	"QuantizeLinear":        "a quantised model: use the float32 original",
	"DequantizeLinear":      "a quantised model: use the float32 original",
	"DynamicQuantizeLinear": "a quantised model: use the float32 original",
	"ScatterND":             "usual in Swin transformers",
	"Resize":                "usual in detection and segmentation models",
	"ConvTranspose":         "usual in segmentation and generative models",
	"NonMaxSuppression":     "usual in detection models",
	"Einsum":                "usual in transformers",
	"LSTM":                  "a recurrent network",
	"GRU":                   "a recurrent network",
}

func hint(name string) string {
	if h := hints[name]; h != "" {
		return " (" + h + ")"
	}
	return ""
}

// lookup finds the row of a node's operator, or the reason why there is none.
func lookup(n *nodeProto) (*operator, string) {
	row := operatorByName[n.opType]
	switch {
	case n.domain != "":
		return nil, fmt.Sprintf("operators of domain %q are not supported", n.domain)
	case row == nil:
		return nil, "the operator is not supported" + hint(n.opType)
	case n.opset < row.since:
		return nil, fmt.Sprintf("the operator does not exist in opset %d", n.opset)
	}
	return row, ""
}
