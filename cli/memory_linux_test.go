package cli

import (
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
)

// TestMemoryTold: a run in full mode takes about as much memory as it says before the first step.
func TestMemoryTold(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	cmd := program("train", "--model", inception, "--data", dataset(t, 40, 2), "--mode", "full", "--epochs", "2", "-b", "64", "--out", filepath.Join(t.TempDir(), "out"))
	status, text := ended(t, cmd)
	told := regexp.MustCompile(`memory: about (\d+) MB`).FindStringSubmatch(text)
	if status != 0 || told == nil {
		t.Fatalf("exit status %d, %s", status, text)
	}
	megabytes, _ := strconv.ParseFloat(told[1], 64)
	taken := float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) * 1024 / 1e6
	if ratio := taken / megabytes; ratio < 0.8 || ratio > 1.02 {
		t.Errorf("took %.0f MB, said %.0f", taken, megabytes)
	}
	t.Logf("took %.0f MB, said %.0f", taken, megabytes)
}
