package photo

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// AugmentWord is a word that ParseAugment knows.
type AugmentWord struct {
	Name string
	// Numbers may stand behind it, each after a colon.
	Numbers []AugmentNumber
	// Usage is what it does, in a line.
	Usage string

	apply func(a *Augment, numbers []float64)
}

// AugmentNumber is a number of a word, between Least and Most. Usually is what it is where nobody says.
type AugmentNumber struct {
	Name                 string
	Usually, Least, Most float64
	whole                bool
}

// Spelling is the word with the names of its numbers, such as erase[:P].
func (w AugmentWord) Spelling() string {
	text := w.Name
	for _, n := range w.Numbers {
		text += "[:" + n.Name
	}
	return text + strings.Repeat("]", len(w.Numbers))
}

// AugmentWords are all of them.
var AugmentWords = []AugmentWord{
	{"none", nil, "every photo as it is", func(*Augment, []float64) {}},
	{"flip", nil, "half of the photos mirrored left and right", func(a *Augment, _ []float64) { a.FlipX = true }},
	{"vflip", nil, "half of them mirrored top and bottom: for photos that have no up", func(a *Augment, _ []float64) { a.FlipY = true }},
	{"crop", []AugmentNumber{{"SHARE", torchvisionScale, 0.01, 1, false}}, "a random part, of this share of the area at least",
		func(a *Augment, v []float64) { a.Crop, a.Scale = true, v[0] }},
	{"standard", nil, "crop and flip", func(a *Augment, _ []float64) { a.FlipX, a.Crop, a.Scale = true, true, torchvisionScale }},
	{"jitter", []AugmentNumber{{"B", 0.4, 0, 10, false}, {"C", 0.4, 0, 10, false}, {"S", 0.4, 0, 10, false}, {"H", 0.1, 0, 0.5, false}},
		"colours: factors from 1-x to 1+x, hue by -H to H",
		func(a *Augment, v []float64) { a.Jitter = Jitter{v[0], v[1], v[2], v[3]} }},
	{"randaugment", []AugmentNumber{{"N", 2, 1, 16, true}, {"M", 9, 0, Levels - 1, true}}, "N of 14 operations (colours, shifts, turns by M degrees), strength M of 30",
		func(a *Augment, v []float64) { a.Operations, a.Level = int(v[0]), int(v[1]) }},
	{"trivial", nil, "one of these operations, of any strength: one photo in 14 turns by up to 135 degrees", func(a *Augment, _ []float64) { a.Trivial = true }},
	{"erase", []AugmentNumber{{"P", 0.25, 0.001, 1, false}}, "a rectangle of 2 to 33 % of the area becomes the mean colour, in P of the photos",
		func(a *Augment, v []float64) { a.Erase = v[0] }},
	{"mixup", []AugmentNumber{{"A", 0.2, 0.001, 100, false}}, "photos blended with others, as are their labels; the larger A, the more",
		func(a *Augment, v []float64) { a.MixUp = v[0] }},
	{"cutmix", []AugmentNumber{{"A", 1, 0.001, 100, false}}, "a rectangle is another photo's, as is that share of the label (mixup too: half each)",
		func(a *Augment, v []float64) { a.CutMix = v[0] }},
}

// torchvisionScale is the least share of the area that RandomResizedCrop keeps.
const torchvisionScale = 0.08

// augmentWord finds a word, nil where there is none.
func augmentWord(name string) *AugmentWord {
	for i := range AugmentWords {
		if AugmentWords[i].Name == name {
			return &AugmentWords[i]
		}
	}
	return nil
}

// ParseAugment reads words with commas or pluses between them, such as "flip,erase:0.5"; "" is "none". Photos of places have an up, so
// vertical flips come only where asked for. Words that say nothing beside one another are errors.
func ParseAugment(text string) (Augment, error) {
	var a Augment
	if text == "" {
		return a, nil
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "+", ","), ",") {
		if err := a.add(strings.TrimSpace(part), seen); err != nil {
			return Augment{}, err
		}
	}
	flipped := a
	flipped.FlipY = false
	switch {
	case seen["none"] && flipped != (Augment{}):
		return Augment{}, fmt.Errorf("none stands beside words that do something")
	case seen["standard"] && (seen["flip"] || seen["crop"]):
		return Augment{}, fmt.Errorf("standard is crop and flip already: leave one of them out")
	case a.Trivial && a.Operations > 0:
		return Augment{}, fmt.Errorf("randaugment and trivial are two policies: choose one")
	case seen["jitter"] && a.Jitter == (Jitter{}):
		return Augment{}, fmt.Errorf("jitter by nothing but zeros does nothing")
	}
	return a, nil
}

// add adds what a word asks for.
func (a *Augment) add(text string, seen map[string]bool) error {
	parts := strings.Split(text, ":")
	w := augmentWord(parts[0])
	if w == nil {
		var known []string
		for _, w := range AugmentWords {
			known = append(known, w.Name)
		}
		return fmt.Errorf("unknown augmentation %q (known: %s)", parts[0], strings.Join(known, ", "))
	}
	if seen[w.Name] {
		return fmt.Errorf("%s stands there twice", w.Name)
	}
	seen[w.Name] = true
	if len(parts)-1 > len(w.Numbers) {
		return fmt.Errorf("%q has too many numbers: it is %s", text, w.Spelling())
	}
	var numbers []float64
	for i, n := range w.Numbers {
		v := n.Usually
		if i+1 < len(parts) {
			var err error
			if v, err = n.parse(parts[i+1]); err != nil {
				return fmt.Errorf("%q: %w", text, err)
			}
		}
		numbers = append(numbers, v)
	}
	w.apply(a, numbers)
	return nil
}

// parse reads the number.
func (n AugmentNumber) parse(text string) (float64, error) {
	kind := "number"
	if n.whole {
		kind = "whole number"
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= n.Least && v <= n.Most) || n.whole && v != math.Trunc(v) {
		return 0, fmt.Errorf("%s must be a %s from %g to %g, not %q", n.Name, kind, n.Least, n.Most, text)
	}
	return v, nil
}
