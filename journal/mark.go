package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"regraft/atomicfile"
)

// The names of what stands beside an output.
const (
	partialEnding = ".partial" // the output itself, while it grows
	journalEnding = ".journal"
	markEnding    = ".done"
)

// Progress is how far an output is.
type Progress struct {
	Answered int    `json:"answered"`
	Failed   int    `json:"failed"` // of the answered ones
	Bytes    int64  `json:"bytes"`
	Hash     string `json:"sha256"` // of these bytes
}

// follows reports whether an output that was so far before can be so far now.
func (p Progress) follows(before Progress) bool {
	return len(p.Hash) == hex.EncodedLen(sha256.Size) && p.Answered >= before.Answered && p.Failed >= before.Failed && p.Failed <= p.Answered && p.Bytes >= before.Bytes
}

// Mark says that an output is complete, and what it was made of.
type Mark struct {
	Schema string `json:"schema"`
	Origin
	Progress
	// Gaps has the places of a shard's answers among those of all shards: unsigned varints, how many inputs of others stand before
	// each.
	Gaps []byte `json:"gaps,omitempty"`
}

const markSchema = "regraft/mark/1"

// MarkOf is the path of the mark of the output at path.
func MarkOf(path string) string { return path + markEnding }

// Unfinished reports whether the output at path was begun and is not complete.
func Unfinished(path string) bool { return exists(path+journalEnding) || exists(path+partialEnding) }

// Begun reports whether anything of the output at path is there.
func Begun(path string) bool { return Unfinished(path) || exists(MarkOf(path)) }

// longestMark bounds a mark: about two hundred million answers of a shard.
const longestMark = 256 << 20

// ReadMark reads the mark of the output at path; the error is fs.ErrNotExist where it has none.
func ReadMark(path string) (*Mark, error) {
	info, err := os.Stat(MarkOf(path))
	if err != nil {
		return nil, err
	}
	var data []byte
	if info.Size() <= longestMark {
		if data, err = os.ReadFile(MarkOf(path)); err != nil {
			return nil, err
		}
	}
	var m Mark
	if err := json.Unmarshal(data, &m); err != nil || m.Schema != markSchema || !m.follows(Progress{}) || m.Inputs != OpenEnded && m.Answered > m.Inputs {
		return nil, fmt.Errorf("%s: not a mark that this version reads", MarkOf(path))
	}
	return &m, nil
}

// Write puts the mark beside the output at path.
func (m Mark) Write(path string) error {
	m.Schema = markSchema
	return atomicfile.Write(MarkOf(path), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(m)
	})
}

// GapsOf packs ascending places.
func GapsOf(places []int) []byte {
	var gaps []byte
	next := 0
	for _, p := range places {
		gaps = binary.AppendUvarint(gaps, uint64(p-next))
		next = p + 1
	}
	return gaps
}

// Places unpacks Gaps.
func (m *Mark) Places() ([]int, error) {
	places := make([]int, 0, min(m.Answered, len(m.Gaps)))
	next := 0
	for rest := m.Gaps; len(rest) > 0; {
		gap, n := binary.Uvarint(rest)
		if n <= 0 || gap >= uint64(m.Inputs) || next+int(gap) >= m.Inputs {
			return nil, errors.New("the places of its answers are damaged")
		}
		next += int(gap)
		places, next, rest = append(places, next), next+1, rest[n:]
	}
	if len(places) != m.Answered {
		return nil, fmt.Errorf("it has %d answers and the places of %d", m.Answered, len(places))
	}
	return slices.Clip(places), nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
