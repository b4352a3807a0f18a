package cli

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk trains into a file system of 64 KiB: the run fails with a clear line and leaves no
// half-written file.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	defer syscall.Unmount(disk, 0)
	out := filepath.Join(disk, "run")
	r := run(t, "train", "--quiet", "--model", model, "--data", dataset(t, 3, 2), "--epochs", "2", "--out", out)
	if r.status != statusFailed || !strings.Contains(r.stderr, "no space left") {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}
	for _, pattern := range []string{"best.onnx", "last.ckpt", "previous.ckpt", ".*"} {
		if left, _ := filepath.Glob(filepath.Join(out, pattern)); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}
