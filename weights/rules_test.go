package weights

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine/random"
	"regraft/photo"
)

// TestTimmVits: timm's names of vision transformers, and what we call them.
func TestTimmVits(t *testing.T) {
	for name, want := range map[string]string{
		"vit_base_patch16_224": "vit_b_16", "vit_large_patch14_dinov2": "dinov2_large", "vit_small_patch14_reg4_dinov2": "dinov2_small_reg",
		"vit_base_patch32_clip_224": "clip_vit_b_32", "vit_base_patch16_siglip_256": "siglip_b_16", "deit_tiny_distilled_patch16_224": "deit_t_16_distilled",
		"beit_large_patch16_224": "beit_l_16", "deit_small_patch16_224": "vit_s_16", "vit_huge_patch14_224": "", "resnet50": "",
	} {
		if got := vitArch(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestUnreachable: what is of no use to try again is told from what is.
func TestUnreachable(t *testing.T) {
	for says, err := range map[string]error{
		"no name server: example.org is not found; behind a proxy": &net.OpError{Op: "dial", Err: &net.DNSError{Name: "example.org"}},
		"no connection: dial":         &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")},
		"no connection: proxyconnect": &net.OpError{Op: "proxyconnect", Net: "tcp", Err: errors.New("refused")},
	} {
		got := unreachable(err)
		if !errors.As(got, new(permanent)) || !strings.Contains(got.Error(), says) || !strings.Contains(got.Error(), "HTTPS_PROXY") {
			t.Errorf("%v: %v", err, got)
		}
	}
	for _, err := range []error{&net.OpError{Op: "read", Err: errors.New("reset")}, errors.New("other")} {
		if got := unreachable(err); got != err {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}

// TestDownloadProgress: the total is what the server says, or what is known of the file where it says nothing.
func TestDownloadProgress(t *testing.T) {
	for total, want := range map[int64]int64{0: 600, 700: 700} {
		f, err := os.Create(filepath.Join(t.TempDir(), "part"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var told [][2]int64
		d := &Download{Progress: func(have, total int64) { told = append(told, [2]int64{have, total}) }}
		if err := d.copy(context.Background(), &Source{Bytes: 600}, f, bytes.NewReader(make([]byte, 700)), 5, total, func() {}); err != nil {
			t.Fatal(err)
		}
		if last := told[len(told)-1]; last != [2]int64{705, want} {
			t.Errorf("total %d: %v", total, told)
		}
	}
}

// TestLabelNames: names by their numbers, and those that nobody gave.
func TestLabelNames(t *testing.T) {
	for config, want := range map[string]string{
		`{"label_names": ["b", "a"]}`:                          "b a",
		`{"label_names": {"1": "a", "0": "b"}}`:                "b a",
		`{"id2label": {"2": "c", "0": "b", "1": "a"}}`:         "b a c",
		`{"id2label": {"0": "b", "2": "a"}}`:                   "",
		`{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}`:       "",
		`{"id2label": {"0": "LABEL_X", "1": "MY_LABEL_1"}}`:    "LABEL_X MY_LABEL_1",
		`{"label_names": 3, "id2label": {"0": "b", "1": "a"}}`: "",
		`{"label_names": {"0": "x"}, "id2label": {"0": "y"}}`:  "x",
		`{}`: "",
	} {
		var c modelConfig
		if err := json.Unmarshal([]byte(config), &c); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.labels(), " "); got != want {
			t.Errorf("%s: %q, want %q", config, got, want)
		}
	}
	if _, err := ReadLabels(filepath.Join(t.TempDir(), "none.txt")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestInitial: first values as He et al. draw them, ones for scales and variances, zeros for the rest.
func TestInitial(t *testing.T) {
	r := random.At(1, "initial")
	for name, want := range map[string]float32{"bn.weight": 1, "bn.running_var": 1, "bn.bias": 0, "bn.running_mean": 0} {
		if got := initial(name, []int{3}, r); !slices.Equal(got, []float32{want, want, want}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	const fan = 2 * 9
	squares := 0.0
	values := initial("conv.weight", []int{500, 2, 3, 3}, r)
	for _, v := range values {
		squares += float64(v) * float64(v)
	}
	if got, want := squares/float64(len(values)), 2./fan; math.Abs(got-want) > 0.05*want {
		t.Errorf("variance %v, want about %v", got, want)
	}
}

// TestNamesOfTensors: what a name can be, and two that mean the same.
func TestNamesOfTensors(t *testing.T) {
	var list Tensors
	if err := list.add(strings.Repeat("x", maxName), Tensor{}); err != nil {
		t.Error(err)
	}
	if err := list.add(strings.Repeat("y", maxName+1), Tensor{}); err == nil || !strings.Contains(err.Error(), "513 bytes") {
		t.Errorf("a long name: %v", err)
	}
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		to := map[string]*Tensor{"fc.weight": {Name: order[0]}}
		if err := addAs("fc.weight", &Tensor{Name: order[1]}, to); err == nil || !strings.Contains(err.Error(), `tensors "a" and "b"`) {
			t.Errorf("%q: %v", order, err)
		}
	}
}

// TestJoining: what does not belong together stays as it is, and an error in the values of what does is told.
func TestJoining(t *testing.T) {
	const block = "encoder.layers.0"
	of := func(shape ...int) *Tensor {
		return derived("x", shape, func() ([]float32, error) { return make([]float32, product(shape)), nil })
	}
	for _, c := range []struct {
		q, k, v *Tensor
		joined  bool
	}{
		{of(2, 2), of(2, 2), of(2, 2), true}, {of(2, 2), of(2, 2), of(2, 3), false}, {of(2, 2), of(3, 2), of(2, 2), false},
		{of(2, 2), nil, of(2, 2), false}, {of(2, 2), of(2, 2), nil, false}, {of(2), of(2), of(2), false},
	} {
		tensors := map[string]*Tensor{block + ".query.weight": c.q, block + ".key.weight": c.k, block + ".value.weight": c.v}
		if joinProjections(tensors, block, block+"."+attentionPart+"in_proj_weight"); tensors[block+".query.weight"] == nil != c.joined || tensors[block+"."+attentionPart+"in_proj_weight"] != nil != c.joined {
			t.Errorf("%v: %v", c, tensors)
		}
	}
	broken := derived("table", []int{1, 5, 2}, func() ([]float32, error) { return nil, errors.New("cut") })
	tensors := map[string]*Tensor{classToken: of(1, 1, 2), positionTable: broken, registerTokens: of(1, 4, 2)}
	placeClassToken(tensors)
	if _, err := tensors[classToken].Values(); err == nil {
		t.Error("a token of a table that cannot be read")
	}
	if _, err := tensors[positionTable].Values(); err == nil {
		t.Error("a table that cannot be read")
	}
}

// TestFit: shares of names that fit, and which of a file's networks is meant where none is known.
func TestFit(t *testing.T) {
	m, err := FindFamily(renamed(t, zeros(t, "alexnet", 9), func(n string) string {
		switch {
		case strings.HasPrefix(n, "features.0."):
			return ""
		case strings.HasPrefix(n, "features.3."):
			return "z." + n
		}
		return n
	}), "alexnet", "")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.family.params) != 16 || len(m.Missing) != 4 || !slices.Equal(m.Unexpected, []string{"z.features.3.bias", "z.features.3.weight"}) {
		t.Fatalf("missing %q, unexpected %q", m.Missing, m.Unexpected)
	}
	m.Misshapen = []string{"one"}
	if fit, alike := m.fit(), m.alike(); fit != 11./18 || alike != 12./18 {
		t.Errorf("fit %v, alike %v", fit, alike)
	}
	stranger := func(prefix string) *Match {
		return &Match{Family: "alexnet", family: m.family, Missing: make([]string, 9), selection: selection{prefix: prefix}}
	}
	a, b := stranger("a."), stranger("b.")
	if got, err := choose([]*Match{a, b}, ""); err != nil || got != a || len(got.others) > 0 {
		t.Errorf("of two parts of a stranger: %v, %v", got, err)
	}
	for _, m := range []*Match{a, b} {
		m.Missing = m.Missing[:8]
	}
	if _, err := choose([]*Match{a, b}, ""); err == nil || !strings.Contains(err.Error(), "holds several networks") {
		t.Errorf("of two networks: %v", err)
	}
}

// TestOptionsGoFirst: what the options say of the network stands in its metadata.
func TestOptionsGoFirst(t *testing.T) {
	m := &Match{tensors: map[string]*Tensor{}}
	if shape, values, err := m.positions([]int{1, 5, 2}, []float32{1}, photo.Square(64)); err != nil || !slices.Equal(shape, []int{1, 5, 2}) || len(values) != 1 {
		t.Errorf("positions without patches: %v, %v, %v", shape, values, err)
	}
	path := saved(t, "net.safetensors", zeros(t, "squeezenet1_1", 9))
	i, err := Import(path, Options{Arch: "squeezenet1_1"})
	if err != nil {
		t.Fatal(err)
	}
	if i.Net.Meta.Arch != "squeezenet1_1" {
		t.Errorf("architecture %q", i.Net.Meta.Arch)
	}
}
