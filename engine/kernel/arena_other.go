//go:build !linux

package kernel

import "unsafe"

func newArena(bytes int) (*Arena, error) {
	f := Aligned((bytes + 3) / 4)
	return &Arena{unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), bytes), func() error { return nil }}, nil
}

func discard([]byte) {}
