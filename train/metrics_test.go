package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/photo"
	"regraft/train/chart"
)

// answered is an evaluation with the given answers: probability 3/4 for the answer of three classes.
func answered(pairs ...[2]int) *Evaluation {
	e := &Evaluation{Classes: 3}
	for _, p := range pairs {
		e.Samples = append(e.Samples, photo.Sample{Path: "x.jpg", Label: p[0]})
		row := []float32{0, 0, 0}
		row[p[1]] = float32(math.Log(6)) // 6 / (6 + 1 + 1)
		e.Logits = append(e.Logits, row...)
	}
	return e
}

func TestReport(t *testing.T) {
	e := answered([2]int{0, 0}, [2]int{0, 0}, [2]int{0, 1}, [2]int{1, 1}, [2]int{1, 0})
	r := e.Report([]string{"a", "b", "c"})
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	near("accuracy", r.Accuracy, 3.0/5)
	near("loss", r.Loss, -(3*math.Log(6.0/8)+2*math.Log(1.0/8))/5)
	near("precision of a", r.PerClass[0].Precision, 2.0/3)
	near("recall of a", r.PerClass[0].Recall, 2.0/3)
	near("precision of b", r.PerClass[1].Precision, 1.0/2)
	near("F1 of b", r.PerClass[1].F1, 1.0/2)
	near("F1 of c, which is nowhere", r.PerClass[2].F1, 0)
	if r.Confusion[0][1] != 1 || r.Confusion[1][0] != 1 || r.Confusion[0][0] != 2 || r.PerClass[0].N != 3 {
		t.Errorf("confusion %v", r.Confusion)
	}
	var b bytes.Buffer
	if err := r.WriteConfusion(&b); err != nil {
		t.Fatal(err)
	}
	if want := []Confused{{"a", "b", 1}, {"b", "a", 1}}; !slices.Equal(r.Confused, want) {
		t.Errorf("confused %v", r.Confused)
	}
	if want := "true\\answer,a,b,c\na,2,1,0\nb,1,1,0\nc,0,0,0\n"; b.String() != want {
		t.Errorf("CSV %q, want %q", b.String(), want)
	}
}

// TestMatrixInJSON: a matrix of many classes is left to the list of confused classes, which has the same counts.
func TestMatrixInJSON(t *testing.T) {
	for _, n := range []int{2, MatrixClasses, MatrixClasses + 1} {
		c, labels := make(Confusion, n), make([]string, n)
		for i := range c {
			c[i], labels[i] = make([]int, n), fmt.Sprint(i)
			c[i][i], c[i][(i+1)%n], c[i][0] = 5, 2, c[i][0]+1
		}
		data, err := json.Marshal(Report{Confusion: c, Confused: c.confused(labels)})
		if err != nil {
			t.Fatal(err)
		}
		var back Report
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if whole := back.Confusion != nil; whole != (n <= MatrixClasses) || whole && !reflect.DeepEqual(back.Confusion, c) {
			t.Errorf("%d classes: the matrix came back as %v", n, back.Confusion)
		}
		for i, p := range back.Confused {
			row, _ := strconv.Atoi(p.True)
			column, _ := strconv.Atoi(p.Answer)
			if p.N != c[row][column] || i > 0 && back.Confused[i-1].N < p.N {
				t.Errorf("%v", p)
			}
			c[row][column] = 0
		}
		for i, row := range c {
			for k, count := range row {
				if i != k && count != 0 {
					t.Errorf("%d classes: %d and %d are missing", n, i, k)
				}
			}
		}
	}
}

func TestExample(t *testing.T) {
	e := answered([2]int{0, 0}, [2]int{0, 1}, [2]int{1, 1}, [2]int{1, 2})
	labels := []string{"a", "b", "c"}
	x := e.example(labels, 5)
	sum := 0.0
	for _, p := range x.P {
		sum += p
	}
	if math.Abs(sum-1) > 1e-12 || len(x.P) != 3 {
		t.Errorf("probabilities %v", x.P)
	}
	if again := e.example(labels, 5); again.P[0] != x.P[0] || again.Label != x.Label {
		t.Error("one seed, two examples")
	}
}

// TestFigures draws both pictures; REGRAFT_FIGURES names a folder to look at them.
func TestFigures(t *testing.T) {
	labels := []string{"bedroom", "coast", "forest", "highway", "kitchen", "mountain", "office", "street", "tallbuilding"}
	e := &Evaluation{Classes: len(labels)}
	for i := range 360 {
		s := photo.Sample{Label: i % 9}
		row := make([]float32, 9)
		row[(s.Label+i*i%11/9)%9] = 1
		e.Samples, e.Logits = append(e.Samples, s), append(e.Logits, row...)
	}
	r := e.Report(labels)
	var epochs []Epoch
	for i := range 12 {
		x := float64(i)
		epochs = append(epochs, Epoch{Epoch: engine.Epoch{
			Number: i + 1, TrainLoss: 2.2 / (1 + x/2), ValLoss: 2.2/(1+x/3) + 0.1, TrainAcc: 1 - 0.8/(1+x), ValAcc: 0.95 - 0.7/(1+x),
		}})
	}
	var confusion, curves bytes.Buffer
	if err := r.DrawConfusion(&confusion); err != nil {
		t.Fatal(err)
	}
	if err := drawCurves(&curves, epochs, SetVal); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{ConfusionPNG: confusion.Bytes(), CurvesPNG: curves.Bytes()} {
		picture, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		colours := map[[3]uint32]bool{}
		for y := range picture.Bounds().Dy() {
			for x := range picture.Bounds().Dx() {
				r, g, b, _ := picture.At(x, y).RGBA()
				colours[[3]uint32{r, g, b}] = true
			}
		}
		if len(colours) < 10 {
			t.Errorf("%s has %d colours: nothing is drawn", name, len(colours))
		}
		if dir := os.Getenv("REGRAFT_FIGURES"); dir != "" {
			if err := os.WriteFile(dir+"/"+name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	one := drawCurves(&bytes.Buffer{}, epochs[:1], strings.Repeat("long ", 3))
	if one != nil {
		t.Errorf("curves of one epoch: %v", one)
	}
}

// TestCurvesOfEpochs: losses as they are, accuracies in per cent.
func TestCurvesOfEpochs(t *testing.T) {
	epochs := []Epoch{
		{Epoch: engine.Epoch{Number: 1, TrainLoss: 2, ValLoss: 1.5, TrainAcc: 0.25, ValAcc: 0.5}},
		{Epoch: engine.Epoch{Number: 3, TrainLoss: 1, ValLoss: 1.25, TrainAcc: 0.75, ValAcc: 0.625}},
	}
	lines := func(train, val []float64) []chart.Line {
		return []chart.Line{{Name: "train", Values: train}, {Name: SetVal, Values: val}}
	}
	var got, want bytes.Buffer
	if err := drawCurves(&got, epochs, SetVal); err != nil {
		t.Fatal(err)
	}
	if err := chart.WriteCurves(&want,
		chart.Curves{Title: "loss", X: []float64{1, 3}, Lines: lines([]float64{2, 1}, []float64{1.5, 1.25})},
		chart.Curves{Title: "accuracy, %", X: []float64{1, 3}, Top: 100, Lines: lines([]float64{25, 75}, []float64{50, 62.5})}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Error("another picture than that of these curves")
	}
}

// TestBinaryCrossEntropy compares with logarithms of probabilities, and where these would be of 0 with their limit, which is linear.
func TestBinaryCrossEntropy(t *testing.T) {
	logits := []float32{-2, 0.5, 3}
	for label := range logits {
		want := 0.0
		for k, x := range logits {
			p := 1 / (1 + math.Exp(-float64(x)))
			if k != label {
				p = 1 - p
			}
			want -= math.Log(p) / 3
		}
		if got := binaryCrossEntropy(logits, label); math.Abs(got-want) > 1e-12 {
			t.Errorf("class %d: %g, want %g", label, got, want)
		}
	}
	for label, want := range []float64{0, 1000} {
		if got := binaryCrossEntropy([]float32{1000, -1000}, label); math.Abs(got-want) > 1e-9 {
			t.Errorf("large logits, class %d: %g, want %g", label, got, want)
		}
	}
}
