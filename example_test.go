package regraft_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"regraft"
	"regraft/photo"
	"regraft/train"
)

// narrow is a small Inception-v3 that the tests use: 7 classes without names, random weights.
const narrow = "onnx/testdata/inception_v3.ts.train.op20.transform.onnx"

// picture renders a PNG of one colour.
func picture(c color.RGBA) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 64 * 48 {
		img.SetRGBA(i%64, i/64, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}

func ExampleModel_Classify() {
	model, err := regraft.Open(narrow)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	results, err := model.Classify(context.Background(),
		regraft.Photo{Path: "sky.png", Data: picture(color.RGBA{90, 150, 230, 255})},
		regraft.Photo{Path: "notes.png", Data: []byte("not a photo")},
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			fmt.Println(r.Err)
			continue
		}
		best := r.Top(1)[0]
		fmt.Printf("%s: %s, %.0f %%\n", r.Path, best.Label, 100*best.P)
	}
	// Output:
	// sky.png: class_1, 26 %
	// notes.png: not a photo (JPEG, PNG, GIF, WebP or BMP)
}

func ExampleModel_Embed() {
	model, err := regraft.Open(narrow)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	features, err := model.Embed(context.Background(), regraft.Photo{Path: "sky.png", Data: picture(color.RGBA{90, 150, 230, 255})})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(features[0]), "features")
	// Output: 64 features
}

func ExampleOpen_preprocess() {
	model, err := regraft.Open(narrow, regraft.Threads(2), regraft.Preprocess(func(p *photo.Preprocess) {
		p.Mean, p.Std = [3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5}
		p.Resize = photo.Crop
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	p := model.Preprocess()
	fmt.Println(p.Resize, p.Size, p.Mean)
	// Output: crop 299 [0.5 0.5 0.5]
}

func ExampleModel_SwapHeads() {
	model, err := regraft.Open(narrow)
	if err != nil {
		log.Fatal(err)
	}
	if err := model.SwapHeads([]string{"forest", "sea", "street"}, 1); err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "regraft")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "swapped.onnx")
	if err := model.Save(file); err != nil {
		log.Fatal(err)
	}
	again, err := regraft.Open(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Labels())
	// Output: [forest sea street]
}

func ExampleModel_Train() {
	dir, err := os.MkdirTemp("", "regraft")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	// A folder for each class, here of rendered pictures.
	for class, c := range map[string]color.RGBA{"forest": {20, 110, 30, 255}, "sea": {20, 60, 170, 255}} {
		folder := filepath.Join(dir, "photos", class)
		if err := os.MkdirAll(folder, 0o777); err != nil {
			log.Fatal(err)
		}
		for i := range 5 {
			c.R += 10
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".png")), picture(c), 0o666); err != nil {
				log.Fatal(err)
			}
		}
	}

	model, err := regraft.Open(narrow)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	cfg := train.Defaults(train.Heads, "")
	cfg.Data, cfg.Out, cfg.Epochs = filepath.Join(dir, "photos"), filepath.Join(dir, "run"), 20
	result, err := model.Train(context.Background(), cfg, train.Silent{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(model.Labels(), result.Report.Images, "photos kept for validation")
	// Output: [forest sea] 2 photos kept for validation
}
