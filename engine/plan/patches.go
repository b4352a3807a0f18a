package plan

import (
	"fmt"

	"regraft/engine/kernel"
)

// patched is for convolutions whose windows do not meet, as transformers begin with: products over the windows' pixels.
var patched = &algorithm{
	epilogue: direct.epilogue,
	pixels:   func(*convolution, kernel.Layout) bool { return true },
	packing:  patchPacking,
	forward:  (*emitter).patched,
	gradX:    (*emitter).patchedGradX,
	gradW:    (*emitter).patchedGradW,
}

func (e *emitter) patched(i *instr, c *convolution) error {
	patches, l, err := e.gatherPatches(i, c)
	if err != nil {
		return err
	}
	prim, err := kernel.NewConv(e.g.opt.ISA, c.shape.Patches(), l, i.out.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	return e.forward(i, c, prim, 0, patches)
}

func (e *emitter) patchedGradX(i *instr, c *convolution) error {
	dy, dx, s := i.in[1], i.out, c.shape.Patches()
	turned := e.turned(i, kernel.NewTransposeWeights(e.g.opt.ISA, s), e.weights(i, c.packed(0)), kernel.PackedLen(s))
	patches, l := e.patches(i, c, dx)
	prim, err := kernel.NewConvGradX(e.g.opt.ISA, s, dy.images(), l, 0)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, 0, []*value{patches}, dy, turned, e.zero(s.Cin), patches).step.Flops = s.Flops()
	back, err := kernel.NewScatterPatches(c.shape, l, dx.images(), i.flags())
	return e.primitive(&instr{node: i.node, op: planned("ScatterPatches"), out: dx}, back, err, 0, patches, dx)
}

func (e *emitter) patchedGradW(i *instr, c *convolution) error {
	dy, s := i.in[1], c.shape.Patches()
	patches, l, err := e.gatherPatches(i, c)
	if err != nil {
		return err
	}
	prim, err := kernel.NewConvGradW(e.g.opt.ISA, s, l, dy.images())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, 0, []*value{i.out}, patches, dy, i.out).step.Flops = s.Flops()
	return nil
}

// patches is memory for the patches of as many images as x are.
func (e *emitter) patches(i *instr, c *convolution, x *value) (*value, kernel.Layout) {
	s := c.shape.Patches()
	l := kernel.Blocked(s.Cin, s.H, s.W, 0)
	return e.temporary(i.node+" patches", l.Len(x.shape[0])), l
}

// gatherPatches emits the step that makes the patches of i's first operand.
func (e *emitter) gatherPatches(i *instr, c *convolution) (*value, kernel.Layout, error) {
	x := i.in[0]
	patches, l := e.patches(i, c, x)
	prim, err := kernel.NewGatherPatches(c.shape, x.images(), l)
	if err != nil {
		return nil, l, fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(&instr{node: i.node, op: planned("GatherPatches"), in: []*value{x}}, prim, 0, []*value{patches}, x, patches)
	return patches, l, nil
}

func patchPacking(c *convolution) packing {
	s := c.shape
	return packing{
		key:    c.key("patches"),
		length: kernel.PackedLen(s.Patches()),
		pack:   func(dst, src []float32) { kernel.PackPatchWeights(s, dst, src) },
		unpack: func(dst, src []float32) { kernel.UnpackPatchWeights(s, dst, src) },
	}
}
