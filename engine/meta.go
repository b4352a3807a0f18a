package engine

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"regraft/photo"
)

// Meta is what travels with the weights: it is stored in the ONNX file's metadata_props and is
// the only source of truth for labels and preprocessing.
type Meta struct {
	// Labels are the class names in output order; nil when the file has none.
	Labels []string
	// Preprocess is nil when the file does not say how its pixels are prepared.
	Preprocess *photo.Preprocess
	// Arch is the architecture, for example inception_v3.
	Arch string
	// Probabilities says what makes probabilities of an output without Softmax or Sigmoid: "softmax" or "sigmoid"; "" where the file
	// does not say.
	Probabilities string
	// History has one entry per finished epoch of every training that made these weights.
	History []Epoch
	// Other holds metadata that regraft does not use, kept for saving.
	Other map[string]string
}

// Epoch is one line of the training history.
type Epoch struct {
	Mode      string  `json:"mode"`
	Number    int     `json:"epoch"` // from 1
	TrainLoss float64 `json:"train_loss"`
	TrainAcc  float64 `json:"train_acc"`
	ValLoss   float64 `json:"val_loss"`
	ValAcc    float64 `json:"val_acc"`
	LR        float64 `json:"lr"`
}

// Keys of metadata_props.
const (
	keySchema     = "regraft.schema"
	keyClasses    = "regraft.classes"
	keyPreprocess = "regraft.preprocess"
	keyArch       = "regraft.arch"
	keyHistory    = "regraft.history"
	keyProbs      = "regraft.probabilities"
	keyVersion    = "regraft.version"
	schema        = "1"
)

// Version of the program, written into files; set by the build.
var Version = "dev"

// Props renders the metadata for an ONNX file: regraft's own keys, and beside them the ones that
// Ultralytics' tools read.
func (m Meta) Props() (map[string]string, error) {
	props := map[string]string{}
	for k, v := range m.Other {
		props[photo.Text(k)] = photo.Text(v) // a string of an ONNX file is UTF-8
	}
	props[keySchema], props[keyVersion], props["task"] = schema, Version, "classify"
	if m.Arch != "" {
		props[keyArch] = m.Arch
	}
	put := func(key string, v any) error {
		data, err := json.Marshal(v)
		props[key] = string(data)
		return err
	}
	for _, label := range m.Labels {
		if !utf8.ValidString(label) {
			return nil, fmt.Errorf("the label %q is not UTF-8, so no file can hold it", label)
		}
	}
	if m.Labels != nil {
		if err := put(keyClasses, m.Labels); err != nil {
			return nil, err
		}
		props["names"] = pythonNames(m.Labels)
	}
	if m.Preprocess != nil {
		if err := put(keyPreprocess, m.Preprocess); err != nil {
			return nil, err
		}
		props["imgsz"] = fmt.Sprintf("[%d, %d]", m.Preprocess.Size.H, m.Preprocess.Size.W)
	}
	if m.Probabilities != "" {
		props[keyProbs] = m.Probabilities
	}
	if m.History != nil {
		if err := put(keyHistory, m.History); err != nil {
			return nil, err
		}
	}
	return props, nil
}

// ParseMeta reads metadata_props: regraft's own keys and those of other programs (meta_foreign.go); keys that
// it does not use end in Other.
func ParseMeta(props map[string]string) (Meta, error) {
	m := Meta{Other: map[string]string{}}
	for key, value := range props {
		var err error
		switch key {
		case keyClasses:
			err = json.Unmarshal([]byte(value), &m.Labels)
		case keyPreprocess:
			m.Preprocess = &photo.Preprocess{}
			err = json.Unmarshal([]byte(value), m.Preprocess)
		case keyProbs:
			m.Probabilities = value
		case keyHistory:
			err = json.Unmarshal([]byte(value), &m.History)
		case keyArch:
			m.Arch = value
		case keySchema:
			if value != schema {
				err = fmt.Errorf("schema %q is newer than this program knows (%s)", value, schema)
			}
		case keyVersion, "task", "imgsz":
		case "names":
			if _, own := props[keyClasses]; !own {
				m.Labels, err = parsePythonNames(value)
			}
		default:
			m.Other[key] = value
		}
		if err != nil {
			return m, fmt.Errorf("metadata %s: %w", key, err)
		}
	}
	m.foreign(props)
	for i, label := range m.Labels {
		m.Labels[i] = photo.Text(label) // names stay distinct when they are stored again
	}
	return m, nil
}
