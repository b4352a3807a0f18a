package page

import "fmt"

// look is a line about what deserves attention: a link to a part of the page, or the photos of a kind of mistake.
type look struct {
	Text, Link string
	Pair       *pair
}

// sure is a probability that promises much.
const sure = 0.9

// looks are what the figures draw attention to.
func (r *Report) looks() []look {
	var all []look
	if weak := r.weakest(); weak != nil {
		name := weak.Name
		text := fmt.Sprintf("The weakest class is %s: no answer names it.", name)
		if weak.Answers > 0 {
			text = fmt.Sprintf("The weakest class is %s: %s of its photos are recognised, and %s of the answers %s are right.",
				name, percent(weak.Recall), percent(weak.Precision), name)
		}
		all = append(all, look{Text: text, Link: "classes"})
	}
	if pairs := r.pairs(); len(pairs) > 0 && pairs[0].Photos > 1 {
		p := pairs[0]
		all = append(all, look{Text: fmt.Sprintf("The most frequent mistake: %s taken for %s, %d times.", r.Classes[p.True], r.Classes[p.Answer], p.Photos), Pair: &p})
	}
	if mistakes := r.mistakes(); len(mistakes) > 0 {
		n := 0
		for n < len(mistakes) && mistakes[n].Guesses[0].P >= sure {
			n++
		}
		if n > 0 {
			all = append(all, look{Text: fmt.Sprintf("Made with a probability of %.0f %% or more: %d of %s.", 100*sure, n, count(len(mistakes), "mistake")), Link: "mistakes"})
		}
	}
	if n := len(r.Doubts); n > 0 {
		all = append(all, look{Text: fmt.Sprintf("%s may be wrong; the first are worth a look.", count(n, "label")), Link: "labels"})
	}
	if n := len(r.Duplicates); n > 0 {
		text := "1 photo is there more than once, as it is or nearly."
		if n > 1 {
			text = fmt.Sprintf("%d photos are there more than once, as they are or nearly.", n)
		}
		all = append(all, look{Text: text, Link: "same"})
	}
	if n := len(r.Odd); n > 0 {
		all = append(all, look{Text: fmt.Sprintf("%s may be useless.", count(n, "odd photo")), Link: "odd"})
	}
	return all
}

// weakest is the class with the lowest F1 of those that have photos, nil where all are perfect or there is but one.
func (r *Report) weakest() *Class {
	var weak *Class
	for i := range r.PerClass {
		c := &r.PerClass[i]
		if c.Photos > 0 && (weak == nil || c.F1 < weak.F1) {
			weak = c
		}
	}
	if weak == nil || weak.F1 == 1 {
		return nil
	}
	return weak
}
