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

	"regraft/atomicfile"
	"regraft/setting"
)

// The files of a run.
const (
	BestFile       = "best.onnx"
	CheckpointFile = "last.ckpt"
	// PreviousFile is the checkpoint before that, until the run is complete.
	PreviousFile = "previous.ckpt"
	ResultsFile  = "results.csv"
	ArgsFile     = "args.json"
	SummaryFile  = "summary.json"
	ConfusionCSV = "confusion.csv"
	ConfusionPNG = "confusion.png"
	CurvesPNG    = "curves.png"
	PageFile     = "report.html"
	CardFile     = "MODEL_CARD.md"
	MetricsFile  = "metrics.json"
	// EventsFile is for TensorBoard, which knows such files by a part of the name.
	EventsFile = "events.out.tfevents.0.regraft"
	// featuresFile tells what a run in heads mode began with that has no checkpoint yet, but features in a cache; featuresDir is its
	// own cache, where it has no other.
	featuresFile = "features.ckpt"
	featuresDir  = "features"
)

// files are all that a run writes.
var files = []string{
	BestFile, CheckpointFile, PreviousFile, ResultsFile, ArgsFile, SummaryFile, ConfusionCSV, ConfusionPNG, CurvesPNG, PageFile, CardFile, MetricsFile, EventsFile,
	featuresFile, featuresDir,
}

// folder is where a run writes, locked while it lives.
type folder struct {
	path string
	made bool // by this run
	lock *lock
	// settled says that args.json was there before this run.
	settled bool
	// continues says that there is something to be resumed: a checkpoint, or features.
	continues bool
}

// openFolder makes the folder, or takes an empty one or that of a run; it removes the temporary files of writes that
// were killed. What a run has left is only accepted when it is to be resumed, or when there is nothing in it to go on from.
func openFolder(path string, resume bool) (*folder, error) {
	if path == "" {
		return nil, usagef("%v names no folder", setting.Out)
	}
	f := &folder{path: path}
	for f.lock == nil {
		_, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && resume:
			return nil, usagef("%s does not exist, so there is nothing to resume", path)
		case errors.Is(err, fs.ErrNotExist):
			f.made = true
			if err := os.MkdirAll(path, 0o777); err != nil {
				return nil, fmt.Errorf("cannot make the output folder: %w", err)
			}
		}
		if f.lock, err = acquire(path); errors.Is(err, fs.ErrNotExist) { // another run that failed has removed it
			continue
		}
		if usage := (*UsageError)(nil); err != nil && !errors.As(err, &usage) {
			err = fmt.Errorf("cannot use the output folder: %w", err)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := f.admit(resume); err != nil {
		f.lock.release()
		return nil, err
	}
	return f, nil
}

// admit decides by what the folder holds, and tidies up.
func (f *folder) admit(resume bool) error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return fmt.Errorf("cannot use the output folder: %w", err)
	}
	held, rests := map[string]bool{}, []string{}
	for _, e := range entries {
		if isRest := func(file string) bool { return atomicfile.IsRest(e.Name(), file) }; slices.ContainsFunc(files, isRest) {
			rests = append(rests, e.Name())
		} else if e.Name() != lockFile {
			held[e.Name()] = true
		}
	}
	f.continues = held[CheckpointFile] || held[PreviousFile] || held[featuresFile]
	f.settled = held[ArgsFile]
	ended := f.endedEarly(held)
	switch {
	case f.continues && !resume:
		return usagef("%s holds a run: continue it with %v, or choose another %v", f.path, setting.Resume, setting.Out)
	case resume && !f.continues && !ended && (held[SummaryFile] || !held[ArgsFile]):
		return usagef("%s holds no %s, so there is nothing to resume", f.path, CheckpointFile)
	case !resume && !ended:
		return usagef("%s is not empty: choose another %v", f.path, setting.Out)
	case ended && f.lock.killed:
		for file := range held {
			if file != ArgsFile {
				rests = append(rests, file)
			}
		}
	}
	for _, rest := range rests {
		os.Remove(f.name(rest))
	}
	return nil
}

// endedEarly reports whether files are what a run leaves that ends before its first checkpoint: none or its settings, and more
// only where it was killed.
func (f *folder) endedEarly(held map[string]bool) bool {
	for file := range held {
		if file != ArgsFile && !(f.lock.killed && file != SummaryFile && slices.Contains(files, file)) {
			return false
		}
	}
	return !f.continues
}

// name is the path of a file in the folder.
func (f *folder) name(file string) string { return filepath.Join(f.path, file) }

func (f *folder) holds(file string) bool {
	if f == nil { // nothing is written
		return false
	}
	_, err := os.Stat(f.name(file))
	return err == nil
}

// resumable reports whether a run can go on from what it has left.
func (f *folder) resumable() bool {
	return f.holds(CheckpointFile) || f.holds(PreviousFile) || f.holds(featuresFile)
}

func (f *folder) remove(file string) { os.Remove(f.name(file)) }

// close lets other runs in. After a failure before there was anything to keep, it removes what the run has written, so that
// it can simply be started again.
func (f *folder) close(failed bool) {
	nothing := failed && !f.resumable() && !f.holds(BestFile)
	if nothing && !f.settled {
		os.Remove(f.name(ArgsFile))
	}
	f.lock.release()
	if nothing && f.made {
		os.Remove(f.path)
	}
}

// write writes a file whole: a failure leaves the old one, and nothing else.
func (f *folder) write(file string, content func(io.Writer) error) error {
	return atomicfile.Write(f.name(file), content)
}

// writeNext is write that keeps the file that it replaces by the name of previous.
func (f *folder) writeNext(file, previous string, content func(io.Writer) error) error {
	kept := os.Rename(f.name(file), f.name(previous)) == nil
	err := f.write(file, content)
	if err != nil && kept {
		os.Rename(f.name(previous), f.name(file))
	}
	return err
}

// writeJSON writes v, indented.
func (f *folder) writeJSON(file string, v any) error {
	return f.write(file, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}
