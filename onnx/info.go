package onnx

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/photo"
)

// Dialect is the exporter that a file comes from, as far as that matters for what can be trained.
type Dialect string

// The dialects. Exports for training keep BatchNorm and Dropout as PyTorch has them in train().
const (
	TorchScriptTrain Dialect = "torchscript-train"
	TorchScriptEval  Dialect = "torchscript-eval"
	DynamoTrain      Dialect = "dynamo-train"
	DynamoEval       Dialect = "dynamo-eval"
	TF2ONNX          Dialect = "tf2onnx"
	Own              Dialect = "regraft"
	OtherDialect     Dialect = "other"
)

// BatchNorm says what became of a network's BatchNorms.
type BatchNorm string

// What may have become of them.
const (
	Trainable   BatchNorm = "trainable"
	Folded      BatchNorm = "folded" // into the convolutions, by the exporter
	NoBatchNorm BatchNorm = "none"
)

// Layout is the order of the axes of images.
type Layout string

// The layouts.
const (
	NCHW Layout = "NCHW"
	NHWC Layout = "NHWC"
)

// Info describes a file: what inspect shows.
type Info struct {
	File      string         `json:"file"`
	IRVersion int            `json:"ir_version"`
	Opset     int            `json:"opset"`
	Producer  string         `json:"producer"`
	Dialect   Dialect        `json:"dialect"`
	Inputs    []ValueInfo    `json:"inputs"`
	Outputs   []ValueInfo    `json:"outputs"`
	Operators map[string]int `json:"operators"`
	// Initializers counts the file's tensors, Functions its local functions.
	Initializers int `json:"initializers"`
	Functions    int `json:"functions"`
	// Layout of the file's input; the network's is always NCHW.
	Layout Layout `json:"layout"`
	// Image is the input that takes the photo, as the network was built for it.
	Image Image `json:"image"`
	// Half tells that the file computes on float16 (or bfloat16); the network computes in float32.
	Half bool `json:"half"`
	// Parameters counts the values that the network is made of, running statistics and constants left out.
	Parameters int `json:"parameters"`
	// Constants are the stored tensors that no training changes, single values left out.
	Constants []Constant `json:"constants,omitempty"`
	BatchNorm BatchNorm  `json:"batchnorm"`
	// Transform is preprocessing that is part of the network: y = x*scale + shift per channel.
	Transform *Transform `json:"transform"`
	// ChannelOrder is there where the network itself gives the input's channels another order.
	ChannelOrder []int         `json:"channel_order,omitempty"`
	Unsupported  []Unsupported `json:"unsupported"`
	Warnings     []string      `json:"warnings"`
	// Advice says what can be trained faithfully and how a better file is made.
	Advice []string `json:"advice"`

	foldedNorm bool // the exporter says so
	// begins is what the network does on average to its input, Transform and all that is like it; nil where it does nothing.
	begins *Transform
	// openSize tells that nothing says how large images are, ownSize the size to which the graph itself resizes them.
	openSize bool
	ownSize  photo.Size
	averaged int // random factors that were left out
	// branches are the nodes If, in order, each with the branch that was taken.
	branches []branchTaken
}

// Image describes an input of images.
type Image struct {
	Name     string `json:"name"`
	DType    string `json:"dtype"`
	Channels int    `json:"channels"`
	Height   int    `json:"height"`
	Width    int    `json:"width"`
}

// Constant is a tensor of the file that belongs to the architecture, such as a mean image.
type Constant struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// Transform is an affine step per channel on the network's input.
type Transform struct {
	Scale []float32 `json:"scale"`
	Shift []float32 `json:"shift"`
}

// ValueInfo describes an input or output of the file.
type ValueInfo struct {
	Name  string `json:"name"`
	Shape []Dim  `json:"shape"`
	DType string `json:"dtype"`
	// Layout is NHWC for feature maps that the network gives as (N, C, H, W).
	Layout Layout `json:"layout,omitempty"`
	// Scores names the output in whose place the network gives the scores that this one is made of (ArgMax, ZipMap).
	Scores string `json:"scores,omitempty"`
	// LeftOut is set for outputs that depend on other inputs than the image.
	LeftOut bool `json:"left_out,omitempty"`
}

// Dim is one size of a shape: a number, or a name where the file leaves it open.
type Dim struct {
	Size int64
	Name string
}

func (d Dim) String() string {
	switch {
	case d.Size > 0:
		return fmt.Sprint(d.Size)
	case d.Name != "":
		return d.Name
	}
	return "?"
}

// MarshalJSON writes a number or a string.
func (d Dim) MarshalJSON() ([]byte, error) {
	if d.Size > 0 {
		return json.Marshal(d.Size)
	}
	return json.Marshal(d.String())
}

// describe gathers what the file says of itself.
func describe(m *modelProto, nodes []*nodeProto) *Info {
	info := &Info{
		IRVersion: int(m.irVersion), Opset: int(m.opset()), Producer: printable(strings.TrimSpace(m.producerName + " " + m.producerVersion)),
		Operators: map[string]int{}, Initializers: len(m.graph.initializers), Functions: len(m.functions), Layout: NCHW,
	}
	stored := map[string]bool{}
	for _, t := range m.graph.initializers {
		stored[t.name] = true
	}
	for _, v := range m.graph.inputs {
		if !stored[v.name] {
			info.Inputs = append(info.Inputs, v.public())
		}
	}
	for _, v := range m.graph.outputs {
		info.Outputs = append(info.Outputs, v.public())
	}
	for _, n := range nodes {
		info.Operators[n.qualified()]++
		info.foldedNorm = info.foldedNorm || n.foldedNorm
	}
	info.Dialect = dialect(m, nodes)
	return info
}

func (v valueInfo) public() ValueInfo {
	p := ValueInfo{Name: v.name, Shape: v.shape, DType: v.dtype.String()}
	if !v.tensor {
		p.DType = "no tensor"
	}
	return p
}

// dialect tells which exporter wrote the file, in which mode.
func dialect(m *modelProto, nodes []*nodeProto) Dialect {
	script, dynamo := TorchScriptEval, DynamoEval
	current := false
	for _, n := range nodes {
		if trainingForm(n) {
			script, dynamo = TorchScriptTrain, DynamoTrain
		}
		current = current || n.torchExport
	}
	switch {
	case m.producerName == "regraft":
		return Own
	case strings.Contains(m.producerName, "tf2onnx"):
		return TF2ONNX
	case m.producerName == "pytorch" && (current || len(nodes) > 0 && strings.HasPrefix(nodes[0].name, "node_")):
		return dynamo
	case m.producerName == "pytorch":
		return script
	}
	return OtherDialect
}

// trainingForm recognises nodes that only exports of a model in training mode have.
func trainingForm(n *nodeProto) bool {
	switch n.opType {
	case "Dropout":
		return true
	case "BatchNormalization":
		for _, a := range n.attributes {
			if a.name == "training_mode" && a.i != 0 {
				return true
			}
		}
		return len(n.outputs) > 1
	}
	return false
}

func (info *Info) refuse(list []Unsupported) *Info {
	info.Unsupported = list
	return info
}

// learn adds what the network shows.
func (info *Info) learn(n *normaliser, net *engine.Network) {
	info.BatchNorm = NoBatchNorm
	for _, s := range n.steps {
		switch o := s.op.(type) {
		case *op.BatchNorm:
			if info.BatchNorm == NoBatchNorm {
				info.BatchNorm = Trainable
			}
		case *op.Conv:
			if info.foldedNorm || len(s.in) == 3 && s.in[2].constant != nil && foldedBatchNorm(s.in[2].constant.name) {
				info.BatchNorm = Folded
			}
		case *op.Affine:
			if s.in[0] == n.input {
				info.Transform = &Transform{o.Scale, o.Shift}
			}
		}
		if order, ok := channelOrder(s); ok && n.isTransformed(s.in[0]) {
			info.ChannelOrder = order
		}
	}
	info.begins = beginning(n)
	for _, p := range net.Params {
		switch {
		case p.Constant && len(p.Value) > 1:
			info.Constants = append(info.Constants, Constant{p.FileName(), p.Shape})
		case p.Trainable():
			info.Parameters += len(p.Value)
		}
	}
	for _, p := range engine.Damaged(net.Params) {
		info.Warnings = append(info.Warnings, fmt.Sprintf("parameter %s holds infinite or undefined numbers", quoted(p.Name)))
	}
	for i := range info.Outputs {
		if slices.Contains(n.channelsLast, info.Outputs[i].Name) {
			info.Outputs[i].Layout = NHWC
		}
	}
	info.warn(net)
	info.contradictions(net)
	info.advise(net)
}

// foldedBatchNorm tells from a convolution's bias whether an exporter made it out of BatchNorm: PyTorch's
// exporters give it names that no module has, tf2onnx keeps the name of what it folded.
func foldedBatchNorm(bias string) bool {
	return strings.HasPrefix(bias, "onnx::") || foldedName(bias) || strings.Contains(strings.ToLower(bias), "batch_norm")
}
