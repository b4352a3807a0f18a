package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
)

// Sum passes bytes on, and knows how many there were and their SHA-256.
type Sum struct {
	to    io.Writer
	bytes int64
	hash  hash.Hash
}

// NewSum passes bytes on to a writer.
func NewSum(to io.Writer) *Sum { return &Sum{to: to, hash: sha256.New()} }

func (s *Sum) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.hash.Write(p[:n])
	s.bytes += int64(n)
	return n, err
}

// Bytes is the number of bytes so far.
func (s *Sum) Bytes() int64 { return s.bytes }

// Hash is their SHA-256, in hexadecimal.
func (s *Sum) Hash() string { return hex.EncodeToString(s.hash.Sum(nil)) }

// hashOf is the SHA-256 of a file.
func hashOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := NewSum(io.Discard)
	_, err = io.Copy(sum, file)
	return sum.Hash(), err
}
