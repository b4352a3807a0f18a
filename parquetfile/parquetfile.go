// Package parquetfile opens Parquet files that may be damaged, by a library that trusts what a file says of itself.
package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// Open opens a file of so many bytes. Its metadata are no longer than the file.
func Open(file io.ReaderAt, size int64, options ...parquet.FileOption) (f *parquet.File, err error) {
	defer Damaged(&err)
	const frame = 12 // the magic number at both ends, and the length of the metadata before the last
	var tail [8]byte
	if size < frame {
		return nil, errors.New("it is too short")
	}
	if _, err := file.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return nil, err
	}
	if length := int64(binary.LittleEndian.Uint32(tail[:])); length > size-frame {
		return nil, fmt.Errorf("its metadata have %d bytes, and the whole file %d", length, size)
	}
	return parquet.OpenFile(file, size, options...)
}

// Damaged turns a panic of the library into an error; it is to be deferred where a file is read.
func Damaged(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the file is damaged: %v", p)
	}
}
