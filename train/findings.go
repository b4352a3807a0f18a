package train

import (
	"fmt"

	"regraft/featurecache"
	"regraft/photo"
)

// findings keeps in a cache what looking at photos has found.
type findings struct {
	cache *featurecache.Cache
	keys  featurecache.Keys
	warn  func(string)
}

// Findings is a memory of photos that were decoded with these options before; nil without a cache. warn hears of the first one that cannot
// be kept.
func Findings(cache *featurecache.Cache, o photo.DecodeOptions, warn func(string)) photo.Memory {
	if cache == nil {
		return nil
	}
	return &findings{cache, featurecache.NewKeys(fmt.Sprint("finding ", photo.FindingGeneration), fmt.Sprintf("%+v", o)), warn}
}

func (f *findings) Get(h photo.Hash) ([]byte, bool) { return f.cache.GetBytes(f.keys.Of(h, 0)) }

func (f *findings) Put(h photo.Hash, content []byte) {
	if err := f.cache.PutBytes(f.keys.Of(h, 0), content); err != nil {
		f.warn(notKept(err))
	}
}

// notKept is a warning of a cache that cannot be written.
func notKept(err error) string {
	return fmt.Sprintf("the features are not kept for later: %v", err)
}
