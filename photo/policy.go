package photo

import (
	"fmt"
	"math"

	"regraft/engine/random"
)

// Operation is a way to change the pixels of a photo.
type Operation string

// The operations; what a magnitude means stands at their functions.
const (
	Identity     Operation = "identity"
	ShearX       Operation = "shear-x"
	ShearY       Operation = "shear-y"
	TranslateX   Operation = "translate-x"
	TranslateY   Operation = "translate-y"
	Rotate       Operation = "rotate"
	Brightness   Operation = "brightness"
	Saturation   Operation = "saturation"
	Contrast     Operation = "contrast"
	Sharpness    Operation = "sharpness"
	Posterize    Operation = "posterize"
	Solarize     Operation = "solarize"
	Autocontrast Operation = "autocontrast"
	Equalize     Operation = "equalize"
	Hue          Operation = "hue"
)

// operations may change the image and return it, or return a new one.
var operations = map[Operation]func(m *Image, magnitude float64) *Image{
	Identity: func(m *Image, _ float64) *Image { return m },
	ShearX:   shearX, ShearY: shearY, TranslateX: translateX, TranslateY: translateY, Rotate: rotate,
	Brightness: brighten, Saturation: saturate, Contrast: contrast, Sharpness: sharpen,
	Posterize: posterize, Solarize: solarize, Autocontrast: autocontrast, Equalize: equalize, Hue: turnHue,
}

// Change is an operation with its magnitude.
type Change struct {
	Operation Operation
	Magnitude float64
}

func (c Change) String() string {
	switch c.Operation {
	case Identity, Autocontrast, Equalize:
		return string(c.Operation)
	}
	return fmt.Sprintf("%s %.4g", c.Operation, c.Magnitude)
}

// Levels is the number of strengths that a policy has for an operation, from 0.
const Levels = 31

// policy is how strong its operations are at the highest level.
type policy struct {
	shear     float64
	translate func(side int) float64 // pixels
	degrees   float64
	factor    float64 // beside 1
	bits      float64 // that posterize takes away
}

// The policies of torchvision: RandAugment (Cubuk et al., 2020), and TrivialAugmentWide (Müller and Hutter, 2021).
var (
	randAugment = policy{0.3, func(side int) float64 { return 150. / 331 * float64(side) }, 30, 0.9, 4}
	trivial     = policy{0.99, func(int) float64 { return 32 }, 135, 0.99, 6}
)

// policyOperations are those that a policy draws from, all equally likely.
var policyOperations = []Operation{
	Identity, ShearX, ShearY, TranslateX, TranslateY, Rotate, Brightness, Saturation, Contrast, Sharpness, Posterize, Solarize, Autocontrast, Equalize,
}

// drawnLevel stands for a level that is drawn.
const drawnLevel = -1

// draw chooses an operation, its sign and, where level is drawnLevel, its level. The photo is seen at a size.
func (p *policy) draw(r *random.Stream, level int, size Size) Change {
	op, negative, drawn := policyOperations[r.IntN(len(policyOperations))], r.IntN(2) == 1, r.IntN(Levels)
	if level == drawnLevel {
		level = drawn
	}
	return p.change(op, level, negative, size)
}

// change is an operation of the policy at a level. Only some operations have a sign.
func (p *policy) change(op Operation, level int, negative bool, size Size) Change {
	sign := 1.0
	if negative {
		sign = -1
	}
	switch op {
	case ShearX, ShearY:
		return Change{op, sign * strength(0, p.shear, level)}
	case TranslateX:
		return Change{op, math.Trunc(sign * strength(0, p.translate(size.W), level))}
	case TranslateY:
		return Change{op, math.Trunc(sign * strength(0, p.translate(size.H), level))}
	case Rotate:
		return Change{op, sign * strength(0, p.degrees, level)}
	case Brightness, Saturation, Contrast, Sharpness:
		return Change{op, 1 + float64(sign*strength(0, p.factor, level))}
	case Posterize:
		return Change{op, 8 - math.RoundToEven(float64(level)*p.bits/(Levels-1))}
	case Solarize:
		return Change{op, strength(255, 0, level)}
	}
	return Change{Operation: op}
}

// strength is what torch.linspace(from, to, Levels) has at a level where the machine fuses products and sums: float32, rounded once.
func strength(from, to float64, level int) float64 {
	start, end := float32(from), float32(to)
	step := float64((end - start) / (Levels - 1))
	if level < Levels/2 {
		return float64(float32(float64(start) + float64(step*float64(level))))
	}
	return float64(float32(float64(end) - float64(step*float64(Levels-1-level))))
}

// Jitter says how far colours go, as torchvision's ColorJitter does: factors on brightness, contrast and saturation from 1-x, or 0, to
// 1+x, and turns of the hue from -x to x.
type Jitter struct{ Brightness, Contrast, Saturation, Hue float64 }

// draw chooses the changes and their order.
func (j Jitter) draw(r *random.Stream) (changes []Change) {
	factor := func(by float64) float64 { return r.Uniform(max(1-by, 0), 1+by) }
	order := r.Perm(4)
	all := [4]Change{
		{Brightness, factor(j.Brightness)}, {Contrast, factor(j.Contrast)}, {Saturation, factor(j.Saturation)}, {Hue, r.Uniform(-j.Hue, j.Hue)},
	}
	wanted := [4]bool{j.Brightness > 0, j.Contrast > 0, j.Saturation > 0, j.Hue > 0}
	for _, i := range order {
		if wanted[i] {
			changes = append(changes, all[i])
		}
	}
	return changes
}
