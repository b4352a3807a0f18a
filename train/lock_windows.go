package train

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock locks the file for this handle, without waiting. The locked byte lies far behind the text, which others thus can read.
// Errors other than errLocked say that the file system cannot.
func tryLock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 20})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}
