package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// machine carries out the text of programs on one lane, that of x86 here and that of NEON in neon_test.go: the meaning of every mnemonic
// stands here a second time.
type machine struct {
	t         *testing.T
	registers map[string]uint64 // by the name without the letter of its width, masks by theirs
	memory    map[string]uint64
}

func (m *machine) do(line string) {
	mnemonic, rest, _ := strings.Cut(line, " ")
	operands := strings.Split(rest, ", ")
	last := operands[len(operands)-1]
	get := func(back int) uint64 { // operands from the last source backwards, as Go's assembler writes them
		o := operands[len(operands)-2-back]
		if v, ok := m.registers[registerOf(o)]; ok {
			return v
		}
		v, ok := m.memory[o]
		if !ok {
			m.t.Fatalf("%s: nothing in %s", line, o)
		}
		return v
	}
	single := func(back int) float32 { return math.Float32frombits(uint32(get(back))) }
	double := func(back int) float64 { return math.Float64frombits(get(back)) }
	immediate := func() int {
		v, err := strconv.ParseInt(strings.TrimPrefix(operands[0], "$"), 0, 32)
		if err != nil {
			m.t.Fatal(err)
		}
		return int(v)
	}
	old := m.registers[registerOf(last)]
	name, spread := strings.CutSuffix(mnemonic, ".BCST")
	for _, o := range operands {
		if strings.HasPrefix(o, "number") && spread != strings.HasPrefix(last, "Z") && spread != strings.Contains(rest, "Z") && name != "VBROADCASTSS" && name != "VBROADCASTSS.Z" {
			m.t.Fatalf("%s: a number that is not spread, or is", line)
		}
	}
	var v uint64
	set := func(f float32) { v = uint64(math.Float32bits(f)) }
	set64 := func(f float64) { v = math.Float64bits(f) }
	fused := func(order string, product, sum float32) {
		// Intel's numbers: the result is operand 1, then come 2 and 3, the last source.
		x := map[byte]float32{'1': math.Float32frombits(uint32(old)), '2': single(0), '3': single(1)}
		set(fma(product*x[order[0]], x[order[1]], sum*x[order[2]]))
	}
	switch name {
	case "VMOVUPS", "VMOVUPD", "VMOVAPS", "VMOVAPD", "VBROADCASTSS":
		v = get(0)
	case "VXORPS", "VPXORQ":
		v = 0
	case "VADDPS":
		set(single(0) + single(1))
	case "VADDPD":
		set64(double(0) + double(1))
	case "VSUBPS":
		set(single(0) - single(1))
	case "VMULPS":
		set(single(0) * single(1))
	case "VDIVPS":
		set(single(0) / single(1))
	case "VSQRTPS":
		set(float32(math.Sqrt(float64(single(0)))))
	case "VMAXPS":
		if len(operands) == 4 && m.registers[operands[2]] == 0 { // masked
			v = old
			break
		}
		if len(operands) == 4 {
			operands = append(operands[:2:2], last)
		}
		if v = get(1); single(0) > single(1) {
			v = get(0)
		}
	case "VMINPS":
		if v = get(1); single(0) < single(1) {
			v = get(0)
		}
	case "VCVTPS2PD":
		set64(float64(single(0)))
	case "VPSLLD":
		v = uint64(uint32(get(0)) << immediate())
	case "VPADDD":
		v = uint64(uint32(get(0)) + uint32(get(1)))
	case "VPCMPEQD":
		if uint32(get(0)) == uint32(get(1)) {
			v = math.MaxUint32
		}
	case "VCMPPS":
		if immediate() == 0x7 { // both are numbers
			if single(0) == single(0) && single(1) == single(1) {
				v = math.MaxUint32
			}
			break
		}
		for is, code := range predicates {
			if code == immediate() && is.holds(float64(single(0)), float64(single(1))) {
				v = math.MaxUint32
			}
		}
	case "VORPS", "KORW":
		v = get(0) | get(1)
	case "VANDPS", "VMOVUPS.Z", "VBROADCASTSS.Z":
		v = get(0) & get(1)
	case "VBLENDVPS": // mask, where it holds, elsewhere
		if v = get(0); get(2) != 0 {
			v = get(1)
		}
	case "VBLENDMPS": // where it holds, elsewhere, mask
		if v = get(1); get(0) != 0 {
			v = get(2)
		}
	default:
		for prefix, signs := range map[string][2]float32{"VFMADD": {1, 1}, "VFMSUB": {1, -1}, "VFNMADD": {-1, 1}} {
			if order, is := strings.CutPrefix(name, prefix); is {
				if strings.HasSuffix(order, "PD") {
					x := map[byte]float64{'1': math.Float64frombits(old), '2': double(0), '3': double(1)}
					set64(float64(signs[0])*x[order[0]]*x[order[1]] + float64(signs[1])*x[order[2]])
				} else {
					fused(order, signs[0], signs[1])
				}
				m.registers[registerOf(last)] = v
				return
			}
		}
		m.t.Fatalf("unknown instruction %s", line)
	}
	if r := registerOf(last); r != "" {
		m.registers[r] = v
	} else {
		m.memory[last] = v
	}
}

// registerOf is the number of a vector register, or the name of a mask's, or nothing.
func registerOf(operand string) string {
	if operand == "" || !strings.ContainsAny(operand[:1], "XYZK") {
		return ""
	}
	return strings.TrimLeft(operand, "XYZ")
}

// randomProgram has every kind of operand and operation of float32.
func randomProgram(r *rand.Rand, length int) *Program {
	p := &Program{}
	values := []Value{p.Input(0), p.Input(1), p.Load(0), p.Load(1), p.Load(2), p.Lanes(0), p.Lanes(1), p.Scalar(0), p.State(F32, 0),
		p.Const(0), p.Const(1.5), p.Const(-3), p.Const(0.25)}
	var masks []Value
	any := func() Value { return values[r.IntN(len(values))] }
	variable := func() Value {
		for {
			if v := any(); p.Code[v].Op != Const {
				return v
			}
		}
	}
	mask := func() Value {
		if len(masks) == 0 || r.IntN(2) == 0 {
			a, b := any(), any()
			if r.IntN(4) == 0 {
				b = a
			}
			masks = append(masks, p.Compare(Predicate(r.IntN(int(Unordered)+1)), a, b))
		}
		return masks[r.IntN(len(masks))]
	}
	for range length {
		var v Value
		switch r.IntN(16) {
		case 0:
			v = p.Add(variable(), any())
		case 1:
			v = p.Sub(any(), variable())
		case 2:
			v = p.Mul(variable(), any())
		case 3:
			v = p.Div(any(), variable())
		case 4:
			v = p.Max(any(), any())
		case 5:
			v = p.Min(any(), any())
		case 6:
			v = p.FMS(any(), any(), any())
		case 7:
			v = p.FNMA(any(), any(), any())
		case 8:
			v = p.Select(p.Or(mask(), mask()), any(), any())
		case 9:
			v = p.Where(mask(), any())
		case 10:
			v = p.Sqrt(any())
		case 11:
			v = p.Shift(p.Load(r.IntN(3)), r.IntN(4)) // the bits of a NaN that was computed are nobody's promise
		case 12:
			v = p.AddInt(p.Load(r.IntN(3)), p.Const(0.25))
		case 13:
			v = p.Largest(any(), any())
		case 14:
			v = p.Where(p.EqualInt(p.Load(r.IntN(3)), p.Load(r.IntN(3))), any())
		default:
			v = p.FMA(any(), any(), any())
		}
		if r.IntN(10) == 0 { // where something was loaded from, perhaps to be read again
			p.Store(r.IntN(3), any())
		}
		if values = append(values, v); len(values) > 24 && r.IntN(2) == 0 { // few long lives, or nothing would fit
			values = append(values[:5], values[12:]...)
		}
		if len(masks) > 2 {
			masks = masks[1:]
		}
	}
	p.Store(3, values[len(values)-1])
	p.Store(4, values[len(values)-2])
	p.SetState(0, values[len(values)-3])
	return p
}

// TestPrinters runs random programs as the printed text says, with as few registers as they fit into and with all, and compares with
// the evaluation.
func TestPrinters(t *testing.T) {
	r, ran := rand.New(rand.NewPCG(1, 2)), 0
	for range 1000 {
		p := randomProgram(r, 4+r.IntN(40))
		o := Operands{Load: floats(r, 3), Lanes: floats(r, 2), Scalar: floats(r, 1), Input: floats(r, 2), State: []float64{float64(floats(r, 1)[0])}}
		entry := o.State[0]
		want := p.Eval(o)
		for _, target := range []*Target{AVX2, AVX512, NEON} {
			fitted := false
			for n := 4; n < target.Registers; n++ {
				code, err := Compile(target, p, Frame{Free: upTo(n), Parts: 1})
				if err == errRegisters {
					continue
				}
				if got, state := execute(t, code, o, entry); !same(got[3], want[3]) || !same(got[4], want[4]) || !same(state, float32(o.State[0])) {
					t.Fatalf("%s with %d registers: %v, state %v, want %v, %v", target.Name, n, got, state, want, o.State[0])
				}
				if fitted {
					break
				}
				fitted, n = true, target.Registers-2
			}
			if fitted {
				ran++
			}
		}
	}
	if ran < 2000 {
		t.Errorf("%d programs fitted into the registers", ran)
	}
	t.Log(ran, "programs ran")
}

// randomSum is a program with a sum in float64.
func randomSum(r *rand.Rand) *Program {
	p := &Program{}
	values := []Value{p.Load(0), p.Load(1), p.Load(2)}
	any := func() Value { return values[r.IntN(len(values))] }
	for range r.IntN(6) {
		values = append(values, p.FMA(any(), any(), p.Where(p.Compare(Less, any(), p.Const(0)), any())))
	}
	v, w, sum := p.Widen(any()), p.Widen(any()), p.State(F64, 0)
	switch r.IntN(4) {
	case 0:
		sum = p.Add(sum, v)
	case 1:
		sum = p.FMA(v, w, sum)
	case 2:
		sum = p.FMS(v, w, sum)
	default:
		sum = p.FNMA(v, w, sum)
	}
	p.SetState(0, sum)
	return p
}

// TestWide does the same for programs with sums in float64.
func TestWide(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		p := randomSum(r)
		o := Operands{Load: floats(r, 3), State: []float64{r.NormFloat64()}}
		entry := o.State[0]
		p.Eval(o)
		for _, target := range []*Target{AVX2Wide, AVX512Wide, NEONWide} {
			code, err := Compile(target, p, Frame{Free: upTo(12)})
			if err != nil {
				t.Fatal(err)
			}
			m := newMachine(t, o)
			m.registers["15"] = math.Float64bits(entry)
			code.PrintConstants(nil, nil, m.number, m.of(target))
			code.Print(Places{Memory: slot("load"), Number: m.number, State: func(int) int { return 15 }}, m.of(target))
			if got := math.Float64frombits(m.registers["15"]); got != o.State[0] && got == got {
				t.Fatalf("%s: state %v, want %v", target.Name, got, o.State[0])
			}
		}
	}
}

// TestMisuse: programs that would not be the same on all targets are refused when they are written.
func TestMisuse(t *testing.T) {
	for name, body := range map[string]func(p *Program){
		"operands of two types":          func(p *Program) { p.Add(p.Load(0), p.Widen(p.Load(1))) },
		"a product that is not exact":    func(p *Program) { v := p.State(F64, 0); p.FMA(v, p.Widen(p.Load(0)), v) },
		"the same on the other side":     func(p *Program) { v := p.State(F64, 0); p.FNMA(p.Widen(p.Load(0)), v, v) },
		"numbers alone":                  func(p *Program) { p.Mul(p.Const(2), p.Const(3)) },
		"a state that is read too late":  func(p *Program) { p.SetState(0, p.Load(0)); p.Store(0, p.State(F32, 0)) },
		"a state that lives on too long": func(p *Program) { v := p.State(F32, 0); p.SetState(0, p.Load(0)); p.Store(0, v) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("taken")
				}
			}()
			if _, err := Compile(AVX2, Of(body), Frame{Free: upTo(8)}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRegistersOfTheUnread: an input, and a result, that nothing reads leave their registers to others.
func TestRegistersOfTheUnread(t *testing.T) {
	for name, body := range map[string]func(p *Program){
		"input":  func(p *Program) { p.Input(0); p.Store(0, p.Add(p.Lanes(0), p.Lanes(0))) },
		"result": func(p *Program) { v := p.Lanes(0); p.Mul(v, v); p.Store(0, p.Add(v, v)) },
	} {
		if _, err := Compile(AVX2, Of(body), Frame{Free: upTo(2)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func newMachine(t *testing.T, o Operands) *machine {
	m := &machine{t, map[string]uint64{}, map[string]uint64{}}
	for name, values := range map[string][]float32{"load": o.Load, "lanes": o.Lanes, "scalar": o.Scalar} {
		for i, v := range values {
			m.memory[slot(name)(i)] = uint64(math.Float32bits(v))
		}
	}
	return m
}

// slot names places in memory.
func slot(name string) func(int) string {
	return func(i int) string { return fmt.Sprintf("%s%d", name, i) }
}

// number puts a number into memory.
func (m *machine) number(bits uint32) string {
	name := fmt.Sprintf("number%d", bits)
	m.memory[name] = uint64(bits)
	return name
}

func execute(t *testing.T, code *Code, o Operands, entry float64) (stored map[int]float32, state float32) {
	m := newMachine(t, o)
	bits := func(v float32) uint64 { return uint64(math.Float32bits(v)) }
	last := code.Target.Registers - 1
	m.registers["0"], m.registers["1"], m.registers[fmt.Sprint(last)] = bits(o.Input[0]), bits(o.Input[1]), bits(float32(entry))
	code.PrintConstants(func(i, _ int) string { return slot("lanes")(i) }, slot("scalar"), m.number, m.of(code.Target))
	code.Print(Places{Memory: slot("load"), Number: m.number, State: func(int) int { return last }}, m.of(code.Target))
	stored = map[int]float32{}
	for _, at := range []int{3, 4} {
		stored[at] = math.Float32frombits(uint32(m.memory[slot("load")(at)]))
	}
	return stored, math.Float32frombits(uint32(m.registers[fmt.Sprint(last)]))
}

func same(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b }

func upTo(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// floats are some numbers, zeros, infinities and NaN among them.
func floats(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		switch r.IntN(8) {
		case 0:
			v[i] = float32(math.Inf(1 - 2*r.IntN(2)))
		case 1:
			v[i] = float32(math.NaN())
		case 2:
			v[i] = float32(math.Copysign(0, float64(r.IntN(2))-0.5))
		default:
			v[i] = float32(r.NormFloat64()) * 4
		}
	}
	return v
}

// TestPredicates holds every comparison against its meaning for a less, an equal, a greater and an undefined pair.
func TestPredicates(t *testing.T) {
	nan := math.NaN()
	pairs := [][2]float64{{1, 2}, {2, 2}, {3, 2}, {nan, 2}, {2, nan}}
	for is, want := range map[Predicate]string{
		Greater: "--+--", GreaterEqual: "-++--", Less: "+----", LessEqual: "++---",
		NotGreater: "++-++", NotGreaterEqual: "+--++", NotLess: "-++++", NotLessEqual: "--+++", Unordered: "---++",
	} {
		got := ""
		for _, p := range pairs {
			if is.holds(p[0], p[1]) {
				got += "+"
			} else {
				got += "-"
			}
		}
		if got != want {
			t.Errorf("predicate %d: %s instead of %s", is, got, want)
		}
	}
}
