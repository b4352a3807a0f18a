package parquetfile

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestOpen: a file that says that its metadata are longer than itself is refused before there is memory for them.
func TestOpen(t *testing.T) {
	var file bytes.Buffer
	if err := parquet.Write(&file, []struct{ Path string }{{"a"}}); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	for name, data := range map[string][]byte{
		"empty": nil, "short": []byte("PAR1"), "frame": []byte("PAR1\x00\x00\x00\x00PAR1"), "text": []byte("no Parquet, but long enough"), "cut": whole[:len(whole)-1],
		"long": binary.LittleEndian.AppendUint32(bytes.Clone(whole[:len(whole)-8]), 3<<30), "whole": whole,
	} {
		if name == "long" {
			data = append(data, "PAR1"...)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f, err := Open(bytes.NewReader(data), int64(len(data)))
		runtime.ReadMemStats(&after)
		if (err == nil) != (name == "whole") || err == nil && f.NumRows() != 1 {
			t.Errorf("%s: %v", name, err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
			t.Errorf("%s: %d bytes of memory", name, got)
		}
	}
}
