package weights

import (
	"encoding/binary"
	"fmt"
)

// isPickle tells whether data begins like a pickle of protocol 2 to 5, which files of PyTorch before 1.6 are.
func isPickle(data []byte) bool {
	return len(data) > 2 && data[0] == opProto && data[1] >= 2 && data[1] <= 5
}

// legacyMagic begins files of PyTorch before 1.6, legacyVersion follows it.
const (
	legacyMagic   = long("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")
	legacyVersion = int64(1001)
)

// readLegacy reads the format of PyTorch before 1.6: pickles of a magic number, a version and the machine's sizes, the
// pickle proper, a pickled list of the storages' keys, then each storage as its number of elements and its bytes.
func readLegacy(data []byte) (*Tensors, error) {
	known := storages{}
	u := known.unpickler(func(string) ([]byte, error) { return nil, nil }) // they follow
	var values [5]any
	rest := data
	for i := range values {
		var err error
		if values[i], rest, err = u.unpickle(rest); err != nil {
			return nil, err
		}
		switch {
		case i == 0 && values[0] != any(legacyMagic):
			return nil, fmt.Errorf("a Python pickle, but none of PyTorch's")
		case i == 1 && values[1] != any(legacyVersion):
			version, _ := values[1].(int64)
			return nil, fmt.Errorf("a PyTorch file of version %d, only %d is read", version, legacyVersion)
		}
	}
	keys, ok := values[4].(*list)
	if !ok {
		return nil, fmt.Errorf("the list of storages is missing")
	}
	for _, key := range keys.items {
		name, _ := key.(string)
		s := known[name]
		if s == nil || s.raw != nil {
			return nil, fmt.Errorf("storage %q is listed without being used, or twice", name)
		}
		if len(rest) < 8 || binary.LittleEndian.Uint64(rest) != uint64(s.elements) {
			return nil, fmt.Errorf("storage %q does not have its %d elements: the file is damaged or truncated", name, s.elements)
		}
		rest = rest[8:]
		n := s.elements * s.dtype.width()
		if n > len(rest) {
			return nil, fmt.Errorf("storage %q reaches beyond the end: the file is truncated", name)
		}
		s.raw, rest = rest[:n:n], rest[n:]
	}
	return stateDict("legacy pth", values[3])
}
