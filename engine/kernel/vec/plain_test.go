package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// plainMain is a program around plain forms: fma32 is exact, as that of the kernels.
const plainMain = `package main

import (
	"fmt"
	"math"
	"math/big"
)

func fma32(a, b, c float32) float32 {
	s := float64(a)*float64(b) + float64(c)
	if s == 0 || math.IsInf(s, 0) || s != s {
		return float32(s)
	}
	x := func(v float32) *big.Float { return new(big.Float).SetPrec(600).SetFloat64(float64(v)) }
	p := x(a)
	f, _ := p.Mul(p, x(b)).Add(p, x(c)).Float32()
	return f
}

func sqrt32(a float32) float32 { return float32(math.Sqrt(float64(a))) }

var f = math.Float32frombits

func show(v float32) {
	if v != v {
		v = f(0x7fc00000)
	}
	fmt.Printf("%08x\n", math.Float32bits(v))
}

func main() {
`

// TestPlain compiles and runs random programs in plain Go and compares with the evaluation.
func TestPlain(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a program")
	}
	var text strings.Builder
	text.WriteString(plainMain)
	var want strings.Builder
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 60 {
		p := randomProgram(r, 4+r.IntN(30))
		if n%4 == 1 {
			p = randomSum(r)
		}
		o := Operands{Load: floats(r, 3), Lanes: floats(r, 2), Scalar: floats(r, 1), Input: floats(r, 2), State: []float64{float64(floats(r, 1)[0])}}
		if n == 0 { // a compiler that fuses the product into the sum gives another last bit
			p = Of(func(p *Program) { p.Store(3, p.Add(p.Mul(p.Load(0), p.Load(1)), p.Load(2))) })
			o.Load = []float32{1 + 0x1p-12, 1 + 0x1p-12, -1}
		}
		text.WriteString("func() {\n")
		operands := func(name string, values []float32) func(int) string {
			for i, v := range values {
				fmt.Fprintf(&text, "%s%d := f(%#x)\n_ = %s%d\n", name, i, math.Float32bits(v), name, i)
			}
			return slot(name)
		}
		names := Names{
			Load: operands("load", o.Load), Lanes: operands("lanes", o.Lanes), Scalar: operands("scalar", o.Scalar),
			Input: operands("input", o.Input), State: slot("state"), Store: slot("store"),
		}
		typ := "float32"
		if n%4 == 1 {
			typ = "float64"
		}
		fmt.Fprintf(&text, "state0 := %s(f(%#x))\n", typ, math.Float32bits(float32(o.State[0])))
		body := p.Plain(names)
		fmt.Fprintf(&text, "var store0, store1, store2, store3, store4 float32\n_, _, _ = store0, store1, store2\n%s", body)
		for v, in := range p.Code { // what nothing reads would be an error of Go's
			if in.Op != Const && in.Op != Store && in.Op != SetState {
				fmt.Fprintf(&text, "_ = v%d\n", v)
			}
		}
		text.WriteString("show(store3)\nshow(store4)\nshow(float32(state0))\n}()\n")
		stored := p.Eval(o)
		for _, v := range []float32{stored[3], stored[4], float32(o.State[0])} {
			bits := math.Float32bits(v)
			if v != v {
				bits = 0x7fc00000
			}
			fmt.Fprintf(&want, "%08x\n", bits)
		}
	}
	text.WriteString("}\n")
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command("go", "run", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if string(got) != want.String() {
		t.Errorf("plain Go gives\n%s, want\n%s", got, want.String())
	}
}
