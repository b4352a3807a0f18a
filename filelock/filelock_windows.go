package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// Try locks the file for this handle, without waiting. The locked byte lies far behind the text, which others thus can read.
// Errors other than ErrLocked say that the file system cannot.
func Try(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 20})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}
