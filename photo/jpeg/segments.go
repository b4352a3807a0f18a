package jpeg

import "iter"

// Application yields the number n and the content of the APPn segments before
// the first scan, as far as the file can be read.
func Application(data []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		d := decoder{data: data, pos: 2}
		for {
			mark, err := d.nextMarker()
			if err != nil || mark == markSOS {
				return
			}
			if standsAlone(mark) {
				continue
			}
			body, err := d.segment()
			if err != nil {
				return
			}
			if mark >= markAPP0 && mark <= markAPP15 && !yield(int(mark-markAPP0), body) {
				return
			}
		}
	}
}
