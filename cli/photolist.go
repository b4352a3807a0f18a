package cli

import (
	"iter"

	"regraft"
)

// photoList holds photos in their order. Nearly all of them are nothing but paths, of which there may be millions: they lie one behind
// the other in chunks, in which the garbage collector has nothing to follow.
type photoList struct {
	chunks []chunk
	// special are those that are more than a path, by their place.
	special map[int]regraft.Photo
	n       int
}

// chunk is the text of perChunk paths, or of fewer at the end of a list, and where each ends.
type chunk struct {
	text []byte
	ends []int
}

const perChunk = 4096

func (l *photoList) add(p regraft.Photo) {
	if l.n%perChunk == 0 {
		l.chunks = append(l.chunks, chunk{ends: make([]int, 0, perChunk)})
	}
	if p.Read != nil || p.Err != nil {
		if l.special == nil {
			l.special = map[int]regraft.Photo{}
		}
		l.special[l.n] = p
		p.Path = ""
	}
	c := &l.chunks[len(l.chunks)-1]
	c.text = append(c.text, p.Path...)
	c.ends = append(c.ends, len(c.text))
	l.n++
}

// from are the photos from place first on.
func (l *photoList) from(first int) iter.Seq[regraft.Photo] {
	return func(yield func(regraft.Photo) bool) {
		for i := first; i < l.n; i++ {
			p, special := l.special[i]
			if !special {
				p = regraft.File(l.chunks[i/perChunk].path(i % perChunk))
			}
			if !yield(p) {
				return
			}
		}
	}
}

func (c *chunk) path(i int) string {
	begin := 0
	if i > 0 {
		begin = c.ends[i-1]
	}
	return string(c.text[begin:c.ends[i]])
}
