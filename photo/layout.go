package photo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// layout is how the folders below a root were understood.
type layout struct {
	root string
	// parts by their names; a root that is not divided is its own train part.
	parts   map[string]*part
	divided bool
	aside   []string // folders beside the parts
	leftOut []LeftOut
	doubts  []string
	// problems are sentences about what makes the folder useless for training.
	problems []string
}

// partNames in the order of reports.
var partNames = []string{partTrain, partVal, partTest}

// part is one folder of class folders.
type part struct {
	dir     string
	classes []class
	loose   []string // photos beside the class folders
	tables  []string // names of files that may hold labels, beside the class folders
}

type class struct {
	name, dir string
	listing
}

// foldersIn are those that lie directly in dir, which is the class folder or lies below it.
func (c *class) foldersIn(dir string) []string {
	return slices.DeleteFunc(slices.Clone(c.folders), func(path string) bool { return filepath.Dir(path) != dir })
}

// holdsPhotos is whether photos lie directly in the class folder.
func (c *class) holdsPhotos() bool {
	return slices.ContainsFunc(c.photos, func(path string) bool { return filepath.Dir(path) == c.dir })
}

func readLayout(root string) (*layout, error) {
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s does not exist: give a folder that holds a folder of photos for each class", Shown(root))
	case err == nil && !info.IsDir():
		return nil, fmt.Errorf("%s is a file: give a folder that holds a folder of photos for each class", Shown(root))
	}
	entries, err := readDir(root)
	if err != nil {
		return nil, err
	}
	l := &layout{root: root, parts: map[string]*part{}}
	names := make([]string, len(entries.folders))
	for i, dir := range entries.folders {
		names[i] = filepath.Base(dir)
	}
	found := partsAmong(names)
	l.divided = strings.Join(found, "") != ""
	if !l.divided {
		l.parts[partTrain], err = l.readPart(root, "")
		return l, err
	}
	l.leftOut = append(entries.others, entries.system...)
	for _, p := range entries.photos {
		l.leftOut = append(l.leftOut, LeftOut{p, NotAPart, 1})
	}
	for i, dir := range entries.folders {
		name := found[i]
		if name == "" {
			l.aside = append(l.aside, dir)
			l.leftOut = append(l.leftOut, leftOut(dir, NotAPart))
			continue
		}
		if _, rest := partName(names[i]); rest != "" {
			l.doubts = append(l.doubts, fmt.Sprintf("%s is taken as the part %s", Shown(dir), name))
		}
		if first := l.parts[name]; first != nil {
			l.problems = append(l.problems, fmt.Sprintf("%s and %s are both named as the part %s; keep one, or rename the other", Shown(first.dir), Shown(dir), name))
			continue
		}
		if l.parts[name], err = l.readPart(dir, name); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// folderEntries are the entries of one folder by kind, in byte order of their names.
type folderEntries struct {
	folders, photos []string
	system, others  []LeftOut
}

func readDir(dir string) (f folderEntries, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return f, unreadable(dir, err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch kindOf(path, e) {
		case systemEntry:
			f.system = append(f.system, leftOut(path, OfSystem))
		case folderEntry:
			f.folders = append(f.folders, path)
		case photoEntry:
			f.photos = append(f.photos, path)
		case otherEntry:
			f.others = append(f.others, LeftOut{Path: path, Why: NotAPhoto})
		}
	}
	return f, nil
}

// readPart lists the classes of dir and their photos, both sorted. A part that holds nothing but a folder of its own name, as
// archives leave it (train/train), is that folder.
func (l *layout) readPart(dir, name string) (*part, error) {
	entries, err := readDir(dir)
	if err != nil {
		return nil, err
	}
	if name != "" && len(entries.folders) == 1 && len(entries.photos) == 0 {
		inner := entries.folders[0]
		same, rest := partName(filepath.Base(inner))
		_, outer := partName(filepath.Base(dir))
		if same == name && rest == outer && !sameFile(inner, dir) {
			l.doubts = append(l.doubts, fmt.Sprintf("%s is taken as the part %s, since it is all that %s holds", Shown(inner), name, Shown(dir)))
			return l.readPart(inner, "")
		}
	}
	p := &part{dir: dir, loose: entries.photos}
	for _, o := range entries.others {
		if isTable(o.Path) {
			p.tables = append(p.tables, filepath.Base(o.Path))
		}
	}
	l.leftOut = append(l.leftOut, append(entries.others, entries.system...)...)
	for _, folder := range entries.folders {
		c := class{filepath.Base(folder), folder, list(folder)}
		l.leftOut = append(l.leftOut, c.leftOut...)
		p.classes = append(p.classes, c)
	}
	return p, nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// photos are all of a part.
func (p *part) photos() []string {
	all := slices.Clone(p.loose)
	for _, c := range p.classes {
		all = append(all, c.photos...)
	}
	return all
}

func (p *part) names() []string {
	names := make([]string, len(p.classes))
	for i, c := range p.classes {
		names[i] = c.name
	}
	return names
}

// sketchLines bounds what is drawn of a tree.
const sketchLines = 40

// sketch draws the folders below root for an error message.
func sketch(root string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seen: %s/", Shown(root))
	lines := 0
	var draw func(dir, indent string, depth int)
	draw = func(dir, indent string, depth int) {
		entries, err := readDir(dir)
		if err != nil {
			return
		}
		for _, path := range entries.folders {
			if lines++; lines > sketchLines {
				if lines == sketchLines+1 {
					fmt.Fprintf(&b, "\n%s...", indent)
				}
				return
			}
			l := list(path)
			fmt.Fprintf(&b, "\n%s%s/ (%s%s)", indent, Shown(filepath.Base(path)), Count(len(l.photos), "photo", "photos"), l.otherFiles())
			if depth > 1 {
				draw(path, indent+"  ", depth-1)
			}
		}
		if n := len(entries.photos); n > 0 {
			fmt.Fprintf(&b, "\n%s%s, %s", indent, Count(n, "photo", "photos"), few(bases(entries.photos)))
		}
	}
	draw(root, "  ", 2)
	return b.String()
}

// otherFiles counts the files that are no photos, where there is nothing else.
func (l *listing) otherFiles() string {
	others := 0
	for _, o := range l.leftOut {
		if o.Why == NotAPhoto {
			others++
		}
	}
	if len(l.photos) > 0 || others == 0 {
		return ""
	}
	return fmt.Sprintf(", %d other files", others)
}

// bases are the last elements of paths, as they may be printed.
func bases(paths []string) []string {
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = Shown(filepath.Base(p))
	}
	return names
}
