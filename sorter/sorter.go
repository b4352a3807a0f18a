// Package sorter puts photos into a folder for each class. It overwrites nothing, and writes down what it is about to do, so that a
// run that was killed goes on and every run can be undone.
package sorter

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"regraft/atomicfile"
	"regraft/photo"
)

// Mode is how a photo comes into its folder.
type Mode string

// The modes.
const (
	Copy    Mode = "copy"
	Link    Mode = "link" // a further name of the same file
	Symlink Mode = "symlink"
	Move    Mode = "move"
)

// Modes are all of them.
var Modes = []Mode{Copy, Link, Symlink, Move}

// Sorter puts photos into the folders of classes below a folder. Put is for one goroutine.
type Sorter struct {
	dir     string // absolute
	mode    Mode
	output  string            // absolute, or ""
	folders map[string]string // of the labels
	unknown string
	names   map[string]*names // by folder
	list    *list             // of this run; nil until there is something to write
	// placed are the names of photos in their folders, of all lists of the folder, by the hash of their place: there may be millions.
	// Nothing is believed of one before done has looked.
	placed map[uint64]string
	seed   maphash.Seed
	mutex  sync.Mutex // of moved, which goroutines read that decode photos
	// moved are where photos are that this run has taken away from where they were.
	moved map[string]string
}

// place is the hash of where a photo was and should come.
func (s *Sorter) place(from, folder string) uint64 {
	return maphash.Comparable(s.seed, [2]string{from, folder})
}

// Open prepares sorting into dir by the labels of a model. A run that answers into an output goes on, if resume says so, with what an
// earlier one has sorted for the same output.
func Open(dir string, mode Mode, labels []string, output string, resume bool) (*Sorter, error) {
	s := &Sorter{mode: mode, names: map[string]*names{}, placed: map[uint64]string{}, seed: maphash.MakeSeed(), moved: map[string]string{}}
	var err error
	if s.dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if output != "" {
		if s.output, err = filepath.Abs(output); err != nil {
			return nil, err
		}
	}
	s.folders, s.unknown = foldersOf(labels)
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return nil, err
	}
	lists, err := listsIn(s.dir)
	if err != nil {
		return nil, err
	}
	for _, path := range slices.Backward(lists) { // the last one first
		if err := s.recall(path, resume); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// recall reads the list of an earlier run, and continues it where it is this run's own.
func (s *Sorter) recall(path string, resume bool) error {
	h, records, end, err := readList(path)
	if err != nil {
		return err
	}
	own := resume && s.list == nil && s.output != "" && h.Output == s.output
	if own {
		if h.Mode != s.mode {
			return fmt.Errorf("%s was begun with %s: go on with that", path, h.Mode)
		}
		if s.list, err = continueList(path, end); err != nil {
			return err
		}
	}
	for i, r := range records {
		to := filepath.Join(s.dir, r.to())
		if i == len(records)-1 {
			atomicfile.Tidy(to) // what a killed run has begun to copy
		}
		if h.Mode != s.mode || s.mode == Move && !own { // a photo that was moved and is there again is another one
			continue
		}
		at := s.place(r.from(), filepath.Dir(r.to()))
		if _, later := s.placed[at]; !later || own {
			s.placed[at] = strings.Clone(filepath.Base(to))
		}
		if own && s.mode == Move {
			s.moved[r.from()] = to
		}
	}
	return nil
}

// Folders are the folders of all classes, and of photos of unknown ones.
func (s *Sorter) Folders() []string {
	all := []string{filepath.Join(s.dir, s.unknown)}
	for _, folder := range s.folders {
		all = append(all, filepath.Join(s.dir, folder))
	}
	return all
}

// List is the path of the list of what was done; "" where nothing was.
func (s *Sorter) List() string {
	if s.list == nil {
		return ""
	}
	return s.list.path
}

// Put puts the photo into the folder of its label, or of unknown ones. Content is that of a photo that is no file, which is
// always copied; nil else. It is not an error where an earlier run has done so.
func (s *Sorter) Put(path string, content []byte, label string, unknown bool) error {
	from, err := path, error(nil)
	if content == nil || !isAddress(path) {
		from, err = filepath.Abs(path)
	}
	if err != nil {
		return err
	}
	mode, folder := s.mode, s.folders[label]
	if unknown {
		folder = s.unknown
	}
	r := newRecord(from)
	if content != nil {
		mode = Copy
		sum := sha256.Sum256(content)
		r.SHA256 = hex.EncodeToString(sum[:])
	}
	at := s.place(from, folder)
	if name, known := s.placed[at]; known && s.done(mode, from, filepath.Join(s.dir, folder, name), content) {
		return nil
	}
	to, err := s.bring(mode, r, folder, content)
	if err != nil {
		return err
	}
	s.placed[at] = strings.Clone(filepath.Base(to))
	if mode == Move {
		s.mutex.Lock()
		s.moved[from] = to
		s.mutex.Unlock()
	}
	return nil
}

// bring puts a photo under a name that is free, also of those that another process takes meanwhile.
func (s *Sorter) bring(mode Mode, r record, folder string, content []byte) (to string, err error) {
	const attempts = 1000
	for range attempts {
		if to, err = s.choose(folder, r.from(), content != nil); err != nil {
			return "", err
		}
		if err = s.writeDown(&r, to); err != nil {
			return "", err
		}
		if err = put(mode, r.from(), to, content); err == nil {
			return to, nil
		}
		r.Void = true
		if e := s.writeDown(&r, to); e != nil {
			return "", errors.Join(err, e)
		}
		r.Void = false
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return "", err
}

// choose returns a path in the folder that is not taken.
func (s *Sorter) choose(folder, from string, foreign bool) (string, error) {
	dir := filepath.Join(s.dir, folder)
	n := s.names[folder]
	if n == nil {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return "", err
		}
		var err error
		if n, err = namesIn(dir); err != nil {
			return "", err
		}
		s.names[folder] = n
	}
	base := filepath.Base(from)
	if foreign && isAddress(from) {
		base, _, _ = strings.Cut(base, "?")
	}
	if foreign {
		base = safe(base[strings.LastIndexByte(base, '\\')+1:])
	}
	return filepath.Join(dir, n.free(base)), nil
}

// isAddress is whether a photo that is no file comes from another machine.
func isAddress(path string) bool { return strings.Contains(path, "://") }

// writeDown puts into the list what will be done.
func (s *Sorter) writeDown(r *record, to string) (err error) {
	if s.list == nil {
		if s.list, err = newList(s.dir, header{Schema: schema, Mode: s.mode, Output: s.output}); err != nil {
			return err
		}
	}
	rel, err := filepath.Rel(s.dir, to)
	if err != nil {
		return err
	}
	r.setTo(rel)
	return s.list.write(r, s.mode == Move)
}

// done reports whether the photo is in its place, and ends a move that a kill has cut.
func (s *Sorter) done(mode Mode, from, to string, content []byte) bool {
	switch mode {
	case Copy:
		return content != nil && holds(to, content) || content == nil && sameContent(from, to)
	case Link:
		return atomicfile.Same(from, to)
	case Symlink:
		target, err := os.Readlink(to)
		return err == nil && target == from
	}
	if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		_, err := os.Lstat(to)
		return err == nil
	}
	if resolved(from) == resolved(to) { // a link to where the photo is now
		return true
	}
	return sameContent(from, to) && os.Remove(from) == nil
}

func holds(path string, content []byte) bool {
	info, err := os.Stat(path)
	if err != nil || info.Size() != int64(len(content)) {
		return false
	}
	there, err := os.ReadFile(path)
	return err == nil && bytes.Equal(there, content)
}

// Where is the path of a photo now, which this run may have moved.
func (s *Sorter) Where(path string) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.moved) == 0 {
		return path
	}
	if from, err := filepath.Abs(path); err == nil {
		if to, moved := s.moved[from]; moved {
			if _, err := os.Lstat(path); err != nil {
				return to
			}
		}
	}
	return path
}

// Moved reports whether this run has moved a photo away from a path.
func (s *Sorter) Moved(path string) bool {
	from, err := filepath.Abs(path)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, moved := s.moved[from]
	return err == nil && moved
}

// Restore adds to what was found at an input, a file or a folder, what a killed run has moved away from there, so that the inputs are
// what they were.
func (s *Sorter) Restore(path string, found []photo.File) []photo.File {
	from, err := filepath.Abs(path)
	if err != nil || len(s.moved) == 0 {
		return found
	}
	if _, moved := s.moved[from]; moved {
		return []photo.File{{Path: path}}
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return found
	}
	var back []photo.File
	there := map[string]bool{}
	for _, f := range found {
		there[f.Path] = true
	}
	for was := range s.moved {
		rel, inside := strings.CutPrefix(was, strings.TrimSuffix(from, string(filepath.Separator))+string(filepath.Separator))
		if p := filepath.Join(path, rel); inside && !there[p] {
			back = append(back, photo.File{Path: p})
		}
	}
	if len(back) == 0 {
		return found
	}
	found = slices.DeleteFunc(slices.Clone(found), func(f photo.File) bool { return f.Path == path }) // that it holds no photos
	found = append(found, back...)
	slices.SortFunc(found, func(a, b photo.File) int { return strings.Compare(a.Path, b.Path) })
	return found
}

// Close ends the list.
func (s *Sorter) Close() error {
	if s.list == nil {
		return nil
	}
	return s.list.close()
}
