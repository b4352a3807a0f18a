package train

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"regraft/featurecache"
	"regraft/photo"
)

// TestFindings: what was found of a photo is known again with the same options and with no others, and of a cache that cannot be written the
// first photo tells.
func TestFindings(t *testing.T) {
	dir, o, heard := t.TempDir(), photo.DecodeOptions{TIFF: true}, &warnings{}
	cache := featurecache.Open(dir, featurecache.DefaultLimit)
	Findings(cache, o, heard.Warn).Put(photo.Hash{1}, []byte("found"))
	if got, known := Findings(cache, o, heard.Warn).Get(photo.Hash{1}); !known || !slices.Equal(got, []byte("found")) || heard.Len() > 0 {
		t.Errorf("%q, known %v, %s", got, known, heard)
	}
	for _, other := range []photo.DecodeOptions{{}, {TIFF: true, MaxPixels: 5}, {TIFF: true, MaxBytes: 5}} {
		if _, known := Findings(cache, other, heard.Warn).Get(photo.Hash{1}); known {
			t.Errorf("what %+v found is what %+v would find", o, other)
		}
	}
	if Findings(nil, o, heard.Warn) != nil {
		t.Error("a memory without a cache")
	}
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	full := Findings(featurecache.Open(file, featurecache.DefaultLimit), o, heard.Warn)
	full.Put(photo.Hash{1}, nil)
	told := heard.Len()
	if full.Put(photo.Hash{2}, nil); told == 0 || heard.Len() != told {
		t.Errorf("of a cache that cannot be written it is said: %s", heard)
	}
}
