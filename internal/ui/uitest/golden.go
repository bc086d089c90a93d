package uitest

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
)

// Golden compares the screen with testdata/<name>.png. Where they differ, or
// there is none, it writes what it saw to testdata/failed and fails.
func (s *Screen) Golden(name string) {
	s.t.Helper()
	s.Settle()
	if err := Compare(s.Window.Canvas().Capture(), "testdata", name); err != nil {
		s.t.Error(err)
	}
}

// Compare compares a picture with dir/<name>.png. A picture is the same when
// fewer than one in two thousand pixels differs visibly: other processors round
// the edges of letters in other ways.
func Compare(got image.Image, dir, name string) error {
	want, err := read(filepath.Join(dir, name+".png"))
	if err == nil {
		if off := differing(want, got); off == "" {
			return nil
		} else {
			err = fmt.Errorf("%s: %s", name, off)
		}
	}
	failed := filepath.Join(dir, "failed", name+".png")
	if e := os.MkdirAll(filepath.Dir(failed), 0o755); e != nil {
		return e
	}
	f, e := os.Create(failed)
	if e != nil {
		return e
	}
	if e := png.Encode(f, got); e != nil {
		_ = f.Close()
		return e
	}
	if e := f.Close(); e != nil {
		return e
	}
	return fmt.Errorf("%w\nwhat was seen: %s", err, failed)
}

func read(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return png.Decode(f)
}

func differing(a, b image.Image) string {
	if a.Bounds().Size() != b.Bounds().Size() {
		return fmt.Sprintf("the size is %v and should be %v", b.Bounds().Size(), a.Bounds().Size())
	}
	x, y := rgba(a), rgba(b)
	bad := 0
	for i := 0; i < len(x.Pix); i += 4 {
		for k := range 3 {
			d := int(x.Pix[i+k]) - int(y.Pix[i+k])
			if d > 24 || d < -24 {
				bad++
				break
			}
		}
	}
	if total := len(x.Pix) / 4; bad*2000 >= total {
		return fmt.Sprintf("%d of %d pixels differ", bad, total)
	}
	return ""
}

func rgba(i image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, i.Bounds().Dx(), i.Bounds().Dy()))
	draw.Draw(out, out.Bounds(), i, i.Bounds().Min, draw.Src)
	return out
}
