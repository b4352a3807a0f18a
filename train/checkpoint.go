package train

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"

	"regraft/setting"
)

// checkpoint is all that a run needs to go on to the very bits that it would have had; random numbers are
// counter-based and need no state.
//
// The file is: the line checkpointMagic; the length of the header, 8 bytes little-endian; the header, JSON; the
// vectors of the parts in order, little-endian; the SHA-256 of all that.
type checkpoint struct {
	Config Config `json:"config"`
	// Network and Photos identify what the run began with.
	Network string `json:"network"`
	Photos  string `json:"photos"`
	// Contents are fingerprints of the photos of train, val and test, in order; Skipped are the photos left out.
	Contents []byte    `json:"contents,omitempty"`
	Skipped  []Skipped `json:"skipped,omitempty"`
	// Alike are groups of these photos that look the same, as indices.
	Alike [][]int `json:"alike,omitempty"`
	// Assumption is what was found of the scaling of pixels, where one had to be assumed.
	Assumption *Assumption `json:"preprocess_assumed,omitempty"`
	// Epochs are finished; Progress is the position in the next one.
	Epochs   []Epoch  `json:"epochs"`
	Progress progress `json:"progress"`
	// Best is the index in Epochs of the model in best.onnx, -1 before there is one.
	Best  int         `json:"best"`
	Parts []partSizes `json:"parts"`

	parts []part
}

// partSizes are the lengths of a part's vectors.
type partSizes struct {
	Steps   int   `json:"steps"`
	Float32 []int `json:"float32"`
	Float64 []int `json:"float64"`
}

const (
	checkpointMagic = "regraft checkpoint 1\n"
	maxHeader       = 64 << 20
)

// write writes the checkpoint without closing w.
func (c *checkpoint) write(w io.Writer) error {
	c.Parts = nil
	for _, p := range c.parts {
		c.Parts = append(c.Parts, partSizes{p.Steps, lengths(p.Float32), lengths(p.Float64)})
	}
	header, err := json.Marshal(c)
	if err != nil {
		return err
	}
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	prefix := binary.LittleEndian.AppendUint64([]byte(checkpointMagic), uint64(len(header)))
	if _, err := out.Write(append(prefix, header...)); err != nil {
		return err
	}
	buffer := make([]byte, 0, 1<<16)
	for _, p := range c.parts {
		for _, v := range p.Float32 {
			if err := writeVector(out, buffer, v, func(b []byte, x float32) []byte {
				return binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
			}); err != nil {
				return err
			}
		}
		for _, v := range p.Float64 {
			if err := writeVector(out, buffer, v, func(b []byte, x float64) []byte {
				return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
			}); err != nil {
				return err
			}
		}
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// writeVector writes v by way of the buffer.
func writeVector[T any](w io.Writer, buffer []byte, v []T, put func([]byte, T) []byte) error {
	for len(v) > 0 {
		buffer = buffer[:0]
		n := min(len(v), cap(buffer)/8)
		for _, x := range v[:n] {
			buffer = put(buffer, x)
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		v = v[n:]
	}
	return nil
}

func lengths[T any](vectors [][]T) []int {
	n := make([]int, len(vectors))
	for i, v := range vectors {
		n[i] = len(v)
	}
	return n
}

// readCheckpoint reads and verifies a file.
func readCheckpoint(path string) (*checkpoint, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	c, err := parseCheckpoint(bufio.NewReaderSize(f, 1<<20), info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseCheckpoint(in io.Reader, size int64) (*checkpoint, error) {
	r := &checkpointReader{in: in, sum: sha256.New(), left: size - sha256.Size}
	return r.read()
}

// checkpointReader counts what the file still holds, so that no length in it makes it allocate more.
type checkpointReader struct {
	in   io.Reader
	sum  hash.Hash
	left int64 // bytes before the checksum
}

// errDamaged says that a checkpoint is not what was written.
var errDamaged error = damaged{}

type damaged struct{}

func (damaged) Error() string {
	return fmt.Sprintf("the checkpoint is damaged (cut off or changed); start again without %v in another folder", setting.Resume)
}

func (r *checkpointReader) read() (*checkpoint, error) {
	prefix, err := r.bytes(int64(len(checkpointMagic)) + 8)
	if err != nil || !bytes.HasPrefix(prefix, []byte(checkpointMagic)) {
		return nil, errors.New("not a checkpoint of this version of regraft")
	}
	length := binary.LittleEndian.Uint64(prefix[len(checkpointMagic):])
	if length > maxHeader {
		return nil, errDamaged
	}
	header, err := r.bytes(int64(length))
	if err != nil {
		return nil, err
	}
	c := &checkpoint{}
	if err := json.Unmarshal(header, c); err != nil {
		return nil, errDamaged
	}
	for _, sizes := range c.Parts {
		p := part{Steps: sizes.Steps}
		for _, n := range sizes.Float32 {
			b, err := r.vector(n, 4)
			if err != nil {
				return nil, err
			}
			v := make([]float32, n)
			for i := range v {
				v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
			}
			p.Float32 = append(p.Float32, v)
		}
		for _, n := range sizes.Float64 {
			b, err := r.vector(n, 8)
			if err != nil {
				return nil, err
			}
			v := make([]float64, n)
			for i := range v {
				v[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
			}
			p.Float64 = append(p.Float64, v)
		}
		c.parts = append(c.parts, p)
	}
	return c, r.finish(c)
}

// finish compares the checksum and the header's own figures.
func (r *checkpointReader) finish(c *checkpoint) error {
	want := make([]byte, sha256.Size)
	if r.left != 0 {
		return errDamaged
	}
	if _, err := io.ReadFull(r.in, want); err != nil || !bytes.Equal(want, r.sum.Sum(nil)) {
		return errDamaged
	}
	if c.Best < -1 || c.Best >= len(c.Epochs) || c.Progress.Step < 0 {
		return errDamaged
	}
	return nil
}

// vector reads n numbers of the given width.
func (r *checkpointReader) vector(n, width int) ([]byte, error) {
	if n < 0 || int64(n) > r.left/int64(width) {
		return nil, errDamaged
	}
	return r.bytes(int64(n) * int64(width))
}

func (r *checkpointReader) bytes(n int64) ([]byte, error) {
	if n > r.left {
		return nil, errDamaged
	}
	r.left -= n
	b := make([]byte, n)
	if _, err := io.ReadFull(r.in, b); err != nil {
		return nil, errDamaged
	}
	r.sum.Write(b)
	return b, nil
}
