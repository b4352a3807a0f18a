package cli

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"sync"
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
	reading    photo.DecodeOptions
	mode       sorter.Mode
	mutex      sync.Mutex
	waiting    []regraft.Photo // for their answers, in order
	done       int
	unsorted   int
	unanswered []string // the first of them
	failed     int      // all of them
}

// newSorting is nil where the flags do not ask for it. Output is the file of answers, "" where there is none.
func newSorting(con *console, c *urfave.Context, m *regraft.Model, output string, resume bool) (*sorting, error) {
	dir := c.String("sort-into")
	if dir == "" {
		return nil, nil
	}
	if a, err := m.Answers(); err != nil || a.Check() != nil {
		return nil, failf(statusModel, "%s: --sort-into: the model names no classes", c.String("model"))
	}
	mode := sorter.Mode(c.String("sort-mode"))
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
	return &sorting{Sorter: s, con: con, dir: dir, reading: decoding(c), mode: mode}, nil
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

// files lists the photos at a path, without those that are sorted already.
func (s *sorting) files(path string) ([]photo.File, []photo.LeftOut) {
	if s == nil {
		return photo.Files(path)
	}
	found, leftOut := photo.Files(path, s.Folders()...)
	return s.Restore(path, found), leftOut
}

// remembered keeps photos until their answers come, and reads those that may have been moved from where they are.
func (s *sorting) remembered(photos iter.Seq[regraft.Photo]) iter.Seq[regraft.Photo] {
	if s == nil {
		return photos
	}
	return func(yield func(regraft.Photo) bool) {
		for p := range photos {
			s.mutex.Lock()
			s.waiting = append(s.waiting, p)
			s.mutex.Unlock()
			if s.mode == sorter.Move && p.Read == nil && p.Data == nil && p.Err == nil {
				p.Read = func() ([]byte, error) { return photo.Content(s.Where(p.Path), s.reading) }
			}
			if !yield(p) {
				return
			}
		}
	}
}

// next is the photo of the next answer.
func (s *sorting) next() regraft.Photo {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	p := s.waiting[0]
	s.waiting[0] = regraft.Photo{}
	s.waiting = s.waiting[1:]
	return p
}

// answered sorts the photo of an answer. Only a full disk is an error; other photos that cannot be sorted are told of.
func (s *sorting) answered(r regraft.Result, unknown bool) error {
	p := s.next()
	if r.Err != nil {
		if s.failed++; s.failed <= 5 {
			s.unanswered = append(s.unanswered, shown(r.Path))
		}
		return nil
	}
	content, err := p.Data, error(nil)
	if content == nil && p.Read != nil {
		content, err = p.Read()
	}
	if err == nil {
		err = s.Put(p.Path, content, r.Top(1)[0].Label, unknown)
	}
	if err == nil {
		s.done++
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) {
		return err
	}
	s.unsorted++
	s.con.warnf("%s cannot be sorted: %v", shown(p.Path), err)
	return nil
}

// end tells what was done.
func (s *sorting) end() {
	if s == nil {
		return
	}
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
}

// sortedAnswers sorts the photo of every answer, and then hands the answer on.
type sortedAnswers struct {
	answers
	sort *sorting
	o    answerOptions
}

func (a *sortedAnswers) write(r regraft.Result, picture string) error {
	if err := a.sort.answered(r, a.o.unknown(r)); err != nil {
		return err
	}
	return a.answers.write(r, picture)
}

// sorted is out, behind the sorting that the inputs ask for.
func (in *inputs) sorted(out answers, o answerOptions) answers {
	if in.sort == nil {
		return out
	}
	return &sortedAnswers{out, in.sort, o}
}
