package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image/png"
	"io"
	"slices"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// sizeOfPNG reads the header, which must be the first chunk.
func sizeOfPNG(data []byte) (w, h int, err error) {
	if len(data) < 29 {
		return 0, 0, io.ErrUnexpectedEOF
	}
	if string(data[12:16]) != "IHDR" {
		return 0, 0, errors.New("it does not begin with its header")
	}
	return int(binary.BigEndian.Uint32(data[16:])), int(binary.BigEndian.Uint32(data[20:])), nil
}

// decodePNG decodes with image/png, and what that refuses once more in the form
// of a PNG without faults, where the faults are such that Pillow reads the file.
func decodePNG(data []byte) (*Image, error) {
	m, err := png.Decode(bytes.NewReader(data))
	if err == nil {
		return fromImage(m), nil
	}
	mended, reason := mendPNG(data)
	if reason != nil {
		return nil, reason
	}
	if m, err = png.Decode(bytes.NewReader(mended)); err != nil {
		return nil, err
	}
	return fromImage(m), nil
}

// mendPNG rewrites a PNG (third edition of the specification) with header,
// palette and pixels alone. As Pillow it tolerates wrong checksums from the
// pixels on, anything or nothing behind them, more pixels than the header
// promises, and fewer where whole rows are missing: those are black.
func mendPNG(data []byte) ([]byte, error) {
	var header, colors, pixels []byte
	rest := data[len(pngSignature):]
	for len(rest) >= 8 {
		n, kind := int(binary.BigEndian.Uint32(rest)), string(rest[4:8])
		if kind != "IDAT" && pixels != nil {
			break
		}
		body := rest[8:][:min(n, len(rest)-8)]
		after := rest[8+len(body):]
		rest = after[min(4, len(after)):]
		if kind == "IDAT" {
			pixels = append(pixels, body...)
			continue
		}
		if len(body) < n || len(after) < 4 {
			return nil, io.ErrUnexpectedEOF
		}
		if binary.BigEndian.Uint32(after) != pngChecksum(kind, body) {
			return nil, fmt.Errorf("the checksum of chunk %q is wrong", kind)
		}
		switch kind {
		case "IHDR":
			if header != nil {
				return nil, errors.New("it has two headers")
			}
			header = body
		case "PLTE":
			colors = body
		case "IEND":
			return nil, errors.New("it holds no pixels")
		case "fcTL":
			if !bytes.Equal(body[min(4, n):min(12, n)], header[:min(8, len(header))]) {
				return nil, errors.New("an animation whose first frame is smaller than the picture is not supported")
			}
		}
	}
	if len(header) < 13 {
		return nil, errors.New("its header is too short")
	}
	if pixels == nil {
		return nil, io.ErrUnexpectedEOF
	}
	header = bytes.Clone(header[:13])
	header[10] = 0 // the only compression, whatever is said
	header[12] = min(header[12], 1)
	depth, colorType := header[8], header[9]
	pixels, err := pngRows(pixels, header)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(pngSignature)
	writeChunk(&out, "IHDR", header)
	if colorType == 3 && depth <= 8 {
		writeChunk(&out, "PLTE", colors[:min(len(colors)/3, 1<<depth)*3])
	}
	writeChunk(&out, "IDAT", pixels)
	writeChunk(&out, "IEND", nil)
	return out.Bytes(), nil
}

func pngChecksum(kind string, body []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte(kind)), crc32.IEEETable, body)
}

func writeChunk(out *bytes.Buffer, kind string, body []byte) {
	out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(body))))
	out.WriteString(kind)
	out.Write(body)
	out.Write(binary.BigEndian.AppendUint32(nil, pngChecksum(kind, body)))
}

// pngRows returns the zlib stream of exactly the rows that the header promises.
func pngRows(stream, header []byte) ([]byte, error) {
	lengths, err := pngRowLengths(header)
	if err != nil {
		return nil, err
	}
	r, err := zlib.NewReader(bytes.NewReader(stream))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.NoCompression)
	if err != nil {
		return nil, err
	}
	row, ended := make([]byte, slices.Max(lengths)), false
	for i, n := range lengths {
		row = row[:n]
		if !ended {
			_, err := io.ReadFull(r, row)
			if ended = err == io.EOF && i > 0; err != nil && !ended {
				return nil, err
			}
		}
		if ended {
			clear(row)
		}
		if _, err := w.Write(row); err != nil {
			return nil, err
		}
	}
	// Behind the last row anything may follow but a checksum that is wrong.
	if _, err := r.Read(row[:1]); err == zlib.ErrChecksum {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// pngRowLengths lists the bytes of each stored row, with its filter byte.
func pngRowLengths(header []byte) ([]int, error) {
	w, h := int(binary.BigEndian.Uint32(header)), int(binary.BigEndian.Uint32(header[4:]))
	samples := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header[9]]
	if samples == 0 {
		return nil, fmt.Errorf("colour type %d", header[9])
	}
	passes := [][4]int{{0, 0, 1, 1}} // first column and row, steps
	if header[12] != 0 {
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	var lengths []int
	for _, p := range passes {
		columns := (w - p[0] + p[2] - 1) / p[2]
		for y := p[1]; y < h && columns > 0; y += p[3] {
			lengths = append(lengths, 1+(columns*samples*int(header[8])+7)/8)
		}
	}
	return lengths, nil
}
