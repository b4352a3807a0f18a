package train

import (
	"encoding/json"

	"regraft/engine"
)

// Epoch is a line of results.csv.
type Epoch struct {
	engine.Epoch
	// Seconds is the time of training and validation, ImagesPerSecond that of training alone.
	Seconds         float64 `json:"seconds"`
	ImagesPerSecond float64 `json:"images_per_s"`
}

// Result is what a run ends with; its JSON is summary.json.
type Result struct {
	Schema string  `json:"schema"` // regraft/train/1
	Start  Start   `json:"start"`
	Epochs []Epoch `json:"epochs"`
	// Best is the epoch whose weights are in best.onnx.
	Best Epoch `json:"best"`
	// SelectedOn names the set that chose the best epoch; a report of the same set says so.
	SelectedOn string `json:"selected_on"`
	// Note says what it does to the figures that the test photos chose the best epoch.
	Note string `json:"note,omitempty"`
	// Choice is what folds of train chose, heads mode.
	Choice *Choice `json:"choice,omitempty"`
	// OutOfFold is the main head on the photos of train, each answered for by heads that were solved without it; Curve is how that grows
	// with the number of photos, where Config.Folds ask for it, and CurveAdvice what follows.
	OutOfFold   *Report      `json:"out_of_fold,omitempty"`
	Curve       []CurvePoint `json:"learning_curve,omitempty"`
	CurveAdvice string       `json:"learning_curve_advice,omitempty"`
	// Advice is a sentence or two each for what the measurements say should be done otherwise (rules).
	Advice []string `json:"advice"`
	// Upright is what photos say about turning them upside down, where that was asked for.
	Upright *Upright `json:"upright,omitempty"`
	// Calibration is what was done to the probabilities; absent where it was not, or the photos were too few.
	Calibration *Calibration `json:"calibration,omitempty"`
	// Threshold is that of the best model; absent where none was asked for, or none is good enough.
	Threshold *Threshold `json:"threshold,omitempty"`
	// Distance is what the best model says of photos that are far from the training photos; absent where it says nothing.
	Distance *DistanceSummary `json:"distance,omitempty"`
	// Report is the best model on the test set, or on the validation set where there is no other; on folds of train it is about the heads
	// that were solved without the photos that they answer for.
	Report *Report `json:"report"`
	// ReportedOn names the set of Report.
	ReportedOn string `json:"reported_on"`
	// Example is a random photo of that set with the percentages of every class.
	Example *Example `json:"example"`
	// TrunkBefore and TrunkAfter are the trunk's SHA-256, running statistics included; heads mode only, and equal.
	TrunkBefore string `json:"trunk_before,omitempty"`
	TrunkAfter  string `json:"trunk_after,omitempty"`
	// Skipped are the photos that the run left out.
	Skipped []Skipped `json:"skipped"`
	// Assumption is there where the preprocessing had to be assumed.
	Assumption *Assumption `json:"preprocess_assumed,omitempty"`
	// Stopped says why the run ended before the last epoch; empty otherwise.
	Stopped string `json:"stopped,omitempty"`
	// Seconds is the time of all epochs, Total that of this process with its preparations.
	Seconds float64 `json:"seconds"`
	Total   float64 `json:"total_seconds"`
	// Model is the path of best.onnx.
	Model string `json:"model"`
}

// Report is how a model does on a labelled set of photos.
type Report struct {
	Images   int        `json:"images"`
	Loss     float64    `json:"loss"`
	Accuracy float64    `json:"accuracy"`
	PerClass []PerClass `json:"per_class"`
	// Confusion counts photos: row is the true class, column the answer.
	Confusion Confusion `json:"confusion"`
	// Confused are the pairs of classes of which the first was taken for the second, the most frequent first.
	Confused []Confused `json:"confused"`
}

// Confusion is a square matrix of counts.
type Confusion [][]int

// MatrixClasses bounds the matrices in JSON, which grow with the square of the classes.
const MatrixClasses = 100

// MarshalJSON writes null where there are more classes: Report.Confused has the same figures.
func (c Confusion) MarshalJSON() ([]byte, error) {
	if len(c) > MatrixClasses {
		return []byte("null"), nil
	}
	return json.Marshal([][]int(c))
}

// Confused counts the photos of a class that were taken for another.
type Confused struct {
	True   string `json:"true"`
	Answer string `json:"answer"`
	N      int    `json:"n"`
}

// PerClass are the figures of one class.
type PerClass struct {
	Label     string  `json:"label"`
	N         int     `json:"n"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Example is one classified photo.
type Example struct {
	Path  string `json:"path"`
	Label string `json:"label"`
	// P are the probabilities of the classes, in the order of the labels.
	P []float64 `json:"p"`
}
