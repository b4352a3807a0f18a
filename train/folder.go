package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"regraft/whole"
)

// The files of a run.
const (
	BestFile       = "best.onnx"
	CheckpointFile = "last.ckpt"
	ResultsFile    = "results.csv"
	ArgsFile       = "args.json"
	SummaryFile    = "summary.json"
	ConfusionCSV   = "confusion.csv"
	ConfusionPNG   = "confusion.png"
	CurvesPNG      = "curves.png"
)

// folder is where a run writes.
type folder struct {
	path string
	made bool // by this run
}

// openFolder makes the folder, or takes an empty one, or one that a run left that was killed before its first
// checkpoint; a run in it is only accepted when it is to be resumed.
func openFolder(path string, resume bool) (*folder, error) {
	if path == "" {
		return nil, &UsageError{"--out names no folder"}
	}
	entries, err := os.ReadDir(path)
	f := &folder{path: path}
	switch {
	case errors.Is(err, fs.ErrNotExist) && resume:
		return nil, &UsageError{fmt.Sprintf("%s does not exist, so there is nothing to resume", path)}
	case errors.Is(err, fs.ErrNotExist):
		f.made = true
		if err := os.MkdirAll(path, 0o777); err != nil {
			return nil, fmt.Errorf("cannot make the output folder: %w", err)
		}
	case err != nil:
		return nil, fmt.Errorf("cannot use the output folder: %w", err)
	case resume && !f.holds(CheckpointFile):
		return nil, &UsageError{fmt.Sprintf("%s holds no %s, so there is nothing to resume", path, CheckpointFile)}
	case !resume && f.holds(CheckpointFile):
		return nil, &UsageError{fmt.Sprintf("%s holds a run: continue it with --resume, or choose another --out", path)}
	case !resume && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != ArgsFile }):
		return nil, &UsageError{fmt.Sprintf("%s is not empty: choose another --out", path)}
	}
	return f, nil
}

// name is the path of a file in the folder.
func (f *folder) name(file string) string { return filepath.Join(f.path, file) }

func (f *folder) holds(file string) bool {
	_, err := os.Stat(f.name(file))
	return err == nil
}

// abandon removes what a run has written that failed before it had anything to keep, so that it can
// simply be started again.
func (f *folder) abandon() {
	if f.holds(CheckpointFile) || f.holds(BestFile) {
		return
	}
	os.Remove(f.name(ArgsFile))
	if f.made {
		os.Remove(f.path)
	}
}

// write writes a file whole: a failure leaves the old one, and nothing else.
func (f *folder) write(file string, content func(io.Writer) error) error {
	return whole.Write(f.name(file), content)
}

// writeJSON writes v, indented.
func (f *folder) writeJSON(file string, v any) error {
	return f.write(file, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}
