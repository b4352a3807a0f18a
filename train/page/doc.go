// Package page writes what people look at when a model has been judged: an HTML file that needs nothing beside it, no network either,
// and a model card in Markdown.
//
// A Report says what they tell. It has texts, figures and pictures, and nothing of how they were computed. Its texts may be hostile: they
// are escaped, and only have to be valid UTF-8 that can be read (photo.Shown).
package page
