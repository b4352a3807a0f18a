// Package xmp writes what is on a photo as keywords into a file beside it, where photo managers look for them.
package xmp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"regraft/atomicfile"
)

// head begins every file that we write, and no other.
const head = `<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="regraft">
`

// ErrForeign says that somebody else's file is there, which is left as it is.
var ErrForeign = errors.New("there is a sidecar of another program already")

// Path is that of the sidecar of a photo: photo.jpg.xmp, as digiKam, darktable and Immich read it. Adobe's photo.xmp is for raw files:
// several photos would have the same one.
func Path(photo string) string { return photo + ".xmp" }

// Write makes the sidecar of a photo, or replaces one of our own. Keywords are in dc:subject, where all programs look, and in
// the lists of digiKam and Lightroom, which some prefer.
func Write(photo string, keywords []string) error {
	content, err := packet(keywords)
	if err != nil {
		return err
	}
	put := func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
	switch there, err := ours(photo); {
	case err != nil:
		return err
	case there:
		return atomicfile.WriteUnflushed(Path(photo), put) // it can be made again
	}
	if err := atomicfile.WriteNew(Path(photo), put); errors.Is(err, fs.ErrExist) {
		return ErrForeign
	} else if err != nil {
		return err
	}
	return nil
}

// Remove takes our own sidecar of a photo away, if there is one.
func Remove(photo string) error {
	there, err := ours(photo)
	if err != nil && !errors.Is(err, ErrForeign) {
		return err
	}
	if !there {
		return nil
	}
	return os.Remove(Path(photo))
}

// ours reports whether there is a sidecar, which is our own; that of another program is an error.
func ours(photo string) (bool, error) {
	info, err := os.Lstat(Path(photo))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, ErrForeign
	}
	f, err := os.Open(Path(photo))
	if err != nil {
		return false, err
	}
	defer f.Close()
	begin := make([]byte, len(head))
	if n, _ := io.ReadFull(f, begin); string(begin[:n]) != head {
		return false, ErrForeign
	}
	return true, nil
}

// packet is the content of a sidecar.
func packet(keywords []string) ([]byte, error) {
	var items bytes.Buffer
	for _, k := range keywords {
		items.WriteString("<rdf:li>")
		if err := xml.EscapeText(&items, []byte(k)); err != nil { // which also replaces what XML cannot have
			return nil, err
		}
		items.WriteString("</rdf:li>")
	}
	var b bytes.Buffer
	b.WriteString(head)
	b.WriteString(` <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/">
`)
	for _, list := range []struct{ name, kind string }{{"dc:subject", "Bag"}, {"digiKam:TagsList", "Seq"}, {"lr:hierarchicalSubject", "Bag"}} {
		fmt.Fprintf(&b, "   <%[1]s><rdf:%[2]s>%[3]s</rdf:%[2]s></%[1]s>\n", list.name, list.kind, items.Bytes())
	}
	b.WriteString("  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>\n")
	return b.Bytes(), nil
}
