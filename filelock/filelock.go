// Package filelock locks files between processes. The system lets go of a lock when its file is closed, however the process ends.
package filelock

import (
	"errors"
	"os"
)

// ErrLocked is what Try returns for a file that another process, or another open file of this one, has locked.
var ErrLocked = errors.New("locked")

// Stands reports whether the open file is still the one of its name.
func Stands(f *os.File) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(f.Name())
	return err == nil && os.SameFile(mine, there)
}
