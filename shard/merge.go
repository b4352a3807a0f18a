package shard

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"

	"regraft/journal"
)

// Merge writes the answers of all parts, as Find returns them, in the order that one process would have given them, and says what
// was written.
func Merge(parts []Part, w io.Writer) (journal.Progress, error) {
	var p journal.Progress
	owners, err := ownersOf(parts)
	if err != nil {
		return p, err
	}
	sum := sha256.New()
	w = io.MultiWriter(w, sum)
	sources, err := openAll(parts)
	defer func() {
		for _, s := range sources {
			s.file.Close()
		}
	}()
	if err != nil {
		return p, err
	}
	put := func(data []byte) error {
		n, err := w.Write(data)
		p.Bytes += int64(n)
		return err
	}
	if err := put(sources[0].heading); err != nil {
		return p, err
	}
	for _, o := range owners {
		answer, err := sources[o].answers.next()
		if err == io.EOF {
			err = errors.New("it has fewer answers than its mark says")
		}
		if err != nil {
			return p, fmt.Errorf("%s: %w", parts[o].Path, err)
		}
		if err := put(answer); err != nil {
			return p, err
		}
	}
	for i, s := range sources {
		if err := s.ended(parts[i]); err != nil {
			return p, err
		}
		p.Answered += parts[i].Mark.Answered
		p.Failed += parts[i].Mark.Failed
	}
	p.Hash = hex.EncodeToString(sum.Sum(nil))
	return p, nil
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
	sum     hash.Hash // of what was read
	reader  *bufio.Reader
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
		s := &source{file: file, sum: sha256.New()}
		all = append(all, s)
		s.reader = bufio.NewReaderSize(io.TeeReader(file, s.sum), 1<<14)
		if filepath.Ext(p.Path) == ".csv" {
			s.heading, s.answers, err = table(s.reader)
		} else {
			s.answers = lines{s.reader}
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", p.Path, err)
		}
		if string(s.heading) != string(all[0].heading) {
			return all, fmt.Errorf("%s has other columns than %s", p.Path, parts[0].Path)
		}
	}
	return all, nil
}

// ended checks that the part was read to its end and is what its mark says.
func (s *source) ended(p Part) error {
	if _, err := s.answers.next(); err == nil {
		return fmt.Errorf("%s has more answers than its mark says", p.Path)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	if hex.EncodeToString(s.sum.Sum(nil)) != p.Mark.Hash {
		return fmt.Errorf("%s has been changed since its mark was written: answer its shard again", p.Path)
	}
	return nil
}
