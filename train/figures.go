package train

import (
	"fmt"
	"io"

	"regraft/train/chart"
)

// DrawConfusion draws the confusion matrix as a PNG: rows are true classes, columns answers, a cell's shade is
// its share of the row.
func (r *Report) DrawConfusion(w io.Writer) error {
	var labels []string
	for _, c := range r.PerClass {
		labels = append(labels, c.Label)
	}
	return chart.HeatMap{
		Title:  fmt.Sprintf("%d photos, accuracy %.1f %%", r.Images, 100*r.Accuracy),
		X:      "answer",
		Y:      "true class",
		Labels: labels,
		Counts: r.Confusion,
	}.Write(w)
}

// drawCurves draws loss and accuracy over the epochs as a PNG; selection names the validation set.
func drawCurves(w io.Writer, epochs []Epoch, selection string) error {
	loss := curves(epochs, "loss", selection, func(e Epoch) (train, val float64) { return e.TrainLoss, e.ValLoss })
	accuracy := curves(epochs, "accuracy, %", selection, func(e Epoch) (train, val float64) { return 100 * e.TrainAcc, 100 * e.ValAcc })
	accuracy.Top = 100
	return chart.WriteCurves(w, loss, accuracy)
}

// curves is one quantity of train and validation.
func curves(epochs []Epoch, title, selection string, of func(Epoch) (train, val float64)) chart.Curves {
	train, val := chart.Line{Name: "train"}, chart.Line{Name: selection}
	d := chart.Curves{Title: title}
	for _, e := range epochs {
		t, v := of(e)
		d.X = append(d.X, float64(e.Number))
		train.Values, val.Values = append(train.Values, t), append(val.Values, v)
	}
	d.Lines = []chart.Line{train, val}
	return d
}
