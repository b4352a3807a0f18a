package photo

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path"
	"slices"
	"strings"
)

// packed are the endings of archives that are not read.
var packed = []string{".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar"}

// archived lists the photos of the archive at a path, in its order; false where the name is not that of an archive. Members
// that leave the archive, are links or cannot be read have an error. Nothing is unpacked on the disk.
func archived(path string) ([]File, []LeftOut, bool) {
	for _, ending := range packed {
		if strings.HasSuffix(strings.ToLower(path), ending) {
			return []File{{Path: path, Err: fmt.Errorf("%s: archives are read as .zip, .tar and .tar.gz: unpack it", Shown(path))}}, nil, true
		}
	}
	list := lister(path)
	if list == nil {
		return nil, nil, false
	}
	a := &archive{path: path}
	if err := list(a); err != nil {
		a.files = append(a.files, File{Path: path, Err: fmt.Errorf("%s: the archive cannot be read: %w", Shown(path), err)})
	} else if len(a.files) == 0 {
		a.files = append(a.files, File{Path: path, Err: fmt.Errorf("%s: the archive holds no photos", Shown(path))})
	}
	return a.files, a.leftOut, true
}

// lister is what lists an archive of that name; nil where it is not that of one.
func lister(path string) func(*archive) error {
	switch name := strings.ToLower(path); {
	case strings.HasSuffix(name, ".zip"):
		return (*archive).listZip
	case strings.HasSuffix(name, ".tar"):
		return (*archive).listTar
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		return (*archive).listPacked
	}
	return nil
}

// archive is one that is being listed.
type archive struct {
	path    string
	files   []File
	leftOut []LeftOut
}

// member is a file in an archive.
type member struct {
	name    string
	dir     bool
	special bool  // a link or a device
	err     error // why it cannot be read
	// Where its bytes are.
	offset, length int64
	size           int64
	deflated       bool
	sum            *uint32 // CRC-32
	// content reads a member that is nowhere by itself; nil else.
	content func() ([]byte, error)
}

// add judges a member by its name.
func (a *archive) add(m member) {
	file := a.path + "/" + m.name
	switch why := ByName(m.name); {
	case m.dir:
	case leaves(m.name):
		a.refuse(file, errors.New("its path leaves the archive"))
	case m.special:
		a.refuse(file, errors.New("a link or a device, which is not followed"))
	case why != "":
		a.leftOut = append(a.leftOut, LeftOut{Path: file, Why: why})
	case m.err != nil:
		a.refuse(file, m.err)
	default:
		read := m.content
		if read == nil {
			read = func() ([]byte, error) { return m.read(a.path) }
		}
		a.files = append(a.files, File{Path: file, Read: read})
	}
}

func (a *archive) refuse(file string, err error) {
	a.files = append(a.files, File{Path: file, Err: fmt.Errorf("%s: %w", Shown(file), err)})
}

// leaves is whether a path is absolute or has .. in it, on any system.
func leaves(name string) bool {
	return path.IsAbs(name) || strings.HasPrefix(name, `\`) || len(name) > 1 && name[1] == ':' || slices.Contains(partsOf(name), "..")
}

// partsOf takes a path apart, of any system.
func partsOf(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' })
}

// ByName is why something of a name in an archive or the like is left out; "" for a photo.
func ByName(name string) (why string) {
	switch {
	case slices.ContainsFunc(partsOf(name), ofSystem):
		return OfSystem
	case !slices.Contains(extensions, extension(name)):
		return NotAPhoto
	}
	return ""
}

func (a *archive) listZip() error {
	z, err := zip.OpenReader(a.path)
	if errors.Is(err, zip.ErrInsecurePath) {
		err = nil
	}
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		m := member{name: f.Name, dir: f.Mode().IsDir(), special: !f.Mode().IsDir() && !f.Mode().IsRegular(), sum: &f.CRC32, deflated: f.Method == zip.Deflate}
		const encrypted = 1
		switch {
		case f.Flags&encrypted != 0:
			m.err = errors.New("it is encrypted")
		case f.Method != zip.Store && f.Method != zip.Deflate:
			m.err = fmt.Errorf("it is packed by method %d: only deflate is read", f.Method)
		case f.UncompressedSize64 > DefaultMaxBytes || f.CompressedSize64 > math.MaxInt64:
			m.err = tooLarge(f.UncompressedSize64)
		default:
			m.offset, m.err = f.DataOffset()
		}
		m.length, m.size = int64(f.CompressedSize64), int64(f.UncompressedSize64)
		a.add(m)
	}
	return nil
}

func tooLarge(bytes uint64) error {
	return fmt.Errorf("%d bytes are more than the limit of %d", bytes, DefaultMaxBytes)
}

func (a *archive) listTar() error {
	f, err := os.Open(a.path)
	if err != nil {
		return err
	}
	defer f.Close()
	for t := tar.NewReader(f); ; {
		h, err := t.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return err
		}
		m, is := tarMember(h)
		if !is {
			continue
		}
		if m.offset, err = f.Seek(0, io.SeekCurrent); err != nil { // the reader has read no further than the header
			return err
		}
		a.add(m)
	}
}

// tarMember is false for a header that says something of all members, as git archive writes it.
func tarMember(h *tar.Header) (member, bool) {
	m := member{name: h.Name, dir: h.Typeflag == tar.TypeDir, special: h.Typeflag != tar.TypeDir && h.Typeflag != tar.TypeReg, length: h.Size, size: h.Size}
	if h.Typeflag == tar.TypeGNUSparse || h.PAXRecords["GNU.sparse.major"] != "" || h.PAXRecords["GNU.sparse.map"] != "" {
		m.special, m.err = false, errors.New("it is stored with holes, which are not read")
	} else if h.Size > DefaultMaxBytes {
		m.err = tooLarge(uint64(h.Size))
	}
	return m, h.Typeflag != tar.TypeXGlobalHeader
}

// wanted is whether a member can be a photo that is read.
func (m member) wanted() bool {
	return !m.dir && !m.special && m.err == nil && slices.Contains(extensions, extension(m.name))
}

// read gives the member's content. It opens the archive anew, so that any number of archives can be listed.
func (m member) read(archive string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = io.NewSectionReader(f, m.offset, m.length)
	if m.deflated {
		r = flate.NewReader(r)
	}
	data, err := io.ReadAll(io.LimitReader(r, m.size+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("damaged in its archive: %w", err)
	case int64(len(data)) > m.size:
		return nil, fmt.Errorf("it unpacks to more than the %d bytes that its archive declares", m.size)
	case int64(len(data)) < m.size:
		return nil, errors.New("damaged in its archive: it ends too early")
	case m.sum != nil && crc32.ChecksumIEEE(data) != *m.sum:
		return nil, errors.New("damaged in its archive: its checksum is wrong")
	}
	return data, nil
}
