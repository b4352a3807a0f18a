// Photos times JPEGs of a folder to tensors, one at a time, for bench_peers.py.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"regraft/photo"
)

func main() {
	runtime.GOMAXPROCS(1)
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.jpg"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s: no *.jpg: %v", folder, err)
	}
	p := photo.Preprocess{
		Size: photo.Square(299), Resize: photo.Crop, Rescale: 1.0 / 255,
		Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225},
	}
	x := make([]float32, p.Values())
	var times []float64
	for round := range 3 {
		for _, f := range files {
			start := time.Now()
			if err := p.ReadFile(f, photo.DecodeOptions{}, x); err != nil {
				return err
			}
			if round > 0 {
				times = append(times, time.Since(start).Seconds()*1e3)
			}
		}
	}
	slices.Sort(times)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"peer": "regraft", "ms_per_image_min": times[0], "ms_per_image_median": times[len(times)/2],
	})
}
