package cli

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"io"
	"iter"
	"os"
	"path/filepath"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/answer"
	"regraft/journal"
	"regraft/photo"
	"regraft/watch"
)

// watching is a folder whose photos are answered for as they come, until ctx ends.
type watching struct {
	ctx      context.Context
	con      *console
	dir      string
	answered map[string]bool // by earlier runs: paths as texts
}

// checkWatch refuses flags that do not go with --watch.
func checkWatch(c *urfave.Context) error {
	dir := c.String("watch")
	if dir == "" {
		return nil
	}
	if c.NArg() > 0 {
		return usagef("--watch takes the photos of one folder: leave out %s", c.Args().First())
	}
	for _, flag := range []string{"files-from", "shard"} {
		if c.IsSet(flag) {
			return usagef("--watch and --%s contradict each other", flag)
		}
	}
	if format, err := formatOf(c); err == nil && c.String("out") != "" && format != "jsonl" && format != "csv" {
		return usagef("--watch needs --format jsonl or csv with --out, not %s", format)
	}
	if info, err := os.Stat(dir); err != nil {
		return fail(statusData, err)
	} else if !info.IsDir() {
		return usagef("--watch %s: not a folder", dir)
	}
	return nil
}

// newWatching is nil where --watch is not given.
func newWatching(con *console, c *urfave.Context) *watching {
	if c.String("watch") == "" {
		return nil
	}
	return &watching{ctx: c.Context, con: con, dir: c.String("watch")}
}

// origin says where the inputs come from, and how their paths begin.
func (w *watching) origin(o *journal.Origin) error {
	dir, err := filepath.Abs(w.dir)
	sum := sha256.Sum256([]byte(dir + "\x00" + filepath.Clean(w.dir)))
	o.Inputs, o.List = journal.OpenEnded, hex.EncodeToString(sum[:])
	return err
}

// recall reads for which photos there are answers in a format already.
func (w *watching) recall(answers io.Reader, format string) error {
	w.answered = map[string]bool{}
	if format == "csv" {
		rows := csv.NewReader(answers)
		rows.ReuseRecord = true
		for {
			row, err := rows.Read()
			if err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			w.answered[row[0]] = true
		}
	}
	for a, err := range answer.Lines(answers) {
		if err != nil {
			return err
		}
		w.answered[a.Path] = true
	}
	return nil
}

// photos are those that are there without an answer, and then those that come.
func (w *watching) photos(in *inputs) iter.Seq[regraft.Photo] {
	s, sorts := in.then.(*sorting)
	f := watch.Folder{
		Dir: w.dir,
		Known: func(path string) bool {
			// A photo that was moved away and is there again is another one.
			return w.answered[photo.Text(path)] && !(sorts && s.Moved(path))
		},
		LeftOut: func(l photo.LeftOut) { in.leftOut = append(in.leftOut, l) },
		Failed:  func(path string, err error) { w.con.warnf("%s cannot be watched: %v", shown(path), err) },
	}
	if sorts {
		f.Excluded = s.Folders()
	}
	return func(yield func(regraft.Photo) bool) {
		for path := range f.Photos(w.ctx) {
			in.listed.Add(1)
			if !yield(regraft.File(path)) {
				return
			}
		}
	}
}
