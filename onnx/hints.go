package onnx

import (
	"regexp"
	"strings"
)

// What to do about operators that are not read.

const loopHelp = "loops are not read: export the module itself rather than a script of it, which writes every turn out"

// hints says where operators of ONNX usually come from.
var hints = map[string]string{
	"Loop":              loopHelp,
	"Scan":              loopHelp,
	"ScatterND":         "usual in Swin transformers",
	"ConvTranspose":     "usual in segmentation and generative models",
	"NonMaxSuppression": "usual in detection models",
	"RandomNormal":      noiseHelp,
	"RandomNormalLike":  noiseHelp,
	"Multinomial":       noiseHelp,
	"LSTM":              "a recurrent network",
	"GRU":               "a recurrent network",
}

// inIntegers are the names of operators that compute on quantised values, ONNX's and ONNX Runtime's.
var inIntegers = regexp.MustCompile(`^QLinear|^QGemm|^QAttention|Integer|^DynamicQuantize|NBits`)

// hint says where an operator that is not read comes from, in brackets, or nothing.
func hint(domain, name string) string {
	switch {
	case inIntegers.MatchString(name):
		return " (a quantised model: use the float32 original)"
	case hints[name] != "":
		return " (" + hints[name] + ")"
	case strings.HasPrefix(domain, "com.microsoft"):
		return " (ONNX Runtime writes them when it saves an optimised model: take the model from before that, or save it at the level " +
			"ORT_ENABLE_BASIC instead of ORT_ENABLE_ALL)"
	case domain == "ai.onnx.ml":
		return " (they hold classical models, of scikit-learn for example, or put labels to scores: save the network without them)"
	case domain != "":
		return " (the program that wrote the file has its own: export the model with ONNX's operators alone)"
	}
	return ""
}
