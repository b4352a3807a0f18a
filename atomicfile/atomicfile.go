// Package atomicfile writes files that are either complete or not there at all.
package atomicfile

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"regraft/filelock"
)

// Write makes the file at path of what content writes: into a temporary file in the same folder, which is flushed to
// the disk and renamed. After an error, which names the path, a file that was there before is still what it was. What earlier writes of
// the same file have left that were killed is removed.
func Write(path string, content func(w io.Writer) error) error {
	Tidy(path)
	return write(path, content, true, os.Rename)
}

// WriteNew is Write of a file that is not there yet; where it is, the error is fs.ErrExist, also when another process is faster.
func WriteNew(path string, content func(w io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	return write(path, content, true, Place)
}

// Place gives a file its name unless that is taken: then the error is fs.ErrExist, and the file stays where it is.
func Place(temp, path string) error {
	if err := os.Link(temp, path); errors.Is(err, fs.ErrExist) {
		return err
	} else if err == nil {
		os.Remove(temp)
		return nil
	}
	// A file system without links: the name is taken by an empty file first.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	f.Close()
	return os.Rename(temp, path)
}

// Same reports whether two paths are one file, which is there.
func Same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// WriteUnflushed is Write for many small files that can be made again: it does not wait for the disk, so that a computer which loses
// its power may leave a damaged file at path.
func WriteUnflushed(path string, content func(w io.Writer) error) error {
	return write(path, content, false, os.Rename)
}

func write(path string, content func(w io.Writer) error, flush bool, name func(temp, path string) error) (err error) {
	temp, err := create(split(path))
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		err = failed.Err
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			temp.Close()
			os.Remove(temp.Name())
			err = fmt.Errorf("cannot write %s: %w", path, without(temp.Name(), err))
		}
	}()
	w := bufio.NewWriterSize(temp, 1<<16)
	steps := []func() error{func() error { return content(w) }, w.Flush, func() error { return temp.Chmod(0o644) }}
	if flush {
		steps = append(steps, temp.Sync)
	}
	for _, step := range append(steps, temp.Close) {
		if err = step(); err != nil {
			return err
		}
	}
	return name(temp.Name(), path)
}

// without is an error that does not name the temporary file, of which nobody knows.
func without(temp string, err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) && e.Path == temp {
		return e.Err
	}
	if e := (*os.LinkError)(nil); errors.As(err, &e) && e.Old == temp {
		return e.Err
	}
	return err
}

// split takes a path apart.
func split(path string) (folder, name string) {
	if folder, name = filepath.Split(path); folder == "" {
		folder = "."
	}
	return folder, name
}

// create makes a temporary file, which is locked as long as somebody writes it. Where the file system cannot lock, it is not.
func create(folder, name string) (*os.File, error) {
	const attempts = 3
	for n := 1; ; n++ {
		f, err := os.CreateTemp(folder, temporary(name))
		if err != nil {
			return nil, err
		}
		err = filelock.Try(f)
		if taken := errors.Is(err, filelock.ErrLocked) || !filelock.Stands(f); !taken || n == attempts {
			return f, nil
		}
		f.Close() // another write took it for a rest before it was locked
	}
}

// Tidy removes the temporary files of the file at path that nobody writes any more.
func Tidy(path string) {
	folder, name := split(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return // the file can be written all the same
	}
	for _, e := range entries {
		if !IsRest(e.Name(), name) || !e.Type().IsRegular() {
			continue
		}
		f, err := os.OpenFile(filepath.Join(folder, e.Name()), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		abandoned := filelock.Try(f) == nil
		f.Close()
		if abandoned {
			os.Remove(f.Name())
		}
	}
}

// longest is how many bytes of a name a temporary one can have in it, which ends in ten digits: file systems take 255.
const longest = 240

// temporary is the pattern of the temporary names of a file.
func temporary(name string) string {
	if len(name) > longest {
		sum := sha256.Sum256([]byte(name))
		name = hex.EncodeToString(sum[:8])
	}
	return "." + name + ".*"
}

// IsRest reports whether an entry of a folder is what a killed Write of the file of the given name leaves there.
func IsRest(entry, name string) bool {
	number, found := strings.CutPrefix(entry, strings.TrimSuffix(temporary(name), "*"))
	_, err := strconv.ParseUint(number, 10, 64)
	return found && err == nil
}
