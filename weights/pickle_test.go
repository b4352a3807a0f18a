package weights

import "testing"

// TestLong: integers of any number of bytes are little-endian in two's complement.
func TestLong(t *testing.T) {
	for _, c := range []struct {
		bytes []byte
		want  int64
	}{
		{nil, 0},
		{[]byte{0x7f}, 127},
		{[]byte{0x80}, -128},
		{[]byte{0x01, 0x02}, 513},
		{[]byte{0x00, 0xff}, -256},
		{[]byte{0xff, 0x00}, 255},
		{[]byte{0x15, 0xcd, 0x5b, 0x07}, 123456789},
		{[]byte{0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -3},
		{[]byte{1, 2, 3, 4, 5, 6, 7, 8}, 0x0807060504030201},
		{[]byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -2},
	} {
		data := newPickle().op(opLong1, byte(len(c.bytes))).op(c.bytes...).op(opStop).Bytes()
		var u unpickler
		if got, _, err := u.unpickle(data); err != nil || got != c.want {
			t.Errorf("% x: %v (%v), want %d", c.bytes, got, err, c.want)
		}
	}
}
