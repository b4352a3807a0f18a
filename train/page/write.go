package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	text "text/template"
)

//go:embed page.html page.css page.js card.md
var files embed.FS

// source is one of the files.
func source(name string) string {
	content, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(content)
}

var functions = map[string]any{
	"percent": percent, "count": count, "markdown": markdown,
	"label": func(r *view, class int) string { return r.Classes[class] },
}

var (
	pageTemplate = template.Must(template.New("page").Funcs(functions).Parse(source("page.html")))
	cardTemplate = text.Must(text.New("card").Funcs(functions).Parse(source("card.md")))
)

// Write writes the page. Its policy lets a browser load nothing, and run no script but its own.
func (r *Report) Write(w io.Writer) error {
	v := newView(r)
	style, script := source("page.css"), source("page.js")
	v.Style, v.Script = template.CSS(style), template.JS(script)
	v.Policy = fmt.Sprintf("default-src 'none'; img-src data:; style-src 'sha256-%s'; script-src 'sha256-%s'", digest(style), digest(script))
	return pageTemplate.Execute(w, v)
}

// digest is how a content security policy names a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// mark names the program in the head of its pages.
const mark = "regraft report"

// Is reports whether a file begins as pages of this package do.
func Is(r io.Reader) bool {
	head, err := io.ReadAll(io.LimitReader(r, 4<<10))
	return err == nil && bytes.Contains(head, fmt.Appendf(nil, `<meta name="generator" content="%s">`, mark))
}

// WriteCard writes the model card.
func (r *Report) WriteCard(w io.Writer) error { return cardTemplate.Execute(w, r) }

// markdown lets a text stand in a line of Markdown as it is.
func markdown(text string) string { return escapes.Replace(text) }

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\\", `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"|", `\|`, "#", `\#`, "~", `\~`, "://", `\://`, "www.", `www\.`, "\n", " ", "\r", " ")
