package train

import (
	"slices"
	"sync"
	"sync/atomic"

	"regraft/engine/kernel"
)

// features are the inputs of one head, computed once: photos x positions x F, standardised (see
// standardise). A linear head has one position; a convolution before a global pool has one for every pixel.
type features struct {
	data      []float32
	labels    []int
	positions int
	f         int
	// rectified heads pass a Relu before the mean over the positions.
	rectified bool
}

func (x *features) photos() int { return len(x.labels) }

// of returns the features of photo i.
func (x *features) of(i int) []float32 {
	n := x.positions * x.f
	return x.data[i*n : (i+1)*n]
}

// softmax is multinomial logistic regression on features:
//
//	logits = mean over positions of [relu](W x + b),  loss = mean over photos of cross entropy
//
// Parameters are one vector: W (classes, F), then b (classes).
// Its sums run over fixed chunks of photos that are added in order, in float64 without fused
// operations, so that the number of threads and the machine change no bit.
type softmax struct {
	classes   int
	smoothing float64
	threads   int
	weights   []float64 // of the classes, nil: all are one; means are weighted ones then
}

// weight is that of a photo with this label.
func (s *softmax) weight(label int) float64 {
	if s.weights == nil {
		return 1
	}
	return s.weights[label]
}

// outcome are the sums of a pass over photos; mass is that of their weights.
type outcome struct {
	loss, mass float64
	correct    int
}

// mean is the loss of a photo.
func (o *outcome) mean() float64 { return o.loss / o.mass }

func (o *outcome) add(other outcome) {
	o.loss += other.loss
	o.mass += other.mass
	o.correct += other.correct
}

// chunk is the number of photos whose sums one worker makes in one go. It depends on the number of photos
// alone, and bounds the number of partial gradients.
func chunk(photos int) int { return max(64, (photos+31)/32) }

// pass returns the outcome on the given photos with the parameters w, and writes the gradient of the mean loss.
func (s *softmax) pass(x *features, photos []int, w, gradient []float64) outcome {
	size := chunk(len(photos))
	chunks := (len(photos) + size - 1) / size
	outcomes, partial := make([]outcome, chunks), make([][]float64, chunks)
	s.parallel(chunks, func(c int) {
		partial[c] = make([]float64, len(w))
		logits, answers := make([]float64, s.classes), make([]float64, s.classes*x.positions)
		for _, i := range photos[c*size : min((c+1)*size, len(photos))] {
			s.logits(x, i, w, logits, answers)
			if argmax(logits) == x.labels[i] {
				outcomes[c].correct++
			}
			outcomes[c].loss += s.crossEntropy(logits, x.labels[i])
			outcomes[c].mass += s.weight(x.labels[i])
			s.backward(x, i, logits, answers, partial[c])
		}
	})
	var total outcome
	clear(gradient)
	for _, o := range outcomes {
		total.add(o)
	}
	for _, p := range partial {
		axpy(gradient, 1/total.mass, p)
	}
	return total
}

// predict returns the logits of all photos, (photos, classes).
func (s *softmax) predict(x *features, w []float64) []float32 {
	out := make([]float32, x.photos()*s.classes)
	size := chunk(x.photos())
	s.parallel((x.photos()+size-1)/size, func(c int) {
		logits, answers := make([]float64, s.classes), make([]float64, s.classes*x.positions)
		for i := c * size; i < min((c+1)*size, x.photos()); i++ {
			s.logits(x, i, w, logits, answers)
			for k, l := range logits {
				out[i*s.classes+k] = float32(l)
			}
		}
	})
	return out
}

// parallel calls f with 0 to n-1 on the workers.
func (s *softmax) parallel(n int, f func(int)) { s.parallelBy(n, func(_, i int) { f(i) }) }

// parallelBy is parallel, and tells which worker calls.
func (s *softmax) parallelBy(n int, f func(worker, i int)) {
	var next atomic.Int64
	var running sync.WaitGroup
	for worker := range min(s.threads, n) {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(worker, i)
			}
		})
	}
	running.Wait()
}

// logits computes those of photo i, and what each position answers before the Relu, (positions, classes).
func (s *softmax) logits(x *features, i int, w, logits, answers []float64) {
	bias := w[s.classes*x.f:]
	clear(logits)
	for p := range x.positions {
		row := x.of(i)[p*x.f : (p+1)*x.f]
		for c := range logits {
			z := bias[c] + dot(w[c*x.f:(c+1)*x.f], row)
			answers[p*s.classes+c] = z
			if x.rectified {
				z = max(z, 0)
			}
			logits[c] += z
		}
	}
	for c := range logits {
		logits[c] /= float64(x.positions)
	}
}

// crossEntropy returns the weighted loss with label smoothing and turns logits into their gradient.
func (s *softmax) crossEntropy(logits []float64, label int) float64 {
	top, sum := slices.Max(logits), 0.0
	for _, l := range logits {
		sum += kernel.Exp(l - top)
	}
	logSum, even := top+kernel.Log(sum), s.smoothing/float64(s.classes)
	loss, all := 0.0, 1.0
	if s.weights != nil {
		all = float64((1 - s.smoothing) * s.weights[label])
		for _, w := range s.weights {
			all += float64(even * w)
		}
	}
	for c, l := range logits {
		target := even
		if c == label {
			target += 1 - s.smoothing
		}
		target = float64(target * s.weight(c))
		loss += float64(target * (logSum - l))
		logits[c] = float64(kernel.Exp(l-logSum)*all) - target
	}
	return loss
}

// backward adds the gradient of photo i, whose logits' gradient is given.
func (s *softmax) backward(x *features, i int, gradient, answers, grad []float64) {
	bias := grad[s.classes*x.f:]
	for p := range x.positions {
		row := x.of(i)[p*x.f : (p+1)*x.f]
		for c, g := range gradient {
			if x.rectified && answers[p*s.classes+c] <= 0 {
				continue
			}
			g /= float64(x.positions)
			bias[c] += g
			axpy(grad[c*x.f:(c+1)*x.f], g, row)
		}
	}
}

// dot is the scalar product, in four sums.
func dot[T float32 | float64](w []float64, x []T) float64 {
	var s0, s1, s2, s3 float64
	w = w[:len(x)]
	for len(x) >= 4 {
		s0 += float64(w[0] * float64(x[0]))
		s1 += float64(w[1] * float64(x[1]))
		s2 += float64(w[2] * float64(x[2]))
		s3 += float64(w[3] * float64(x[3]))
		w, x = w[4:], x[4:]
	}
	for i, v := range x {
		s0 += float64(w[i] * float64(v))
	}
	return (s0 + s1) + (s2 + s3)
}

// axpy adds a x to y.
func axpy[T float32 | float64](y []float64, a float64, x []T) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += float64(a * float64(v))
	}
}

// axpyDot adds a x to y and returns the scalar product of z and the new y, as axpy and dot would.
func axpyDot(y []float64, a float64, x, z []float64) float64 {
	var s0, s1, s2, s3 float64
	x, z = x[:len(y)], z[:len(y)]
	i := 0
	for ; i+4 <= len(y); i += 4 {
		x, y, z := x[i:i+4:i+4], y[i:i+4:i+4], z[i:i+4:i+4]
		y0, y1, y2, y3 := y[0]+float64(a*x[0]), y[1]+float64(a*x[1]), y[2]+float64(a*x[2]), y[3]+float64(a*x[3])
		y[0], y[1], y[2], y[3] = y0, y1, y2, y3
		s0 += float64(z[0] * y0)
		s1 += float64(z[1] * y1)
		s2 += float64(z[2] * y2)
		s3 += float64(z[3] * y3)
	}
	for ; i < len(y); i++ {
		y[i] += float64(a * x[i])
		s0 += float64(z[i] * y[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// argmax is the first of the largest.
func argmax[T float32 | float64](v []T) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
