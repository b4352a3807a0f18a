package onnx

import (
	"fmt"
	"math"

	"regraft/engine/op"
)

const (
	// Opset versions of ONNX's own operators that are read.
	oldestOpset, newestOpset = 1, 28
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
	// write makes nodes of this operator out of the engine's; nil where the network never holds it.
	write *writeRule
}

// operators is the one table of what is read: each row is an ONNX operator.
var operators = []operator{
	// Windows and pools.
	{"Conv", 1, [2]int{2, 3}, lowerConv, nil, writes(writeConv)},
	{"MaxPool", 1, [2]int{1, 1}, lowerMaxPool, nil, writes(writeMaxPool)},
	{"AveragePool", 1, [2]int{1, 1}, lowerAveragePool, nil, writes(writeAveragePool)},
	{"GlobalAveragePool", 1, [2]int{1, 1}, lowerGlobalAveragePool, nil, plain[*op.GlobalAveragePool]("GlobalAveragePool")},
	{"GlobalMaxPool", 1, [2]int{1, 1}, lowerGlobalMaxPool, nil, nil},

	// One number of all elements along some axes.
	{"ReduceMean", 1, [2]int{1, 2}, lowerReduction(reduceMean), nil, writes(writeReduceMean)},
	{"ReduceSum", 1, [2]int{1, 2}, lowerReduction(reduce(op.SumOf)), foldIntegers(arithmeticAdd, reduce(op.SumOf)), writes(writeReduce)},
	{"ReduceMax", 1, [2]int{1, 2}, lowerReduction(reduceMax), foldIntegers(arithmeticMax, reduceMax), nil},
	{"ReduceMin", 1, [2]int{1, 2}, lowerReduction(reduce(op.MinOf)), foldIntegers(arithmeticMin, reduce(op.MinOf)), nil},
	{"ReduceL1", 1, [2]int{1, 2}, lowerReduction(reduce(op.L1Of)), nil, nil},
	{"ReduceL2", 1, [2]int{1, 2}, lowerReduction(reduce(op.L2Of)), nil, nil},
	{"ReduceSumSquare", 1, [2]int{1, 2}, lowerReduction(reduce(op.SumSquareOf)), nil, nil},
	{"ReduceLogSum", 1, [2]int{1, 2}, lowerReduction(reduce(op.LogSumOf)), nil, nil},
	{"ReduceLogSumExp", 1, [2]int{1, 2}, lowerReduction(reduce(op.LogSumExpOf)), nil, nil},

	// Matrix products.
	{"Gemm", 1, [2]int{2, 3}, lowerGemm, nil, writes(writeLinear)},
	{"MatMul", 1, [2]int{2, 2}, lowerMatMul, nil, plain[*op.MatMul]("MatMul")},

	{"Einsum", 12, [2]int{1, 2}, lowerEinsum, nil, nil},
	{"Attention", 23, [2]int{3, 6}, lowerAttention, nil, nil},
	{"RotaryEmbedding", 23, [2]int{3, 4}, lowerRotary, nil, nil},

	// Normalisation, Dropout, Softmax.
	{"BatchNormalization", 1, [2]int{5, 5}, lowerBatchNorm, nil, writes(writeBatchNorm)},
	{"LayerNormalization", 17, [2]int{2, 3}, lowerLayerNorm, nil, writes(writeLayerNorm)},
	{"RMSNormalization", 23, [2]int{2, 2}, lowerRMSNorm, nil, nil},
	{"InstanceNormalization", 1, [2]int{3, 3}, lowerInstanceNorm, nil, writes(writeGroupNorm)},
	{"GroupNormalization", 18, [2]int{3, 3}, lowerGroupNorm, nil, nil},
	{"LRN", 1, [2]int{1, 1}, lowerLRN, nil, writes(writeLRN)},
	{"Dropout", 1, [2]int{1, 3}, lowerDropout, nil, writes(writeDropout)},
	{"Softmax", 1, [2]int{1, 1}, lowerSoftmax(func(axis int) op.Op { return &op.Softmax{Axis: axis} }), nil, writes(writeSoftmax)},
	{"LogSoftmax", 1, [2]int{1, 1}, lowerSoftmax(func(axis int) op.Op { return &op.LogSoftmax{Axis: axis} }), nil, writes(writeLogSoftmax)},

	// Element by element.
	{"Relu", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Relu{} }), nil, plain[*op.Relu]("Relu")},
	{"Clip", 1, [2]int{1, 3}, lowerClip, nil, writes(writeClip)},
	{"Min", 1, [2]int{1, -1}, limit(arithmeticMin, atMost), foldVariadic(arithmeticMin), nil},
	{"Max", 1, [2]int{1, -1}, limit(arithmeticMax, atLeast), foldVariadic(arithmeticMax), nil},
	{"Sigmoid", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Sigmoid{} }), nil, plain[*op.Sigmoid]("Sigmoid")},
	{"Tanh", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Tanh{} }), nil, plain[*op.Tanh]("Tanh")},
	{"HardSigmoid", 1, [2]int{1, 1}, lowerHardSigmoid, nil, writes(writeHardSigmoid)},
	{"HardSwish", 14, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.HardSwish{} }), nil, writes(writeHardSwish)},
	{"LeakyRelu", 1, [2]int{1, 1}, lowerActivation(leakyRelu), nil, writes(writeLeakyRelu)},
	{"PRelu", 1, [2]int{2, 2}, lowerPRelu, nil, plain[*op.PRelu]("PRelu")},
	{"ThresholdedRelu", 10, [2]int{1, 1}, lowerActivation(thresholdedRelu), nil, writes(writeThresholdedRelu)},
	{"Elu", 1, [2]int{1, 1}, lowerActivation(elu), nil, writes(writeElu)},
	{"Selu", 1, [2]int{1, 1}, lowerActivation(selu), nil, nil},
	{"Celu", 12, [2]int{1, 1}, lowerActivation(celu), nil, nil},
	{"Softplus", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Softplus{} }), nil, plain[*op.Softplus]("Softplus")},
	{"Softsign", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Softsign{} }), nil, plain[*op.Softsign]("Softsign")},
	{"Mish", 18, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Mish{} }), nil, writes(writeMish)},
	{"Gelu", 20, [2]int{1, 1}, lowerGelu, nil, nil},
	{"Erf", 9, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Erf{} }), nil, plain[*op.Erf]("Erf")},
	{"Sqrt", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Sqrt{} }), foldUnary(math.Sqrt), plain[*op.Sqrt]("Sqrt")},
	{"Reciprocal", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Reciprocal{} }), foldUnary(func(v float64) float64 { return 1 / v }), plain[*op.Reciprocal]("Reciprocal")},
	{"Abs", 1, [2]int{1, 1}, lowerActivation(absoluteValue), foldUnary(math.Abs), nil},
	{"Neg", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Neg{} }), foldUnary(func(v float64) float64 { return -v }), plain[*op.Neg]("Neg")},
	{"Exp", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Exp{} }), nil, plain[*op.Exp]("Exp")},
	{"Log", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Log{} }), nil, plain[*op.Log]("Log")},
	{"Add", 1, [2]int{2, 2}, lowerBinary(func() op.Op { return &op.Add{} }), foldBinary(arithmeticAdd), plain[*op.Add]("Add")},
	{"Sub", 1, [2]int{2, 2}, lowerBinary(func() op.Op { return &op.Sub{} }), foldBinary(arithmeticSub), plain[*op.Sub]("Sub")},
	{"Mul", 1, [2]int{2, 2}, lowerBinary(func() op.Op { return &op.Mul{} }), foldBinary(arithmeticMul), plain[*op.Mul]("Mul")},
	{"Div", 1, [2]int{2, 2}, lowerBinary(func() op.Op { return &op.Div{} }), foldBinary(arithmeticDiv), plain[*op.Div]("Div")},
	{"Pow", 1, [2]int{2, 2}, lowerPow, foldPow, plain[*op.Pow]("Pow")},
	{"Sum", 1, [2]int{1, -1}, lowerSum, foldVariadic(arithmeticAdd), nil},

	// Moving values.
	{"Identity", 1, [2]int{1, 1}, lowerIdentity, foldIdentity, plain[*op.Identity]("Identity")},
	{"Flatten", 1, [2]int{1, 1}, lowerFlatten, foldFlatten, writes(writeFlatten)},
	{"Reshape", 1, [2]int{1, 2}, lowerReshape, foldReshape, writes(writeReshape)},
	{"Squeeze", 1, [2]int{1, 2}, lowerSqueeze, foldSqueeze, writes(writeSqueeze)},
	{"Unsqueeze", 1, [2]int{1, 2}, lowerUnsqueeze, foldUnsqueeze, writes(writeUnsqueeze)},
	{"Transpose", 1, [2]int{1, 1}, lowerTranspose, foldTranspose, writes(writeTranspose)},
	{"Concat", 1, [2]int{1, -1}, lowerConcat, foldConcat, writes(writeConcat)},
	{"Slice", 1, [2]int{1, 5}, lowerSlice, foldSlice, writes(writeSlice)},
	{"Split", 1, [2]int{1, 2}, lowerSplit, foldSplit, nil},
	{"Gather", 1, [2]int{2, 2}, lowerGather, foldGather, writes(writeGather)},
	{"Expand", 8, [2]int{2, 2}, lowerExpand, foldExpand, writes(writeExpand)},
	{"Resize", 10, [2]int{1, 4}, lowerResize, nil, writes(writeResize)},
	{"Upsample", 9, [2]int{2, 2}, lowerResize, nil, nil},
	{"Pad", 1, [2]int{1, 4}, lowerPad, nil, writes(writePad)},

	// What ONNX Runtime makes of several operators when it saves an optimised model.
	{"com.microsoft.FusedConv", 1, [2]int{2, 4}, lowerFusedConv, nil, nil},
	{"com.microsoft.FusedGemm", 1, [2]int{2, 3}, lowerFusedGemm, nil, nil},
	{"com.microsoft.FusedMatMul", 1, [2]int{2, 2}, lowerFusedMatMul, nil, nil},
	{"com.microsoft.QuickGelu", 1, [2]int{1, 1}, lowerQuickGelu, nil, nil},
	{"com.microsoft.Gelu", 1, [2]int{1, 1}, lowerUnary(func() op.Op { return &op.Gelu{} }), nil, nil},
	{"com.microsoft.FastGelu", 1, [2]int{1, 2}, lowerFastGelu, nil, nil},
	{"com.microsoft.SkipLayerNormalization", 1, [2]int{3, 5}, lowerSkipLayerNorm, nil, nil},
	{"com.microsoft.BiasGelu", 1, [2]int{2, 2}, lowerBiasGelu, nil, nil},

	// Random numbers, of which the mean is taken.
	{"RandomUniform", 1, [2]int{0, 0}, lowerRandom, nil, nil},
	{"RandomUniformLike", 1, [2]int{1, 1}, lowerRandom, nil, nil},
	{"Bernoulli", 15, [2]int{1, 1}, lowerBernoulli, nil, nil},

	// Sequences and branches, which are gone after the import.
	{"SequenceEmpty", 11, [2]int{0, 0}, lowerSequenceEmpty, nil, nil},
	{"SequenceConstruct", 11, [2]int{1, -1}, lowerSequenceConstruct, nil, nil},
	{"SequenceAt", 11, [2]int{2, 2}, lowerSequenceAt, nil, nil},
	{"SequenceInsert", 11, [2]int{2, 3}, lowerSequenceInsert, nil, nil},
	{"SequenceErase", 11, [2]int{1, 2}, lowerSequenceErase, nil, nil},
	{"SequenceLength", 11, [2]int{1, 1}, lowerSequenceLength, nil, nil},
	{"SplitToSequence", 11, [2]int{1, 2}, lowerSplitToSequence, nil, nil},
	{"ConcatFromSequence", 11, [2]int{1, 1}, lowerConcatFromSequence, nil, nil},
	{"If", 1, [2]int{1, 1}, lowerIf, nil, nil},

	// Known at import only: constants and the arithmetic of shapes.
	{"Constant", 1, [2]int{0, 0}, nil, foldConstant, nil},
	{"ConstantOfShape", 9, [2]int{1, 1}, lowerConstantOfShape, foldConstantOfShape, nil},
	{"Shape", 1, [2]int{1, 1}, lowerShape, nil, nil},
	{"Size", 1, [2]int{1, 1}, lowerSize, nil, nil},
	{"DequantizeLinear", 10, [2]int{2, 3}, lowerDequantize, foldDequantize, nil},
	{"QuantizeLinear", 10, [2]int{2, 3}, lowerQuantize, foldQuantize, nil},
	{"com.microsoft.DequantizeLinear", 1, [2]int{2, 3}, lowerDequantize, foldDequantize, nil},
	{"com.microsoft.QuantizeLinear", 1, [2]int{2, 3}, lowerQuantize, foldQuantize, nil},
	{"Cast", 1, [2]int{1, 1}, lowerCast, foldCast, nil},
	{"CastLike", 15, [2]int{2, 2}, lowerCastLike, foldCastLike, nil},
	{"Range", 11, [2]int{3, 3}, lowerRange, foldRange, nil},
	{"Where", 9, [2]int{3, 3}, lowerWhere, foldWhere, writes(writeWhere)},
	{"Mod", 10, [2]int{2, 2}, nil, foldMod, nil},
	{"Ceil", 1, [2]int{1, 1}, nil, foldUnary(math.Ceil), nil},
	{"Floor", 1, [2]int{1, 1}, nil, foldUnary(math.Floor), nil},
	{"Equal", 1, [2]int{2, 2}, lowerTruth(&op.Compare{Relation: op.EqualTo}), foldCompare(func(a, b float64) bool { return a == b }), nil},
	{"Greater", 1, [2]int{2, 2}, lowerTruth(&op.Compare{Relation: op.GreaterThan}), foldCompare(func(a, b float64) bool { return a > b }), nil},
	{"Less", 1, [2]int{2, 2}, lowerTruth(&op.Compare{Relation: op.LessThan}), foldCompare(func(a, b float64) bool { return a < b }), nil},
	{"GreaterOrEqual", 12, [2]int{2, 2}, lowerTruth(&op.Compare{Relation: op.GreaterOrEqual}), foldCompare(func(a, b float64) bool { return a >= b }), nil},
	{"LessOrEqual", 12, [2]int{2, 2}, lowerTruth(&op.Compare{Relation: op.LessOrEqual}), foldCompare(func(a, b float64) bool { return a <= b }), nil},
	{"And", 1, [2]int{2, 2}, nil, foldBinary(arithmeticAnd), nil},
	{"Or", 1, [2]int{2, 2}, nil, foldBinary(arithmeticOr), nil},
	{"Xor", 1, [2]int{2, 2}, nil, foldBinary(arithmeticXor), nil},
	{"Round", 11, [2]int{1, 1}, nil, foldUnary(math.RoundToEven), nil},
	{"Sign", 9, [2]int{1, 1}, nil, foldUnary(sign), nil},
	{"Sin", 7, [2]int{1, 1}, nil, foldUnary(math.Sin), nil},
	{"Cos", 7, [2]int{1, 1}, nil, foldUnary(math.Cos), nil},
	{"IsNaN", 9, [2]int{1, 1}, lowerTruth(&op.IsNaN{}), foldTruth(math.IsNaN), writes(writeIsNaN)},
	{"IsInf", 10, [2]int{1, 1}, nil, foldIsInf, nil},
	{"NonZero", 9, [2]int{1, 1}, nil, foldNonZero, nil},
	{"Compress", 9, [2]int{2, 2}, nil, foldCompress, nil},
	{"GatherElements", 11, [2]int{2, 2}, nil, foldGatherElements, nil},
	{"GatherND", 11, [2]int{2, 2}, lowerGatherND, foldGatherND, nil},
	{"ScatterND", 11, [2]int{3, 3}, nil, foldScatterND, nil},
	{"OneHot", 9, [2]int{3, 3}, nil, foldOneHot, nil},
	{"Trilu", 14, [2]int{1, 2}, nil, foldTrilu, nil},
	{"Tile", 1, [2]int{2, 3}, lowerTile, foldTile, nil},
	{"CumSum", 11, [2]int{2, 2}, nil, foldCumSum, nil},
	{"ReduceProd", 1, [2]int{1, 2}, nil, foldReduce(arithmeticMul), nil},
	{"Not", 1, [2]int{1, 1}, nil, foldNot, nil},
}

// composites are the engine's operators that ONNX (opset 17) does not have: they are written as
// several nodes, which the normal forms recognise again.
var composites = []*writeRule{
	writes(writeSiLU),
	writes(writeGelu),
	writes(writeAffine),
	writes(writeBatchTile),
	writes(writeCompare),
}

// operatorByName finds rows. It is filled late because the rows of control flow lead back to it.
var operatorByName = map[string]*operator{}

func init() {
	for i := range operators {
		operatorByName[operators[i].name] = &operators[i]
	}
}

// lookup finds the row of a node's operator, or the reason why there is none.
func lookup(n *nodeProto) (*operator, string) {
	row := operatorByName[n.qualified()]
	switch {
	case row == nil && n.domain != "":
		return nil, fmt.Sprintf("operators of domain %s are not supported%s", quoted(n.domain), hint(n.domain, n.opType))
	case row == nil:
		return nil, "the operator is not supported" + hint("", n.opType)
	case n.opset < row.since:
		return nil, fmt.Sprintf("the operator does not exist in opset %d", n.opset)
	case n.domain == "" && n.opset > newestOpset:
		return nil, fmt.Sprintf("opset %d is newer than this program knows (%d)", n.opset, newestOpset)
	}
	return row, ""
}
