package regraft

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"iter"
	"math"
	"slices"

	"regraft/ordered"
	"regraft/photo"
	"regraft/train"
)

// Photo is a JPEG, PNG, GIF, WebP or BMP, or a picture that is decoded already.
type Photo struct {
	// Path is the file; a mere name where Data or Image is given.
	Path string
	// Data is the content of the file; when nil, Path is read.
	Data []byte
	// Read, if set, gives the content when it is wanted; Path is then a mere name, too.
	Read func() ([]byte, error)
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
	// Hash is the SHA-256 of the photo's file, of a Model that was opened with Hashes.
	Hash [sha256.Size]byte
	// Distance is how far the photo looks from the training photos, as a multiple of what the model's file takes for far: above 1 it shows
	// something else. It is 0 where the file does not say, see train.Distance.
	Distance float64

	labels []string
}

// Far says that the photo looks like none of those that the model was trained on, so that its answer means nothing.
func (r Result) Far() bool { return r.Distance > 1 }

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
		for d, ok := coming.Next(s.flush); ok; d, ok = coming.Next(s.flush) { // others do not wait for a photo that is not known yet
			s.batch = append(s.batch, d)
			if len(s.batch) == cap(s.batch) && !s.flush() {
				return
			}
		}
		switch {
		case s.ended:
		case ctx.Err() != nil:
			yield(Result{}, ctx.Err())
		case s.flush() && coming.Panicked() != nil:
			panic(coming.Panicked())
		}
	}
}

// decode prepares photos on several goroutines, a bounded number ahead; it stops when ctx ends.
func (m *Model) decode(ctx context.Context, photos iter.Seq[Photo]) *ordered.Results[decoded] {
	p := m.Preprocess()
	type input struct {
		Photo
		kept *keptFeatures
	}
	jobs := func(yield func(input) bool) {
		var k *keptFeatures
		count := 0
		for ph := range photos {
			if count++; count == worthKeeping {
				k, _ = m.kept() // it is an error that answer meets too
			}
			if !yield(input{ph, k}) {
				return
			}
		}
	}
	return ordered.Map(ctx, jobs, m.options.workers, m.options.batch, func(i input) decoded { return m.load(i.Photo, p, i.kept) })
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
	x     []float32 // the network's input, of one batch after the other
	ended bool      // nobody wants more
}

// flush answers for the photos in the batch and says whether to go on.
func (s *stream) flush() bool {
	results, err := s.answer()
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

// decoded is a photo on its way: its views, or an error.
type decoded struct {
	path  string
	views []seen
	err   error
	// kept, where it is set, takes features of the file with this hash.
	kept *keptFeatures
	hash photo.Hash
}

// load prepares the views of a photo; k may be nil.
func (m *Model) load(ph Photo, p Preprocess, k *keptFeatures) decoded {
	d, o := decoded{path: ph.Path}, m.options.decode
	switch {
	case ph.Err != nil:
		d.err = ph.Err
		return d
	case ph.Image != nil:
		var img *photo.Image
		img, d.err = photo.FromImage(ph.Image, o)
		for v := 0; d.err == nil && v < m.options.views; v++ {
			d.views = append(d.views, seen{x: m.tensor(p)})
			d.err = p.Apply(img, photo.View(v), d.views[v].x)
		}
	case ph.Data != nil:
		d.kept = k
		d.views, d.hash, d.err = m.look(ph.Data, p, k)
	case ph.Read != nil:
		var data []byte
		if data, d.err = ph.Read(); d.err == nil {
			d.kept = k
			d.views, d.hash, d.err = m.look(data, p, k)
		}
	default:
		d.kept = k
		d.err = photo.WithFile(ph.Path, o, func(data []byte) (err error) {
			d.views, d.hash, err = m.look(data, p, k)
			return err
		})
		return d // its errors name the file
	}
	if d.err != nil {
		d.err = fmt.Errorf("%s: %w", ph.Path, d.err)
	}
	return d
}

// answer runs the photos of the batch that could be read.
func (s *stream) answer() ([]Result, error) {
	m, batch := s.m, s.batch
	if err := s.compute(); err != nil {
		return nil, err
	}
	answers, distance, err := m.readingOf(m.Network())
	if err != nil {
		return nil, err
	}
	labels := m.Labels()
	results := make([]Result, len(batch))
	for i, d := range batch {
		results[i] = Result{Path: d.path, Err: d.err, labels: labels}
		if d.err == nil {
			results[i].fill(answers, distance, d.views)
			if m.options.hashes {
				results[i].Hash = d.hash
			}
		}
	}
	return results, nil
}

// fill answers by the mean of the logits of all views; the features are those of the first, the photo itself, and so is the distance.
func (r *Result) fill(a *Answers, d *train.Distance, views []seen) {
	for _, v := range views {
		for _, x := range slices.Concat(v.scores, v.features, v.look) {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				r.Err = fmt.Errorf("%s: the network answers %g: its weights are damaged or its input is out of range", r.Path, x)
				return
			}
		}
	}
	r.Logits, r.P = a.Row(views[0].scores)
	if len(views) > 1 && r.Logits != nil {
		mean := make([]float32, len(r.Logits))
		for _, v := range views {
			logits, _ := a.Row(v.scores)
			for c, l := range logits {
				mean[c] += l / float32(len(views))
			}
		}
		r.Logits, r.P = mean, a.Probabilities(mean)
	}
	if a.Features {
		r.Features = views[0].features
	}
	if d != nil {
		r.Distance = d.Of(views[0].look)
	}
}
