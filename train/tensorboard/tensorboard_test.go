package tensorboard

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"regraft/golden"
)

// written is a log with one of everything.
func written(t *testing.T) []byte {
	t.Helper()
	var file, picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 7, 5))); err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(1_700_000_000_500)
	l := Log{&file}
	for _, e := range []error{
		l.Begin(at), l.Scalar(at, 1, "loss/train", 0.5), l.Scalar(at.Add(time.Second), 2, "loss/train", 0.25),
		l.Text(at, 0, "settings", "| a | b |\n|---|---|\n| lr | 0.1 |"), l.Picture(at, 2, "confusion", picture.Bytes()),
	} {
		if e != nil {
			t.Fatal(e)
		}
	}
	if err := l.Picture(at, 3, "no picture", []byte("text")); err == nil {
		t.Error("a text was logged as a picture")
	}
	return file.Bytes()
}

// TestRecords decodes what was written by the formats' descriptions.
func TestRecords(t *testing.T) {
	file := written(t)
	var events []map[protowire.Number][]byte
	for len(file) > 0 {
		n := binary.LittleEndian.Uint64(file)
		if binary.LittleEndian.Uint32(file[8:]) != checksum(file[:8]) || binary.LittleEndian.Uint32(file[12+n:]) != checksum(file[12:12+n]) {
			t.Fatal("a checksum is wrong")
		}
		events = append(events, fields(t, file[12:12+n]))
		file = file[16+n:]
	}
	if len(events) != 5 || string(events[0][versionField]) != "brain.Event:2" {
		t.Fatalf("%d events, the first %v", len(events), events[0])
	}
	if at := math.Float64frombits(binary.LittleEndian.Uint64(events[2][wallTimeField])); at != 1_700_000_001.5 {
		t.Errorf("time %f", at)
	}
	value := fields(t, fields(t, events[2][summaryField])[valueField])
	if v := math.Float32frombits(binary.LittleEndian.Uint32(value[scalarField])); string(value[tagField]) != "loss/train" || v != 0.25 || events[2][stepField][0] != 2 {
		t.Errorf("%q %g at step %v", value[tagField], v, events[2][stepField])
	}
	picture := fields(t, fields(t, fields(t, events[4][summaryField])[valueField])[imageField])
	if picture[heightField][0] != 5 || picture[widthField][0] != 7 {
		t.Errorf("%v x %v", picture[heightField], picture[widthField])
	}
}

// fields are the last values of each field, numbers as bytes.
func fields(t *testing.T, message []byte) map[protowire.Number][]byte {
	t.Helper()
	all := map[protowire.Number][]byte{}
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		value := message[n : n+size]
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		all[number], message = value, message[n+size:]
	}
	return all
}

// TestChecksum: CRC32C of RFC 3720's example, 32 zeros, is 8a9136aa; the mask is that of TensorFlow.
func TestChecksum(t *testing.T) {
	crc, mask := uint32(0x8a9136aa), uint32(0xa282ead8)
	if got, want := checksum(make([]byte, 32)), (crc>>15|crc<<17)+mask; got != want {
		t.Errorf("%08x, want %08x", got, want)
	}
}

const reading = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={"images": 0, "tensors": 0, "scalars": 0}).Reload()
tags = a.Tags()
print(json.dumps({
  "scalars": {t: [[e.wall_time, e.step, e.value] for e in a.Scalars(t)] for t in tags["scalars"]},
  "images": {t: [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in a.Images(t)] for t in tags["images"]},
  "texts": {t: [[e.step, e.tensor_proto.string_val[0].decode()] for e in a.Tensors(t)] for t in tags["tensors"]},
}))
`

// TestTensorBoard reads a log with TensorBoard itself.
func TestTensorBoard(t *testing.T) {
	python := golden.Python(t, "import tensorboard.backend.event_processing.event_accumulator")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "events.out.tfevents.1.x"), written(t), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-W", "ignore", "-c", reading, dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Scalars map[string][][3]float64
		Images  map[string][][4]int
		Texts   map[string][][2]any
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if s := got.Scalars["loss/train"]; len(s) != 2 || s[1] != [3]float64{1_700_000_001.5, 2, 0.25} {
		t.Errorf("scalars %v", got.Scalars)
	}
	if p := got.Images["confusion"]; len(p) != 1 || p[0][0] != 2 || p[0][1] != 7 || p[0][2] != 5 {
		t.Errorf("images %v", got.Images)
	}
	if x := got.Texts["settings"]; len(x) != 1 || x[0][1] != "| a | b |\n|---|---|\n| lr | 0.1 |" {
		t.Errorf("texts %v", got.Texts)
	}
}
