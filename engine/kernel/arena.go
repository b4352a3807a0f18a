package kernel

import (
	"fmt"
	"unsafe"
)

// Arena is one zeroed block of memory that the garbage collector neither scans nor moves, on 64-byte boundaries, in huge pages where
// the system grants them.
type Arena struct {
	bytes   []byte // what Floats hands out
	release func() error
}

// NewArena reserves that many bytes. Close returns them.
func NewArena(bytes int) (*Arena, error) {
	if bytes < 0 {
		return nil, fmt.Errorf("arena of %d bytes: the size is negative", bytes)
	}
	return newArena(max(bytes, 64))
}

// Len is the size in floats.
func (a *Arena) Len() int { return len(a.bytes) / 4 }

// Floats is the piece of n floats that begins off floats into the arena.
func (a *Arena) Floats(off, n int) []float32 {
	b := a.bytes[4*off : 4*(off+n) : 4*(off+n)]
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// Address is where the float at off lies.
func (a *Arena) Address(off int) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(a.bytes))) + uintptr(4*off)
}

// Discard lets the system have the memory until it is touched again, which then is zero, or what it was where the system takes none back.
func (a *Arena) Discard() { discard(a.bytes) }

// Close gives the memory back; no address or slice of it may be used afterwards.
func (a *Arena) Close() error {
	if a.bytes == nil {
		return nil
	}
	a.bytes = nil
	return a.release()
}
