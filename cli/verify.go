package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"text/tabwriter"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/measure"
	"regraft/onnx"
)

func verifyCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "verify",
		Usage:       "compare a model's outputs with stored ones",
		ArgsUsage:   "MODEL --against REF.npz",
		Description: "regraft verify inception_v3.onnx --against reference.npz",
		Flags: []urfave.Flag{
			modelFlag(),
			stringFlag("against", "", "`REF.npz` with the array input and ort_0, ort_1, ... or torch_eval_0, ..."),
			floatFlag("tolerance", 0, 0, math.MaxFloat64, "largest error, relative to the output's largest value (default: 1e-4, of float16 files 1e-2)"),
			boolFlag("layers", "name the first layer that departs; REF.npz holds them (make_reference.py --layers)"),
			jsonFlag(), threadsFlag(), algorithmFlag(),
		},
		Action: func(c *urfave.Context) error { return verify(con, c) },
	}
}

func verify(con *console, c *urfave.Context) error {
	path, rest, err := modelArgument(c)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("one model at a time, not %q as well", rest[0])
	}
	against, err := required(c, "against")
	if err != nil {
		return err
	}
	_, info, err := onnx.Read(path, onnx.ReadOptions{})
	// A file that leaves the image size open is read again when the reference has settled it.
	if err != nil && (!errors.Is(err, onnx.ErrUnsupported) || len(info.Inputs) == 0) {
		return fail(statusModel, err)
	}
	if c.Bool("layers") && training(info) {
		return failf(statusModel, "%s: --layers needs a model in inference form: regraft export MODEL --out OUT.onnx", path)
	}
	ref, err := openReference(against)
	if err != nil {
		return fail(statusData, err)
	}
	defer ref.close()
	report, err := compareWith(con, c, path, info, ref)
	if err != nil {
		return err
	}
	return printVerify(con, c.Bool("json"), report)
}

type verifyJSON struct {
	Schema    string         `json:"schema"`
	Outputs   []outputParity `json:"outputs"`
	Tolerance float64        `json:"tolerance"`
	OK        bool           `json:"ok"`
	// Layers is there with --layers.
	Layers *layersParity `json:"layers,omitempty"`
}

// outputParity is how far an output is from its reference.
type outputParity struct {
	Name        string  `json:"name"`
	MaxAbsError float64 `json:"max_abs_error"`
	MaxAbs      float64 `json:"max_abs"`
	Relative    float64 `json:"relative"`
	Top1        float64 `json:"top1_agreement"`
	// WorstInput is the index of the input with the largest error.
	WorstInput int `json:"worst_input"`
}

func compareWith(con *console, c *urfave.Context, path string, info *onnx.Info, ref *reference) (*verifyJSON, error) {
	input, err := ref.input(info)
	if err != nil {
		return nil, fail(statusData, err)
	}
	opts, err := modelOptions(c)
	if err != nil {
		return nil, err
	}
	m, err := regraft.Open(path, append(opts, regraft.InputSize(input.shape[2], input.shape[3]))...)
	if err != nil {
		return nil, fail(statusModel, err)
	}
	defer m.Close()
	names := ref.outputs(info)
	network := measured(c, m)
	network.Batch = input.shape[0]
	outputs, err := evaluate(con, network, m.Info(), input, names[0])
	if err != nil {
		return nil, fail(statusModel, err)
	}
	report := &verifyJSON{Schema: "regraft/verify/1", Tolerance: tolerance(c, m.Info()), OK: true}
	for i, name := range names {
		if name == "" {
			continue
		}
		out := info.Outputs[i]
		if out.LeftOut {
			continue
		}
		computed := cmp.Or(out.Scores, out.Name)
		at := slices.IndexFunc(outputs, func(o measure.Matrix) bool { return o.Name == computed })
		if at < 0 {
			return nil, failf(statusModel, "%s: output %q is not computed", path, out.Name)
		}
		want, err := ref.array(name)
		if err != nil {
			return nil, fail(statusData, err)
		}
		if out.Layout == onnx.NHWC && len(want.shape) == 4 {
			want = planar(want)
		}
		var parity outputParity
		switch got := outputs[at]; {
		case out.Scores != "" && want.integers && len(want.values) == got.Rows:
			parity = compareChoice(got, want)
		case out.Scores != "" && len(want.values) != len(got.Values):
			con.notef("output %q is made of the scores %q in a way that is not compared", out.Name, out.Scores)
			continue
		default:
			if parity, err = compare(got, want); err != nil {
				return nil, err
			}
		}
		parity.Name = out.Name
		report.Outputs = append(report.Outputs, parity)
		report.OK = report.OK && parity.Relative <= report.Tolerance
	}
	if len(report.Outputs) == 0 {
		return nil, failf(statusData, "%s holds no outputs: neither ort_0 nor torch_eval_0 nor %q", ref.path, info.Outputs[0].Name)
	}
	if c.Bool("layers") {
		report.Layers, err = compareLayers(network, input, ref, report.Tolerance)
	}
	return report, err
}

// tolerance is the flag's, or what the file's arithmetic allows: ONNX Runtime rounds what a file of halves computes.
func tolerance(c *urfave.Context, info *onnx.Info) float64 {
	switch {
	case c.IsSet("tolerance"):
		return c.Float64("tolerance")
	case info.Half:
		return 1e-2
	}
	return 1e-4
}

// input is the array "input", or the one named as the graph's input, as (N, C, H, W).
func (r *reference) input(info *onnx.Info) (array, error) {
	for _, name := range []string{info.Image.Name, "input"} {
		if !r.has(name) {
			continue
		}
		a, err := r.array(name)
		if err != nil {
			return a, err
		}
		if len(a.shape) == 4 && channelsLast(a.shape, info) {
			a = planar(a)
		}
		if len(a.shape) != 4 || len(a.values) == 0 {
			return a, fmt.Errorf("%s: %q has shape %v: images (N, C, H, W) are needed", r.path, name, a.shape)
		}
		return a, nil
	}
	return array{}, fmt.Errorf("%s holds neither %q nor \"input\"", r.path, info.Image.Name)
}

// channelsLast tells whether images of that shape are (N, H, W, C): by their number of channels, or else by the file's layout.
func channelsLast(shape []int, info *onnx.Info) bool {
	c := info.Image.Channels
	if first, last := shape[1] == c, shape[3] == c; first != last {
		return last
	}
	return info.Layout == onnx.NHWC
}

// planar turns (N, H, W, C) into (N, C, H, W).
func planar(a array) array {
	n, h, w, c := a.shape[0], a.shape[1], a.shape[2], a.shape[3]
	p := array{shape: []int{n, c, h, w}, values: make([]float32, len(a.values))}
	for i := range n {
		for px := range h * w {
			for ch := range c {
				p.values[(i*c+ch)*h*w+px] = a.values[(i*h*w+px)*c+ch]
			}
		}
	}
	return p
}

// training says that the file holds the network in training form. ONNX Runtime runs such a file as
// it is, with the statistics of the batch, and the export itself has moved the running statistics,
// so that PyTorch's training mode is what it can be compared with.
func training(info *onnx.Info) bool { return info.Dialect == onnx.TorchScriptTrain }

// outputs names the array for each output of the graph, "" where there is none.
func (r *reference) outputs(info *onnx.Info) []string {
	families := []string{"ort_", "torch_eval_"}
	if training(info) {
		families = []string{"ort_", "torch_train_", "torch_eval_"}
	}
	names := make([]string, len(info.Outputs))
	for _, family := range families {
		for i := range names {
			if name := fmt.Sprintf("%s%d", family, i); r.has(name) {
				names[i] = name
			}
		}
		if names[0] != "" {
			return names
		}
	}
	for i, o := range info.Outputs {
		if r.has(o.Name) {
			names[i] = o.Name
		}
	}
	return names
}

// evaluate runs the input through the network in the form that the reference is of.
func evaluate(con *console, m *measure.Model, info *onnx.Info, input array, reference string) ([]measure.Matrix, error) {
	if training(info) && (reference == "ort_0" || reference == "torch_train_0") {
		con.notef("a training export: compared with %s in training form, with the statistics of the batch", reference)
		return m.TrainingOutputs(input.values, input.shape[0])
	}
	return m.Outputs(input.values, input.shape[0])
}

func compare(got measure.Matrix, want array) (outputParity, error) {
	p := outputParity{Name: got.Name}
	oneRow := got.Rows == 1 && len(want.shape) == 1 && want.shape[0] == got.Cols // the file squeezes a batch of one away
	if len(want.shape) == 0 || want.shape[0] != got.Rows && !oneRow || len(want.values) != len(got.Values) {
		return p, failf(statusData, "output %q is (%d, %d), its reference %v", got.Name, got.Rows, got.Cols, want.shape)
	}
	agree := 0
	for row := range got.Rows {
		g, w := got.Row(row), want.values[row*got.Cols:(row+1)*got.Cols]
		for i := range g {
			e := math.Abs(float64(g[i]) - float64(w[i]))
			if math.IsNaN(e) || math.IsInf(e, 0) {
				return p, failf(statusParity, "output %q: input %d gives %g where the reference has %g", got.Name, row, g[i], w[i])
			}
			if e > p.MaxAbsError {
				p.MaxAbsError, p.WorstInput = e, row
			}
			p.MaxAbs = max(p.MaxAbs, math.Abs(float64(w[i])))
		}
		if argmax(g) == argmax(w) {
			agree++
		}
	}
	if p.MaxAbsError > 0 {
		p.Relative = p.MaxAbsError / max(p.MaxAbs, math.SmallestNonzeroFloat32)
	}
	p.Top1 = float64(agree) / float64(got.Rows)
	return p, nil
}

// compareChoice compares the index of the largest score with what ArgMax gave: the error is the share of photos that differ.
func compareChoice(got measure.Matrix, want array) outputParity {
	p := outputParity{Name: got.Name, MaxAbs: float64(got.Cols - 1), WorstInput: -1}
	agree := 0
	for row, index := range want.values {
		if float64(argmax(got.Row(row))) == float64(index) {
			agree++
		} else if p.WorstInput < 0 {
			p.WorstInput = row
		}
	}
	p.WorstInput = max(p.WorstInput, 0)
	p.Top1 = float64(agree) / float64(got.Rows)
	p.MaxAbsError, p.Relative = 1-p.Top1, 1-p.Top1
	return p
}

func argmax(values []float32) int { return slices.Index(values, slices.Max(values)) }

func printVerify(con *console, asJSON bool, r *verifyJSON) error {
	if asJSON {
		if err := con.json(r); err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "output\tmax abs error\tmax abs\trelative\ttop-1 agreement\tworst input")
		for _, o := range r.Outputs {
			fmt.Fprintf(w, "%s\t%.2e\t%.4g\t%.2e\t%.1f %%\t%d\n", o.Name, o.MaxAbsError, o.MaxAbs, o.Relative, 100*o.Top1, o.WorstInput)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if r.Layers != nil {
			fmt.Fprintln(con.out, r.Layers)
			if r.OK && r.Layers.Departs != nil {
				fmt.Fprintln(con.out, "The outputs agree all the same: the reference is of another form of the model.")
			}
		}
	}
	if !r.OK {
		return failf(statusParity, "parity not reached: an error is above %g of the output's largest value", r.Tolerance)
	}
	return nil
}
