package kernel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
	"regraft/engine/kernel/toomcook"
)

// askedFor lists the names in the hand-written sources by which kernels of a family are looked up: constants of that type, or arguments
// of the function of that name.
func askedFor(t *testing.T, family string) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	add := func(values []ast.Expr) {
		for _, v := range values {
			if text, ok := v.(*ast.BasicLit); ok && text.Kind == token.STRING {
				names = append(names, strings.Trim(text.Value, `"`))
			}
		}
	}
	is := func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return ok && id.Name == family
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if is(n.Type) {
					add(n.Values)
				}
			case *ast.CallExpr:
				if is(n.Fun) {
					add(n.Args)
				}
			}
			return true
		})
	}
	slices.Sort(names)
	return names
}

// written lists the kernels of a family that are written for a set.
func written[K comparable, T any](set *Set, f asm.Family[K, T]) (own []K) {
	for k, kernel := range f {
		if kernel.Set == set.Name {
			own = append(own, k)
		}
	}
	return own
}

// TestTables: every kernel that the sources ask for by name is written for every instruction set of this build, and every one that is
// written is asked for. A name that differs on one side would run plain Go without a word, or nothing.
func TestTables(t *testing.T) {
	for _, family := range []struct {
		asked string
		names func(*Set) []string
	}{
		{"planeKernel", func(set *Set) []string { return written(set, set.Plane) }},
		{"poolKernel", func(set *Set) []string { return written(set, set.Pool) }},
		{"newRule", func(set *Set) []string { return written(set, set.Update) }},
	} {
		asked := askedFor(t, family.asked)
		for _, set := range Sets() {
			got := family.names(set)
			slices.Sort(got)
			if len(got) == 0 || !slices.Equal(got, asked) {
				t.Errorf("%s, %s: written are %q, asked for %q", family.asked, set, got, asked)
			}
		}
	}
	for _, set := range Sets() {
		if set.Pack.Set != set.Name {
			t.Errorf("%s: packs by %s", set, set.Pack.Set)
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
		sameKeys(t, set, written(set, set.TransformIn), in)
		sameKeys(t, set, written(set, set.TransformOut), out)
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
		chosen := map[abi.ConvTile]bool{}
		choose := func(in Layout, pitch, from int) {
			tiler := newTiler(set, in, Blocked(64, 8, 8, 0))
			for k := 1; k <= tiler.maxBlocks(); k++ {
				for n := from; n <= tiler.maxPixels(k, pitch); n++ {
					chosen[abi.ConvTile{Blocks: k, Pixels: n, Pitch: pitch}] = true
				}
			}
		}
		choose(Blocked(64, 8, 8, 0), 64, 1)
		choose(Blocked(64, 8, 8, 0), 128, 2) // one pixel has no neighbour
		for _, pitch := range []int{12, 24, 48} {
			choose(Pixels(3, 8, 8, 0), pitch, 1)
		}
		sameKeys(t, set, written(set, set.Conv), chosen)
	}
}

// TestGradientTiles: the same for the gradients of weights, over convolutions of photos and of blocks.
func TestGradientTiles(t *testing.T) {
	for _, set := range Sets() {
		chosen := map[abi.WGradTile]bool{}
		for _, x := range []Layout{Blocked(32, 8, 8, 2), Pixels(3, 8, 8, 2)} {
			for blocks := 1; blocks <= 4; blocks++ {
				for _, kw := range []int{3, 4} { // an odd number of taps, and one that is no multiple of 3
					s := ConvShape{Cin: x.C, Cout: Lanes * blocks, H: 8, W: 8, OH: 8, OW: 8, KH: 3, KW: kw, SH: 1, SW: 1, DH: 1, DW: 1, PT: 1, PL: 1}
					g, err := NewConvGradW(set, s, x, Blocked(s.Cout, 8, 8, 0))
					if err != nil {
						t.Fatal(err)
					}
					for _, group := range g.groups {
						for _, c := range group.columns {
							chosen[abi.WGradTile{Channels: c.channels, Blocks: group.k, Photo: !x.blocked()}] = true
						}
					}
				}
			}
		}
		sameKeys(t, set, written(set, set.WGrad), chosen)
	}
}
