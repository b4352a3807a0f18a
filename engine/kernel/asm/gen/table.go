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
	for _, s := range f.isas {
		f.table(family, "string", arg, s, func(entry func(key, function string)) {
			for _, n := range names {
				entry(strconv.Quote(n), kernelName(n, s))
			}
		})
	}
	for _, s := range f.isas {
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
