package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"io"
	"iter"
	"slices"
	"unicode"

	"regraft/photo/jpeg"
)

// metadata is what a file says about itself beside its pixels.
type metadata struct {
	exif []byte // a TIFF structure, with or without exifPrefix
	xmp  []byte // an XML document
}

// xmpPrefix opens XMP in a JPEG segment (XMP part 3, 1.1.3).
var xmpPrefix = []byte("http://ns.adobe.com/xap/1.0/\x00")

// metadataOfJPEG reads the segments before the first scan. EXIF in several is
// joined; of XMP the last counts.
func metadataOfJPEG(data []byte) (m metadata) {
	for n, body := range jpeg.Application(data) {
		switch {
		case n == 1 && bytes.HasPrefix(body, exifPrefix):
			if m.exif == nil {
				m.exif = slices.Clone(exifPrefix)
			}
			m.exif = append(m.exif, body[len(exifPrefix):]...)
		case n == 1 && bytes.HasPrefix(body, xmpPrefix):
			m.xmp = body[len(xmpPrefix):]
		}
	}
	return m
}

// metadataOfWebP reads the chunks that the extended header announces. The
// first of a kind counts.
func metadataOfWebP(data []byte) (m metadata) {
	const hasEXIF, hasXMP = 8, 4
	var flags byte
	for kind, body := range riffChunks(data) {
		switch {
		case kind == "VP8X" && len(body) > 0:
			flags = body[0]
		case kind == "EXIF" && flags&hasEXIF != 0 && m.exif == nil:
			m.exif = body
		case kind == "XMP " && flags&hasXMP != 0 && m.xmp == nil:
			m.xmp = body
		}
	}
	return m
}

// riffChunks yields the name and the content of each whole chunk of a RIFF file.
func riffChunks(data []byte) iter.Seq2[string, []byte] {
	const header = 12 // "RIFF", size, kind
	if len(data) < header {
		return chunksIn(nil)
	}
	end := 8 + int(binary.LittleEndian.Uint32(data[4:]))
	return chunksIn(data[header:max(min(len(data), end), header)])
}

// chunksIn yields the chunks of a part of a RIFF file. They begin at even offsets.
func chunksIn(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for at := 0; at+8 <= len(data); {
			n := int(binary.LittleEndian.Uint32(data[at+4:]))
			from := at + 8
			if n > len(data)-from || !yield(string(data[at:at+4]), data[from:from+n]) {
				return
			}
			at = from + n + n%2
		}
	}
}

// metadataOfTIFF: the file is itself what EXIF holds.
func metadataOfTIFF(data []byte) metadata {
	m := metadata{exif: data}
	if f, ok := find(data, tagXMP); ok && (f.kind == typeByte || f.kind == typeUndefined) {
		m.xmp = f.data
	}
	return m
}

// metadataOfPNG reads the chunks before and behind the pixels: EXIF in a chunk
// of its own, or in the text that ImageMagick writes; XMP as text. The last of
// a kind counts.
func metadataOfPNG(data []byte) (m metadata) {
	var profile, xmp pngText
	for kind, body := range pngChunks(data) {
		switch kind {
		case "eXIf":
			m.exif = body
		case "tEXt", "zTXt", "iTXt":
			switch t := readText(kind, body); t.keyword {
			case "Raw profile type exif":
				profile = t
			case "XML:com.adobe.xmp":
				xmp = t
			case "exif":
				if kind == "tEXt" {
					m.exif = t.text
				}
			}
		}
	}
	if m.exif == nil {
		m.exif = rawProfile(profile.content())
	}
	m.xmp = xmp.content()
	return m
}

// pngChunks yields the name and the content of each whole chunk of a PNG, up to
// an animation's second frame.
func pngChunks(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		animated, pixels := false, false
		for at := 8; at+8 <= len(data); {
			n, kind := int(binary.BigEndian.Uint32(data[at:])), string(data[at+4:at+8])
			from := at + 8
			if n > len(data)-from || kind == "IEND" || kind == "fcTL" && animated && pixels {
				return
			}
			animated = animated || kind == "acTL"
			pixels = pixels || kind == "IDAT"
			if !yield(kind, data[from:from+n]) {
				return
			}
			at = from + n + 4 // the checksum
		}
	}
}

// pngText is a chunk of text (PNG third edition, 11.3.3), perhaps compressed.
type pngText struct {
	keyword    string
	text       []byte
	compressed bool
}

// readText takes a chunk of text apart; one that is broken has no keyword.
func readText(kind string, body []byte) pngText {
	keyword, rest, _ := bytes.Cut(body, []byte{0})
	t := pngText{keyword: string(keyword), text: rest}
	switch kind {
	case "zTXt":
		if len(rest) < 1 || rest[0] != 0 {
			return pngText{}
		}
		t.text, t.compressed = rest[1:], true
	case "iTXt":
		if len(rest) < 2 || rest[0] != 0 && rest[1] != 0 {
			return pngText{}
		}
		parts := bytes.SplitN(rest[2:], []byte{0}, 3) // language, keyword in it, text
		if len(parts) < 3 {
			return pngText{}
		}
		t.text, t.compressed = parts[2], rest[0] != 0
	}
	return t
}

// maxText bounds what a compressed text may grow to, as in Pillow.
const maxText = 1 << 20

// content returns the text, up to maxText if it is compressed, and nothing if it is damaged.
func (t pngText) content() []byte {
	if !t.compressed {
		return t.text
	}
	z, err := zlib.NewReader(bytes.NewReader(t.text))
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(z, maxText))
	if err != nil && err != io.ErrUnexpectedEOF {
		return nil
	}
	return text
}

// rawProfile decodes ImageMagick's form: an empty line, the name, the length,
// then hexadecimal digits in lines.
func rawProfile(text []byte) []byte {
	for range 3 {
		_, after, ok := bytes.Cut(text, []byte("\n"))
		if !ok {
			return nil
		}
		text = after
	}
	digits := bytes.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	profile := make([]byte, len(digits)/2)
	if _, err := hex.Decode(profile, digits); err != nil {
		return nil
	}
	return profile
}
