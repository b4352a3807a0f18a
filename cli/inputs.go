package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"regraft"
	"regraft/journal"
	"regraft/photo"
	"regraft/remote"
	"regraft/shard"
)

// inputs expands the arguments of classify while they are consumed.
type inputs struct {
	ctx     context.Context
	con     *console
	remote  *remote.Client
	list    string // a file with paths, before args
	null    bool   // paths on stdin and in list end with NUL
	args    []string
	leftOut []photo.LeftOut
	// filesOnly refuses archives, and photos on other machines.
	filesOnly bool
	err       error // what ended the input early
	listed    atomic.Int64
	all       atomic.Bool // listed counts all inputs
	// settled are all inputs that are answered for, once they are known before the work begins. The first ones were answered by an
	// earlier run.
	settled  *photoList
	answered tally
	// then is nil where photos are left as they are; queue has those whose answers it waits for.
	then  consequence
	queue queue
	// watch is the folder whose photos are answered for as they come, instead of args; nil else.
	watch *watching
}

func newInputs(ctx context.Context, con *console, args []string) *inputs {
	return &inputs{ctx: ctx, con: con, args: args, remote: remote.New(ctx)}
}

// progress tells how far the inputs are consumed, unless the answers do, on the same terminal.
func (in *inputs) progress() *progress {
	if in.con.outTerminal != nil {
		return nil
	}
	return in.con.progress(0, "photos", "classify")
}

// found is the number of inputs so far.
func (in *inputs) found() int { return int(in.listed.Load()) }

// total is the number of inputs that are answered for, 0 while it is not known.
func (in *inputs) total() int {
	if in.settled != nil {
		return in.settled.n
	}
	if in.all.Load() {
		return in.found()
	}
	return 0
}

// haveAnswers says how many inputs have their answers, of all where their number is known.
func (in *inputs) haveAnswers(n int) string {
	have := photo.Form(n, "has its answer", "have their answers")
	if in.watch != nil {
		return counted(n, "input") + " " + have
	}
	return fmt.Sprintf("%d of %s %s", n, counted(in.total(), "input"), have)
}

// photos are the inputs that have no answer yet.
func (in *inputs) photos() iter.Seq[regraft.Photo] {
	if in.settled != nil {
		return in.queue.through(in.settled.from(in.answered.photos), in.then)
	}
	return in.queue.through(in.expanded(), in.then)
}

// expanded lists files as they are, folders with all photos in them, and for "-" the lines of stdin.
func (in *inputs) expanded() iter.Seq[regraft.Photo] {
	if in.watch != nil {
		return in.watch.photos(in)
	}
	return func(yield func(regraft.Photo) bool) {
		if !in.fromList(yield) {
			return
		}
		for i, arg := range in.args {
			more := true
			if arg == "-" {
				more = in.lines(in.con.in, "stdin", yield)
			} else {
				more = in.expand(arg, i == len(in.args)-1, yield)
			}
			if !more {
				return
			}
		}
	}
}

// manyInputs are those whose list counts beside what else is on the heap.
const manyInputs = 100_000

// settle lists all inputs before the work begins, and keeps those of a shard, whose places among all are returned. The origin learns
// what the inputs are.
func (in *inputs) settle(o *journal.Origin, s shard.Shard) ([]int, error) {
	sum, kept, places, n := sha256.New(), new(photoList), []int(nil), 0
	for p := range in.expanded() {
		fmt.Fprintf(sum, "%s\x00", p.Path)
		if s.Has(p.Path) {
			if kept.add(p); s.Count > 0 {
				places = append(places, n)
			}
		}
		n++
	}
	switch {
	case in.err == nil && in.ctx.Err() != nil: // which may have made the list shorter
		in.err = in.ctx.Err()
	case in.err == nil && n == 0:
		in.err = failf(statusData, "no photos found")
	}
	if n > manyInputs {
		collectOften()
	}
	in.settled = kept
	o.Inputs, o.List, o.Shard = n, hex.EncodeToString(sum.Sum(nil)), s.String()
	return places, in.err
}

// lines expands every path of a list, one a line or, with -0, up to each NUL; it returns false when the consumer wants no more.
func (in *inputs) lines(from io.Reader, name string, yield func(regraft.Photo) bool) bool {
	s := bufio.NewScanner(from) // which takes the \r of \r\n away
	if in.null {
		s.Split(untilNUL)
	}
	for first := true; s.Scan(); first = false {
		path := s.Text()
		if first && (strings.HasPrefix(path, "\xff\xfe") || strings.HasPrefix(path, "\xfe\xff")) {
			in.err = failf(statusData, "the paths on %s are UTF-16: write them as UTF-8 (PowerShell: Out-File -Encoding utf8)", name)
			return false
		}
		if first {
			path = strings.TrimPrefix(path, byteOrderMark)
		}
		if !in.null && strings.Contains(path, "\x00") {
			in.err = failf(statusData, "the paths on %s have NUL between them: say -0", name)
			return false
		}
		if path != "" && !in.expand(path, false, yield) {
			return false
		}
	}
	if err := s.Err(); errors.Is(err, bufio.ErrTooLong) {
		in.err = failf(statusData, "a path on %s has more than %d bytes: they stand one a line, or with -0 end with NUL", name, bufio.MaxScanTokenSize)
		return false
	} else if err != nil {
		in.err = fmt.Errorf("paths on %s: %w", name, err)
		return false
	}
	return true
}

// untilNUL cuts text behind each NUL.
func untilNUL(data []byte, atEnd bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEnd && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// fromList expands the paths in the file of --files-from.
func (in *inputs) fromList(yield func(regraft.Photo) bool) bool {
	if in.list == "" {
		return true
	}
	f, err := os.Open(in.list)
	if err != nil {
		in.err = fail(statusData, err)
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		in.err = usagef("--files-from %s is a folder: give folders as arguments", in.list)
		return false
	}
	if photo.BeginsAsPhoto(in.list) {
		in.err = usagef("--files-from %s is a photo, not a list of paths: give photos as arguments", shown(in.list))
		return false
	}
	return in.lines(f, in.list, yield)
}

// expand lists a file, or the photos of a folder; last says that no more inputs follow.
func (in *inputs) expand(path string, last bool, yield func(regraft.Photo) bool) bool {
	files, leftOut := in.files(path)
	if in.filesOnly && !remote.Is(path) && slices.ContainsFunc(files, func(f photo.File) bool { return f.Read != nil }) {
		files = []photo.File{{Path: path, Err: errors.New("--explain draws photos that are files: unpack the archive")}}
	}
	in.listed.Add(int64(len(files)))
	in.all.Store(last)
	in.leftOut = append(in.leftOut, leftOut...)
	for _, f := range files {
		if f.Read != nil && in.filesOnly { // on another machine
			f.Read, f.Err = nil, errors.New("--explain draws photos that are files on this machine: download it first")
		}
		if !yield(regraft.Photo{Path: f.Path, Err: f.Err, Read: f.Read}) {
			return false
		}
	}
	return true
}

// byteOrderMark begins texts of Windows' programs.
const byteOrderMark = "\ufeff"
