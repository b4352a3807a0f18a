package regraft

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"iter"
	"math"
	"slices"

	"regraft/photo"
)

// Photo is a JPEG, PNG, GIF, WebP or BMP, or a picture that is decoded already.
type Photo struct {
	// Path is the file; a mere name where Data or Image is given.
	Path string
	// Data is the content of the file; when nil, Path is read.
	Data []byte
	// Image is the picture, upright; Data and the file are then not looked at. Its transparency is dropped. It must not change
	// until there is an answer.
	Image image.Image
	// Err, if set, says why there is no photo; the Result has it. So a list of inputs keeps those that were not found.
	Err error
}

// File is the photo in a file.
func File(path string) Photo { return Photo{Path: path} }

// Result is what the model says about one photo.
type Result struct {
	Path string
	// Err says why there is no answer, mostly that the photo could not be read; everything below is then nil.
	Err error
	// P are the probabilities of the classes and Logits what they are the softmax of, or, of classes that do not exclude each
	// other, the sigmoid. They are nil when the network ends in features.
	P, Logits []float32
	// Features are the input of the classifier: the photo's embedding. They are nil when the model's
	// classifier was not recognised, or reads a map.
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
// ends with an error when ctx ends or the arithmetic fails. photos runs on a goroutine of its own; a panic there is
// raised again where the results are read.
func (m *Model) Stream(ctx context.Context, photos iter.Seq[Photo]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		if err := m.takesPhotos(); err != nil {
			yield(Result{}, err)
			return
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		s := &stream{m: m, ctx: ctx, yield: yield, batch: make([]decoded, 0, m.options.batch)}
		coming := m.decode(ctx, photos)
		for s.take(coming) {
			if len(s.batch) == cap(s.batch) && !s.flush() {
				return
			}
		}
		switch {
		case s.ended:
		case ctx.Err() != nil:
			yield(Result{}, ctx.Err())
		case s.flush() && coming.panicked != nil:
			panic(coming.panicked)
		}
	}
}

// takesPhotos is an error where the network's input has another number of channels than photos.
func (m *Model) takesPhotos() error {
	net := m.Network()
	if c := net.Input.Shape()[1]; c != net.Meta.Preprocess.Depth() {
		return fmt.Errorf("the network's input has %d channels: photos have 3 (rgb, bgr) or 1 (gray)", c)
	}
	return nil
}

// stream is a call of Stream at work.
type stream struct {
	m     *Model
	ctx   context.Context
	yield func(Result, error) bool
	batch []decoded
	ended bool // nobody wants more
}

// take adds the next photo to the batch; false when there is none or nobody wants it.
func (s *stream) take(coming *feed) bool {
	select {
	case one, open := <-coming.photos:
		return open && s.add(one)
	default: // no photo is known yet: do not let the others wait for it
	}
	if !s.flush() {
		return false
	}
	select {
	case one, open := <-coming.photos:
		return open && s.add(one)
	case <-s.ctx.Done():
		return false
	}
}

// add waits for a photo that is being decoded.
func (s *stream) add(one chan decoded) bool {
	select {
	case d := <-one:
		s.batch = append(s.batch, d)
		return true
	case <-s.ctx.Done():
		return false
	}
}

// flush answers for the photos in the batch and says whether to go on.
func (s *stream) flush() bool {
	results, err := s.m.answer(s.ctx, s.batch)
	if err != nil {
		s.ended = true
		s.yield(Result{}, err)
		return false
	}
	for _, r := range results {
		if !s.yield(r, nil) {
			s.ended = true
			return false
		}
	}
	s.batch = s.batch[:0]
	return true
}

// decoded is a photo on its way: the network's input, or an error.
type decoded struct {
	path string
	x    []float32
	err  error
}

// feed delivers photos in their order, each through a channel of its own.
type feed struct {
	photos   chan chan decoded
	panicked any // what the caller's iterator ended with; valid once photos is closed
}

// decode reads photos on several goroutines, a bounded number ahead; it stops when ctx ends.
func (m *Model) decode(ctx context.Context, photos iter.Seq[Photo]) *feed {
	p := m.Preprocess()
	busy := make(chan struct{}, m.options.workers)
	f := &feed{photos: make(chan chan decoded, m.options.batch)}
	go func() {
		defer close(f.photos)
		defer func() { f.panicked = recover() }()
		for ph := range photos {
			one := make(chan decoded, 1)
			select {
			case f.photos <- one:
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
	return f
}

// load turns a photo into the network's input.
func (m *Model) load(ph Photo, p Preprocess) ([]float32, error) {
	x, o := make([]float32, p.Values()), m.options.decode
	var err error
	switch {
	case ph.Err != nil:
		return nil, ph.Err
	case ph.Image != nil:
		var img *photo.Image
		if img, err = photo.FromImage(ph.Image, o); err == nil {
			err = p.Apply(img, x)
		}
	case ph.Data != nil:
		err = p.Read(ph.Data, o, x)
	default:
		return x, p.ReadFile(ph.Path, o, x) // its errors name the file
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ph.Path, err)
	}
	return x, nil
}

// answer runs the photos of a batch that could be read.
func (m *Model) answer(ctx context.Context, batch []decoded) ([]Result, error) {
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
		if outputs, err = m.Infer(ctx, x, images); err != nil {
			return nil, err
		}
	}
	answers, err := m.answersOf(m.Network())
	if err != nil {
		return nil, err
	}
	labels := m.Labels()
	results := make([]Result, len(batch))
	row := 0
	for i, d := range batch {
		results[i] = Result{Path: d.path, Err: d.err, labels: labels}
		if d.err == nil {
			results[i].fill(answers, outputs, row)
			row++
		}
	}
	return results, nil
}

// fill takes the photo's row of the outputs.
func (r *Result) fill(a *Answers, outputs []Matrix, row int) {
	for _, o := range outputs {
		for _, v := range o.Row(row) {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				r.Err = fmt.Errorf("%s: the network answers %g: its weights are damaged or its input is out of range", r.Path, v)
				return
			}
		}
	}
	r.Logits, r.P = a.Row(outputs[0].Row(row))
	if a.Features {
		r.Features = outputs[len(outputs)-1].Row(row)
	}
}
