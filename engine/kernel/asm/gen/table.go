package main

import (
	"fmt"
	"strconv"
)

// table emits the Go variable with the kernels of a family in one instruction set: a map from key, of that type, to functions of arg.
func (f *file) table(family, key, arg string, s isa, list func(entry func(key, function string))) {
	fmt.Fprintf(&f.Decl, "\nvar %s%s = map[%s]func(*%s){\n", family, s.constant(), key, arg)
	list(func(key, function string) { fmt.Fprintf(&f.Decl, "%s: %s,\n", key, function) })
	fmt.Fprintf(&f.Decl, "}\n")
}

// named emits a family whose kernels are found by name: for every name one kernel in each instruction set. arg is the argument struct
// that the kernels take.
func named(f *file, family, arg string, names []string, emit func(s isa, name string)) {
	for _, s := range isas {
		f.table(family, "string", arg, s, func(entry func(key, function string)) {
			for _, n := range names {
				entry(strconv.Quote(n), kernelName(n, s))
			}
		})
	}
	for _, s := range isas {
		for _, n := range names {
			f.function(kernelName(n, s), arg)
			emit(s, n)
			f.End()
		}
	}
}

// plainTable emits the Go variable with the plain forms of a family.
func (f *file) plainTable(family, arg string, names []string) {
	fmt.Fprintf(&f.Plain, "\nvar %sGo = map[string]func(*%s){\n", family, arg)
	for _, n := range names {
		fmt.Fprintf(&f.Plain, "%q: %s_f32_go,\n", n, n)
	}
	fmt.Fprintf(&f.Plain, "}\n")
}

func kernelName(name string, s isa) string { return name + "_f32_" + s.name }

// Comparison predicates of VCMPPS: first > second and so on, false when one is NaN (the negated ones true), quiet.
const (
	cmpUnordered       = 0x03 // one is NaN
	cmpOrdered         = 0x07 // none is NaN
	cmpLess            = 0x11
	cmpNotLessEqual    = 0x16
	cmpNotGreaterEqual = 0x19
	cmpNotGreater      = 0x1a
	cmpGreaterEqual    = 0x1d
	cmpGreater         = 0x1e
)

// keepWhere emits dst = mem where predicate holds between x and bound, else 0. mask is a scratch
// register (not used by AVX-512, which has K1). dst may be mask.
func (s isa) keepWhere(f *file, predicate int, x, bound, mem, mask, dst string) {
	if s.per == 1 {
		f.P("VCMPPS $%#x, %s, %s, K1", predicate, bound, x)
		f.P("VMOVUPS.Z %s, K1, %s", mem, dst)
		return
	}
	f.P("VCMPPS $%#x, %s, %s, %s", predicate, bound, x, mask)
	f.P("VANDPS %s, %s, %s", mem, mask, dst)
}
