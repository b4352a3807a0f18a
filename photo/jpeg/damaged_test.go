package jpeg

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"maps"
	"strconv"
	"strings"
	"testing"

	"regraft/engine/random"
	"regraft/photo/pixel"
)

// damage is a fixture with a few bytes changed, and what libjpeg-turbo makes of it (scripts/damaged_jpegs.py).
type damage struct {
	line   string
	data   []byte
	pixels string // the first digits of their SHA-256; "-" where Pillow has none
	warned bool   // by libjpeg-turbo, while it decodes
}

func damaged(t *testing.T) (list []damage) {
	t.Helper()
	for line := range strings.Lines(string(fixture(t, "damaged.txt"))) {
		words := strings.Fields(line)
		d := damage{strings.TrimSpace(line), fixture(t, words[0]), words[2], len(words) > 3}
		for change := range strings.SplitSeq(words[1], ",") {
			place, value, _ := strings.Cut(change, "=")
			at, err := strconv.Atoi(place)
			if err != nil {
				t.Fatal(err)
			}
			b, err := strconv.ParseUint(value, 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			d.data[at] = byte(b)
		}
		list = append(list, d)
	}
	return list
}

// TestDamagedAsLibjpegTurbo: a damaged file has libjpeg-turbo's pixels or is refused. Where libjpeg-turbo shows it without a warning, it
// is refused only for what is not decoded, for a component without a scan, and for coefficients behind the last one of their block or
// band. The numbers of refusals are for whoever changes what is refused to look at.
func TestDamagedAsLibjpegTurbo(t *testing.T) {
	results, silent := map[string]int{}, map[string]int{}
	for _, c := range damaged(t) {
		_, _, pix, err := Decode(c.data)
		if sum := fmt.Sprintf("%x", sha256.Sum256(pix)); err == nil && sum[:len(c.pixels)] != c.pixels {
			t.Errorf("%s: pixels %s", c.line, sum[:8])
		}
		kind, _, _ := strings.Cut(fmt.Sprint(err), ":")
		kind = strings.Trim(kind, "0123456789 of")
		if strings.HasPrefix(kind, "restart") {
			kind = "restart marker"
		}
		results[kind]++
		if err != nil && !c.warned {
			silent[kind]++
		}
	}
	wantResults := map[string]int{
		"<nil>": 702, "a header segment is damaged": 227, "a marker is missing": 4, "no scan holds component": 3, "not supported": 10,
		"restart marker": 6, errCode.Error(): 89, errShort.Error(): 264, errTruncated.Error(): 19,
	}
	if wantSilent := map[string]int{errCode.Error(): 12}; !maps.Equal(results, wantResults) || !maps.Equal(silent, wantSilent) {
		t.Errorf("results %v, want %v; without a warning %v, want %v", results, wantResults, silent, wantSilent)
	}
}

// forget makes every table decode one bit after the other until the test ends: none knows a code by a look.
func forget(t *testing.T) {
	unknown := new(pixel.Codes)
	for i := range unknown {
		unknown[i] = pixel.Unknown
	}
	for _, h := range known.tables {
		h.codes = func() *pixel.Codes { return unknown }
	}
	t.Cleanup(func() { clear(known.tables) })
}

// TestDamagedAlike: a damaged file has the same pixels and the same error whole, in part, and without the tables that decode several
// codes at once.
func TestDamagedAlike(t *testing.T) {
	type result struct {
		pix []uint8
		err string
	}
	r := random.At(5, "damaged")
	list := damaged(t)
	whole := make([]result, len(list))
	for i, c := range list {
		w, h, pix, err := Decode(c.data)
		whole[i] = result{pix, fmt.Sprint(err)}
		if w == 0 {
			continue
		}
		x, y := r.IntN(w), r.IntN(h)
		area := image.Rect(x, y, x+1+r.IntN(w-x), y+1+r.IntN(h-y))
		part := Rows(c.data, 1, area, func(y int, rgb []uint8) {
			if err == nil && !bytes.Equal(rgb, pix[3*(y*w+area.Min.X):][:3*area.Dx()]) {
				t.Errorf("%s: row %d of %v differs", c.line, y, area)
			}
		})
		if fmt.Sprint(part) != whole[i].err {
			t.Errorf("%s: %v of %v: %v", c.line, err, area, part)
		}
	}
	forget(t)
	for i, c := range list {
		_, _, pix, err := Decode(c.data)
		if !bytes.Equal(pix, whole[i].pix) || fmt.Sprint(err) != whole[i].err {
			t.Errorf("%s: %v instead of %s bit by bit", c.line, err, whole[i].err)
		}
	}
}
