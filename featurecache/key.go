package featurecache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// generation is part of every key. It rises whenever the arithmetic or the decoding of photos gives other bits than before.
const generation = 2

// Key names an entry.
type Key [sha256.Size]byte

func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Keys are those of one trunk with one preparation of photos.
type Keys struct{ prefix []byte }

// NewKeys are the keys of features that a trunk of the given hash computes; prepared says all that decides its input beside
// the photo's bytes.
func NewKeys(trunk, prepared string) Keys {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q", generation, trunk, prepared))
	return Keys{sum[:]}
}

// Of is the key of a view of the photo whose bytes have this SHA-256.
func (k Keys) Of(photo [sha256.Size]byte, view int) Key {
	return sha256.Sum256(fmt.Appendf(k.prefix[:len(k.prefix):len(k.prefix)], "%x %d", photo, view))
}
