package cli

import (
	"slices"

	"regraft/photo"
	"regraft/train"
)

type checkJSON struct {
	Schema         string       `json:"schema"`
	Root           string       `json:"root"`
	Classes        []checkClass `json:"classes"`
	Split          bool         `json:"split"`
	Imbalance      float64      `json:"imbalance"`
	Unreadable     []string     `json:"unreadable"`
	Contradictions [][]string   `json:"contradictions"`
	Leaks          [][]string   `json:"leaks"`
	Duplicates     [][]string   `json:"duplicates"`
	// Those that look the same and whose bytes differ. A group may be among the first two.
	NearLeaks          [][]string `json:"near_leaks"`
	NearContradictions [][]string `json:"near_contradictions"`
	NearDuplicates     [][]string `json:"near_duplicates"`

	Tiny    []string        `json:"tiny"`
	Huge    []string        `json:"huge"`
	Odd     []photo.Oddity  `json:"odd"`
	Ignored []string        `json:"ignored"` // of LeftOut those that are not photos
	LeftOut []photo.LeftOut `json:"left_out"`
	// Problems are what train refuses, Warnings what it warns of.
	Problems []string `json:"problems"`
	Warnings []string `json:"warnings"`
	// Labels are those of train and val, the most doubtful first, where a model is given.
	Labels []train.LabelDoubt `json:"labels,omitempty"`
}

type checkClass struct {
	Label string `json:"label"`
	Train int    `json:"train"`
	Val   int    `json:"val"`
	Test  int    `json:"test"`
}

// noCheckJSON has a list wherever one belongs.
func noCheckJSON(root string) checkJSON {
	return checkJSON{
		Schema: "regraft/check/1", Root: photo.Text(root), Classes: []checkClass{}, Unreadable: []string{}, Contradictions: [][]string{}, Leaks: [][]string{},
		Duplicates: [][]string{}, NearLeaks: [][]string{}, NearContradictions: [][]string{}, NearDuplicates: [][]string{},
		Tiny: []string{}, Huge: []string{}, Odd: []photo.Oddity{}, Ignored: []string{}, LeftOut: []photo.LeftOut{}, Problems: []string{}, Warnings: []string{},
	}
}

// refusedJSON is the object of a folder whose photos were not looked at.
func refusedJSON(e *photo.FolderError) checkJSON {
	j := noCheckJSON(e.Root)
	for _, p := range e.Problems {
		j.Problems = append(j.Problems, photo.Text(p))
	}
	return j
}

func newCheckJSON(r *photo.Report) checkJSON {
	j := noCheckJSON(r.Root)
	j.Split, j.Imbalance = r.Split, r.Imbalance()
	j.Contradictions, j.Leaks, j.Duplicates = groups(r.Contradictions), groups(r.Leaks), groups(r.Duplicates)
	j.NearLeaks, j.NearContradictions, j.NearDuplicates = groups(r.NearLeaks), groups(r.NearContradictions), groups(r.NearDuplicates)
	for _, o := range r.Odd {
		j.Odd = append(j.Odd, photo.Oddity{Path: photo.Text(o.Path), Why: o.Why})
	}
	j.Tiny, j.Huge = photo.TextAll(r.Tiny), photo.TextAll(r.Huge)
	j.Warnings = append(j.Warnings, slices.Concat(r.Doubts, r.Warnings())...)
	for i, n := range r.PerClass {
		j.Classes = append(j.Classes, checkClass{r.Classes[i], n.Train, n.Val, n.Test})
	}
	for _, f := range r.Unreadable {
		j.Unreadable = append(j.Unreadable, photo.Text(f.Err.Error()))
	}
	for _, l := range r.LeftOut {
		l.Path = photo.Text(l.Path)
		j.LeftOut = append(j.LeftOut, l)
		if l.Why == photo.NotAPhoto {
			j.Ignored = append(j.Ignored, l.Path)
		}
	}
	for _, p := range r.Problems() {
		j.Problems = append(j.Problems, photo.Text(p.Err.Error()))
	}
	return j
}

func groups(all [][]string) [][]string {
	texts := make([][]string, len(all))
	for i, paths := range all {
		texts[i] = photo.TextAll(paths)
	}
	return texts
}
