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

func sizeOfPNG(data []byte) (w, h int, err error) {
	for kind, body := range pngChunks(data) {
		if kind == "IHDR" && len(body) >= 8 {
			return int(binary.BigEndian.Uint32(body)), int(binary.BigEndian.Uint32(body[4:])), nil
		}
	}
	return 0, 0, errors.New("it has no header")
}

// decodePNG decodes with image/png, and what that refuses once more in the form
// of a PNG without faults, where the faults are such that Pillow reads the file.
func decodePNG(data []byte) (*Image, error) {
	m, err := png.Decode(bytes.NewReader(data))
	if err == nil {
		return fromImage(m), nil
	}
	p, err := readPNG(data)
	if err != nil {
		return nil, err
	}
	mended, err := p.mend()
	if err != nil {
		return nil, err
	}
	if m, err = png.Decode(bytes.NewReader(mended)); err != nil {
		return nil, err
	}
	return fromImage(m), nil
}

// pngParts are the contents of the chunks that make the picture (PNG, third
// edition of the specification, section 11).
type pngParts struct {
	header, palette []byte
	stream          []byte // of all chunks with pixels
}

// readPNG reads up to the pixels and through them. As Pillow it does not look
// at the checksums of pixels, nor at what is behind them, if anything.
func readPNG(data []byte) (p pngParts, err error) {
	rest := data[len(pngSignature):]
	for len(rest) >= 8 {
		n, kind := int(binary.BigEndian.Uint32(rest)), string(rest[4:8])
		body := rest[8:][:min(n, len(rest)-8)]
		checksum := rest[8+len(body):][:min(4, len(rest)-8-len(body))]
		rest = rest[8+len(body)+len(checksum):]
		switch {
		case kind == "IDAT":
			p.stream = append(p.stream, body...)
			continue
		case p.stream != nil:
			return p, nil
		case len(checksum) < 4:
			return p, io.ErrUnexpectedEOF
		case binary.BigEndian.Uint32(checksum) != pngChecksum(kind, body):
			return p, fmt.Errorf("the checksum of chunk %q is wrong", kind)
		}
		switch {
		case kind == "IHDR" && p.header != nil:
			return p, errors.New("it has two headers")
		case kind == "IHDR" && n < 13:
			return p, errors.New("its header is too short")
		case kind == "IHDR":
			p.header = bytes.Clone(body[:13])
		case kind == "PLTE":
			p.palette = body
		case kind == "fcTL" && (n < 12 || p.header == nil || !bytes.Equal(body[4:12], p.header[:8])):
			return p, unsupported("a first frame that is smaller than the picture")
		}
	}
	if p.header == nil || p.stream == nil {
		return p, io.ErrUnexpectedEOF
	}
	return p, nil
}

// mend writes a PNG with header, palette and pixels alone. More pixels than the
// header promises are dropped; fewer are filled up with black where whole rows
// are missing.
func (p *pngParts) mend() ([]byte, error) {
	p.header[10] = 0 // the only compression, whatever is said
	p.header[12] = min(p.header[12], 1)
	pixels, err := p.rows()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(pngSignature)
	writeChunk(&out, "IHDR", p.header)
	if depth, colour := p.header[8], p.header[9]; colour == 3 && depth <= 8 {
		writeChunk(&out, "PLTE", p.palette[:min(len(p.palette)/3, 1<<depth)*3])
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

// rows returns the zlib stream of exactly the rows that the header promises.
func (p *pngParts) rows() ([]byte, error) {
	lengths, err := p.rowLengths()
	if err != nil {
		return nil, err
	}
	r, err := zlib.NewReader(bytes.NewReader(p.stream))
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

// rowLengths lists the bytes of each stored row, with its filter byte.
func (p *pngParts) rowLengths() ([]int, error) {
	w, h := int(binary.BigEndian.Uint32(p.header)), int(binary.BigEndian.Uint32(p.header[4:]))
	samples := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[p.header[9]]
	if samples == 0 {
		return nil, fmt.Errorf("colour type %d", p.header[9])
	}
	passes := [][4]int{{0, 0, 1, 1}} // first column and row, steps
	if p.header[12] != 0 {
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	var lengths []int
	for _, pass := range passes {
		columns := (w - pass[0] + pass[2] - 1) / pass[2]
		for y := pass[1]; y < h && columns > 0; y += pass[3] {
			lengths = append(lengths, 1+(columns*samples*int(p.header[8])+7)/8)
		}
	}
	return lengths, nil
}
