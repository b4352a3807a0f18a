//go:build (!amd64 && !arm64) || noasm

package asm

// assembled lists the sets with assembly: there is only the Go set here.
var assembled []*Set
