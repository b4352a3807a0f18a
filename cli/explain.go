package cli

import (
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/atomicfile"
	"regraft/photo"
)

// explainer draws what answers rest on: a picture for every photo, in a folder.
type explainer struct {
	m       *regraft.Model
	folder  string
	decode  photo.DecodeOptions
	numbers map[string]int // of pictures whose names would be the same
}

// The pictures: sides of so many pixels at most, JPEGs of this quality.
const (
	explainedSide    = 1024
	explainedQuality = 90
)

// newExplainer makes the folder that --explain names, and is an error where the model has no heat maps; nil where none are asked for.
func newExplainer(c *urfave.Context, m *regraft.Model, path string) (*explainer, error) {
	folder := c.String("explain")
	if folder == "" {
		return nil, nil
	}
	if err := m.Explains(); err != nil {
		return nil, fail(statusModel, fmt.Errorf("%s: --explain: %w", path, err))
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fmt.Errorf("--explain: %w", err)
	}
	return &explainer{m, folder, decoding(c), map[string]int{}}, nil
}

// explain draws the most probable class of an answered photo and returns the picture's path. A nil explainer draws nothing.
func (e *explainer) explain(ctx context.Context, r regraft.Result) (string, error) {
	if e == nil || r.Err != nil {
		return "", nil
	}
	best := r.Top(1)[0]
	h, err := e.m.Explain(ctx, regraft.File(r.Path), best.Index)
	if err != nil {
		return "", err
	}
	ph, err := photo.Load(r.Path, e.decode)
	if err != nil {
		return "", err
	}
	picture := h.Over(photo.Thumbnail(ph, explainedSide).RGBA())
	stem := strings.TrimSuffix(filepath.Base(r.Path), filepath.Ext(r.Path))
	name := fmt.Sprintf("%s-%s-%.0f", fileName(stem), fileName(best.Label), 100*best.P)
	for {
		e.numbers[name]++
		path := filepath.Join(e.folder, name)
		if n := e.numbers[name]; n > 1 {
			path += fmt.Sprintf("-%d", n)
		}
		path += ".jpg"
		err := atomicfile.WriteNew(path, func(w io.Writer) error {
			return jpeg.Encode(w, picture, &jpeg.Options{Quality: explainedQuality})
		})
		if !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
}

// fileName is text as a part of the name of a file that every system takes.
func fileName(text string) string {
	const most = 80 // bytes
	var b strings.Builder
	for _, r := range photo.Text(text) {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) && r != '-' && r != '.' {
			r = '_'
		}
		if b.Len()+utf8.RuneLen(r) > most {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimLeft(b.String(), ".")
}
