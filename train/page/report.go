package page

import "time"

// Report is all that a page and a model card tell. Of what is empty they say nothing, or, where there is a note on it, how to get it.
type Report struct {
	// Title is what was judged, such as the folder of a run; About says in names and values what was trained on what.
	Title string
	About []Fact
	// Set names the photos that are judged, as in "83.6 % of the SET are right".
	Set string
	// Headline stands in place of the accuracy on a page about photos that nobody has answered for: it has Counts and Odd photos, and no
	// part about answers.
	Headline string
	// Cautions are sentences that must be known before the accuracy is believed, or before one trains, Advice what to do next.
	Cautions, Advice []string

	Classes []string
	// Right of the Judged photos are right, and Interval, from 0 to 1, is that of 95 % for this share.
	Right    int
	Interval [2]float64
	Loss     float64
	// PerClass has the figures of Classes, Confusion counts photos: row is the true class, column the answer.
	PerClass  []Class
	Confusion [][]int
	Judged    []*Photo

	// Doubts are labels that look wrong, the worst first, Duplicates photos that are the same. Both have photos of Judged and others.
	Doubts                     []Doubt
	Duplicates                 []Duplicate
	DoubtsNote, DuplicatesNote string

	// Counts are the photos of every class in Parts, such as train and test; Odd are photos that may be useless, such as blurred ones.
	Parts  []string
	Counts []Count
	Odd    []Oddity

	// Reliability compares probabilities with what is right; nil where there is nothing to compare.
	Reliability *Reliability
	// Threshold is the probability below which the model says that it does not know.
	Threshold float64
	// ThresholdNote says where it comes from, or how to get one.
	ThresholdNote string

	// Curves are drawn over epochs, Learning over the number of photos.
	Curves       []Curve
	Learning     []Point
	LearningNote string

	Settings, Hashes []Fact
	// Command is what made the page, Made when, By which program.
	Command string
	Made    time.Time
	By      string
	// LeftOut says what the page does not show; Write adds what it had no room for.
	LeftOut []string
	Card    Card
}

// Fact is a name and its value.
type Fact struct{ Name, Value string }

// Class are the figures of one class. Precision is nothing where no answer is the class, and Recall where no photo is.
type Class struct {
	Name                  string
	Photos, Answers       int
	Precision, Recall, F1 float64
}

// Photo is one that somebody may want to see.
type Photo struct {
	Path string
	// Label is the index of its class, Own the probability that the model gives it.
	Label int
	Own   float64
	// Guesses are the most probable classes, the answer first; empty where the photo was not judged.
	Guesses []Guess
	// Thumbnail is a small JPEG of it; nil for none. Order says which photos want one.
	Thumbnail []byte
	// Overlay is a PNG with transparency that is laid over the thumbnail, stretched to its size, such as a map of what the answer rests on;
	// nil for none. Where a photo has one the page has a switch.
	Overlay []byte
}

// Guess is a class and its probability.
type Guess struct {
	Class int
	P     float64
}

// answer is the most probable class, -1 where the photo was not judged.
func (p *Photo) answer() int {
	if len(p.Guesses) == 0 {
		return -1
	}
	return p.Guesses[0].Class
}

// wrong says that the photo was judged, and taken for another class.
func (p *Photo) wrong() bool { return len(p.Guesses) > 0 && p.answer() != p.Label }

// Doubt is a label that looks wrong: Likely is a better one, Score from 0 to 1 how wrong it looks.
type Doubt struct {
	*Photo
	Likely int
	Score  float64
}

// Count are the photos of a class in every part.
type Count struct {
	Class  string
	Photos []int
}

// all are those of all parts.
func (c Count) all() int {
	n := 0
	for _, photos := range c.Photos {
		n += photos
	}
	return n
}

// Oddity is a photo of which something is odd: Why.
type Oddity struct {
	*Photo
	Why string
}

// Duplicate are photos that are the same, or nearly. What says in which way, and why that matters; Paths are those of all, Photos
// some of them to look at.
type Duplicate struct {
	What   string
	Paths  []string
	Photos []*Photo
}

// Reliability is how far probabilities can be taken at their word. Note says of which answers.
type Reliability struct {
	Bins  []Bin
	Error float64 // the expected calibration error
	Note  string
}

// Bin are answers of about the same probability: Photos of them, the mean probability, and the share that is right.
type Bin struct {
	Photos      int
	Sure, Right float64
}

// Curve is a quantity over epochs.
type Curve struct {
	Title  string
	Epochs []int
	Lines  []Line
	// Share says that the values are shares, which are shown in per cent.
	Share bool
}

// Line is one named sequence of values.
type Line struct {
	Name   string
	Values []float64
}

// Point is the accuracy that so many photos to train on have given, and its interval of 95 %.
type Point struct {
	Photos   int
	Accuracy float64
	Interval [2]float64
}

// Card is what a model card says beyond the figures.
type Card struct {
	// Model is the name of the model's file, and Use how to answer with it.
	Model, Use string
	// Method says how it was trained, Data on what, and Input what it makes of a photo.
	Method, Data, Input string
}
