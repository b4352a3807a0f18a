package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/photo"
)

func sample() *checkpoint {
	config := Defaults(Full, "")
	config.Preprocess = *photo.ImageNet(photo.Square(299))
	return &checkpoint{
		Config: config, Network: "n", Photos: "p",
		Epochs:   []Epoch{{Epoch: engine.Epoch{Mode: string(Full), Number: 1, ValAcc: 0.5}}},
		Progress: progress{Step: 3, Loss: 1.25},
		parts: []part{
			{Steps: 7, Float32: [][]float32{{1, 2, 3}, {}}},
			{Float64: [][]float64{{0.1, -0.2}}},
		},
	}
}

func encoded(t *testing.T, c *checkpoint) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func stored(data []byte) (*checkpoint, error) {
	return parseCheckpoint(bytes.NewReader(data), int64(len(data)))
}

func TestCheckpointReturns(t *testing.T) {
	want := sample()
	got, err := stored(encoded(t, want))
	if err != nil {
		t.Fatal(err)
	}
	got.parts[0].Float64, want.parts[0].Float64 = nil, nil
	if !reflect.DeepEqual(got.parts[0], want.parts[0]) || !reflect.DeepEqual(got.parts[1].Float64, want.parts[1].Float64) {
		t.Errorf("parts %+v, want %+v", got.parts, want.parts)
	}
	if !reflect.DeepEqual(got.Epochs, want.Epochs) || got.Progress != want.Progress || !reflect.DeepEqual(got.Config, want.Config) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestDamagedCheckpoints: every truncation and every changed byte is an error, never a panic or a wrong state.
func TestDamagedCheckpoints(t *testing.T) {
	whole := encoded(t, sample())
	for n := range len(whole) {
		if _, err := stored(whole[:n]); err == nil {
			t.Fatalf("accepted the first %d of %d bytes", n, len(whole))
		}
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 0x10
		if _, err := stored(changed); err == nil {
			t.Fatalf("accepted a change of byte %d", i)
		}
	}
	if _, err := stored(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("accepted a byte too many")
	}
}

// TestHostileLengths: lengths in the header allocate nothing that the file does not hold.
func TestHostileLengths(t *testing.T) {
	for _, header := range []string{
		`{"parts":[{"float32":[1000000000000]}]}`,
		`{"parts":[{"float64":[-1]}]}`,
		`{"parts":[{"float32":[9223372036854775807]}]}`,
	} {
		data := binary.LittleEndian.AppendUint64([]byte(checkpointMagic), uint64(len(header)))
		data = append(append(data, header...), make([]byte, 64)...)
		if _, err := stored(data); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: error %v", header, err)
		}
	}
	huge := binary.LittleEndian.AppendUint64([]byte(checkpointMagic), 1<<63)
	if _, err := stored(append(huge, make([]byte, 64)...)); err == nil {
		t.Error("accepted a header of 2^63 bytes")
	}
	if _, err := stored([]byte("this is some other file, which has nothing to do with us at all")); err == nil || !strings.Contains(err.Error(), "not a checkpoint") {
		t.Errorf("a foreign file: %v", err)
	}
}

func TestResumeWantsTheSameRun(t *testing.T) {
	k := sample()
	c := k.Config
	c.Out, c.Threads, c.Epochs = "elsewhere", 7, 20
	if err := k.fits(&c, "n", "p"); err != nil {
		t.Errorf("free fields: %v", err)
	}
	c.LearningRate = 1
	err := k.fits(&c, "n", "p")
	if err == nil || !strings.Contains(err.Error(), "lr was 0.0005 and is 1") {
		t.Errorf("another learning rate: %v", err)
	}
	if err := k.fits(&k.Config, "m", "p"); err == nil {
		t.Error("accepted another model")
	}
	if err := k.fits(&k.Config, "n", "q"); err == nil {
		t.Error("accepted other photos")
	}
}

// TestPreviousCheckpoint: a run whose last checkpoint is damaged, or was never finished, goes on from the one before to the same bits,
// and keeps the sound one until there is another.
func TestPreviousCheckpoint(t *testing.T) {
	data := photos(t, map[string]int{"train": 8, "val": 3})
	k := killed(t, narrowRun(t, Full, data), 6)
	want := sum(t, filepath.Join(k.config.Out, BestFile))
	for _, damage := range []struct {
		name string
		do   func(path string) error
		warn bool
	}{
		{"cut", func(path string) error { return os.Truncate(path, 1000) }, true},
		{"one bit", func(path string) error {
			data, err := os.ReadFile(path)
			must(t, err)
			data[len(data)/2] ^= 4
			return os.WriteFile(path, data, 0o666)
		}, true},
		{"gone", os.Remove, false},
	} {
		c := k.config
		c.Out, c.Resume = t.TempDir(), true
		must(t, os.CopyFS(c.Out, os.DirFS(k.copies[6])))
		last, previous := filepath.Join(c.Out, CheckpointFile), filepath.Join(c.Out, PreviousFile)
		newer, err := readCheckpoint(last)
		must(t, err)
		older, err := readCheckpoint(previous)
		must(t, err)
		if at := func(k *checkpoint) int { return 1000*len(k.Epochs) + k.Progress.Step }; at(newer) <= at(older) {
			t.Errorf("%s: the checkpoint before is at %d, the last one at %d", damage.name, at(older), at(newer))
		}
		must(t, damage.do(last))
		w := &warnings{}
		r, err := Fit(context.Background(), c, w)
		if err != nil {
			t.Errorf("%s: %v", damage.name, err)
			continue
		}
		if sum(t, r.Model) != want {
			t.Errorf("%s: other bits", damage.name)
		}
		if warned := strings.Contains(w.String(), "last.ckpt is damaged"); warned != damage.warn {
			t.Errorf("%s: warned %q", damage.name, w.String())
		}
	}
}
