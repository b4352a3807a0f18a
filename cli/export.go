package cli

import (
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"regraft/atomicfile"
	"regraft/onnx"
)

func exportCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "export",
		Usage:       "write a model for other programs (ONNX Runtime, OpenVINO, ...)",
		ArgsUsage:   "MODEL --out OUT.onnx",
		Description: "regraft export runs/places/best.onnx --out places.onnx --opset 13",
		Flags: []urfave.Flag{
			modelFlag(), outFlag("`FILE` to write (ONNX)"),
			oneOf("form", "eval", "eval: BatchNorm folded, main output only; train: everything kept", []string{"eval", "train"}),
			intFlag("opset", 17, onnx.OldestExport, fmt.Sprintf("ONNX operator set, `N` from %d to %d", onnx.OldestExport, onnx.NewestExport)),
			boolFlag("fp16", "store weights as float16: half the size, computed in float32"),
			sizeFlag("the model's"),
		},
		Action: func(c *urfave.Context) error { return export(con, c) },
	}
}

func export(con *console, c *urfave.Context) error {
	path, rest, err := modelArgument(c)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("one model at a time, not %q as well", rest[0])
	}
	out, err := required(c, "out")
	if err != nil {
		return err
	}
	if atomicfile.Same(path, out) {
		return usagef("--out is the model itself: exporting may drop what training needs, so choose another file")
	}
	opset := c.Int("opset")
	if opset > onnx.NewestExport {
		return usagef("--opset must be at most %d, not %d", onnx.NewestExport, opset)
	}
	net, info, err := onnx.Read(path, onnx.ReadOptions{Size: inputSize(c)})
	if err != nil {
		return fail(statusModel, err)
	}
	train := c.String("form") == "train"
	if train && info.BatchNorm == onnx.Folded {
		con.warnf("%s has its BatchNorm folded already: the training form cannot have it back", shown(path))
	}
	o := onnx.ExportOptions{Training: train, Opset: opset, Half: c.Bool("fp16")}
	if err := onnx.Export(out, net, o); err != nil {
		return err
	}
	con.printf("%s\n", shown(out))
	return nil
}
