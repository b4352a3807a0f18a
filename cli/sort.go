package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
	"regraft/sorter"
)

// sorting puts photos into folders as their answers come.
type sorting struct {
	*sorter.Sorter
	con        *console
	dir        string
	decode     photo.DecodeOptions
	mode       sorter.Mode
	done       int
	unsorted   int
	unanswered []string // the first of them
	failed     int      // all of them
}

// newSorting prepares what --sort-into says. Output is the file of answers, "" where there is none.
func newSorting(con *console, c *urfave.Context, m *regraft.Model, output string, resume bool) (*sorting, error) {
	dir, mode := c.String("sort-into"), sorter.Mode(c.String("sort-mode"))
	s, err := sorter.Open(dir, mode, m.Labels(), output, resume)
	if err != nil {
		return nil, fmt.Errorf("--sort-into: %w", err)
	}
	for _, arg := range c.Args().Slice() {
		for _, folder := range s.Folders() {
			if within(arg, folder) {
				return nil, usagef("--sort-into %s: %s lies in it, in %s: choose another folder", dir, arg, folder)
			}
		}
	}
	return &sorting{Sorter: s, con: con, dir: dir, decode: decoding(c), mode: mode}, nil
}

// within reports whether a path is a folder, or lies in it.
func within(path, folder string) bool {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if other, e := filepath.EvalSymlinks(folder); e == nil {
		folder = other
	}
	return err == nil && strings.HasPrefix(real+string(filepath.Separator), folder+string(filepath.Separator))
}

// reading keeps the content of a photo that is no file, and finds a file where it has been moved.
func (s *sorting) reading(p *regraft.Photo) regraft.Photo {
	r := *p
	switch {
	case onDisk(r) && s.mode == sorter.Move:
		r.Read = func() ([]byte, error) { return photo.Content(s.Where(r.Path), s.decode) }
	case r.Read != nil:
		read := r.Read
		r.Read = func() (data []byte, err error) {
			data, err = read()
			p.Data = data
			return data, err
		}
	}
	return r
}

// answered sorts the photo. Only a full disk is an error; other photos that cannot be sorted are told of.
func (s *sorting) answered(p regraft.Photo, r regraft.Result, unknown bool) error {
	if r.Err != nil {
		if s.failed++; s.failed <= 5 {
			s.unanswered = append(s.unanswered, shown(r.Path))
		}
		return nil
	}
	err := s.Put(p.Path, p.Data, r.Top(1)[0].Label, unknown)
	if err == nil {
		s.done++
		return nil
	}
	if diskFull(err) {
		return err
	}
	s.unsorted++
	s.con.warnf("%s cannot be sorted: %v", shown(p.Path), err)
	return nil
}

// end tells what was done, and how many photos could not be sorted.
func (s *sorting) end() (wrong int) {
	s.Close()
	if s.failed > 0 {
		more := ""
		if s.failed > len(s.unanswered) {
			more = fmt.Sprintf(" and %d more", s.failed-len(s.unanswered))
		}
		s.con.notef("left where they are, without an answer: %s%s", strings.Join(s.unanswered, ", "), more)
	}
	undo := ""
	if list := s.List(); list != "" {
		undo = "; regraft undo " + list + " takes it back"
	}
	s.con.notef("%s: %s sorted by %s%s", s.dir, counted(s.done, "photo"), s.mode, undo)
	return s.unsorted
}

func diskFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }
