package weights

import (
	"fmt"
	"regexp"
	"strconv"
)

// transformersSpellings: Hugging Face's transformers numbers the convolutions of ResNet's blocks from 0 and the stages too.
var transformersSpellings = []spelling{{"resnet.embedder.embedder.convolution.weight", transformersResNet, nil}}

var (
	resNetConv     = regexp.MustCompile(`^resnet\.encoder\.stages\.(\d)\.layers\.(\d{1,2})\.layer\.(\d)\.(convolution|normalization)$`)
	resNetShortcut = regexp.MustCompile(`^resnet\.encoder\.stages\.(\d)\.layers\.(\d{1,2})\.shortcut\.(convolution|normalization)$`)
)

func transformersResNet(name string) string {
	if m := resNetConv.FindStringSubmatch(name); m != nil {
		stage, _ := strconv.Atoi(m[1]) // a digit, as the next
		conv, _ := strconv.Atoi(m[3])
		kind := map[string]string{"convolution": "conv", "normalization": "bn"}[m[4]]
		return fmt.Sprintf("layer%d.%s.%s%d", stage+1, m[2], kind, conv+1)
	}
	if m := resNetShortcut.FindStringSubmatch(name); m != nil {
		stage, _ := strconv.Atoi(m[1])
		part := map[string]string{"convolution": "0", "normalization": "1"}[m[3]]
		return fmt.Sprintf("layer%d.%s.downsample.%s", stage+1, m[2], part)
	}
	return map[string]string{
		"resnet.embedder.embedder.convolution": "conv1", "resnet.embedder.embedder.normalization": "bn1", "classifier.1": "fc",
	}[name]
}
