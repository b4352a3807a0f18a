package solver

import (
	"math"
	"testing"
)

func must(t *testing.T) func(s Schedule, err error) Schedule {
	return func(s Schedule, err error) Schedule {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func compare(t *testing.T, what string, s Schedule, want []float64) {
	t.Helper()
	for i, w := range want {
		if got := s(float64(i)); math.Abs(got-w) > 1e-15 {
			t.Errorf("%s at %d: %v, want %v", what, i, got, w)
		}
	}
}

// TestSchedules compares with what PyTorch 2.15's schedulers of the same names give.
func TestSchedules(t *testing.T) {
	compare(t, "constant", Constant(), []float64{1, 1, 1})
	compare(t, "step", must(t)(Step(3, 0.5)), []float64{1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125})
	compare(t, "cosine", must(t)(Cosine(8)), []float64{
		1, 0.9619397662556434, 0.8535533905932737, 0.6913417161825449, 0.5, 0.30865828381745514, 0.14644660940672627,
		0.03806023374435664, 0, 0, 0,
	})
	// OneCycleLR(total_steps=21, pct_start=0.25) has its peak at step 0.25*21-1 and its end at step 20.
	compare(t, "one cycle", must(t)(OneCycle(20, 4.25/20)), []float64{
		0.04, 0.16527571973408361, 0.4757111874576151, 0.809264625462043, 0.9918270878482729, 0.9944154354509117,
		0.9698464310077126, 0.9266457342343145, 0.8665264698111694, 0.7918726686300505, 0.7056447289910996,
		0.6112620219362893, 0.512467296007653, 0.4131782584628902, 0.31733221849885124, 0.22872995315964806,
		0.1508849874305998, 0.08688426531955129, 0.03926573701721987, 0.009917716420703784, 4e-06, 4e-06,
	})
	warm := must(t)(WarmUp(4, 0.2, must(t)(Cosine(8))))
	compare(t, "warm-up", warm, []float64{0.2, 0.4, 0.6, 0.8, 1, 0.9619397662556434, 0.8535533905932737})
	if got := warm(2.5); math.Abs(got-0.7) > 1e-15 {
		t.Errorf("warm-up at 2.5: %v, want 0.7", got)
	}
	compare(t, "no warm-up", must(t)(WarmUp(0, 0, Constant())), []float64{1, 1})
}

// TestPlateau replays PyTorch 2.15's ReduceLROnPlateau(factor=0.1, patience=2).
func TestPlateau(t *testing.T) {
	history := []float64{3, 2, 2.1, 2.05, 1.99995, 2.2, 1.5, 1.6, 1.49999, 1.7, 1.6, 1.55, 1.54, 1.53, 1.52, 1.51, 0.5}
	want := []float64{1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.0001, 0.0001}
	for i, w := range want {
		if got := Plateau(history[:i+1], 0.1, 2); math.Abs(got-w) > 1e-15 {
			t.Errorf("after epoch %d: %v, want %v", i, got, w)
		}
	}
	if got := Plateau(nil, 0.1, 2); got != 1 {
		t.Errorf("before the first epoch: %v", got)
	}
	if got := Plateau([]float64{math.NaN(), math.NaN(), math.NaN()}, 0.5, 1); got != 0.5 {
		t.Errorf("losses that are no numbers are not better: factor %v, want 0.5", got)
	}
}

func TestScheduleErrors(t *testing.T) {
	nan := math.NaN()
	for what, err := range map[string]error{
		"step of 0 epochs":  second(Step(0, 0.1)),
		"step by 0":         second(Step(1, 0)),
		"step by NaN":       second(Step(1, nan)),
		"cosine of 0":       second(Cosine(0)),
		"cosine of NaN":     second(Cosine(nan)),
		"one cycle up only": second(OneCycle(5, 1)),
		"one cycle of 0":    second(OneCycle(0, 0.3)),
		"negative warm-up":  second(WarmUp(-1, 0, Constant())),
		"warm-up from 2":    second(WarmUp(1, 2, Constant())),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func second(_ Schedule, err error) error { return err }

// TestHalfCosine compares with the library, which need not give the same bits everywhere.
func TestHalfCosine(t *testing.T) {
	for i := -10; i <= 1010; i++ {
		x := float64(i) / 1000
		want := (1 + math.Cos(math.Pi*min(max(x, 0), 1))) / 2
		if got := halfCosine(x); math.Abs(got-want) > 3e-16 {
			t.Errorf("halfCosine(%v) = %v, want %v", x, got, want)
		}
	}
}
