package onnx

type noise struct{}
