package photo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Report holds what [Check] found out about a dataset.
type Report struct {
	*Dataset
	// Found is what Examine says of Train, Val and Test together.
	Found []Finding
	// PerClass has one entry for each of Classes.
	PerClass []ClassCount
	// Unreadable are the photos that do not decode; the errors name them.
	Unreadable []File
	// Leaks are groups of files with equal bytes on both sides of train and
	// val or test: they make results look better than they are.
	Leaks [][]string
	// Contradictions are such groups under different classes.
	Contradictions [][]string
	// Duplicates are all other such groups.
	Duplicates [][]string
	// NearLeaks, NearContradictions and NearDuplicates are such groups of photos that look the same and whose bytes differ: copies that
	// were scaled, compressed again, mirrored, made brighter or cropped a little. A group may be both of the first two.
	NearLeaks, NearContradictions, NearDuplicates [][]string
	// Still are classes of which most photos look the same, so that these groups leave them out.
	Still []string
	// Tiny photos have a side below TinySide, and Huge ones more than HugePixels.
	Tiny, Huge []string
	// Odd are photos in which there may be nothing to see.
	Odd []Oddity
}

// Oddity is what is odd about a photo, such as OddBlank.
type Oddity struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

// Problem is what is wrong with one photo, or with several that are the same.
type Problem struct {
	Paths []string
	Err   error
}

// Problems are what makes training useless while it lasts: photos that cannot be read, and photos under several
// classes, of which one label must be wrong. Without their Paths the dataset can be used.
func (r *Report) Problems() []Problem {
	var all []Problem
	for _, f := range r.Unreadable {
		all = append(all, Problem{[]string{f.Path}, f.Err})
	}
	for _, paths := range r.Contradictions {
		all = append(all, Problem{paths, fmt.Errorf("one photo under different classes: %s", few(ShownAll(paths)))})
	}
	return all
}

// Warnings are what the photos say that should be known before a result is trusted; Doubts are those of their folders.
func (r *Report) Warnings() []string {
	var all []string
	if n := len(r.Leaks); n > 0 {
		all = append(all, fmt.Sprintf("%s in train and in val or test, for example %s: accuracies will look too good",
			Count(n, "photo lies", "photos lie"), strings.Join(ShownAll(r.Leaks[0]), " = ")))
	}
	if n := len(r.NearLeaks); n > 0 {
		all = append(all, fmt.Sprintf("%s in train and in val or test, for example %s: accuracies will look too good",
			groupsAlike(n), few(ShownAll(r.NearLeaks[0]))))
	}
	if n := len(r.NearContradictions); n > 0 {
		all = append(all, fmt.Sprintf("%s under different classes, for example %s: one of the labels may be wrong",
			groupsAlike(n), few(ShownAll(r.NearContradictions[0]))))
	}
	if len(r.Still) > 0 {
		all = append(all, fmt.Sprintf("most photos of %s look the same, as those of a camera that stands still: near duplicates among them are not told",
			plural(ShownAll(r.Still), "class", "classes")))
	}
	if x := r.Imbalance(); x > 2 {
		all = append(all, fmt.Sprintf("the largest class has %.1f times the photos of the smallest: precision and recall tell more than accuracy", x))
	}
	return all
}

// groupsAlike counts groups of photos that look the same.
func groupsAlike(n int) string {
	return Count(n, "group of photos that look the same lies", "groups of photos that look the same lie")
}

// Refusal is one error that names all problems; nil where there is none.
func Refusal(problems []Problem) error {
	switch n := len(problems); n {
	case 0:
		return nil
	case 1:
		return List("1 problem should be solved before training:", problems)
	default:
		return List(fmt.Sprintf("%d problems should be solved before training:", n), problems)
	}
}

// MostListed bounds the problems that an error names.
const MostListed = 20

// List is an error of a title and a line for each of the first problems.
func List(title string, problems []Problem) error {
	lines := []string{title}
	for i, p := range problems {
		if i == MostListed {
			lines = append(lines, fmt.Sprintf("... and %d more", len(problems)-i))
			break
		}
		lines = append(lines, p.Err.Error())
	}
	return errors.New(strings.Join(lines, "\n  "))
}

// ClassCount is the number of photos of a class in each part.
type ClassCount struct{ Train, Val, Test int }

// What Check calls tiny and huge: photos that enlarging blurs, and photos
// that cost more time to decode than the network needs.
const (
	TinySide   = 64
	HugePixels = 50_000_000
)

// Imbalance is the largest class of train divided by the smallest.
func (r *Report) Imbalance() float64 {
	count := func(a, b ClassCount) int { return a.Train - b.Train }
	least, most := slices.MinFunc(r.PerClass, count), slices.MaxFunc(r.PerClass, count)
	return float64(most.Train) / float64(max(least.Train, 1))
}

// CheckOptions says how a folder is checked.
type CheckOptions struct {
	Scan    ScanOptions
	Decode  DecodeOptions
	Workers int // photos decoded at the same time; 0 means one per CPU
	// BytesOnly reads the files and decodes nothing.
	BytesOnly bool
	// Memory, if set, knows photos that were looked at before, and takes what is found of others.
	Memory Memory
	// Retry, if set, is asked as LoaderOptions' when a photo cannot be read or decoded.
	Retry func(err error, attempt int) bool
	// Progress, if set, is called after each photo, by several goroutines.
	Progress func(done, total int)
}

// Check scans a labelled folder and decodes every photo in it. The error is
// Scan's, or ctx's when that is cancelled. One can train on the folder when there is
// no error and the report has no Problems; train decides by the same.
func Check(ctx context.Context, root string, o CheckOptions) (*Report, error) {
	d, err := Scan(root, o.Scan)
	if err != nil {
		return nil, err
	}
	found, err := Examine(ctx, slices.Concat(d.Train, d.Val, d.Test), o)
	if err != nil {
		return nil, err
	}
	r := d.Report(found)
	near, still, err := d.Alike(ctx, found)
	r.AddAlike(near, still)
	return r, err
}

// Report makes the report of a dataset from what Examine found of Train, Val and Test together, in this order.
func (d *Dataset) Report(found []Finding) *Report {
	photos := slices.Concat(d.Train, d.Val, d.Test)
	r := &Report{Dataset: d, Found: found, PerClass: make([]ClassCount, len(d.Classes))}
	for i := range photos {
		r.count(i, photos[i])
		r.judge(photos[i].Path, found[i])
	}
	r.Leaks, r.Contradictions, r.Duplicates = r.sorted(equals(found))
	return r
}

// partOf tells where photo i of train, val and test together stands: 0, 1 or 2.
func (d *Dataset) partOf(i int) int {
	switch {
	case i < len(d.Train):
		return 0
	case i < len(d.Train)+len(d.Val):
		return 1
	}
	return 2
}

func (r *Report) count(i int, s Sample) {
	c := &r.PerClass[s.Label]
	*[]*int{&c.Train, &c.Val, &c.Test}[r.partOf(i)]++
}

func (r *Report) judge(path string, f Finding) {
	switch {
	case f.Err != nil:
		r.Unreadable = append(r.Unreadable, File{Path: path, Err: f.Err})
	case min(f.W, f.H) < TinySide:
		r.Tiny = append(r.Tiny, path)
	case f.W*f.H > HugePixels:
		r.Huge = append(r.Huge, path)
	}
	if f.Look == nil {
		return
	}
	if why := f.Look.odd(f.W, f.H); why != "" {
		r.Odd = append(r.Odd, Oddity{path, why})
	}
}

// equals are the photos whose bytes are equal, as indices: groups of two and more, in the order of the photos.
func equals(found []Finding) [][]int {
	g := NewGroups(len(found))
	for i, first := range equalTo(found) {
		g.Join(first, i)
	}
	return g.Several()
}

// contradict reports whether the photos of a group have different labels.
func contradict(photos []Sample, group []int) bool {
	return slices.ContainsFunc(group, func(i int) bool { return photos[i].Label != photos[group[0]].Label })
}

func pathsOf(photos []Sample, group []int) []string {
	paths := make([]string, len(group))
	for k, i := range group {
		paths[k] = photos[i].Path
	}
	return paths
}

// Contradictions are the photos that lie under different classes, given what Examine found of them: groups of equal bytes.
func Contradictions(photos []Sample, found []Finding) [][]string {
	var all [][]string
	for _, group := range equals(found) {
		if contradict(photos, group) {
			all = append(all, pathsOf(photos, group))
		}
	}
	return all
}

// sorted divides groups of photos by what they mean; one may be a leak and a contradiction.
func (r *Report) sorted(groups [][]int) (leaks, contradictions, duplicates [][]string) {
	photos := slices.Concat(r.Train, r.Val, r.Test)
	for _, members := range groups {
		leak, contradiction, paths := r.leak(members), contradict(photos, members), pathsOf(photos, members)
		if leak {
			leaks = append(leaks, paths)
		}
		if contradiction {
			contradictions = append(contradictions, paths)
		}
		if !leak && !contradiction {
			duplicates = append(duplicates, paths)
		}
	}
	return leaks, contradictions, duplicates
}

// leak reports whether a group lies on both sides of train and all else.
func (r *Report) leak(members []int) bool {
	train := func(i int) bool { return r.partOf(i) == 0 }
	return slices.ContainsFunc(members, func(i int) bool { return train(i) != train(members[0]) })
}

// AddAlike adds what the dataset's Alike says.
func (r *Report) AddAlike(near [][]int, still []string) {
	r.Still = still
	r.NearLeaks, r.NearContradictions, r.NearDuplicates = r.sorted(near)
}
