//go:build unix

package onnx

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile maps a file into memory, read-only.
func mapFile(f *os.File, size int64) ([]byte, error) {
	if int64(int(size)) != size {
		return nil, fmt.Errorf("%d bytes are too large for this machine's address space", size)
	}
	return unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
}

// release gives the whole pages in a piece of a mapped file back to the system. They stay in its page cache and come
// back when they are read again.
func release(piece []byte) {
	page := uintptr(os.Getpagesize())
	start := uintptr(unsafe.Pointer(unsafe.SliceData(piece)))
	from, to := (start+page-1)/page*page-start, (start+uintptr(len(piece)))/page*page
	if to < start+from+page {
		return
	}
	_ = unix.Madvise(piece[from:to-start], unix.MADV_DONTNEED) // a wish
}
