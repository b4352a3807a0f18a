package photo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
)

// memory is a Memory that counts.
type memory struct {
	sync.Mutex
	kept      map[Hash][]byte
	gave, got int
}

func (m *memory) Get(h Hash) ([]byte, bool) {
	m.Lock()
	defer m.Unlock()
	b, known := m.kept[h]
	if known {
		m.gave++
	}
	return b, known
}

func (m *memory) Put(h Hash, b []byte) {
	m.Lock()
	defer m.Unlock()
	m.kept[h] = b
	m.got++
}

// TestFindingsKept: what was found before is found again without decoding; what cannot be read is looked at every time, and what a memory has
// damaged is found anew.
func TestFindingsKept(t *testing.T) {
	dir := t.TempDir()
	var photos []Sample
	for i, m := range rendered(t, 1)[:3] {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, m.jpeg(t, 90), 0o600); err != nil {
			t.Fatal(err)
		}
		photos = append(photos, Sample{Path: path})
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("no photo"), 0o600); err != nil {
		t.Fatal(err)
	}
	photos = append(photos, Sample{Path: bad})
	look := func(m Memory) []Finding {
		t.Helper()
		found, err := Examine(context.Background(), photos, CheckOptions{Memory: m})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	want, m := look(nil), &memory{kept: map[Hash][]byte{}}
	for _, c := range []struct {
		name      string
		before    func(Hash, []byte) []byte
		gave, got int
	}{
		{"the first time", nil, 0, 3},
		{"again", nil, 3, 0},
		{"cut", func(_ Hash, b []byte) []byte { return b[:len(b)-1] }, 3, 3},
		{"longer", func(_ Hash, b []byte) []byte { return append(b, 0) }, 3, 3},
	} {
		if c.before != nil {
			for h, b := range maps.Clone(m.kept) {
				m.kept[h] = c.before(h, b)
			}
		}
		m.gave, m.got = 0, 0
		if found := look(m); !reflect.DeepEqual(found, want) {
			t.Errorf("%s: other findings", c.name)
		}
		if m.gave != c.gave || m.got != c.got {
			t.Errorf("%s: %d taken from the memory and %d put there, want %d and %d", c.name, m.gave, m.got, c.gave, c.got)
		}
	}
	for h, b := range m.kept { // what it has stands for the photo
		var other Finding
		if !other.decode(b) {
			t.Fatal("not read")
		}
		other.W = 12345
		m.kept[h] = other.encode()
	}
	if found := look(m); found[0].W != 12345 {
		t.Error("a known photo was decoded")
	}
}

// TestFindingGeneration holds what is found of some pictures, and of files of every format. Where it fails, what memories have is no longer what would be found: raise
// FindingGeneration, and put the new sum here.
func TestFindingGeneration(t *testing.T) {
	sum := sha256.New()
	for _, m := range rendered(t, 1) {
		f := Finding{W: m.W, H: m.H, Look: lookAt(m)}
		sum.Write(f.encode())
	}
	var files []Sample
	for _, name := range []string{
		"turned.jpg", "rgba.png", "palette.png", "transparent.gif", "lossy_alpha.webp", "lossless_alpha.webp", "rgb.bmp", "lzw.tiff", "../jpeg/testdata/cmyk.jpg",
	} {
		files = append(files, Sample{Path: filepath.Join("testdata", name)})
	}
	found, err := Examine(t.Context(), files, CheckOptions{Decode: DecodeOptions{TIFF: true}})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range found {
		if f.Err != nil {
			t.Fatalf("%s: %v", files[i].Path, f.Err)
		}
		sum.Write(f.encode())
	}
	const generation, want = 1, "0cc7f5db1c1d9d793eac2f017c74b707f4e0fb465a1794b4b977676dbfff7beb"
	if got := fmt.Sprintf("%x", sum.Sum(nil)); FindingGeneration != generation || got != want {
		t.Errorf("generation %d, sum %s, want %d, %s", FindingGeneration, got, generation, want)
	}
}
