package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/head"
	"regraft/measure"
	"regraft/onnx"
	"regraft/photo"
	"regraft/train"
)

func inspectCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "inspect",
		Usage:       "tell what a model file is and what can be done with it",
		ArgsUsage:   "MODEL",
		Description: "regraft inspect inception_v3.onnx",
		Flags: []urfave.Flag{
			modelFlag(), jsonFlag(),
			newPlanFlag(),
			headFlag(), poolFlag(), batchFlag(1), sizeFlag("the model's"), algorithmFlag(),
		},
		Action: func(c *urfave.Context) error { return inspect(con, c) },
	}
}

func inspect(con *console, c *urfave.Context) error {
	path, rest, err := modelArgument(c)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("one model at a time, not %q as well", rest[0])
	}
	plan, stage, err := stageOf(c)
	switch {
	case err != nil:
	case !plan:
		err = idle(c, "without --plan", "batch-size", "algorithm")
	case stage != "" && stage != trainingStage:
		err = idle(c, "with --plan=after:"+stage, "json")
	}
	if err != nil {
		return err
	}
	opts, err := modelOptions(c)
	if err != nil {
		return err
	}
	m, err := regraft.Open(path, append(pooledByDefault(c), opts...)...)
	if err != nil {
		return inspectRefused(con, c, path, err)
	}
	defer m.Close()
	if plan {
		return printPlan(con, c, measured(c, m), stage)
	}
	view, err := describe(m)
	if err != nil {
		return fail(statusModel, err)
	}
	return printInspect(con, c.Bool("json"), view)
}

// inspectRefused tells what is known of a file that could be parsed but not imported; cause is why.
func inspectRefused(con *console, c *urfave.Context, path string, cause error) error {
	if errors.Is(cause, onnx.ErrUnsupported) {
		_, info, _ := onnx.Read(path, onnx.ReadOptions{Size: inputSize(c)})
		if err := printInspect(con, c.Bool("json"), inspectJSON{Schema: inspectSchema, Info: info, Heads: []inspectHead{}}); err != nil {
			return err
		}
	}
	return fail(statusModel, cause)
}

const inspectSchema = "regraft/inspect/1"

type inspectJSON struct {
	Schema string `json:"schema"`
	*onnx.Info
	MACs       int           `json:"macs"`
	Heads      []inspectHead `json:"heads"`
	Labels     []string      `json:"labels"`
	Preprocess any           `json:"preprocess"`
	Arch       string        `json:"arch"`
	Epochs     int           `json:"epochs_trained"`
	// Probabilities says how the scores become probabilities: softmax, sigmoid, given (as they are), none (features).
	Probabilities head.Meaning `json:"probabilities"`
	// Distance is what the file says of pictures of something else; absent where it says nothing.
	Distance *train.DistanceSummary `json:"distance,omitempty"`
	// Training says why heads alone, or everything, cannot be trained; null where they can.
	Training inspectTraining `json:"training"`

	prepare photo.Preprocess
	told    bool   // prepare is the file's
	means   string // what the scores are, in words
	pooled  string // what the features are made of, in words
}

type inspectTraining struct {
	Heads *string `json:"heads"`
	Full  *string `json:"full"`
}

type inspectHead struct {
	Name     string    `json:"name"`
	Kind     head.Kind `json:"kind"`
	Classes  int       `json:"classes"`
	Features int       `json:"features"`
	Node     string    `json:"node"`
}

func describe(m *regraft.Model) (inspectJSON, error) {
	view := inspectJSON{Schema: inspectSchema, Info: m.Info(), Heads: []inspectHead{}}
	var err error
	if view.MACs, err = measure.New(m.Network(), measure.Options{}).MACs(); err != nil {
		return view, err
	}
	net := m.Network()
	if m.Labelled() {
		view.Labels = net.Meta.Labels
	}
	view.prepare, view.told = m.Preprocess(), !m.Assumed()
	if view.told {
		view.Preprocess = net.Meta.Preprocess
	}
	view.Arch, view.Epochs = net.Meta.Arch, len(net.Meta.History)
	heads, _ := m.Heads() // those between which --head chooses come with an error
	for _, h := range heads {
		view.Heads = append(view.Heads, inspectHead{h.Name(), h.Kind, h.Classes, h.Features, net.Label(h.Node)})
	}
	view.pooled = m.Pooled()
	view.answers(m)
	if d, err := train.DistanceOf(net); err == nil { // else answers has said so
		view.Distance = d.Summary()
	}
	view.training(m)
	return view, nil
}

// answers adds what the model's answers mean.
func (v *inspectJSON) answers(m *regraft.Model) {
	a, err := m.Answers()
	if err != nil { // not what makes a file unreadable
		v.Probabilities, v.means = head.NoScores, "none: "+err.Error()
		return
	}
	v.Probabilities, v.means = a.Meaning, a.Words()
	v.Warnings = append(v.Warnings, a.Assumed...)
}

// training adds what can be trained. Where nothing can, advice on how to train is none.
func (v *inspectJSON) training(m *regraft.Model) {
	reason := func(err error) *string {
		if err == nil {
			return nil
		}
		return new(err.Error())
	}
	heads, full := train.Trainable(m.Network())
	v.Training = inspectTraining{reason(heads), reason(full)}
	if heads != nil {
		info := *v.Info
		info.Advice = nil
		v.Info = &info
	}
}

// line says what train would do.
func (t inspectTraining) line() string {
	switch {
	case t.Heads != nil:
		return "not possible: " + *t.Heads
	case t.Full != nil:
		return "--mode heads; not --mode full: " + *t.Full
	}
	return "--mode heads, --mode full"
}

func printInspect(con *console, asJSON bool, v inspectJSON) error {
	if asJSON {
		for _, list := range []*[]string{&v.Warnings, &v.Advice} {
			*list = append([]string{}, *list...) // [] instead of null
		}
		v.Unsupported = append([]onnx.Unsupported{}, v.Unsupported...)
		return con.json(v)
	}
	row := func(name, format string, args ...any) {
		con.printf("%-12s%s\n", name, fmt.Sprintf(format, args...))
	}
	row("file", "%s: ONNX IR %d, opset %d, by %s", shown(v.File), v.IRVersion, v.Opset, shown(v.Producer))
	row("dialect", "%s", v.Dialect)
	for _, in := range v.Inputs {
		row("input", "%s", shape(in))
	}
	for _, out := range v.Outputs {
		row("output", "%s", shape(out))
	}
	row("operators", "%s", counts(v.Operators))
	if len(v.Unsupported) > 0 {
		return nil // the error lists them; nothing more is known
	}
	row("size", "%.2f million parameters, %.2f billion multiply-adds per photo", float64(v.Parameters)/1e6, float64(v.MACs)/1e9)
	for _, h := range v.Heads {
		row(string(h.Kind)+" head", "%s: %s -> %s (node %s)", h.Name, counted(h.Features, "feature"), photo.Count(h.Classes, "class", "classes"), shown(h.Node))
	}
	if len(v.Constants) > 0 {
		row("constants", "%s: never trained", constantsLine(v.Constants))
	}
	if v.pooled != "" {
		row("features", "%s (--pool)", shown(v.pooled))
	}
	row("answers", "%s", shown(v.means))
	if v.Distance != nil {
		row("distance", "%v", v.Distance)
	}
	row("training", "%s", shown(v.Training.line()))
	row("batchnorm", "%s", v.BatchNorm)
	row("labels", "%s", labelsLine(v.Labels))
	row("image", "%s", imageLine(v.Info))
	row("preprocess", "%s", preprocessLine(v.prepare, v.told))
	if v.Epochs > 0 {
		row("trained", "%s by regraft", counted(v.Epochs, "epoch"))
	}
	for _, w := range v.Warnings {
		row("warning", "%s", shown(w))
	}
	for _, a := range v.Advice {
		row("advice", "%s", a)
	}
	return nil
}

// shape is "name float32 N x 3 x 299 x 299".
func shape(v onnx.ValueInfo) string {
	dims := make([]string, len(v.Shape))
	for i, d := range v.Shape {
		dims[i] = d.String()
	}
	return shown(fmt.Sprintf("%s  %s  %s", v.Name, v.DType, strings.Join(dims, " x ")))
}

// counts lists operators, the most frequent first.
func counts(operators map[string]int) string {
	names := slices.SortedFunc(maps.Keys(operators), func(a, b string) int {
		if d := operators[b] - operators[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for i, n := range names {
		names[i] = fmt.Sprintf("%s %d", shown(n), operators[n])
	}
	return strings.Join(names, ", ")
}

// constantsLine names the first few.
func constantsLine(list []onnx.Constant) string {
	const most = 5
	var parts []string
	for _, k := range list[:min(len(list), most)] {
		parts = append(parts, fmt.Sprintf("%s %v", k.Name, k.Shape))
	}
	if n := len(list); n > most {
		parts = append(parts, fmt.Sprintf("and %d more", n-most))
	}
	return shown(strings.Join(parts, ", "))
}

func labelsLine(labels []string) string {
	const most = 12
	switch n := len(labels); {
	case n == 0:
		return "none: class_0, class_1, ..."
	case n > most:
		return fmt.Sprintf("%d: %s, ...", n, strings.Join(photo.ShownAll(labels[:most]), ", "))
	}
	return strings.Join(photo.ShownAll(labels), ", ")
}

// imageLine is what the network takes, and what became of the file's own form of it.
func imageLine(info *onnx.Info) string {
	line := fmt.Sprintf("%s, %d x %d pixels (height x width)", counted(info.Image.Channels, "channel"), info.Image.Height, info.Image.Width)
	if info.Image.Channels == 1 {
		line = strings.Replace(line, "1 channel", "1 channel (grey)", 1)
	}
	if info.Layout == onnx.NHWC {
		line += ", channels last in the file"
	}
	switch {
	case info.Half:
		line += ", float16 in the file, computed in float32"
	case info.Image.DType == "uint8":
		line += ", uint8: pixels as they are"
	}
	return line
}

// preprocessLine is how photos are prepared; told tells that the file says so.
func preprocessLine(p photo.Preprocess, told bool) string {
	if !told {
		return fmt.Sprintf("not in the file: %s are assumed (--mean, --std)", p.Scaling())
	}
	line := fmt.Sprintf("%s to %v pixels, %s, %s, ", p.Resize, p.Size, p.Resample, p.Channels)
	if p.Decode == photo.Fast {
		line += "decoded fast, "
	}
	if p.Plain() {
		return line + p.Scaling()
	}
	return line + fmt.Sprintf("mean %v, std %v", p.Mean[:p.Depth()], p.Std[:p.Depth()])
}
