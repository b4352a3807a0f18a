package onnx

import (
	"math"
	"slices"

	"regraft/engine/op"
)

// Exports in training form of networks with stochastic depth (EfficientNet, ConvNeXt) draw random numbers and multiply
// by them. What the network computes at inference is what that gives on average, so a factor is replaced by its mean.

// noise is a random tensor, every element of which is distributed alike.
type noise struct {
	kind noiseKind
	// low and high are the ends of a uniform distribution.
	low, high float64
	// mean is that of a coin.
	mean float64
}

type noiseKind uint8

const (
	uniform noiseKind = iota
	// coin is 0 or some number.
	coin
)

const noiseHelp = "random numbers of an export in training form: export model.eval() with training=torch.onnx.TrainingMode.PRESERVE instead"

// lowerRandom makes a uniform distribution of the shape of the operand or of attribute shape.
func lowerRandom(c *call) error {
	c.ignore("dtype", "seed")
	v := &noise{kind: uniform, low: float64(c.float("low", 0)), high: float64(c.float("high", 1))}
	shape := c.ints("shape")
	if len(c.node.in) > 0 {
		x, err := c.sized(0)
		if err != nil {
			return err
		}
		shape = x.shape
	}
	if !(v.low < v.high) {
		return c.refused("numbers from %v to %v", v.low, v.high)
	}
	return c.random(v, shape)
}

// lowerBernoulli is 1 with the probability that the operand gives, which must be one for all.
func lowerBernoulli(c *call) error {
	c.ignore("dtype", "seed")
	p, err := c.constant(0, "the probability")
	if err != nil {
		return err
	}
	first := 0.0
	for i := range p.size() {
		if first = p.at(0); p.at(i) != first {
			return c.refused("it has several probabilities (%s)", noiseHelp)
		}
	}
	return c.random(&noise{kind: coin, mean: first}, p.shape)
}

// random makes the node's result a random tensor.
func (c *call) random(v *noise, shape []int) error {
	if _, err := elements(int64s(forImages(shape, 1))); err != nil {
		return err
	}
	if out := c.node.out[0]; out != nil {
		out.noise, out.shape = v, slices.Clone(shape)
	}
	return nil
}

// noisy tells whether an operand is random.
func (c *call) noisy() bool {
	for i := range c.node.in {
		if v := c.operand(i); v != nil && v.noise != nil {
			return true
		}
	}
	return false
}

// lowerNoisy lowers a node with a random operand: comparison with a number and floor make a coin of a uniform distribution,
// scaling keeps it, and a product with what is computed from the image ends it.
func (c *call) lowerNoisy() error {
	c.ignore("to", "saturate", "round_mode", "broadcast", "axis")
	if len(c.node.in) == 1 {
		return c.transformed(c.operand(0))
	}
	if len(c.node.in) != 2 || c.operand(0) == nil || c.operand(1) == nil {
		return c.refused("%s", noiseHelp)
	}
	for i := range 2 {
		v, other := c.operand(i), c.operand(1-i)
		if other.unknown() {
			return errUnknown
		}
		if v.noise == nil || other.noise != nil {
			continue
		}
		if other.constant != nil && other.constant.size() == 1 {
			return c.combined(v, i == 0, other.constant.at(0))
		}
		if c.node.opType == "Mul" && v.noise.kind == coin {
			return c.scaledBy(other, v)
		}
	}
	return c.refused("%s", noiseHelp)
}

// transformed is a function of one random operand.
func (c *call) transformed(v *value) error {
	made := *v.noise
	switch name := c.node.opType; {
	case name == "Identity", name == "Cast" && made.kind == coin:
	case name == "Floor" && made.kind == uniform && made.low >= 0 && made.low <= 1 && made.high == made.low+1:
		made = noise{kind: coin, mean: made.low} // 1 with that probability, else 0
	default:
		return c.refused("%s", noiseHelp)
	}
	return c.random(&made, v.shape)
}

// combined is an operator on a random operand and a number, in either order.
func (c *call) combined(v *value, first bool, k float64) error {
	made := *v.noise
	below := math.Min(math.Max((k-made.low)/(made.high-made.low), 0), 1) // the probability of less than k
	switch name := c.node.opType; {
	case made.kind == uniform && name == "Add":
		made.low, made.high = made.low+k, made.high+k
	case made.kind == uniform && (name == "Less" || name == "LessOrEqual"):
		made = noise{kind: coin, mean: either(first, below, 1-below)}
	case made.kind == uniform && (name == "Greater" || name == "GreaterOrEqual"):
		made = noise{kind: coin, mean: either(first, 1-below, below)}
	case made.kind == coin && name == "Mul":
		made.mean *= k
	case made.kind == coin && name == "Div" && first && k != 0:
		made.mean /= k
	default:
		return c.refused("%s", noiseHelp)
	}
	return c.random(&made, v.shape)
}

func either(first bool, a, b float64) float64 {
	if first {
		return a
	}
	return b
}

// scaledBy is x times a random factor, which is its mean here; x itself where that is 1 (up to rounding in float32).
func (c *call) scaledBy(x, factor *value) error {
	if err := c.fits(factor, x); err != nil {
		return err
	}
	if factor.noise.leftOut() {
		c.averaged++
		return c.same(x)
	}
	return c.emit(&op.Mul{}, x, c.scalar(float32(factor.noise.mean)))
}

func (v *noise) leftOut() bool { return math.Abs(v.mean-1) < 1e-6 }
