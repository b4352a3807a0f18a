package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"slices"

	"regraft/photo/jpeg"
	"regraft/setting"
)

// format is a file format of photos, known by its first bytes.
type format struct {
	name   string
	is     func(head []byte) bool
	size   func(data []byte) (w, h int, err error)
	decode func(data []byte) (*Image, error) // nil where rows is there instead; see source
	rows   func(data []byte, reduce int, area image.Rectangle, sink func(y int, rgb []uint8)) error
	// metadata reads what tells which way is up; nil where the format has no place for it.
	metadata func(data []byte) metadata
	// density is the most pixels that one byte can encode; 0 where there is no
	// such number, or decode judges it. A header that declares more cannot be
	// true, and is refused before memory is asked for.
	density int
}

// formats holds everything that is decoded. The densities: a JPEG spends a bit
// on each block of 64 pixels, deflate packs 1032 bytes into one (PNG down to 1
// bit per pixel).
var formats = []format{
	{"JPEG", prefix("\xff\xd8\xff"), sizeOfJPEG, nil, jpeg.Rows, metadataOfJPEG, 512},
	{"PNG", prefix(pngSignature), sizeOfPNG, decodePNG, nil, metadataOfPNG, 8 * 1032},
	{"GIF", either(prefix("GIF87a"), prefix("GIF89a")), sizeOfGIF, decodeGIF, nil, nil, 0},
	{"WebP", riff("WEBP"), sizeOfWebP, decodeWebP, nil, metadataOfWebP, 0},
	{"BMP", prefix("BM"), sizeOfBMP, decodeBMP, nil, nil, 0},
	{"TIFF", either(prefix("II*\x00"), prefix("MM\x00*")), sizeOfTIFF, decodeTIFF, nil, metadataOfTIFF, 0},
}

// foreign names picture formats that people's folders hold and that are not decoded.
var foreign = []format{
	{name: "AVIF", is: brand("avif", "avis")},
	{name: "HEIC", is: brand("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "mif2", "msf1")},
	{name: "JPEG XL", is: either(prefix("\xff\x0a"), prefix("\x00\x00\x00\x0cJXL "))},
	{name: "JPEG 2000", is: either(prefix("\xff\x4f\xff\x51"), prefix("\x00\x00\x00\x0cjP  "))},
	{name: "BigTIFF", is: either(prefix("II+\x00"), prefix("MM\x00+"))},
	{name: "a camera's raw file", is: either(
		brand("crx "), at(8, "CR\x02"), prefix("IIU\x00"), prefix("IIRO"), prefix("IIRS"), prefix("MMOR"),
		at(6, "HEAPCCDR"), prefix("FUJIFILMCCD-RAW"), prefix("FOVb"), prefix("\x00MRM"))},
	{name: "Photoshop's PSD", is: prefix("8BPS")},
	{name: "SVG", is: isSVG},
	{name: "an icon (ICO)", is: prefix("\x00\x00\x01\x00")},
	{name: "QOI", is: prefix("qoif")},
	{name: "OpenEXR", is: prefix("\x76\x2f\x31\x01")},
	{name: "a PDF", is: prefix("%PDF")},
}

// others names what is no picture at all.
var others = []format{
	{name: "a video", is: either(
		at(4, "ftyp"), at(4, "moov"), at(4, "mdat"), at(4, "wide"), riff("AVI "), prefix("\x1a\x45\xdf\xa3"),
		prefix("\x00\x00\x01\xba"), prefix("\x00\x00\x01\xb3"), prefix("FLV\x01"), prefix("OggS"))},
	{name: "an HTML page", is: isHTML},
	{name: "a ZIP archive", is: prefix("PK\x03\x04")},
	{name: "a Git LFS pointer (git lfs pull fetches the file)", is: prefix("version https://git-lfs")},
	{name: "a file of zeros", is: func(head []byte) bool { return len(bytes.Trim(head[:min(64, len(head))], "\x00")) == 0 }},
}

func sizeOfJPEG(data []byte) (w, h int, err error) {
	c, err := jpeg.DecodeConfig(data)
	return c.Width, c.Height, err
}

func prefix(magic string) func([]byte) bool { return at(0, magic) }

// at knows files by bytes at an offset.
func at(offset int, magic string) func([]byte) bool {
	return func(head []byte) bool {
		return len(head) > offset && bytes.HasPrefix(head[offset:], []byte(magic))
	}
}

// riff knows files in RIFF containers.
func riff(kind string) func([]byte) bool {
	return func(head []byte) bool { return prefix("RIFF")(head) && at(8, kind)(head) }
}

// brand knows files in ISO base media containers by their brands: the main one,
// or one that the file says it is compatible with.
func brand(kinds ...string) func([]byte) bool {
	return func(head []byte) bool {
		if !at(4, "ftyp")(head) {
			return false
		}
		size := min(int(head[2])<<8|int(head[3]), len(head))
		for i := 8; i+4 <= size; i += 4 {
			if i != 12 && slices.Contains(kinds, string(head[i:i+4])) { // at 12 is a version
				return true
			}
		}
		return false
	}
}

func isSVG(head []byte) bool {
	return bytes.HasPrefix(text(head), []byte("<")) && bytes.Contains(text(head), []byte("<svg"))
}

func isHTML(head []byte) bool {
	return bytes.HasPrefix(text(head), []byte("<!doctype html")) || bytes.HasPrefix(text(head), []byte("<html"))
}

// text is the beginning of a file in lower case, without blanks before it.
func text(head []byte) []byte {
	return bytes.ToLower(bytes.TrimLeft(head[:min(1024, len(head))], "\xef\xbb\xbf \t\r\n"))
}

func either(is ...func([]byte) bool) func([]byte) bool {
	return func(head []byte) bool {
		return slices.ContainsFunc(is, func(f func([]byte) bool) bool { return f(head) })
	}
}

// formatOf finds the format by the content: names lie.
func formatOf(data []byte, o DecodeOptions) (format, error) {
	known := func(f format) bool { return f.is(data) }
	if len(data) == 0 {
		return format{}, errors.New("the file is empty")
	}
	if i := slices.IndexFunc(foreign, known); i >= 0 {
		return format{}, fmt.Errorf("%s is not supported; convert it to JPEG or PNG", foreign[i].name)
	}
	if i := slices.IndexFunc(formats, known); i >= 0 {
		if formats[i].name == "TIFF" && !o.TIFF {
			return format{}, fmt.Errorf("TIFF is read only when asked for (%v); or convert it to PNG", setting.TIFF)
		}
		return formats[i], nil
	}
	if i := slices.IndexFunc(others, known); i >= 0 {
		return format{}, fmt.Errorf("not a photo but %s", others[i].name)
	}
	return format{}, errors.New("not a photo (JPEG, PNG, GIF, WebP or BMP)")
}
