package vec

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// of is what carries out lines of a target.
func (m *machine) of(t *Target) func(line string) {
	if t.Name == "neon" {
		return m.neon
	}
	return m.do
}

// neonRegister finds the number of a vector register, whatever part of it is meant.
var neonRegister = regexp.MustCompile(`^[vqds](\d+)(?:\..*)?$`)

// neon carries out a line of NEON's programs on one lane.
func (m *machine) neon(line string) {
	mnemonic, rest, _ := strings.Cut(line, " ")
	operands := strings.Split(rest, ", ")
	for i, o := range operands {
		if match := neonRegister.FindStringSubmatch(o); match != nil {
			operands[i] = match[1]
		}
	}
	get := func(i int) uint64 {
		if v, ok := m.registers[operands[i]]; ok {
			return v
		}
		v, ok := m.memory[operands[i]]
		if !ok {
			m.t.Fatalf("%s: nothing in %s", line, operands[i])
		}
		return v
	}
	double := strings.HasSuffix(strings.SplitN(rest, ",", 2)[0], ".2d")
	number := func(i int) float64 {
		if double && mnemonic != "fcvtl" {
			return math.Float64frombits(get(i))
		}
		return float64(math.Float32frombits(uint32(get(i))))
	}
	var v uint64
	set := func(f float64) { // rounded from a single operation in float64, which has digits enough
		if v = uint64(math.Float32bits(float32(f))); double {
			v = math.Float64bits(f)
		}
	}
	mask := func(holds bool) {
		if holds {
			v = math.MaxUint32
		}
	}
	fused := func(sign float64) {
		if double {
			set(number(0) + sign*number(1)*number(2))
			return
		}
		set(float64(fma(float32(sign*number(1)), float32(number(2)), float32(number(0)))))
	}
	switch mnemonic {
	case "MOVQ": // the result comes last
		m.registers[operands[1]] = get(0)
		return
	case "str":
		m.memory[operands[1]] = get(0)
		return
	case "ldr", "mov", "dup":
		v = get(1)
	case "movi":
	case "fadd":
		set(number(1) + number(2))
	case "fsub":
		set(number(1) - number(2))
	case "fmul":
		set(number(1) * number(2))
	case "fdiv":
		set(number(1) / number(2))
	case "fsqrt":
		set(math.Sqrt(number(1)))
	case "fneg":
		v = get(1) ^ 1<<31
		if double {
			v = get(1) ^ 1<<63
		}
	case "fmla":
		fused(1)
	case "fmls":
		fused(-1)
	case "fcvtl":
		set(number(1))
	case "fcmgt":
		mask(number(1) > number(2))
	case "fcmge":
		mask(number(1) >= number(2))
	case "fcmeq":
		mask(number(1) == number(2))
	case "cmeq":
		mask(uint32(get(1)) == uint32(get(2)))
	case "shl":
		bits, err := strconv.Atoi(strings.TrimPrefix(operands[2], "#"))
		if err != nil {
			m.t.Fatal(line, err)
		}
		v = uint64(uint32(get(1)) << bits)
	case "add":
		v = uint64(uint32(get(1)) + uint32(get(2)))
	case "and":
		v = get(1) & get(2)
	case "orr":
		v = get(1) | get(2)
	case "orn":
		v = get(1) | ^get(2)&math.MaxUint32
	case "mvn":
		v = ^get(1) & math.MaxUint32
	case "bsl":
		v = get(0)&get(1) | ^get(0)&get(2)
	case "bit":
		v = get(0)&^get(2) | get(1)&get(2)
	case "bif":
		v = get(0)&get(2) | get(1)&^get(2)
	default:
		m.t.Fatalf("unknown instruction %s", line)
	}
	m.registers[operands[0]] = v
}
