package train

import (
	"math"
	"testing"
)

// TestRates: a schedule begins with the first step of the first epoch, moves with every step and ends with the last.
func TestRates(t *testing.T) {
	rates, err := newRates(&Config{Schedule: Cosine, LearningRate: 0.5, Epochs: 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const steps = 5
	for epoch := 1; epoch <= 4; epoch++ {
		for step := range steps {
			done := (float64(epoch-1) + float64(step)/steps) / 4
			want := 0.5 * (1 + math.Cos(math.Pi*done)) / 2
			if got := rates.at(epoch, step, steps); math.Abs(got-want) > 1e-12 {
				t.Errorf("epoch %d, step %d: %v, want %v", epoch, step, got, want)
			}
		}
	}
}
