package onnx

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// What people take for an ONNX model, told by its first bytes.

const (
	tensorflowHelp = "tf2onnx makes ONNX of the SavedModel or Keras model that it comes from"
	weightsHelp    = "regraft import makes an ONNX file of it where the architecture is a known one"
	unpackFirst    = "the file is compressed: unpack it first"
)

// signatures are the bytes by which kinds of files are known.
var signatures = []struct {
	at    int
	bytes string
	what  string
}{
	{4, "ORTM", "this is a model in ONNX Runtime's own format (.ort), which is made of an ONNX file: give that one"},
	{4, "TFL3", "this is a TensorFlow Lite model, made for phones: " + tensorflowHelp},
	{4, "ET12", "this is an ExecuTorch program (.pte): export the PyTorch module that it comes from with torch.onnx.export"},
	{0, "\x89HDF\r\n\x1a\n", "this is an HDF5 file (Keras's .h5): keras.models.load_model and model.export(\"model.onnx\", format=\"onnx\") convert it if it holds the model, not its weights alone"},
	{0, "version https://git-lfs", "this is a Git LFS pointer, not the model itself: fetch it with git lfs pull"},
	{0, "\x1f\x8b", unpackFirst}, {0, "\xfd7zXZ\x00", unpackFirst}, {0, "\x28\xb5\x2f\xfd", unpackFirst}, {0, "BZh", unpackFirst},
	{0, "7z\xbc\xaf\x27\x1c", unpackFirst}, {0, "Rar!\x1a", unpackFirst},
	{257, "ustar", "this is a tar archive: unpack it, the .onnx file is in it"},
	{0, "\x93NUMPY", "this is a NumPy array"},
	{0, "GGUF", "this is a GGUF file, the form of language models"},
	{0, "\x12\x01\x00\x00\x00\x00\x00\x00", "this is a file of weights of MXNet (.params): mxnet.onnx.export_model makes ONNX of it and its symbol file"},
	{0, "7767517", "this is a network of ncnn (.param), which is made of an ONNX file or a PyTorch module: start from that one"},
	{0, "ptrt", "this is a TensorRT engine, built from an ONNX file for one machine: give that file"},
	{0, "ftrt", "this is a TensorRT engine, built from an ONNX file for one machine: give that file"},
	{0, "MATLAB 5.0", "this is a MATLAB file: exportONNXNetwork makes ONNX of the network in it"},
	{0, "\xff\xd8\xff", "this is a photo, not a model"}, {0, "\x89PNG", "this is a picture, not a model"},
	{0, "GIF8", "this is a picture, not a model"}, {8, "WEBPVP8", "this is a picture, not a model"}, {0, "%PDF", "this is a PDF document"},
	{0, "\x7fELF", "this is a program or library, not a model"},
}

// recognise explains what a file is that cannot be an ONNX model, and what to do; "" when it may be one.
func recognise(data []byte) string {
	head := data[:min(len(data), 512)]
	for _, s := range signatures {
		if len(head) >= s.at && bytes.HasPrefix(head[s.at:], []byte(s.bytes)) {
			return s.what
		}
	}
	switch {
	case len(data) == 0:
		return "the file is empty"
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "this is a zip archive: " + archived(data)
	case len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5:
		return "this is a Python pickle (PyTorch's old .pth form): " + weightsHelp
	case len(head) > 8 && head[8] == '{' && head[7] == 0:
		return "this is a safetensors file, which holds weights without a graph: " + weightsHelp
	case isText(head):
		return text(data)
	}
	return otherProtobuf(head)
}

// archived tells what a zip archive holds.
func archived(data []byte) string {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "it is cut short or damaged (PyTorch's .pth, Keras's .keras and zipped models are such)"
	}
	has := map[string]string{}
	for _, f := range z.File {
		name := path.Base(f.Name)
		has[name], has[path.Ext(name)] = f.Name, f.Name
	}
	switch {
	case has[".onnx"] != "":
		return fmt.Sprintf("unpack it, the model in it is %s", quoted(has[".onnx"]))
	case has["constants.pkl"] != "":
		return "a TorchScript module: torch.onnx.export(torch.jit.load(path), images, \"model.onnx\", dynamo=False, opset_version=17) makes ONNX of it"
	case has["data.pkl"] != "":
		return "PyTorch's .pth form: " + weightsHelp
	case has["model.weights.h5"] != "" || has[".h5"] != "":
		return "a Keras model (.keras): keras.models.load_model(path).export(\"model.onnx\", format=\"onnx\") makes ONNX of it"
	case has["saved_model.pb"] != "":
		return "a TensorFlow SavedModel: unpack it; " + tensorflowHelp
	case has[".mlmodel"] != "":
		return "a Core ML package: export the model that it comes from to ONNX"
	case has[".npy"] != "":
		return "NumPy arrays (.npz)"
	}
	return "no model that is known lies in it"
}

// text tells what a text is.
func text(data []byte) string {
	head := data[:min(len(data), 1<<14)]
	lower := bytes.ToLower(bytes.TrimSpace(head))
	starts := func(words ...string) bool {
		for _, word := range words {
			if bytes.HasPrefix(lower, []byte(word)) {
				return true
			}
		}
		return false
	}
	switch {
	case starts("<?xml", "<net") && bytes.Contains(lower, []byte("<net")):
		return "this is the graph of an OpenVINO model (.xml), which is made of an ONNX file or a framework's model: start from that one"
	case starts("<!doctype", "<html", "<?xml"):
		return "this is an HTML page: the download went wrong"
	case starts("ir_version", "producer_name", "graph {"):
		return "this is an ONNX model as text: onnx.save(onnx.load(path, format=\"textproto\"), \"model.onnx\") makes a model file of it"
	case starts("{"):
		return "this is JSON (TensorFlow.js and MXNet describe networks so), not an ONNX model"
	}
	return "this is a text file, not an ONNX model"
}

// otherProtobuf recognises other messages: where an ONNX model has its format's version and then the name of its producer, they
// begin with a name or hold a message.
func otherProtobuf(head []byte) string {
	number, typ, n := protowire.ConsumeTag(head)
	if n < 0 || number != 1 {
		return ""
	}
	if typ == protowire.BytesType {
		return "this is another protobuf file, such as a frozen graph of TensorFlow (.pb), a Caffe or a Paddle model: " +
			"its framework's converter (tf2onnx for TensorFlow, paddle2onnx for Paddle) makes ONNX of it"
	}
	version, m := protowire.ConsumeVarint(head[n:])
	if typ != protowire.VarintType || m < 0 {
		return ""
	}
	number, typ, k := protowire.ConsumeTag(head[n+m:])
	if k < 0 || number != 2 || typ != protowire.BytesType {
		return ""
	}
	_, l := protowire.ConsumeVarint(head[n+m+k:])
	if rest := head[n+m+k+max(l, 0):]; l < 0 || len(rest) == 0 || rest[0] != 0x0a {
		return ""
	}
	if version == 1 {
		return "this is a TensorFlow SavedModel (saved_model.pb): " + tensorflowHelp
	}
	return "this is a Core ML model (.mlmodel): export the model that it comes from to ONNX"
}

// isText tells whether head is printable UTF-8; an ONNX file starts with control characters.
func isText(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && len(head) >= utf8.UTFMax || r < ' ' && !strings.ContainsRune("\n\r\t\f", r) {
			return false
		}
		head = head[n:]
	}
	return true
}
