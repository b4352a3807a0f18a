package photo

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// extensions are the names by which photos are found in folders. What a file
// is decides its content, later; formats that are not decoded are listed too,
// so that they are reported instead of silently left out.
var extensions = []string{
	".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".gif", ".webp", ".bmp", ".dib",
	".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl",
}

func extension(name string) string { return strings.ToLower(filepath.Ext(name)) }

// LeftOut is a file or folder that was passed over.
type LeftOut struct {
	Path string `json:"path"`
	// Why is one of the reasons below.
	Why string `json:"why"`
	// Photos is how many it holds or is, as far as names tell.
	Photos int `json:"photos"`
}

// Reasons to leave something out.
const (
	NotAPhoto  = "not a photo"
	OfSystem   = "hidden or of the system"
	NotAPart   = "beside the parts of the dataset"
	Unlabelled = "without a class folder"
	Excluded   = "sorted already"
)

// File is what a folder or an archive gives to classify: a photo, or a path with the reason why it is none.
type File struct {
	Path string
	Err  error
	// Read gives the content of a photo in an archive; nil where Path is its file.
	Read func() ([]byte, error)
}

// Files lists what is to be classified below path, sorted: every photo of a folder, and every folder
// that cannot be read; the photos of an archive; path itself where it is another file, or nothing, or a folder without photos. Also what
// it leaves out, among that the folders that are excluded.
func Files(path string, excluded ...string) ([]File, []LeftOut) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []File{{Path: path, Err: fmt.Errorf("%s: there is no such file or folder", Shown(path))}}, nil
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return []File{{Path: path, Err: below(path)}}, nil
	}
	if err == nil && info.Mode().IsRegular() {
		if files, leftOut, is := archived(path); is {
			return files, leftOut
		}
	}
	if err != nil || !info.IsDir() {
		return []File{{Path: path}}, nil
	}
	l := list(path, excluded...)
	var files []File
	for _, p := range l.photos {
		files = append(files, File{Path: p})
	}
	files = append(files, l.failed...)
	if len(files) == 0 {
		files = append(files, File{Path: path, Err: fmt.Errorf("%s: the folder holds no photos", Shown(path))})
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, l.leftOut
}

// below says that a path goes on behind a file.
func below(path string) error {
	file := filepath.Dir(path)
	for file != filepath.Dir(file) {
		if _, err := os.Stat(file); err == nil {
			break
		}
		file = filepath.Dir(file)
	}
	if lister(file) != nil {
		return fmt.Errorf("%s: photos in an archive have no paths of their own: give the archive, %s, or unpack it", Shown(path), Shown(file))
	}
	return fmt.Errorf("%s: %s is a file, no folder", Shown(path), Shown(file))
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// listing is what lies below a folder, each sorted by path.
type listing struct {
	photos, folders []string
	leftOut         []LeftOut
	failed          []File // folders that cannot be read
	excluded        []string
}

// list walks through dir. It follows links and visits each real folder once, so that loops end.
func list(dir string, excluded ...string) listing {
	var l listing
	for _, path := range excluded {
		if real, err := realPath(path); err == nil {
			l.excluded = append(l.excluded, real)
		}
	}
	l.visit(dir, map[string]bool{})
	slices.Sort(l.photos)
	slices.SortFunc(l.leftOut, func(a, b LeftOut) int { return strings.Compare(a.Path, b.Path) })
	return l
}

func (l *listing) visit(dir string, seen map[string]bool) {
	real, err := filepath.EvalSymlinks(dir)
	if err == nil && seen[real] {
		return
	}
	if seen[real] = true; l.excludes(dir) {
		l.leftOut = append(l.leftOut, leftOut(dir, Excluded))
		return
	}
	var entries []fs.DirEntry
	if err == nil {
		entries, err = os.ReadDir(dir)
	}
	if err != nil {
		l.failed = append(l.failed, File{Path: dir, Err: unreadable(dir, err)})
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch kindOf(path, e) {
		case systemEntry:
			l.leftOut = append(l.leftOut, leftOut(path, OfSystem))
		case folderEntry:
			l.folders = append(l.folders, path)
			l.visit(path, seen)
		case photoEntry:
			l.photos = append(l.photos, path)
		case otherEntry:
			l.leftOut = append(l.leftOut, LeftOut{Path: path, Why: NotAPhoto})
		}
	}
}

func (l *listing) excludes(dir string) bool {
	if len(l.excluded) == 0 {
		return false
	}
	real, err := realPath(dir)
	return err == nil && slices.Contains(l.excluded, real)
}

// realPath is the absolute path without links.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}

// unreadable is the error of a folder, with its path in front.
func unreadable(dir string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: the folder cannot be read: %w", Shown(dir), err)
}

// kind is what an entry of a folder is to us.
type kind int

const (
	systemEntry kind = iota
	folderEntry
	photoEntry
	otherEntry
)

func kindOf(path string, e fs.DirEntry) kind {
	switch {
	case ofSystem(e.Name()):
		return systemEntry
	case e.IsDir() || e.Type()&os.ModeSymlink != 0 && isDir(path):
		return folderEntry
	case slices.Contains(extensions, extension(path)) || BeginsAsPhoto(path):
		return photoEntry
	}
	return otherEntry
}

// Entry says what a file or folder below a folder is to a search for photos: a photo, a folder to look into, or why it is left out.
func Entry(path string, e fs.DirEntry) (photo, folder bool, why string) {
	switch kindOf(path, e) {
	case systemEntry:
		return false, false, OfSystem
	case folderEntry:
		return false, true, ""
	case photoEntry:
		return true, false, ""
	}
	return false, false, NotAPhoto
}

// BeginsAsPhoto reports whether a file is a photo by its first bytes, whatever its extension. TIFF counts only without one, since raw
// photos of cameras begin in the same way, and BMP's two letters only before its reserved zeros, since texts begin with them.
func BeginsAsPhoto(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() { // opening a pipe would wait
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 32)
	n, _ := io.ReadFull(f, head)
	head = head[:n]
	for _, f := range formats {
		if f.is(head) {
			return (f.name != "TIFF" || filepath.Ext(path) == "") && (f.name != "BMP" || len(head) > 10 && string(head[6:10]) == "\x00\x00\x00\x00")
		}
	}
	for _, f := range foreign {
		if f.is(head) {
			return slices.Contains(undecoded, f.name)
		}
	}
	return false
}

// undecoded are formats of photos that are not read: such a file is an error, not one that is left out.
var undecoded = []string{"HEIC", "AVIF", "JPEG XL", "JPEG 2000"}

// leftOut describes a folder or file that is passed over, with the number of photos in it.
func leftOut(path, why string) LeftOut {
	l := LeftOut{Path: path, Why: why}
	filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && slices.Contains(extensions, extension(p)) {
			l.Photos++
		}
		return nil // what cannot be read is not counted
	})
	return l
}

// endings counts what is no photo by the ends of the names, the most frequent first.
func endings(all []LeftOut) string {
	count := map[string]int{}
	for _, l := range all {
		if l.Why == NotAPhoto {
			count[cmp.Or(extension(l.Path), "no ending")]++
		}
	}
	var list []string
	for _, e := range slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(a, b))
	}) {
		list = append(list, fmt.Sprintf("%d %s", count[e], Shown(e)))
	}
	return few(list)
}

// Summary tells what was left out in a few lines: by reason, and by name where the system gave it.
func Summary(all []LeftOut) []string {
	var lines []string
	for _, why := range []string{NotAPart, Unlabelled, Excluded, OfSystem, NotAPhoto} {
		var names []string // in the order of the paths
		count := map[string]int{}
		total, photos := 0, 0
		for _, l := range all {
			if l.Why != why {
				continue
			}
			name := Shown(l.Path)
			if why == OfSystem {
				name = Shown(filepath.Base(l.Path))
			}
			if count[name]++; count[name] == 1 {
				names = append(names, name)
			}
			total++
			photos += l.Photos
		}
		if total == 0 {
			continue
		}
		for i, n := range names {
			if count[n] > 1 {
				names[i] = fmt.Sprintf("%d times %s", count[n], n)
			}
		}
		line := fmt.Sprintf("left out, %s: %s", why, few(names))
		if why == NotAPhoto && total > len(names[:min(len(names), 5)]) {
			line = fmt.Sprintf("left out, %s: %d files (%s): %s", why, total, endings(all), few(names))
		}
		if photos > 0 {
			line += " (" + Count(photos, "photo", "photos") + ")"
		}
		lines = append(lines, line)
	}
	return lines
}
