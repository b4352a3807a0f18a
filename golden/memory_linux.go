package golden

import (
	"os"
	"syscall"
)

// InMemory lets a package's tests have their temporary folders in memory, where there is room for them: runs flush every file that they
// leave, for which a disk takes longer than the runs take. TestMain calls it.
func InMemory() {
	const dir, room = "/dev/shm", 4 << 30
	var s syscall.Statfs_t
	if os.Getenv("TMPDIR") == "" && syscall.Statfs(dir, &s) == nil && s.Bavail*uint64(s.Bsize) >= room {
		os.Setenv("TMPDIR", dir)
	}
}
