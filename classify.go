package regraft

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"

	"regraft/engine/kernel"
	"regraft/photo"
)

// Photo is a JPEG, PNG, GIF, WebP or BMP.
type Photo struct {
	// Path is the file; a mere name where Data is given.
	Path string
	// Data is the content of the file; when nil, Path is read.
	Data []byte
}

// File is the photo in a file.
func File(path string) Photo { return Photo{Path: path} }

// Result is what the model says about one photo.
type Result struct {
	Path string
	// Err says why there is no answer, mostly that the photo could not be read; everything below is then nil.
	Err error
	// P are the probabilities of the classes, Logits what they are the softmax of.
	P, Logits []float32
	// Features are the input of the classifier: the photo's embedding. They are nil when the model's
	// classifier was not recognised.
	Features []float32

	labels []string
}

// Prediction is a class and its probability.
type Prediction struct {
	Label string
	Index int
	P     float32
}

// Top lists the k most probable classes, the best first; equal ones in the order of the labels.
func (r Result) Top(k int) []Prediction {
	all := make([]Prediction, len(r.P))
	for i, p := range r.P {
		all[i] = Prediction{r.labels[i], i, p}
	}
	slices.SortStableFunc(all, func(a, b Prediction) int { return cmp.Compare(b.P, a.P) })
	return all[:min(k, len(all))]
}

// Classify answers for each photo, in their order. A photo that cannot be read is no error of the
// whole: its Result carries it. The bits of an answer do not depend on the photos beside it.
func (m *Model) Classify(ctx context.Context, photos ...Photo) ([]Result, error) {
	results := make([]Result, 0, len(photos))
	for r, err := range m.Stream(ctx, slices.Values(photos)) {
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// Embed returns the features of each photo, those that enter the classifier. It fails with the
// first photo that cannot be read.
func (m *Model) Embed(ctx context.Context, photos ...Photo) ([][]float32, error) {
	var features [][]float32
	for r, err := range m.Stream(ctx, slices.Values(photos)) {
		switch {
		case err != nil:
			return nil, err
		case r.Err != nil:
			return nil, r.Err
		case r.Features == nil:
			return nil, fmt.Errorf("the model's classifier was not recognised, so its features are not known")
		}
		features = append(features, r.Features)
	}
	return features, nil
}

// Stream answers for photos as they come, in their order, while later ones are being decoded. It
// ends with an error when ctx ends or the arithmetic fails.
func (m *Model) Stream(ctx context.Context, photos iter.Seq[Photo]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		batch := make([]decoded, 0, m.options.batch)
		// flush answers for the photos in batch and says whether to go on.
		flush := func() bool {
			results, err := m.answer(batch)
			if err != nil {
				yield(Result{}, err)
				return false
			}
			for _, r := range results {
				if !yield(r, nil) {
					return false
				}
			}
			batch = batch[:0]
			return true
		}
		coming := m.decode(ctx, photos)
		for open := true; open && ctx.Err() == nil; {
			var one chan decoded
			select {
			case one, open = <-coming:
			default: // no photo is known yet: do not let the others wait for it
				if !flush() {
					return
				}
				one, open = <-coming
			}
			if open {
				batch = append(batch, <-one)
			}
			if len(batch) == cap(batch) && !flush() {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Result{}, err)
			return
		}
		flush()
	}
}

// decoded is a photo on its way: the network's input, or an error.
type decoded struct {
	path string
	x    []float32
	err  error
}

// decode reads photos on several goroutines, a bounded number ahead, and delivers them in their
// order; it stops when ctx ends.
func (m *Model) decode(ctx context.Context, photos iter.Seq[Photo]) <-chan chan decoded {
	p := m.Preprocess()
	busy := make(chan struct{}, m.options.workers)
	ordered := make(chan chan decoded, m.options.batch)
	go func() {
		defer close(ordered)
		for ph := range photos {
			one := make(chan decoded, 1)
			select {
			case ordered <- one:
			case <-ctx.Done():
				return
			}
			busy <- struct{}{}
			go func() {
				x, err := m.load(ph, p)
				<-busy
				one <- decoded{ph.Path, x, err}
			}()
		}
	}()
	return ordered
}

// load turns a photo into the network's input.
func (m *Model) load(ph Photo, p photo.Preprocess) ([]float32, error) {
	o := photo.DecodeOptions{TIFF: m.options.tiff}
	var img *photo.Image
	var err error
	if ph.Data == nil {
		img, err = photo.Load(ph.Path, o)
	} else if img, err = photo.Decode(ph.Data, o); err != nil {
		err = fmt.Errorf("%s: %w", ph.Path, err)
	}
	if err != nil {
		return nil, err
	}
	x := make([]float32, p.Values())
	return x, p.Apply(img, x)
}

// answer runs the photos of a batch that could be read.
func (m *Model) answer(batch []decoded) ([]Result, error) {
	var x []float32
	images := 0
	for _, d := range batch {
		if d.err == nil {
			x = append(x, d.x...)
			images++
		}
	}
	var outputs []Matrix
	if images > 0 {
		var err error
		if outputs, err = m.Infer(x, images); err != nil {
			return nil, err
		}
	}
	labels := m.Labels()
	results := make([]Result, len(batch))
	row := 0
	for i, d := range batch {
		results[i] = Result{Path: d.path, Err: d.err, labels: labels}
		if d.err == nil {
			results[i].fill(outputs, row)
			row++
		}
	}
	return results, nil
}

// fill takes the photo's row of the outputs.
func (r *Result) fill(outputs []Matrix, row int) {
	logits := outputs[0].Row(row)
	for _, l := range logits {
		if math.IsNaN(float64(l)) || math.IsInf(float64(l), 0) {
			r.Err = fmt.Errorf("%s: the network answers %g: its weights are damaged or its input is out of range", r.Path, l)
			return
		}
	}
	r.Logits, r.P = logits, softmax(logits)
	if len(outputs) > 1 {
		r.Features = outputs[1].Row(row)
	}
}

// softmax computes in float64 with our own exponential, so that the bits are the same on every
// architecture.
func softmax(logits []float32) []float32 {
	top := slices.Max(logits)
	e := make([]float64, len(logits))
	sum := 0.0
	for i, l := range logits {
		e[i] = kernel.Exp(float64(l) - float64(top))
		sum += e[i]
	}
	p := make([]float32, len(logits))
	for i := range p {
		p[i] = float32(e[i] / sum)
	}
	return p
}
