package onnx

import (
	"strings"
	"testing"
)

// gathering picks elements 3, 7 and 1 of every image's 20 by the indices that as_strided's Gather has, whose rows begin at what
// Range(start, limit, delta) counts; the names are of scalars.
func gathering(start, limit, delta string) testModel {
	m := tokens()
	m.int("none", 0)
	m.int("one", 1)
	m.int("two", 2)
	m.node("Mul", []string{"count", "two"}, "twice")
	m.node("Reshape", []string{"patches", m.ints("all", -1)}, "elements")
	m.node("Range", []string{start, limit, delta}, "n")
	m.node("Mul", []string{"n", m.int("size", 20)}, "begin")
	m.node("Unsqueeze", []string{"begin", m.ints("axis", 1)}, "column")
	m.node("Add", []string{"column", m.ints("table", 3, 7, 1)}, "at")
	m.node("Gather", []string{"elements", "at"}, "y")
	return m
}

// TestRowsOfEveryImage: indices that count all images pick from each; any other range would pick from some of them, or from what is
// between them, and is refused.
func TestRowsOfEveryImage(t *testing.T) {
	net := readModel(t, gathering("none", "count", "one"))
	two, err := net.WithBatch(2)
	if err != nil {
		t.Fatal(err)
	}
	all := readModel(t, func() testModel {
		m := tokens()
		m.node("Flatten", []string{"patches"}, "y")
		return m
	}())
	if all, err = all.WithBatch(2); err != nil {
		t.Fatal(err)
	}
	x := ramp(two.Input.Shape().TotalSize())
	got, want := (interpreter{net: two}).run(t, x)[0], (interpreter{net: all}).run(t, x)[0]
	for image := range 2 {
		for k, at := range []int{3, 7, 1} {
			if g, w := got[image*3+k], want[image*20+at]; g != w {
				t.Errorf("image %d: element %d is %g, want %g", image, at, g, w)
			}
		}
	}
	for _, r := range [][3]string{{"one", "count", "one"}, {"none", "count", "two"}, {"none", "twice", "one"}, {"count", "twice", "one"}} {
		m := gathering(r[0], r[1], r[2])
		if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err == nil || !strings.Contains(err.Error(), "Range") {
			t.Errorf("from %s to %s by %s: error %v", r[0], r[1], r[2], err)
		}
	}
}
