package sorter

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"regraft/atomicfile"
)

// put brings a photo to a path that is free; content is that of a photo that is no file.
func put(mode Mode, from, to string, content []byte) error {
	switch {
	case content != nil:
		return atomicfile.WriteNew(to, func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		})
	case mode == Link:
		if err := os.Link(resolved(from), to); err != nil {
			return fmt.Errorf("no link can be made, as between file systems: %w", reasonOf(err))
		}
		return nil
	case mode == Symlink:
		return os.Symlink(from, to)
	case mode == Move:
		return move(from, to)
	}
	return copyFile(from, to)
}

// resolved is a path without links, where it leads to something.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// copyFile copies a file with its time and permissions.
func copyFile(from, to string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := atomicfile.WriteNew(to, func(w io.Writer) error {
		_, err := io.Copy(w, file)
		return err
	}); err != nil {
		return err
	}
	if info, err := file.Stat(); err == nil {
		os.Chmod(to, info.Mode().Perm())
		os.Chtimes(to, time.Time{}, info.ModTime()) // where it can be kept
	}
	return nil
}

// move gives a file another name without ever taking one that is there. Between file systems, and on those without links, it is
// copied, and removed when the copy is on the disk. What cannot be removed stays, and the copy goes.
func move(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is a link, which is not moved")
	}
	if err := os.Link(from, to); errors.Is(err, fs.ErrExist) {
		return err
	} else if err != nil {
		if err := copyFile(from, to); err != nil {
			return err
		}
		syncFolder(filepath.Dir(to))
	}
	return takeAway(info, from, to)
}

// takeAway removes a photo that is at another path, too, unless it is no longer what it was before.
func takeAway(before fs.FileInfo, from, to string) error {
	now, err := os.Lstat(from)
	switch {
	case err == nil && (!os.SameFile(before, now) || now.Size() != before.Size() || !now.ModTime().Equal(before.ModTime())):
		err = errors.New("it has been written meanwhile")
	case err == nil:
		err = os.Remove(from)
	}
	if err != nil {
		os.Remove(to)
		return fmt.Errorf("it cannot be taken away from where it is: %w", reasonOf(err))
	}
	return nil
}

// syncFolder waits until the names in a folder are on the disk, where the system can.
func syncFolder(dir string) {
	if f, err := os.Open(dir); err == nil {
		f.Sync()
		f.Close()
	}
}

// reasonOf is the error of the system alone.
func reasonOf(err error) error {
	var link *os.LinkError
	var path *fs.PathError
	switch {
	case errors.As(err, &link):
		return link.Err
	case errors.As(err, &path):
		return path.Err
	}
	return err
}

// sameContent reports whether two files, both there, have the same bytes.
func sameContent(a, b string) bool {
	if atomicfile.Same(a, b) {
		return true
	}
	x, err := os.Open(a)
	if err != nil {
		return false
	}
	defer x.Close()
	y, err := os.Open(b)
	if err != nil {
		return false
	}
	defer y.Close()
	if i, err := x.Stat(); err != nil || !i.Mode().IsRegular() {
		return false
	} else if j, err := y.Stat(); err != nil || i.Size() != j.Size() {
		return false
	}
	p, q := make([]byte, 1<<16), make([]byte, 1<<16)
	for r, s := bufio.NewReader(x), bufio.NewReader(y); ; {
		n, err := io.ReadFull(r, p)
		m, other := io.ReadFull(s, q)
		if !bytes.Equal(p[:n], q[:m]) || err != other {
			return false
		}
		if err != nil {
			return err == io.EOF || err == io.ErrUnexpectedEOF
		}
	}
}

// hasSum reports whether a file has this SHA-256.
func hasSum(path, sum string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	h := sha256.New()
	_, err = io.Copy(h, file)
	return err == nil && hex.EncodeToString(h.Sum(nil)) == sum
}
