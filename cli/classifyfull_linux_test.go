package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestClassifyFullDisk: answers fill a file system of 64 KiB; once there is room, the run goes on to the same bytes.
func TestClassifyFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	defer syscall.Unmount(disk, 0)
	args := func(out string) []string {
		data := dataset(t, 10, 10)
		t.Chdir(data)
		return append([]string{"classify", "-m", modelFile, "--features", "--quiet", "--resume", "-o", out, "train", "test", "train", "test", "train", "test", "train", "test"}, plain...)
	}
	whole := filepath.Join(t.TempDir(), "whole.jsonl")
	must(t, args(whole)...)
	out := filepath.Join(disk, "a.jsonl")
	if r := run(t, args(out)...); r.status != statusFailed || !strings.Contains(r.stderr, "no space left") {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("half a file has the name of a whole one")
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	must(t, args(out)...)
	want, _ := os.ReadFile(whole)
	if got, err := os.ReadFile(out); err != nil || string(got) != string(want) {
		t.Errorf("the continued file differs (%v)", err)
	}
}
