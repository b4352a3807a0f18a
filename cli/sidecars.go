package cli

import (
	"errors"

	"regraft"
	"regraft/photo"
	"regraft/xmp"
)

// sidecars writes the classes of photos into files beside them.
type sidecars struct {
	con                     *console
	written, foreign, wrong int
	members                 int // of archives, which have none
}

func (s *sidecars) reading(p *regraft.Photo) regraft.Photo { return *p }

func (s *sidecars) answered(p regraft.Photo, r regraft.Result, unknown bool) error {
	switch {
	case r.Err != nil:
		return nil
	case !onDisk(p):
		s.members++
		return nil
	case unknown:
		return s.note(p, xmp.Remove(p.Path)) // what an earlier model took it for
	}
	err := xmp.Write(p.Path, []string{photo.Text(r.Top(1)[0].Label)})
	if err == nil {
		s.written++
	}
	return s.note(p, err)
}

// note tells of a photo without a sidecar of ours. Only a full disk is an error.
func (s *sidecars) note(p regraft.Photo, err error) error {
	switch {
	case err == nil:
	case errors.Is(err, xmp.ErrForeign):
		s.foreign++
	case diskFull(err):
		return err
	default:
		s.wrong++
		s.con.warnf("%s has no keywords: %v", shown(p.Path), err)
	}
	return nil
}

func (s *sidecars) end() int {
	s.con.notef("keywords of %s written to .xmp files beside them", counted(s.written, "photo"))
	if s.foreign > 0 {
		s.con.notef("%s of other programs left as they are: their photos have no keywords of ours", counted(s.foreign, ".xmp file"))
	}
	if s.members > 0 {
		s.con.notef("%s in archives without keywords", counted(s.members, "photo"))
	}
	return s.wrong
}
