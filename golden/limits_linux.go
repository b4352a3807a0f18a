package golden

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// FullDisk lets no file grow beyond so many bytes until end is called: writing more fails, as on a disk that is full. It is for tests that
// run Alone, since go test has files of its own.
func FullDisk(tb testing.TB, bytes uint64) (end func()) {
	tb.Helper()
	signal.Ignore(syscall.SIGXFSZ) // so that it is an error
	return limited(tb, fileSize, bytes)
}

// FewFiles lets n more files be opened at a time until end is called.
func FewFiles(tb testing.TB, n int) (end func()) {
	tb.Helper()
	var first uintptr // that shall fail
	for range n + 1 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			tb.Fatal(err)
		}
		defer f.Close()
		first = f.Fd()
	}
	return limited(tb, syscall.RLIMIT_NOFILE, uint64(first))
}

const fileSize = 1 // RLIMIT_FSIZE

func limited(tb testing.TB, resource int, most uint64) (end func()) {
	tb.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(resource, &before); err != nil {
		tb.Skipf("no limits here: %v", err)
	}
	set := func(l syscall.Rlimit) {
		if err := syscall.Setrlimit(resource, &l); err != nil {
			tb.Errorf("limit %d: %v", resource, err)
		}
	}
	set(syscall.Rlimit{Cur: min(most, before.Max), Max: before.Max})
	return func() { set(before) }
}
