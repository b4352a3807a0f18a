package regraft

import (
	"regraft/engine"
	"regraft/featurecache"
	"regraft/head"
	"regraft/onnx"
	"regraft/photo"
	"regraft/train"
)

// What a model is.
type (
	// Network is the graph with its parameters, labels and history.
	Network = engine.Network
	// Info describes the file that a model was read from.
	Info = onnx.Info
	// Head is a classifier: the last linear map before an output.
	Head = head.Head
	// Pooling says how tokens become features of a photo.
	Pooling = head.Pooling
	// Answers say what the outputs of a network mean.
	Answers = head.Answers
	// NoMapError says why a network has no heat maps.
	NoMapError = head.NoMapError
)

// How photos become the network's input.
type (
	// Preprocess is size, resizing, filter, order of channels and scaling of pixels; it travels with a model's weights.
	Preprocess = photo.Preprocess
	// Size is height and width.
	Size = photo.Size
	// ResizeRule says how a photo of any shape fits into the input.
	ResizeRule = photo.ResizeRule
	// Resampling is the filter that makes pixels of another size.
	Resampling = photo.Resampling
	// ChannelOrder is RGB, BGR or Gray.
	ChannelOrder = photo.ChannelOrder
	// Decoding says how JPEGs are decoded.
	Decoding = photo.Decoding
)

// The words of a Preprocess.
const (
	Squash    = photo.Squash
	Crop      = photo.Crop
	Letterbox = photo.Letterbox

	Bilinear = photo.Bilinear
	Bicubic  = photo.Bicubic

	RGB  = photo.RGB
	BGR  = photo.BGR
	Gray = photo.Gray

	Exact = photo.Exact
	Fast  = photo.Fast
)

// FeatureCache keeps what trunks compute of photos in a folder; see Cache and Config.Cache.
type FeatureCache = featurecache.Cache

// NewFeatureCache is the cache in a folder, which may grow to so many bytes.
func NewFeatureCache(dir string, limit int64) *FeatureCache { return featurecache.Open(dir, limit) }

// What is trained, on what and how, and what comes of it.
type (
	// Config is the recipe of a training; see Recipe.
	Config = train.Config
	// Mode says what trains: Heads or Full.
	Mode = train.Mode
	// Optimizer changes parameters by their gradients.
	Optimizer = train.Optimizer
	// Schedule is how the learning rate goes from epoch to epoch.
	Schedule = train.Schedule
	// Augment is how training photos vary from epoch to epoch.
	Augment = train.Augment
	// Training is what Train ends with.
	Training = train.Result
	// Report is how a model does on labelled photos: loss, accuracy, figures of every class, the confusion matrix.
	Report = train.Report
	// Skipped is a photo that was left out.
	Skipped = train.Skipped
)

// The words of a Config.
const (
	Heads = train.Heads
	Full  = train.Full

	LBFGS     = train.LBFGS
	SGD       = train.SGD
	Adam      = train.Adam
	AdamW     = train.AdamW
	RMSprop   = train.RMSprop
	RMSpropTF = train.RMSpropTF

	Constant = train.Constant
	Step     = train.Step
	Cosine   = train.Cosine
	OneCycle = train.OneCycle
	Plateau  = train.Plateau

	NoAugment  = train.NoAugment
	Flip       = train.Flip
	Standard   = train.Standard
	UpsideDown = train.UpsideDown
)

// Recipe is the recommended Config of a mode with the given optimizer; "" takes the mode's best. Data and Out are still to be set.
func Recipe(mode Mode, optimizer Optimizer) Config { return train.Defaults(mode, optimizer) }

// How a training or an evaluation goes.
type (
	// Events hears how a training or an evaluation goes: embed Silent and write the methods for what you want to hear.
	Events = train.Events
	// Silent hears nothing.
	Silent = train.Silent
	// Start is what is known when a training begins.
	Start = train.Start
	// Phase is a stretch of work on photos.
	Phase = train.Phase
	// Epoch has the figures of an epoch.
	Epoch = train.Epoch
)

// Errors that say whose fault it is. Those of a file name it and list all that is wrong.
type (
	// FieldError says that a field of a Config makes no sense.
	FieldError = train.FieldError
	// UsageError says that fields of a Config contradict each other, or what is on the disk.
	UsageError = train.UsageError
	// DataError is a problem with the photos or their folders.
	DataError = train.DataError
	// ModelError is a network that cannot be trained or evaluated.
	ModelError = train.ModelError
	// DivergedError says that the loss of a training became infinite or no number.
	DivergedError = train.DivergedError
	// InterruptedError says that the context of a training ended, and whether a Config with Resume continues it.
	InterruptedError = train.InterruptedError
)

// Errors of model files, for errors.Is.
var (
	ErrInvalid     = onnx.ErrInvalid
	ErrUnsupported = onnx.ErrUnsupported
)
