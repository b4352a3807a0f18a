package cli

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft/atomicfile"
	"regraft/photo"
)

func embedCommand(con *console) *urfave.Command {
	flags := []urfave.Flag{modelFlag(), stringFlag("out", "", "`FILE`.npy, .npz, .csv or .parquet for the features", "output", "o")}
	return &urfave.Command{
		Name:        "embed",
		Usage:       "write the features of photos, the numbers that the classifier reads, to a file",
		ArgsUsage:   "--model M.onnx PATH... -o features.npz   (files, folders; - reads paths from stdin)",
		Description: "regraft embed --model runs/places/best.onnx data/places -o features.npz",
		Flags:       slices.Concat(flags, answeringFlags()),
		Action:      func(c *urfave.Context) error { return embedPhotos(con, c) },
	}
}

func embedPhotos(con *console, c *urfave.Context) error {
	model, out := c.String("model"), c.String("out")
	if err := needs(c, needed{"model", model}, needed{"out", out}); err != nil {
		return err
	}
	ending := strings.ToLower(filepath.Ext(out))
	newTable := tables[ending]
	if newTable == nil {
		return usagef("--out %q: the name must end in .npy, .npz, .csv or .parquet", out)
	}
	if c.NArg() == 0 {
		return usagef("no photos given: name files or folders, or - for paths on stdin")
	}
	e := &embedding{con: con, c: c, model: model, newTable: newTable}
	err := atomicfile.Write(out, func(w io.Writer) error { // a folder that is missing shows before anything takes time
		if e.err = e.write(w); e.err != nil {
			return e.err
		}
		return e.table.close()
	})
	switch {
	case e.err != nil: // not of the file
		return e.err
	case err != nil:
		return err
	}
	con.notef("%s: %d features of %s", out, e.features, counted(len(e.paths), "photo"))
	if ending == ".npy" { // has room for nothing else
		for i, path := range e.paths {
			con.printf("%s\t%s\n", shown(path), shown(e.labels[i]))
		}
	}
	return e.failed
}

// embedding writes a table of features.
type embedding struct {
	con      *console
	c        *urfave.Context
	model    string
	newTable func(w io.Writer, features int) table
	table    table
	// paths and labels are of the rows that were written.
	paths, labels []string
	features      int
	// failed says which photos have no features; err why there is no file, but for those of writing.
	failed, err error
}

// write makes the rows as the photos are read. It is an error where there are none.
func (e *embedding) write(w io.Writer) error {
	m, done, err := openForFeatures(e.con, e.c, e.model)
	if err != nil {
		return err
	}
	defer done()
	args := e.c.Args().Slice()
	label := labelsOf(args)
	e.failed, err = eachFeatures(e.c.Context, e.con, m, newInputs(e.con, args), func(path string, features []float32) error {
		if e.table == nil {
			e.features = len(features)
			e.table = e.newTable(w, e.features)
		}
		e.paths, e.labels = append(e.paths, path), append(e.labels, label[path])
		return e.table.add(photo.Text(path), photo.Text(label[path]), features)
	})
	if err == nil && e.table == nil {
		err = e.failed
	}
	return err
}
