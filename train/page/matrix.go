package page

import (
	"fmt"
	"math"
	"slices"
)

// matrix is the confusion matrix, or, of many classes, the part of it with the most mistakes.
type matrix struct {
	Classes []int
	Rows    []matrixRow
	// Part says what is not in it; Pairs are the most frequent mistakes then.
	Part  string
	Pairs []pair
}

type matrixRow struct {
	Class, Photos int
	Cells         []cell
}

// cell has a shade from 0 to 10.
type cell struct {
	True, Answer, Photos, Shade int
}

// Right says that the cell counts photos that are right.
func (c cell) Right() bool { return c.True == c.Answer }

// mostColumns is the number of classes that are shown as a matrix, mostPairs that of mistakes that are listed beside a part of it.
const (
	mostColumns = 40
	mostPairs   = 60
)

// matrix arranges the confusion matrix.
func (r *Report) matrix() matrix {
	var m matrix
	if r.Confusion == nil { // nobody has answered
		return m
	}
	if len(r.Classes) > mostColumns {
		m = r.worstPart()
	} else {
		for c := range r.Classes {
			m.Classes = append(m.Classes, c)
		}
	}
	for _, t := range m.Classes {
		row := matrixRow{Class: t}
		for _, n := range r.Confusion[t] {
			row.Photos += n
		}
		for _, a := range m.Classes {
			n := r.Confusion[t][a]
			share := float64(n) / float64(max(row.Photos, 1))
			if t != a {
				share = math.Sqrt(share) // mistakes are seldom more than a few
			}
			row.Cells = append(row.Cells, cell{t, a, n, int(math.Ceil(10 * share))})
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

// worstPart are the classes of the most frequent mistakes.
func (r *Report) worstPart() matrix {
	var m matrix
	chosen := make([]bool, len(r.Classes))
	pairs := r.pairs()
	choose := func(classes ...int) {
		for _, c := range classes {
			if !chosen[c] && len(m.Classes) < mostColumns {
				chosen[c] = true
				m.Classes = append(m.Classes, c)
			}
		}
	}
	for _, p := range pairs {
		choose(p.True, p.Answer)
	}
	for c := range r.Classes { // where there are few mistakes
		choose(c)
	}
	slices.Sort(m.Classes)
	all, within := 0, 0
	for _, p := range pairs {
		all += p.Photos
		if chosen[p.True] && chosen[p.Answer] {
			within += p.Photos
		}
	}
	m.Pairs = pairs[:min(mostPairs, len(pairs))]
	m.Part = fmt.Sprintf("These are %d of the %d classes, those with the most frequent mistakes; %d of %s are in this part.", mostColumns, len(r.Classes), within, count(all, "mistake"))
	if n := len(pairs) - len(m.Pairs); n > 0 {
		m.Part += fmt.Sprintf(" Of %d kinds of mistakes the %d most frequent are listed below.", len(pairs), len(m.Pairs))
	} else {
		m.Part += " All kinds of mistakes are listed below."
	}
	return m
}
