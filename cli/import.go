package cli

import (
	"os"
	"path/filepath"

	urfave "github.com/urfave/cli/v2"

	"regraft/onnx"
	"regraft/photo"
	"regraft/weights"
)

func importCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "import",
		Usage:       "make one training-ready ONNX file of any weights",
		ArgsUsage:   "SOURCE --out M.onnx",
		Description: "regraft import inception_v3_google-0cc3c7bd.pth --out inception_v3.onnx",
		Flags: []urfave.Flag{
			outFlag("`FILE` to write (ONNX)"),
			oneOf("arch", "", "the architecture, where the tensors' names do not decide it (or differ in width)", append([]string{""}, weights.Families()...)),
			stringFlag("weights", "", "ema (averaged, the default), raw or the start of their `NAMES`, where there are several"),
			stringFlag("labels", "", "`FILE` with the class names in order: a line each, or a JSON list"),
			sizeFlag("the architecture's"),
			oneOf("resize", "", "squash, crop or letterbox (default: the weights' own)", photo.ResizeRules),
			oneOf("resample", "", "bilinear or bicubic (Pillow's), nfnt-bilinear, nfnt-bicubic, nfnt-lanczos3", photo.Resamplings),
			channelsFlag("the weights' own"), meanFlag("the weights' own"), stdFlag("the weights' own"),
			boolFlag("transform-input", "the network turns ImageNet's mean and std into 0.5 (default: the weights' own)"),
			jsonFlag(),
		},
		Action: func(c *urfave.Context) error { return importWeights(con, c) },
	}
}

func outFlag(usage string) urfave.Flag { return stringFlag("out", "", usage, "output", "o") }

func importWeights(con *console, c *urfave.Context) error {
	if c.NArg() != 1 {
		return usagef("which source? regraft import SOURCE --out M.onnx: a .pth, .safetensors or .onnx file, or a name from regraft weights list")
	}
	out, err := required(c, "out")
	if err != nil {
		return err
	}
	options, err := importOptions(c)
	if err != nil {
		return err
	}
	source, err := sourceFile(c.Args().First())
	if err != nil {
		return fail(statusModel, err)
	}
	imported, err := weights.Import(source, options)
	if err != nil {
		return fail(statusModel, err)
	}
	for _, note := range imported.Notes {
		con.notef("%s", shown(note))
	}
	if err := onnx.Write(out, imported.Net); err != nil {
		return err
	}
	return printImport(con, c.Bool("json"), out, imported)
}

func importOptions(c *urfave.Context) (weights.Options, error) {
	o := weights.Options{Arch: c.String("arch"), Weights: c.String("weights"), Size: inputSize(c)}
	var err error
	if o.Preprocess, err = preprocessing(c); err != nil {
		return o, err
	}
	if c.IsSet("transform-input") {
		v := c.Bool("transform-input")
		o.TransformInput = &v
	}
	if path := c.String("labels"); path != "" {
		if o.Labels, err = weights.ReadLabels(path); err != nil {
			return o, fail(statusData, err)
		}
	}
	return o, nil
}

// sourceFile is the path of what the user calls source: a file, or weights that were pulled.
func sourceFile(source string) (string, error) {
	if _, err := os.Stat(source); err == nil {
		return source, nil
	}
	known := weights.FindSource(source)
	if known == nil {
		return "", failf(statusModel, "%s is neither a file nor a name from regraft weights list", shown(source))
	}
	dir, err := weights.CacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, known.File())
	if _, err := os.Stat(path); err != nil {
		return "", failf(statusModel, "%s is not downloaded yet: regraft weights pull %s", known.File(), known.Name)
	}
	return path, nil
}

type importJSON struct {
	Schema     string   `json:"schema"`
	Out        string   `json:"out"`
	Format     string   `json:"format"`
	Arch       string   `json:"arch"`
	Classes    int      `json:"classes"`
	Outputs    int      `json:"outputs"`
	Parameters int      `json:"parameters"`
	Labels     bool     `json:"labels"`
	Preprocess any      `json:"preprocess"`
	Missing    []string `json:"missing"`
	Unexpected []string `json:"unexpected"`
	Notes      []string `json:"notes"`
}

func printImport(con *console, asJSON bool, out string, i *weights.Imported) error {
	v := importJSON{
		Schema: "regraft/import/1", Out: out, Format: i.Format, Arch: i.Net.Meta.Arch, Classes: i.Classes(), Outputs: len(i.Net.Outputs),
		Labels: i.Net.Meta.Labels != nil, Missing: []string{}, Unexpected: []string{}, Notes: append([]string{}, i.Notes...),
	}
	for _, p := range i.Net.Params {
		if p.Trainable() {
			v.Parameters += len(p.Value)
		}
	}
	if i.Net.Meta.Preprocess != nil {
		v.Preprocess = i.Net.Meta.Preprocess
	}
	if i.Match != nil {
		v.Missing, v.Unexpected = append(v.Missing, i.Match.Missing...), append(v.Unexpected, i.Match.Unexpected...)
	}
	if asJSON {
		return con.json(v)
	}
	arch := v.Arch
	if arch == "" {
		arch = "a network"
	}
	con.printf("%s: %s from %s, %.2f million parameters, %s, %s\n", shown(out), shown(arch), v.Format, float64(v.Parameters)/1e6, photo.Count(v.Classes, "class", "classes"), counted(v.Outputs, "output"))
	return nil
}
