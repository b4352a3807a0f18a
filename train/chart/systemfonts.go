package chart

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/image/font/sfnt"
)

// systemFonts lists the font files of this computer, plain styles first.
func systemFonts() []string {
	const most = 5000
	var files []string
	for _, dir := range fontFolders() {
		filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil // a folder that is missing or may not be read has no fonts for us
			case len(files) >= most:
				return fs.SkipAll
			}
			switch strings.ToLower(filepath.Ext(path)) {
			case ".ttf", ".ttc", ".otf", ".otc":
				files = append(files, path)
			}
			return nil
		})
	}
	slices.SortStableFunc(files, func(a, b string) int {
		return cmp.Or(cmp.Compare(ornaments(a), ornaments(b)), cmp.Compare(a, b))
	})
	return files
}

// ornaments counts the words in a font's name that set it apart from an upright sans serif of usual weight.
func ornaments(path string) int {
	n := 0
	name := strings.ToLower(filepath.Base(path))
	for _, word := range []string{"bold", "italic", "oblique", "light", "thin", "black", "mono", "condensed", "serif", "mincho", "emoji"} {
		n += strings.Count(name, word)
	}
	return n
}

// fontFolders are where operating systems keep fonts.
func fontFolders() []string {
	home, _ := os.UserHomeDir()
	switch runtime.GOOS {
	case "windows":
		return []string{filepath.Join(os.Getenv("WINDIR"), "Fonts"), filepath.Join(os.Getenv("LOCALAPPDATA"), "Microsoft", "Windows", "Fonts")}
	case "darwin":
		return []string{filepath.Join(home, "Library", "Fonts"), "/Library/Fonts", "/System/Library/Fonts"}
	}
	// The XDG Base Directory Specification, as fontconfig follows it.
	own, shared := os.Getenv("XDG_DATA_HOME"), os.Getenv("XDG_DATA_DIRS")
	if own == "" {
		own = filepath.Join(home, ".local", "share")
	}
	if shared == "" {
		shared = "/usr/local/share:/usr/share"
	}
	dirs := []string{filepath.Join(own, "fonts"), filepath.Join(home, ".fonts")}
	for _, dir := range filepath.SplitList(shared) {
		dirs = append(dirs, filepath.Join(dir, "fonts"))
	}
	return append(dirs, "/system/fonts")
}

// openFonts reads the fonts of a file, none where it holds something else. The file must stay open while they are used.
func openFonts(path string) (*os.File, []*sfnt.Font) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	collection, err := sfnt.ParseCollectionReaderAt(file)
	if err != nil {
		return file, nil
	}
	var fonts []*sfnt.Font
	for i := range collection.NumFonts() {
		if font, err := collection.Font(i); err == nil {
			fonts = append(fonts, font)
		}
	}
	return file, fonts
}
