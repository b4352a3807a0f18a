package kernel

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// planeOracle says in float64 what a kernel of planes makes of one element. The plain form and the assembly come from one body, so this
// is what they are compared with.
type planeOracle struct {
	kernel      string
	make        func(set *Set, l Layout) (Primitive, error)
	operands    string // in order: x and y images, v a float for every channel, 6 six of them, o the result
	want        func(x, y float64, v []float64) float64
	ulps        float64 // the error that there may be in units in the last place: 0 means no rounding at all,
	floor       float64 // or absolute; for gradients for dy = 1
	approximate bool    // dY is finite, since slopes may come out as 0
}

// oneRounding is one rounding: nothing but the float64 oracle's own rounding may be added.
const oneRounding = 0.5 + 1e-6

func planeOracles() []planeOracle {
	inf := math.Inf(1)
	clipped := func(v, low, high float64) float64 { // zeros keep their sign
		switch {
		case low > v:
			return low
		case high < v:
			return high
		}
		return v
	}
	where := func(condition bool, v float64) float64 {
		if condition {
			return v
		}
		return 0
	}
	list := []planeOracle{
		{"copy", func(set *Set, l Layout) (Primitive, error) { return NewCopy(set, l, l) }, "xo",
			func(x, _ float64, _ []float64) float64 { return x }, 0, 0, false},
		{"add", func(set *Set, l Layout) (Primitive, error) { return NewAdd(set, l, l, l, ReLU) }, "xyo",
			func(x, y float64, _ []float64) float64 { return clipped(x+y, 0, inf) }, oneRounding, 0, false},
		{"mul", func(set *Set, l Layout) (Primitive, error) { return NewMul(set, l, l, l) }, "xyo",
			func(x, y float64, _ []float64) float64 { return x * y }, oneRounding, 0, false},
		{"scale", func(set *Set, l Layout) (Primitive, error) { return NewChannelScale(set, l, l) }, "xvo",
			func(x, _ float64, v []float64) float64 { return x * v[0] }, oneRounding, 0, false},
		{"affine", func(set *Set, l Layout) (Primitive, error) { return NewAffine(set, l, l, 0) }, "xvvo",
			func(x, _ float64, v []float64) float64 { return x*v[0] + v[1] }, oneRounding, 0, false},
		{"affine", func(set *Set, l Layout) (Primitive, error) { return NewAffine(set, l, l, ReLU) }, "xvvo",
			func(x, _ float64, v []float64) float64 { return clipped(x*v[0]+v[1], 0, inf) }, oneRounding, 0, false},
		{"relugrad", func(set *Set, l Layout) (Primitive, error) { return NewReluGrad(set, l, l, l) }, "xyo",
			func(x, y float64, _ []float64) float64 { return where(x > 0, y) }, 0, 0, false},
		{"clip", func(set *Set, l Layout) (Primitive, error) { return NewClip(set, l, l, -0.5, 6) }, "xo",
			func(x, _ float64, _ []float64) float64 { return clipped(x, -0.5, 6) }, 0, 0, false},
		{"clipgrad", func(set *Set, l Layout) (Primitive, error) { return NewClipGrad(set, l, l, l, -0.5, 6) }, "xyo",
			func(x, y float64, _ []float64) float64 { return where(x > -0.5 && x < 6, y) }, 0, 0, false},
		{"prelu", func(set *Set, l Layout) (Primitive, error) { return NewPReLU(set, l, l) }, "xvo",
			func(x, _ float64, v []float64) float64 { return leakyOracle(x, x, v[0]) }, oneRounding, 0, false},
		{"prelu", func(set *Set, l Layout) (Primitive, error) { return NewPReLUGradX(set, l, l, l) }, "xvyo",
			func(x, y float64, v []float64) float64 { return leakyOracle(x, y, v[0]) }, oneRounding, 0, false},
		{"fill", fillOf, "xvo", func(_, _ float64, v []float64) float64 { return v[0] }, 0, 0, false},
		{"normgrad", normGradOf, "xy6o", func(x, y float64, v []float64) float64 {
			g := where(float64(float32(v[0]*x+v[1])) > 0, y)
			return float64(float32(x)-float32(v[2]))*-v[5] + float64(float32(g*v[3]-v[4]))
		}, oneRounding, 0, false},
	}
	for _, c := range []struct {
		kernel  planeKernel
		vectors int
		want    func(x, y float64, v []float64) float64
		ulps    float64
	}{
		{largestKernel, 0, func(x, y float64, _ []float64) float64 { return clipped(y, float64(float32(x/2)), inf) }, 0},
		{expLessKernel, 0, func(x, y float64, _ []float64) float64 { return math.Exp(float64(float32(x/2 - y))) }, 1 + oneRounding},
		{subKernel, 0, func(x, y float64, _ []float64) float64 { return x - y }, oneRounding},
		{addSquareKernel, 0, func(x, y float64, _ []float64) float64 { return x*x + y }, oneRounding},
		{scaleAddKernel, 0, func(x, y float64, _ []float64) float64 { return x/2 + y }, oneRounding},
		{productKernel, 0, func(x, y float64, _ []float64) float64 { return float64(float32(x*y)) / 2 }, oneRounding},
		{normalizeKernel, 2, func(x, y float64, v []float64) float64 { return float64(float32(x*y))*v[0] + v[1] }, oneRounding},
	} {
		list = append(list, planeOracle{string(c.kernel), overChannelsOf(c.kernel, c.vectors), "xy" + "vv"[:c.vectors] + "o", c.want, c.ulps, 2e-38, c.kernel == expLessKernel})
	}
	kernels := map[string][2]string{
		"leakyrelu": {"leaky", "leaky"}, "threshold": {"threshold", "threshold"}, "elu": {"elu", "elugrad"}, "selu": {"elu", "elugrad"}, "celu": {"elu", "elugrad"},
	}
	for _, f := range activationCases() {
		names, ok := kernels[f.name]
		if !ok {
			names = [2]string{f.name, f.name + "grad"}
		}
		list = append(list, planeOracle{names[0], func(set *Set, l Layout) (Primitive, error) { return NewActivation(set, f.forward, l, l) }, "xo",
			func(x, _ float64, _ []float64) float64 { return f.exact(x) }, f.ulps + oneRounding, f.floor, true})
		if f.grad != nil {
			list = append(list, planeOracle{names[1], func(set *Set, l Layout) (Primitive, error) { return f.grad(set, l, l, l) }, "xyo",
				func(x, y float64, _ []float64) float64 { return y * f.slope(x) }, f.ulps + oneRounding, gradFloor, true})
		}
	}
	return list
}

// leakyOracle is y where x > 0, else slope y. A negative zero becomes positive.
func leakyOracle(x, y, slope float64) float64 {
	if x > 0 {
		return y + 0
	}
	return float64(float32(slope*y)) + 0
}

// fillOf is the kernel that writes a vector, in the guise of a primitive that also has an input.
func fillOf(set *Set, l Layout) (Primitive, error) {
	p, err := newPlanes(set, fillKernel, tensor{0, l}, tensor{0, l}, tensor{2, l})
	if err == nil {
		p.vectors = []vector{{at: 1}}
	}
	return p, err
}

// overChannelsOf is a kernel of what is computed over channels, with 1/2 as its constant.
func overChannelsOf(k planeKernel, vectors int) func(set *Set, l Layout) (Primitive, error) {
	return func(set *Set, l Layout) (Primitive, error) {
		p, err := newPlanes(set, k, tensor{0, l}, tensor{1, l}, tensor{2 + vectors, l})
		if err == nil {
			p.low = 0.5
			for i := range vectors {
				p.vectors = append(p.vectors, vector{at: 2 + i})
			}
		}
		return p, err
	}
}

// normGradOf is the kernel of BatchNorm's gradient with its vectors one behind the other.
func normGradOf(set *Set, l Layout) (Primitive, error) {
	p, err := newPlanes(set, normGradKernel, tensor{0, l}, tensor{1, l}, tensor{3, l})
	if err == nil {
		for i := range 6 {
			p.vectors = append(p.vectors, vector{at: 2, skip: i * Lanes})
		}
	}
	return p, err
}

// special are numbers where something may go wrong: zeros, the smallest, the largest, infinities, NaN, and the bends of activations.
func special() (list []float32) {
	for _, v := range []float64{0, 0x1p-149, 0x1.8p-140, 0x1p-126, 0x1.fffffcp-127, 1e-20, 1e-7, 0.1, 0.2, 0.5, 1, 1.5, 2, 2.5, 3, 6, 7, 16, 20, 60, 87.3, 88.7, 89, 100,
		1e10, 1e19, math.MaxFloat32, math.Inf(1)} {
		for _, w := range []float32{float32(v), math.Nextafter32(float32(v), 0), math.Nextafter32(float32(v), 10*float32(v))} {
			list = append(list, w, -w)
		}
	}
	return append(list, float32(math.Copysign(0, -1)), float32(math.NaN()))
}

// TestPlaneOracles compares every kernel of planes with its definition on special numbers, paired with each other, and on rows of every
// length around those of a turn of the loop.
func TestPlaneOracles(t *testing.T) {
	covered := map[string]bool{"pick": true, "pickmore": true} // TestPick
	for name := range sumOracles {
		covered[name] = true
	}
	for _, o := range planeOracles() {
		covered[o.kernel] = true
		t.Run(o.kernel, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			s := special()
			for _, width := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 640} {
				l := Blocked(Lanes, 3, width, 1)
				x, y := make([]float32, Lanes*3*width), make([]float32, Lanes*3*width)
				for i := range x {
					x[i], y[i] = s[r.IntN(len(s))], s[r.IntN(len(s))]
					if r.IntN(3) == 0 {
						x[i] = float32(r.NormFloat64()) * 4
					}
					if r.IntN(2) == 0 {
						y[i] = float32(r.NormFloat64())
					}
					if o.approximate && !(math.Abs(float64(y[i])) < 1e37) {
						y[i] = 2
					}
				}
				o.compare(t, l, r, x, y)
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(Go.Plane)) {
		if !covered[name] {
			t.Errorf("kernel %s has no oracle", name)
		}
	}
}

func (o planeOracle) compare(t *testing.T, l Layout, r *rand.Rand, x, y []float32) {
	t.Helper()
	var operands []operandValue
	var vectors [][]float32
	for _, kind := range o.operands {
		switch kind {
		case 'x':
			operands = append(operands, tensorIn(l, x))
		case 'y':
			operands = append(operands, tensorIn(l, y))
		case 'v', '6':
			n := 1
			if kind == '6' {
				n = 6
			}
			v := reals(r, n*Lanes, 2)
			for i := range n {
				v[16*i+3], v[16*i+4], v[16*i+5] = 0, float32(math.Inf(1)), 1e30
				vectors = append(vectors, v[16*i:16*i+16])
			}
			operands = append(operands, vectorIn(v))
		default:
			operands = append(operands, tensorOut(l))
		}
	}
	for _, set := range sets() {
		p, err := o.make(set, l)
		got := outcome(t, p, err, 1, operands...)[0]
		plane := l.H * l.W
		for i, g := range got {
			var v []float64
			for _, w := range vectors {
				v = append(v, float64(w[i/plane]))
			}
			want := o.want(float64(x[i]), float64(y[i]), v)
			if !o.near(g, want, y[i]) {
				t.Fatalf("%s of %v, %v, %v: %v, want %v", p.Name(), x[i], y[i], v, g, want)
			}
		}
	}
}

// near tells whether got is want within the error that the oracle allows.
func (o planeOracle) near(got float32, want float64, y float32) bool {
	w := float32(want)
	switch {
	case w != w || got != got:
		return w != w && got != got
	case !o.approximate && (o.ulps == 0 || w == 0): // zeros have the right sign
		return math.Float32bits(got) == math.Float32bits(w)
	case got == w:
		return true
	}
	size := 1.0
	if strings.Contains(o.operands, "y") {
		size = math.Abs(float64(y))
	}
	return math.Abs(float64(got)-want) <= o.floor*size || inUlps(got, want) <= o.ulps
}

// sumOracles say what kernels add to the sum and to the product of a channel for one element; v are the first two vectors.
var sumOracles = map[string]func(x, y float64, v [2]float64) (sum, product float64){
	"sum":        func(x, _ float64, _ [2]float64) (float64, float64) { return x, 0 },
	"dot":        func(x, y float64, _ [2]float64) (float64, float64) { return x * y, 0 },
	"batchstats": func(x, _ float64, _ [2]float64) (float64, float64) { return x, x * x },
	"normsums": func(z, dy float64, v [2]float64) (float64, float64) {
		g := dy
		if !(float32(z*v[0]+v[1]) > 0) {
			g = 0
		}
		return g, float64(g * z)
	},
}

// TestSumOracles compares the sums that kernels make with additions in float64 in the order of the pixels, to the bit.
func TestSumOracles(t *testing.T) {
	for name, want := range sumOracles {
		r := rand.New(rand.NewPCG(7, 8))
		s := special()
		for width := 1; width < 14; width++ {
			const rows = 3
			n := rows * width * Lanes
			x, y, vectors := newGuarded(n), newGuarded(n), newGuarded(2*Lanes)
			copy(vectors.floats, reals(r, 2*Lanes, 1))
			for i := range n {
				x.floats[i], y.floats[i] = s[r.IntN(len(s))], float32(r.NormFloat64())
				if c := i % Lanes; c > 3 { // in most channels nothing that is not a number, and nothing that drowns the rest
					x.floats[i] = float32(r.NormFloat64()) * 4
				}
			}
			var sums [2][Lanes]float64
			for c := range Lanes {
				sums[0][c], sums[1][c] = r.NormFloat64(), r.NormFloat64()
			}
			expected := sums
			for i := range n {
				c := i % Lanes
				sum, product := want(float64(x.floats[i]), float64(y.floats[i]), [2]float64{float64(vectors.floats[c]), float64(vectors.floats[Lanes+c])})
				expected[0][c] += sum
				expected[1][c] += product
			}
			for _, set := range sets() {
				memory := newGuarded(4 * Lanes)
				got := [2]*[Lanes]float64{asm.SumsAt(memory.address()), asm.SumsAt(memory.address() + 8*Lanes)}
				*got[0], *got[1] = sums[0], sums[1]
				k := abi.Plane{X: x.address(), Y: y.address(), XRow: 4 * width * Lanes, YRow: 4 * width * Lanes, Rows: rows, Pixels: width,
					Sum: memory.address(), Product: memory.address() + 8*Lanes}
				k.Vector[0], k.Vector[1] = vectors.address(), vectors.address()+4*Lanes
				set.Plane[name].Run(&k)
				for i := range got {
					for c, v := range got[i] {
						if w := expected[i][c]; math.Float64bits(v) != math.Float64bits(w) && !(v != v && w != w) {
							t.Fatalf("%s of %s, %d pixels: channel %d of sum %d is %v, want %v", name, set, width, c, i, v, w)
						}
					}
				}
			}
		}
	}
}
