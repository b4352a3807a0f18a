package asm

import (
	"strings"
	"testing"
)

// TestDetect goes through the values of REGRAFT_ISA.
func TestDetect(t *testing.T) {
	for _, set := range Sets() {
		t.Setenv("REGRAFT_ISA", set.Name)
		got, err := Detect()
		if set.Usable() && (got != set || err != nil) || !set.Usable() && err == nil {
			t.Errorf("REGRAFT_ISA=%s: %s, %v", set, got, err)
		}
		if list, err := Usable(); err == nil && (list[0] != set || list[len(list)-1] != Go || len(list) > 2) {
			t.Errorf("REGRAFT_ISA=%s: %v usable", set, list)
		}
	}
	t.Setenv("REGRAFT_ISA", "sse9")
	if _, err := Detect(); err == nil || !strings.Contains(err.Error(), "sse9") || !strings.Contains(err.Error(), "go") {
		t.Errorf("REGRAFT_ISA=sse9: %v", err)
	}
	t.Setenv("REGRAFT_ISA", "")
	usable, err := Usable()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Detect(); got != usable[0] || err != nil {
		t.Errorf("without REGRAFT_ISA: %s, %v", got, err)
	}
}

// TestBuiltOn: a set that lacks a kernel has its base's, by the base's name.
func TestBuiltOn(t *testing.T) {
	half := newSet("half", Go, func() bool { return true }, kernels{
		plane: map[string]func(*planeArgs){"copy": copy_f32_go},
		pack:  pack_f32_go,
	})
	for want, got := range map[string]string{
		"copy_f32_half":    half.Plane["copy"].Name("copy"),
		"pack_f32_half":    half.Pack.Name("pack"),
		"clip_f32_go":      half.Plane["clip"].Name("clip"),
		"transpose_f32_go": half.Transpose.Name("transpose"),
		"conv_f32_go":      half.Conv[convTile{Blocks: 1, Pixels: 8, Pitch: 64}].Name("conv"),
		"maxpool_f32_go":   half.Pool["maxpool"].Name("maxpool"),
		"copy_f32_go":      Go.Plane["copy"].Name("copy"),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if !half.Includes("go") || !half.Includes("half") || Go.Includes("half") {
		t.Error("what sets include")
	}
}
