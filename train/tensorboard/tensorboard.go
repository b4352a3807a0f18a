// Package tensorboard writes event files that TensorBoard reads: records of TensorFlow's TFRecord format, each an Event of
// tensorflow/core/util/event.proto.
package tensorboard

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/png"
	"io"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Log writes events to W. Each is written at once, so that whoever follows the file sees it.
type Log struct{ W io.Writer }

// Begin writes what a file begins with.
func (l Log) Begin(at time.Time) error { return l.event(at, 0, versionField, []byte("brain.Event:2")) }

// Fields of Event, Summary, Summary.Value, Summary.Image, SummaryMetadata, its PluginData, TensorProto and TensorShapeProto.
const (
	wallTimeField, stepField, versionField, summaryField = 1, 2, 3, 5

	valueField = 1

	tagField, scalarField, imageField, tensorField, metadataField = 1, 2, 4, 8, 9

	heightField, widthField, colourField, encodedField = 1, 2, 3, 4

	pluginField, pluginNameField = 1, 1

	typeField, shapeField, textField = 1, 2, 8

	dimField, sizeField = 2, 1
)

// Scalar logs a number at a step.
func (l Log) Scalar(at time.Time, step int, tag string, v float64) error {
	var value []byte
	value = protowire.AppendTag(value, scalarField, protowire.Fixed32Type)
	value = protowire.AppendFixed32(value, math.Float32bits(float32(v)))
	return l.value(at, step, tag, value)
}

// Text logs a text in Markdown.
func (l Log) Text(at time.Time, step int, tag, text string) error {
	const typeString = 7
	dim := number(nil, sizeField, 1)
	tensor := number(nil, typeField, typeString)
	tensor = field(tensor, shapeField, field(nil, dimField, dim))
	tensor = field(tensor, textField, []byte(text))
	plugin := field(nil, pluginNameField, []byte("text"))
	return l.value(at, step, tag, field(field(nil, metadataField, field(nil, pluginField, plugin)), tensorField, tensor))
}

// Picture logs a PNG.
func (l Log) Picture(at time.Time, step int, tag string, data []byte) error {
	const rgb = 3
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return err
	}
	picture := number(number(number(nil, heightField, uint64(c.Height)), widthField, uint64(c.Width)), colourField, rgb)
	return l.value(at, step, tag, field(nil, imageField, field(picture, encodedField, data)))
}

// value logs a Summary of one Value.
func (l Log) value(at time.Time, step int, tag string, rest []byte) error {
	v := append(field(nil, tagField, []byte(tag)), rest...)
	return l.event(at, step, summaryField, field(nil, valueField, v))
}

// event logs an Event with one field beside its time and step.
func (l Log) event(at time.Time, step int, number protowire.Number, content []byte) error {
	var e []byte
	e = protowire.AppendTag(e, wallTimeField, protowire.Fixed64Type)
	e = protowire.AppendFixed64(e, math.Float64bits(float64(at.UnixMicro())/1e6))
	e = protowire.AppendTag(e, stepField, protowire.VarintType)
	e = protowire.AppendVarint(e, uint64(step))
	_, err := l.W.Write(record(field(e, number, content)))
	return err
}

func field(to []byte, number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), content)
}

func number(to []byte, number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(to, number, protowire.VarintType), v)
}

// record is a TFRecord: the length (uint64, little-endian), its checksum, the content, its checksum.
func record(content []byte) []byte {
	r := binary.LittleEndian.AppendUint64(nil, uint64(len(content)))
	r = binary.LittleEndian.AppendUint32(r, checksum(r))
	r = append(r, content...)
	return binary.LittleEndian.AppendUint32(r, checksum(content))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the CRC32C of data, masked as TFRecord wants it: turned by 15 bits, plus a constant.
func checksum(data []byte) uint32 {
	const mask = 0xa282ead8
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + mask
}
