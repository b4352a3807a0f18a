package photo

import (
	"math"
	"math/bits"
)

// Look is what a photo looks like, in the few numbers that tell whether another looks the same and what is odd about it.
type Look struct {
	// whole and parts are the signs of the lowest waves of the photo, and of the nine parts that cutting 5 % of both sides off
	// leaves: what a cropped copy is as a whole.
	whole signs
	parts [9]signs
	// deviation is that of the brightness, 0 to 255, and bright the brightness that one pixel in a hundred exceeds.
	deviation, bright float64
	// sharpness is what one pixel in a hundred differs by from its neighbours, in deviations.
	sharpness float64
	// red and blue are by how much the whole has more of them than of green, as shares of all its light.
	red, blue float64
}

// The photo is looked at in so many pixels a side, whatever its shape, and its waves in so many; so many of these a side count.
const (
	lookSide = 128
	gridSide = 32
	waves    = 16
	partSide = 0.95
)

// signs has a bit for each wave, by rows: whether it is positive. This is pHash (Zauner, Implementation and Benchmarking of Perceptual
// Image Hash Functions, 2010) with four times the waves, and zero in place of their median.
type signs [waves * waves / 64]uint64

// distance counts the waves that differ.
func (a *signs) distance(b *signs) int {
	n := 0
	for i := range a {
		n += bits.OnesCount64(a[i] ^ b[i])
	}
	return n
}

// mirrored are the signs of the mirror image: every second wave of a row, which is antisymmetric, changes.
func (a *signs) mirrored() signs {
	m := *a
	for i := range m {
		m[i] ^= 0xaaaaaaaaaaaaaaaa
	}
	return m
}

// lookAt looks at a photo.
func lookAt(m *Image) *Look {
	small := Resize(m, lookSide, lookSide)
	var gray [lookSide][lookSide]uint8
	rgb := make([]uint8, 3*lookSide)
	var light [3]int
	for y := range gray {
		grayRow(rgb, small.row(y))
		for x := range gray[y] {
			gray[y][x] = rgb[3*x]
			for c := range light {
				light[c] += int(small.Pix[3*(y*lookSide+x)+c])
			}
		}
	}
	all := float64(max(light[0]+light[1]+light[2], 1))
	l := &Look{red: float64(light[0]-light[1]) / all, blue: float64(light[2]-light[1]) / all}
	l.measure(&gray)
	l.hash(&gray)
	return l
}

// measure fills in the brightness and what neighbours differ by.
func (l *Look) measure(gray *[lookSide][lookSide]uint8) {
	const pixels = lookSide * lookSide
	var levels [256]int
	var steps [4*255 + 1]int
	sum, squares := 0, 0
	for y := range gray {
		for x, v := range gray[y] {
			levels[v]++
			sum += int(v)
			squares += int(v) * int(v)
			if y == 0 || x == 0 || y == lookSide-1 || x == lookSide-1 {
				continue
			}
			step := 4*int(v) - int(gray[y-1][x]) - int(gray[y+1][x]) - int(gray[y][x-1]) - int(gray[y][x+1])
			steps[max(step, -step)]++
		}
	}
	l.deviation = math.Sqrt(float64(squares*pixels-sum*sum)) / pixels
	l.bright = float64(exceeded(levels[:]))
	l.sharpness = float64(exceeded(steps[:])) / (l.deviation + 1)
}

// exceeded is the value that one in a hundred exceeds, given how often each occurs.
func exceeded(count []int) int {
	all := 0
	for _, n := range count {
		all += n
	}
	above := 0
	for v := len(count) - 1; v > 0; v-- {
		if above += count[v]; 100*above > all {
			return v
		}
	}
	return 0
}

// span is one of the waves on a side of the grid: whole photos and three parts of it.
type span [waves][gridSide]float64

var spans = [4]span{newSpan(0, 1), newSpan(0, partSide), newSpan((1-partSide)/2, partSide), newSpan(1-partSide, partSide)}

// newSpan makes the waves of what begins at a share of the side and is so wide; a pixel that is partly in it counts in part.
func newSpan(begin, width float64) span {
	var s span
	from, to := begin*gridSide, (begin+width)*gridSide
	for x := range gridSide {
		low, high := max(float64(x), from), min(float64(x+1), to)
		if low >= high {
			continue
		}
		for k := range waves {
			s[k][x] = float64((high - low) * math.Cos(math.Pi*float64(k)*((low+high)/2-from)/(to-from)))
		}
	}
	return s
}

// hash fills in the signs.
func (l *Look) hash(gray *[lookSide][lookSide]uint8) {
	const cell = lookSide / gridSide
	var grid [gridSide][gridSide]float64
	for y := range gray {
		for x, v := range gray[y] {
			grid[y/cell][x/cell] += float64(v)
		}
	}
	var rows [len(spans)][waves][gridSide]float64 // of every span, the waves down
	for s := range spans {
		for k := range waves {
			for y, w := range spans[s][k] {
				for x, v := range grid[y] {
					rows[s][k][x] += float64(w * v)
				}
			}
		}
	}
	l.whole = signsOf(&rows[0], &spans[0])
	for part := range l.parts {
		l.parts[part] = signsOf(&rows[1+part/3], &spans[1+part%3])
	}
}

// signsOf are those of waves down and across.
func signsOf(rows *[waves][gridSide]float64, across *span) signs {
	var s signs
	for i := range waves * waves {
		sum := 0.0
		for x, v := range rows[i/waves] {
			sum += float64(v * across[i%waves][x])
		}
		if sum > 0 {
			s[i/64] |= 1 << (i % 64)
		}
	}
	return s
}

// Photos that may be useless. The bounds keep clear of the 900 photos of places9, of which the least deviation is 15, the least bright
// 109 and the least sharpness 0.61, and catch all of them that are blurred by 2 % of the side.
const (
	leastDeviation = 5
	leastBright    = 32
	leastSharpness = 0.55
	mostStretched  = 4 // one side by the other
)

// What is odd about photos.
const (
	OddBlank     = "blank"
	OddDark      = "nearly black"
	OddBlurred   = "blurred"
	OddStretched = "extreme shape"
)

// Oddities are all of these.
var Oddities = []string{OddBlank, OddDark, OddBlurred, OddStretched}

// odd says what is odd about a photo of w x h pixels; "" where nothing is.
func (l *Look) odd(w, h int) string {
	switch {
	case l.bright < leastBright:
		return OddDark
	case l.deviation < leastDeviation:
		return OddBlank
	case max(w, h) > mostStretched*min(w, h):
		return OddStretched
	case l.sharpness < leastSharpness && min(w, h) >= lookSide: // enlarging blurs too
		return OddBlurred
	}
	return ""
}

// plain says that there is too little to see in a photo to compare it with others.
func (l *Look) plain() bool { return l.deviation < leastDeviation }
