package train

import (
	"fmt"

	"regraft/engine/session"
	"regraft/photo"
	"regraft/setting"
)

// Memory is what a run of full mode will need at its peak, in bytes.
type Memory struct {
	Bytes int64 `json:"bytes"`
	// Available is what the machine can still give; 0 where it does not say.
	Available int64 `json:"available,omitempty"`
	// Batch is how many photos go through the network at a time, and Fits the most that fit into Available.
	Batch int `json:"batch"`
	Fits  int `json:"fits,omitempty"`
}

// Enough reports whether the run fits, as far as that is known.
func (m Memory) Enough() bool { return m.Available == 0 || m.Bytes <= m.Available }

func (m Memory) String() string {
	need := fmt.Sprintf("memory: about %s", megabytes(m.Bytes))
	switch {
	case m.Available == 0:
		return need
	case m.Enough():
		return fmt.Sprintf("%s of %s that are free; batches of %s would fit", need, megabytes(m.Available), photo.Count(m.Fits, "photo", "photos"))
	case m.Fits == 0:
		return fmt.Sprintf("%s, but %s are free: not even a batch of 1 fits", need, megabytes(m.Available))
	}
	return fmt.Sprintf("%s, but %s are free: %s at a time would fit (%v, or a divisor of it as %v)", need, megabytes(m.Available), photo.Count(m.Fits, "photo", "photos"),
		setting.Batch, setting.MicroBatch)
}

// megabytes writes a number of bytes with three digits.
func megabytes(bytes int64) string {
	if bytes < 10_000_000_000 {
		return fmt.Sprintf("%d MB", bytes/1_000_000)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
}

// What follows from no plan, as measured: the program with its stacks and decoders, the networks' graphs on the heap, and by how many
// tenths the heap grows with its garbage. What a run really takes was 5 to 17 % less than is told (batches of 64 of a narrow network, of 8 of
// Inception-v3, ViT-B/16 and ViT-S/14, 2 and 3 epochs).
const (
	processMemory = 50_000_000
	graphs        = 20_000_000
	garbage       = 12
)

// freeMemory is available, but for tests.
var freeMemory = available

// memory says what the run will need.
func (l *fullLearner) memory() (Memory, error) {
	o, err := session.Native(l.config.Direct)
	if err != nil {
		return Memory{}, err
	}
	net, err := l.net.WithBatch(inferenceBatch)
	if err != nil {
		return Memory{}, &ModelError{err}
	}
	validating, err := session.Compile(net, o)
	if err != nil {
		return Memory{}, &ModelError{err}
	}
	m := Memory{Available: freeMemory(), Batch: l.micro, Bytes: l.peak(l.compiled, validating, l.batch)}
	if m.Available == 0 {
		return m, nil
	}
	// What depends on the batch is nearly proportional to it.
	fixed := l.peak(l.compiled, validating, l.ahead(0)) - l.compiled.Activations()
	m.Fits = int(max(m.Available-fixed, 0) * int64(l.micro) / max(m.Bytes-fixed, 1))
	for ; !m.Enough() && m.Fits > 0; m.Fits -= (m.Fits + 19) / 20 {
		smaller, err := l.compile(m.Fits)
		if err != nil { // too few for the statistics of BatchNorm
			m.Fits = 0
			break
		}
		if l.peak(smaller, validating, l.ahead(m.Fits)) <= m.Available {
			break
		}
	}
	return m, nil
}

// ahead is the batch that goes with so many photos at a time.
func (l *fullLearner) ahead(micro int) int {
	if l.micro < l.batch {
		return l.batch
	}
	return micro
}

// peak is the memory of a run with these sessions: that of a step, or that of validating, when the training rests and holds nothing but
// parameters. On the heap are the best values of the network, when it validates those of the moment too, the solver's state, the batches on
// their way, and graphs. Garbage comes to that, at most as much again (GOGC 100).
func (l *fullLearner) peak(training, validating *session.Compiled, batch int) int64 {
	threads := session.Threads(l.config.Threads)
	values, size := int64(0), 4*int64(l.net.Meta.Preprocess.Values())
	for _, p := range l.net.Params {
		values += 4 * int64(p.Shape.TotalSize())
	}
	heap := graphs + int64(l.solver.States())*training.Parameters() + photo.LoaderBatches*int64(batch+inferenceBatch)*size
	own := training.Memory(threads)
	rest := own - training.Activations() - training.Parameters()
	step := own + (heap+values)*garbage/10
	judge := rest + validating.Memory(threads) + (heap+2*values)*garbage/10
	return processMemory + max(step, judge)
}
