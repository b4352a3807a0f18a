package photo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Sample is one photo and the id of its class.
type Sample struct {
	Path  string
	Label int
}

// Dataset is a labelled folder: root/{train,val,test}/<class>/** or root/<class>/**. Names of parts are
// recognised in the spellings that people use (partnames.go).
type Dataset struct {
	Root string
	// Classes are the class names; a label is an index into them. They are
	// the folder names of train in byte order, as torchvision's ImageFolder has them.
	Classes []string
	// Train, Val and Test are sorted by path; Test, or else Val, may be empty.
	Train, Val, Test []Sample
	// Split is whether Val was split off Train because no folder held it.
	Split bool
	// LeftOut are the files and folders that are not used.
	LeftOut []LeftOut
	// Doubts are sentences about what was assumed, or looks wrong but may be meant.
	Doubts []string
}

// ScanOptions says how the validation photos are found where no folder holds them.
type ScanOptions struct {
	// ValSplit is the share of each class that becomes Val where no folder holds it. 0 means none where
	// there is a test part, and DefaultSplit where there is none. At least one photo of each class stays in Train.
	ValSplit float64
	// Whole leaves Train whole: whoever trains holds photos out as it likes.
	Whole bool
	// Seed chooses them.
	Seed uint64
}

// DefaultSplit is the share of train that validates where nothing else does.
const DefaultSplit = 0.2

// Scan reads the tree of a labelled folder and decides whether one can train on it. The error tells
// everything that is wrong with the folders, and shows the tree that was seen; what is wrong with the photos
// themselves finds [Check].
func Scan(root string, o ScanOptions) (*Dataset, error) {
	if !(o.ValSplit >= 0 && o.ValSplit < 1) {
		return nil, fmt.Errorf("a validation share of %g is not between 0 and 1", o.ValSplit)
	}
	l, err := readLayout(root)
	if err != nil {
		return nil, err
	}
	train := l.parts[partTrain]
	if train == nil {
		l.missTrain()
		return nil, l.refusal()
	}
	if test := l.parts[partTest]; test != nil && test.unlabelled(train) { // as contests hand them out
		n := len(test.photos())
		l.leftOut = append(l.leftOut, LeftOut{test.dir, Unlabelled, n})
		l.doubts = append(l.doubts, fmt.Sprintf("%s has no class folders: its %s not used", Shown(test.dir), Count(n, "photo is", "photos are")))
		delete(l.parts, partTest)
	}
	d := &Dataset{Root: root, Classes: train.names()}
	for i, to := range []*[]Sample{&d.Train, &d.Val, &d.Test} {
		if p := l.parts[partNames[i]]; p != nil {
			l.judge(p)
			*to = l.label(p, d.Classes)
		}
	}
	l.sameFolders()
	if len(l.problems) == 0 && len(train.classes) == 1 {
		l.problems = append(l.problems, train.single())
	}
	if len(l.problems) == 0 {
		l.validate(d, o)
	}
	if err := l.refusal(); err != nil {
		return nil, err
	}
	d.LeftOut, d.Doubts = l.leftOut, l.doubts
	return d, nil
}

// validate splits Val off where that is to be done.
func (l *layout) validate(d *Dataset, o ScanOptions) {
	if l.parts[partVal] != nil || o.Whole {
		return
	}
	if o.ValSplit == 0 && len(d.Test) == 0 {
		o.ValSplit = DefaultSplit
	}
	if o.ValSplit == 0 {
		return
	}
	d.split(o)
	if len(d.Val) == 0 {
		l.problems = append(l.problems, fmt.Sprintf("%s: the classes have too few photos to keep some for validation: one each; add photos, or a part val", Shown(d.Root)))
	}
	if lone := d.without(d.Val); len(lone) > 0 {
		l.doubts = append(l.doubts, fmt.Sprintf("%s with only one photo: it is trained on, and nothing validates", plural(lone, "class", "classes")))
	}
}

// without lists the classes of which samples has no photo.
func (d *Dataset) without(samples []Sample) []string {
	has := make([]bool, len(d.Classes))
	for _, s := range samples {
		has[s.Label] = true
	}
	var names []string
	for i, c := range d.Classes {
		if !has[i] {
			names = append(names, Shown(c))
		}
	}
	return names
}

// ScanEval reads the photos on which a model is judged: the part named split,
// else test, else val of root; or all of root where its folders are classes.
// Classes and labels are those of that part alone; its name is "" for all.
func ScanEval(root, split string) (d *Dataset, name string, err error) {
	wanted, rest := partName(split)
	if split != "" && (wanted == "" || rest != "") {
		return nil, "", fmt.Errorf("unknown split %q (known: train, val, test)", split)
	}
	l, err := readLayout(root)
	if err != nil {
		return nil, "", err
	}
	var chosen *part
	switch {
	case split != "" && l.divided:
		chosen = l.parts[wanted]
	case split != "":
	case !l.divided:
		chosen = l.parts[partTrain]
	case l.parts[partTest] != nil:
		chosen, split = l.parts[partTest], partTest
	case l.parts[partVal] != nil:
		chosen, split = l.parts[partVal], partVal
	default:
		return nil, "", fmt.Errorf("%s has neither test nor val; name the split train to judge on that", Shown(root))
	}
	if chosen == nil {
		return nil, "", fmt.Errorf("%s has no folder %s\n%s", Shown(root), split, sketch(root))
	}
	l.judge(chosen)
	d = &Dataset{Root: root, Classes: chosen.names()}
	d.Test = l.label(chosen, d.Classes)
	if err := l.refusal(); err != nil {
		return nil, "", err
	}
	d.LeftOut, d.Doubts = l.leftOut, l.doubts
	return d, split, nil
}

// label turns a part's photos into samples whose labels index classes, those of train.
func (l *layout) label(p *part, classes []string) []Sample {
	var samples []Sample
	var unknown []string
	present := 0
	for _, c := range p.classes {
		id, found := slices.BinarySearch(classes, c.name)
		if !found {
			unknown = append(unknown, c.name)
			continue
		}
		present++
		for _, path := range c.photos {
			samples = append(samples, Sample{path, id})
		}
	}
	switch {
	case len(classes) == 0: // of which judge tells
	case len(unknown) > 0:
		l.problems = append(l.problems, unknownClasses(Shown(p.dir)+" has", unknown, "that train lacks", classes))
	case present < len(classes) && present > 0:
		l.doubts = append(l.doubts, fmt.Sprintf("%s has only %d of the %d classes of train", Shown(p.dir), present, len(classes)))
	}
	return samples
}

// unknownClasses says which classes are not among those that are known, and which of these look the same.
func unknownClasses(who string, unknown []string, which string, known []string) string {
	var quoted []string
	for _, c := range unknown {
		quoted = append(quoted, fmt.Sprintf("%q", c))
	}
	text := fmt.Sprintf("%s a class %s %s", who, quoted[0], which)
	if len(unknown) > 1 {
		text = fmt.Sprintf("%s %d classes %s: %s", who, len(unknown), which, few(quoted))
	}
	for _, c := range unknown {
		if different := Difference(c, known); different != "" {
			return text + ": " + different
		}
	}
	return text
}

// UnknownClasses is an error where some classes of a folder are none of the labels of a model; nil where all are.
func UnknownClasses(classes, labels []string) error {
	unknown := slices.DeleteFunc(slices.Clone(classes), func(c string) bool { return slices.Contains(labels, c) })
	if len(unknown) == 0 {
		return nil
	}
	return errors.New(unknownClasses("the folder has", unknown, "that the model does not know", labels) + " (it knows: " + Few(12, ShownAll(labels)) + ")")
}

// plural counts names: "class a", "3 classes (a, b, c)".
func plural(names []string, one, many string) string {
	if len(names) == 1 {
		return one + " " + names[0]
	}
	return fmt.Sprintf("%d %s (%s)", len(names), many, few(names))
}

// FolderError says why a folder cannot be used.
type FolderError struct {
	Root string
	// Problems are sentences.
	Problems []string
	// Tree shows the folders that were seen.
	Tree string
}

func (e *FolderError) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0] + "\n" + e.Tree
	}
	return fmt.Sprintf("%d problems with %s:\n  %s\n%s", len(e.Problems), Shown(e.Root), strings.Join(e.Problems, "\n  "), e.Tree)
}

// refusal is a FolderError of all problems, or nil.
func (l *layout) refusal() error {
	if len(l.problems) == 0 {
		return nil
	}
	return &FolderError{l.root, l.problems, sketch(l.root)}
}
