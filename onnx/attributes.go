package onnx

import (
	"maps"
	"slices"
)

// attributes gives typed access to a node's attributes and remembers which were asked for: an
// attribute that its operator never asks for is reported, so that none is silently ignored.
type attributes struct {
	byName map[string]*attributeProto
	asked  map[string]bool
	report func(format string, args ...any)
}

func newAttributes(list []*attributeProto, report func(string, ...any)) attributes {
	a := attributes{map[string]*attributeProto{}, map[string]bool{}, report}
	for _, p := range list {
		if a.byName[p.name] != nil {
			report("attribute %s appears twice", p.name)
		}
		a.byName[p.name] = p
	}
	return a
}

// get returns an attribute of the wanted kind, or nil when the node does not have it.
func (a attributes) get(name string, kind attributeKind) *attributeProto {
	a.asked[name] = true
	p := a.byName[name]
	if p != nil && p.kind != kind {
		a.report("attribute %s has type %d, want %d (AttributeProto.AttributeType)", name, p.kind, kind)
		return nil
	}
	return p
}

// graph is nil when the node does not have the attribute.
func (a attributes) graph(name string) *graphProto {
	if p := a.get(name, attributeGraph); p != nil {
		return p.g
	}
	return nil
}

func (a attributes) has(name string) bool { return a.byName[name] != nil }

func (a attributes) int(name string, missing int) int {
	if p := a.get(name, attributeInt); p != nil {
		return int(p.i)
	}
	return missing
}

func (a attributes) float(name string, missing float32) float32 {
	if p := a.get(name, attributeFloat); p != nil {
		return p.f
	}
	return missing
}

func (a attributes) text(name, missing string) string {
	if p := a.get(name, attributeString); p != nil {
		return p.s
	}
	return missing
}

// ints is nil when the node does not have the attribute.
func (a attributes) ints(name string) []int {
	p := a.get(name, attributeInts)
	if p == nil {
		return nil
	}
	values := make([]int, len(p.ints))
	for i, v := range p.ints {
		values[i] = int(v)
	}
	return values
}

// floats is nil when the node does not have the attribute.
func (a attributes) floats(name string) []float32 {
	if p := a.get(name, attributeFloats); p != nil {
		return floatSlice(p.floats)
	}
	return nil
}

// flag reads an int attribute that must be 0 or 1.
func (a attributes) flag(name string, missing bool) bool {
	if !a.has(name) {
		return missing
	}
	v := a.int(name, 0)
	if v != 0 && v != 1 {
		a.report("attribute %s is %d, want 0 or 1", name, v)
	}
	return v == 1
}

// want reads an int attribute of which only one value is supported.
func (a attributes) want(name string, only int) {
	if v := a.int(name, only); v != only {
		a.report("attribute %s is %d, only %d is supported", name, v, only)
	}
}

// ignore marks attributes that have no meaning for inference and training.
func (a attributes) ignore(names ...string) {
	for _, name := range names {
		a.asked[name] = true
	}
}

// unknown reports the attributes that nothing asked for.
func (a attributes) unknown() {
	for _, name := range slices.Sorted(maps.Keys(a.byName)) {
		if !a.asked[name] {
			a.report("attribute %s is not known", name)
		}
	}
}

// pair turns a list of two into rows and columns.
func (a attributes) pair(name string, missing [2]int) [2]int {
	v := a.ints(name)
	switch len(v) {
	case 0:
		return missing
	case 2:
		return [2]int{v[0], v[1]}
	}
	a.report("attribute %s has %d values: only two-dimensional windows are supported", name, len(v))
	return missing
}
