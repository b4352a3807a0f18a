package photo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// extensions are the names by which photos are found in folders. What a file
// is decides its content, later; formats that are not decoded are listed too,
// so that they are reported instead of silently left out.
var extensions = []string{
	".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif",
}

func isPhotoName(name string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(name)))
}

// skipped is whether a name belongs to the system, not to the person: hidden
// files and what macOS and Windows leave in folders.
func skipped(name string) bool {
	switch strings.ToLower(name) {
	case "__macosx", "thumbs.db", "desktop.ini":
		return true
	}
	return strings.HasPrefix(name, ".")
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Files lists the photos to classify: files as they are named, in the order
// given, whatever they are called; of folders every photo below them, sorted.
// A path that does not exist stays in the list, to fail as a photo of its own.
func Files(paths ...string) ([]string, error) {
	var files []string
	for _, path := range paths {
		if !isDir(path) {
			files = append(files, path)
			continue
		}
		photos, _, err := walk(path)
		if err != nil {
			return nil, err
		}
		if len(photos) == 0 {
			return nil, fmt.Errorf("%s holds no photos", path)
		}
		files = append(files, photos...)
	}
	return files, nil
}

// walk lists the photos below dir and the files that are none by their names,
// both sorted. It follows links and visits each real folder once, so that loops end.
func walk(dir string) (photos, others []string, err error) {
	seen := map[string]bool{}
	var visit func(dir string) error
	visit = func(dir string) error {
		real, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return err
		}
		if seen[real] {
			return nil
		}
		seen[real] = true
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			switch {
			case skipped(e.Name()):
			case e.IsDir() || e.Type()&os.ModeSymlink != 0 && isDir(path):
				if err := visit(path); err != nil {
					return err
				}
			case isPhotoName(e.Name()):
				photos = append(photos, path)
			default:
				others = append(others, path)
			}
		}
		return nil
	}
	err = visit(dir)
	slices.Sort(photos)
	slices.Sort(others)
	return photos, others, err
}
