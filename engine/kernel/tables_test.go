package kernel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"regraft/engine/kernel/toomcook"
)

// askedFor lists the names in the hand-written sources by which assembly of a family is looked up: the first field of the
// composite literals of a type.
func askedFor(t *testing.T, typeName string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if id, ok := literal.Type.(*ast.Ident); !ok || id.Name != typeName {
				return true
			}
			for _, element := range literal.Elts {
				if text, ok := element.(*ast.BasicLit); ok && text.Kind == token.STRING {
					name, err := strconv.Unquote(text.Value)
					if err != nil {
						t.Fatal(err)
					}
					names = append(names, name)
				}
			}
			return true
		})
	}
	slices.Sort(names)
	return names
}

// written lists the kernels of a family that are written for a set.
func written[K comparable, T any](set *Set, f family[K, T]) (own []K) {
	for k, kernel := range f {
		if kernel.set == set.Name {
			own = append(own, k)
		}
	}
	return own
}

// TestTables: every kernel that the sources ask for by name is written for every instruction set of this build, and every one that is
// written is asked for. A name that differs on one side would run plain Go without a word, or nothing.
func TestTables(t *testing.T) {
	for _, family := range []struct {
		typeName string
		names    func(*Set) []string
	}{
		{"planeKernel", func(set *Set) []string { return written(set, set.plane) }},
		{"poolKernel", func(set *Set) []string { return written(set, set.pool) }},
		{"Rule", func(set *Set) []string { return written(set, set.update) }},
	} {
		asked := askedFor(t, family.typeName)
		for _, set := range Sets() {
			got := family.names(set)
			slices.Sort(got)
			if len(got) == 0 || !slices.Equal(got, asked) {
				t.Errorf("%s, %s: written are %q, asked for %q", family.typeName, set, got, asked)
			}
		}
	}
	for _, set := range Sets() {
		if set.pack.set != set.Name {
			t.Errorf("%s: packs by %s", set, set.pack.set)
		}
	}
}

// TestTransforms: every set has the transforms of every algorithm of Winograd, and no others.
func TestTransforms(t *testing.T) {
	in, out := map[string]bool{}, map[string]bool{}
	for _, a := range toomcook.Algorithms {
		in[a.InputKernel()], in[a.WeightsKernel()], in[a.OutputGradKernel()], in[a.WeightsGradKernel()] = true, true, true, true
		out[a.OutputKernel()] = true
	}
	for _, set := range Sets() {
		sameKeys(t, set, written(set, set.transformIn), in)
		sameKeys(t, set, written(set, set.transformOut), out)
	}
}

func sameKeys[K comparable](t *testing.T, set *Set, got []K, want map[K]bool) {
	t.Helper()
	has := map[K]bool{}
	for _, k := range got {
		if has[k] = true; !want[k] {
			t.Errorf("%s: %v is written and never asked for", set, k)
		}
	}
	for k := range want {
		if !has[k] {
			t.Errorf("%s: %v is not written", set, k)
		}
	}
}

// TestTiles: the tiles that convolutions choose from are those that are written.
func TestTiles(t *testing.T) {
	for _, set := range Sets() {
		chosen := map[convTile]bool{}
		choose := func(in Layout, pitch, from int) {
			tiler := newTiler(set, in, Blocked(64, 8, 8, 0))
			for k := 1; k <= tiler.maxBlocks(); k++ {
				for n := from; n <= tiler.maxPixels(k, pitch); n++ {
					chosen[convTile{Blocks: k, Pixels: n, Pitch: pitch}] = true
				}
			}
		}
		choose(Blocked(64, 8, 8, 0), 64, 1)
		choose(Blocked(64, 8, 8, 0), 128, 2) // one pixel has no neighbour
		for _, pitch := range []int{12, 24, 48} {
			choose(Pixels(3, 8, 8, 0), pitch, 1)
		}
		sameKeys(t, set, written(set, set.conv), chosen)
	}
}

// TestGradientTiles: the same for the gradients of weights, over convolutions of photos and of blocks.
func TestGradientTiles(t *testing.T) {
	for _, set := range Sets() {
		chosen := map[wgradTile]bool{}
		for _, x := range []Layout{Blocked(32, 8, 8, 2), Pixels(3, 8, 8, 2)} {
			for blocks := 1; blocks <= 4; blocks++ {
				s := ConvShape{Cin: x.C, Cout: Lanes * blocks, H: 8, W: 8, OH: 8, OW: 8, KH: 3, KW: 4, SH: 1, SW: 1, DH: 1, DW: 1, PT: 1, PL: 1}
				g, err := NewConvGradW(set, s, x, Blocked(s.Cout, 8, 8, 0))
				if err != nil {
					t.Fatal(err)
				}
				for _, group := range g.groups {
					for _, c := range group.columns {
						chosen[wgradTile{Channels: c.channels, Blocks: group.k, Photo: !x.blocked()}] = true
					}
				}
			}
		}
		sameKeys(t, set, written(set, set.wgrad), chosen)
	}
}

// TestBuiltOn: a set that lacks a kernel has its base's, by the base's name.
func TestBuiltOn(t *testing.T) {
	half := newSet("half", Go, func() bool { return true }, kernels{
		plane: map[string]func(*planeArgs){copyKernel.name: copyKernel.twin},
		pack:  packTwin,
	})
	for _, c := range []struct {
		prim func(in, out Layout) (Primitive, error)
		name string
	}{
		{func(in, out Layout) (Primitive, error) { return NewCopy(half, in, out) }, "copy_f32_half"},
		{func(in, out Layout) (Primitive, error) { return NewReLU(half, in, out) }, "clip_f32_go"},
		{func(in, out Layout) (Primitive, error) { return NewPackInput(half, Pixels(3, 20, 20, 0), nil, nil) }, "pack_f32_half"},
		{func(in, out Layout) (Primitive, error) {
			return NewConv(half, ConvShape{Cin: 16, Cout: 16, H: 4, W: 4, OH: 4, OW: 4, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}, in, out, 0)
		}, "conv_f32_1x8_go"},
	} {
		p, err := c.prim(Blocked(16, 4, 4, 0), Blocked(16, 4, 4, 0))
		if err != nil || p.Name() != c.name {
			t.Errorf("%v, %v: want %s", p.Name(), err, c.name)
		}
	}
	if !half.Includes("go") || !half.Includes("half") || Go.Includes("half") {
		t.Error("what sets include")
	}
}
