package cli

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// writeNPY begins an array in NumPy's format, version 1.0: its type and shape, padded to 64 bytes; the values follow row by row.
func writeNPY(w io.Writer, dtype string, shape ...int) error {
	sizes := strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]")
	if len(shape) == 1 {
		sizes += ","
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, sizes)
	const before = 10 // magic, version and length
	header += strings.Repeat(" ", 63-(before+len(header))%64) + "\n"
	begin := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	_, err := w.Write(append(begin, header...))
	return err
}

// floatsNPY writes a matrix (rows, columns) of float32.
func floatsNPY(w io.Writer, rows [][]float32, columns int) error {
	if err := writeNPY(w, "<f4", len(rows), columns); err != nil {
		return err
	}
	var b []byte
	for _, row := range rows {
		b = b[:0]
		for _, v := range row {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// textsNPY writes a vector of texts of one width, in UTF-32.
func textsNPY(w io.Writer, texts []string) error {
	width := 1
	for _, t := range texts {
		width = max(width, utf8.RuneCountInString(t))
	}
	if err := writeNPY(w, fmt.Sprintf("<U%d", width), len(texts)); err != nil {
		return err
	}
	for _, t := range texts {
		b := make([]byte, 0, 4*width)
		for _, r := range t {
			b = binary.LittleEndian.AppendUint32(b, uint32(r))
		}
		if _, err := w.Write(b[:4*width]); err != nil {
			return err
		}
	}
	return nil
}
