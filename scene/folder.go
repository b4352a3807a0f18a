package scene

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// quality of the JPEG files.
const quality = 90

// Write renders photos number from to to-1 of every class into root/<class>/0001.jpg and so on. It
// ends early when ctx does.
func Write(ctx context.Context, root string, classes []Class, seed uint64, from, to int) error {
	type task struct {
		class  Class
		number int
	}
	tasks := make(chan task)
	var errs = make(chan error, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for t := range tasks {
				if err := t.class.save(root, seed, t.number); err != nil {
					errs <- err
					stop()
					return
				}
			}
		})
	}
	for _, class := range classes {
		for i := from; i < to && ctx.Err() == nil; i++ {
			select {
			case tasks <- task{class, i}:
			case <-ctx.Done():
			}
		}
	}
	close(tasks)
	workers.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return ctx.Err()
	}
}

// save writes one photo.
func (k Class) save(root string, seed uint64, number int) error {
	folder := filepath.Join(root, k.Name)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, k.Photo(seed, number), &jpeg.Options{Quality: quality}); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, fmt.Sprintf("%04d.jpg", number+1)), b.Bytes(), 0o666)
}
