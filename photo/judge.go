package photo

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// judge finds what is wrong with the classes of a part.
func (l *layout) judge(p *part) {
	add := func(format string, args ...any) { l.problems = append(l.problems, fmt.Sprintf(format, args...)) }
	dir, tables := Shown(p.dir), ""
	if len(p.tables) > 0 {
		tables = fmt.Sprintf(" (labels are taken from folders, not from %s)", few(bases(p.tables)))
	}
	switch {
	case len(p.classes) == 0 && len(p.loose) == 0:
		add("%s holds no class folders", dir)
	case len(p.classes) == 0:
		add("%s holds %s, but holds no class folders: put the photos of each class into a folder of its own%s%s", dir, Count(len(p.loose), "photo", "photos"), tables, l.asideClasses())
	case len(p.loose) > 0:
		add("%s holds %s outside of its class folders (%s): move %s into one, or away", dir, Count(len(p.loose), "photo", "photos"), few(bases(p.loose)), Form(len(p.loose), "it", "them"))
	}
	if divided := p.dividedClasses(); len(divided) > 0 {
		add("the folders of %s are not classes: %s; give one of the folders that hold such parts", dir, few(divided))
	}
	for _, c := range p.classes {
		if again := p.classesAgain(&c); len(again) > 1 {
			add("%s holds folders with the names of other classes (%s): it is none itself; move it away, or its photos into these", Shown(c.dir), few(again))
		}
	}
	if piles := p.piles(); len(piles) > 0 {
		below := ""
		if len(p.classes) == 1 {
			below = p.classes[0].below()
		}
		add("%s in %s is not a class by its name%s: put the photos of each class into a folder of its own, or rename it%s", few(piles), dir, tables, below)
	}
	var empty, notText []string
	for _, c := range p.classes {
		if len(c.failed) > 0 {
			add("%v", c.failed[0].Err)
		} else if len(c.photos) == 0 {
			empty = append(empty, fmt.Sprintf("%q", c.name))
		}
		if !utf8.ValidString(c.name) {
			notText = append(notText, fmt.Sprintf("%q", c.name))
		}
	}
	if len(empty) == 1 {
		add("class %s in %s holds no photos", empty[0], dir)
	} else if len(empty) > 1 {
		add("%d classes in %s hold no photos: %s", len(empty), dir, few(empty))
	}
	if len(notText) > 0 {
		add("the names of class folders in %s are not UTF-8, which a model cannot hold: %s; rename them (convmv -f latin1 -t utf8 does)", dir, few(notText))
	}
	l.doubtNames(p)
}

// dividedClasses are class folders that hold parts of a dataset themselves: then the root is one folder too high, or the parts lie
// below the classes.
func (p *part) dividedClasses() []string {
	var found []string
	for _, c := range p.classes {
		folders := bases(c.foldersIn(c.dir))
		parts := slices.DeleteFunc(partsAmong(folders), func(s string) bool { return s == "" })
		distinct := slices.Compact(slices.Sorted(slices.Values(parts)))
		if len(distinct) > 1 || len(parts) > 0 && len(parts) == len(folders) && !c.holdsPhotos() {
			found = append(found, fmt.Sprintf("%s holds %s", Shown(c.dir), few(folders)))
		}
	}
	return found
}

// classesAgain are the classes of a part by whose names there are folders in one of its class folders (cat, dog, new/cat, new/dog).
func (p *part) classesAgain(c *class) []string {
	inner := bases(c.foldersIn(c.dir))
	if len(inner) == 0 {
		return nil
	}
	return slices.DeleteFunc(ShownAll(p.names()), func(name string) bool { return !slices.Contains(inner, name) })
}

// piles are class folders that have the name of a folder for photos of all classes: where there are no other classes, or a table
// with the labels lies beside them.
func (p *part) piles() []string {
	piles := slices.DeleteFunc(p.names(), func(name string) bool { return !isPile(name) })
	if len(p.tables) == 0 && len(piles) < len(p.classes) {
		return nil
	}
	return quoteAll(piles)
}

func quoteAll(names []string) []string {
	for i, n := range names {
		names[i] = fmt.Sprintf("%q", n)
	}
	return names
}

// unlabelled is whether a part has photos of all classes of train together, at once or in a folder (test/images).
func (p *part) unlabelled(train *part) bool {
	return !slices.ContainsFunc(p.names(), func(name string) bool { return !isPile(name) || slices.Contains(train.names(), name) })
}

// single refuses a part with one class.
func (p *part) single() string {
	c := &p.classes[0]
	return fmt.Sprintf("%s holds 1 class, %q; a classifier needs at least 2%s", Shown(p.dir), c.name, c.below())
}

// below is what to do where the classes, or the parts, lie below this one folder.
func (c *class) below() string {
	dir := c.dir
	folders := c.foldersIn(dir)
	for len(folders) == 1 {
		dir = folders[0]
		folders = c.foldersIn(dir)
	}
	if len(folders) == 0 {
		return ""
	}
	return fmt.Sprintf("; if the folders of %s are the classes or the parts (%s), give that", Shown(dir), few(bases(folders)))
}

// missTrain explains a divided root without train.
func (l *layout) missTrain() {
	var have []string
	for _, name := range partNames {
		if p := l.parts[name]; p != nil {
			have = append(have, Shown(filepath.Base(p.dir)))
		}
	}
	l.problems = append(l.problems, fmt.Sprintf("%s has no folder train beside %s", Shown(l.root), strings.Join(have, " and "))+l.asideClasses())
}

// asideClasses is what to do where the folders beside a part are the classes, and the part perhaps one of them.
func (l *layout) asideClasses() string {
	if len(l.aside) == 0 {
		return ""
	}
	return fmt.Sprintf("; if the folders of %s are the classes (%s, ...), move them into a folder train", Shown(l.root), few(bases(l.aside)))
}

// sameFolders finds links by which two classes, or two parts, are one real folder.
func (l *layout) sameFolders() {
	parts, classes := map[string]string{}, map[string]string{} // the first path of each real folder
	once := func(seen map[string]string, path string, mayShare func(first string) bool) {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return
		}
		if first := seen[real]; first == "" {
			seen[real] = path
		} else if !mayShare(first) {
			l.problems = append(l.problems, fmt.Sprintf("%s and %s are the same folder", Shown(first), Shown(path)))
		}
	}
	for _, name := range partNames {
		if p := l.parts[name]; p != nil {
			once(parts, p.dir, func(string) bool { return false })
			for _, c := range p.classes { // of two parts: its photos are found in both, which a check tells
				once(classes, c.dir, func(first string) bool { return filepath.Base(first) == c.name })
			}
		}
	}
}

// doubtNames warns of classes that look the same, and of a root that may be one folder too high.
func (l *layout) doubtNames(p *part) {
	first := map[string]string{} // of the names that look the same
	for _, n := range p.names() {
		if other, found := first[folded(n)]; found {
			l.doubts = append(l.doubts, "two classes: "+Difference(n, []string{other}))
		} else {
			first[folded(n)] = n
		}
	}
	var inner []string
	for i, c := range p.classes {
		folders := bases(c.foldersIn(c.dir))
		if c.holdsPhotos() || len(folders) < 2 || i > 0 && !slices.Equal(folders, inner) {
			return
		}
		inner = folders
	}
	if len(p.classes) > 1 {
		l.doubts = append(l.doubts, fmt.Sprintf("%s are taken as classes, although each holds the same folders (%s): if these are the classes, give a folder that holds them",
			few(ShownAll(p.names())), few(inner)))
	}
}
