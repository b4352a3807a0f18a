package photo

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// packedFile is a file to be put into an archive.
type packedFile struct {
	name, content string
	mode          os.FileMode
}

// hostile are members of which all but two are no photos to be read, with what is said of them.
var hostile = []struct {
	packedFile
	says string
}{
	{packedFile{name: "a/b.jpg", content: "photo"}, ""},
	{packedFile{name: "../up.jpg", content: "x"}, "its path leaves the archive"},
	{packedFile{name: "a/../../up.txt", content: "x"}, "its path leaves the archive"},
	{packedFile{name: "/etc/passwd", content: "x"}, "its path leaves the archive"},
	{packedFile{name: `..\up.jpg`, content: "x"}, "its path leaves the archive"},
	{packedFile{name: `C:\up.jpg`, content: "x"}, "its path leaves the archive"},
	{packedFile{name: "link.jpg", content: "/etc/passwd", mode: os.ModeSymlink}, "a link"},
	{packedFile{name: "pipe", mode: os.ModeNamedPipe}, "a device"},
	{packedFile{name: "c.png", content: strings.Repeat("photo ", 1000)}, ""},
}

func zipped(t *testing.T, files []packedFile) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: uint16(i % 2 * int(zip.Deflate))}
		h.SetMode(f.mode | 0o644)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, f.content)
	}
	z.Close()
	return b.Bytes()
}

func tarred(t *testing.T, files []packedFile) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "of all"}}); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		switch f.mode {
		case os.ModeSymlink:
			h.Typeflag, h.Linkname, h.Size, f.content = tar.TypeSymlink, f.content, 0, ""
		case os.ModeNamedPipe:
			h.Typeflag = tar.TypeFifo
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, f.content)
	}
	w.Close()
	return b.Bytes()
}

func gzipped(t *testing.T, files []packedFile) []byte { return squeezed(tarred(t, files)) }

func squeezed(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// TestPackedOrder: members of a compressed archive are read in any order, by several goroutines too, and after more were passed over
// than are kept.
func TestPackedOrder(t *testing.T) {
	var files []packedFile
	for i := range 3 * mostPassed {
		files = append(files, packedFile{name: fmt.Sprintf("%d.jpg", i), content: fmt.Sprint(i)})
	}
	path := filepath.Join(t.TempDir(), "a.tgz")
	if err := os.WriteFile(path, append(gzipped(t, files), make([]byte, 512)...), 0o666); err != nil {
		t.Fatal(err)
	}
	found, _ := Files(path)
	if len(found) != len(files) {
		t.Fatalf("%d members, %v", len(found), found[len(found)-1])
	}
	check := func(i int) {
		if data, err := found[i].Read(); err != nil || string(data) != files[i].content {
			t.Errorf("member %d is %q, %v", i, data, err)
		}
	}
	for _, i := range []int{150, 149, 120, 150, 3, 191, 0, 0} {
		check(i)
	}
	var next atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(files); i = next.Add(1) - 1 {
				check(int(i))
			}
		})
	}
	all.Wait()
}

// TestPassedOver: what is kept of members that were passed over is bounded, the oldest go first, and a member is handed out once.
func TestPassedOver(t *testing.T) {
	s := &sequence{passed: map[int][]byte{}}
	for i := range 3 * mostPassed {
		s.keep(i, nil)
	}
	if _, oldest := s.passed[2*mostPassed]; len(s.passed) != mostPassed || len(s.order) != mostPassed || !oldest {
		t.Errorf("%d members are kept, %v", len(s.passed), s.order)
	}
	const quarter = mostPassedBytes / 4
	for i := range 6 {
		s.keep(1000+i, make([]byte, quarter))
	}
	if want := []int{1002, 1003, 1004, 1005}; !slices.Equal(s.order, want) || len(s.passed) != 4 || s.bytes != mostPassedBytes {
		t.Errorf("%d bytes of %v are kept, want %v", s.bytes, s.order, want)
	}
	if data, err := s.read(1003); err != nil || len(data) != quarter || s.bytes != 3*quarter || slices.Contains(s.order, 1003) {
		t.Errorf("%d bytes, %v; %d of %v are left", len(data), err, s.bytes, s.order)
	}
}

// TestHostileArchives: each member that cannot be a photo to be read is one with its reason, the others are read, and what is no
// photo is left out.
func TestHostileArchives(t *testing.T) {
	files := []packedFile{{name: "clip.mp4", content: "film"}, {name: "__MACOSX/._b.jpg", content: "x"}, {name: "inner.zip", content: "PK"}}
	for _, h := range hostile {
		files = append(files, h.packedFile)
	}
	for ending, pack := range map[string]func(*testing.T, []packedFile) []byte{".zip": zipped, ".TAR": tarred, ".tar.gz": gzipped, ".TGZ": gzipped} {
		path := filepath.Join(t.TempDir(), "photos"+ending)
		if err := os.WriteFile(path, pack(t, files), 0o666); err != nil {
			t.Fatal(err)
		}
		found, leftOut := Files(path)
		if len(found) != len(hostile) {
			t.Fatalf("%s: %v", ending, found)
		}
		for i, h := range hostile {
			f := found[i]
			if f.Path != path+"/"+h.name {
				t.Errorf("%s: path %q of %q", ending, f.Path, h.name)
			}
			if h.says == "" {
				if data, err := f.Read(); err != nil || string(data) != h.content {
					t.Errorf("%s: %s has %d bytes, %v", ending, h.name, len(data), err)
				}
			} else if f.Err == nil || !strings.Contains(f.Err.Error(), h.says) || f.Read != nil {
				t.Errorf("%s: %q: error %v, want %q", ending, h.name, f.Err, h.says)
			}
		}
		var names []string
		for _, l := range leftOut {
			names = append(names, filepath.Base(l.Path))
		}
		if !slices.Equal(names, []string{"clip.mp4", "._b.jpg", "inner.zip"}) {
			t.Errorf("%s: left out %q", ending, names)
		}
	}
}

// TestDamagedArchives: what an archive says wrongly about its members is an error of these, and of the archive where it has none.
func TestDamagedArchives(t *testing.T) {
	read := func(name string, data []byte) error {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		found, _ := Files(path)
		var all []error
		for _, f := range found {
			if f.Err == nil {
				_, f.Err = f.Read()
			}
			all = append(all, f.Err)
		}
		return errors.Join(all...)
	}
	// raw is a member whose header says what it likes.
	raw := func(change func(h *zip.FileHeader)) []byte {
		content := bytes.Repeat([]byte("bomb"), 100)
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		h := &zip.FileHeader{Name: "a.jpg", Method: zip.Store, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: 400, UncompressedSize64: 400}
		change(h)
		w, err := z.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(content)
		z.Close()
		return b.Bytes()
	}
	whole := tarred(t, []packedFile{{name: "a.jpg", content: strings.Repeat("x", 5000)}})
	// tarHeader is the beginning of a member, which says how large it is or what it is stored as.
	tarHeader := func(size int64, kind byte) []byte {
		var b bytes.Buffer
		if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: "a.jpg", Size: size, Typeflag: tar.TypeReg, Format: tar.FormatGNU}); err != nil {
			t.Fatal(err)
		}
		h := b.Bytes()
		h[156] = kind
		copy(h[148:], "        ")
		sum := 0
		for _, v := range h {
			sum += int(v)
		}
		copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
		return h
	}
	sparse := tar.Header{Name: "a.jpg", Size: 512, Typeflag: tar.TypeReg, PAXRecords: map[string]string{"GNU.$parse.major": "1", "GNU.$parse.minor": "0"}}
	var holes bytes.Buffer
	if err := tar.NewWriter(&holes).WriteHeader(&sparse); err != nil {
		t.Fatal(err)
	}
	defer func(was int64) { mostExpandedBy = was }(mostExpandedBy)
	mostExpandedBy = 1 << 20
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"a.zip", raw(func(*zip.FileHeader) {}), ""},
		{"a.zip", raw(func(h *zip.FileHeader) { h.CRC32++ }), "checksum"},
		{"a.zip", raw(func(h *zip.FileHeader) { h.UncompressedSize64 = 10 }), "unpacks to more than the 10 bytes"},
		{"a.zip", raw(func(h *zip.FileHeader) { h.UncompressedSize64 = 401 }), "ends too early"},
		{"a.zip", raw(func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 40 }), "more than the limit"},
		{"a.zip", raw(func(h *zip.FileHeader) { h.Method = zip.Deflate }), "damaged in its archive"},
		{"a.zip", raw(func(h *zip.FileHeader) { h.Method = 99 }), "method 99"},
		{"a.zip", raw(func(h *zip.FileHeader) { h.Flags |= 1 }), "encrypted"},
		{"a.zip", raw(func(h *zip.FileHeader) { h.Name = "a.txt" }), "holds no photos"},
		{"a.zip", []byte("no archive"), "cannot be read"},
		{"a.zip", nil, "cannot be read"},
		{"a.tar", whole, ""},
		{"a.tar", whole[:4000], "EOF"},
		{"a.tar", whole[:4000], "ends too early"},
		{"a.tar", tarHeader(DefaultMaxBytes+1, tar.TypeReg), "more than the limit"},
		{"a.tar", tarHeader(0, tar.TypeGNUSparse), "with holes"},
		{"a.tar", append(bytes.ReplaceAll(holes.Bytes(), []byte("$parse"), []byte("sparse")), "0\n"+strings.Repeat("\x00", 1022)...), "with holes"},
		{"a.tar", []byte("no archive"), "cannot be read"},
		{"a.tar.bz2", whole, "unpack it"},
		{"a.tgz", squeezed(whole), ""},
		{"a.tgz", squeezed(whole)[:60], "cannot be read"},
		{"a.tgz", squeezed(whole[:4000]), "cannot be read"},
		{"a.tgz", append(squeezed(whole)[:len(squeezed(whole))-8], 1, 2, 3, 4, 5, 6, 7, 8), "checksum"},
		{"a.tgz", squeezed(tarHeader(DefaultMaxBytes+1, tar.TypeReg)), "more than the limit"},
		{"a.tgz", squeezed(append(tarHeader(1<<40, tar.TypeReg), make([]byte, 4<<20)...)), "more than 100 times its size"},
		{"a.tgz", squeezed(append(whole, make([]byte, 4<<20)...)), "more than 100 times its size"},
		{"a.tgz", whole, "cannot be read"},
		{"a.tgz", nil, "cannot be read"},
		{"a.7z", whole, "unpack it"},
	} {
		err := read(c.name, c.data)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

// FuzzArchive: no bytes make an archive that ends the program.
func FuzzArchive(f *testing.F) {
	t := new(testing.T)
	files := []packedFile{{name: "a.jpg", content: "photo"}, {name: "../b.png", content: "x"}}
	endings := []string{".zip", ".tar", ".tgz"}
	f.Add(zipped(t, files), uint8(0))
	f.Add(tarred(t, files), uint8(1))
	f.Add(gzipped(t, files), uint8(2))
	f.Add(tarred(t, files), uint8(3)) // is compressed
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		if kind == 3 {
			data, kind = squeezed(data), 2
		}
		path := filepath.Join(t.TempDir(), "a"+endings[kind%3])
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		found, _ := Files(path)
		for _, f := range found {
			if f.Read != nil {
				f.Read()
			}
		}
	})
}

// TestBelowFiles: a path that goes on behind a file says so, and how the photos of an archive are given.
func TestBelowFiles(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		"photos.zip": "give the archive", "photos.TAR": "give the archive", "photos.tar.gz": "give the archive", "photos.TGZ": "give the archive",
		"photo.jpg": "is a file, no folder",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{filepath.Join(file, "a.jpg"), filepath.Join(file, "deep", "down", "a.jpg")} {
			files, _ := Files(path)
			if len(files) != 1 || files[0].Err == nil || !strings.Contains(files[0].Err.Error(), want) || !strings.Contains(files[0].Err.Error(), file+",") && !strings.Contains(files[0].Err.Error(), file+" is") {
				t.Errorf("%s: %+v", path, files)
			}
		}
	}
}
