package regraft_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"iter"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"regraft"
)

// TestImage: a decoded picture is answered like its file.
func TestImage(t *testing.T) {
	m := open(t, narrow)
	file := pictures(1)[0]
	img, err := png.Decode(bytes.NewReader(file.Data))
	if err != nil {
		t.Fatal(err)
	}
	got := classify(t, m, regraft.Photo{Path: file.Path, Image: img}, regraft.Photo{Path: "empty", Image: image.NewGray(image.Rectangle{})})
	if want := classify(t, m, file)[0]; !reflect.DeepEqual(got[0], want) {
		t.Errorf("the picture is answered %v, its file %v", got[0], want)
	}
	if got[1].Err == nil {
		t.Error("an empty picture is answered")
	}
}

// TestPanicInIterator: what the caller's iterator panics with comes back to the caller, after the answers to what came before.
func TestPanicInIterator(t *testing.T) {
	m := open(t, narrow)
	photos := pictures(3)
	answers := 0
	defer func() {
		if r := recover(); r != "no more film" || answers != len(photos) {
			t.Errorf("%v is recovered after %d answers", r, answers)
		}
	}()
	for _, err := range m.Stream(context.Background(), func(yield func(regraft.Photo) bool) {
		for _, p := range photos {
			if !yield(p) {
				return
			}
		}
		panic("no more film")
	}) {
		if err != nil {
			t.Fatal(err)
		}
		answers++
	}
	t.Error("the stream ends as if nothing had happened")
}

// TestDeadline: the end of a context ends the wait for whatever the call waits for.
func TestDeadline(t *testing.T) {
	m := open(t, narrow, regraft.Batch(1))
	forever := make(chan struct{})
	defer close(forever)
	slow := func(yield func(regraft.Photo) bool) { <-forever }
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	for _, err := range m.Stream(ctx, iter.Seq[regraft.Photo](slow)) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("behind an iterator that gives nothing: %v", err)
		}
	}

	// Many callers share one model, and some of their deadlines pass while others compute: each call ends with all its answers
	// or with its context's error, and never with an answer after that.
	photos := pictures(4)
	want := classify(t, m, photos...)
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*5*time.Millisecond)
			defer cancel()
			got, err := m.Classify(ctx, photos...)
			switch {
			case err == nil && !reflect.DeepEqual(got, want):
				t.Error("other answers beside calls that were given up")
			case err != nil && (!errors.Is(err, context.DeadlineExceeded) || got != nil):
				t.Errorf("%v with %d answers", err, len(got))
			}
		})
	}
	all.Wait()

	// A call whose turn never comes returns as well.
	busy, release := make(chan struct{}), make(chan struct{})
	all.Go(func() {
		for range m.Stream(context.Background(), slices.Values(photos[:1])) {
			close(busy)
			<-release // between two answers nobody holds the arithmetic
		}
	})
	<-busy
	if got := classify(t, m, photos...); !reflect.DeepEqual(got, want) {
		t.Error("other answers while a stream pauses")
	}
	close(release)
	all.Wait()
}
