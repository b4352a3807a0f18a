package photo

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// TestHostileArchives: each member that cannot be a photo to be read is one with its reason, the others are read, and what is no
// photo is left out.
func TestHostileArchives(t *testing.T) {
	files := []packedFile{{name: "clip.mp4", content: "film"}, {name: "__MACOSX/._b.jpg", content: "x"}, {name: "inner.zip", content: "PK"}}
	for _, h := range hostile {
		files = append(files, h.packedFile)
	}
	for ending, pack := range map[string]func(*testing.T, []packedFile) []byte{".zip": zipped, ".TAR": tarred} {
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
		{"a.tar.gz", whole, "unpack it"},
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
	f.Add(zipped(t, files), true)
	f.Add(tarred(t, files), false)
	f.Fuzz(func(t *testing.T, data []byte, isZip bool) {
		path := filepath.Join(t.TempDir(), map[bool]string{true: "a.zip", false: "a.tar"}[isZip])
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
