package sorter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"regraft/filelock"
)

// Lists are the lists that paths name: themselves, or those in a folder, the last ones first, as they are to be undone; each once.
func Lists(paths []string) ([]string, error) {
	var all []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			all = append(all, path)
			continue
		}
		lists, err := listsIn(path)
		if err != nil {
			return nil, err
		}
		if len(lists) == 0 {
			return nil, fmt.Errorf("%s holds no list of what was sorted (undo-000001.jsonl)", path)
		}
		slices.Reverse(lists)
		all = append(all, lists...)
	}
	var once []string
	for _, list := range all {
		if !slices.Contains(once, list) {
			once = append(once, list)
		}
	}
	return once, nil
}

// Undo takes back what a list says: photos that were moved go where they were, copies and links are removed where they are still what
// was made. Nothing is overwritten. It says how many photos were brought back, and calls stays for each that was not, with its
// reason; the list is removed when all were. It can be called again after a kill.
func Undo(path string, stays func(to string, why error)) (undone int, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if errors.Is(filelock.Try(file), filelock.ErrLocked) {
		return 0, fmt.Errorf("%s is still being written: wait for the end of that run", path)
	}
	h, records, _, err := readList(path)
	if err != nil {
		return 0, err
	}
	left := 0
	dir := filepath.Dir(path)
	folders := map[string]bool{}
	for _, r := range slices.Backward(records) {
		to := filepath.Join(dir, r.to())
		folders[filepath.Dir(to)] = true
		switch done, err := r.undo(h.Mode, to); {
		case err != nil:
			left++
			stays(to, err)
		case done:
			undone++
		}
	}
	for folder := range folders {
		os.Remove(folder) // where it is empty
	}
	if left > 0 {
		return undone, nil
	}
	file.Close() // an open file is not removed everywhere
	return undone, os.Remove(path)
}

// undo takes one photo back; false where nothing was done.
func (r record) undo(mode Mode, to string) (bool, error) {
	from := r.from()
	if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
		_, err := os.Lstat(from)
		if mode == Move && r.SHA256 == "" && err != nil {
			return false, fmt.Errorf("it is gone, from there and from %s", from)
		}
		return false, nil
	} else if err != nil {
		return false, err
	}
	switch {
	case r.SHA256 == "" && mode != Symlink && resolved(from) == resolved(to):
		return false, fmt.Errorf("%s is a link to it now", from)
	case r.SHA256 != "":
		if !hasSum(to, r.SHA256) {
			return false, errors.New("it has been changed since")
		}
	case mode == Copy:
		if !sameContent(from, to) {
			return false, fmt.Errorf("it is no longer a copy of %s", from)
		}
	case mode == Link:
		there, err := os.Stat(from)
		mine, e := os.Lstat(to)
		if err != nil || e != nil || !os.SameFile(there, mine) {
			return false, fmt.Errorf("it is no longer the same file as %s", from)
		}
	case mode == Symlink:
		if target, err := os.Readlink(to); err != nil || target != from {
			return false, fmt.Errorf("it is no longer a link to %s", from)
		}
	case mode == Move:
		return r.moveBack(from, to)
	}
	return true, os.Remove(to)
}

func (r record) moveBack(from, to string) (bool, error) {
	if _, err := os.Lstat(from); err == nil {
		if sameContent(from, to) { // a move that was cut
			return true, os.Remove(to)
		}
		return false, fmt.Errorf("another file is at %s now", from)
	}
	if err := os.MkdirAll(filepath.Dir(from), 0o777); err != nil {
		return false, err
	}
	return true, move(to, from)
}
