// Package answer has what classify says about an input: as a line of JSON, and as a row of a table of many.
package answer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
)

// Schema is that of an Answer.
const Schema = "regraft/classify/1"

// Answer is what is said about one input.
type Answer struct {
	Schema string `json:"schema"`
	// Path has \xHH for bytes that are not UTF-8; PathBytes is then the path as it is, in base64.
	Path      string       `json:"path"`
	PathBytes []byte       `json:"path_base64,omitempty"`
	Top       []Prediction `json:"top"`
	Unknown   bool         `json:"unknown"`
	// Far says that the photo is unknown because it looks like none of the training photos, Distance how far it is from them: above 1 it is
	// farther than the model's file takes for usual. Both are absent where the file does not say.
	Far      bool     `json:"far,omitempty"`
	Distance *float64 `json:"distance,omitempty"`
	Set      []string `json:"set,omitempty"`
	// Error is why there is no answer.
	Error    *string   `json:"error"`
	Logits   []float32 `json:"logits,omitempty"`
	Features []float32 `json:"features,omitempty"`
	// Explained is a picture that shows where the answer comes from.
	Explained string `json:"explained,omitempty"`
}

// Prediction is a class and its probability.
type Prediction struct {
	Label string  `json:"label"`
	Index int     `json:"index"`
	P     float32 `json:"p"`
}

// Parse is the answer of a line.
func Parse(line []byte) (*Answer, error) {
	var a Answer
	if err := json.Unmarshal(line, &a); err != nil || a.Schema != Schema {
		return nil, errors.New("a line is no answer of classify")
	}
	return &a, nil
}

// Lines are the answers of all lines; after an error none follow.
func Lines(lines io.Reader) iter.Seq2[*Answer, error] {
	return func(yield func(*Answer, error) bool) {
		for d := json.NewDecoder(lines); ; {
			var line json.RawMessage
			var a *Answer
			err := d.Decode(&line)
			if err == io.EOF {
				return
			} else if err == nil {
				a, err = Parse(line)
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// Line is the answer as a line of JSON.
func (a *Answer) Line() ([]byte, error) {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	err := e.Encode(a)
	return line.Bytes(), err
}
