package train

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"regraft/filelock"
	"regraft/setting"
)

// lockFile stands in the folder of a run while that lives. A run that is killed leaves it, but not its lock.
const lockFile = ".lock"

// lock keeps other runs out of a folder.
type lock struct {
	file *os.File
	// killed says that the last holder did not come to release it.
	killed bool
	// unsupported is why the file system cannot lock; nil where it can.
	unsupported error
}

// acquire locks a folder. A UsageError says who holds it, and fs.ErrNotExist that the folder has vanished.
func acquire(folder string) (*lock, error) {
	path := filepath.Join(folder, lockFile)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		l := &lock{file: f}
		err = filelock.Try(f)
		if errors.Is(err, filelock.ErrLocked) {
			defer f.Close()
			return nil, usagef("%s is in use by another run (%s): wait for its end, or choose another %v", folder, holder(f), setting.Out)
		}
		l.unsupported = err
		if !filelock.Stands(f) { // its last holder removed the file after it was opened here
			f.Close()
			continue
		}
		if info, err := f.Stat(); err == nil {
			l.killed = info.Size() > 0
		}
		l.sign()
		return l, nil
	}
}

// sign writes who holds the lock, for those who find it taken; on a full disk they do not learn it.
func (l *lock) sign() {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	text := fmt.Sprintf("process %d on %s since %s", os.Getpid(), host, time.Now().Format("2006-01-02 15:04:05"))
	l.file.Truncate(0)
	l.file.WriteAt([]byte(text), 0)
}

// holder reads what sign wrote.
func holder(f *os.File) string {
	text, err := io.ReadAll(io.LimitReader(f, 200))
	if err != nil || len(text) == 0 {
		return "which has just begun"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, string(text))
}

// release removes the file while it is still locked, so that nobody's else is removed; where an open file cannot be, after it.
func (l *lock) release() {
	removed := os.Remove(l.file.Name())
	l.file.Close()
	if removed != nil {
		os.Remove(l.file.Name())
	}
}
