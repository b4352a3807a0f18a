package kernel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
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

// TestTables: every kernel that the sources ask for by name is generated for every instruction set, and every generated one is asked
// for. A name that differs on one side would run plain Go without a word.
func TestTables(t *testing.T) {
	if len(convKernels) == 0 {
		t.Skip("built without assembly")
	}
	for _, family := range []struct {
		typeName string
		names    func(ISA) []string
	}{
		{"planeKernel", func(isa ISA) []string { return slices.Sorted(maps.Keys(planeKernels[isa])) }},
		{"poolKernel", func(isa ISA) []string { return slices.Sorted(maps.Keys(poolKernels[isa])) }},
		{"Rule", func(isa ISA) []string { return slices.Sorted(maps.Keys(updateKernels[isa])) }},
	} {
		asked := askedFor(t, family.typeName)
		for isa := AVX2; isa <= AVX512; isa++ {
			if got := family.names(isa); len(got) == 0 || !slices.Equal(got, asked) {
				t.Errorf("%s, %s: generated are %q, asked for %q", family.typeName, isa, got, asked)
			}
		}
	}
	for isa := AVX2; isa <= AVX512; isa++ {
		if packKernels[isa]["pack"] == nil || len(packKernels[isa]) != 1 {
			t.Errorf("%s: packing", isa)
		}
	}
}

// TestTiles: the tiles that convolutions choose from are those that are generated.
func TestTiles(t *testing.T) {
	if len(convKernels) == 0 {
		t.Skip("built without assembly")
	}
	chosen := map[convTile]bool{}
	choose := func(isa ISA, in Layout, pitch, from int) {
		tiler := newTiler(isa, in, Blocked(64, 8, 8, 0))
		for k := 1; k <= tiler.maxBlocks(); k++ {
			for n := from; n <= tiler.maxPixels(k, pitch); n++ {
				chosen[convTile{isa, k, n, pitch}] = true
			}
		}
	}
	for isa := AVX2; isa <= AVX512; isa++ {
		choose(isa, Blocked(64, 8, 8, 0), 64, 1)
		choose(isa, Blocked(64, 8, 8, 0), 128, 2) // one pixel has no neighbour
		for _, pitch := range []int{12, 24, 48} {
			choose(isa, Pixels(3, 8, 8, 0), pitch, 1)
		}
	}
	for tile := range chosen {
		if convKernels[tile] == nil {
			t.Errorf("%+v is not generated", tile)
		}
	}
	for tile := range convKernels {
		if !chosen[tile] {
			t.Errorf("%+v is generated and never chosen", tile)
		}
	}
}

// TestGradientTiles: the same for the gradients of weights, over convolutions of photos and of blocks.
func TestGradientTiles(t *testing.T) {
	if len(wgradKernels) == 0 {
		t.Skip("built without assembly")
	}
	chosen := map[wgradTile]bool{}
	for isa := AVX2; isa <= AVX512; isa++ {
		for _, x := range []Layout{Blocked(32, 8, 8, 2), Pixels(3, 8, 8, 2)} {
			for blocks := 1; blocks <= 4; blocks++ {
				s := ConvShape{Cin: x.C, Cout: Lanes * blocks, H: 8, W: 8, OH: 8, OW: 8, KH: 3, KW: 4, SH: 1, SW: 1, DH: 1, DW: 1, PT: 1, PL: 1}
				g, err := NewConvGradW(isa, s, x, Blocked(s.Cout, 8, 8, 0))
				if err != nil {
					t.Fatal(err)
				}
				for _, group := range g.groups {
					for _, c := range group.columns {
						if chosen[wgradTile{isa, c.channels, group.k}] = true; c.kernel == nil {
							t.Errorf("%s: %d channels x %d blocks are not generated", isa, c.channels, group.k)
						}
					}
				}
			}
		}
	}
	for tile := range wgradKernels {
		if !chosen[tile] {
			t.Errorf("%+v is generated and never chosen", tile)
		}
	}
}
