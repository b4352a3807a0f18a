package page

import (
	"encoding/base64"
	"fmt"
	"slices"
)

// MostPhotos is how many photos a page shows, MostBytes about how large their pictures may make it.
const (
	MostPhotos = 2000
	MostBytes  = 14_500_000
)

// gallery is how many photos a section shows at once, and listed how many doubts, duplicates and odd photos.
const (
	gallery = 12
	listed  = 24
)

// Order are the photos that the page shows, those first that matter most: what its sections begin with, all mistakes, and of each class in
// turn what is right, the least certain first.
func (r *Report) Order() []*Photo {
	var all []*Photo
	seen := map[*Photo]bool{}
	add := func(photos ...*Photo) {
		for _, p := range photos {
			if !seen[p] && len(all) < MostPhotos {
				seen[p] = true
				all = append(all, p)
			}
		}
	}
	mistakes := r.mistakes()
	add(mistakes[:min(gallery, len(mistakes))]...)
	uncertain := r.uncertain()
	add(uncertain[:min(gallery, len(uncertain))]...)
	for _, d := range r.Doubts[:min(listed, len(r.Doubts))] {
		add(d.Photo)
	}
	for _, d := range r.Duplicates[:min(listed, len(r.Duplicates))] {
		add(d.Photos...)
	}
	for _, o := range r.Odd[:min(listed, len(r.Odd))] {
		add(o.Photo)
	}
	add(mistakes...)
	ofClass := make([][]*Photo, len(r.Classes))
	for _, p := range uncertain {
		ofClass[p.Label] = append(ofClass[p.Label], p)
	}
	for turn := 0; len(all) < MostPhotos; turn++ {
		if !slices.ContainsFunc(ofClass, func(photos []*Photo) bool { return turn < len(photos) }) {
			break
		}
		for _, photos := range ofClass {
			if turn < len(photos) {
				add(photos[turn])
			}
		}
	}
	return all
}

// room are the photos that a page has place for.
type room struct {
	photos  []*Photo
	index   map[*Photo]int
	leftOut []string
}

// room takes photos in their order as long as their pictures fit.
func (r *Report) room() *room {
	m := &room{index: map[*Photo]int{}}
	order, bytes, dark := r.Order(), 0, 0
	for _, p := range order {
		bytes += base64.StdEncoding.EncodedLen(len(p.Thumbnail)) + base64.StdEncoding.EncodedLen(len(p.Overlay)) + len(p.Path)
		if bytes > MostBytes {
			break
		}
		m.index[p] = len(m.photos)
		m.photos = append(m.photos, p)
		if p.Thumbnail == nil {
			dark++
		}
	}
	judged := 0
	for _, p := range r.Judged {
		if _, shown := m.index[p]; shown {
			judged++
		}
	}
	if n := len(r.Judged); judged < n {
		m.leftOut = append(m.leftOut, fmt.Sprintf("%d of the %d judged photos are not on this page, so that it stays small; all figures count them. All mistakes come first, then, "+
			"class by class, what the model was least certain of.", n-judged, n))
	}
	if dark > 0 {
		m.leftOut = append(m.leftOut, fmt.Sprintf("%s without a picture: the file could not be read again.", count(dark, "photo")))
	}
	if n := len(r.Doubts) - listed; n > 0 {
		m.leftOut = append(m.leftOut, fmt.Sprintf("%d more labels look wrong than are shown.", n))
	}
	if n := len(r.Duplicates) - listed; n > 0 {
		m.leftOut = append(m.leftOut, fmt.Sprintf("%d more groups of the same photos were found than are shown.", n))
	}
	if n := len(r.Odd) - listed; n > 0 {
		m.leftOut = append(m.leftOut, fmt.Sprintf("%d more odd photos were found than are shown.", n))
	}
	return m
}
