package cli

import (
	"iter"
	"sync"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
	"regraft/remote"
)

// consequence is what is done with a photo when its answer is known, before the answer is written.
type consequence interface {
	// reading is the photo as it is to be read; p is what answered is called with.
	reading(p *regraft.Photo) regraft.Photo
	answered(p regraft.Photo, r regraft.Result, unknown bool) error
	// end tells what was done, and returns how many photos it could not be done with.
	end() (wrong int)
}

// consequenceOf is nil where no flag asks for one. Output is the file of answers, "" where there is none.
func consequenceOf(con *console, c *urfave.Context, m *regraft.Model, output string, resume bool) (consequence, error) {
	flag := "sort-into"
	switch xmp := c.Bool("write-xmp"); {
	case xmp && c.String(flag) != "":
		return nil, usagef("--write-xmp and --sort-into: sort first, then write keywords beside the sorted photos")
	case xmp:
		flag = "write-xmp"
	case c.String(flag) == "":
		return nil, nil
	}
	if a, err := m.Answers(); err != nil || a.Check() != nil {
		return nil, failf(statusModel, "%s: --%s: the model names no classes", c.String("model"), flag)
	}
	if flag == "write-xmp" {
		return &sidecars{con: con}, nil
	}
	return newSorting(con, c, m, output, resume)
}

// onDisk is whether a photo is a file that can be read, not a member of an archive and not on another machine.
func onDisk(p regraft.Photo) bool { return p.Read == nil && p.Data == nil && p.Err == nil }

// queue keeps photos until their answers come, which are in the same order.
type queue struct {
	mutex   sync.Mutex
	waiting []*regraft.Photo
}

// through passes photos on as they are to be read.
func (q *queue) through(photos iter.Seq[regraft.Photo], then consequence) iter.Seq[regraft.Photo] {
	if then == nil {
		return photos
	}
	return func(yield func(regraft.Photo) bool) {
		for p := range photos {
			q.mutex.Lock()
			q.waiting = append(q.waiting, &p)
			q.mutex.Unlock()
			if !yield(then.reading(&p)) {
				return
			}
		}
	}
}

func (q *queue) next() regraft.Photo {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	p := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return *p
}

// followed writes answers, each behind its consequence.
type followed struct {
	answers
	in *inputs
	o  answerOptions
}

func (a *followed) write(r regraft.Result, picture string) error {
	if err := a.in.then.answered(a.in.queue.next(), r, a.o.unknown(r)); err != nil {
		return err
	}
	return a.answers.write(r, picture)
}

// follow is out, with the consequences that the flags ask for.
func (in *inputs) follow(out answers, o answerOptions) answers {
	if in.then == nil {
		return out
	}
	return &followed{out, in, o}
}

// files lists the photos at a path, as they were before they were sorted, and without those that were sorted earlier.
func (in *inputs) files(path string) ([]photo.File, []photo.LeftOut) {
	if remote.Is(path) {
		return in.remote.Files(path)
	}
	s, sorts := in.then.(*sorting)
	if !sorts {
		return photo.Files(path)
	}
	found, leftOut := photo.Files(path, s.Folders()...)
	return s.Restore(path, found), leftOut
}
