//go:build !linux

package golden

import "testing"

// FullDisk skips the test where no limits are known.
func FullDisk(tb testing.TB, bytes uint64) (end func()) { return noLimits(tb) }

// FewFiles skips the test where no limits are known.
func FewFiles(tb testing.TB, n int) (end func()) { return noLimits(tb) }

func noLimits(tb testing.TB) func() {
	tb.Helper()
	tb.Skip("limits of a process are known on Linux alone")
	return nil
}
