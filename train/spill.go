package train

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"sync"
)

// spill holds the features of one head in a file, for more photos than memory has room for: row by row while they are gathered, in any
// order, then packed in chunks as products read them. The file has no name as long as it is open, where the system allows that, so that a
// run that is killed leaves nothing.
type spill struct {
	file   *os.File
	named  bool
	f      int
	row    int     // bytes of one
	slots  []int64 // where chunks begin
	size   int     // photos of a chunk
	photos int

	failing sync.Mutex
	failed  error // the first read that did
}

var errSpill = errors.New("the features cannot be kept on disk for the time of the run")

// newSpill makes room in a folder for rows of f features of so many photos, in the chunks of p.
func newSpill(folder string, p *products, f int) (*spill, error) {
	s := &spill{f: f, row: 4 * f, size: p.size, photos: p.x.photos()}
	end := int64(0)
	for i := range p.chunks {
		s.slots = append(s.slots, end)
		end += 4 * int64(max(p.chunks[i].in.Image, p.chunks[i].photos*f))
	}
	var err error
	if s.file, err = os.CreateTemp(folder, ".features-*"); err != nil {
		return nil, err
	}
	s.named = os.Remove(s.file.Name()) != nil
	return s, nil
}

func (s *spill) close() {
	s.file.Close()
	if s.named {
		os.Remove(s.file.Name())
	}
}

// put writes the features of photo i.
func (s *spill) put(i int, features []float32) error {
	return s.write(s.slots[i/s.size]+int64(i%s.size*s.row), features)
}

func (s *spill) write(at int64, values []float32) error {
	if _, err := s.file.WriteAt(bytesOf(values), at); err != nil {
		return fmt.Errorf("%w: %w", errSpill, err)
	}
	return nil
}

// read fills values from a place in the file; the first error is kept.
func (s *spill) read(at int64, values []float32) bool {
	data := make([]byte, 4*min(len(values), 1<<16))
	for len(values) > 0 {
		part := data[:4*min(len(values), 1<<16)]
		if _, err := s.file.ReadAt(part, at); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			s.failing.Lock()
			defer s.failing.Unlock()
			if s.failed == nil {
				s.failed = fmt.Errorf("the features that are kept on disk cannot be read: %w", err)
			}
			return false
		}
		for i := range len(part) / 4 {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(part[4*i:]))
		}
		values, at = values[len(part)/4:], at+int64(len(part))
	}
	return true
}

func (s *spill) err() error {
	s.failing.Lock()
	defer s.failing.Unlock()
	return s.failed
}

// rows are all photos' features in order, in a slice that is used again.
func (s *spill) rows() iter.Seq[[]float32] {
	return func(yield func([]float32) bool) {
		buffer := make([]float32, s.size*s.f)
		for c := range s.slots {
			rows := buffer[:s.chunk(c)*s.f]
			if !s.read(s.slots[c], rows) {
				return
			}
			for i := range s.chunk(c) {
				if !yield(rows[i*s.f : (i+1)*s.f]) {
					return
				}
			}
		}
	}
}

// chunk is the number of photos of one.
func (s *spill) chunk(c int) int { return min(s.size, s.photos-c*s.size) }

// pack standardises the rows and brings them into the layout of the chunks of p.
func (s *spill) pack(p *products, by standard) error {
	rows, packed := make([]float32, s.size*s.f), make([]float32, p.chunks[0].in.Len(1))
	for c := range s.slots {
		k, n := p.chunks[c], s.chunk(c)
		if !s.read(s.slots[c], rows[:n*s.f]) {
			return s.err()
		}
		by.applyTo(rows[:n*s.f])
		clear(packed)
		k.pack(packed, rows[:n*s.f], s.f)
		if err := s.write(s.slots[c], packed[:k.in.Image]); err != nil {
			return err
		}
	}
	return nil
}

// bytesOf are values in little endian.
func bytesOf(values []float32) []byte {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return data
}
