package shard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"regraft/journal"
)

// Merge hands on the answers of all parts, as Find returns them, in the order in which one process would have given them. Of parts that
// are tables with a heading, that comes first. It says how many answers there were, and how many of them say why there is none.
func Merge(parts []Part, put func(answer []byte) error) (answered, failed int, err error) {
	owners, err := ownersOf(parts)
	if err != nil {
		return 0, 0, err
	}
	sources, err := openAll(parts)
	defer func() {
		for _, s := range sources {
			s.file.Close()
		}
	}()
	if err != nil {
		return 0, 0, err
	}
	if heading := sources[0].heading; heading != nil {
		if err := put(heading); err != nil {
			return 0, 0, err
		}
	}
	for _, o := range owners {
		answer, err := sources[o].answers.next()
		if err == io.EOF {
			err = errors.New("it has fewer answers than its mark says")
		}
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", parts[o].Path, err)
		}
		if err := put(answer); err != nil {
			return 0, 0, err
		}
	}
	for i, s := range sources {
		if err := s.ended(parts[i]); err != nil {
			return 0, 0, err
		}
		answered += parts[i].Mark.Answered
		failed += parts[i].Mark.Failed
	}
	return answered, failed, nil
}

// ownersOf says of each input which part answers it.
func ownersOf(parts []Part) ([]int32, error) {
	inputs := parts[0].Mark.Inputs
	answered := 0
	for _, p := range parts {
		answered += len(p.Mark.Gaps) // a byte at least for each
	}
	if inputs > answered || inputs > math.MaxInt32 {
		return nil, fmt.Errorf("the parts have answers for fewer than %d inputs", inputs)
	}
	owners := make([]int32, inputs)
	for i := range owners {
		owners[i] = -1
	}
	for i, p := range parts {
		places, err := p.Mark.Places()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", journal.MarkOf(p.Path), err)
		}
		for _, at := range places {
			if other := owners[at]; other >= 0 {
				return nil, fmt.Errorf("%s and %s overlap: both answer input %d", parts[other].Path, p.Path, at+1)
			}
			owners[at] = int32(i)
		}
	}
	for at, o := range owners {
		if o < 0 {
			return nil, fmt.Errorf("no part answers input %d", at+1)
		}
	}
	return owners, nil
}

// source is a part that is being read.
type source struct {
	file    *os.File
	sum     *journal.Sum // of what was read
	heading []byte
	answers answers
}

// openAll opens all parts; their headings are the same.
func openAll(parts []Part) ([]*source, error) {
	var all []*source
	for _, p := range parts {
		file, err := os.Open(p.Path)
		if err != nil {
			return all, err
		}
		s := &source{file: file, sum: journal.NewSum(io.Discard)}
		all = append(all, s)
		if err := s.open(p); err != nil {
			return all, fmt.Errorf("%s: %w", p.Path, err)
		}
		if string(s.heading) != string(all[0].heading) {
			return all, fmt.Errorf("%s has other columns than %s", p.Path, parts[0].Path)
		}
	}
	return all, nil
}

// open begins to read. Of a Parquet file, which is not read from front to back, the sum is made before.
func (s *source) open(p Part) (err error) {
	reader := bufio.NewReaderSize(io.TeeReader(s.file, s.sum), 1<<14)
	switch filepath.Ext(p.Path) {
	case ".csv":
		s.heading, s.answers, err = table(reader)
	case ".parquet":
		if _, err = io.Copy(s.sum, s.file); err != nil {
			return err
		}
		if err := s.unchanged(p); err != nil {
			return err
		}
		s.answers, err = columns(s.file, s.sum.Bytes())
	default:
		s.answers = lines{reader}
	}
	return err
}

// ended checks that the part was read to its end and is what its mark says.
func (s *source) ended(p Part) error {
	_, err := s.answers.next()
	switch {
	case err == nil:
		err = errors.New("it has more answers than its mark says")
	case errors.Is(err, io.EOF):
		err = s.unchanged(p)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.Path, err)
	}
	return nil
}

// unchanged compares what was read with the part's mark.
func (s *source) unchanged(p Part) error {
	if s.sum.Hash() != p.Mark.Hash {
		return errors.New("it has been changed since its mark was written: answer its shard again")
	}
	return nil
}
