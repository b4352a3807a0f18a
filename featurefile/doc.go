// Package featurefile keeps features of photos in Parquet, so that machines without the photos can train on them. A file says what
// computed its rows, and of which inputs.
package featurefile

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"regraft/journal"
)

// Row is a photo.
type Row struct {
	Path string `parquet:"path"`
	// Label is the class that its folder says and Part train, val or test; nil where no folder does.
	Label *string `parquet:"label,optional"`
	Part  *string `parquet:"part,optional"`
	// Hash is the SHA-256 of the photo's file, in hex.
	Hash *string `parquet:"sha256,optional"`
	// Features has the same length in every row.
	Features []float32 `parquet:"features,list"`
}

// Source is what decides features: equal sources compute the same bits.
type Source struct {
	Trunk      string `json:"trunk_sha256"` // of what it computes
	Preprocess string `json:"preprocess"`   // how photos become its input, in JSON
	Algorithm  string `json:"algorithm"`    // of its convolutions
}

// Differs says in what s is not what it was; "" where it is the same.
func (s Source) Differs(was Source) string {
	switch {
	case s.Trunk != was.Trunk:
		return fmt.Sprintf("another trunk (hash %.12s instead of %.12s)", s.Trunk, was.Trunk)
	case s.Preprocess != was.Preprocess:
		return fmt.Sprintf("other preprocessing (%s instead of %s)", s.Preprocess, was.Preprocess)
	case s.Algorithm != was.Algorithm:
		return fmt.Sprintf("the algorithm %s instead of %s", s.Algorithm, was.Algorithm)
	}
	return ""
}

// Info is what a file says of its rows.
type Info struct {
	Schema string `json:"schema"`
	Source
	// Origin has the settings and the inputs, of all shards together, and the shard.
	Origin journal.Origin `json:"origin"`
	// Failed is the number of inputs that have no row.
	Failed int `json:"failed"`
	// Labelled is the number of rows with a label; the Writer counts them.
	Labelled int `json:"labelled"`
}

// The names of the file's metadata: the length of a row's features, and Info as JSON.
const (
	lengthKey = "features"
	infoKey   = "regraft"
	schema    = "regraft/features/1"
)

// infoOf reads the metadata of a file.
func infoOf(file *parquet.File) (info Info, length int, err error) {
	text, is := file.Lookup(infoKey)
	if !is {
		return info, 0, errors.New("it does not say what computed its features: write it with this version of embed")
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil || info.Schema != schema {
		return info, 0, errors.New("what it says of its features is nothing that this version reads")
	}
	text, _ = file.Lookup(lengthKey)
	if _, err := fmt.Sscanf(text, "%d", &length); err != nil || length < 1 || length > mostFeatures {
		return info, 0, fmt.Errorf("its rows have %q features: from 1 to %d make sense", text, mostFeatures)
	}
	return info, length, nil
}

// mostFeatures bounds a row.
const mostFeatures = 1 << 24
