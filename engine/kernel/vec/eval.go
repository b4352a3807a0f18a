package vec

import (
	"math"
	"math/big"
)

// Operands are what one lane of a program reads, by kind and index. State is also what it leaves.
type Operands struct {
	Load, Lanes, Scalar, Input []float32
	State                      []float64
}

// Eval computes one lane with the roundings of the targets and returns what it stores by slot.
func (p *Program) Eval(o Operands) map[int]float32 {
	stored := map[int]float32{}
	values := make([]uint64, len(p.Code)) // bits
	f32 := func(v Value) float32 { return math.Float32frombits(uint32(values[v])) }
	f64 := func(v Value) float64 {
		if p.Code[v].Type == F64 {
			return math.Float64frombits(values[v])
		}
		return float64(f32(v))
	}
	for i, in := range p.Code {
		a, b, c := in.Args[0], in.Args[1], in.Args[2]
		rounded := func(v float64) uint64 { // v is exact, or a single operation in float64, which has digits enough to be rounded again
			if in.Type == F64 {
				return math.Float64bits(v)
			}
			return uint64(math.Float32bits(float32(v)))
		}
		single := func(v float32) uint64 { return uint64(math.Float32bits(v)) }
		fused := func(sign, of float64) uint64 {
			if in.Type == F64 {
				return rounded(sign*f64(a)*f64(b) + of*f64(c))
			}
			return single(fma(float32(sign)*f32(a), f32(b), float32(of)*f32(c)))
		}
		choose := func(condition bool, yes, no uint64) uint64 {
			if condition {
				return yes
			}
			return no
		}
		var v uint64
		switch in.Op {
		case Load:
			v = single(o.Load[in.Index])
		case Lanes:
			v = single(o.Lanes[in.Index])
		case Scalar:
			v = single(o.Scalar[in.Index])
		case Input:
			v = single(o.Input[in.Index])
		case Const:
			v = uint64(in.Bits)
		case State:
			v = rounded(o.State[in.Index])
		case Add:
			v = rounded(f64(a) + f64(b))
		case Sub:
			v = rounded(f64(a) - f64(b))
		case Mul:
			v = rounded(f64(a) * f64(b))
		case Div:
			v = rounded(f64(a) / f64(b))
		case Sqrt:
			v = rounded(math.Sqrt(f64(a)))
		case Max:
			v = choose(f64(a) > f64(b), values[a], values[b])
		case Min:
			v = choose(f64(a) < f64(b), values[a], values[b])
		case Largest:
			v = choose(f64(a) > f64(b) || f64(a) != f64(a), values[a], values[b])
		case FMA:
			v = fused(1, 1)
		case FMS:
			v = fused(1, -1)
		case FNMA:
			v = fused(-1, 1)
		case Widen:
			v = rounded(f64(a))
		case Shift:
			v = uint64(uint32(values[a]) << in.Index)
		case AddInt:
			v = uint64(uint32(values[a]) + uint32(values[b]))
		case Compare:
			v = choose(Predicate(in.Index).holds(f64(a), f64(b)), 1, 0)
		case EqualInt:
			v = choose(values[a] == values[b], 1, 0)
		case Or:
			v = values[a] | values[b]
		case Where:
			v = choose(values[a] != 0, values[b], 0)
		case Select:
			v = choose(values[a] != 0, values[b], values[c])
		case Store:
			stored[in.Index] = f32(a)
		}
		values[i] = v
	}
	for _, in := range p.Code { // states change at the end
		if in.Op == SetState {
			o.State[in.Index] = f64(in.Args[0])
		}
	}
	return stored
}

func (is Predicate) holds(a, b float64) bool {
	switch is {
	case Greater:
		return a > b
	case GreaterEqual:
		return a >= b
	case Less:
		return a < b
	case LessEqual:
		return a <= b
	case NotGreater:
		return !(a > b)
	case NotGreaterEqual:
		return !(a >= b)
	case NotLess:
		return !(a < b)
	case NotLessEqual:
		return !(a <= b)
	}
	return a != a || b != b
}

// fma is a*b + c rounded once, in exact arithmetic.
func fma(a, b, c float32) float32 {
	approximate := float64(a)*float64(b) + float64(c)
	if approximate == 0 || math.IsInf(approximate, 0) || approximate != approximate {
		return float32(approximate)
	}
	exact := func(v float32) *big.Float { return new(big.Float).SetPrec(600).SetFloat64(float64(v)) }
	sum := exact(a)
	sum.Mul(sum, exact(b)).Add(sum, exact(c))
	f, _ := sum.Float32()
	return f
}
