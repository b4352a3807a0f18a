package regraft_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"regraft"
)

// narrow is a small ResNet-18 that the tests use: 7 classes without names, random weights.
const narrow = "onnx/testdata/resnet18.ts.train.op17.onnx"

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
	// sky.png: class_2, 29 %
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
	// Output: 16 features
}

func ExampleOpen_preprocess() {
	model, err := regraft.Open(narrow, regraft.Threads(2), regraft.FastDecode(), regraft.AdjustPreprocess(func(p *regraft.Preprocess) {
		p.Mean, p.Std = [3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5}
		p.Resize = regraft.Crop
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	p := model.Preprocess()
	fmt.Println(p.Resize, p.Decode, p.Size, p.Mean)
	// Output: crop fast 64 [0.5 0.5 0.5]
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

// coloured makes a folder for each class, here of rendered pictures, and returns the folder around them.
func coloured(dir string) string {
	photos := filepath.Join(dir, "photos")
	for class, c := range map[string]color.RGBA{"forest": {20, 110, 30, 255}, "sea": {20, 60, 170, 255}} {
		folder := filepath.Join(photos, class)
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
	return photos
}

func ExampleModel_Train() {
	dir, err := os.MkdirTemp("", "regraft")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	model, err := regraft.Open(narrow)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	cfg := regraft.Recipe(regraft.Heads, "")
	cfg.Data, cfg.Out, cfg.Epochs = coloured(dir), filepath.Join(dir, "run"), 20
	training, err := model.Train(context.Background(), cfg, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(model.Labels(), training.Report.Images, "photos were held out in turn")
	// Output: [forest sea] 10 photos were held out in turn
}

// watcher hears how a training goes, and ends it when it has seen enough.
type watcher struct {
	regraft.Silent
	enough context.CancelFunc
	epochs int
}

func (w *watcher) Started(s regraft.Start) {
	fmt.Println(s.Train, "photos to train,", s.Val, "to validate")
}

func (w *watcher) EpochDone(e regraft.Epoch, best bool) {
	if w.epochs++; w.epochs == 3 {
		w.enough()
	}
}

// Progress and metrics come as events; a context ends a training after its current step, with a checkpoint.
func ExampleModel_Train_events() {
	dir, err := os.MkdirTemp("", "regraft")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	model, err := regraft.Open(narrow)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	cfg := regraft.Recipe(regraft.Heads, regraft.AdamW)
	cfg.Data, cfg.Out = coloured(dir), filepath.Join(dir, "run")

	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{enough: cancel}
	_, err = model.Train(ctx, cfg, w)
	fmt.Println("interrupted:", errors.As(err, new(*regraft.InterruptedError)), "after", w.epochs, "epochs")

	cfg.Resume = true // with the settings of the run that goes on
	training, err := model.Train(context.Background(), cfg, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(training.Epochs), "epochs in all")

	cfg.LearningRate = 0
	_, err = model.Train(context.Background(), cfg, nil)
	fmt.Println(err)
	// Output:
	// 8 photos to train, 2 to validate
	// interrupted: true after 3 epochs
	// 30 epochs in all
	// LearningRate 0: must be above 0
}

func ExampleModel_Evaluate() {
	dir, err := os.MkdirTemp("", "regraft")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	model, err := regraft.Open(narrow)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	if err := model.SwapHeads([]string{"forest", "sea"}, 1); err != nil {
		log.Fatal(err)
	}
	evaluation, err := model.Evaluate(context.Background(), coloured(dir), "", nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range evaluation.PerClass {
		fmt.Println(c.N, "photos of", c.Label)
	}
	// Output:
	// 5 photos of forest
	// 5 photos of sea
}
