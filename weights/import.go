package weights

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"regraft/engine"
	"regraft/onnx"
	"regraft/photo"
	"regraft/setting"
)

// Options say what an import cannot find out by itself; the zero value leaves everything to it.
type Options struct {
	// Arch names the family, which also admits other widths and surplus tensors.
	Arch string
	// Weights says which weights to take where the file holds several: Averaged, Raw, or the beginning of their names.
	Weights string
	// Labels are the class names in the order of the outputs.
	Labels []string
	// Preprocess replaces parts of the weights' own preprocessing, and Size, in pixels, that of the input.
	Preprocess photo.Override
	Size       photo.Size
	// TransformInput decides whether torchvision's transform_input is part of the network; nil takes what the
	// weights come from.
	TransformInput *bool
}

// Imported is a network that was made of a file of weights.
type Imported struct {
	Net *engine.Network
	// Format is the file's: pth, legacy pth, safetensors or onnx.
	Format string
	// Match tells how the tensors fitted; nil for ONNX files, which bring their own graph.
	Match *Match
	// Notes are what the user should know: assumptions, outputs that were left out, tensors that were ignored.
	Notes []string

	info *onnx.Info // of the graph
}

func (i *Imported) notef(format string, args ...any) {
	i.Notes = append(i.Notes, fmt.Sprintf(format, args...))
}

// MismatchError: the tensors fit none of the families, or not the one that was named.
type MismatchError struct {
	*Match
	named bool
}

// Error lists what is missing, unexpected and of another shape in the family that fits best, if that has most names in common.
func (e *MismatchError) Error() string {
	if shared := len(e.family.params) - len(e.Missing); !e.named && 2*shared < len(e.tensors) {
		return fmt.Sprintf("the tensors are those of none of the known architectures (%s): %s\n  %d tensors: %s",
			strings.Join(Families(), ", "), e.nextStep(), len(e.tensors), enumerate(slices.Sorted(maps.Keys(e.tensors))))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the tensors do not make %s", e.Family)
	if !e.named {
		fmt.Fprintf(&b, ", which comes nearest of the known architectures (%s)", strings.Join(Families(), ", "))
	}
	for _, part := range []struct {
		what  string
		names []string
	}{{"missing", e.Missing}, {"unexpected", e.Unexpected}, {"of another shape", e.Misshapen}} {
		if len(part.names) > 0 {
			fmt.Fprintf(&b, "\n  %d %s: %s", len(part.names), part.what, enumerate(part.names))
		}
	}
	if len(e.Missing) == 0 && len(e.Unexpected) == 0 {
		fmt.Fprintf(&b, "\n  if it is a %s of other widths: %v %s", e.Family, setting.Arch, e.Family)
	} else {
		fmt.Fprintf(&b, "\n  %s", e.nextStep())
	}
	return b.String()
}

// attention matches tensors of transformers.
var attention = regexp.MustCompile(`(^|[._])(attn|attention|self_attn|qkv|q_proj|relative_position_bias_table)[._]`)

// nextStep says how the network may be brought here all the same.
func (e *MismatchError) nextStep() string {
	for name := range e.tensors {
		if attention.MatchString(name) {
			return "it is a transformer (it has attention layers) of a kind whose weights are not read without their graph; regraft inspect tells what it can do with an ONNX file of it"
		}
	}
	return "export the network from the Python code that made the weights, in a form that can be trained: " + onnx.ExportPreserve
}

// enumerate lists the first names.
func enumerate(names []string) string {
	const most = 12
	text := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}

// Import makes a network of a .pth, .safetensors or ONNX file, in a form that can be trained: BatchNorm with its
// running statistics, auxiliary outputs, Dropout's ratios where the source has them, labels and preprocessing.
func Import(path string, o Options) (*Imported, error) {
	t, err := Open(path)
	if errors.Is(err, errFormat) {
		return importONNX(path, o)
	}
	if err != nil {
		return nil, err
	}
	i, err := importTensors(path, t, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return i, nil
}

func importTensors(path string, t *Tensors, o Options) (*Imported, error) {
	m, err := FindFamily(t, o.Arch, o.Weights)
	if err != nil {
		return nil, err
	}
	tooFew := 2*len(m.Missing) > len(m.family.params) // no auxiliary head has that many
	if tooFew || o.Arch == "" && len(m.Unexpected)+len(m.Misshapen) > 0 {
		return nil, &MismatchError{m, o.Arch != ""}
	}
	i := &Imported{Format: t.Format, Match: m, Notes: m.notes()}
	if len(t.PassedOver) > 0 {
		i.notef("Python objects beside the tensors are passed over, not built: %s", strings.Join(t.PassedOver, ", "))
	}
	from, err := findOrigin(path, m.Family, t.Format, o.Arch != "")
	if err != nil {
		return nil, err
	}
	if m.family.isVit() {
		if err := m.settleVit(&from); err != nil {
			return nil, err
		}
	}
	if m.family.isSwin() {
		if err := m.settleSwin(&from, o.Size); err != nil {
			return nil, err
		}
		if m.windowsAssumed(from.config) {
			i.notef("the tensors fit windows of any size; those of %s have %d tokens a side, which is assumed", m.Family, swinWindows[true])
		}
	}
	size := o.Size
	if size == (photo.Size{}) {
		size = from.preprocess.Size
	}
	var dropped int
	if i.Net, dropped, err = m.network(size); err != nil {
		if len(m.Missing) > 0 {
			return nil, &MismatchError{m, o.Arch != ""}
		}
		return nil, err
	}
	if dropped > 0 {
		i.notef("%d auxiliary outputs are left out: the file has no weights for them", dropped)
	}
	if len(m.Unexpected) > 0 {
		i.notef("%d tensors are ignored: %s", len(m.Unexpected), enumerate(m.Unexpected))
	}
	if len(m.Misshapen) > 0 {
		i.notef("%d tensors have other sizes than %s has: the network is built with theirs", len(m.Misshapen), m.Family)
	}
	if i.Classes() == 0 {
		i.notef("the file has no classifier: the network ends in features (%s)", strings.Join(outputNames(i.Net), ", "))
	}
	i.Notes = append(i.Notes, from.notes(i.Classes())...)
	if err := i.settle(m, path, from.config); err != nil {
		return nil, err
	}
	if err := i.transform(from, o); err != nil {
		return nil, err
	}
	i.info = &onnx.Info{Image: onnx.Image{Channels: i.Net.Input.Shape()[1]}}
	i.Net.Meta.Preprocess = &from.preprocess
	if i.Classes() > 0 {
		i.Net.Meta.Labels = classNames(m.Family, from.labels, i.Classes())
	}
	return i, i.describe(path, o)
}

func importONNX(path string, o Options) (*Imported, error) {
	net, info, err := onnx.Read(path, onnx.ReadOptions{Size: o.Size})
	if err != nil {
		return nil, err
	}
	if t := info.Transform; t != nil && o.TransformInput != nil && *o.TransformInput {
		return nil, fmt.Errorf("%s: the network has such a step already, %v * x + %v: %v would do it twice", path, t.Scale, t.Shift, setting.TransformInput)
	}
	i := &Imported{Net: net, Format: "onnx", info: info}
	own := net.Meta.Preprocess
	if err := i.transform(origin{}, o); err != nil {
		return nil, err
	}
	if own == nil && o.Preprocess == (photo.Override{}) {
		i.notef("the file does not say how its input is prepared, and neither will the new one (%v, %v)", setting.Mean, setting.Std)
	}
	if err := i.describe(path, o); err != nil {
		return nil, err
	}
	i.Notes = slices.Concat(settledWarnings(info, own, i.Net.Meta.Preprocess), info.Advice, i.Notes)
	return i, nil
}

// settledWarnings are the file's, except that the preprocessing that was chosen is doubted instead of the file's own; nil is
// ImageNet's, which is assumed then.
func settledWarnings(info *onnx.Info, own, chosen *photo.Preprocess) []string {
	assumed := info.Assumed()
	before, after := info.Doubt(cmp.Or(own, assumed)), info.Doubt(cmp.Or(chosen, assumed))
	if before == after {
		return info.Warnings
	}
	warnings := slices.DeleteFunc(slices.Clone(info.Warnings), func(w string) bool { return w == before })
	if after != "" {
		warnings = append(warnings, after)
	}
	return warnings
}

// transform puts torchvision's transform_input in front of the network, where it belongs there. It
// goes with ImageNet's mean and std, so whoever gives others does without.
func (i *Imported) transform(from origin, o Options) error {
	wanted := from.transform && o.Preprocess.Mean == nil && o.Preprocess.Std == nil
	if o.TransformInput != nil {
		wanted = *o.TransformInput
	}
	if !wanted {
		return nil
	}
	if o.TransformInput == nil && from.assumed != "" {
		i.notef("transform_input is part of the network, as in %s (%v=false leaves it out)", from.assumed, setting.TransformInput)
	}
	if mean := o.Preprocess.Mean; mean != nil && *mean != imageNetMean {
		i.notef("transform_input wants ImageNet's mean and std before it, not %v %v", setting.Mean, *mean)
	}
	net, err := transformInput(i.Net)
	i.Net = net
	return err
}

// describe settles the metadata: what the options say goes before what was found.
func (i *Imported) describe(path string, o Options) error {
	meta := &i.Net.Meta
	if o.Arch != "" {
		meta.Arch = o.Arch
	}
	own := meta.Preprocess
	if o.Preprocess != (photo.Override{}) || o.Size != (photo.Size{}) && own != nil {
		p := *i.info.Assumed()
		if own != nil {
			p = own.Resized(i.Net.ImageSize())
		}
		before := p
		p = p.With(o.Preprocess)
		if err := i.info.Accept(&p); err != nil {
			return err
		}
		switch {
		case own != nil && before != p:
			i.notef("the weights come with %s in %s, which %s in %s replace", before.Scaling(), before.Channels, p.Scaling(), p.Channels)
		case own == nil && before.Scaling() == p.Scaling() && (o.Preprocess.Mean == nil || o.Preprocess.Std == nil):
			i.notef("the file does not say how its pixels are scaled: %s are assumed (%v, %v)", p.Scaling(), setting.Mean, setting.Std)
		}
		meta.Preprocess = &p
	}
	if o.Labels != nil {
		if n := i.Classes(); len(o.Labels) != n {
			return fmt.Errorf("%d labels for %d classes", len(o.Labels), n)
		}
		meta.Labels = o.Labels
	}
	if meta.Other == nil {
		meta.Other = map[string]string{}
	}
	meta.Other["regraft.source"] = filepath.Base(path)
	return nil
}

// Classes counts the columns of the main output, 0 where weights came without a classifier.
func (i *Imported) Classes() int {
	if i.Match != nil && i.Net.Outputs[0].Name != logitsOutput {
		return 0
	}
	shape := i.Net.Outputs[0].Node.Shape()
	return shape.TotalSize() / shape[0]
}

func outputNames(net *engine.Network) (names []string) {
	for _, out := range net.Outputs {
		names = append(names, out.Name)
	}
	return names
}
