// Package regraft fine-tunes and runs image classifiers that come as ONNX files, on the CPU and
// in plain Go.
//
//	model, err := regraft.Open("best.onnx")
//	results, err := model.Classify(ctx, regraft.File("photo.jpg"))
//	fmt.Println(results[0].Top(5))
//
// Model.Stream classifies photos as they come, Model.Explain says where an answer comes from, Model.Embed gives features, Model.Train
// fits the model to folders of photos, with new classifiers for their classes, Model.Evaluate judges it on such folders, and Model.Save
// writes it as one ONNX file. The types of other packages that these speak of have their names here too. Package weights makes ONNX
// files of PyTorch's weights, and package measure looks inside a model.
//
// The same model, photos and seed give the same bits on every CPU and for every number of threads.
package regraft

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"

	"regraft/engine"
	"regraft/engine/session"
	"regraft/featurecache"
	"regraft/head"
	"regraft/heatmap"
	"regraft/onnx"
	"regraft/photo"
	"regraft/train"
)

// Version is the program's version, as the build set it.
func Version() string { return engine.Version }

// Model is a classifier: a network, its labels and its preprocessing.
//
// All methods are safe for concurrent use. Decoding of photos runs beside everything else; the
// arithmetic of one Model is done by one call at a time, since it uses all its threads anyway, or by several (see Sessions). A call
// that waits for its turn stops waiting when its context ends.
//
// A Model holds all of its file in memory, twice once it has answered (as read, and as the arithmetic wants it), and does not
// look at the file again. Close gives the second copy back, and the first goes with the Model itself, or earlier (see AnswersOnly).
type Model struct {
	options options
	info    *Info

	mu       sync.Mutex // guards what follows
	assumed  bool       // the preprocessing is not the file's
	scaling  string     // of pixels, where neither the file nor an option tells it
	net      *Network
	answers  *Answers        // of answered; nil until they are needed
	distance *train.Distance // of answered, nil where it has none
	answered *Network

	lanes   *lanes
	tensors sync.Pool // of *[]float32, inputs of one photo that nobody needs any more
	// pooled says what UsePool made the features of.
	pooled string

	keeping sync.Mutex    // guards keeps
	keeps   *keptFeatures // nil until many photos come

	mapping sync.Mutex     // guards what follows
	maps    *heatmap.Maker // nil until a map is wanted
	mapped  *Network       // what maps explains

	compiling sync.Mutex          // guards what follows
	compiled  *Network            // what programs compute
	programs  []*session.Compiled // for one photo at a time, and for a batch
	dropped   bool                // the network has no values any more
}

type options struct {
	threads, sessions int // threads: of all sessions, 0 for all cores
	workers, batch    int
	inputSize         photo.Size
	direct, skipBad   bool
	answersOnly       bool
	decode            photo.DecodeOptions
	views             int
	cache             *featurecache.Cache
	hashes            bool
	head              string
	pool              Pooling
	prepared          *Preprocess
	preprocess        []func(*Preprocess)
}

// Option changes how Open prepares a model.
type Option func(*options)

// Threads sets the number of threads of arithmetic; the default is all cores. The results do not
// depend on it.
func Threads(n int) Option { return func(o *options) { o.threads = n } }

// Sessions lets so many calls compute at the same time, so that one photo need not wait for the batch of another call; the default is 1.
// Each has its share of Threads, at least one, also while the others rest, and memory of its own for activations; the packed
// weights they share. The results do not depend on it.
func Sessions(n int) Option { return func(o *options) { o.sessions = max(n, 1) } }

// Workers sets the number of photos that are decoded at the same time; the default is all cores.
func Workers(n int) Option { return func(o *options) { o.workers = n } }

// Batch sets how many photos run through the network at a time, at most; the default is 8. The
// results do not depend on it.
func Batch(n int) Option { return func(o *options) { o.batch = n } }

// InputSize builds the network for photos of so many pixels, where its structure allows that.
func InputSize(height, width int) Option {
	return func(o *options) { o.inputSize = photo.Size{H: height, W: width} }
}

// Direct switches Winograd convolutions off.
func Direct() Option { return func(o *options) { o.direct = true } }

// UseHead names the classifier to use where the network has several of equal depth, or none that is found.
func UseHead(name string) Option { return func(o *options) { o.head = name } }

// UsePool makes features of a photo of the tokens of a network without a classifier; Pooled tells what was taken. Without this option a
// network stays as its file has it.
func UsePool(p Pooling) Option { return func(o *options) { o.pool = p } }

// SkipBad lets Evaluate and Train go on without photos that cannot be read.
func SkipBad() Option { return func(o *options) { o.skipBad = true } }

// Views lets so many views of a photo answer for it, by the mean of their logits: 2 adds the mirror image to the photo itself, more
// add fixed parts of it (photo.View). The default is 1.
func Views(n int) Option { return func(o *options) { o.views = max(n, 1) } }

// Cache takes features of photos from c, which Classify, Embed, Stream and Evaluate then need not compute, and puts those there that it
// lacks. It changes no bit of an answer. Without this option nothing is kept.
func Cache(c *FeatureCache) Option { return func(o *options) { o.cache = c } }

// Hashes lets results have the hashes of the photos' files.
func Hashes() Option { return func(o *options) { o.hashes = true } }

// AnswersOnly lets the Model go of the weights as read once they are packed for a batch of photos, which is half of its memory or more.
// It classifies, embeds and infers until Close; Train, Evaluate, Save, SwapHeads and Heads are ErrAnswersOnly, and Network
// may lack its values.
func AnswersOnly() Option { return func(o *options) { o.answersOnly = true } }

// ErrAnswersOnly is the error of a method that a Model opened with AnswersOnly does not have.
var ErrAnswersOnly = errors.New("the model was opened for answers only: its weights are not kept")

// TIFF lets photos be TIFF files.
func TIFF() Option { return func(o *options) { o.decode.TIFF = true } }

// MaxPixels sets the largest photo, width times height; the default is photo.DefaultMaxPixels.
func MaxPixels(n int) Option { return func(o *options) { o.decode.MaxPixels = n } }

// FastDecode lets large JPEGs be decoded at 1/2, 1/4 or 1/8 of their size, where that is at least twice the size that they are scaled
// to; see photo.Fast. Answers may differ a little from those of exact decoding.
func FastDecode() Option { return AdjustPreprocess(func(p *Preprocess) { p.Decode = photo.Fast }) }

// AdjustPreprocess changes what the model's file says about its input; change sees what is assumed (see Assumed)
// when the file says nothing.
func AdjustPreprocess(change func(*Preprocess)) Option {
	return func(o *options) { o.preprocess = append(o.preprocess, change) }
}

// UsePreprocess takes p for what the model's file says about its input, as for a training that goes on.
func UsePreprocess(p Preprocess) Option { return func(o *options) { o.prepared = &p } }

// Open reads the ONNX file at path. An error of an invalid or unsupported file lists all its problems.
func Open(path string, opts ...Option) (*Model, error) {
	return open(opts, func(o onnx.ReadOptions) (*Network, *Info, error) { return onnx.Read(path, o) })
}

// OpenFS reads the ONNX file called name in fsys; weights that it keeps in files of their own lie beside it there.
func OpenFS(fsys fs.FS, name string, opts ...Option) (*Model, error) {
	return open(opts, func(o onnx.ReadOptions) (*Network, *Info, error) { return onnx.ReadFS(fsys, name, o) })
}

// OpenBytes reads an ONNX file that is in memory. The Model keeps a copy of data.
func OpenBytes(data []byte, opts ...Option) (*Model, error) {
	return open(opts, func(o onnx.ReadOptions) (*Network, *Info, error) {
		return onnx.ReadBytes(bytes.Clone(data), o)
	})
}

func open(opts []Option, read func(onnx.ReadOptions) (*Network, *Info, error)) (*Model, error) {
	o := options{sessions: 1, views: 1, workers: runtime.GOMAXPROCS(0), batch: 8}
	for _, opt := range opts {
		opt(&o)
	}
	net, info, err := read(onnx.ReadOptions{Size: o.inputSize})
	if err != nil {
		return nil, err
	}
	if o.head != "" {
		if net, err = head.Choose(net, o.head); err != nil {
			return nil, err
		}
	}
	pooled := ""
	if o.pool != "" {
		if net, pooled, err = head.Pool(net, o.pool); err != nil {
			return nil, err
		}
	}
	m := &Model{options: o, info: info, net: net, pooled: pooled, lanes: newLanes(o.sessions)}
	if err := m.settlePreprocess(); err != nil {
		return nil, err
	}
	return m, nil
}

// settlePreprocess fills Meta.Preprocess: the file's, or what is assumed, with the options' changes.
func (m *Model) settlePreprocess() error {
	p := *m.info.Assumed()
	if given := m.net.Meta.Preprocess; given != nil {
		p = given.Resized(m.net.ImageSize())
	}
	if given := m.options.prepared; given != nil {
		p = *given
	}
	m.assumed = m.net.Meta.Preprocess == nil && m.options.prepared == nil
	switch depth := m.info.Image.Channels; {
	case depth == 1 && p.Depth() != 1:
		p = p.Reordered(photo.Gray)
	case depth == 3 && p.Depth() != 3:
		p = p.Reordered(photo.RGB)
	}
	before := p
	for _, change := range m.options.preprocess {
		change(&p)
	}
	if m.assumed && p.Scaling() == before.Scaling() {
		m.scaling = p.Scaling()
	}
	if err := m.info.Accept(&p); err != nil {
		return err
	}
	m.net.Meta.Preprocess = &p
	return nil
}

// Info describes the file that the model was read from.
func (m *Model) Info() *Info { return m.info }

// Pooled says in words what UsePool made the features of; "" where the network is as its file has it.
func (m *Model) Pooled() string { return m.pooled }

// Heads are the model's classifiers, the main one first.
func (m *Model) Heads() ([]Head, error) {
	net, err := m.whole()
	if err != nil {
		return nil, err
	}
	return head.Find(net)
}

// Network is the network itself, for those who go below this package; it must not be changed.
func (m *Model) Network() *Network {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.net
}

// whole is the network with its weights.
func (m *Model) whole() (*Network, error) {
	if m.options.answersOnly {
		return nil, ErrAnswersOnly
	}
	return m.Network(), nil
}

// answersOf is the part of net, the model's network, that answers for photos, and what its answers mean.
func (m *Model) answersOf(net *Network) (*Answers, error) {
	a, _, err := m.readingOf(net)
	return a, err
}

// readingOf is answersOf with what the file says about pictures of something else, nil where it says nothing.
func (m *Model) readingOf(net *Network) (*Answers, *train.Distance, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answered != net {
		a, err := head.AnswersOf(net)
		if err != nil {
			return nil, nil, err
		}
		d, err := distanceOf(net, a)
		if err != nil {
			return nil, nil, err
		}
		m.answers, m.distance, m.answered = a, d, net
	}
	return m.answers, m.distance, nil
}

// Answers says which of the model's scores answer for a photo and what they mean. It fails where the network has no answer for a
// photo as a whole.
func (m *Model) Answers() (*Answers, error) { return m.answersOf(m.Network()) }

// Labels are the names of the classes in the order of the probabilities: class_0, class_1, ... when the model does not know them.
// Of a single score the absence of the class comes first; where the model has one name that is called not NAME.
func (m *Model) Labels() []string {
	labels, known := m.labels()
	if known {
		return labels
	}
	for i := range labels {
		labels[i] = fmt.Sprintf("class_%d", i)
	}
	return labels
}

// Labelled reports whether the model knows the names of its classes.
func (m *Model) Labelled() bool {
	_, known := m.labels()
	return known
}

// labels are the model's own, or as many empty ones as there are classes.
func (m *Model) labels() (labels []string, known bool) {
	own := m.Network().Meta.Labels
	a, err := m.answersOf(m.Network())
	switch {
	case err != nil:
		return nil, false
	case a.Classes > 0 && len(own) == a.Classes:
		return own, true
	case a.Single() && len(own) == 1:
		return []string{"not " + own[0], own[0]}, true
	}
	return make([]string, a.Classes), false
}

// Preprocess is how photos become the network's input.
func (m *Model) Preprocess() Preprocess {
	return *m.Network().Meta.Preprocess
}

// Assumed reports whether the file says nothing about its preprocessing, so that something was assumed: ImageNet's mean and
// std, pixels from 0 to 1 where there is one channel, or what the network's own first steps take.
func (m *Model) Assumed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.assumed
}

// Assumption names the scaling of pixels that neither the file nor an option of Open tells, such as "ImageNet's mean and std"; ""
// where one does.
func (m *Model) Assumption() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.scaling
}

// Doubt says why photos, as Preprocess tells, may not be what the network wants: it normalises its input itself. "" where
// nothing speaks against it.
func (m *Model) Doubt() string { return m.info.Doubt(m.Network().Meta.Preprocess) }

// SwapHeads replaces all classifiers by new ones for the given labels, initialised as torchvision
// does from the seed.
func (m *Model) SwapHeads(labels []string, seed uint64) error {
	if _, err := m.whole(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	net, err := head.Swap(m.net, labels, seed)
	if err != nil {
		return err
	}
	m.net = net
	return nil
}

// settled is cfg with the options where it says nothing.
func (o *options) settled(cfg Config) Config {
	cfg.Threads, cfg.Workers, cfg.Direct = cmp.Or(cfg.Threads, o.threads), cmp.Or(cfg.Workers, o.workers), cfg.Direct || o.direct
	cfg.TIFF, cfg.MaxPixels, cfg.SkipBad = cfg.TIFF || o.decode.TIFF, cmp.Or(cfg.MaxPixels, o.decode.MaxPixels), cfg.SkipBad || o.skipBad
	return cfg
}

// Train fits the model to folders of photos as cfg says (cfg.Net is ignored) and takes over the
// best weights. The model's options Threads, Workers, Direct, TIFF, MaxPixels and SkipBad hold where cfg says nothing. It ends early, after the current step and with
// a checkpoint, when ctx does. Events may be nil.
func (m *Model) Train(ctx context.Context, cfg Config, events Events) (*Training, error) {
	if events == nil {
		events = Silent{}
	}
	net, err := m.whole()
	if err != nil {
		return nil, err
	}
	cfg.Net, cfg.Assumed = net, m.Assumption()
	result, err := train.Fit(ctx, m.options.settled(cfg), events)
	if err != nil {
		return nil, err
	}
	best, _, err := onnx.Read(result.Model, onnx.ReadOptions{})
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.net, m.assumed, m.scaling = best, false, ""
	return result, nil
}

// Save writes the model as one ONNX file with labels and preprocessing inside; a file at path is
// replaced as a whole or not at all.
func (m *Model) Save(path string) error {
	net, err := m.whole()
	if err != nil {
		return err
	}
	return onnx.Write(path, net)
}

// Close releases the memory of the model's arithmetic, after the calls that compute. The model may be used again.
func (m *Model) Close() error {
	m.mapping.Lock()
	defer m.mapping.Unlock()
	return errors.Join(m.lanes.close(), m.closeMaps())
}
