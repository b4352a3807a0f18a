package engine

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

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
	// History has one entry per finished epoch of every training that made these weights.
	History []Epoch
	// Other holds metadata that regraft does not use, kept for saving.
	Other map[string]string
}

// Epoch is one line of the training history.
type Epoch struct {
	Mode      string  `json:"mode"`
	Epoch     int     `json:"epoch"`
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
		props[k] = v
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
	return m, nil
}

// pythonNames renders labels as Ultralytics does: a Python dict of index to name.
func pythonNames(labels []string) string {
	parts := make([]string, len(labels))
	for i, l := range labels {
		l = strings.ReplaceAll(strings.ReplaceAll(l, `\`, `\\`), `'`, `\'`)
		parts[i] = fmt.Sprintf("%d: '%s'", i, l)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// parsePythonNames reads a Python dict of index to name, or a list of names.
func parsePythonNames(s string) ([]string, error) {
	var labels []string
	rest := strings.TrimSpace(s)
	if len(rest) < 2 || !strings.ContainsRune("{[", rune(rest[0])) {
		return nil, fmt.Errorf("names is not a Python dict or list")
	}
	rest = rest[1 : len(rest)-1]
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		if i := strings.IndexAny(rest, `:'"`); i >= 0 && rest[i] == ':' {
			if n, err := strconv.Atoi(strings.TrimSpace(rest[:i])); err != nil || n != len(labels) {
				return nil, fmt.Errorf("names must be numbered from 0 without gaps")
			}
			rest = strings.TrimSpace(rest[i+1:])
		}
		name, after, err := pythonString(rest)
		if err != nil {
			return nil, err
		}
		labels = append(labels, name)
		rest = strings.TrimPrefix(strings.TrimSpace(after), ",")
	}
	return labels, nil
}

func pythonString(s string) (value, rest string, err error) {
	if s == "" || !strings.ContainsRune(`'"`, rune(s[0])) {
		return "", "", fmt.Errorf("names: expected a quoted string")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return b.String(), s[i+1:], nil
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", fmt.Errorf("names: unterminated string")
}
