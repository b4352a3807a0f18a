package kernel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// fitting is a constructor with layouts that fit each other.
type fitting struct {
	name    string
	layouts []Layout
	make    func(l []Layout) error
	takes   []string // misfits that are none here, by layout
}

// errorOf drops a primitive.
func errorOf[P any](_ P, err error) error { return err }

// fittings has every constructor that takes layouts and can fail, but NewAttention, whose layouts are parts of Heads.
func fittings() []fitting {
	image, wide, pixel, rows := Blocked(20, 4, 6, 0), Blocked(20, 4, 6, 1), Blocked(20, 1, 1, 0), Matrix(2, 20)
	conv, pool := shape(20, 20, 4, 6, 3, 3, 1, 1, 1), PoolShape{H: 4, W: 6, OH: 4, OW: 6, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
	parts := shape(20, 20, 4, 6, 2, 3, 2, 3, 0)
	patches, tokens := Blocked(120, 2, 2, 0), Blocked(20, 1, 5, 0)
	identity := make([]Channel, 20)
	for c := range identity {
		identity[c].Index = c
	}
	alone := []string{"0 channels", "0 height", "0 width"} // one layout has nothing to differ from
	list := []fitting{
		{"NewActivation", nil, func(l []Layout) error { return errorOf(NewActivation(Go, SiLU(), l[0], l[1])) }, nil},
		{"NewCopy", nil, func(l []Layout) error { return errorOf(NewCopy(Go, l[0], l[1])) }, nil},
		{"NewAccumulate", nil, func(l []Layout) error { return errorOf(NewAccumulate(Go, l[0], l[1])) }, nil},
		{"NewAffine", nil, func(l []Layout) error { return errorOf(NewAffine(Go, l[0], l[1], 0)) }, nil},
		{"NewReLU", nil, func(l []Layout) error { return errorOf(NewReLU(Go, l[0], l[1])) }, nil},
		{"NewClip", nil, func(l []Layout) error { return errorOf(NewClip(Go, l[0], l[1], 0, 6)) }, nil},
		{"NewMap", nil, func(l []Layout) error { return errorOf(NewMap("map", l[0], l[1], nil)) }, nil},
		{"NewZip", nil, func(l []Layout) error { return errorOf(NewZip("zip", l[0], l[0], l[1], nil)) }, nil},
		{"NewPReLU", nil, func(l []Layout) error { return errorOf(NewPReLU(Go, l[0], l[1])) }, nil},
		{"NewChannelScale", nil, func(l []Layout) error { return errorOf(NewChannelScale(Go, l[0], l[1])) }, nil},
		{"NewChannelDot", nil, func(l []Layout) error { return errorOf(NewChannelDot(Go, l[0], l[1])) }, nil},
		{"NewImageSum", nil, func(l []Layout) error { return errorOf(NewImageSum(l[0], l[1])) }, nil},
		{"NewGroupNormApply", nil, func(l []Layout) error { return errorOf(NewGroupNormApply(Go, l[0], l[1], 0)) }, nil},
		{"NewLayerNorm", nil, func(l []Layout) error { return errorOf(NewLayerNorm(Go, l[0], l[1], 0)) }, nil},
		{"NewLayerNormGradGamma", nil, func(l []Layout) error { return errorOf(NewLayerNormGradGamma(Go, l[0], l[1], 0)) }, nil},
		{"NewBatchNormGradSums", nil, func(l []Layout) error { return errorOf(NewBatchNormGradSums(Go, l[0], l[1], 0)) }, nil},
		{"NewMaxPool", nil, func(l []Layout) error { return errorOf(NewMaxPool(Go, pool, l[0], l[1])) }, nil},
		{"NewAveragePool", nil, func(l []Layout) error { return errorOf(NewAveragePool(Go, pool, l[0], l[1], 0)) }, nil},
		{"NewAveragePoolGrad", nil, func(l []Layout) error { return errorOf(NewAveragePoolGrad(Go, pool, l[0], l[1], 0)) }, nil},
		{"NewDepthwise", nil, func(l []Layout) error { return errorOf(NewDepthwise(Go, conv, l[0], l[1], 0)) }, nil},
		{"NewDepthwiseGradX", nil, func(l []Layout) error { return errorOf(NewDepthwiseGradX(Go, conv, l[0], l[1], 0)) }, nil},
		{"NewDepthwiseGradW", nil, func(l []Layout) error { return errorOf(NewDepthwiseGradW(Go, conv, l[0], l[1])) }, nil},
		{"NewGather", nil, func(l []Layout) error { return errorOf(NewGather(l[0], l[1], upTo(4), upTo(6))) }, []string{"0 height", "0 width"}},
		{"NewGatherGrad", nil, func(l []Layout) error { return errorOf(NewGatherGrad(l[0], l[1], upTo(4), upTo(6))) }, []string{"1 height", "1 width"}},
		{"NewConcatCopy", nil, func(l []Layout) error { return errorOf(NewConcatCopy(l[0], l[1], 0)) }, []string{"1 channels"}},
		{"NewSliceCopy", nil, func(l []Layout) error { return errorOf(NewSliceCopy(l[0], l[1], 0)) }, []string{"0 channels"}},
		{"NewPick", nil, func(l []Layout) error { return errorOf(NewPick(Go, l[:1], identity, l[1])) }, []string{"0 channels"}},

		{"NewConv", []Layout{wide, image}, func(l []Layout) error { return errorOf(NewConv(Go, conv, l[0], l[1], 0)) }, nil},
		{"NewConvGradX", []Layout{wide, image}, func(l []Layout) error { return errorOf(NewConvGradX(Go, conv, l[0], l[1], 0)) }, nil},
		{"NewConvGradW", []Layout{wide, image}, func(l []Layout) error { return errorOf(NewConvGradW(Go, conv, l[0], l[1])) }, nil},
		{"NewWinograd", []Layout{wide, image}, func(l []Layout) error { return errorOf(NewWinograd(Go, conv, l[0], l[1], 0)) }, nil},
		{"NewWinogradGradX", []Layout{wide, image}, func(l []Layout) error { return errorOf(NewWinogradGradX(Go, conv, l[0], l[1], 0)) }, nil},
		{"NewWinogradGradW", []Layout{wide, image}, func(l []Layout) error { return errorOf(NewWinogradGradW(Go, conv, l[0], l[1])) }, nil},

		{"NewHeadNorm", []Layout{tokens, tokens}, func(l []Layout) error { return errorOf(NewHeadNorm(Heads{l[0], 0, 10, 10}, 2, nil, 0, l[1])) }, nil},
		{"NewHeadNormGradX", []Layout{tokens, tokens, tokens}, func(l []Layout) error {
			return errorOf(NewHeadNormGradX(Heads{l[0], 0, 10, 10}, 2, nil, 0, l[1], l[2]))
		}, nil},
		{"NewHeadNormGradFactor", []Layout{tokens, tokens}, func(l []Layout) error {
			return errorOf(NewHeadNormGradFactor(Heads{l[0], 0, 10, 10}, 2, HeadFactor{}, 0, l[1]))
		}, nil},
		{"NewRotary", []Layout{tokens, tokens}, func(l []Layout) error { return errorOf(NewRotary(Heads{l[0], 0, 10, 10}, 2, upTo(10), false, l[1])) }, nil},
		{"NewGatherPatches", []Layout{image, patches}, func(l []Layout) error { return errorOf(NewGatherPatches(parts, l[0], l[1])) }, nil},
		{"NewScatterPatches", []Layout{patches, image}, func(l []Layout) error { return errorOf(NewScatterPatches(parts, l[0], l[1], 0)) }, nil},

		{"NewAdd", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewAdd(Go, l[0], l[1], l[2], 0)) }, nil},
		{"NewMul", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewMul(Go, l[0], l[1], l[2])) }, nil},
		{"NewReluGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewReluGrad(Go, l[0], l[1], l[2])) }, nil},
		{"NewClipGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewClipGrad(Go, l[0], l[1], l[2], 0, 6)) }, nil},
		{"NewPReLUGradX", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewPReLUGradX(Go, l[0], l[1], l[2])) }, nil},
		{"NewLeakyReLUGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewLeakyReLUGrad(Go, l[0], l[1], l[2], 0)) }, nil},
		{"NewThresholdGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewThresholdGrad(Go, l[0], l[1], l[2], 0)) }, nil},
		{"NewSigmoidGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewSigmoidGrad(Go, l[0], l[1], l[2])) }, nil},
		{"NewSiLUGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewSiLUGrad(Go, l[0], l[1], l[2])) }, nil},
		{"NewGeluGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewGeluGrad(Go, l[0], l[1], l[2])) }, nil},
		{"NewGeluTanhGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewGeluTanhGrad(Go, l[0], l[1], l[2])) }, nil},
		{"NewHardSigmoidGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewHardSigmoidGrad(Go, l[0], l[1], l[2], 1, 0)) }, nil},
		{"NewHardSwishGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewHardSwishGrad(Go, l[0], l[1], l[2])) }, nil},
		{"NewEluGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewEluGrad(Go, l[0], l[1], l[2], 1, 1, 1)) }, nil},
		{"NewSoftsignGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewSoftsignGrad(Go, l[0], l[1], l[2])) }, nil},
		{"NewMishGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewMishGrad(Go, l[0], l[1], l[2])) }, nil},
		{"NewLayerNormGradX", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewLayerNormGradX(Go, l[0], l[1], l[2], 0)) }, nil},
		{"NewGroupNormGradX", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewGroupNormGradX(Go, l[0], l[1], l[2])) }, nil},
		{"NewBatchNormGradX", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewBatchNormGradX(Go, l[0], l[1], l[2], 0)) }, nil},
		{"NewMaxPoolGrad", []Layout{image, image, image}, func(l []Layout) error { return errorOf(NewMaxPoolGrad(Go, pool, l[0], l[1], l[2], 0)) }, nil},

		// A matrix may have any number of rows, one for every image.
		{"NewScale", []Layout{image, pixel, image}, func(l []Layout) error { return errorOf(NewScale(Go, l[0], l[1], l[2])) }, []string{"1 width"}},
		{"NewPixelSum", []Layout{image, pixel}, func(l []Layout) error { return errorOf(NewPixelSum(Go, l[0], l[1])) }, []string{"0 height", "0 width", "1 width"}},
		{"NewPixelDot", []Layout{image, image, pixel}, func(l []Layout) error { return errorOf(NewPixelDot(Go, l[0], l[1], l[2])) }, []string{"2 width"}},
		{"NewGlobalAveragePool", []Layout{image, rows}, func(l []Layout) error { return errorOf(NewGlobalAveragePool(Go, l[0], l[1])) }, []string{"0 height", "0 width", "1 width"}},
		{"NewGlobalAveragePoolGrad", []Layout{rows, image}, func(l []Layout) error { return errorOf(NewGlobalAveragePoolGrad(Go, l[0], l[1])) }, []string{"0 width", "1 height", "1 width"}},
		{"NewSoftmax", []Layout{rows, rows}, func(l []Layout) error { return errorOf(NewSoftmax(l[0], l[1])) }, []string{"0 width", "1 width"}},
		{"NewFlatten", []Layout{image, Matrix(2, 480)}, func(l []Layout) error { return errorOf(NewFlatten(l[0], l[1])) }, []string{"1 width"}},
		{"NewFlattenGrad", []Layout{Matrix(2, 480), image}, func(l []Layout) error { return errorOf(NewFlattenGrad(l[0], l[1])) }, []string{"0 width"}},
		{"NewGroupNormReduce", []Layout{image, rows}, func(l []Layout) error { return errorOf(NewGroupNormReduce(l[0], l[1])) }, []string{"0 height", "0 width"}},
		{"NewResponseNorm", []Layout{rows}, func(l []Layout) error { return errorOf(NewResponseNorm(l[0], 0)) }, []string{"0 channels", "0 width"}},
		{"NewResponseNormGrad", []Layout{rows}, func(l []Layout) error { return errorOf(NewResponseNormGrad(l[0], 0)) }, []string{"0 channels", "0 width"}},
		{"NewUnpackRows", []Layout{rows}, func(l []Layout) error { return errorOf(NewUnpackRows(l[0])) }, []string{"0 channels", "0 width"}},
		{"NewPackRows", []Layout{rows}, func(l []Layout) error { return errorOf(NewPackRows(l[0])) }, []string{"0 channels", "0 width"}},

		{"NewChannelSum", []Layout{image}, func(l []Layout) error { return errorOf(NewChannelSum(Go, l[0])) }, alone},
		{"NewBatchStats", []Layout{image}, func(l []Layout) error { return errorOf(NewBatchStats(Go, l[0])) }, alone},
		{"NewBatchStatsFinish", []Layout{image}, func(l []Layout) error { return errorOf(NewBatchStatsFinish(l[0], 0, 0)) }, alone},
		{"NewBatchNormScale", []Layout{image}, func(l []Layout) error { return errorOf(NewBatchNormScale(l[0], 0)) }, alone},
		{"NewBatchNormGradFinish", []Layout{image}, func(l []Layout) error { return errorOf(NewBatchNormGradFinish(l[0], 0, false)) }, alone},
		{"NewGroupNormFinish", []Layout{image}, func(l []Layout) error { return errorOf(NewGroupNormFinish(l[0], 1, 0)) }, alone},
		{"NewGroupNormGradFinish", []Layout{image}, func(l []Layout) error { return errorOf(NewGroupNormGradFinish(l[0], 1)) }, alone},
		{"NewPackInput", []Layout{image}, func(l []Layout) error { return errorOf(NewPackInput(Go, l[0], nil, nil)) }, append(alone, "0 pixels")},
	}
	for i, c := range list {
		if c.layouts == nil {
			list[i].layouts = []Layout{image, image}
		}
	}
	return list
}

// TestMisfitsAreRefused: layouts that fit are taken; an empty one in their place, or one that is not in blocks or differs in channels,
// height or width, is not. Whatever is taken will be read and written by its figures.
func TestMisfitsAreRefused(t *testing.T) {
	for _, c := range fittings() {
		if err := c.make(c.layouts); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for i, l := range c.layouts {
			for what, misfit := range map[string]Layout{
				" nothing":  {},
				" empty":    Blocked(l.C, l.H, 0, l.Halo),
				" pixels":   Pixels(l.C, l.H, l.W, l.Halo),
				" channels": Blocked(l.C+Lanes, l.H, l.W, l.Halo),
				" height":   Blocked(l.C, l.H+1, l.W, l.Halo),
				" width":    Blocked(l.C, l.H, l.W+1, l.Halo),
			} {
				what = string(rune('0'+i)) + what
				layouts := slices.Clone(c.layouts)
				layouts[i] = misfit
				if err := c.make(layouts); (err == nil) != slices.Contains(c.takes, what) {
					t.Errorf("%s, layout %s: %v", c.name, what, err)
				}
			}
		}
	}
}

// TestEveryConstructorIsTried: the constructors with layouts that can fail are those that TestMisfitsAreRefused tries.
func TestEveryConstructorIsTried(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range fittings() {
		tried[c.name] = true
	}
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
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "New") || f.Type.Results.NumFields() < 2 {
				continue
			}
			layouts := slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
				id, ok := p.Type.(*ast.Ident)
				return ok && id.Name == "Layout"
			})
			if layouts && !tried[f.Name.Name] {
				t.Errorf("%s: not tried", f.Name.Name)
			}
		}
	}
}

func upTo(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}
