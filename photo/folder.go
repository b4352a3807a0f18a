package photo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"regraft/engine/random"
)

// Sample is one photo and the id of its class.
type Sample struct {
	Path  string
	Label int
}

// Dataset is a labelled folder: root/{train,val,test}/<class>/** or root/<class>/**.
type Dataset struct {
	Root string
	// Classes are the class names; a label is an index into them. They are
	// the folder names of train in byte order, as torchvision's ImageFolder has them.
	Classes []string
	// Train, Val and Test are sorted by path; Val and Test may be empty.
	Train, Val, Test []Sample
	// Split is whether Val was split off Train because no folder held it.
	Split bool
	// Ignored are files in class folders that are not photos by their name.
	Ignored []string
}

// ScanOptions says how the validation photos are found where no folder holds them.
type ScanOptions struct {
	// ValSplit is the share of each class that becomes Val (0: none). At
	// least one photo of each class stays in Train.
	ValSplit float64
	// Seed chooses them.
	Seed uint64
}

// The folder names of the parts of a dataset.
var (
	trainNames = []string{"train"}
	valNames   = []string{"val", "valid", "validation", "dev"}
	testNames  = []string{"test"}
)

// Scan reads the tree of a labelled folder. A missing or empty class, or a class in
// val or test that train lacks, is an error that shows the tree that was seen.
func Scan(root string, o ScanOptions) (*Dataset, error) {
	if !(o.ValSplit >= 0 && o.ValSplit < 1) {
		return nil, fmt.Errorf("a validation share of %g is not between 0 and 1", o.ValSplit)
	}
	parts, err := findParts(root)
	if err != nil {
		return nil, err
	}
	train := parts.train
	if train == nil {
		if parts.val != nil || parts.test != nil {
			return nil, fmt.Errorf("%s has no folder train beside its other parts\n%s", root, sketch(root, 1))
		}
		if train, err = readPart(root); err != nil {
			return nil, err
		}
	}
	d := &Dataset{Root: root, Classes: train.names()}
	if len(d.Classes) == 0 {
		return nil, fmt.Errorf("%s holds no class folders\n%s", train.dir, sketch(root, 2))
	}
	for _, p := range []struct {
		*part
		to *[]Sample
	}{{train, &d.Train}, {parts.val, &d.Val}, {parts.test, &d.Test}} {
		if p.part == nil {
			continue
		}
		if *p.to, err = p.label(d.Classes); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, sketch(root, 2))
		}
		d.Ignored = append(d.Ignored, p.ignored...)
	}
	if parts.val == nil && o.ValSplit > 0 {
		d.split(o)
	}
	return d, nil
}

// ScanEval reads the photos on which a model is judged: the part named split,
// else test, else val of root; or all of root where its folders are classes.
// Classes and labels are those of that part alone; its name is "" for all.
func ScanEval(root, split string) (d *Dataset, name string, err error) {
	parts, err := findParts(root)
	if err != nil {
		return nil, "", err
	}
	var chosen *part
	switch {
	case slices.Contains(trainNames, split):
		chosen = parts.train
	case slices.Contains(valNames, split):
		chosen = parts.val
	case slices.Contains(testNames, split):
		chosen = parts.test
	case split != "":
		return nil, "", fmt.Errorf("unknown split %q (known: train, val, test)", split)
	case parts.test != nil:
		chosen, split = parts.test, "test"
	case parts.val != nil:
		chosen, split = parts.val, "val"
	case parts.train != nil:
		return nil, "", fmt.Errorf("%s has neither test nor val; name the split train to judge on that", root)
	default:
		if chosen, err = readPart(root); err != nil {
			return nil, "", err
		}
	}
	if chosen == nil {
		return nil, "", fmt.Errorf("%s has no folder %s\n%s", root, split, sketch(root, 1))
	}
	d = &Dataset{Root: root, Classes: chosen.names(), Ignored: chosen.ignored}
	if len(d.Classes) == 0 {
		return nil, "", fmt.Errorf("%s holds no class folders\n%s", chosen.dir, sketch(root, 2))
	}
	if d.Test, err = chosen.label(d.Classes); err != nil {
		return nil, "", fmt.Errorf("%w\n%s", err, sketch(root, 2))
	}
	return d, split, nil
}

// part is one folder of class folders.
type part struct {
	dir     string
	classes []class
	ignored []string
}

type class struct {
	name   string
	photos []string
}

// partition holds the parts of a root that exist.
type partition struct{ train, val, test *part }

func findParts(root string) (p partition, err error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return p, fmt.Errorf("%s does not exist: give a folder that holds a folder of photos for each class", root)
	}
	if err != nil {
		return p, err
	}
	for _, e := range entries {
		var to **part
		switch {
		case slices.Contains(trainNames, e.Name()):
			to = &p.train
		case slices.Contains(valNames, e.Name()):
			to = &p.val
		case slices.Contains(testNames, e.Name()):
			to = &p.test
		}
		dir := filepath.Join(root, e.Name())
		if to == nil || !isDir(dir) {
			continue
		}
		if *to != nil {
			return p, fmt.Errorf("%s and %s both hold validation photos; keep one", (*to).dir, dir)
		}
		if *to, err = readPart(dir); err != nil {
			return p, err
		}
	}
	return p, nil
}

// readPart lists the classes of dir and their photos, both sorted.
func readPart(dir string) (*part, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	p := &part{dir: dir}
	for _, e := range entries { // in byte order of their names
		path := filepath.Join(dir, e.Name())
		if skipped(e.Name()) || !isDir(path) {
			continue
		}
		photos, ignored, err := walk(path)
		if err != nil {
			return nil, err
		}
		p.classes = append(p.classes, class{e.Name(), photos})
		p.ignored = append(p.ignored, ignored...)
	}
	return p, nil
}

func (p *part) names() []string {
	names := make([]string, len(p.classes))
	for i, c := range p.classes {
		names[i] = c.name
	}
	return names
}

// label turns the part's photos into samples whose labels index classes.
func (p *part) label(classes []string) ([]Sample, error) {
	var samples []Sample
	for _, c := range p.classes {
		id, found := slices.BinarySearch(classes, c.name)
		if !found {
			return nil, fmt.Errorf("%s has a class %q that train lacks", p.dir, c.name)
		}
		if len(c.photos) == 0 {
			return nil, fmt.Errorf("class %q in %s holds no photos", c.name, p.dir)
		}
		for _, path := range c.photos {
			samples = append(samples, Sample{path, id})
		}
	}
	return samples, nil
}

// split moves a random share of each class from Train to Val.
func (d *Dataset) split(o ScanOptions) {
	d.Split = true
	all := d.Train
	d.Train = nil
	for len(all) > 0 {
		label := all[0].Label
		n := 1
		for n < len(all) && all[n].Label == label {
			n++
		}
		share := int(float64(float64(n)*o.ValSplit) + 0.5)
		share = min(max(share, 1), n-1)
		chosen := random.At(o.Seed, "split", uint64(label)).Perm(n)[:share]
		for i, s := range all[:n] {
			if slices.Contains(chosen, i) {
				d.Val = append(d.Val, s)
			} else {
				d.Train = append(d.Train, s)
			}
		}
		all = all[n:]
	}
}

// sketch draws the folders below root for an error message.
func sketch(root string, depth int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seen: %s/", root)
	lines := 0
	var draw func(dir, indent string, depth int)
	draw = func(dir, indent string, depth int) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if skipped(e.Name()) || !isDir(path) {
				continue
			}
			if lines++; lines > 40 {
				if lines == 41 {
					fmt.Fprintf(&b, "\n%s...", indent)
				}
				return
			}
			photos, _, _ := walk(path)
			fmt.Fprintf(&b, "\n%s%s/ (%d photos)", indent, e.Name(), len(photos))
			if depth > 1 {
				draw(path, indent+"  ", depth-1)
			}
		}
	}
	draw(root, "  ", depth)
	return b.String()
}
