package engine

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"regraft/photo"
)

// TestMetaRoundTrip: what Props writes, ParseMeta reads.
func TestMetaRoundTrip(t *testing.T) {
	letterbox := photo.ImageNet(photo.Square(320))
	letterbox.Resize, letterbox.Resample = "letterbox", "nfnt-lanczos3"
	crop := photo.ImageNet(photo.Square(224))
	crop.Resize, crop.Short, crop.Resample = "crop", 256, "bicubic"
	for _, want := range []Meta{
		{Other: map[string]string{"comment": "mine"}},
		{Labels: []string{"it's", `back\slash`, "ö, ä"}, Arch: "resnet18", Preprocess: photo.ImageNet(photo.Square(299)), Other: map[string]string{}},
		{Preprocess: letterbox, History: []Epoch{{Mode: "heads", Number: 1, ValLoss: 0.25}}, Other: map[string]string{}},
		{Preprocess: crop, Other: map[string]string{}},
	} {
		props, err := want.Props()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseMeta(props)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("read %+v, want %+v", got, want)
		}
	}
}

// TestForeignMeta reads what other programs write.
func TestForeignMeta(t *testing.T) {
	plain, half := [3]float32{1, 1, 1}, [3]float32{0.5, 0.5, 0.5}
	for name, c := range map[string]struct {
		props  map[string]string
		labels []string
		want   *photo.Preprocess
	}{
		"Ultralytics": {
			map[string]string{"author": "Ultralytics", "task": "classify", "imgsz": "[224, 224]", "names": "{0: 'a b', 1: \"it's\"}", "stride": "1"},
			[]string{"a b", "it's"},
			&photo.Preprocess{Channels: photo.RGB, Size: photo.Square(224), Short: 224, Resize: "crop", Resample: "bilinear", Rescale: 1.0 / 255, Std: plain},
		},
		"OpenVINO": {
			map[string]string{
				"model_info labels": "cat dog_or_wolf", "model_info model_type": "Classification", "model_info resize_type": "crop",
				"model_info mean_values": "127.5 127.5 127.5", "model_info scale_values": "127.5 127.5 127.5",
			},
			[]string{"cat", "dog or wolf"},
			&photo.Preprocess{Channels: photo.RGB, Resize: "crop", Resample: "bilinear", Rescale: 1.0 / 255, Mean: half, Std: half},
		},
		"OpenVINO without scale": {map[string]string{"model_info mean_values": "1 2 3"}, nil, nil},
		"OpenVINO with words":    {map[string]string{"model_info mean_values": "a b c", "model_info scale_values": "1 1 1"}, nil, nil},
		"OpenVINO with zero":     {map[string]string{"model_info mean_values": "0 0 0", "model_info scale_values": "1 0 1"}, nil, nil},
		"Image 0 to 255": {
			map[string]string{"Image.NominalPixelRange": "NominalRange_0_255", "Image.BitmapPixelFormat": "Rgb8", "Image.ColorSpaceGamma": "SRGB"}, nil,
			&photo.Preprocess{Channels: photo.RGB, Resize: "squash", Resample: "bilinear", Rescale: 1, Std: plain},
		},
		"Image 0 to 1": {
			map[string]string{"Image.NominalPixelRange": "Normalized_0_1"}, nil,
			&photo.Preprocess{Channels: photo.RGB, Resize: "squash", Resample: "bilinear", Rescale: 1.0 / 255, Std: plain},
		},
		"Image -1 to 1": {
			map[string]string{"Image.NominalPixelRange": "Normalized_1_1"}, nil,
			&photo.Preprocess{Channels: photo.RGB, Resize: "squash", Resample: "bilinear", Rescale: 1.0 / 255, Mean: half, Std: half},
		},
		"Image in BGR": {
			map[string]string{"Image.NominalPixelRange": "NominalRange_0_255", "Image.BitmapPixelFormat": "Bgr8"}, nil,
			&photo.Preprocess{Channels: photo.BGR, Resize: "squash", Resample: "bilinear", Rescale: 1, Std: plain},
		},
		"Image in BGR without range": {
			map[string]string{"Image.BitmapPixelFormat": "Bgr8"}, nil,
			&photo.Preprocess{Channels: photo.BGR, Resize: "squash", Resample: "bilinear", Rescale: 1, Std: plain},
		},
		"Image in grey": {
			map[string]string{"Image.NominalPixelRange": "Normalized_0_1", "Image.BitmapPixelFormat": "Gray8"}, nil,
			&photo.Preprocess{Channels: photo.Gray, Resize: "squash", Resample: "bilinear", Rescale: 1.0 / 255, Std: plain},
		},
		"Image of video": {
			map[string]string{"Image.NominalPixelRange": "NominalRange_16_235"}, nil,
			&photo.Preprocess{Channels: photo.RGB, Resize: "squash", Resample: "bilinear", Rescale: 219.0 / 255, Mean: [3]float32{-16, -16, -16}, Std: plain},
		},
		"Image with alpha":                 {map[string]string{"Image.NominalPixelRange": "Normalized_0_1", "Image.BitmapPixelFormat": "Bgra8"}, nil, nil},
		"Image unknown":                    {map[string]string{"Image.NominalPixelRange": "NominalRange_0_1023"}, nil, nil},
		"Ultralytics, empty":               {map[string]string{"author": "Ultralytics", "imgsz": "[0, 64]"}, nil, nil},
		"Ultralytics, too wide":            {map[string]string{"author": "Ultralytics", "imgsz": "[64, 99999]"}, nil, nil},
		"Ultralytics, too high":            {map[string]string{"author": "Ultralytics", "imgsz": "[99999, 64]"}, nil, nil},
		"Ultralytics, one side":            {map[string]string{"author": "Ultralytics", "imgsz": "[64]"}, nil, nil},
		"Ultralytics, a detector's author": {map[string]string{"author": "ultralytics", "imgsz": "[64, 64]"}, nil, nil},
		"Ultralytics, not square": {
			map[string]string{"author": "Ultralytics", "task": "classify", "imgsz": "[96, 64]"}, nil,
			&photo.Preprocess{Channels: photo.RGB, Size: photo.Size{H: 96, W: 64}, Short: 96, Resize: "crop", Resample: "bilinear", Rescale: 1.0 / 255, Std: plain},
		},
	} {
		m, err := ParseMeta(c.props)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(m.Labels, c.labels) || !reflect.DeepEqual(m.Preprocess, c.want) {
			t.Errorf("%s: labels %q, preprocessing %+v", name, m.Labels, m.Preprocess)
		}
	}
}

// TestOwnMetaFirst: regraft's own keys are believed before those of others, which are kept.
func TestOwnMetaFirst(t *testing.T) {
	own := Meta{Labels: []string{"x", "y"}, Preprocess: photo.ImageNet(photo.Square(299))}
	props, err := own.Props()
	if err != nil {
		t.Fatal(err)
	}
	foreign := map[string]string{
		"author": "Ultralytics", "imgsz": "[64, 64]", "model_info labels": "a b", "model_info mean_values": "1 1 1",
		"model_info scale_values": "1 1 1", "Image.NominalPixelRange": "Normalized_0_1",
	}
	maps.Copy(props, foreign)
	m, err := ParseMeta(props)
	if err != nil || !slices.Equal(m.Labels, own.Labels) || !reflect.DeepEqual(m.Preprocess, own.Preprocess) {
		t.Errorf("%+v, %v", m, err)
	}
	for key := range foreign {
		if _, kept := m.Other[key]; !kept && key != "imgsz" {
			t.Errorf("%s was lost", key)
		}
	}
}

// TestBrokenMeta: values under regraft's own keys that make no sense are errors, with the key.
func TestBrokenMeta(t *testing.T) {
	for key, value := range map[string]string{
		keyClasses: "{", keyHistory: "1", keySchema: "7",
		keyPreprocess: `{"size":{"height":-1,"width":-1},"rescale_factor":1,"image_std":[1,1,1]}`,
		"names":       "{0: 'a', 2: 'b'}",
	} {
		if _, err := ParseMeta(map[string]string{key: value}); err == nil {
			t.Errorf("%s = %s was read", key, value)
		}
	}
	for _, value := range []string{
		`{"size":{"height":9,"width":9},"rescale_factor":1,"image_std":[1,0,1]}`,
		`{"size":{"height":9,"width":8},"rescale_factor":1,"image_std":[1,1]}`,
		`{"size":{"height":9,"width":9},"rescale_factor":0,"image_std":[1,1,1]}`,
	} {
		if _, err := ParseMeta(map[string]string{keyPreprocess: value}); err == nil {
			t.Errorf("%s was read", value)
		}
	}
}
