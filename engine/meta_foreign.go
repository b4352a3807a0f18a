package engine

import (
	"strconv"
	"strings"

	"regraft/photo"
)

// foreign reads what other programs leave in metadata_props, as far as m does not know it from regraft's own
// keys. What cannot be read is left in Other without complaint: it was not written for us.
func (m *Meta) foreign(props map[string]string) {
	for _, dialect := range []func(*Meta, map[string]string){(*Meta).ultralytics, (*Meta).openVINO, (*Meta).imageProps} {
		dialect(m, props)
	}
}

// ultralytics: its classifiers take pixels from 0 to 1, the shorter side resized, the centre cropped.
func (m *Meta) ultralytics(props map[string]string) {
	if m.Preprocess != nil || props["author"] != "Ultralytics" {
		return
	}
	size := numbers(strings.Trim(props["imgsz"], "[]()"))
	if len(size) != 2 || min(size[0], size[1]) < 1 || max(size[0], size[1]) > 1<<14 {
		return
	}
	p := plainPixels()
	p.Size, p.Resize = photo.Size{H: int(size[0]), W: int(size[1])}, photo.Crop
	p.Short = max(p.Size.H, p.Size.W)
	m.Preprocess = p
}

// openVINO: the keys of Model API's model_info (https://docs.openvino.ai, model_api), which the Training Extensions
// also write into ONNX files: "model_info labels" and so on. Mean and scale are for pixels from 0 to 255; in
// labels a space stands between names, and _ for a space inside a name.
func (m *Meta) openVINO(props map[string]string) {
	if m.Labels == nil && props["model_info labels"] != "" {
		for _, name := range strings.Fields(props["model_info labels"]) {
			m.Labels = append(m.Labels, strings.ReplaceAll(name, "_", " "))
		}
	}
	mean, scale := numbers(props["model_info mean_values"]), numbers(props["model_info scale_values"])
	if m.Preprocess != nil || len(mean) != 3 || len(scale) != 3 {
		return
	}
	p := plainPixels()
	for c := range mean {
		if scale[c] <= 0 {
			return
		}
		p.Mean[c], p.Std[c] = float32(mean[c]/255), float32(scale[c]/255)
	}
	switch props["model_info resize_type"] {
	case "crop":
		p.Resize = "crop"
	case "fit_to_window", "fit_to_window_letterbox":
		p.Resize = "letterbox"
	}
	m.Preprocess = p
}

// imageProps: ONNX's own metadata of image inputs (MetadataProps.md), which Custom Vision and Windows ML use: the order of
// the channels and the range of the pixels, which is 0 to 255 where only the order is told.
func (m *Meta) imageProps(props map[string]string) {
	format, span := props["Image.BitmapPixelFormat"], props["Image.NominalPixelRange"]
	channels, known := map[string]photo.ChannelOrder{"": photo.RGB, "Rgb8": photo.RGB, "Bgr8": photo.BGR, "Gray8": photo.Gray}[format]
	if m.Preprocess != nil || !known || format == "" && span == "" {
		return
	}
	p := plainPixels()
	p.Channels = channels
	switch span {
	case "NominalRange_0_255", "":
		p.Rescale = 1
	case "NominalRange_16_235":
		p.Rescale, p.Mean = 219.0/255, [3]float32{-16, -16, -16}
	case "Normalized_0_1":
	case "Normalized_1_1":
		p.Mean, p.Std = [3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5}
	default:
		return
	}
	m.Preprocess = p
}

// plainPixels is preprocessing to pixels from 0 to 1, of a size that the network knows.
func plainPixels() *photo.Preprocess {
	p := photo.ImageNet(photo.Size{})
	p.Mean, p.Std = [3]float32{}, [3]float32{1, 1, 1}
	return p
}

// numbers reads numbers with spaces or commas between them; nil when there is anything else.
func numbers(text string) []float64 {
	var values []float64
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil || !(v > -1e6 && v < 1e6) {
			return nil
		}
		values = append(values, v)
	}
	return values
}
