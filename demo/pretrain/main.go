// Command pretrain makes the model that regraft demo starts from: a narrow Inception-v3, trained from
// scratch on rendered things, none of which is a place. scripts/pretrain_mini.sh runs it; the same
// settings give the same file on every machine.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"path/filepath"

	"regraft/demo"
	"regraft/onnx"
	"regraft/scene"
	"regraft/train"
)

func main() {
	log.SetFlags(log.Ltime)
	out := flag.String("out", "demo/regraft-mini.onnx", "file to write")
	folder := flag.String("folder", "", "where photos and the run go; a run that is there already is resumed")
	photos := flag.Int("photos", 150, "photos per class")
	epochs := flag.Int("epochs", 16, "passes over the photos")
	flag.Parse()
	if err := pretrain(*folder, *out, *photos, *epochs); err != nil {
		log.Fatal(err)
	}
}

// seed of the photos, the first weights and the training.
const seed = 1

func pretrain(folder, out string, photos, epochs int) error {
	ctx, classes := context.Background(), scene.Things()
	data, run := filepath.Join(folder, "things"), filepath.Join(folder, "run")
	cfg := train.Defaults(train.Full, "adamw")
	_, err := os.Stat(filepath.Join(run, train.CheckpointFile))
	if cfg.Resume = err == nil; !cfg.Resume {
		if err := scene.Write(ctx, filepath.Join(data, "train"), classes, seed, 0, photos); err != nil {
			return err
		}
		if err := scene.Write(ctx, filepath.Join(data, "val"), classes, seed, photos, photos+photos/10); err != nil {
			return err
		}
		log.Printf("%d classes of %d photos are rendered", len(classes), photos)
	}
	var labels []string
	for _, c := range classes {
		labels = append(labels, c.Name)
	}
	if cfg.Net, err = demo.Untrained(labels, seed); err != nil {
		return err
	}
	cfg.Data, cfg.Out, cfg.Seed = data, run, seed
	cfg.Epochs, cfg.Batch, cfg.LearningRate, cfg.Augment = epochs, 16, 3e-3, "flip"
	result, err := train.Fit(ctx, cfg, events{})
	if err != nil {
		return err
	}
	net, _, err := onnx.Read(result.Model, onnx.ReadOptions{})
	if err != nil {
		return err
	}
	return onnx.Write(out, net)
}

// events logs the epochs.
type events struct{ train.Silent }

func (events) EpochDone(e train.Epoch, _ bool) {
	log.Printf("epoch %d: loss %.3f, accuracy %.1f %%; val %.3f, %.1f %%; %.0f s",
		e.Number, e.TrainLoss, 100*e.TrainAcc, e.ValLoss, 100*e.ValAcc, e.Seconds)
}

func (events) Warn(message string) { log.Print(message) }
