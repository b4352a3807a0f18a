// Package setting names the settings of the libraries in what they say to people: "LearningRate 0: must be above 0". In a Go
// program a setting is called as its field is; a program whose users know settings by other names says so once (Spell), as the
// command line does for its flags.
package setting

import (
	"fmt"
	"strings"
)

// Name is a setting as Go calls it: a field of train.Config, photo.Preprocess, weights.Options and the like.
type Name string

// The settings that messages name.
const (
	Mode              Name = "Mode"
	Optimizer         Name = "Optimizer"
	LearningRate      Name = "LearningRate"
	WeightDecay       Name = "WeightDecay"
	Momentum          Name = "Momentum"
	ClipNorm          Name = "ClipNorm"
	Schedule          Name = "Schedule"
	WarmupEpochs      Name = "WarmupEpochs"
	Epochs            Name = "Epochs"
	Batch             Name = "Batch"
	MicroBatch        Name = "MicroBatch"
	Balance           Name = "Balance"
	LayerDecay        Name = "LayerDecay"
	DropPath          Name = "DropPath"
	Freeze            Name = "Freeze"
	UnfreezeAfter     Name = "UnfreezeAfter"
	EMA               Name = "EMA"
	Smoothing         Name = "Smoothing"
	AuxWeight         Name = "AuxWeight"
	Dropout           Name = "Dropout"
	Augment           Name = "Augment"
	Views             Name = "Views"
	ValSplit          Name = "ValSplit"
	SelectOn          Name = "SelectOn"
	Folds             Name = "Folds"
	Precision         Name = "Precision"
	Far               Name = "Far"
	GroupBy           Name = "GroupBy"
	Labels            Name = "Labels"
	Patience          Name = "Patience"
	CheckpointMinutes Name = "CheckpointMinutes"
	Data              Name = "Data"
	Features          Name = "Features"
	Out               Name = "Out"
	Resume            Name = "Resume"
	AllowChanged      Name = "AllowChanged"
	SkipBad           Name = "SkipBad"
	Threads           Name = "Threads"
	Workers           Name = "Workers"
	TIFF              Name = "TIFF"
	MaxPixels         Name = "MaxPixels"
	InputSize         Name = "InputSize"
	Channels          Name = "Channels"
	Mean              Name = "Mean"
	Std               Name = "Std"
	Head              Name = "Head"
	Pool              Name = "Pool"
	Arch              Name = "Arch"
	Weights           Name = "Weights"
	TransformInput    Name = "TransformInput"
)

var spell = func(n Name) string { return string(n) }

// Spell says how the users of this program know settings. Call it before anything else.
func Spell(f func(Name) string) { spell = f }

// String is the name as the program's users know it.
func (n Name) String() string { return spell(n) }

// List writes the words that a setting can be, with commas between.
func List[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}

// FieldError says that a setting has a value that makes no sense.
type FieldError struct {
	Field Name
	// Value is the field's; nil where Why tells all.
	Value any
	Why   string
}

func (e *FieldError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("%v: %s", e.Field, e.Why)
	}
	format := "%v %v: %s"
	if _, text := e.Value.(string); text {
		format = "%v %q: %s"
	}
	return fmt.Sprintf(format, e.Field, e.Value, e.Why)
}
