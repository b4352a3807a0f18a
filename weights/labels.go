package weights

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"
)

//go:embed imagenet.txt
var imagenet string

// ImageNetLabels are the names of ImageNet's 1000 classes, as torchvision spells them.
func ImageNetLabels() []string { return strings.Split(strings.TrimSpace(imagenet), "\n") }

// classNames are the names of so many classes: the file's own, or ImageNet's, which pretrained weights have; nil where neither
// fits. TensorFlow's Inception-v3 has a class for the background in front.
func classNames(arch string, own []string, classes int) []string {
	imagenet := ImageNetLabels()
	switch {
	case classes == len(own):
		return own
	case classes == len(imagenet):
		return imagenet
	case classes == len(imagenet)+1 && arch == "inception_v3":
		return append([]string{"background"}, imagenet...)
	}
	return nil
}

// ReadLabels reads class names in the order of the outputs: a line each, or a JSON list.
func ReadLabels(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	labels, err := parseLabels(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return labels, nil
}

func parseLabels(text string) ([]string, error) {
	var labels []string
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if strings.HasPrefix(text, "[") {
		if err := json.Unmarshal([]byte(text), &labels); err != nil {
			return nil, fmt.Errorf("not a JSON list of names: %w", err)
		}
	} else {
		for line := range strings.Lines(text) {
			labels = append(labels, strings.TrimSpace(line))
		}
	}
	for i, l := range labels {
		if l == "" || !utf8.ValidString(l) {
			return nil, fmt.Errorf("name %d is empty or not UTF-8", i+1)
		}
	}
	return labels, nil
}
