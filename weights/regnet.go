package weights

import (
	"fmt"
	"regexp"
	"strconv"
)

// regNetSpellings: timm numbers RegNet's stages and blocks from 1 and has a name for every layer of a block.
var regNetSpellings = []spelling{{"s1.b1.conv1.conv.weight", timmRegNet, nil}}

var regNetLayer = regexp.MustCompile(`^s([1-4])\.b(\d{1,2})\.(.+)$`)

// regNetParts are the layers of a block.
var regNetParts = map[string]string{
	"conv1.conv": "f.a.0", "conv1.bn": "f.a.1", "conv2.conv": "f.b.0", "conv2.bn": "f.b.1", "se.fc1": "f.se.fc1", "se.fc2": "f.se.fc2",
	"conv3.conv": "f.c.0", "conv3.bn": "f.c.1", "downsample.conv": "proj.0", "downsample.bn": "proj.1",
}

func timmRegNet(name string) string {
	if m := regNetLayer.FindStringSubmatch(name); m != nil && regNetParts[m[3]] != "" {
		block, _ := strconv.Atoi(m[2]) // two digits
		return fmt.Sprintf("trunk_output.block%[1]s.block%[1]s-%[2]d.%[3]s", m[1], block-1, regNetParts[m[3]])
	}
	return map[string]string{"stem.conv": "stem.0", "stem.bn": "stem.1", "head.fc": "fc"}[name]
}
