package demo

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"regraft/golden"
	"regraft/head"
	"regraft/photo"
	"regraft/scene"
	"regraft/train"
)

// TestModel: the file in the program is small and complete, and knows no place.
func TestModel(t *testing.T) {
	if len(file) > 3<<20 {
		t.Errorf("the model has %d bytes, more than 3 MiB", len(file))
	}
	net, err := Model()
	if err != nil {
		t.Fatal(err)
	}
	heads, err := head.Find(net)
	if err != nil {
		t.Fatal(err)
	}
	if len(heads) != 2 || heads[0].Kind != "main" || heads[1].Kind != "aux" {
		t.Errorf("heads %v, want main and aux", heads)
	}
	if net.Meta.Arch != arch || net.Meta.Preprocess == nil || net.Meta.Preprocess.Size != photo.Square(size) || len(net.Meta.History) == 0 {
		t.Errorf("metadata %+v", net.Meta)
	}
	things, places := map[string]bool{}, scene.Places()
	for _, c := range scene.Things() {
		things[c.Name] = true
	}
	for _, label := range net.Meta.Labels {
		if !things[label] {
			t.Errorf("label %s is nothing that scene renders", label)
		}
	}
	for _, p := range places {
		if things[p.Name] {
			t.Errorf("%s is among the things of the pretraining", p.Name)
		}
	}
	if len(net.Meta.Labels) != len(things) {
		t.Errorf("%d labels, want %d", len(net.Meta.Labels), len(things))
	}
}

// TestPretrainingMatters: heads on regraft-mini's trunk do far better than the same heads on a trunk of
// random weights.
func TestPretrainingMatters(t *testing.T) {
	if testing.Short() {
		t.Skip("renders some hundred photos")
	}
	r := New(t.TempDir())
	r.Seed, r.Train, r.Test = 5, 40, 25
	if err := r.Render(t.Context()); err != nil {
		t.Fatal(err)
	}
	trained, err := r.Import()
	if err != nil {
		t.Fatal(err)
	}
	untrained, err := Untrained(trained.Meta.Labels, r.Seed)
	if err != nil {
		t.Fatal(err)
	}
	on, err := r.Heads(t.Context(), trained, "heads", train.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	off, err := r.Heads(t.Context(), untrained, "random-trunk", train.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := 100*on.Report.Accuracy, 100*off.Report.Accuracy
	t.Logf("heads on the pretrained trunk %.1f %%, on a random trunk %.1f %%, of %d photos", a, b, on.Report.Images)
	if a-b < 15 {
		t.Errorf("pretraining is worth %.1f points only", a-b)
	}
}

// TestHeadsBits: the same heads on every machine, from the same photos.
func TestHeadsBits(t *testing.T) {
	r := New(t.TempDir())
	r.Seed, r.Train, r.Test = 1, 2, 1
	if err := r.Render(t.Context()); err != nil {
		t.Fatal(err)
	}
	net, err := r.Import()
	if err != nil {
		t.Fatal(err)
	}
	heads, err := r.Heads(t.Context(), net, "heads", train.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile(heads.Model)
	if err != nil {
		t.Fatal(err)
	}
	golden.Text(t, "testdata/headsbits.txt", fmt.Sprintf("%x\n", sha256.Sum256(model)))
}
