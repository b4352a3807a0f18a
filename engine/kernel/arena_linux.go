package kernel

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

const hugePage = 2 << 20

func newArena(bytes int) (*Arena, error) {
	whole, err := unix.Mmap(-1, 0, bytes+hugePage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("no memory for %d MiB of activations and weights: %w", bytes>>20, err)
	}
	_ = unix.Madvise(whole, unix.MADV_HUGEPAGE) // advice that may be ignored
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(whole))) & (hugePage - 1))
	return &Arena{whole[skip : skip+bytes], func() error { return unix.Munmap(whole) }}, nil
}

func discard(bytes []byte) {
	page := unix.Getpagesize()
	from := int(-uintptr(unsafe.Pointer(unsafe.SliceData(bytes))) & uintptr(page-1))
	if to := from + (len(bytes)-from)/page*page; to > from {
		_ = unix.Madvise(bytes[from:to], unix.MADV_DONTNEED) // advice that may be ignored
	}
}
